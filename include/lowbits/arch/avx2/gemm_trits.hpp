// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of a few rows and weights of five in a byte with AVX2. Tables of 64 and 32 entries are made of those of 16 that
// pshufb has.

#include <lowbits/arch/avx2/gemm_bits.hpp>
#include <lowbits/arch/trit_tables.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2_trits {

using namespace avx2_bits;

LOWBITS_REGION_INLINE vec table_of(const unsigned char* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
template <int>
struct trit_digits {
  static constexpr int sums = 1, places[] = {0}, most_groups = 0x7fff'ffff;
  vec pairs[4], triples[2];

  LOWBITS_REGION_INLINE trit_digits() {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) pairs[i] = table_of(trit_table.pairs + 16 * i);
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) triples[i] = table_of(trit_table.triples + 16 * i);
  }
  LOWBITS_REGION_INLINE void take(vec b, vec (&d)[5]) const {
    const vec u = in_both(word_right<2>(b), bytes(15)), next = _mm256_add_epi8(b, b);
    const vec low = _mm256_blendv_epi8(_mm256_shuffle_epi8(pairs[0], u), _mm256_shuffle_epi8(pairs[1], u), next);
    const vec high = _mm256_blendv_epi8(_mm256_shuffle_epi8(pairs[2], u), _mm256_shuffle_epi8(pairs[3], u), next);
    const vec pair = _mm256_blendv_epi8(low, high, b), two = bytes(3);
    const vec triple = _mm256_or_si256(in_both(b, two), in_both(pair, bytes(0x1c)));
    const vec three = _mm256_blendv_epi8(_mm256_shuffle_epi8(triples[0], triple), _mm256_shuffle_epi8(triples[1], triple), _mm256_slli_epi16(triple, 3));
    d[0] = in_both(three, two);
    d[1] = in_both(word_right<2>(three), two);
    d[2] = in_both(word_right<4>(three), two);
    d[3] = in_both(word_right<6>(pair), two);
    d[4] = in_both(pair, two);
  }
  /// Ten products of at most 2 * 128 fit in 16 bits.
  LOWBITS_REGION_INLINE static void multiply(vec (&a)[1], const vec (&d)[5], const vec (&x)[5]) {
    vec words = _mm256_maddubs_epi16(d[0], x[0]);
#pragma GCC unroll 5
    for (int i = 1; i < 5; ++i) words = _mm256_add_epi16(words, _mm256_maddubs_epi16(d[i], x[i]));
    a[0] = add(a[0], _mm256_madd_epi16(words, _mm256_set1_epi16(1)));
  }
};

#include <lowbits/arch/trits_gemm.inc>

}  // namespace detail::avx2_trits

template <>
struct prim<prims::gemm_trits, arch::avx2> {
  static void run(int m, int n, int groups, const int8_t* x, ptrdiff_t stride, const unsigned char* w, int /*twice*/,
                  const int32_t* start, const int32_t* offsets, int32_t* acc) noexcept {
    detail::avx2_trits::trits_run(m, n, groups, x, stride, w, start, offsets, acc);
  }

  static void unpack(int n, int groups, int step, const unsigned char* w, int /*twice*/, int minus, int8_t* to) noexcept {
    using namespace detail::avx2_trits;
    const trit_digits<2> digits;
    const vec drop = bytes(minus);
    for (int c = 0; c < n; c += 16)
      for (int g = 0; g < groups; ++g, w += 64) {
        vec d[2][5];
        digits.take(load(w), d[0]);
        digits.take(load(w + 32), d[1]);
        int8_t* four = to + ptrdiff_t{20} * g * n + c * step;
#pragma GCC unroll 5
        for (int i = 0; i < 5; ++i, four += ptrdiff_t{4} * n)
          store_fours(four, n, step, _mm256_sub_epi8(d[0][i], drop), _mm256_sub_epi8(d[1][i], drop));
      }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
