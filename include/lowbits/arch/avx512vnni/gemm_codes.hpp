// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product to codes with vpdpbusd. Under the common rule, factors are prepared once for all rows,
// and whole tiles are requantized from the registers their sums are in.

#include <lowbits/arch/avx512vnni/gemm.hpp>
#include <lowbits/arch/avx512bw/requantize.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// floor(2x * mantissa * 2^(exponent - 31)), every exponent at most -2.
LOWBITS_REGION_INLINE __m512i twice_rescaled(__m512i x, const factors16& f) {
  return _mm512_srav_epi32(upper_halves(multiply(x, f.mantissa)), _mm512_sub_epi32(_mm512_set1_epi32(-2), f.exponent));
}
LOWBITS_REGION_INLINE __m512i words(int x) { return _mm512_set1_epi16(static_cast<int16_t>(x)); }

/// An output stage for twice the rescaled numbers, as words; packing them is signed.
struct row_stage {
  int after, lowest, highest, shift;
  template <class Code>
  constexpr row_stage(const code_stage& s, Code) : shift(Code(-1) < Code(0) ? 0 : 128) {
    after = 2 * (s.zero_point - shift) + 1;
    lowest = s.lowest - shift;
    highest = s.highest - shift;
  }
};

/// Two rows of 32 sums to codes, rounded once, every exponent at most -2. Works on twice the rescaled
/// number, which is floor(high half of the product / 2^(-exponent - 2)): (2x + 1) / 2 rounds half up, and
/// both the addition and the zero point then take 16-bit lanes.
struct rows_to_codes {
  __m512i mantissa[2], odd[2], drop[2], after, lowest, highest, flip;

  /// Code is signed or not; see code_stage.
  template <class Code>
  LOWBITS_REGION_INLINE void prepare(const factors16 (&f)[2], const code_stage& s, Code) {
    for (int v = 0; v < 2; ++v) {
      mantissa[v] = f[v].mantissa;
      odd[v] = _mm512_srli_epi64(f[v].mantissa, 32);
      drop[v] = _mm512_sub_epi32(_mm512_set1_epi32(-2), f[v].exponent);
    }
    const row_stage stage(s, Code{});
    after = words(stage.after);
    lowest = words(stage.lowest);
    highest = words(stage.highest);
    flip = _mm512_set1_epi8(static_cast<char>(stage.shift));
  }
  LOWBITS_REGION_INLINE __m512i twice(__m512i x, int v) const {
    const products p{_mm512_mul_epi32(x, mantissa[v]), _mm512_mul_epi32(_mm512_srli_epi64(x, 32), odd[v])};
    return _mm512_srav_epi32(upper_halves(p), drop[v]);
  }
  LOWBITS_REGION_INLINE __m512i row(const __m512i (&x)[2]) const {
    const __m512i sums = _mm512_adds_epi16(_mm512_packs_epi32(twice(x[0], 0), twice(x[1], 1)), after);
    return _mm512_min_epi16(_mm512_max_epi16(_mm512_srai_epi16(sums, 1), lowest), highest);
  }
  /// The first row's 32 codes are the lower half.
  LOWBITS_REGION_INLINE __m512i operator()(const __m512i (&x)[2], const __m512i (&next)[2]) const {
    return _mm512_xor_si512(in_order<int8_t>(row(x), row(next)), flip);
  }
};

}  // namespace detail::avx512

template <>
struct prim<prims::gemm_codes, arch::avx512vnni> {
  using tiles = prim<prims::gemm, arch::avx512vnni>;

  template <rescale_rule Rule, class Code>
  static void run(int rows, int n, int used, int steps, const uint8_t* x, ptrdiff_t stride, const int8_t* w,
                  const int32_t* start, const column_factors& factors, const code_stage& stage, Code* y,
                  ptrdiff_t y_stride, int32_t* work, int flip = 0) noexcept {
    if (rows == 1) return run_row<Rule>(n, 32, 128 * ptrdiff_t{steps}, used, steps, x, w, start, factors, stage, y, work, flip);
    const ptrdiff_t panel = 128 * ptrdiff_t{steps};
    for (int c = 0; c < used; c += 32, w += panel, start += 32, y += 32) {
      const int width = n - c < 32 ? 16 : 32, here = used - c < 32 ? used - c : 32;
      run_panel<Rule>(rows, width, here, steps, x, stride, w, start, factors.from(c), stage, y, y_stride, flip);
    }
  }

