// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Exact product tiles of words with AVX2: vpmaddwd on 256 bits.

#include <lowbits/arch/avx2/gemm.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2 {

template <class Code>
LOWBITS_REGION_INLINE vec words_at(const Code* p) {
  if constexpr (sizeof(Code) == 1) return widen_at(p);
  else if constexpr (Code(-1) < Code(0)) return load(p);
  else return _mm256_xor_si256(load(p), _mm256_set1_epi16(static_cast<int16_t>(0x8000)));
}
/// g++ 12 would move products away from their sums and run out of registers.
LOWBITS_REGION_INLINE void dot(vec& sums, vec a, vec b) {
#if defined(__clang__)
  sums = add(sums, madd(a, b));
#else
  vec product;
  asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sums), "=&x"(product) : "x"(a), "x"(b));
#endif
}
LOWBITS_REGION_INLINE void add_four(const int64_t* from, int64_t* to, vec four) {
  store(to, _mm256_add_epi64(load(from), four));
}
LOWBITS_REGION_INLINE void add_sums(const int64_t* from, int64_t* to, vec sums) {
  const vec minus = both(-1);
  add_four(from, to, _mm256_sub_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(sums)), minus));
  add_four(from + 4, to + 4, _mm256_sub_epi64(_mm256_cvtepi32_epi64(_mm256_extracti128_si256(sums, 1)), minus));
}
LOWBITS_REGION_INLINE vec joined(__m128i low, __m128i high) {
  return _mm256_add_epi64(_mm256_cvtepi32_epi64(low), _mm256_slli_epi64(_mm256_cvtepi32_epi64(high), 8));
}
LOWBITS_REGION_INLINE void add_sums(const int64_t* from, int64_t* to, vec low, vec high) {
  add_four(from, to, joined(_mm256_castsi256_si128(low), _mm256_castsi256_si128(high)));
  add_four(from + 4, to + 4, joined(_mm256_extracti128_si256(low, 1), _mm256_extracti128_si256(high, 1)));
}

#include <lowbits/arch/word_gemm.inc>

}  // namespace detail::avx2

template <>
struct prim<prims::gemm_words, arch::avx2> : detail::avx2::word_gemm<6> {};

}  // namespace lowbits
LOWBITS_REGION_END
