// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accumulators to codes with AVX2, sixteen columns at a time.

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2 {

/// The output stage, for words.
struct word_stage {
  __m256i zero_point, lowest, highest;
  LOWBITS_REGION_INLINE explicit word_stage(const code_stage& s)
      : zero_point(_mm256_set1_epi16(static_cast<int16_t>(s.zero_point))),
        lowest(_mm256_set1_epi16(static_cast<int16_t>(s.lowest - s.zero_point))),
        highest(_mm256_set1_epi16(static_cast<int16_t>(s.highest - s.zero_point))) {}
  /// Codes of 8 + 8 rescaled numbers, as words; packing saturates far outside any range of codes.
  LOWBITS_REGION_INLINE __m256i operator()(__m256i a, __m256i b) const {
    const __m256i words = _mm256_packs_epi32(a, b);
    return _mm256_add_epi16(_mm256_min_epi16(_mm256_max_epi16(words, lowest), highest), zero_point);
  }
};

}  // namespace detail::avx2

template <>
struct prim<prims::requantize, arch::avx2> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                  const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    using namespace detail::avx2;
    for (int c = 0; c < cols; c += 16) {
      const int n = cols - c < 16 ? cols - c : 16, high = n > 8 ? n - 8 : 0;
      const factors8 f = load_factors(factors, c, n - high);
      const factors8 g = high > 0 ? load_factors(factors, c + 8, high) : f;
      if constexpr (Rule == rescale_rule::twice) {
        columns(rows, n, acc + c, acc_stride, rescale_twice(f), rescale_twice(g), stage, y + c, y_stride);
      } else if (rescale_small::suits(f, n - high) && rescale_small::suits(g, high)) {
        columns(rows, n, acc + c, acc_stride, rescale_small(f), rescale_small(g), stage, y + c, y_stride);
      } else {
        columns(rows, n, acc + c, acc_stride, rescale_once(f), rescale_once(g), stage, y + c, y_stride);
      }
    }
  }

private:
  template <class Rescale, class Code>
  LOWBITS_REGION_INLINE static void columns(int rows, int n, const int32_t* acc, ptrdiff_t acc_stride,
                                            const Rescale& f, const Rescale& g, const code_stage& stage, Code* y,
                                            ptrdiff_t y_stride) {
    using namespace detail::avx2;
    const word_stage to_codes(stage);
    const __m256i lowest = _mm256_set1_epi32(stage.lowest - stage.zero_point);
    const __m256i highest = _mm256_set1_epi32(stage.highest - stage.zero_point);
    const __m256i low = first8(n), high = first8(n - 8);
    const auto row = [&](const int32_t* p) __attribute__((always_inline)) {
      return to_codes(f(_mm256_maskload_epi32(p, low), lowest, highest),
                      g(_mm256_maskload_epi32(n > 8 ? p + 8 : p, high), lowest, highest));
    };
    int r = 0;
    for (; r + 2 <= rows; r += 2, acc += 2 * acc_stride, y += 2 * y_stride) {
      const __m256i both = in_order<Code>(row(acc), row(acc + acc_stride));
      store_bytes(y, _mm256_castsi256_si128(both), n);
      store_bytes(y + y_stride, _mm256_extracti128_si256(both, 1), n);
    }
    if (r < rows) {
      const __m256i last = row(acc);
      store_bytes(y, _mm256_castsi256_si128(in_order<Code>(last, last)), n);
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
