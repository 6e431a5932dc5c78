// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operations of .tflite models as the data folder describes them: tensors with scales, options by
// name. Multipliers, paddings and clamps are derived here the way TFLite does, with the library's
// own functions. Rules: data/golden/README.md, data/models/README.md.

#include <string>

#include "foreign/json_data.hpp"

namespace foreign::tflite {

/// A tensor's description and, when it is known, its elements.
struct tensor {
  std::string dtype;
  values shape;
  reals scales;
  values zero_points;
  values data;

  int extent(std::size_t axis) const { return static_cast<int>(shape.at(axis)); }
  float scale() const { return scales.at(0); }
  int zero_point() const { return zero_points.empty() ? 0 : static_cast<int>(zero_points[0]); }
  lb::affine affine() const { return {scale(), zero_point()}; }
  lb::tensor_shape extents() const { return tensor_shape_of(shape); }
  int bits() const {
    return dtype == "int8" ? 8 : dtype == "int16" ? 16 : dtype == "int32" ? 32 : 64;
  }
  lb::qformat format() const { return {static_cast<std::uint8_t>(bits())}; }
};

inline tensor read_tensor(const json& t) {
  tensor out{t["dtype"].get<std::string>(),
             integers(t["shape"]),
             floats(t["scale"]),
             integers(t["zero_point"]),
             {}};
  if (t.contains("data")) out.data = integers(t["data"]);
  return out;
}

/// One operation: its tensors by role, and its options.
struct node {
  json description;
  std::vector<std::pair<std::string, tensor>> inputs;
  tensor output;

