// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of floats and weights of few bits with AVX-512. On Zen 4 a product and a sum of their own take no longer than
// a fused operation: multipliers and adders are different pipes.

#include <bit>

#include <lowbits/arch/avx512bw/float_output.hpp>
#include <lowbits/core/real_layout.hpp>

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512_reals {

using avx512::rounded;
using words = __m512i;
using floats = __m512;
inline constexpr int lanes = 16, narrow = 4;
LOWBITS_REGION_INLINE floats load(const float* p) { return _mm512_loadu_ps(p); }
LOWBITS_REGION_INLINE void store(float* p, floats f) { _mm512_storeu_ps(p, f); }
LOWBITS_REGION_INLINE words load_words(const uint32_t* p) { return _mm512_loadu_si512(p); }
LOWBITS_REGION_INLINE floats all(float x) { return _mm512_set1_ps(x); }
LOWBITS_REGION_INLINE words left(words w, int n) { return _mm512_sll_epi32(w, _mm_cvtsi32_si128(n)); }
LOWBITS_REGION_INLINE words right(words w, int n) { return _mm512_srl_epi32(w, _mm_cvtsi32_si128(n)); }
/// Once: g++ would repeat a number in memory with each use, which costs a fifth of the rate.
LOWBITS_REGION_INLINE words repeat(uint32_t x) {
  words w = _mm512_set1_epi32(static_cast<int>(x));
  asm("" : "+v"(w));
  return w;
}
LOWBITS_REGION_INLINE floats with(words w, words mask, words bits) { return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(w, mask, bits, 0xea)); }
LOWBITS_REGION_INLINE words both(words a, words w, words mask) { return _mm512_ternarylogic_epi32(w, mask, a, 0xea); }
LOWBITS_REGION_INLINE void add_to(floats& a, floats b) { asm("vaddps %1, %0, %0" : "+v"(a) : "v"(b)); }
/// On Zen 4 a repeated load of its own takes a place among the products; this one does not.
LOWBITS_REGION_INLINE floats times_one(const float* p, floats f) {
  floats to;
  asm("vmulps %1%{1to16%}, %2, %0" : "=v"(to) : "m"(*p), "v"(f));
  return to;
}
LOWBITS_REGION_INLINE floats plus(floats a, floats b) { return _mm512_add_ps(a, b); }
LOWBITS_REGION_INLINE floats minus(floats a, floats b) { return _mm512_sub_ps(a, b); }
LOWBITS_REGION_INLINE floats times(floats a, floats b) { return _mm512_mul_ps(a, b); }

#include <lowbits/arch/real_gemm.inc>

}  // namespace detail::avx512_reals

template <>
struct prim<prims::gemm_reals, arch::avx512bw> : detail::avx512_reals::real_products {};

}  // namespace lowbits
LOWBITS_REGION_END
