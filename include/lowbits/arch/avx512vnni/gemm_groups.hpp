// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products with factors for groups of weights along the depth with AVX512-VNNI.

#include <lowbits/arch/avx512bw/float_output.hpp>
#include <lowbits/arch/avx512vnni/gemm_bits.hpp>
#include <lowbits/core/half.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512_bits {

using reals = __m512;
LOWBITS_REGION_INLINE reals no_reals() { return _mm512_setzero_ps(); }
LOWBITS_REGION_INLINE reals load_reals(const float* p) { return _mm512_loadu_ps(p); }
LOWBITS_REGION_INLINE void store_reals(float* p, reals v) { _mm512_storeu_ps(p, v); }
LOWBITS_REGION_INLINE reals repeat_real(float x) { return _mm512_set1_ps(x); }
LOWBITS_REGION_INLINE reals plus(reals a, reals b) { return _mm512_add_ps(a, b); }
LOWBITS_REGION_INLINE reals times(reals a, reals b) { return avx512::rounded(_mm512_mul_ps(a, b)); }
LOWBITS_REGION_INLINE reals to_reals(vec a) { return _mm512_cvtepi32_ps(a); }
LOWBITS_REGION_INLINE reals load_halves(const half* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
LOWBITS_REGION_INLINE vec load_small(const uint8_t* p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
LOWBITS_REGION_INLINE vec product(vec a, vec b) { return _mm512_mullo_epi32(a, b); }
LOWBITS_REGION_INLINE vec flip_bytes(vec a, vec b) { return _mm512_xor_si512(a, b); }

#include <lowbits/arch/bits_groups.inc>

}  // namespace detail::avx512_bits

template <>
struct prim<prims::gemm_groups, arch::avx512vnni> : detail::avx512_bits::groups_prim {};

}  // namespace lowbits
LOWBITS_REGION_END
