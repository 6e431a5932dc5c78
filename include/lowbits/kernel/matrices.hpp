// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The walk that products of batches of matrices share, whatever their elements.

#include <lowbits/kernel/pack_matrix.hpp>
#include <lowbits/ref/matmul.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// One matrix x, row by row: as it lies in memory, or gathered where it is stored transposed.
template <class X>
struct row_reader {
  const matmul_shape& s;
  const X* x;
  X* gathered;  ///< room for one row

  const X* operator()(int r) const noexcept {
    if (!s.x_transposed) return x + ptrdiff_t{r} * s.depth;
    for (int k = 0; k < s.depth; ++k) gathered[k] = x[ptrdiff_t{k} * s.rows + r];
    return gathered;
  }
};

/// What a product of matrices needs beside its rows: the second operand, prepared, and a row of X.
template <class X, class Weights>
constexpr size_t matrices_bytes(const matmul_shape& s, const Weights& w) noexcept {
  return work_bytes(w.bytes(), 1) + work_bytes(static_cast<size_t>(s.depth), sizeof(X));
}

/// zero is the second operand's zero point as pack(matrix, packed) prepares it, in room for p.weights. An operand that
/// serves several products is prepared once.
template <class Product, class X, class W, class Rq, class Y, class Pack>
void run_matrices(const Product& p, const matmul_shape& s, const X* x, int x_zero, const W* w, int zero, const Rq& rq, Y* y,
                  unsigned char* packed, X* gathered, Pack&& pack) noexcept {
  const ptrdiff_t by_col = s.w_transposed ? s.depth : 1, by_depth = s.w_transposed ? 1 : s.cols;
  ptrdiff_t prepared = -1;
  int64_t row_number = 0;
  for (int b0 = 0; b0 < s.batch(0); ++b0)
    for (int b1 = 0; b1 < s.batch(1); ++b1) {
      const ptrdiff_t x_matrix = ref::matmul_batch(s.x_batch, b0, b1), w_matrix = ref::matmul_batch(s.w_batch, b0, b1);
      if (w_matrix != prepared) pack(matrix_codes<W>{w + w_matrix * s.depth * s.cols, by_col, by_depth}, packed);
      prepared = w_matrix;
      const row_reader<X> row{s, x + x_matrix * s.rows * s.depth, gathered};
      for (int done = 0; done < s.rows; done += p.block.rows) {
        const int n = smaller(p.block.rows, s.rows - done);
        for (int r = 0; r < n; ++r) load_rows(p, 1, s.depth, row(done + r), 0, r);
        p.multiply(n, p.area.rows(), x_zero, zero, packed, {0, s.cols}, rq, {row_number, 0}, y, s.cols);
        y += ptrdiff_t{n} * s.cols;
        row_number += n;
      }
    }
}

}  // namespace lowbits::kernel
