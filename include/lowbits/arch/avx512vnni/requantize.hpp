// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accumulators to codes with AVX-512, sixteen columns at a time.

#include <lowbits/arch/avx512vnni/common.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::requantize, arch::avx512vnni> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                  const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    using namespace detail::avx512;
    for (int c = 0; c < cols; c += 16) {
      const int n = cols - c < 16 ? cols - c : 16;
      const factors16 f = load_factors(factors, c, n);
      if constexpr (Rule == rescale_rule::twice) {
        columns(rows, n, acc + c, acc_stride, rescale_twice(f), stage, y + c, y_stride);
      } else if (rescale_small::suits(f, n)) {
        columns(rows, n, acc + c, acc_stride, rescale_small(f), stage, y + c, y_stride);
      } else {
        columns(rows, n, acc + c, acc_stride, rescale_once(f), stage, y + c, y_stride);
      }
    }
  }

private:
  template <class Rescale, class Code>
  LOWBITS_REGION_INLINE static void columns(int rows, int n, const int32_t* acc, ptrdiff_t acc_stride,
                                            const Rescale& rescale, const code_stage& stage, Code* y,
                                            ptrdiff_t y_stride) {
    using namespace detail::avx512;
    const __mmask16 k = first16(n);
    const __m512i zero_point = _mm512_set1_epi32(stage.zero_point);
    const __m512i lowest = _mm512_set1_epi32(stage.lowest - stage.zero_point);
    const __m512i highest = _mm512_set1_epi32(stage.highest - stage.zero_point);
    for (int r = 0; r < rows; ++r, acc += acc_stride, y += y_stride) {
      const __m512i code = _mm512_add_epi32(rescale(_mm512_maskz_loadu_epi32(k, acc), lowest, highest), zero_point);
      _mm_mask_storeu_epi8(y, k, _mm512_cvtepi32_epi8(code));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
