// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// One operation of a graph, as plain data. Which attributes count depends on the kind.

#include <lowbits/op/constants.hpp>
#include <lowbits/op/error.hpp>
#include <lowbits/op/options.hpp>
#include <lowbits/op/tensor_desc.hpp>

namespace lowbits::inline LOWBITS_ABI {

enum class op_kind : uint8_t {
  input,
  constant,
  conv2d,
  depthwise,
  transposed_conv2d,
  dense,
  matmul,
  max_pool,
  average_pool,
  global_mean,
  add,
  sub,
  mul,
  minimum,
  maximum,
  concat,
  pad,
  reshape,
  transpose,
  slice,
  resize,
  grid_sample,
  softmax,
  function,
  requantize,
  quantize,
  dequantize,
  custom
};

inline constexpr int max_inputs = 8;

/// A function of one real number, for tables; parameter is its constant (a slope, for example).
using real_function = double (*)(double x, double parameter);

/// What a user's own operation is given when it runs. Inputs and output are the tensors' elements,
/// row-major; scratch has the bytes the node asked for, 16-byte aligned.
struct custom_call {
  const void* const* in = nullptr;
  const tensor_desc* in_desc = nullptr;
  void* out = nullptr;
  const tensor_desc* out_desc = nullptr;
  void* scratch = nullptr;
  const void* user = nullptr;  ///< custom_options::user
};
using custom_run = void (*)(const custom_call&) noexcept;

struct custom_options {
  custom_run run = nullptr;
  tensor_desc out{};
  size_t scratch_bytes = 0;
  const void* user = nullptr;  ///< constant data of the node
  size_t user_bytes = 0;       ///< counted in the model's weight bytes
  uint64_t macs = 0;
  bool in_place = false;  ///< the output may overwrite the first input
  bool refused = false;   ///< set by the node's author when its inputs do not fit
};

struct node {
  op_kind kind = op_kind::input;
  node_name name{};
  int in_count = 0;
  int in[max_inputs]{};
  tensor_desc out{};

  window2d window{};
  int groups = 1;  ///< conv2d: groups; depthwise: multiplier
  weight_data weights{};
  bias_data bias{};
  dynamic_definition dynamic = dynamic_definition::symmetric;
  activation fused = activation::none;
  rounding policy = rounding::single;
  scale_product product = scale_product::exact;
  sum_definition sum = sum_definition::single;
  error_compensation ec = error_compensation::none;

  int axis = 0;             ///< concat
  int list[3][max_rank]{};  ///< pad: before; transpose: axes; slice: begin, extent, step
  bool flag[2]{};           ///< matmul: transposed; resize: align_corners, half_pixel_centers
  resize_mode mode = resize_mode::nearest;
  grid_padding outside = grid_padding::zeros;
  real_function function = nullptr;
  function_table table{};  ///< instead of function
  constant_data constant{};
  bool has_fill = false;  ///< pad: with `fill`, or `parameter` for floats; otherwise with zeros
  int fill = 0;
  double parameter = 0;  ///< of function; softmax: beta; quantize: multiplier
  custom_options custom{};
};

/// Layers with weights: the operations whose accumulators and multipliers are planned.
constexpr bool has_weights(op_kind k) noexcept {
  return k == op_kind::conv2d || k == op_kind::depthwise || k == op_kind::transposed_conv2d ||
      k == op_kind::dense;
}

}  // namespace lowbits
