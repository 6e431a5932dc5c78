// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Transposes whose last axes are two groups that change places (a matrix, NHWC to NCHW and back), tile
// by tile. Every other one is that of ref/shape_ops.hpp.

#include <lowbits/ref/shape_ops.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// y[c][r] = x[r][c]
template <class T>
void transpose_matrix(ptrdiff_t rows, ptrdiff_t cols, const T* x, T* y) noexcept {
  constexpr ptrdiff_t tile = 32;
  for (ptrdiff_t r0 = 0; r0 < rows; r0 += tile)
    for (ptrdiff_t c0 = 0; c0 < cols; c0 += tile) {
      const ptrdiff_t r1 = smaller(r0 + tile, rows), c1 = smaller(c0 + tile, cols);
      for (ptrdiff_t c = c0; c < c1; ++c)
        for (ptrdiff_t r = r0; r < r1; ++r) y[c * rows + r] = x[r * cols + c];
    }
}

/// Axis i of y is axis axes[i] of x.
template <class T>
void transpose(const tensor_shape& shape, const T* x, const int* axes, const tensor_shape& out, T* y) noexcept {
  const int rank = shape.rank;
  int first = 0;  // of the axes that move
  while (first < rank && axes[first] == first) ++first;
  const int second = first < rank ? axes[first] : rank;  // the group that comes first in y
  bool swaps = first < rank;
  for (int i = first; i < rank; ++i) {
    const int a = i + second - first;
    swaps = swaps && axes[i] == (a < rank ? a : a - rank + first);
  }
  if (!swaps) return ref::transpose(shape, x, axes, out, y);
  ptrdiff_t count = 1, rows = 1, cols = 1;
  for (int a = 0; a < rank; ++a) (a < first ? count : a < second ? rows : cols) *= shape.extent[a];
  for (ptrdiff_t k = 0; k < count; ++k, x += rows * cols, y += rows * cols) transpose_matrix(rows, cols, x, y);
}

}  // namespace lowbits::kernel
