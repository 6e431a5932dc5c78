// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// prims::gemm_reals of all architectures, and one in plain C++ for those that have none. Only what multiplies floats by
// codes includes it.

#include <bit>

#include <lowbits/arch/prim.hpp>
#include <lowbits/arch/region.hpp>
#include <lowbits/core/fp.hpp>
#include <lowbits/core/real_layout.hpp>
#if LOWBITS_BUILD_X86
#include <lowbits/arch/avx2/real_gemm.hpp>
#include <lowbits/arch/avx512bw/real_gemm.hpp>
#endif
#if LOWBITS_BUILD_VECTOR
#include <lowbits/arch/vector_reals.hpp>
#endif

namespace lowbits::inline LOWBITS_ABI::detail::plain_reals {

using words = uint32_t;
using floats = float;
inline constexpr int lanes = 1, narrow = 2;
LOWBITS_REGION_INLINE floats load(const float* p) { return *p; }
LOWBITS_REGION_INLINE void store(float* p, floats f) { *p = f; }
LOWBITS_REGION_INLINE words load_words(const uint32_t* p) { return *p; }
LOWBITS_REGION_INLINE floats all(float x) { return x; }
LOWBITS_REGION_INLINE words left(words w, int n) { return w << n; }
LOWBITS_REGION_INLINE words right(words w, int n) { return w >> n; }
LOWBITS_REGION_INLINE words repeat(uint32_t x) { return x; }
LOWBITS_REGION_INLINE words both(words a, words w, words mask) { return a | (w & mask); }
LOWBITS_REGION_INLINE floats with(words w, words mask, words bits) { return std::bit_cast<float>((w & mask) | bits); }
LOWBITS_REGION_INLINE floats plus(floats a, floats b) { return a + b; }
LOWBITS_REGION_INLINE floats minus(floats a, floats b) { return a - b; }
LOWBITS_REGION_INLINE floats times(floats a, floats b) { return a * b; }
LOWBITS_REGION_INLINE floats rounded(floats a) { return fp::rounded(a); }
LOWBITS_REGION_INLINE void add_to(floats& a, floats b) { a = fp::sum(a, fp::rounded(b)); }
LOWBITS_REGION_INLINE floats times_one(const float* p, floats f) { return times(*p, f); }

#include <lowbits/arch/real_gemm.inc>

}  // namespace lowbits::detail::plain_reals
