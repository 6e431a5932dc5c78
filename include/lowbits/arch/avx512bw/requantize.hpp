// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accumulators to codes with AVX-512, sixteen columns at a time.

#include <lowbits/arch/avx512bw/common.hpp>

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// The output stage, for words.
struct word_stage {
  __m512i zero_point, lowest, highest;
  LOWBITS_REGION_INLINE explicit word_stage(const code_stage& s)
      : zero_point(_mm512_set1_epi16(static_cast<int16_t>(s.zero_point))),
        lowest(_mm512_set1_epi16(static_cast<int16_t>(s.lowest - s.zero_point))),
        highest(_mm512_set1_epi16(static_cast<int16_t>(s.highest - s.zero_point))) {}
  /// Codes of 16 + 16 rescaled numbers, as words; packing saturates far outside any range of codes.
  LOWBITS_REGION_INLINE __m512i operator()(__m512i a, __m512i b) const {
    const __m512i words = _mm512_packs_epi32(a, b);
    return _mm512_add_epi16(_mm512_min_epi16(_mm512_max_epi16(words, lowest), highest), zero_point);
  }
};
/// Bytes of two rows of 32 words: what packing in 128-bit lanes left behind, put in order.
template <class Code>
LOWBITS_REGION_INLINE __m512i in_order(__m512i row, __m512i next) {
  const __m512i bytes = Code(-1) < Code(0) ? _mm512_packs_epi16(row, next) : _mm512_packus_epi16(row, next);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, bytes);
}

template <class Code>
LOWBITS_REGION_INLINE __m512i held_bytes(__m512i v, __m512i lowest, __m512i highest) {
  if constexpr (Code(-1) < Code(0)) return _mm512_min_epi8(_mm512_max_epi8(v, lowest), highest);
  else return _mm512_min_epu8(_mm512_max_epu8(v, lowest), highest);
}

}  // namespace detail::avx512

template <>
struct prim<prims::requantize, arch::avx512bw> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                  const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    using namespace detail::avx512;
    int c = 0;
    if constexpr (Rule == rescale_rule::once) {
      for (; c + 64 <= cols && all_suit(factors, c); c += 64)
        wide_columns(rows, acc + c, acc_stride, factors, c, stage, y + c, y_stride);
    }
    for (; c < cols; c += 32) {
      const int n = cols - c < 32 ? cols - c : 32, low = n < 16 ? n : 16, high = n - low;
      const factors16 f = load_factors(factors, c, low);
      const factors16 g = high > 0 ? load_factors(factors, c + 16, high) : f;
      if constexpr (Rule == rescale_rule::twice) {
        columns(rows, n, acc + c, acc_stride, rescale_twice(f), rescale_twice(g), stage, y + c, y_stride);
      } else if (rescale_small::suits(f, low) && rescale_small::suits(g, high)) {
        columns(rows, n, acc + c, acc_stride, rescale_small(f), rescale_small(g), stage, y + c, y_stride);
      } else {
        columns(rows, n, acc + c, acc_stride, rescale_once(f), rescale_once(g), stage, y + c, y_stride);
      }
    }
  }

private:
  LOWBITS_REGION_INLINE static bool all_suit(const column_factors& factors, int c) {
    using namespace detail::avx512;
    bool suits = true;
    for (int j = 0; j < 4; ++j) suits = suits && rescale_small::suits(load_factors(factors, c + 16 * j, 16), 16);
    return suits;
  }
  /// 64 columns, row by row. The odd numbers are loaded once more, not moved, for as long as that stays
  /// inside the row: shuffles are what there is too much of.
  template <class Code>
  LOWBITS_REGION_INLINE static void wide_columns(int rows, const int32_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                                                 int c, const code_stage& stage, Code* y, ptrdiff_t y_stride) {
    using namespace detail::avx512;
    const rescale_small f[4] = {rescale_small(load_factors(factors, c, 16)), rescale_small(load_factors(factors, c + 16, 16)),
                                rescale_small(load_factors(factors, c + 32, 16)), rescale_small(load_factors(factors, c + 48, 16))};
    const __m512i zero_point = _mm512_set1_epi16(static_cast<int16_t>(stage.zero_point));
    const __m512i lowest = _mm512_set1_epi8(static_cast<char>(stage.lowest));
    const __m512i highest = _mm512_set1_epi8(static_cast<char>(stage.highest));
    for (; rows > 0; --rows, acc += acc_stride, y += y_stride) {
      const auto part = [&](int j) __attribute__((always_inline)) {
        const __m512i x = load(acc + 16 * j);
        return f[j].pairs(x, j < 3 ? load(acc + 16 * j + 1) : _mm512_srli_epi64(x, 32));
      };
      const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(part(0), part(1)), zero_point);
      const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(part(2), part(3)), zero_point);
      store(y, held_bytes<Code>(in_order<Code>(low, high), lowest, highest));
    }
  }
  /// Up to 32 columns, two rows at a time.
  template <class Rescale, class Code>
  LOWBITS_REGION_INLINE static void columns(int rows, int n, const int32_t* acc, ptrdiff_t acc_stride,
                                            const Rescale& f, const Rescale& g, const code_stage& stage, Code* y,
                                            ptrdiff_t y_stride) {
    using namespace detail::avx512;
    const word_stage to_codes(stage);
    const __m512i lowest = _mm512_set1_epi32(stage.lowest - stage.zero_point);
    const __m512i highest = _mm512_set1_epi32(stage.highest - stage.zero_point);
    const __mmask16 low = first16(n), high = n > 16 ? first16(n - 16) : __mmask16{0};
    const auto row = [&](const int32_t* p) __attribute__((always_inline)) {
      return to_codes(f(_mm512_maskz_loadu_epi32(low, p), lowest, highest),
                      g(_mm512_maskz_loadu_epi32(high, p + 16), lowest, highest));
    };
    const auto put = [&](Code* to, __m256i codes) __attribute__((always_inline)) {
      if (n == 32) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), codes);
      else _mm256_mask_storeu_epi8(to, static_cast<__mmask32>(first64(n)), codes);
    };
    int r = 0;
    for (; r + 2 <= rows; r += 2, acc += 2 * acc_stride, y += 2 * y_stride) {
      const __m512i both = in_order<Code>(row(acc), row(acc + acc_stride));
      put(y, _mm512_castsi512_si256(both));
      put(y + y_stride, _mm512_extracti64x4_epi64(both, 1));
    }
    if (r < rows) {
      const __m512i last = row(acc);
      put(y, _mm512_castsi512_si256(in_order<Code>(last, last)));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
