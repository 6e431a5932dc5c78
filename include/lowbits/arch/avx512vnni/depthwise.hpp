// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution with AVX-512 VNNI: four taps of a channel lie in one 32-bit lane, vpdpbusd
// multiplies and adds them for sixteen channels. Signed codes are brought to unsigned ones by adding
// 128. Two output rows, or two columns of one row, are packed to bytes together.
//
// A 3x3 window costs 44 vector operations for 64 outputs of two rows: 12 products, 24 to rescale, 8 to
// pack and clamp. Zen 4 starts two a clock, so 22 clocks; about 31 are measured, and 4.3 to gather.

#include <lowbits/arch/avx512vnni/gemm.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// Sums of two outputs of 32 channels each. Vector 0 holds channels 0-3 16-19 4-7 20-23, vector 1 those
/// behind each by 8.
struct depthwise_sums {
  __m512i first[2], second[2];
};

/// Writes sums as they are.
struct depthwise_to_sums {
  int32_t* acc;
  __mmask16 low, high;
  LOWBITS_REGION_INLINE depthwise_to_sums(int32_t* to, int channels)
      : acc(to), low(first16(channels)), high(channels > 16 ? first16(channels - 16) : __mmask16{0}) {}
  LOWBITS_REGION_INLINE void one(int32_t* to, const __m512i* s) const {
    const __m512i a = _mm512_shuffle_i64x2(s[0], s[1], 0x88), b = _mm512_shuffle_i64x2(s[0], s[1], 0xdd);
    _mm512_mask_storeu_epi32(to, low, a);
    _mm512_mask_storeu_epi32(to + 16, high, b);
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
  __m512i zero_point, lowest, highest, low32, high32;
  Code* y;
  int channels;

  LOWBITS_REGION_INLINE depthwise_to_codes(const factors16& a, const factors16& b, const code_stage& s, Code* to, int n)
      : f(a), g(b), zero_point(_mm512_set1_epi16(static_cast<int16_t>(s.zero_point))),
        lowest(_mm512_set1_epi8(static_cast<char>(s.lowest))), highest(_mm512_set1_epi8(static_cast<char>(s.highest))),
        low32(_mm512_set1_epi32(s.lowest - s.zero_point)), high32(_mm512_set1_epi32(s.highest - s.zero_point)),
        y(to), channels(n) {}
  LOWBITS_REGION_INLINE __m512i words(const __m512i* s) const {
    return _mm512_adds_epi16(_mm512_packs_epi32(f(s[0], low32, high32), g(s[1], low32, high32)), zero_point);
  }
  LOWBITS_REGION_INLINE void one(Code* to, __m256i codes) const {
    if (channels == 32) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), codes);
    else _mm256_mask_storeu_epi8(to, static_cast<__mmask32>(first64(channels)), codes);
  }
  LOWBITS_REGION_INLINE void operator()(ptrdiff_t first, ptrdiff_t second, const depthwise_sums& s) const {
    const __m512i u = words(s.first), v = words(s.second);
    __m512i codes;
    if constexpr (Code(-1) < Code(0)) codes = _mm512_min_epi8(_mm512_max_epi8(_mm512_packs_epi16(u, v), lowest), highest);
    else codes = _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(u, v), lowest), highest);
    codes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 8, 1, 9, 4, 12, 5, 13, 2, 10, 3, 11, 6, 14, 7, 15), codes);
    one(y + first, _mm512_castsi512_si256(codes));
    one(y + second, _mm512_extracti64x4_epi64(codes, 1));
  }
};

}  // namespace detail::avx512

template <>
struct prim<prims::depthwise, arch::avx512vnni> {
  static constexpr int lanes = 32, depth = 4, column_bytes = 128;
  using weight = int8_t;
  template <class Code>
  static constexpr int shift = Code(-1) < Code(0) ? 128 : 0;
  static constexpr int place(int c) noexcept { return c / 8 % 2 * 16 + c / 4 % 2 * 8 + c / 16 * 4 + c % 4; }

  template <class Code>
  static void gather(const sliding_tap<Code>* taps, int n, int channels, unsigned char* to) noexcept {
    if (channels == lanes) gather_some<true>(taps, n, channels, to);
    else gather_some<false>(taps, n, channels, to);
  }
  template <class Code>
  static void spread(const Code* from, ptrdiff_t step, ptrdiff_t second, int n, const unsigned char* order, Code* to) noexcept {
    const __m256i place = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(order));
    for (ptrdiff_t i = 0; i < n; ++i, from += step, to += lanes) {
      const __m256i codes = _mm256_inserti128_si256(
          _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))),
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + second)), 1);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_shuffle_epi8(codes, place));
    }
  }
  static void sums(const depthwise_strip<weight>& s, int32_t* acc, ptrdiff_t acc_row, ptrdiff_t acc_step) noexcept {
    all(s, detail::avx512::depthwise_to_sums(acc, s.channels), acc_row, acc_step);
  }
  template <rescale_rule Rule, class Code>
  static void run(const depthwise_strip<weight>& s, const column_factors& factors, const code_stage& stage, Code* y,
                  ptrdiff_t y_row, ptrdiff_t y_step) noexcept {
    using namespace detail::avx512;
    const int low = s.channels < 16 ? s.channels : 16, high = s.channels - low;
    const factors16 u = load_factors(factors, 0, low), v = high > 0 ? load_factors(factors, 16, high) : u;
    const factors16 f = in_lanes<0>(u, v), g = in_lanes<1>(u, v);
    if constexpr (Rule == rescale_rule::twice) {
      all(s, depthwise_to_codes<rescale_twice, Code>(f, g, stage, y, s.channels), y_row, y_step);
    } else if (rescale_small::suits(u, low) && rescale_small::suits(v, high)) {
      all(s, depthwise_to_codes<rescale_small, Code>(f, g, stage, y, s.channels), y_row, y_step);
    } else {
      all(s, depthwise_to_codes<rescale_once, Code>(f, g, stage, y, s.channels), y_row, y_step);
    }
  }

