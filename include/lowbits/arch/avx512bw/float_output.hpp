// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accumulators to real numbers with AVX-512, sixteen columns at a time.

#include <lowbits/arch/avx512bw/common.hpp>

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// x as it is: without this, a product and the sum behind it become one fused operation.
LOWBITS_REGION_INLINE __m512 rounded(__m512 x) {
  asm("" : "+v"(x));
  return x;
}

}  // namespace detail::avx512

template <>
struct prim<prims::sums_to_float, arch::avx512bw> {
  static void run(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const float_stage& s, float* y,
                  ptrdiff_t y_stride) noexcept {
    using namespace detail::avx512;
    for (int c = 0; c < cols; c += 16) {
      const __mmask16 used = first16(cols - c);
      const __m512 one = _mm512_set1_ps(1.0f);
      const __m512 scales = s.scales != nullptr ? _mm512_maskz_loadu_ps(used, s.scales + c) : one;
      const __m512 bias = s.bias != nullptr ? _mm512_maskz_loadu_ps(used, s.bias + c) : one;
      const __m512i sums = s.row_zeros != nullptr ? _mm512_maskz_loadu_epi32(used, s.weight_sums + c) : _mm512_setzero_si512();
      for (int r = 0; r < rows; ++r) {
        __m512i a = _mm512_maskz_loadu_epi32(used, acc + r * acc_stride + c);
        if (s.row_zeros != nullptr) a = _mm512_sub_epi32(a, _mm512_mullo_epi32(_mm512_set1_epi32(s.row_zeros[r]), sums));
        const __m512 scale =
            s.row_scales != nullptr ? rounded(_mm512_mul_ps(_mm512_set1_ps(s.row_scales[r]), scales)) : scales;
        __m512 v = rounded(_mm512_mul_ps(_mm512_cvtepi32_ps(a), scale));
        if (s.bias != nullptr) v = _mm512_add_ps(v, bias);
        _mm512_mask_storeu_ps(y + r * y_stride + c, used, v);
      }
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
