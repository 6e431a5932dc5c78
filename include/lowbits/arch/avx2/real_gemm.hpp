// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of floats and weights of few bits with AVX2.

#include <bit>

#include <lowbits/arch/avx2/float_output.hpp>
#include <lowbits/core/real_layout.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2_reals {

using avx2::rounded;
using words = __m256i;
using floats = __m256;
inline constexpr int lanes = 8, narrow = 2;
LOWBITS_REGION_INLINE floats load(const float* p) { return _mm256_loadu_ps(p); }
LOWBITS_REGION_INLINE void store(float* p, floats f) { _mm256_storeu_ps(p, f); }
LOWBITS_REGION_INLINE words load_words(const uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
LOWBITS_REGION_INLINE floats all(float x) { return _mm256_set1_ps(x); }
LOWBITS_REGION_INLINE words left(words w, int n) { return _mm256_sll_epi32(w, _mm_cvtsi32_si128(n)); }
LOWBITS_REGION_INLINE words right(words w, int n) { return _mm256_srl_epi32(w, _mm_cvtsi32_si128(n)); }
LOWBITS_REGION_INLINE words repeat(uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
LOWBITS_REGION_INLINE words both(words a, words w, words mask) { return _mm256_or_si256(a, _mm256_and_si256(w, mask)); }
LOWBITS_REGION_INLINE floats with(words w, words mask, words bits) { return _mm256_castsi256_ps(both(bits, w, mask)); }
LOWBITS_REGION_INLINE void add_to(floats& a, floats b) { asm("vaddps %1, %0, %0" : "+x"(a) : "x"(b)); }
LOWBITS_REGION_INLINE floats plus(floats a, floats b) { return _mm256_add_ps(a, b); }
LOWBITS_REGION_INLINE floats minus(floats a, floats b) { return _mm256_sub_ps(a, b); }
LOWBITS_REGION_INLINE floats times(floats a, floats b) { return _mm256_mul_ps(a, b); }
LOWBITS_REGION_INLINE floats times_one(const float* p, floats f) { return times(all(*p), f); }

#include <lowbits/arch/real_gemm.inc>

}  // namespace detail::avx2_reals

template <>
struct prim<prims::gemm_reals, arch::avx2> : detail::avx2_reals::real_products {};

}  // namespace lowbits
LOWBITS_REGION_END