  const tensor* find(const std::string& role) const {
    for (const auto& [name, t] : inputs)
      if (name == role) return &t;
    return nullptr;
  }
  const tensor& in(const std::string& role) const {
    if (const tensor* t = find(role)) return *t;
    throw std::runtime_error("no input " + role);
  }
  int option(const char* name, int otherwise) const {
    return description["options"].value(name, otherwise);
  }
  std::string text(const char* name) const {
    return description["options"].value(name, std::string());
  }
  lb::activation fused() const {
    const std::string a = text("activation");
    if (a == "RELU") return lb::activation::relu;
    if (a == "RELU6") return lb::activation::relu6;
    if (a == "RELU_N1_TO_1") return lb::activation::relu_n1_to_1;
    if (a != "NONE" && !a.empty()) throw std::runtime_error("unknown activation " + a);
    return lb::activation::none;
  }
};

/// Elements before the first tap. VALID has none; SAME halves what is missing, rounded down.
inline int pad_before(const node& n, int in, int out, int stride, int reach) {
  if (n.text("padding") == "VALID") return 0;
  const int missing = (out - 1) * stride + reach - in;
  return missing > 0 ? missing / 2 : 0;
}
inline lb::window2d window(const node& n, const tensor& x, int kernel_h, int kernel_w) {
  lb::window2d t{kernel_h,
                 kernel_w,
                 n.option("stride_h", 1),
                 n.option("stride_w", 1),
                 n.option("dilation_h", 1),
                 n.option("dilation_w", 1),
                 0,
                 0};
  t.pad_top = pad_before(n, x.extent(1), n.output.extent(1), t.stride_h, t.reach_h());
  t.pad_left = pad_before(n, x.extent(2), n.output.extent(2), t.stride_w, t.reach_w());
  return t;
}

/// What all layers with weights share. Fully connected layers round the product of the scales to
/// float; the others do not.
inline linear_case linear(const node& n, bool fully_connected) {
  const tensor &x = n.in("input"), &w = n.in("weights");
  linear_case c;
  c.x_format = x.format();
  c.w_format = w.format();
  c.wide_accumulator = x.bits() == 16;
  c.x_zero = x.zero_point();
  c.x = x.data;
  c.w = w.data;
  if (const tensor* bias = n.find("bias")) c.bias = bias->data;
  c.out.policy = c.wide_accumulator ? lb::rounding::tflite_int64 : lb::rounding::double_gemmlowp;
  for (float scale : w.scales)
    c.out.fixed.push_back(lb::fixed_multiplier::from(
        fully_connected ? lb::scale_ratio_float_product(x.scale(), scale, n.output.scale())
                        : lb::scale_ratio(x.scale(), scale, n.output.scale())));
  c.out.stage = lb::output_stage::of(n.output.format(), n.output.affine(), n.fused());
  return c;
}

inline linear_case conv2d(const node& n) {
  linear_case c = linear(n, false);
  const tensor &x = n.in("input"), &w = n.in("weights");
  c.shape = {x.extent(0),
             x.extent(1),
             x.extent(2),
             x.extent(3),
             n.output.extent(1),
             n.output.extent(2),
             w.extent(0),
             window(n, x, w.extent(1), w.extent(2)),
             x.extent(3) / w.extent(3)};
  return c;
}
inline linear_case depthwise(const node& n) {
  linear_case c = linear(n, false);
  const tensor &x = n.in("input"), &w = n.in("weights");
  c.op = linear_case::kind::depthwise;
  c.depthwise = {x.extent(0),
                 x.extent(1),
                 x.extent(2),
                 x.extent(3),
                 n.output.extent(1),
                 n.output.extent(2),
                 n.option("depth_multiplier", 1),
                 window(n, x, w.extent(1), w.extent(2))};
  return c;
}
inline linear_case transposed_conv2d(const node& n) {
  linear_case c = linear(n, false);
  const tensor &x = n.in("input"), &w = n.in("weights");
  if (n.text("padding") != "VALID") throw std::runtime_error("transposed convolution with padding");
  c.op = linear_case::kind::transposed_conv2d;
  c.shape = {x.extent(0),
             x.extent(1),
             x.extent(2),
             x.extent(3),
             n.output.extent(1),
             n.output.extent(2),
             w.extent(0),
             {w.extent(1), w.extent(2), n.option("stride_h", 1), n.option("stride_w", 1)}};
  return c;
}
inline linear_case fully_connected(const node& n) {
  linear_case c = linear(n, true);
  const tensor& w = n.in("weights");
  c.shape = lb::dense_shape(static_cast<int>(c.x.size()) / w.extent(1), w.extent(1), w.extent(0));
  return c;
}

inline sum_case sum(const node& n, bool subtract) {
  const tensor &x = n.in("input1"), &y = n.in("input2");
  sum_case c;
  c.x_shape = x.extents();
  c.y_shape = y.extents();
  c.out_shape = n.output.extents();
  c.format = n.output.format();
  c.subtract = subtract;
  c.from_scales = true;
  c.x_zero = x.zero_point();
  c.y_zero = y.zero_point();
  c.left_shift = x.bits() == 16 ? 15 : 20;
  c.x_scale = x.scale();
  c.y_scale = y.scale();
  c.out_scale = n.output.scale();
  c.fused = n.fused();
  c.stage = lb::output_stage::of(n.output.format(), n.output.affine(), n.fused());
  c.x = x.data;
  c.y = y.data;
  return c;
}

inline pool_case average_pool(const node& n) {
  const tensor& x = n.in("input");
  return {false,
          {x.extent(0), x.extent(1), x.extent(2), x.extent(3), n.output.extent(1),
           n.output.extent(2), window(n, x, n.option("filter_h", 1), n.option("filter_w", 1))},
          x.format(),
          lb::clamp_codes(n.fused(), n.output.format(), n.output.affine()),
          x.data};
}

inline softmax_case softmax(const node& n) {
  const tensor& x = n.in("input");
  const int row = x.extent(x.shape.size() - 1);
  const auto beta = n.description["options"].value("beta", 1.0);
  if (beta != 1.0) throw std::runtime_error("softmax with beta");
  return {static_cast<int>(x.data.size()) / row, row, x.format(), {}, 0, x.scale(), x.data};
}

/// The factors are formed in float, as TFLite does here.
inline leaky_relu_case leaky_relu(const node& n) {
  const tensor& x = n.in("input");
  const auto alpha = static_cast<float>(n.description["options"]["alpha"].get<double>());
  const float scaled = x.scale() * alpha;
  return {x.format(),
          x.zero_point(),
          lb::fixed_multiplier::from(double{x.scale() / n.output.scale()}),
          lb::fixed_multiplier::from(double{scaled / n.output.scale()}),
          lb::output_stage::of(n.output.format(), n.output.affine()),
          x.data};
}

inline rescale_case quantize(const node& n) {
  const tensor& x = n.in("input");
  if (x.zero_point() != 0 || n.output.zero_point() != 0)
    throw std::runtime_error("quantize with zero points");
  return {x.bits(), n.output.bits(),
          lb::fixed_multiplier::from(lb::scale_ratio(x.scale(), 1.0f, n.output.scale())), x.data};
}

inline pad_case pad(const node& n) {
  const tensor& x = n.in("input");
  pad_case c{x.extents(), n.output.extents(), x.format(), {}, x.zero_point(), x.data};
  const values& paddings = n.in("paddings").data;  // [rank][before, after]
  for (int i = 0; i < c.shape.rank; ++i)
    c.before[i] = static_cast<int>(paddings.at(static_cast<std::size_t>(i) * 2));
  return c;
}

/// A set bit of begin_mask takes the axis from its start, whatever begin says; negative values count
/// from the end. The extents follow from the output.
inline slice_case strided_slice(const node& n) {
  const tensor& x = n.in("input");
  slice_case c{x.extents(), n.output.extents(), x.format(), {}, {}, x.data};
  for (int i = 0; i < c.shape.rank; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const int begin = static_cast<int>(n.in("begin").data.at(at)), extent = c.shape.extent[i];
    c.stride[i] = static_cast<int>(n.in("strides").data.at(at));
    if (c.stride[i] <= 0) throw std::runtime_error("strided slice with a negative stride");
    c.begin[i] = (n.option("begin_mask", 0) >> i & 1) != 0 ? 0 : begin < 0 ? begin + extent : begin;
  }
  return c;
}

/// The layer of TFLite Micro: four gates, no peepholes, projection or normalisation.
inline lstm_case lstm(const node& n) {
  const tensor &x = n.in("input"), &h = n.in("output_state"), &cell = n.in("cell_state");
  if (n.text("activation") != "TANH" || n.description["options"].value("proj_clip", 0.0) != 0.0) throw std::runtime_error("another LSTM");
  int exponent = 0;
  for (float scale = cell.scale(); scale < 1.0f; scale *= 2.0f) --exponent;
  const bool time_major = n.description["options"].value("time_major", false);
  lstm_case c;
  c.shape = {x.extent(time_major ? 1 : 0), x.extent(time_major ? 0 : 1), x.extent(2), n.output.extent(2), time_major};
  c.format = x.format();
  c.params = lb::lstm_params::from(x.affine(), h.affine(), exponent, static_cast<float>(n.description["options"].value("cell_clip", 0.0)));
  c.x = x.data;
  for (const std::string gate : {"input", "forget", "cell", "output"}) {
    const tensor &wx = n.in("input_to_" + gate + "_weights"), &wh = n.in("recurrent_to_" + gate + "_weights");
    c.x_weights.insert(c.x_weights.end(), wx.data.begin(), wx.data.end());
    c.h_weights.insert(c.h_weights.end(), wh.data.begin(), wh.data.end());
    const values& bias = n.in(gate + "_gate_bias").data;
    c.bias.insert(c.bias.end(), bias.begin(), bias.end());
    const auto units = static_cast<std::size_t>(c.shape.units);
    const float to_gate = 1.0f / 4096;
    c.x_factors.insert(c.x_factors.end(), units, lb::fixed_multiplier::from(lb::scale_ratio(x.scale(), wx.scale(), to_gate)));
    c.h_factors.insert(c.h_factors.end(), units, lb::fixed_multiplier::from(lb::scale_ratio(h.scale(), wh.scale(), to_gate)));
  }
  return c;
}

inline std::vector<operation> operations(const node& n, const std::string& op) {
  if (op == "CONV_2D") return {conv2d(n)};
  if (op == "DEPTHWISE_CONV_2D") return {depthwise(n)};
  if (op == "TRANSPOSE_CONV") return {transposed_conv2d(n)};
  if (op == "FULLY_CONNECTED") return {fully_connected(n)};
  if (op == "ADD") return {sum(n, false)};
  if (op == "SUB") return {sum(n, true)};
  if (op == "AVERAGE_POOL_2D") return {average_pool(n)};
  if (op == "UNIDIRECTIONAL_SEQUENCE_LSTM") return {lstm(n)};
  if (op == "SOFTMAX") return {softmax(n)};
  if (op == "RESHAPE") return {copy_case{n.in("input").format(), n.in("input").data}};
  if (op == "LEAKY_RELU") return {leaky_relu(n)};
  if (op == "QUANTIZE") return {quantize(n)};
  if (op == "PAD") return {pad(n)};
  if (op == "STRIDED_SLICE") return {strided_slice(n)};
  return {};
}

}  // namespace foreign::tflite
