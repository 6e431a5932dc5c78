// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The shapes of operations, shared by the reference, the kernels and the graph. Activations are
// NHWC, row-major, without gaps. Extents are ints >= 0; an output with no elements is legal.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// A window that slides over the two spatial axes. Tap (i, j) of output (oh, ow) reads input row
/// oh * stride_h - pad_top + i * dilation_h; a position outside the input counts as the zero point.
/// Padding below and to the right follows from the output's extents.
struct window2d {
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_left = 0;

  constexpr bool operator==(const window2d&) const = default;
  constexpr int reach_h() const noexcept { return (kernel_h - 1) * dilation_h + 1; }
  constexpr int reach_w() const noexcept { return (kernel_w - 1) * dilation_w + 1; }
  constexpr int taps() const noexcept { return kernel_h * kernel_w; }
};

/// x [batch][in_h][in_w][in_c], w [out_c][kernel_h][kernel_w][in_c / groups], y [batch][out_h][out_w][out_c].
struct conv2d_shape {
  int batch = 1, in_h = 1, in_w = 1, in_c = 1;
  int out_h = 1, out_w = 1, out_c = 1;
  window2d window{};
  int groups = 1;

  constexpr bool operator==(const conv2d_shape&) const = default;
  constexpr int group_in() const noexcept { return in_c / groups; }
  constexpr int group_out() const noexcept { return out_c / groups; }
  /// Products in one accumulator.
  constexpr int depth() const noexcept { return window.taps() * group_in(); }
};

/// A matrix of weights applied to each row: x [rows][in], w [out][in], y [rows][out].
constexpr conv2d_shape dense_shape(int rows, int in, int out) noexcept {
  return {.batch = rows, .in_c = in, .out_c = out};
}

/// y[b][r][c] from x[b][r] and the weights w[c]: rows of `depth` numbers times weights [cols][depth].
/// Strides count elements; 0 stands for rows, and matrices, that follow each other without a gap.
struct gemm_shape {
  int rows = 1, cols = 1, depth = 1;
  int batch = 1;
  ptrdiff_t x_row = 0, x_matrix = 0;  ///< from one row, and one matrix, of x to the next
  ptrdiff_t y_row = 0, y_matrix = 0;

  constexpr bool operator==(const gemm_shape&) const = default;
  constexpr ptrdiff_t x_row_step() const noexcept { return x_row != 0 ? x_row : depth; }
  constexpr ptrdiff_t y_row_step() const noexcept { return y_row != 0 ? y_row : cols; }
  constexpr ptrdiff_t x_matrix_step() const noexcept { return x_matrix != 0 ? x_matrix : rows * x_row_step(); }
  constexpr ptrdiff_t y_matrix_step() const noexcept { return y_matrix != 0 ? y_matrix : rows * y_row_step(); }
};

/// x [batch][in_h][in_w][in_c], w [kernel_h][kernel_w][in_c * multiplier], y [batch][out_h][out_w][in_c * multiplier];
/// output channel c * multiplier + m reads input channel c.
struct depthwise_shape {
  int batch = 1, in_h = 1, in_w = 1, in_c = 1;
  int out_h = 1, out_w = 1, multiplier = 1;
  window2d window{};

  constexpr bool operator==(const depthwise_shape&) const = default;
  constexpr int out_c() const noexcept { return in_c * multiplier; }
};

/// x [batch][in_h][in_w][channels], y [batch][out_h][out_w][channels].
struct pool2d_shape {
  int batch = 1, in_h = 1, in_w = 1, channels = 1;
  int out_h = 1, out_w = 1;
  window2d window{};

  constexpr bool operator==(const pool2d_shape&) const = default;
};

/// y[b] = x[b] * w[b] for matrices x (rows x depth) and w (depth x cols), either one stored
/// transposed. The batch extents broadcast: an extent of 1 on one side is repeated.
struct matmul_shape {
  int x_batch[2] = {1, 1};
  int w_batch[2] = {1, 1};
  int rows = 1, depth = 1, cols = 1;
  bool x_transposed = false;  ///< x is stored [depth][rows]
  bool w_transposed = false;  ///< w is stored [cols][depth]

  constexpr bool operator==(const matmul_shape&) const = default;
  constexpr int batch(int axis) const noexcept { return x_batch[axis] == 1 ? w_batch[axis] : x_batch[axis]; }
};

inline constexpr int max_rank = 6;

/// Extents of a tensor, outermost first.
struct tensor_shape {
  int rank = 0;
  int extent[max_rank]{};

  constexpr bool operator==(const tensor_shape&) const = default;
  constexpr size_t count() const noexcept {
    size_t n = 1;
    for (int i = 0; i < rank; ++i) n *= static_cast<size_t>(extent[i]);
    return n;
  }
};

}  // namespace lowbits
