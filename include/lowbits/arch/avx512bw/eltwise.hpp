// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Element-wise operations on codes with AVX-512, 32 at a time.

#include <lowbits/arch/avx512bw/requantize.hpp>

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// out[i] = f(x[i], y[i]) on vectors of 32 codes widened to words; f returns 32 bytes.
template <class X, class Y, class Out, class Function>
LOWBITS_REGION_INLINE void for_each_pair(size_t n, const X* x, const Y* y, Out* out, Function f) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(y + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), f(widen<X>(a), widen<Y>(b)));
  }
  if (i == n) return;
  const auto rest = static_cast<__mmask32>((1u << (n - i)) - 1u);
  const __m256i a = _mm256_maskz_loadu_epi8(rest, x + i), b = _mm256_maskz_loadu_epi8(rest, y + i);
  _mm256_mask_storeu_epi8(out + i, rest, f(widen<X>(a), widen<Y>(b)));
}

}  // namespace detail::avx512

template <>
struct prim<prims::sum, arch::avx512bw> {
  template <class X, class Y, class Out>
  static void run(size_t n, const X* x, const Y* y, const sum_values& v, Out* out) noexcept {
    using namespace detail::avx512;
    const __m512i factors = _mm512_set1_epi32(v.factor_pair());
    const __m512i offset = _mm512_set1_epi32(v.offset());
    const __m128i shift = _mm_cvtsi32_si128(v.shift);
    const word_stage stage(v.stage);
    const auto scaled = [&](__m512i pairs) __attribute__((always_inline)) {
      return _mm512_sra_epi32(_mm512_add_epi32(_mm512_madd_epi16(pairs, factors), offset), shift);
    };
    for_each_pair(n, x, y, out, [&](__m512i u, __m512i w) __attribute__((always_inline)) {
      return _mm512_cvtepi16_epi8(stage(scaled(_mm512_unpacklo_epi16(u, w)), scaled(_mm512_unpackhi_epi16(u, w))));
    });
  }
};

template <>
struct prim<prims::product, arch::avx512bw> {
  template <rescale_rule Rule, class X, class Y, class Out>
  static void run(size_t n, const X* x, const Y* y, const product_values& v, Out* out) noexcept {
    using namespace detail::avx512;
    const auto factors = [&](int exponent) __attribute__((always_inline)) {
      return factors16{_mm512_set1_epi32(v.mantissa), _mm512_set1_epi32(exponent)};
    };
    if constexpr (Rule == rescale_rule::twice) all(n, x, y, v, out, rescale_twice(factors(v.exponent)), 0);
    else if (v.exponent <= -2) all(n, x, y, v, out, rescale_small(factors(v.exponent)), 0);
    else if (v.exponent <= 12) all(n, x, y, v, out, rescale_small(factors(v.exponent - 14)), 14);
    else all(n, x, y, v, out, rescale_once(factors(v.exponent)), 0);
  }

private:
  template <class X, class Y, class Out, class Rescale>
  LOWBITS_REGION_INLINE static void all(size_t n, const X* x, const Y* y, const product_values& v, Out* out,
                                        const Rescale& rescale, int left) {
    using namespace detail::avx512;
    const __m512i x_zero = _mm512_set1_epi16(static_cast<int16_t>(v.x_zero));
    const __m512i y_zero = _mm512_set1_epi16(static_cast<int16_t>(v.y_zero));
    const __m512i lowest = _mm512_set1_epi32(v.stage.lowest - v.stage.zero_point);
    const __m512i highest = _mm512_set1_epi32(v.stage.highest - v.stage.zero_point);
    const word_stage stage(v.stage);
    const __m128i shift = _mm_cvtsi32_si128(left);
    for_each_pair(n, x, y, out, [&](__m512i a, __m512i b) __attribute__((always_inline)) {
      const __m512i u = _mm512_sub_epi16(a, x_zero), w = _mm512_sub_epi16(b, y_zero);
      const __m512i low = _mm512_mullo_epi16(u, w), high = _mm512_mulhi_epi16(u, w);
      const __m512i first = rescale(_mm512_sll_epi32(_mm512_unpacklo_epi16(low, high), shift), lowest, highest);
      const __m512i second = rescale(_mm512_sll_epi32(_mm512_unpackhi_epi16(low, high), shift), lowest, highest);
      return _mm512_cvtepi16_epi8(stage(first, second));
    });
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
