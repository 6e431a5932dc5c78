// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The options of layers, written with designated initialisers at the call site.

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/op/weights.hpp>
#include <lowbits/quant/compensation.hpp>
#include <lowbits/ref/dynamic_layer.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// An extent for both spatial axes, written 3 or {3, 5} (height, width).
struct extent2d {
  int h = 1, w = 1;
  constexpr extent2d(int both) noexcept : h(both), w(both) {}  // NOLINT: one number means both
  constexpr extent2d(int height, int width) noexcept : h(height), w(width) {}
};

/// Padding: a number for all sides, {top, bottom, left, right}, same_padding or valid_padding.
struct padding {
  int top = 0, bottom = 0, left = 0, right = 0;
  bool is_same = false;  ///< output extent = ceil(input / stride); the odd row goes below / right

  constexpr padding() = default;
  constexpr padding(int all) noexcept : top(all), bottom(all), left(all), right(all) {}  // NOLINT
  constexpr padding(int t, int b, int l, int r) noexcept : top(t), bottom(b), left(l), right(r) {}
};
inline constexpr padding valid_padding{};
inline constexpr padding same_padding = [] {
  padding p;
  p.is_same = true;
  return p;
}();

/// An output whose parameters were not stated; a layer that needs them is refused.
inline constexpr affine not_stated{.scale = 0.0f};

/// An output format that is not stated is the input's.
inline constexpr qformat same_as_input{.bits = 0};

/// Of a layer with weights: floats come out, y = float(sum) * (in_scale * weight_scale) + bias, where the
/// bias is a float one.
inline constexpr qformat as_reals{.bits = 255};

/// Of a layer with weights, and of matmul: the sums themselves come out, as q32, with the bias in them and
/// without rounding or a fused activation. A layer whose sums could leave 32 bits is refused. `.out` says
/// what one step of them stands for; not stated it is in_scale * weight_scale.
inline constexpr qformat as_sums = qformat::of<q32>();

/// How in_scale * weight_scale is rounded before the division by the output scale.
enum class scale_product : uint8_t {
  exact,    ///< in double: TFLite's convolutions, and ours
  float32,  ///< to float first: TFLite's fully connected layers
  float_quotient,  ///< and the quotient is a float, too: TFLite's MUL and changes of scale
};

struct conv2d_options {
  int out_c = 0;
  extent2d kernel = 1;
  extent2d stride = 1;
  extent2d dilation = 1;
  padding pad{};
  int groups = 1;
  weight_data weights{};  ///< [out_c][kernel.h][kernel.w][in_c / groups]
  bias_data bias{};       ///< [out_c]
  dynamic_definition dynamic = dynamic_definition::symmetric;  ///< for floats and weights in codes
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
  rounding policy = rounding::single;
  scale_product product = scale_product::exact;
  error_compensation ec = error_compensation::none;
};

struct depthwise_options {
  extent2d kernel = 1;
  extent2d stride = 1;
  extent2d dilation = 1;
  padding pad{};
  int multiplier = 1;     ///< output channels per input channel
  weight_data weights{};  ///< [kernel.h][kernel.w][in_c * multiplier]
  bias_data bias{};       ///< [in_c * multiplier]
  dynamic_definition dynamic = dynamic_definition::symmetric;
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
  rounding policy = rounding::single;
  scale_product product = scale_product::exact;
};

struct transposed_conv2d_options {
  int out_c = 0;
  extent2d kernel = 1;
  extent2d stride = 1;
  padding pad{};          ///< cut off the full output (in - 1) * stride + kernel
  weight_data weights{};  ///< [out_c][kernel.h][kernel.w][in_c]
  bias_data bias{};       ///< [out_c]
  dynamic_definition dynamic = dynamic_definition::symmetric;  ///< for floats and weights in codes
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
  rounding policy = rounding::single;
  scale_product product = scale_product::exact;
  error_compensation ec = error_compensation::none;
};

struct dense_options {
  int units = 0;
  weight_data weights{};  ///< [units][inputs]
  bias_data bias{};       ///< [units]
  dynamic_definition dynamic = dynamic_definition::symmetric;
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
  rounding policy = rounding::single;
  scale_product product = scale_product::exact;
  error_compensation ec = error_compensation::none;
};

struct matmul_options {
  bool x_transposed = false;
  bool w_transposed = false;
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
  rounding policy = rounding::single;
  scale_product product = scale_product::exact;
  error_compensation ec = error_compensation::none;
};

struct pool_options {
  extent2d kernel = 2;
  extent2d stride = 2;
  padding pad{};
  activation fused = activation::none;
};

/// Operations that only need their output described; they round once (round_single).
struct output_options {
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
};
struct product_options {
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
  rounding policy = rounding::single;
  scale_product product = scale_product::exact;  ///< of mul
};

/// Floats to codes: x / out.scale to the nearest, or where a multiplier is given (away_float only) the
/// nearest to x * multiplier, as ncnn has it, whose reciprocal out.scale then is.
struct quantize_options {
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
  rounding policy = rounding::single;
  float multiplier = 0;
};

/// A change of scale. Numbers below zero can get a factor of their own, which with any policy but
/// rounding::single is formed in float: TFLite's leaky ReLU.
struct rescale_options {
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
  rounding policy = rounding::single;
  scale_product product = scale_product::exact;  ///< exact or float_quotient
  float negative_slope = 1.0f;
};

/// Which definition of add and sub: ours (one rounding), or TFLite's (three).
enum class sum_definition : uint8_t { single, tflite };
struct sum_options {
  affine out = not_stated;
  qformat out_format = same_as_input;
  activation fused = activation::none;
  sum_definition definition = sum_definition::single;
};

/// bilinear interpolates in 1/1024ths of a pixel, bilinear_float in float, as TFLite does for uint8.
enum class resize_mode : uint8_t { nearest, bilinear, bilinear_float };
struct resize_options {
  int out_h = 0, out_w = 0;
  resize_mode mode = resize_mode::nearest;
  bool align_corners = false;
  bool half_pixel_centers = false;
};

enum class grid_padding : uint8_t { zeros, border };
struct grid_sample_options {
  resize_mode mode = resize_mode::bilinear;
  grid_padding outside = grid_padding::zeros;
  bool align_corners = false;
};

struct softmax_options {
  float beta = 1.0f;
  qformat out_format = same_as_input;  ///< 8 bits to q16 as well
};

/// One number per axis, written {1, 2, 3}. More than max_rank are counted, and refused later.
struct axis_list {
  int count = 0;
  int value[max_rank]{};
  constexpr axis_list() = default;
  template <class... Ints>
  requires(sizeof...(Ints) >=
           1) constexpr axis_list(Ints... v) noexcept {  // NOLINT: a list is an argument
    ((value[count < max_rank ? count : 0] = static_cast<int>(v), ++count), ...);
  }
  constexpr bool fits() const noexcept { return count <= max_rank; }
};

struct slice_options {
  axis_list begin{};
  axis_list extent{};
  axis_list step{};  ///< 1 where not given; may be negative
};

/// What is written around a tensor: zero, unless a code, or a float for tensors of floats, is given.
struct pad_value {
  bool is_given = false;
  int code = 0;
  float real = 0;

  constexpr pad_value() = default;
  constexpr pad_value(int c) noexcept : is_given(true), code(c) {}     // NOLINT: an argument
  constexpr pad_value(float r) noexcept : is_given(true), real(r) {}  // NOLINT
};

struct pad_options {
  axis_list before{};
  axis_list after{};
  pad_value value{};
};

}  // namespace lowbits
