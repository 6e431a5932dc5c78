// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of a few rows and weights of 1 to 7 bits with AVX2: vpmaddubsw, which does not saturate with numbers
// below 2^7, and vpmaddwd.

#include <type_traits>

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2_bits {

using avx2::load, avx2::store;
using vec = __m256i;
inline constexpr int lanes = 8;
inline constexpr bool fields_stay = false;
LOWBITS_REGION_INLINE vec zero() { return _mm256_setzero_si256(); }
LOWBITS_REGION_INLINE vec load_once(const void* p) { return load(p); }
LOWBITS_REGION_INLINE vec repeat(int32_t x) { return _mm256_set1_epi32(x); }
LOWBITS_REGION_INLINE vec add(vec a, vec b) { return _mm256_add_epi32(a, b); }
LOWBITS_REGION_INLINE vec right(vec a, int n) { return _mm256_sra_epi32(a, _mm_cvtsi32_si128(n)); }
LOWBITS_REGION_INLINE vec left(vec a, int n) { return _mm256_sll_epi32(a, _mm_cvtsi32_si128(n)); }
LOWBITS_REGION_INLINE vec bytes(int x) { return _mm256_set1_epi8(static_cast<char>(x)); }
LOWBITS_REGION_INLINE vec in_both(vec a, vec b) { return _mm256_and_si256(a, b); }
LOWBITS_REGION_INLINE vec choose(vec mask, vec a, vec b) {
  return _mm256_or_si256(_mm256_and_si256(mask, a), _mm256_andnot_si256(mask, b));
}
template <int N>
LOWBITS_REGION_INLINE vec word_right(vec a) { return _mm256_srli_epi16(a, N); }
LOWBITS_REGION_INLINE void dot(vec& acc, vec u, vec s) {
  const vec sums = _mm256_madd_epi16(_mm256_maddubs_epi16(u, s), _mm256_set1_epi16(1));
#if defined(__clang__)
  acc = add(acc, sums);
#else  // g++ would add in another order, and keep all that is to be added
  asm("vpaddd %1, %0, %0" : "+x"(acc) : "x"(sums));
#endif
}

/// Four codes of each of 8 + 8 columns to a panel of n columns whose steps have 4 or 2 codes.
LOWBITS_REGION_INLINE void store_fours(int8_t* to, int n, int step, vec a, vec b) {
  if (step == 4) {
    store(to, a);
    store(to + 32, b);
  } else {  // the first two codes of every column, and the others
    const vec low = _mm256_set1_epi32(0xffff);
    const vec first = _mm256_packus_epi32(in_both(a, low), in_both(b, low));
    const vec second = _mm256_packus_epi32(_mm256_srli_epi32(a, 16), _mm256_srli_epi32(b, 16));
    store(to, _mm256_permute4x64_epi64(first, 0xd8));
    store(to + ptrdiff_t{2} * n, _mm256_permute4x64_epi64(second, 0xd8));
  }
}

#include <lowbits/arch/bits_gemm.inc>

}  // namespace detail::avx2_bits

template <>
struct prim<prims::gemm_bits, arch::avx2> {
  static constexpr int bits_for_all_rows = 4, l2_rows = 0x7fff'ffff;

  template <int Bits>
  static void run(int m, int n, int groups, const int8_t* x, ptrdiff_t stride, const unsigned char* w, int twice,
                  const int32_t* start, const int32_t* offsets, int32_t* acc) noexcept {
    detail::avx2_bits::bits_run<Bits>(m, n, groups, x, stride, w, twice, start, offsets, acc);
  }

  template <int Bits>
  static void unpack(int n, int groups, int step, const unsigned char* w, int twice, int minus, int8_t* to) noexcept {
    using namespace detail::avx2_bits;
    const vec drop = bytes(minus), again = bytes(-twice);
    for (int c = 0; c < n; c += 16)
      for (int g = 0; g < groups; ++g, w += 64 * Bits) {
        packed_eight<Bits> codes[2];
#pragma GCC unroll 2
        for (int h = 0; h < 2; ++h)
#pragma GCC unroll 7
          for (int t = 0; t < Bits; ++t) codes[h].v[t] = load(w + 64 * t + 32 * h);
        int8_t* const at = to + ptrdiff_t{32} * g * n + c * step;
        const auto one = [&]<int I>(std::integral_constant<int, I>) __attribute__((always_inline)) {
          vec q[2];
#pragma GCC unroll 2
          for (int h = 0; h < 2; ++h) {
            q[h] = codes[h].template code<I>();
            q[h] = _mm256_sub_epi8(_mm256_add_epi8(q[h], in_both(q[h], again)), drop);
          }
          store_fours(at + ptrdiff_t{4} * I * n, n, step, q[0], q[1]);
        };
        one(std::integral_constant<int, 0>{}), one(std::integral_constant<int, 1>{}), one(std::integral_constant<int, 2>{});
        one(std::integral_constant<int, 3>{}), one(std::integral_constant<int, 4>{}), one(std::integral_constant<int, 5>{});
        one(std::integral_constant<int, 6>{}), one(std::integral_constant<int, 7>{});
      }
  }

  template <class Element>
  static int32_t rows(int n, int padded, const Element* x, int minus, int8_t* to) noexcept {
    using namespace detail::avx2;
    const __m256i ones = _mm256_set1_epi16(1), drop = _mm256_set1_epi16(static_cast<int16_t>(minus));
    __m256i sum = _mm256_setzero_si256();
    int i = 0;
    for (; i + 16 <= n; i += 16) {
      __m256i words;
      if constexpr (sizeof(Element) == 2) words = load(x + i);
      else words = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i)));
      words = _mm256_sub_epi16(words, drop);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(words, ones));
      const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(words, words), 0xd8);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm256_castsi256_si128(packed));
    }
    int32_t each[8], all = 0;
    store(each, sum);
    for (const int32_t e : each) all += e;
    for (; i < n; ++i) all += to[i] = static_cast<int8_t>(x[i] - minus);
    for (; i < padded; ++i) to[i] = 0;
    return all;
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
