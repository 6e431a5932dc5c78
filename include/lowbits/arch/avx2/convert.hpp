// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Floats to codes and back with AVX2. The nearest integer does not depend on the rounding mode that
// is set; the division does, as in the scalar definition.

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::quantize, arch::avx2> {
  template <class Code>
  static void run(size_t n, const float* x, float scale, const code_stage& stage, Code* out) noexcept {
    using namespace detail::avx2;
    const __m256 divisor = _mm256_set1_ps(scale);
    const stage8 s(stage);
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
      store_bytes(out + i, low_bytes(code(_mm256_loadu_ps(x + i), divisor, s), code(_mm256_loadu_ps(x + i + 8), divisor, s)), 16);
    for (; i < n; i += 8) {
      const int k = n - i < 8 ? static_cast<int>(n - i) : 8;
      const __m256i v = code(_mm256_maskload_ps(x + i, first8(k)), divisor, s);
      store_bytes(out + i, low_bytes(v, v), k);
    }
  }

private:
  LOWBITS_REGION_INLINE static __m256i code(__m256 x, __m256 divisor, const detail::avx2::stage8& s) {
    using namespace detail::avx2;
    __m256 q;  // an instruction of its own: -ffast-math would multiply with an approximate reciprocal
    asm("vdivps %2, %1, %0" : "=x"(q) : "x"(x), "x"(divisor));
    const __m256i size = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7fff'ffff));
    const __m256i nan = _mm256_cmpgt_epi32(size, _mm256_set1_epi32(0x7f80'0000));
    q = _mm256_andnot_ps(_mm256_castsi256_ps(nan), q);
    // Wider than any range of codes, and within int32.
    q = _mm256_min_ps(_mm256_max_ps(q, _mm256_set1_ps(-1048576.0f)), _mm256_set1_ps(1048576.0f));
    const __m256i nearest = _mm256_cvttps_epi32(_mm256_round_ps(q, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return _mm256_add_epi32(held(nearest, s.lowest, s.highest), s.zero_point);
  }
};

template <>
struct prim<prims::dequantize, arch::avx2> {
  template <class Code>
  static void run(size_t n, const Code* x, int zero, float scale, float* out) noexcept {
    using namespace detail::avx2;
    const __m256i offset = _mm256_set1_epi32(zero);
    const __m256 factor = _mm256_set1_ps(scale);
    const auto real = [&](__m128i codes) __attribute__((always_inline)) {
      return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(widen_to_32<Code>(codes), offset)), factor);
    };
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
      const __m128i codes = load_bytes(x + i, 16);
      _mm256_storeu_ps(out + i, real(codes));
      _mm256_storeu_ps(out + i + 8, real(_mm_srli_si128(codes, 8)));
    }
    for (; i < n; i += 8) {
      const int k = n - i < 8 ? static_cast<int>(n - i) : 8;
      _mm256_maskstore_ps(out + i, first8(k), real(load_bytes(x + i, k)));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
