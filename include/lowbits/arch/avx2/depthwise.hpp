// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution with AVX2: two taps of a channel lie in one 32-bit lane as 16-bit numbers,
// vpmaddwd multiplies and adds them for eight channels, exactly. Two output rows, or two columns of
// one row, are packed to bytes together.

#include <lowbits/arch/avx2/requantize.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2 {

/// Sums of two outputs of 16 channels each.
struct depthwise_sums {
  __m256i first[2], second[2];
};

/// Writes sums as they are.
struct depthwise_to_sums {
  int32_t* acc;
  int channels;
  __m256i low, high;
  LOWBITS_REGION_INLINE depthwise_to_sums(int32_t* to, int n) : acc(to), channels(n), low(first8(n)), high(first8(n - 8)) {}
  LOWBITS_REGION_INLINE void one(int32_t* to, const __m256i* s) const {
    _mm256_maskstore_epi32(to, low, s[0]);
    if (channels > 8) _mm256_maskstore_epi32(to + 8, high, s[1]);
  }
  LOWBITS_REGION_INLINE void operator()(ptrdiff_t first, ptrdiff_t second, const depthwise_sums& s) const {
    one(acc + first, s.first);
    one(acc + second, s.second);
  }
};

/// Writes sums as codes.
template <class Rescale, class Code>
struct depthwise_to_codes {
  Rescale f, g;
  __m256i zero_point, lowest, highest, low32, high32;
  Code* y;
  int channels;

  LOWBITS_REGION_INLINE depthwise_to_codes(const factors8& a, const factors8& b, const code_stage& s, Code* to, int n)
      : f(a), g(b), zero_point(_mm256_set1_epi16(static_cast<int16_t>(s.zero_point))),
        lowest(_mm256_set1_epi8(static_cast<char>(s.lowest))), highest(_mm256_set1_epi8(static_cast<char>(s.highest))),
        low32(_mm256_set1_epi32(s.lowest - s.zero_point)), high32(_mm256_set1_epi32(s.highest - s.zero_point)),
        y(to), channels(n) {}
  LOWBITS_REGION_INLINE __m256i words(const __m256i* s) const {
    return _mm256_adds_epi16(_mm256_packs_epi32(f(s[0], low32, high32), g(s[1], low32, high32)), zero_point);
  }
  LOWBITS_REGION_INLINE void operator()(ptrdiff_t first, ptrdiff_t second, const depthwise_sums& s) const {
    __m256i codes = in_order<Code>(words(s.first), words(s.second));
    if constexpr (Code(-1) < Code(0)) codes = _mm256_min_epi8(_mm256_max_epi8(codes, lowest), highest);
    else codes = _mm256_min_epu8(_mm256_max_epu8(codes, lowest), highest);
    store_bytes(y + first, _mm256_castsi256_si128(codes), channels);
    store_bytes(y + second, _mm256_extracti128_si256(codes, 1), channels);
  }
};

}  // namespace detail::avx2

template <>
struct prim<prims::depthwise, arch::avx2> {
  static constexpr int lanes = 16, depth = 2, column_bytes = 64;
  using weight = int16_t;
  template <class Code>
  static constexpr int shift = 0;
  static constexpr int place(int c) noexcept { return c; }

  template <class Code>
  static void gather(const sliding_tap<Code>* taps, int n, int channels, unsigned char* to) noexcept {
    using namespace detail::avx2;
    const sliding_tap<Code> a = taps[0], b = taps[1];
    const auto column = [&](__m128i x, __m128i y) __attribute__((always_inline)) {
      store(to, widen<Code>(_mm_unpacklo_epi8(x, y)));
      store(to + 32, widen<Code>(_mm_unpackhi_epi8(x, y)));
      to += column_bytes;
    };
    if (channels == lanes)
      for (ptrdiff_t i = 0; i < n; ++i) column(load_bytes(a.at + i * a.step, 16), load_bytes(b.at + i * b.step, 16));
    else
      for (ptrdiff_t i = 0; i < n; ++i) column(load_bytes(a.at + i * a.step, channels), load_bytes(b.at + i * b.step, channels));
  }
  template <class Code>
  static void spread(const Code* from, ptrdiff_t step, ptrdiff_t, int n, const unsigned char* order, Code* to) noexcept {
    const __m128i place = _mm_loadu_si128(reinterpret_cast<const __m128i*>(order));
    for (ptrdiff_t i = 0; i < n; ++i, to += lanes)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                       _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * step)), place));
  }
  static void sums(const depthwise_strip<weight>& s, int32_t* acc, ptrdiff_t acc_row, ptrdiff_t acc_step) noexcept {
    all(s, detail::avx2::depthwise_to_sums(acc, s.channels), acc_row, acc_step);
  }
  template <rescale_rule Rule, class Code>
  static void run(const depthwise_strip<weight>& s, const column_factors& factors, const code_stage& stage, Code* y,
                  ptrdiff_t y_row, ptrdiff_t y_step) noexcept {
    using namespace detail::avx2;
    const int low = s.channels < 8 ? s.channels : 8, high = s.channels - low;
    const factors8 f = load_factors(factors, 0, low), g = high > 0 ? load_factors(factors, 8, high) : f;
    if constexpr (Rule == rescale_rule::twice) {
      all(s, depthwise_to_codes<rescale_twice, Code>(f, g, stage, y, s.channels), y_row, y_step);
    } else if (rescale_small::suits(f, low) && rescale_small::suits(g, high)) {
      all(s, depthwise_to_codes<rescale_small, Code>(f, g, stage, y, s.channels), y_row, y_step);
    } else {
      all(s, depthwise_to_codes<rescale_once, Code>(f, g, stage, y, s.channels), y_row, y_step);
    }
  }

