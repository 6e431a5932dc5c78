// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Element-wise operations on codes with AVX2, sixteen at a time.

#include <lowbits/arch/avx2/requantize.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2 {

/// Sixteen numbers in the order that interleaving words leaves: 0-3 8-11, then 4-7 12-15.
struct split16 {
  __m256i low, high;
};
/// The output stage: packing undoes the split.
template <class Code>
LOWBITS_REGION_INLINE __m128i codes(const word_stage& stage, const split16& v) {
  const __m256i words = stage(v.low, v.high);
  const __m128i first = _mm256_castsi256_si128(words), second = _mm256_extracti128_si256(words, 1);
  return Code(-1) < Code(0) ? _mm_packs_epi16(first, second) : _mm_packus_epi16(first, second);
}
/// The same behind a rescale.
struct rescale_stage {
  word_stage words;
  __m256i lowest, highest;
  LOWBITS_REGION_INLINE explicit rescale_stage(const code_stage& s)
      : words(s), lowest(_mm256_set1_epi32(s.lowest - s.zero_point)), highest(_mm256_set1_epi32(s.highest - s.zero_point)) {}
  template <class Code, class Rescale>
  LOWBITS_REGION_INLINE __m128i codes_of(const Rescale& rescale, const split16& v, __m128i left) const {
    return codes<Code>(words, {rescale(_mm256_sll_epi32(v.low, left), lowest, highest),
                               rescale(_mm256_sll_epi32(v.high, left), lowest, highest)});
  }
};
/// Words to 32 bits, each shifted left by 16 - drop.
LOWBITS_REGION_INLINE split16 split_words(__m256i words, int drop) {
  const __m256i zero = _mm256_setzero_si256();
  return {_mm256_srai_epi32(_mm256_unpacklo_epi16(zero, words), drop),
          _mm256_srai_epi32(_mm256_unpackhi_epi16(zero, words), drop)};
}
LOWBITS_REGION_INLINE split16 multiply_words(__m256i a, __m256i b) {
  const __m256i low = _mm256_mullo_epi16(a, b), high = _mm256_mulhi_epi16(a, b);
  return {_mm256_unpacklo_epi16(low, high), _mm256_unpackhi_epi16(low, high)};
}

/// Calls f(rescale, left) with the fastest exact way to multiply numbers below 2^17 in magnitude by a
/// factor, rounded once; f shifts its numbers left by `left` first.
template <class Function>
LOWBITS_REGION_INLINE void with_short_rescale(int mantissa, int exponent, Function f) {
  if (exponent <= -2) f(rescale_small(same_factors(mantissa, exponent)), 0);
  else if (exponent <= 12) f(rescale_small(same_factors(mantissa, exponent - 14)), 14);
  else f(rescale_once(same_factors(mantissa, exponent)), 0);
}

/// out[i] = f(x[i], y[i]) on vectors of sixteen codes; f returns sixteen bytes.
template <class X, class Y, class Out, class Function>
LOWBITS_REGION_INLINE void for_each_pair(size_t n, const X* x, const Y* y, Out* out, Function f) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) store_bytes(out + i, f(load_bytes(x + i, 16), load_bytes(y + i, 16)), 16);
  const int rest = static_cast<int>(n - i);
  if (rest > 0) store_bytes(out + i, f(load_bytes(x + i, rest), load_bytes(y + i, rest)), rest);
}

}  // namespace detail::avx2

template <>
struct prim<prims::sum, arch::avx2> {
  template <class X, class Y, class Out>
  static void run(size_t n, const X* x, const Y* y, const sum_values& v, Out* out) noexcept {
    using namespace detail::avx2;
    const __m256i factors = _mm256_set1_epi32(v.factor_pair());
    const __m256i offset = _mm256_set1_epi32(v.offset());
    const __m128i shift = _mm_cvtsi32_si128(v.shift);
    const word_stage stage(v.stage);
    const auto scaled = [&](__m256i pairs) __attribute__((always_inline)) {
      return _mm256_sra_epi32(_mm256_add_epi32(_mm256_madd_epi16(pairs, factors), offset), shift);
    };
    for_each_pair(n, x, y, out, [&](__m128i a, __m128i b) __attribute__((always_inline)) {
      const __m256i u = widen<X>(a), w = widen<Y>(b);
      return codes<Out>(stage, {scaled(_mm256_unpacklo_epi16(u, w)), scaled(_mm256_unpackhi_epi16(u, w))});
    });
  }
};

