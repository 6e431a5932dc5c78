// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accumulators to codes with AVX2, sixteen columns at a time.

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::requantize, arch::avx2> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                  const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    using namespace detail::avx2;
    for (int c = 0; c < cols; c += 16) {
      const int n = cols - c < 16 ? cols - c : 16, high = n > 8 ? n - 8 : 0;
      const factors8 f = load_factors(factors, c, n - high);
      const factors8 g = high > 0 ? load_factors(factors, c + 8, high) : f;
      if constexpr (Rule == rescale_rule::twice) {
        columns(rows, n, acc + c, acc_stride, rescale_twice(f), rescale_twice(g), stage, y + c, y_stride);
      } else if (rescale_small::suits(f, n - high) && rescale_small::suits(g, high)) {
        columns(rows, n, acc + c, acc_stride, rescale_small(f), rescale_small(g), stage, y + c, y_stride);
      } else {
        columns(rows, n, acc + c, acc_stride, rescale_once(f), rescale_once(g), stage, y + c, y_stride);
      }
    }
  }

private:
  template <class Rescale, class Code>
  LOWBITS_REGION_INLINE static void columns(int rows, int n, const int32_t* acc, ptrdiff_t acc_stride,
                                            const Rescale& f, const Rescale& g, const code_stage& stage, Code* y,
                                            ptrdiff_t y_stride) {
    using namespace detail::avx2;
    const stage8 to_codes(stage);
    const __m256i low = first8(n), high = first8(n - 8);
    for (int r = 0; r < rows; ++r, acc += acc_stride, y += y_stride) {
      const __m256i a = _mm256_maskload_epi32(acc, low);
      const __m256i b = _mm256_maskload_epi32(n > 8 ? acc + 8 : acc, high);
      store_bytes(y, low_bytes(to_codes(f, a), to_codes(g, b)), n);
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
