// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Exact product tiles of words with vpdpwssd (two products of 16-bit numbers added to 32 bits, wrapping).

#include <lowbits/arch/avx512bw/word_gemm.hpp>
#include <lowbits/arch/avx512vnni/common.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512::with_vnni {
/// With the intrinsic, g++ 12 keeps the sums in memory.
LOWBITS_REGION_INLINE void dot(vec& sums, vec a, vec b) {
#if defined(__clang__)
  sums = _mm512_dpwssd_epi32(sums, a, b);
#else
  asm("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
#endif
}
#include <lowbits/arch/word_gemm.inc>
}  // namespace detail::avx512::with_vnni

template <>
struct prim<prims::gemm_words, arch::avx512vnni> : detail::avx512::with_vnni::word_gemm<12> {};

}  // namespace lowbits
LOWBITS_REGION_END
