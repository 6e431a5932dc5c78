// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rows of codes times constant weights. This is the definition.
//
//   y[b][r][c] = rq(bias[c] + sum over k of (x[b][r][k] - x_zero) * (w[c][k] - w_zero),  row, c)
//
// row counts on through the batch, b * rows + r. With a residual, y = sum(rq(...), residual[b][r][c]):
// the bytes that a product and an element-wise sum after it give.

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/eltwise.hpp>
#include <lowbits/fixed/float_output.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// What is added to the codes of a product, laid out as y. Outputs wider than 16 bits take none.
template <class Code>
struct residual {
  const Code* codes = nullptr;  ///< null: nothing is added
  sum_params sum{};             ///< x is the product, y what is added
};

namespace ref {

/// Element (r, c) of matrix b. bias has cols elements or is null; sums are taken in Acc, and the caller
/// sees to it that Acc holds every partial sum.
template <class Acc, class X, class W, class Bias, class Rq, class R>
constexpr auto gemm_element(const gemm_shape& s, const X& x, int x_zero, const W& w, int w_zero, const Bias* bias,
                            const Rq& rq, const residual<R>& added, int b, int r, int c) noexcept {
  const ptrdiff_t from = b * s.x_matrix_step() + r * s.x_row_step();
  Acc acc = bias != nullptr ? static_cast<Acc>(bias[c]) : Acc{0};
  for (int k = 0; k < s.depth; ++k)
    acc += static_cast<Acc>(x[from + k] - x_zero) * static_cast<Acc>(w[static_cast<size_t>(ptrdiff_t{c} * s.depth + k)] - w_zero);
  const auto row = static_cast<size_t>(b) * static_cast<size_t>(s.rows) + static_cast<size_t>(r);
  auto y = output_of(rq, acc, row, static_cast<size_t>(c));
  if constexpr (sizeof(y) <= 2) {
    const ptrdiff_t at = b * s.y_matrix_step() + r * s.y_row_step() + c;
    if (added.codes != nullptr) y = static_cast<decltype(y)>(added.sum(y, added.codes[at]));
  }
  return y;
}

/// x, w and y as gemm_shape says. y overlaps neither x nor the residual's codes.
template <class Acc, class X, class W, class Bias, class Rq, class Y>
constexpr void gemm(const gemm_shape& s, X x, int x_zero, W w, int w_zero, const Bias* bias, const Rq& rq, Y* y,
                    const residual<Y>& added = {}) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int r = 0; r < s.rows; ++r)
      for (int c = 0; c < s.cols; ++c)
        y[b * s.y_matrix_step() + r * s.y_row_step() + c] =
            gemm_element<Acc>(s, x, x_zero, w, w_zero, bias, rq, added, b, r, c);
}

}  // namespace ref

}  // namespace lowbits