private:
  /// Factors of channels 0-15 and 16-31 as the sums of vector Which lie.
  template <int Which>
  LOWBITS_REGION_INLINE static detail::avx512::factors16 in_lanes(const detail::avx512::factors16& u,
                                                                  const detail::avx512::factors16& v) {
    const __m512i order = _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23),
                                           _mm512_set1_epi32(8 * Which));
    return {_mm512_permutex2var_epi32(u.mantissa, order, v.mantissa), _mm512_permutex2var_epi32(u.exponent, order, v.exponent)};
  }

  template <bool All, class Code>
  LOWBITS_REGION_INLINE static void gather_some(const sliding_tap<Code>* taps, int n, int channels, unsigned char* to) {
    using namespace detail::avx512;
    const auto used = static_cast<__mmask32>(first64(channels));
    const auto codes = [&](const Code* p) __attribute__((always_inline)) {
      __m256i v;
      if constexpr (All) v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
      else v = _mm256_maskz_loadu_epi8(used, p);
      return shift<Code> != 0 ? _mm256_xor_si256(v, _mm256_set1_epi8(-128)) : v;
    };
    const sliding_tap<Code> a = taps[0], b = taps[1], c = taps[2], d = taps[3];
    for (ptrdiff_t i = 0; i < n; ++i, to += column_bytes) {
      const __m256i u = codes(a.at + i * a.step), v = codes(b.at + i * b.step);
      const __m256i s = codes(c.at + i * c.step), t = codes(d.at + i * d.step);
      const __m256i low = _mm256_unpacklo_epi8(u, v), low2 = _mm256_unpacklo_epi8(s, t);
      const __m256i high = _mm256_unpackhi_epi8(u, v), high2 = _mm256_unpackhi_epi8(s, t);
      auto* const column = reinterpret_cast<__m256i*>(to);
      _mm256_store_si256(column, _mm256_unpacklo_epi16(low, low2));
      _mm256_store_si256(column + 1, _mm256_unpackhi_epi16(low, low2));
      _mm256_store_si256(column + 2, _mm256_unpacklo_epi16(high, high2));
      _mm256_store_si256(column + 3, _mm256_unpackhi_epi16(high, high2));
    }
  }

  /// Two outputs are finished together: one column of two rows, or two columns of one row.
  template <class Finish>
  LOWBITS_REGION_INLINE static void all(const depthwise_strip<weight>& s, const Finish& finish, ptrdiff_t row, ptrdiff_t step) {
    using namespace detail::avx512;
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
        for (; i < s.count; i += 2, at += 2 * s.step) {
          const int more = i + 1 < s.count;  // else the last column is made twice
          one_row(s, at, more * s.step, sum[0]);
          finish(to + i * step, to + (i + more) * step, sum[0]);
        }
      }
    }
  }
  /// N columns of two rows.
  template <int N>
  LOWBITS_REGION_INLINE static void two_rows(const depthwise_strip<weight>& s, const unsigned char* at,
                                             detail::avx512::depthwise_sums* sum) {
    using namespace detail::avx512;
    const __m512i start[2] = {load(s.start), load(s.start + 16)};
#pragma GCC unroll 2
    for (int k = 0; k < N; ++k) sum[k] = {{start[0], start[1]}, {start[0], start[1]}};
    const weight* w = s.w;
    for (int t = 0; t < s.term_count; ++t, w += s.w_step) {
      const unsigned char* p = at + s.terms[t];
      const __m512i w0 = load(w), w1 = load(w + 64), u0 = load(w + 128), u1 = load(w + 192);
#pragma GCC unroll 2
      for (int k = 0; k < N; ++k, p += s.step) {
        const __m512i q0 = load(p), q1 = load(p + 64);
        dot(sum[k].first[0], q0, w0);
        dot(sum[k].first[1], q1, w1);
        dot(sum[k].second[0], q0, u0);
        dot(sum[k].second[1], q1, u1);
      }
    }
  }
  LOWBITS_REGION_INLINE static void one_row(const depthwise_strip<weight>& s, const unsigned char* at, ptrdiff_t step,
                                            detail::avx512::depthwise_sums& sum) {
    using namespace detail::avx512;
    sum = {{load(s.start), load(s.start + 16)}, {load(s.start), load(s.start + 16)}};
    const weight* w = s.w;
    for (int t = 0; t < s.term_count; ++t, w += s.w_step) {
      const unsigned char *p = at + s.terms[t], *q = p + step;
      const __m512i w0 = load(w), w1 = load(w + 64);
      dot(sum.first[0], load(p), w0);
      dot(sum.first[1], load(p + 64), w1);
      dot(sum.second[0], load(q), w0);
      dot(sum.second[1], load(q + 64), w1);
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