private:
  /// Two outputs are finished together: one column of two rows, or two columns of one row.
  template <class Finish>
  LOWBITS_REGION_INLINE static void all(const depthwise_strip<weight>& s, const Finish& finish, ptrdiff_t row, ptrdiff_t step) {
    using namespace detail::avx2;
    for (ptrdiff_t k = 0; k < s.strips; ++k) {
      const unsigned char* at = s.columns + k * s.strip_step;
      const ptrdiff_t to = k * s.rows * row;
      depthwise_sums sum[2];
      int i = 0;
      if (s.rows == 2) {
        for (; i + 2 <= s.count; i += 2, at += 2 * s.step) {
          two_rows<2>(s, at, sum);
          finish(to + i * step, to + i * step + row, sum[0]);
          finish(to + i * step + step, to + i * step + step + row, sum[1]);
        }
        if (i < s.count) {
          two_rows<1>(s, at, sum);
          finish(to + i * step, to + i * step + row, sum[0]);
        }
      } else {
        for (; i + 4 <= s.count; i += 4, at += 4 * s.step) {
          one_row<2>(s, at, s.step, sum);
          finish(to + i * step, to + (i + 1) * step, sum[0]);
          finish(to + (i + 2) * step, to + (i + 3) * step, sum[1]);
        }
        for (; i < s.count; i += 2, at += 2 * s.step) {
          const int more = i + 1 < s.count;  // else the last column is made twice
          one_row<1>(s, at, more * s.step, sum);
          finish(to + i * step, to + (i + more) * step, sum[0]);
        }
      }
    }
  }
  LOWBITS_REGION_INLINE static void dot(__m256i& acc, __m256i x, __m256i w) {
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
  }
  /// N columns of two rows.
  template <int N>
  LOWBITS_REGION_INLINE static void two_rows(const depthwise_strip<weight>& s, const unsigned char* at,
                                             detail::avx2::depthwise_sums* sum) {
    using namespace detail::avx2;
    const __m256i start[2] = {load(s.start), load(s.start + 8)};
#pragma GCC unroll 2
    for (int k = 0; k < N; ++k) sum[k] = {{start[0], start[1]}, {start[0], start[1]}};
    const weight* w = s.w;
    for (int t = 0; t < s.term_count; ++t, w += s.w_step) {
      const unsigned char* p = at + s.terms[t];
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        const __m256i w0 = load(w + 16 * half), w1 = load(w + 32 + 16 * half);
#pragma GCC unroll 2
        for (int k = 0; k < N; ++k) {
          const __m256i q = load(p + k * s.step + 32 * half);
          dot(sum[k].first[half], q, w0);
          dot(sum[k].second[half], q, w1);
        }
      }
    }
  }
  /// N times two columns of one row.
  template <int N>
  LOWBITS_REGION_INLINE static void one_row(const depthwise_strip<weight>& s, const unsigned char* at, ptrdiff_t step,
                                            detail::avx2::depthwise_sums* sum) {
    using namespace detail::avx2;
    const __m256i start[2] = {load(s.start), load(s.start + 8)};
#pragma GCC unroll 2
    for (int k = 0; k < N; ++k) sum[k] = {{start[0], start[1]}, {start[0], start[1]}};
    const weight* w = s.w;
    for (int t = 0; t < s.term_count; ++t, w += s.w_step) {
      const unsigned char* p = at + s.terms[t];
      const __m256i w0 = load(w), w1 = load(w + 16);
#pragma GCC unroll 2
      for (int k = 0; k < N; ++k, p += 2 * step) {
        const unsigned char* q = p + step;
        dot(sum[k].first[0], load(p), w0);
        dot(sum[k].first[1], load(p + 32), w1);
        dot(sum[k].second[0], load(q), w0);
        dot(sum[k].second[1], load(q + 32), w1);
      }
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
