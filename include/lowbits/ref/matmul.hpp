// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of batches of matrices, both operands being activations. This is the definition.
//
//   y[b][r][c] = rq(sum over k of (x[b][r][k] - x_zero) * (w[b][k][c] - w_zero),  c)
//
// Two batch axes broadcast; either operand may be stored transposed (see matmul_shape).

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/raw_accumulator.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// The matrix of an operand that batch index (b0, b1) of the output reads.
constexpr ptrdiff_t matmul_batch(const int (&batch)[2], int b0, int b1) noexcept {
  return ptrdiff_t{batch[0] == 1 ? 0 : b0} * batch[1] + (batch[1] == 1 ? 0 : b1);
}

/// The accumulator of row r and column c; x and w are read from elements x_at and w_at on.
template <class Acc, class X, class W>
constexpr Acc matmul_accumulator(const matmul_shape& s, const X& x, int x_zero, ptrdiff_t x_at,
                                 const W& w, int w_zero, ptrdiff_t w_at, int r, int c) noexcept {
  Acc acc = 0;
  for (int k = 0; k < s.depth; ++k) {
    const ptrdiff_t xi = s.x_transposed ? ptrdiff_t{k} * s.rows + r : ptrdiff_t{r} * s.depth + k;
    const ptrdiff_t wi = s.w_transposed ? ptrdiff_t{c} * s.depth + k : ptrdiff_t{k} * s.cols + c;
    acc += static_cast<Acc>(x[static_cast<size_t>(x_at + xi)] - x_zero) *
        static_cast<Acc>(w[static_cast<size_t>(w_at + wi)] - w_zero);
  }
  return acc;
}

/// x [x_batch][rows][depth], w [w_batch][depth][cols], y [batch(0)][batch(1)][rows][cols]. Sums are
/// taken in Acc, and the caller sees to it that Acc holds every partial sum. rq maps (accumulator,
/// column) to an element of y.
template <class Acc, class X, class W, class Rq, class Y>
constexpr void matmul(const matmul_shape& s, X x, int x_zero, W w, int w_zero, const Rq& rq,
                      Y* y) noexcept {
  for (int b0 = 0; b0 < s.batch(0); ++b0)
    for (int b1 = 0; b1 < s.batch(1); ++b1) {
      const ptrdiff_t x_at = matmul_batch(s.x_batch, b0, b1) * s.rows * s.depth;
      const ptrdiff_t w_at = matmul_batch(s.w_batch, b0, b1) * s.depth * s.cols;
      for (int r = 0; r < s.rows; ++r)
        for (int c = 0; c < s.cols; ++c)
          *y++ = rq(matmul_accumulator<Acc>(s, x, x_zero, x_at, w, w_zero, w_at, r, c),
                    static_cast<size_t>(c));
    }
}

}  // namespace lowbits::ref
