// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of floats and weights of few bits with xsimd's vectors (arch::vector).

#include <bit>

#include <lowbits/arch/prim.hpp>
#include <lowbits/arch/region.hpp>
#include <lowbits/arch/xsimd.hpp>
#include <lowbits/core/fp.hpp>
#include <lowbits/core/real_layout.hpp>

#if LOWBITS_BUILD_VECTOR
namespace lowbits::inline LOWBITS_ABI {

namespace detail::vector_reals {

using words = xsimd::batch<uint32_t>;
using floats = xsimd::batch<float>;
inline constexpr int lanes = static_cast<int>(floats::size), narrow = 2;
LOWBITS_REGION_INLINE floats load(const float* p) { return floats::load_unaligned(p); }
LOWBITS_REGION_INLINE void store(float* p, floats f) { f.store_unaligned(p); }
LOWBITS_REGION_INLINE words load_words(const uint32_t* p) { return words::load_unaligned(p); }
LOWBITS_REGION_INLINE floats all(float x) { return floats(x); }
LOWBITS_REGION_INLINE words left(words w, int n) { return w << n; }
LOWBITS_REGION_INLINE words right(words w, int n) { return w >> n; }
LOWBITS_REGION_INLINE words repeat(uint32_t x) { return words(x); }
LOWBITS_REGION_INLINE words both(words a, words w, words mask) { return a | (w & mask); }
LOWBITS_REGION_INLINE floats with(words w, words mask, words bits) { return xsimd::bitwise_cast<float>((w & mask) | bits); }
LOWBITS_REGION_INLINE floats plus(floats a, floats b) { return a + b; }
LOWBITS_REGION_INLINE floats minus(floats a, floats b) { return a - b; }
LOWBITS_REGION_INLINE floats times(floats a, floats b) { return a * b; }
LOWBITS_REGION_INLINE floats rounded(floats a) {
#if LOWBITS_GNU
  auto vector = static_cast<typename floats::register_type>(a);
  asm("" : LOWBITS_DETAIL_FP_REGISTER(vector));
  return floats(vector);
#else
  return a;
#endif
}
LOWBITS_REGION_INLINE void add_to(floats& a, floats b) { a = rounded(plus(a, rounded(b))); }
LOWBITS_REGION_INLINE floats times_one(const float* p, floats f) { return times(all(*p), f); }

#include <lowbits/arch/real_gemm.inc>

}  // namespace detail::vector_reals

template <>
struct prim<prims::gemm_reals, arch::vector> : detail::vector_reals::real_products {};

}  // namespace lowbits
#endif
