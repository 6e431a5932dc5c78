// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product to codes with vpdpbusd. Under the common rule, factors are prepared once for all rows,
// and whole tiles are requantized from the registers their sums are in.

#include <lowbits/arch/avx512vnni/gemm.hpp>
#include <lowbits/arch/avx512bw/requantize.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

LOWBITS_REGION_INLINE __m512i words(int x) { return _mm512_set1_epi16(static_cast<int16_t>(x)); }

/// Two rows of 32 sums to codes, rounded once, every exponent at most -2. Works on twice the rescaled
/// number, which is floor(high half of the product / 2^(-exponent - 2)): (2x + 1) / 2 rounds half up, and
/// both the addition and the zero point then take 16-bit lanes.
struct rows_to_codes {
  __m512i mantissa[2], odd[2], drop[2], after, lowest, highest, flip;

  /// Code is signed or not; see code_stage.
  template <class Code>
  LOWBITS_REGION_INLINE void prepare(const factors16 (&f)[2], const code_stage& s, Code) {
    constexpr int shift = Code(-1) < Code(0) ? 0 : 128;  // packing is signed
    for (int v = 0; v < 2; ++v) {
      mantissa[v] = f[v].mantissa;
      odd[v] = _mm512_srli_epi64(f[v].mantissa, 32);
      drop[v] = _mm512_sub_epi32(_mm512_set1_epi32(-2), f[v].exponent);
    }
    after = words(2 * (s.zero_point - shift) + 1);
    lowest = words(s.lowest - shift);
    highest = words(s.highest - shift);
    flip = _mm512_set1_epi8(static_cast<char>(shift));
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
                  ptrdiff_t y_stride, int32_t* /*work*/) noexcept {
    using namespace detail::avx512;
    bool is_common = Rule == rescale_rule::once;
    rows_to_codes to_codes;
    if (is_common) {
      const int low = used < 16 ? used : 16, second = used > 16 ? 16 : 0;
      const factors16 f[2] = {load_factors(factors, 0, low), load_factors(factors, second, used - second)};
      is_common = rescale_small::suits(f[0], low) && rescale_small::suits(f[1], used - second);
      to_codes.prepare(f, stage, Code{});
    }
    const auto mask = static_cast<__mmask32>(first64(used));
    alignas(64) int32_t sums[tiles::rows * tiles::cols];
    while (rows > 0) {
      const int m = rows < tiles::rows ? rows : tiles::rows;
      if (is_common && m == tiles::rows && n == tiles::cols) {
        whole_tile(steps, x, stride, w, start, to_codes, mask, y, y_stride);
      } else {
        tiles::run(m, n, steps, x, stride, w, start, sums);
        if (is_common) stored_tile(m, n, sums, to_codes, mask, y, y_stride);
        else prim<prims::requantize, arch::avx512bw>::run<Rule>(m, used, sums, n, factors, stage, y, y_stride);
      }
      rows -= m, x += m * stride, y += m * y_stride;
    }
  }

private:
  static void whole_tile(int steps, const uint8_t* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
                         const detail::avx512::rows_to_codes& to_codes, __mmask32 used, void* y,
                         ptrdiff_t y_stride) noexcept {
    __m512i a[12][2];
    tiles::accumulate<12, 2, 1>(steps, x, stride, w, 32, start, a);
    auto* to = static_cast<unsigned char*>(y);
#pragma GCC unroll 6
    for (int r = 0; r < 12; r += 2, to += 2 * y_stride) {
      const __m512i both = to_codes(a[r], a[r + 1]);
      _mm256_mask_storeu_epi8(to, used, _mm512_castsi512_si256(both));
      _mm256_mask_storeu_epi8(to + y_stride, used, _mm512_extracti64x4_epi64(both, 1));
    }
  }
  static void stored_tile(int m, int n, const int32_t* sums, const detail::avx512::rows_to_codes& to_codes,
                          __mmask32 used, void* y, ptrdiff_t y_stride) noexcept {
    using namespace detail::avx512;
    const int second = n - 16;  // 0 where there are no columns 16 to 31
    auto* to = static_cast<unsigned char*>(y);
    for (int r = 0; r < m; r += 2, to += 2 * y_stride) {
      const int32_t *at = sums + r * n, *next = r + 1 < m ? at + n : at;
      const __m512i a[2] = {load(at), load(at + second)}, b[2] = {load(next), load(next + second)};
      const __m512i both = to_codes(a, b);
      _mm256_mask_storeu_epi8(to, used, _mm512_castsi512_si256(both));
      if (r + 1 < m) _mm256_mask_storeu_epi8(to + y_stride, used, _mm512_extracti64x4_epi64(both, 1));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