template <>
struct prim<prims::product, arch::avx2> {
  template <rescale_rule Rule, class X, class Y, class Out>
  static void run(size_t n, const X* x, const Y* y, const product_values& v, Out* out) noexcept {
    using namespace detail::avx2;
    if constexpr (Rule == rescale_rule::twice) {
      all(n, x, y, v, out, rescale_twice(same_factors(v.mantissa, v.exponent)), 0);
    } else {
      with_short_rescale(v.mantissa, v.exponent, [&](const auto& rescale, int left) __attribute__((always_inline)) {
        all(n, x, y, v, out, rescale, left);
      });
    }
  }

private:
  template <class X, class Y, class Out, class Rescale>
  LOWBITS_REGION_INLINE static void all(size_t n, const X* x, const Y* y, const product_values& v, Out* out,
                                        const Rescale& rescale, int left) {
    using namespace detail::avx2;
    const __m256i x_zero = _mm256_set1_epi16(static_cast<int16_t>(v.x_zero));
    const __m256i y_zero = _mm256_set1_epi16(static_cast<int16_t>(v.y_zero));
    const rescale_stage stage(v.stage);
    const __m128i shift = _mm_cvtsi32_si128(left);
    for_each_pair(n, x, y, out, [&](__m128i a, __m128i b) __attribute__((always_inline)) {
      const split16 p = multiply_words(_mm256_sub_epi16(widen<X>(a), x_zero), _mm256_sub_epi16(widen<Y>(b), y_zero));
      return stage.template codes_of<Out>(rescale, p, shift);
    });
  }
};

template <>
struct prim<prims::rescale, arch::avx2> {
  template <class X, class Out>
  static void run(size_t n, const X* x, const rescale_values& v, Out* out) noexcept {
    using namespace detail::avx2;
    const __m256i zero = _mm256_set1_epi16(static_cast<int16_t>(v.zero));
    const rescale_stage stage(v.stage);
    with_short_rescale(v.mantissa, v.exponent, [&](const auto& rescale, int left) __attribute__((always_inline)) {
      const __m128i shift = _mm_cvtsi32_si128(left);
      for_each_pair(n, x, x, out, [&](__m128i a, __m128i) __attribute__((always_inline)) {
        const split16 s = split_words(_mm256_sub_epi16(widen<X>(a), zero), 16);
        return stage.template codes_of<Out>(rescale, s, shift);
      });
    });
  }
};

namespace detail::avx2 {

template <class Code>
LOWBITS_REGION_INLINE __m128i largest(__m128i a, __m128i b) {
  if constexpr (Code(-1) < Code(0)) return _mm_max_epi8(a, b);
  else return _mm_max_epu8(a, b);
}
template <class Code>
LOWBITS_REGION_INLINE __m128i smallest(__m128i a, __m128i b) {
  if constexpr (Code(-1) < Code(0)) return _mm_min_epi8(a, b);
  else return _mm_min_epu8(a, b);
}
LOWBITS_REGION_INLINE __m128i bytes_of(int code) { return _mm_set1_epi8(static_cast<char>(code)); }

}  // namespace detail::avx2

template <>
struct prim<prims::extremum, arch::avx2> {
  template <class Code>
  static void run(size_t n, const Code* x, const Code* y, bool take_larger, int lowest, int highest, Code* out) noexcept {
    using namespace detail::avx2;
    const __m128i low = bytes_of(lowest), high = bytes_of(highest);
    const auto within = [&](__m128i v) __attribute__((always_inline)) { return smallest<Code>(largest<Code>(v, low), high); };
    if (take_larger) {
      for_each_pair(n, x, y, out, [&](__m128i a, __m128i b) __attribute__((always_inline)) { return within(largest<Code>(a, b)); });
    } else {
      for_each_pair(n, x, y, out, [&](__m128i a, __m128i b) __attribute__((always_inline)) { return within(smallest<Code>(a, b)); });
    }
  }
};

template <>
struct prim<prims::clamp, arch::avx2> {
  template <class Code>
  static void run(size_t n, const Code* x, int lowest, int highest, Code* out) noexcept {
    prim<prims::extremum, arch::avx2>::run(n, x, x, true, lowest, highest, out);
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
