// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product tiles with SSE4.1: pmaddwd on 128 bits.

#include <lowbits/arch/sse41/common.hpp>

LOWBITS_REGION_SSE41
namespace lowbits::inline LOWBITS_ABI {

namespace detail::sse41 {

using vec = __m128i;
inline constexpr int lanes = 4;
LOWBITS_REGION_INLINE vec zero() { return _mm_setzero_si128(); }
LOWBITS_REGION_INLINE vec both(int32_t two) { return _mm_set1_epi32(two); }
LOWBITS_REGION_INLINE vec add(vec a, vec b) { return _mm_add_epi32(a, b); }
LOWBITS_REGION_INLINE vec madd(vec a, vec b) { return _mm_madd_epi16(a, b); }
template <class Code>
LOWBITS_REGION_INLINE vec widen_at(const Code* p) {
  return widen<Code>(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}

#include <lowbits/arch/madd_gemm.inc>

}  // namespace detail::sse41

template <>
struct prim<prims::gemm, arch::sse41> : detail::sse41::madd_gemm<6> {};

}  // namespace lowbits
LOWBITS_REGION_END
