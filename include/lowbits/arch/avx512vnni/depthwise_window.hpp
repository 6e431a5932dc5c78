// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution with AVX-512 VNNI by windows of three columns and rows that slide over the image:
// the window stays in registers, one vector per column, the codes of three or four rows of a channel in
// each 32-bit lane. Four outputs of 16 channels are packed to bytes together: two columns of two rows, or
// four of one.

#include <lowbits/arch/avx512vnni/gemm.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::depthwise_window, arch::avx512vnni> {
  static constexpr int lanes = 16, depth = 4;
  using weight = int8_t;

  template <rescale_rule Rule, class Code>
  static void run(const depthwise_image<weight>& v, const column_factors& factors, const code_stage& stage, Code* y,
                  ptrdiff_t y_row, ptrdiff_t y_step) noexcept {
    using namespace detail::avx512;
    if (v.out_h <= 0 || v.out_w <= 0) return;
    const factors16 f = load_factors(factors, 0, lanes);
    if constexpr (Rule == rescale_rule::twice) all<false>(v, rescale_twice(f), stage, y, y_row, y_step);
    else if (rescale_small::suits(f, lanes) && with_zero_point(f)) {
      rescale_small rescale(f);
      rescale.half = _mm512_add_epi32(rescale.half, _mm512_sllv_epi32(_mm512_set1_epi32(stage.zero_point), rescale.drop));
      all<true>(v, rescale, stage, y, y_row, y_step);
    } else all<false>(v, rescale_once(f), stage, y, y_row, y_step);
  }

