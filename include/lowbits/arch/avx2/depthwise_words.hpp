// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolutions of words with AVX2: two taps of sixteen channels are interleaved and multiplied by
// vpmaddwd.

#include <lowbits/arch/avx2/word_gemm.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::depthwise_words, arch::avx2> {
  static constexpr int lanes = 16;
  /// Interleaving works within halves of a vector: channels 0-3 and 8-11 lie before 4-7 and 12-15.
  static constexpr int place(int c) noexcept { return (c & 3) | (c & 8) >> 1 | (c & 4) << 1; }

  template <int Bytes>
  static void run(const sliding_tap<int16_t>* taps, int pairs, int n, int channels, const int16_t* w, const int64_t* start,
                  int64_t* acc) noexcept {
    constexpr int most = Bytes == 1 ? 255 : 128, many = Bytes == 1 ? 4 : 2;
    const int64_t* from = start;
    int from_step = 0;
    do {
      const int some = pairs < most ? pairs : most;
      int i = 0;
      if (channels == lanes) {
        for (; i + many <= n; i += many) columns<many, Bytes>(taps, some, i, lanes, w, from + i * from_step, from_step, acc + i * lanes);
        for (; i < n; ++i) columns<1, Bytes>(taps, some, i, lanes, w, from + i * from_step, from_step, acc + i * lanes);
      } else {
        for (; i < n; ++i) columns<1, Bytes, true>(taps, some, i, channels, w, from + i * from_step, from_step, acc + i * lanes);
      }
      pairs -= some;
      taps += 2 * some;
      w += some * Bytes * 2 * lanes;
      from = acc;
      from_step = lanes;
    } while (pairs > 0);
  }

private:
  template <bool Partial>
  LOWBITS_REGION_INLINE static __m256i codes_at(const int16_t* p, int channels) {
    if constexpr (!Partial) return detail::avx2::load(p);
    alignas(32) int16_t codes[16] = {};
    __builtin_memcpy(codes, p, 2 * static_cast<size_t>(channels));
    return detail::avx2::load(codes);
  }

  template <int N, int Bytes, bool Partial = false>
  LOWBITS_REGION_INLINE static void columns(const sliding_tap<int16_t>* taps, int pairs, int i, int channels, const int16_t* w,
                                            const int64_t* from, int from_step, int64_t* acc) {
    using namespace detail::avx2;
    vec a[N][Bytes][2];
#pragma GCC unroll 4
    for (int j = 0; j < N; ++j)
#pragma GCC unroll 2
      for (int b = 0; b < Bytes; ++b) a[j][b][0] = a[j][b][1] = zero();
    for (int t = 0; t < pairs; ++t, taps += 2, w += Bytes * 2 * lanes) {
      const int16_t *x = taps[0].at + i * taps[0].step, *y = taps[1].at + i * taps[1].step;
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) {
        const vec one = codes_at<Partial>(x + j * taps[0].step, channels), two = codes_at<Partial>(y + j * taps[1].step, channels);
        const vec low = _mm256_unpacklo_epi16(one, two), high = _mm256_unpackhi_epi16(one, two);
#pragma GCC unroll 2
        for (int b = 0; b < Bytes; ++b) {
          dot(a[j][b][0], low, load(w + b * 2 * lanes));
          dot(a[j][b][1], high, load(w + b * 2 * lanes + lanes));
        }
      }
    }
#pragma GCC unroll 4
    for (int j = 0; j < N; ++j)
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        const int64_t* const before = from + j * from_step + 4 * h;
        int64_t* const to = acc + j * lanes + 4 * h;
        const vec low = a[j][0][h], high = a[j][Bytes - 1][h];
        if constexpr (Bytes == 1) {
          add_four(before, to, _mm256_cvtepi32_epi64(_mm256_castsi256_si128(low)));
          add_four(before + 8, to + 8, _mm256_cvtepi32_epi64(_mm256_extracti128_si256(low, 1)));
        } else {
          add_four(before, to, joined(_mm256_castsi256_si128(low), _mm256_castsi256_si128(high)));
          add_four(before + 8, to + 8, joined(_mm256_extracti128_si256(low, 1), _mm256_extracti128_si256(high, 1)));
        }
      }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
