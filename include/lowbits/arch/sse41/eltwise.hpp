// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The element-wise operations that networks spend time in, with SSE4.1, eight at a time. Others run the
// reference there.

#include <lowbits/arch/sse41/common.hpp>

LOWBITS_REGION_SSE41
namespace lowbits::inline LOWBITS_ABI {

namespace detail::sse41 {

/// out[i] = f(x[i], y[i]) on eight codes, which lie in the lower half of a vector.
template <class X, class Y, class Out, class Function>
LOWBITS_REGION_INLINE void for_each_pair(size_t n, const X* x, const Y* y, Out* out, Function f) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) store_half(out + i, f(load_half(x + i, 8), load_half(y + i, 8)), 8);
  const int rest = static_cast<int>(n - i);
  if (rest > 0) store_half(out + i, f(load_half(x + i, rest), load_half(y + i, rest)), rest);
}
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

}  // namespace detail::sse41

template <>
struct prim<prims::sum, arch::sse41> {
  template <class X, class Y, class Out>
  static void run(size_t n, const X* x, const Y* y, const sum_values& v, Out* out) noexcept {
    using namespace detail::sse41;
    const __m128i factors = _mm_set1_epi32(v.factor_pair());
    const __m128i offset = _mm_set1_epi32(v.offset());
    const __m128i shift = _mm_cvtsi32_si128(v.shift);
    const word_stage stage(v.stage);
    const auto scaled = [&](__m128i pairs) __attribute__((always_inline)) {
      return _mm_sra_epi32(_mm_add_epi32(_mm_madd_epi16(pairs, factors), offset), shift);
    };
    for_each_pair(n, x, y, out, [&](__m128i a, __m128i b) __attribute__((always_inline)) {
      const __m128i u = widen<X>(a), w = widen<Y>(b);
      const __m128i words = stage(scaled(_mm_unpacklo_epi16(u, w)), scaled(_mm_unpackhi_epi16(u, w)));
      return pack_words<Out>(words, words);
    });
  }
};

template <>
struct prim<prims::extremum, arch::sse41> {
  template <class Code>
  static void run(size_t n, const Code* x, const Code* y, bool take_larger, int lowest, int highest, Code* out) noexcept {
    using namespace detail::sse41;
    const __m128i low = _mm_set1_epi8(static_cast<char>(lowest)), high = _mm_set1_epi8(static_cast<char>(highest));
    for_each_pair(n, x, y, out, [&](__m128i a, __m128i b) __attribute__((always_inline)) {
      const __m128i v = take_larger ? largest<Code>(a, b) : smallest<Code>(a, b);
      return smallest<Code>(largest<Code>(v, low), high);
    });
  }
};

template <>
struct prim<prims::clamp, arch::sse41> {
  template <class Code>
  static void run(size_t n, const Code* x, int lowest, int highest, Code* out) noexcept {
    prim<prims::extremum, arch::sse41>::run(n, x, x, true, lowest, highest, out);
  }
};

template <>
struct prim<prims::quantize, arch::sse41> {
  template <class Code>
  static void run(size_t n, const float* x, float scale, const code_stage& stage, Code* out) noexcept {
    using namespace detail::sse41;
    const __m128 divisor = _mm_set1_ps(scale);
    const word_stage to_codes(stage);
    const auto eight = [&](const float* p) __attribute__((always_inline)) {
      const __m128i words = to_codes(nearest(_mm_loadu_ps(p), divisor), nearest(_mm_loadu_ps(p + 4), divisor));
      return pack_words<Code>(words, words);
    };
    size_t i = 0;
    for (; i + 8 <= n; i += 8) store_half(out + i, eight(x + i), 8);
    if (i == n) return;
    float rest[8] = {};
    __builtin_memcpy(rest, x + i, sizeof(float) * (n - i));
    store_half(out + i, eight(rest), static_cast<int>(n - i));
  }

private:
  /// x / divisor to the nearest integer whatever the rounding mode, NaN to 0, held within int32.
  LOWBITS_REGION_INLINE static __m128i nearest(__m128 x, __m128 divisor) {
    __m128 q = x;  // an instruction of its own: -ffast-math would multiply with an approximate reciprocal
    asm("divps %1, %0" : "+x"(q) : "x"(divisor));
    const __m128i size = _mm_and_si128(_mm_castps_si128(x), _mm_set1_epi32(0x7fff'ffff));
    q = _mm_andnot_ps(_mm_castsi128_ps(_mm_cmpgt_epi32(size, _mm_set1_epi32(0x7f80'0000))), q);
    q = _mm_min_ps(_mm_max_ps(q, _mm_set1_ps(-1048576.0f)), _mm_set1_ps(1048576.0f));
    return _mm_cvttps_epi32(_mm_round_ps(q, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
};

template <>
struct prim<prims::dequantize, arch::sse41> {
  template <class Code>
  static void run(size_t n, const Code* x, int zero, float scale, float* out) noexcept {
    using namespace detail::sse41;
    const __m128i offset = words_of(zero);
    const __m128 factor = _mm_set1_ps(scale);
    const auto eight = [&](__m128i codes, float* to) __attribute__((always_inline)) {
      const __m128i words = _mm_sub_epi16(widen<Code>(codes), offset);
      _mm_storeu_ps(to, _mm_mul_ps(_mm_cvtepi32_ps(_mm_cvtepi16_epi32(words)), factor));
      _mm_storeu_ps(to + 4, _mm_mul_ps(_mm_cvtepi32_ps(_mm_cvtepi16_epi32(_mm_srli_si128(words, 8))), factor));
    };
    size_t i = 0;
    for (; i + 8 <= n; i += 8) eight(load_half(x + i, 8), out + i);
    if (i == n) return;
    float rest[8];
    eight(load_half(x + i, static_cast<int>(n - i)), rest);
    __builtin_memcpy(out + i, rest, sizeof(float) * (n - i));
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
