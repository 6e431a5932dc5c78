// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Windows and means with AVX-512: the largest of 64 channels at a time, sums of 32.

#include <lowbits/arch/avx512bw/requantize.hpp>
#include <lowbits/arch/count_reciprocal.hpp>

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

LOWBITS_REGION_INLINE __mmask32 first32(int n) { return static_cast<__mmask32>(first64(n < 32 ? n : 32)); }

/// Sums of 32 channels of a grid, in order.
template <class Code>
struct grid_sums {
  __m512i low, high;

  // In words for as many codes as they can hold the sum of.
  LOWBITS_REGION_INLINE grid_sums(const code_grid<Code>& g, int c, __mmask32 channels)
      : low(_mm512_setzero_si512()), high(_mm512_setzero_si512()) {
    constexpr int most = 255;
    __m512i words = _mm512_setzero_si512();
    int left = most;
    for (int r = 0; r < g.rows; ++r) {
      const Code* at = g.at + r * g.row_step + c;
      for (int k = 0; k < g.cols; ++k, at += g.col_step) {
        words = _mm512_add_epi16(words, widen<Code>(_mm256_maskz_loadu_epi8(channels, at)));
        if (--left == 0) [[unlikely]] {
          add(words);
          words = _mm512_setzero_si512();
          left = most;
        }
      }
    }
    add(words);
  }

private:
  LOWBITS_REGION_INLINE void add(__m512i words) {
    const __m256i first = _mm512_castsi512_si256(words), second = _mm512_extracti64x4_epi64(words, 1);
    if constexpr (Code(-1) < Code(0)) {
      low = _mm512_add_epi32(low, _mm512_cvtepi16_epi32(first));
      high = _mm512_add_epi32(high, _mm512_cvtepi16_epi32(second));
    } else {
      low = _mm512_add_epi32(low, _mm512_cvtepu16_epi32(first));
      high = _mm512_add_epi32(high, _mm512_cvtepu16_epi32(second));
    }
  }
};

/// Stores codes that packing 16 + 16 numbers in 128-bit lanes gave as words.
template <class Code>
LOWBITS_REGION_INLINE void store_words(Code* y, __mmask32 channels, __m512i words) {
  _mm256_mask_storeu_epi8(y, channels, _mm512_castsi512_si256(in_order<Code>(words, words)));
}

}  // namespace detail::avx512

template <>
struct prim<prims::window_max, arch::avx512bw> {
  template <class Code>
  static void run(const code_grid<Code>& g, int channels, int lowest, int highest, Code* y) noexcept {
    using namespace detail::avx512;
    const __m512i low = _mm512_set1_epi8(static_cast<char>(lowest)), high = _mm512_set1_epi8(static_cast<char>(highest));
    for (int c = 0; c < channels; c += 64) {
      const __mmask64 there = first64(channels - c);
      __m512i best = low;
      for (int r = 0; r < g.rows; ++r) {
        const Code* at = g.at + r * g.row_step + c;
        for (int k = 0; k < g.cols; ++k, at += g.col_step) {
          const __m512i v = _mm512_maskz_loadu_epi8(there, at);
          best = Code(-1) < Code(0) ? _mm512_max_epi8(best, v) : _mm512_max_epu8(best, v);
        }
      }
      _mm512_mask_storeu_epi8(y + c, there, Code(-1) < Code(0) ? _mm512_min_epi8(best, high) : _mm512_min_epu8(best, high));
    }
  }
};

template <>
struct prim<prims::window_mean, arch::avx512bw> {
  template <class Code>
  static void run(const code_grid<Code>& g, int channels, int lowest, int highest, Code* y) noexcept {
    using namespace detail::avx512;
    const int count = g.rows * g.cols;
    const detail::count_reciprocal inverse(count);
    const __m512i reciprocal = _mm512_set1_epi32(inverse.factor);
    const __m128i drop = _mm_cvtsi32_si128(inverse.drop);
    const __m512i half = _mm512_set1_epi32(count / 2);
    const __m512i low = _mm512_set1_epi16(static_cast<int16_t>(lowest)), high = _mm512_set1_epi16(static_cast<int16_t>(highest));
    const auto mean = [&](__m512i sum) __attribute__((always_inline)) {
      const __m512i a = _mm512_add_epi32(_mm512_abs_epi32(sum), half);
      const __m512i q = lower_halves({_mm512_srl_epi64(_mm512_mul_epu32(a, reciprocal), drop),
                                      _mm512_srl_epi64(_mm512_mul_epu32(_mm512_srli_epi64(a, 32), reciprocal), drop)});
      return _mm512_mask_sub_epi32(q, _mm512_movepi32_mask(sum), _mm512_setzero_si512(), q);
    };
    for (int c = 0; c < channels; c += 32) {
      const __mmask32 there = first32(channels - c);
      const grid_sums<Code> s(g, c, there);
      const __m512i words = _mm512_packs_epi32(mean(s.low), mean(s.high));
      store_words<Code>(y + c, there, _mm512_min_epi16(_mm512_max_epi16(words, low), high));
    }
  }
};

template <>
struct prim<prims::position_mean, arch::avx512bw> {
  template <class X, class Out>
  static void run(int positions, int channels, const X* x, const rescale_values& v, Out* y) noexcept {
    using namespace detail::avx512;
    const factors16 f = {_mm512_set1_epi32(v.mantissa), _mm512_set1_epi32(v.exponent)};
    if (v.exponent <= -2) all(positions, channels, x, v, rescale_small(f), y);
    else all(positions, channels, x, v, rescale_once(f), y);
  }

private:
  template <class X, class Out, class Rescale>
  LOWBITS_REGION_INLINE static void all(int positions, int channels, const X* x, const rescale_values& v,
                                        const Rescale& rescale, Out* y) {
    using namespace detail::avx512;
    const code_grid<X> g{x, 1, positions, 0, channels};
    const word_stage stage(v.stage);
    const __m512i offset = _mm512_set1_epi32(positions * v.zero);
    const __m512i lowest = _mm512_set1_epi32(v.stage.lowest - v.stage.zero_point);
    const __m512i highest = _mm512_set1_epi32(v.stage.highest - v.stage.zero_point);
    for (int c = 0; c < channels; c += 32) {
      const __mmask32 there = first32(channels - c);
      const grid_sums<X> s(g, c, there);
      store_words<Out>(y + c, there, stage(rescale(_mm512_sub_epi32(s.low, offset), lowest, highest),
                                           rescale(_mm512_sub_epi32(s.high, offset), lowest, highest)));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
