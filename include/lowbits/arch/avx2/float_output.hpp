// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accumulators to real numbers with AVX2, eight columns at a time.

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2 {

/// x as it is: without this, a product and the sum behind it become one fused operation.
LOWBITS_REGION_INLINE __m256 rounded(__m256 x) {
  asm("" : "+x"(x));
  return x;
}

}  // namespace detail::avx2

template <>
struct prim<prims::sums_to_float, arch::avx2> {
  static void run(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const float_stage& s, float* y,
                  ptrdiff_t y_stride) noexcept {
    using namespace detail::avx2;
    for (int c = 0; c < cols; c += 8) {
      const __m256i used = first8(cols - c);
      const __m256 one = _mm256_set1_ps(1.0f);
      const __m256 scales = s.scales != nullptr ? _mm256_maskload_ps(s.scales + c, used) : one;
      const __m256 bias = s.bias != nullptr ? _mm256_maskload_ps(s.bias + c, used) : one;
      const __m256i sums = s.row_zeros != nullptr ? _mm256_maskload_epi32(s.weight_sums + c, used) : _mm256_setzero_si256();
      for (int r = 0; r < rows; ++r) {
        __m256i a = _mm256_maskload_epi32(acc + r * acc_stride + c, used);
        if (s.row_zeros != nullptr) a = _mm256_sub_epi32(a, _mm256_mullo_epi32(_mm256_set1_epi32(s.row_zeros[r]), sums));
        const __m256 scale =
            s.row_scales != nullptr ? rounded(_mm256_mul_ps(_mm256_set1_ps(s.row_scales[r]), scales)) : scales;
        __m256 v = rounded(_mm256_mul_ps(_mm256_cvtepi32_ps(a), scale));
        if (s.bias != nullptr) v = _mm256_add_ps(v, bias);
        _mm256_maskstore_ps(y + r * y_stride + c, used, v);
      }
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
