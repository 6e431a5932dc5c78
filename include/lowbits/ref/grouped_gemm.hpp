// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rows of codes times constant weights that have a scale for each group of weights along the depth. This is the
// definition. Starting from bias[c] or 0, for one group g after another,
//
//   y[b][r][c] = float(sum over k in g of (x[b][r][k] - x_zero) * (w[c][k] - w_zero)) * (row_scales[row] * scales[g][c])
//                + y[b][r][c]
//
// every operation rounded on its own; row counts on through the batch.

#include <lowbits/pack/packed_view.hpp>
#include <lowbits/ref/gemm.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The real numbers of a product with groups.
struct group_scales {
  const float* scales = nullptr;      ///< [depth / group][cols]
  const float* bias = nullptr;        ///< [cols]; null: 0
  const float* row_scales = nullptr;  ///< [batch * rows]; null: 1

  /// What follows the sum of group g in row `row`, whose results so far are y.
  constexpr float_output after(int g, int cols, int64_t row, const float* y) const noexcept {
    return {.scales = scales + ptrdiff_t{g} * cols, .bias = g > 0 ? y : bias, .row_scales = row_scales != nullptr ? row_scales + row : nullptr};
  }
};

/// The weights of a group as a matrix of their own, [cols][group].
template <class Q>
struct group_codes {
  using q = Q;
  packed_view<Q> all;  ///< [cols][depth]
  size_t depth = 1, group = 1, first = 0;

  constexpr int operator[](size_t i) const noexcept { return all[i / group * depth + first + i % group]; }
};

namespace ref {

/// group divides the depth. y overlaps nothing else.
template <class Acc, class X, class Q>
constexpr void grouped_gemm(const gemm_shape& s, int group, const X* x, int x_zero, const packed_view<Q>& w, int w_zero,
                            const group_scales& scales, float* y) noexcept {
  const gemm_shape one{.rows = 1, .cols = s.cols, .depth = group};
  for (int b = 0; b < s.batch; ++b)
    for (int r = 0; r < s.rows; ++r) {
      float* const to = y + b * s.y_matrix_step() + r * s.y_row_step();
      const X* const from = x + b * s.x_matrix_step() + r * s.x_row_step();
      if (s.depth == 0)
        for (int c = 0; c < s.cols; ++c) to[c] = scales.bias != nullptr ? scales.bias[c] : 0.0f;
      for (int g = 0; g * group < s.depth; ++g) {
        const group_codes<Q> codes{w, static_cast<size_t>(s.depth), static_cast<size_t>(group), static_cast<size_t>(g) * static_cast<size_t>(group)};
        gemm<Acc>(one, from + ptrdiff_t{g} * group, x_zero, codes, w_zero, static_cast<const int32_t*>(nullptr),
                  scales.after(g, s.cols, int64_t{b} * s.rows + r, to), to);
      }
    }
}

}  // namespace ref

}  // namespace lowbits