private:
  /// The zero point fits in 32 bits with what rescale_small adds before it shifts.
  LOWBITS_REGION_INLINE static bool with_zero_point(const detail::avx512::factors16& f) {
    return _mm512_cmplt_epi32_mask(f.exponent, _mm512_set1_epi32(-22)) == 0;
  }

  /// Sixteen codes of each of four rows, those of a channel side by side; of three rows where there is no fourth.
  LOWBITS_REGION_INLINE static __m512i interleave(const unsigned char* const* row, ptrdiff_t at, bool fourth, __m512i flip, __m512i order) {
    const auto pair = [&](int d, bool both) __attribute__((always_inline)) {
      const __m256i low = _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row[d] + at)));
      return both ? _mm256_inserti128_si256(low, _mm_loadu_si128(reinterpret_cast<const __m128i*>(row[d + 2] + at)), 1) : low;
    };
    const __m256i u = pair(0, true), v = pair(1, fourth);
    return _mm512_xor_si512(_mm512_permutex2var_epi16(_mm512_castsi256_si512(_mm256_unpacklo_epi8(u, v)), order,
                                                      _mm512_castsi256_si512(_mm256_unpackhi_epi8(u, v))), flip);
  }

  /// Sums of four outputs wait while those of the next four are made, which hides the latency of both.
  template <class Code>
  struct waiting {
    __m512i s[4];
    Code *first, *second;  ///< of outputs 0 and 2
    ptrdiff_t step;        ///< from output 0 to 1, and from 2 to 3
  };

  template <bool HasZeroPoint, class Rescale, class Code>
  LOWBITS_REGION_INLINE static void all(const depthwise_image<weight>& v, const Rescale& rescale, const code_stage& stage, Code* y,
                                        ptrdiff_t y_row, ptrdiff_t y_step) {
    using namespace detail::avx512;
    const __m512i zero_point = _mm512_set1_epi16(static_cast<int16_t>(stage.zero_point));
    const __m512i lowest = _mm512_set1_epi8(static_cast<char>(stage.lowest)), highest = _mm512_set1_epi8(static_cast<char>(stage.highest));
    const __m512i low32 = _mm512_set1_epi32(stage.lowest - stage.zero_point), high32 = _mm512_set1_epi32(stage.highest - stage.zero_point);
    const bool clamps = stage.lowest > lowest_of<Code> || stage.highest < highest_of<Code>;
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(v.shift));
    const __m512i outside = _mm512_set1_epi8(static_cast<char>(v.outside[0] + v.shift));
    // Words of rows 0 and 1 lie in the lower halves, those of rows 2 and 3 eight further on.
    const __m512i order = _mm512_add_epi32(
        _mm512_set1_epi32(8 << 16), _mm512_mullo_epi32(_mm512_set1_epi32(0x10001),
                                                       _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 32, 33, 34, 35, 36, 37, 38, 39)));
    const __m512i in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const ptrdiff_t row_bytes = v.in_w * v.column;
    const __m512i w0 = load(v.w), w1 = load(v.w + 64), w2 = load(v.w + 128), w3 = load(v.w + 192), w4 = load(v.w + 256),
                  w5 = load(v.w + 320), start = load(v.start);

    waiting<Code> last{{start, start, start, start}, y, y, 0};  // nothing waits yet: y is written again
    const auto finish = [&]() __attribute__((always_inline)) {
      const auto words = [&](__m512i a, __m512i b) __attribute__((always_inline)) {
        const __m512i both = _mm512_packs_epi32(rescale(a, low32, high32), rescale(b, low32, high32));
        if constexpr (HasZeroPoint) return both;
        else return _mm512_adds_epi16(both, zero_point);
      };
      const __m512i a = words(last.s[0], last.s[1]), b = words(last.s[2], last.s[3]);
      __m512i codes;
      if constexpr (Code(-1) < Code(0)) {
        codes = _mm512_packs_epi16(a, b);
        if (clamps) codes = _mm512_min_epi8(_mm512_max_epi8(codes, lowest), highest);
      } else {
        codes = _mm512_packus_epi16(a, b);
        if (clamps) codes = _mm512_min_epu8(_mm512_max_epu8(codes, lowest), highest);
      }
      codes = _mm512_permutexvar_epi32(in_order, codes);
      // Outputs 2 and 3 first: they may be in the places of 0 and 1.
      _mm_storeu_si128(reinterpret_cast<__m128i*>(last.second), _mm512_extracti32x4_epi32(codes, 2));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(last.second + last.step), _mm512_extracti32x4_epi32(codes, 3));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(last.first), _mm512_castsi512_si128(codes));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(last.first + last.step), _mm512_extracti32x4_epi32(codes, 1));
    };

    for (int r = 0, n = 0; r < v.out_h; r += n) {
      n = v.rows == 2 && r + 1 < v.out_h ? 2 : 1;
      const unsigned char* row[4];
#pragma GCC unroll 4
      for (int d = 0; d < 4; ++d) {
        const int ih = v.top + r * v.stride_h + d * v.dilation_h;
        row[d] = ih >= 0 && ih < v.in_h ? v.x + ih * v.row : v.outside;
      }
      ptrdiff_t at = v.left * v.column;
      const auto next = [&](bool inside, bool fourth) __attribute__((always_inline)) {
        __m512i column = outside;
        if (inside || static_cast<size_t>(at) < static_cast<size_t>(row_bytes)) column = interleave(row, at, fourth, flip, order);
        at += v.column;
        return column;
      };
      const auto sum = [&](__m512i p, __m512i q, __m512i s, __m512i a, __m512i b, __m512i c) __attribute__((always_inline)) {
        __m512i total = start;
        dot(total, p, a);
        dot(total, q, b);
        dot(total, s, c);
        return total;
      };
      Code* to = y + r * y_row;
      int i = v.out_w;
      if (n == 2) {  // two columns of both rows
        __m512i p = next(false, true), q = next(false, true), s = next(false, true), t = next(false, true);
        const auto two = [&](bool inside) __attribute__((always_inline)) {
          const waiting<Code> made{{sum(p, q, s, w0, w2, w4), sum(p, q, s, w1, w3, w5), sum(q, s, t, w0, w2, w4), sum(q, s, t, w1, w3, w5)},
                                   to, inside || i > 1 ? to + y_step : to, y_row};
          p = s;
          q = t;
          if (inside || i > 2) s = next(inside, true), t = next(inside, true);
          finish();
          last = made;
          i -= 2;
          to += 2 * y_step;
        };
        if constexpr (HasZeroPoint)
          while (i > 2 && at >= 0 && at < row_bytes - v.column) two(true);
        while (i > 0) two(false);
      } else {  // four columns of one row
        __m512i p = next(false, false), q = next(false, false), s = next(false, false);
        const auto slide = [&](bool inside, bool further) __attribute__((always_inline)) {
          if (!further) return;
          if (!inside && v.stride_w == 1) {
            p = q;
            q = s;
          } else {
            p = s;
            q = next(inside, false);
          }
          s = next(inside, false);
        };
        const auto four = [&](bool inside) __attribute__((always_inline)) {
          waiting<Code> made;
          made.s[0] = sum(p, q, s, w0, w2, w4);
          slide(inside, inside || i > 1);
          made.s[1] = sum(p, q, s, w0, w2, w4);
          slide(inside, inside || i > 3);
          made.s[2] = sum(p, q, s, w0, w2, w4);
          slide(inside, inside || i > 2);
          made.s[3] = sum(p, q, s, w0, w2, w4);
          slide(inside, inside || i > 4);
          made.first = to;
          made.second = to + (inside || i > 3 ? 2 : i == 3 ? 1 : 0) * y_step;
          made.step = inside || i > 1 ? y_step : 0;
          finish();
          last = made;
          i -= 4;
          to += 4 * y_step;
        };
        if constexpr (HasZeroPoint)
          while (i > 4 && v.stride_w == 2 && at >= 0 && at < row_bytes - 7 * v.column) four(true);
        while (i > 0) four(false);
      }
    }
    finish();
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