  /// One row, from panels of `panel` columns, 32 or 64, which lie panel_bytes apart. 64 numbers of `work` are used.
  template <rescale_rule Rule, class Code>
  static void run_row(int n, int panel, ptrdiff_t panel_bytes, int used, int steps, const uint8_t* x, const int8_t* w,
                      const int32_t* start, const column_factors& factors, const code_stage& stage, Code* y, int32_t* work,
                      int flip) noexcept {
    constexpr bool once = Rule == rescale_rule::once;
    const detail::avx512::row_stage to_codes(stage, Code{});
    for (int c = 0, width = 0; c < used; c += width) {
      const int left = n - c, in_panel = c % panel, columns = n - (c - in_panel) < panel ? n - (c - in_panel) : panel;
      width = left >= 64 ? 64 : left >= 32 ? 32 : 16;
      const int here = used - c < width ? used - c : width;
      const int8_t* const at = w + c / panel * panel_bytes + 4 * in_panel;
      const int8_t* const second = panel == 64 ? at + 128 : at + panel_bytes;
      const column_factors f = factors.from(c);
      const auto row = width == 64 ? &row_columns<4> : width == 32 ? &row_columns<2> : &row_columns<1>;
      if (!row(steps, x, at, second, 4 * columns, start + c, once, f, to_codes, here, y + c, work, flip))
        prim<prims::requantize, arch::avx512bw>::run<Rule>(1, here, work, 0, f, stage, y + c, 0);
    }
  }

private:
  /// 16 * V columns of one row; false: only their sums, to `work`. Vectors 2 and 3 lie at `second`.
  template <int V>
  static bool row_columns(int steps, const uint8_t* x, const int8_t* w, const int8_t* second, ptrdiff_t step, const int32_t* start,
                          bool once, const column_factors& factors, const detail::avx512::row_stage& stage, int used, void* y,
                          int32_t* work, int flip) noexcept {
    using namespace detail::avx512;
    constexpr int chains = V == 4 ? 2 : 4;  // hide the latency of a sum
    const __m512i change = _mm512_set1_epi8(static_cast<char>(flip));
    __m512i a[chains][V];
#pragma GCC unroll 4
    for (int c = 0; c < chains; ++c)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) a[c][v] = c == 0 ? load(start + 16 * v) : _mm512_setzero_si512();
    const auto one = [&](int c) __attribute__((always_inline)) {
      int32_t four;
      __builtin_memcpy(&four, x, 4);
      const __m512i codes = _mm512_xor_si512(_mm512_set1_epi32(four), change);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) dot(a[c][v], codes, load((v < 2 ? w : second) + 64 * (v % 2)));
      x += 4, w += step, second += step;
    };
    for (; steps >= chains; steps -= chains)
