// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// One case of a foreign library as plain values: an operation, its operands and the expected result.
// The loaders make them, run.hpp runs them through an implementation; neither knows the other.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/ref/lstm.hpp>
#include <lowbits/ref/real_recurrent.hpp>
#include <lowbits/ref/svdf.hpp>

namespace foreign {

namespace lb = lowbits;
/// Elements of every integer type.
using values = std::vector<std::int64_t>;
using reals = std::vector<float>;

/// From accumulators to codes. Policies with integer multipliers use `fixed`, those that round in
/// float use `factors`; one entry, or one per channel.
struct rescaling {
  lb::rounding policy = lb::rounding::double_gemmlowp;
  std::vector<lb::fixed_multiplier> fixed;
  std::vector<lb::real> factors;
  lb::output_stage stage{};
};

/// Convolutions of all kinds and fully connected layers.
struct linear_case {
  enum class kind { conv2d, depthwise, transposed_conv2d } op = kind::conv2d;
  lb::conv2d_shape shape{};
  lb::depthwise_shape depthwise{};
  lb::qformat x_format{}, w_format{};
  bool wide_accumulator = false;  ///< int64 instead of int32
  bool raw = false;               ///< the result is the accumulators
  int x_zero = 0, w_zero = 0;
  values x, w, bias;                  ///< bias may be empty
  std::vector<std::uint8_t> w_bytes;  ///< 4-bit weights as the file has them, packed
  rescaling out{};
};

struct matmul_case {
  lb::matmul_shape shape{};
  lb::qformat format{};  ///< of both operands and the result
  bool raw = false;
  int x_zero = 0, w_zero = 0;
  values x, w;
  rescaling out{};
};

struct pool_case {
  bool take_largest = false;
  lb::pool2d_shape shape{};
  lb::qformat format{};
  lb::code_range clamp{};
  values x;
};

/// 8 bits: multiplier of the difference to the row's maximum, and the difference below which a term
/// is zero. 16 bits: the same multiplier, no limit.
struct softmax_case {
  int rows = 1, row_size = 1;
  lb::qformat format{};
  lb::fixed_multiplier factor{};
  int lowest_difference = 0;
  float scale = 0.0f;  ///< above zero: derive the two above from it
  values x;
};

/// TFLite's sum: clamp(rq(rq((x-xz) << left) +- rq((y-yz) << left)) + zero point). The factors are
/// given, or are derived from the scales.
struct sum_case {
  lb::tensor_shape x_shape{}, y_shape{}, out_shape{};
  lb::qformat format{};
  bool subtract = false, from_scales = false;
  int x_zero = 0, y_zero = 0, left_shift = 20;
  lb::fixed_multiplier x_factor{}, y_factor{}, out_factor{};
  float x_scale = 1.0f, y_scale = 1.0f, out_scale = 1.0f;
  lb::activation fused = lb::activation::none;
  lb::output_stage stage{};
  values x, y;
};

struct product_case {
  lb::tensor_shape x_shape{}, y_shape{}, out_shape{};
  lb::qformat format{};
  int x_zero = 0, y_zero = 0;
  lb::fixed_multiplier factor{};
  lb::output_stage stage{};
  values x, y;
};

struct extremum_case {
  lb::tensor_shape x_shape{}, y_shape{}, out_shape{};
  lb::qformat format{};
  bool take_larger = false;
  values x, y;
};

/// x >= 0: rq(x, positive), x < 0: rq(x, negative), where x is without its zero point.
struct leaky_relu_case {
  lb::qformat format{};
  int x_zero = 0;
  lb::fixed_multiplier positive{}, negative{};
  lb::output_stage stage{};
  values x;
};

/// Codes of one scale to codes of another, 16 and 32 bits.
struct rescale_case {
  int in_bits = 16, out_bits = 16;
  lb::fixed_multiplier factor{};
  values x;
};

struct pad_case {
  lb::tensor_shape shape{}, out_shape{};
  lb::qformat format{};
  int before[lb::max_rank]{};
  int value = 0;
  values x;
};
struct slice_case {
  lb::tensor_shape shape{}, out_shape{};
  lb::qformat format{};
  int begin[lb::max_rank]{}, stride[lb::max_rank]{};
  values x;
};
struct transpose_case {
  lb::tensor_shape shape{}, out_shape{};
  lb::qformat format{};
  int axes[lb::max_rank]{};
  values x;
};
struct copy_case {
  lb::qformat format{};
  values x;
};

/// Which of the library's granularities describes the parameters; `other` has none.
enum class parameter_layout { per_tensor, axis0, axis1, last_axis_groups_of_2, other };

struct quantize_case {
  lb::qformat format{};
  std::vector<std::size_t> shape;
  parameter_layout layout{};
  std::vector<lb::affine> params;
  std::vector<std::size_t> param_of;  ///< for each element
  reals x;
};
struct dequantize_case {
  lb::qformat format{};
  std::vector<std::size_t> shape;
  parameter_layout layout{};
  std::vector<lb::affine> params;
  std::vector<std::size_t> param_of;
  values x;
};
/// The result is the codes, with the scale and the zero point as its reals.
struct dynamic_quantize_case {
  reals x;
};

/// Rows of weights, biases and factors are [input, forget, cell, output][units], as in ref/lstm.hpp.
struct lstm_case {
  lb::recurrent_shape shape{};
  lb::qformat format{};  ///< of x and y; 16 bits: sums of 64
  lb::lstm_params params{};
  values x, x_weights, h_weights, bias;
  std::vector<lb::fixed_multiplier> x_factors, h_factors;
};

/// RNN, LSTM and GRU in floats, rows as in ref/real_recurrent.hpp. The results are the last state, or all outputs.
struct real_recurrent_case {
  enum class kind { rnn, lstm, gru } op = kind::rnn;
  lb::recurrent_shape shape{};
  lb::recurrent_options options{};
  std::vector<int> lengths;  ///< may be empty
  reals x, x_weights, h_weights, x_bias, h_bias, peepholes;  ///< the last three may be empty
};

/// x is [steps][batch][inputs]; the result is the last step's.
struct svdf_case {
  lb::svdf_shape shape{};
  lb::qformat state_format{};
  int steps = 1;
  lb::svdf_params<lb::fixed_multiplier> params{};
  values x, feature_weights, time_weights, bias, state;
};

using operation =
    std::variant<linear_case, matmul_case, pool_case, softmax_case, sum_case, product_case,
                 extremum_case, leaky_relu_case, rescale_case, pad_case, slice_case, transpose_case,
                 copy_case, quantize_case, dequantize_case, dynamic_quantize_case,
                 lstm_case, svdf_case, real_recurrent_case>;

struct result {
  values codes;
  reals numbers;
  float tolerance = 0.0f;  ///< how far numbers may be off, where sums are added in an order that no one names
};

/// Several steps are a chain: each takes the codes that the step before it gave.
struct test_case {
  std::string family, name, op;
  std::vector<operation> steps;  ///< empty: the library has no such operation, see why
  std::string why;
  result expected{};
};

}  // namespace foreign
