// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Transposes whose last axes are two groups that change places (a matrix, NHWC to NCHW and back), tile
// by tile. Every other one is that of ref/shape_ops.hpp.

#include <lowbits/ref/shape_ops.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

#if LOWBITS_GNU && (defined(__SSE2__) || LOWBITS_AARCH64)
#define LOWBITS_DETAIL_VECTOR_TRANSPOSE 1

/// A tile of 16 x 16 bytes: y[c * y_step + r] = x[r * x_step + c]. The compiler has interleaving
/// instructions for both shuffles: punpck on x86, zip on ARM.
inline void transpose_tile(const uint8_t* x, ptrdiff_t x_step, uint8_t* y, ptrdiff_t y_step) noexcept {
  using bytes = uint8_t __attribute__((vector_size(16)));
  bytes v[16], w[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) __builtin_memcpy(&v[i], x + i * x_step, 16);
  const auto interleave = [](const bytes* from, bytes* to) __attribute__((always_inline)) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      to[2 * i] = __builtin_shufflevector(from[i], from[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      to[2 * i + 1] = __builtin_shufflevector(from[i], from[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
  };
  interleave(v, w), interleave(w, v), interleave(v, w), interleave(w, v);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) __builtin_memcpy(y + i * y_step, &v[i], 16);
}
#else
#define LOWBITS_DETAIL_VECTOR_TRANSPOSE 0
#endif

/// y[c][r] = x[r][c]
template <class T>
void transpose_matrix(ptrdiff_t rows, ptrdiff_t cols, const T* x, T* y) noexcept {
  constexpr ptrdiff_t tile = 32;
#if LOWBITS_DETAIL_VECTOR_TRANSPOSE
  if constexpr (sizeof(T) == 1) {  // strips of rows, 16 columns at a time, then what remains beside and below
    const ptrdiff_t whole_rows = rows / 16 * 16, whole_cols = cols / 16 * 16;
    const auto* from = reinterpret_cast<const uint8_t*>(x);
    auto* to = reinterpret_cast<uint8_t*>(y);
    constexpr ptrdiff_t strip = 64;
    for (ptrdiff_t r0 = 0; r0 < whole_rows; r0 += strip)
      for (ptrdiff_t c = 0; c < whole_cols; c += 16)
        for (ptrdiff_t r = r0; r < whole_rows && r < r0 + strip; r += 16)
          transpose_tile(from + r * cols + c, cols, to + c * rows + r, rows);
    for (ptrdiff_t r = 0; r < rows; ++r)
      for (ptrdiff_t c = r < whole_rows ? whole_cols : 0; c < cols; ++c) y[c * rows + r] = x[r * cols + c];
    return;
  }
#endif
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
