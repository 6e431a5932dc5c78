// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products with factors for groups of weights along the depth with AVX2.

#include <lowbits/arch/avx2/float_output.hpp>
#include <lowbits/arch/avx2/gemm_bits.hpp>
#include <lowbits/core/half.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2_bits {

using reals = __m256;
LOWBITS_REGION_INLINE reals no_reals() { return _mm256_setzero_ps(); }
LOWBITS_REGION_INLINE reals load_reals(const float* p) { return _mm256_loadu_ps(p); }
LOWBITS_REGION_INLINE void store_reals(float* p, reals v) { _mm256_storeu_ps(p, v); }
LOWBITS_REGION_INLINE reals repeat_real(float x) { return _mm256_set1_ps(x); }
LOWBITS_REGION_INLINE reals plus(reals a, reals b) { return _mm256_add_ps(a, b); }
LOWBITS_REGION_INLINE reals times(reals a, reals b) { return avx2::rounded(_mm256_mul_ps(a, b)); }
LOWBITS_REGION_INLINE reals to_reals(vec a) { return _mm256_cvtepi32_ps(a); }
/// Finite ones, without F16C and without denormals: those of halves are differences of two normal numbers.
LOWBITS_REGION_INLINE reals load_halves(const half* p) {
  const vec bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  const vec magnitude = _mm256_slli_epi32(in_both(bits, repeat(0x7fff)), 13), first = repeat(113 << 23);
  const vec normal = add(magnitude, repeat(112 << 23));
  const reals tiny = _mm256_sub_ps(_mm256_castsi256_ps(add(magnitude, first)), _mm256_castsi256_ps(first));
  const reals either = _mm256_blendv_ps(_mm256_castsi256_ps(normal), tiny, _mm256_castsi256_ps(_mm256_cmpgt_epi32(first, normal)));
  return _mm256_or_ps(either, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_srli_epi32(bits, 15), 31)));
}
LOWBITS_REGION_INLINE vec load_small(const uint8_t* p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))); }
LOWBITS_REGION_INLINE vec product(vec a, vec b) { return _mm256_mullo_epi32(a, b); }
LOWBITS_REGION_INLINE vec flip_bytes(vec a, vec b) { return _mm256_xor_si256(a, b); }

#include <lowbits/arch/bits_groups.inc>

}  // namespace detail::avx2_bits

template <>
struct prim<prims::gemm_groups, arch::avx2> : detail::avx2_bits::groups_prim {};

}  // namespace lowbits
LOWBITS_REGION_END
