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
        for (int r = 0; r < rows; ++r)
          for (int i = c; i < c + n; ++i)
            y[r * y_stride + i] = code_of<Rule, Code>(acc[r * acc_stride + i], factors, i, stage);
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
    const word_stage to_codes(stage);
    const auto row = [&](const int32_t* p) __attribute__((always_inline)) { return to_codes(low(load(p)), high(load(p + 4))); };
    for (int r = 0; r < rows; r += 2) {
      const int next = r + 1 < rows ? 1 : 0;  // the last row may be its own partner
      const __m128i bytes = pack_words<Code>(row(acc + r * acc_stride), row(acc + (r + next) * acc_stride));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(y + r * y_stride), bytes);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(y + (r + next) * y_stride), _mm_unpackhi_epi64(bytes, bytes));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
