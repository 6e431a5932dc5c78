// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accumulators to codes with SSE4.1, eight columns at a time.

#include <lowbits/arch/sse41/common.hpp>

LOWBITS_REGION_SSE41
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::requantize, arch::sse41> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                  const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    using namespace detail::sse41;
    using rescale = std::conditional_t<Rule == rescale_rule::once, rescale_once, rescale_twice>;
    for (int c = 0; c < cols; c += 8) {
      const int n = cols - c < 8 ? cols - c : 8, low = n < 4 ? n : 4;
      const factors4 f = load_factors(factors, c, low), g = load_factors(factors, c + low, n - low);
      if (!rescale::suits(f) || !rescale::suits(g)) {
        one_by_one<Rule>(rows, n, acc + c, acc_stride, factors, c, stage, y + c, y_stride);
      } else if (n == 8) {
        columns(rows, acc + c, acc_stride, rescale(f), rescale(g), stage, y + c, y_stride);
      } else {
        for (int r = 0; r < rows; ++r) {
          int32_t wide[8] = {};
          Code codes[8];
          __builtin_memcpy(wide, acc + r * acc_stride + c, 4 * static_cast<size_t>(n));
          columns(1, wide, 8, rescale(f), rescale(g), stage, codes, 8);
          __builtin_memcpy(y + r * y_stride + c, codes, static_cast<size_t>(n));
        }
      }
    }
  }

private:
  /// Eight columns, two rows at a time.
  template <class Rescale, class Code>
  static void columns(int rows, const int32_t* acc, ptrdiff_t acc_stride, const Rescale& f, const Rescale& g,
                      const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    using namespace detail::sse41;
    const Rescale low = f, high = g;  // copies: what is written through y cannot change them
    const __m128i zero_point = _mm_set1_epi16(static_cast<int16_t>(stage.zero_point));
    const __m128i lowest = _mm_set1_epi16(static_cast<int16_t>(stage.lowest - stage.zero_point));
    const __m128i highest = _mm_set1_epi16(static_cast<int16_t>(stage.highest - stage.zero_point));
    const auto row = [&](const int32_t* p) __attribute__((always_inline)) {
      // Packing saturates far outside any range of codes.
      const __m128i words = _mm_packs_epi32(low(load(p)), high(load(p + 4)));
      return _mm_add_epi16(_mm_min_epi16(_mm_max_epi16(words, lowest), highest), zero_point);
    };
    for (int r = 0; r < rows; r += 2) {
      const int next = r + 1 < rows ? 1 : 0;  // the last row may be its own partner
      const __m128i a = row(acc + r * acc_stride), b = row(acc + (r + next) * acc_stride);
      const __m128i bytes = Code(-1) < Code(0) ? _mm_packs_epi16(a, b) : _mm_packus_epi16(a, b);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(y + r * y_stride), bytes);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(y + (r + next) * y_stride), _mm_unpackhi_epi64(bytes, bytes));
    }
  }

  /// Scales of 1/4 and more are rare.
  template <rescale_rule Rule, class Code>
  static void one_by_one(int rows, int n, const int32_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                         int column, const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    for (int c = 0; c < n; ++c) {
      int32_t f[2];
      __builtin_memcpy(f, static_cast<const char*>(factors.pairs) + (factors.per_column ? 8 * ptrdiff_t{column + c} : 0), 8);
      for (int r = 0; r < rows; ++r) {
        const int64_t v = detail::sse41::rescaled<Rule>(acc[r * acc_stride + c], f[0], f[1]) + stage.zero_point;
        y[r * y_stride + c] = static_cast<Code>(clamp<int64_t>(v, stage.lowest, stage.highest));
      }
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