#pragma GCC unroll 4
      for (int c = 0; c < chains; ++c) one(c);
    for (; steps > 0; --steps) one(0);

    __m512i sums[4], f[4];
    __mmask16 large = 0;
    factors16 each[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      sums[v] = a[0][v];
#pragma GCC unroll 4
      for (int c = 1; c < chains; ++c) sums[v] = _mm512_add_epi32(sums[v], a[c][v]);
      const int n = used - 16 * v < 16 ? used - 16 * v : 16;
      each[v] = n > 0 ? load_factors(factors, 16 * v, n) : each[0];
      large = static_cast<__mmask16>(large | _mm512_mask_cmpgt_epi32_mask(first16(n > 0 ? n : 0), each[v].exponent, _mm512_set1_epi32(-2)));
    }
    if (!once || large != 0) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) store(work + 16 * v, sums[v]);
      return false;
    }
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) f[v] = twice_rescaled(sums[v], each[v]);
#pragma GCC unroll 4
    for (int v = V; v < 4; ++v) f[v] = f[0];
    const auto words_of = [&](__m512i low, __m512i high) __attribute__((always_inline)) {
      const __m512i all = _mm512_srai_epi16(_mm512_adds_epi16(_mm512_packs_epi32(low, high), words(stage.after)), 1);
      return _mm512_min_epi16(_mm512_max_epi16(all, words(stage.lowest)), words(stage.highest));
    };
    const __m512i low = words_of(f[0], f[1]), codes = in_order<int8_t>(low, V == 4 ? words_of(f[2], f[3]) : low);
    const __m512i flipped = _mm512_xor_si512(codes, _mm512_set1_epi8(static_cast<char>(stage.shift)));
    if constexpr (V == 4) _mm512_mask_storeu_epi8(y, first64(used), flipped);
    else _mm256_mask_storeu_epi8(y, static_cast<__mmask32>(first64(used)), _mm512_castsi512_si256(flipped));
    return true;
  }

  template <rescale_rule Rule, class Code>
  static void run_panel(int rows, int n, int used, int steps, const uint8_t* x, ptrdiff_t stride, const int8_t* w,
                        const int32_t* start, const column_factors& factors, const code_stage& stage, Code* y,
                        ptrdiff_t y_stride, int flip) noexcept {
    using namespace detail::avx512;
    bool is_common = Rule == rescale_rule::once;
    rows_to_codes to_codes;
    if (is_common) {
      const int low = used < 16 ? used : 16, second = used > 16 ? 16 : 0;  // 16 columns have theirs twice
      const int high = used - second;
      const factors16 f[2] = {load_factors(factors, 0, low), load_factors(factors, second, high)};
      is_common = rescale_small::suits(f[0], low) && rescale_small::suits(f[1], high);
      to_codes.prepare(f, stage, Code{});
    }
    const auto mask = static_cast<__mmask32>(first64(used));
    alignas(64) int32_t sums[tiles::rows * tiles::cols];
    while (rows > 0) {
      int m = rows < tiles::rows ? rows : tiles::rows;
      if (is_common && n == 16) {
        m = m < 8 ? m : 8;
        narrow_tile(m, steps, x, stride, w, start, to_codes, static_cast<__mmask16>(mask), y, y_stride, flip);
      } else if (is_common && m == tiles::rows) {
        whole_tile(steps, x, stride, w, start, to_codes, mask, y, y_stride, flip);
      } else {
        tiles::run(m, n, steps, x, stride, w, start, sums, flip);
        if (is_common) stored_tile(m, sums, to_codes, mask, y, y_stride);
        else prim<prims::requantize, arch::avx512bw>::run<Rule>(m, used, sums, n, factors, stage, y, y_stride);
      }
      rows -= m, x += m * stride, y += m * y_stride;
    }
  }

  static void whole_tile(int steps, const uint8_t* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
                         const detail::avx512::rows_to_codes& to_codes, __mmask32 used, void* y, ptrdiff_t y_stride,
                         int flip) noexcept {
    __m512i a[12][2];
    tiles::accumulate<12, 2, 1>(steps, x, stride, w, 32, start, flip, a);
    auto* to = static_cast<unsigned char*>(y);
#pragma GCC unroll 6
    for (int r = 0; r < 12; r += 2, to += 2 * y_stride) {
      const __m512i both = to_codes(a[r], a[r + 1]);
      _mm256_mask_storeu_epi8(to, used, _mm512_castsi512_si256(both));
      _mm256_mask_storeu_epi8(to + y_stride, used, _mm512_extracti64x4_epi64(both, 1));
    }
  }
  /// Two rows of 32 columns at a time. What lies behind the last row is not used.
  static void stored_tile(int m, const int32_t* sums, const detail::avx512::rows_to_codes& to_codes, __mmask32 used, void* y,
                          ptrdiff_t y_stride) noexcept {
    using namespace detail::avx512;
    auto* to = static_cast<unsigned char*>(y);
    for (; m > 0; m -= 2, sums += 64, to += 2 * y_stride) {
      const __m512i both = to_codes({load(sums), load(sums + 16)}, {load(sums + 32), load(sums + 48)});
      _mm256_mask_storeu_epi8(to, used, _mm512_castsi512_si256(both));
      if (m > 1) _mm256_mask_storeu_epi8(to + y_stride, used, _mm512_extracti64x4_epi64(both, 1));
    }
  }
  /// Up to 8 rows of 16 columns. Rows that are not there repeat the last one.
  static void narrow_tile(int m, int steps, const uint8_t* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
                          const detail::avx512::rows_to_codes& to_codes, __mmask16 used, void* y, ptrdiff_t y_stride,
                          int flip) noexcept {
    using namespace detail::avx512;
    const __m512i change = _mm512_set1_epi8(static_cast<char>(flip)), first = load(start);
    const uint8_t* at[8];
    __m512i a[8];
#pragma GCC unroll 8
    for (int r = 0; r < 8; ++r) at[r] = x + (r < m ? r : m - 1) * stride, a[r] = first;
    for (ptrdiff_t k = 0; k < steps; ++k) {
      const __m512i weights = load(w + 64 * k);
#pragma GCC unroll 8
      for (int r = 0; r < 8; ++r) {
        int32_t four;
        __builtin_memcpy(&four, at[r] + 4 * k, 4);
        dot(a[r], _mm512_xor_si512(_mm512_set1_epi32(four), change), weights);
      }
    }
    auto* const to = static_cast<unsigned char*>(y);
    const auto put = [&](int r, __m128i row) __attribute__((always_inline)) {
      if (r < m) _mm_mask_storeu_epi8(to + r * y_stride, used, row);
    };
#pragma GCC unroll 2
    for (int r = 0; r < 8; r += 4) {
      if (r >= m) break;
      const __m512i codes = to_codes({a[r], a[r + 1]}, {a[r + 2], a[r + 3]});
      put(r, _mm512_castsi512_si128(codes));
      put(r + 1, _mm512_extracti32x4_epi32(codes, 1));
      put(r + 2, _mm512_extracti32x4_epi32(codes, 2));
      put(r + 3, _mm512_extracti32x4_epi32(codes, 3));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
