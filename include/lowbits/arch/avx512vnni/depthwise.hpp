// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution with AVX-512 VNNI: four taps of a channel lie in one 32-bit lane, vpdpbusd
// multiplies and adds them for sixteen channels. Signed codes are brought to unsigned ones by adding
// 128. Two output rows, or two columns of one row, are packed to bytes together.

#include <lowbits/arch/avx512vnni/gemm.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// Sums of two outputs of 32 channels each; vector 0 holds channels 0-7 and 16-23, vector 1 the others.
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
    _mm512_mask_storeu_epi32(to, low, _mm512_shuffle_i64x2(s[0], s[1], 0x44));
    _mm512_mask_storeu_epi32(to + 16, high, _mm512_shuffle_i64x2(s[0], s[1], 0xee));
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
    codes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15), codes);
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
  static constexpr int place(int c) noexcept { return c / 8 % 2 * 16 + c / 16 * 8 + c % 8; }

  template <class Code>
  static void gather(const sliding_tap<Code>* taps, int n, int channels, unsigned char* to) noexcept {
    if (channels == lanes) gather_some<true>(taps, n, channels, to);
    else gather_some<false>(taps, n, channels, to);
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
    const factors16 f{_mm512_shuffle_i64x2(u.mantissa, v.mantissa, 0x44), _mm512_shuffle_i64x2(u.exponent, v.exponent, 0x44)};
    const factors16 g{_mm512_shuffle_i64x2(u.mantissa, v.mantissa, 0xee), _mm512_shuffle_i64x2(u.exponent, v.exponent, 0xee)};
    if constexpr (Rule == rescale_rule::twice) {
      all(s, depthwise_to_codes<rescale_twice, Code>(f, g, stage, y, s.channels), y_row, y_step);
    } else if (rescale_small::suits(u, low) && rescale_small::suits(v, high)) {
      all(s, depthwise_to_codes<rescale_small, Code>(f, g, stage, y, s.channels), y_row, y_step);
    } else {
      all(s, depthwise_to_codes<rescale_once, Code>(f, g, stage, y, s.channels), y_row, y_step);
    }
  }

private:
  template <bool All, class Code>
  LOWBITS_REGION_INLINE static void gather_some(const sliding_tap<Code>* taps, int n, int channels, unsigned char* to) {
    using namespace detail::avx512;
    const auto used = static_cast<__mmask32>(first64(channels));
    const auto codes = [&](const Code* p) __attribute__((always_inline)) {
      if constexpr (All) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
      else return _mm256_maskz_loadu_epi8(used, p);
    };
    const auto both = [&](const Code* low, const Code* high) __attribute__((always_inline)) {
      const __m512i v = _mm512_inserti64x4(_mm512_castsi256_si512(codes(low)), codes(high), 1);
      if constexpr (shift<Code> != 0) return _mm512_xor_si512(v, _mm512_set1_epi8(-128));
      else return v;
    };
    // Words k and 16 + k side by side: taps 0, 1 and taps 2, 3 of one channel.
    const __m512i low = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i side_by_side = _mm512_or_si512(low, _mm512_slli_epi32(_mm512_add_epi32(low, _mm512_set1_epi32(16)), 16));
    const sliding_tap<Code> a = taps[0], b = taps[1], c = taps[2], d = taps[3];
    for (ptrdiff_t i = 0; i < n; ++i, to += column_bytes) {
      const __m512i u = both(a.at + i * a.step, c.at + i * c.step), v = both(b.at + i * b.step, d.at + i * d.step);
      store(to, _mm512_permutexvar_epi16(side_by_side, _mm512_unpacklo_epi8(u, v)));
      store(to + 64, _mm512_permutexvar_epi16(side_by_side, _mm512_unpackhi_epi8(u, v)));
    }
  }

  /// Two outputs at a time: one column of two rows, or two columns of one row.
  template <class Finish>
  LOWBITS_REGION_INLINE static void all(const depthwise_strip<weight>& s, const Finish& finish, ptrdiff_t row, ptrdiff_t step) {
    const unsigned char* at = s.columns;
    if (s.rows == 2)
      for (int i = 0; i < s.count; ++i, at += s.step) finish(i * step, i * step + row, tile<2>(s, at, 0));
    else
      for (int i = 0; i < s.count; i += 2, at += 2 * s.step) {
        const int more = i + 1 < s.count;  // else the last column is made twice
        finish(i * step, (i + more) * step, tile<1>(s, at, more * s.step));
      }
  }
  template <int Rows>
  LOWBITS_REGION_INLINE static detail::avx512::depthwise_sums tile(const depthwise_strip<weight>& s, const unsigned char* at,
                                                                   ptrdiff_t step) {
    using namespace detail::avx512;
    depthwise_sums sum{{load(s.start), load(s.start + 16)}, {load(s.start), load(s.start + 16)}};
    const weight* w = s.w;
    for (int t = 0; t < s.term_count; ++t, w += s.w_step) {
      const unsigned char* p = at + s.terms[t];
      const unsigned char* q = Rows == 2 ? p : p + step;
      const weight* u = Rows == 2 ? w + 128 : w;
      dot(sum.first[0], load(p), load(w));
      dot(sum.first[1], load(p + 64), load(w + 64));
      dot(sum.second[0], load(q), load(u));
      dot(sum.second[1], load(q + 64), load(u + 64));
    }
    return sum;
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
