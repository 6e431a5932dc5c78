// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Exact product tiles of words with AVX-512 but without VNNI: vpmaddwd on 512 bits.

#include <lowbits/arch/avx512bw/gemm.hpp>

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

template <class Code>
LOWBITS_REGION_INLINE vec words_at(const Code* p) {
  if constexpr (sizeof(Code) == 1) return widen_at(p);
  else if constexpr (Code(-1) < Code(0)) return load(p);
  else return _mm512_xor_si512(load(p), _mm512_set1_epi16(static_cast<int16_t>(0x8000)));
}
LOWBITS_REGION_INLINE void add_eight(const int64_t* from, int64_t* to, vec eight) {
  store(to, _mm512_add_epi64(load(from), eight));
}
LOWBITS_REGION_INLINE void add_sums(const int64_t* from, int64_t* to, vec sums) {
  const vec minus = both(-1);
  add_eight(from, to, _mm512_sub_epi64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(sums)), minus));
  add_eight(from + 8, to + 8, _mm512_sub_epi64(_mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(sums, 1)), minus));
}
LOWBITS_REGION_INLINE vec joined(__m256i low, __m256i high) {
  return _mm512_add_epi64(_mm512_cvtepi32_epi64(low), _mm512_slli_epi64(_mm512_cvtepi32_epi64(high), 8));
}
LOWBITS_REGION_INLINE void add_sums(const int64_t* from, int64_t* to, vec low, vec high) {
  add_eight(from, to, joined(_mm512_castsi512_si256(low), _mm512_castsi512_si256(high)));
  add_eight(from + 8, to + 8, joined(_mm512_extracti64x4_epi64(low, 1), _mm512_extracti64x4_epi64(high, 1)));
}

namespace without_vnni {
/// g++ 12 would move products away from their sums and run out of registers.
LOWBITS_REGION_INLINE void dot(vec& sums, vec a, vec b) {
#if defined(__clang__)
  sums = add(sums, madd(a, b));
#else
  vec product;
  asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+v"(sums), "=&v"(product) : "v"(a), "v"(b));
#endif
}
#include <lowbits/arch/word_gemm.inc>
}  // namespace without_vnni

}  // namespace detail::avx512

template <>
struct prim<prims::gemm_words, arch::avx512bw> : detail::avx512::without_vnni::word_gemm<12> {};

}  // namespace lowbits
LOWBITS_REGION_END
