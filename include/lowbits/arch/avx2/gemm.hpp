// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product tiles with AVX2: vpmaddwd on 256 bits.

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2 {

using vec = __m256i;
inline constexpr int lanes = 8;
LOWBITS_REGION_INLINE vec zero() { return _mm256_setzero_si256(); }
LOWBITS_REGION_INLINE vec both(int32_t two) { return _mm256_set1_epi32(two); }
LOWBITS_REGION_INLINE vec add(vec a, vec b) { return _mm256_add_epi32(a, b); }
LOWBITS_REGION_INLINE vec madd(vec a, vec b) { return _mm256_madd_epi16(a, b); }
template <class Code>
LOWBITS_REGION_INLINE vec widen_at(const Code* p) {
  return widen<Code>(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

#include <lowbits/arch/madd_gemm.inc>

}  // namespace detail::avx2

template <>
struct prim<prims::gemm, arch::avx2> : detail::avx2::madd_gemm<6> {};

}  // namespace lowbits
LOWBITS_REGION_END
