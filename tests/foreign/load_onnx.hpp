// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Node tests of the ONNX standard. Rules: data/onnx/README.md.

#include <string>

#include <lowbits/quant/granularity.hpp>

#include "foreign/json_data.hpp"

namespace foreign {
namespace onnx {

struct tensor {
  std::string dtype;
  values shape;
  json data;

  bool is_float() const { return dtype == "float32" || dtype == "float16"; }
  bool is_signed() const { return dtype[0] != 'u'; }
  lb::qformat format() const {
    return {static_cast<std::uint8_t>(std::stoi(dtype.substr(is_signed() ? 3 : 4))), is_signed()};
  }
  values codes() const { return integers(data); }
  reals numbers() const { return floats(data); }
  float scalar() const { return numbers().at(0); }
  int code() const { return static_cast<int>(codes().at(0)); }
  int extent(std::size_t axis) const { return static_cast<int>(shape.at(axis)); }
};

struct node {
  json root;
  tensor in(std::size_t i) const { return read(root["inputs"].at(i)); }
  tensor out(std::size_t i) const { return read(root["outputs"].at(i)); }
  bool has(std::size_t i) const {
    return i < root["inputs"].size() && !root["inputs"][i].is_null();
  }
  int attribute(const char* name, int otherwise) const {
    return root["attributes"].value(name, otherwise);
  }
  static tensor read(const json& t) {
    return {t["dtype"].get<std::string>(), integers(t["shape"]), t["data"]};
  }
};

/// [n][c][h][w] to [n][h][w][c]; for weights n is the output channel.
inline values channels_last(const tensor& t) {
  const values v = t.codes();
  values out;
  const int n = t.extent(0), c = t.extent(1), h = t.extent(2), w = t.extent(3);
  for (int b = 0; b < n; ++b)
    for (int y = 0; y < h; ++y)
      for (int x = 0; x < w; ++x)
        for (int k = 0; k < c; ++k)
          out.push_back(v.at(static_cast<std::size_t>(((b * c + k) * h + y) * w + x)));
  return out;
}

/// A convolution without attributes: stride 1, no padding. The result is compared channels last.
inline linear_case convolution(const node& n, const tensor& x, const tensor& w) {
  if (!n.root["attributes"].empty()) throw std::runtime_error("convolution with attributes");
  linear_case c;
  c.shape = {x.extent(0),
             x.extent(2),
             x.extent(3),
             x.extent(1),
             x.extent(2) - w.extent(2) + 1,
             x.extent(3) - w.extent(3) + 1,
             w.extent(0),
             {w.extent(2), w.extent(3)},
             x.extent(1) / w.extent(1)};
  c.x_format = x.format();
  c.w_format = w.format();
  c.x = channels_last(x);
  c.w = channels_last(w);
  return c;
}
inline linear_case conv_integer(const node& n) {
  linear_case c = convolution(n, n.in(0), n.in(1));
  c.raw = true;
  c.x_zero = n.has(2) ? n.in(2).code() : 0;
  c.w_zero = n.has(3) ? n.in(3).code() : 0;
  return c;
}

/// Policies with integer multipliers and those that round in float get the same factor.
inline rescaling requantization(lb::real factor, const tensor& zero_point) {
  const lb::qformat y = zero_point.format();
  return {lb::rounding::even_float,
          {lb::fixed_multiplier::from(factor)},
          {factor},
          {zero_point.code(), y.lowest(), y.highest()}};
}
inline linear_case qlinear_conv(const node& n) {
  linear_case c = convolution(n, n.in(0), n.in(3));
  c.x_zero = n.in(2).code();
  c.w_zero = n.in(5).code();
  c.out = requantization(lb::scale_ratio(n.in(1).scalar(), n.in(4).scalar(), n.in(6).scalar()),
                         n.in(7));
  if (n.has(8)) c.bias = n.in(8).codes();
  return c;
}

inline matmul_case matmul(const tensor& a, const tensor& b) {
  matmul_case c;
  const std::size_t rank = a.shape.size();
  c.shape = {.rows = a.extent(rank - 2), .depth = a.extent(rank - 1), .cols = b.extent(rank - 1)};
  if (rank == 3) {
    c.shape.x_batch[1] = a.extent(0);
    c.shape.w_batch[1] = b.extent(0);
  }
  c.format = a.format();
  c.x = a.codes();
  c.w = b.codes();
  return c;
}
inline matmul_case matmul_integer(const node& n) {
  matmul_case c = matmul(n.in(0), n.in(1));
  c.raw = true;
  c.x_zero = n.has(2) ? n.in(2).code() : 0;
  c.w_zero = n.has(3) ? n.in(3).code() : 0;
  return c;
}
inline matmul_case qlinear_matmul(const node& n) {
  matmul_case c = matmul(n.in(0), n.in(3));
  c.x_zero = n.in(2).code();
  c.w_zero = n.in(5).code();
  c.out = requantization(lb::scale_ratio(n.in(1).scalar(), n.in(4).scalar(), n.in(6).scalar()),
                         n.in(7));
  return c;
}

/// Fills shape, layout, params and param_of of a (de)quantization.
template <class Case>
void describe_parameters(const node& n, Case& c) {
  const tensor x = n.in(0), scale = n.in(1), zero = n.in(2);
  const reals scales = scale.numbers();
  const values zeros = zero.codes();
  for (std::size_t i = 0; i < scales.size(); ++i)
    c.params.push_back({scales[i], static_cast<int>(zeros.at(i))});
  for (std::int64_t e : x.shape) c.shape.push_back(static_cast<std::size_t>(e));
  const auto axis = static_cast<std::size_t>(n.attribute("axis", 1));
  const auto block = static_cast<std::size_t>(n.attribute("block_size", 0));
  const std::size_t count = lb::element_count(c.shape);
  if (scales.size() == 1) {
    c.layout = parameter_layout::per_tensor;
    c.param_of.assign(count, 0);
    return;
  }
  const std::size_t inner = lb::inner_count(c.shape, axis), extent = c.shape[axis];
  if (block == 0)
    c.layout = axis == 0 ? parameter_layout::axis0
        : axis == 1      ? parameter_layout::axis1
                         : parameter_layout::other;
  else
    c.layout = block == 2 && axis + 1 == c.shape.size() ? parameter_layout::last_axis_groups_of_2
                                                        : parameter_layout::other;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t along = i / inner % extent, outer = i / inner / extent;
    c.param_of.push_back(
        block == 0 ? along : (outer * (extent / block) + along / block) * inner + i % inner);
  }
}
inline quantize_case quantize(const node& n) {
  quantize_case c;
  c.format = n.in(2).format();
  describe_parameters(n, c);
  c.x = n.in(0).numbers();
  return c;
}
inline dequantize_case dequantize(const node& n) {
  dequantize_case c;
  c.format = n.in(0).format();
  describe_parameters(n, c);
  c.x = n.in(0).codes();
  return c;
}

/// Forward, default functions. ONNX's rows are [i, o, f, c] and [z, r, h], its peepholes [i, o, f].
inline real_recurrent_case recurrent(const node& n, real_recurrent_case::kind op) {
  using kind = real_recurrent_case::kind;
  const tensor x = n.in(0), w = n.in(1);
  const int units = n.attribute("hidden_size", 0), rows = w.extent(1);
  for (const auto& [name, value] : n.root["attributes"].items())
    if (name != "hidden_size") throw std::runtime_error("attribute " + name);
  const std::vector<int> order = op == kind::rnn ? std::vector{0} : op == kind::lstm ? std::vector{0, 2, 3, 1} : std::vector{1, 0, 2};
  const auto reordered = [&](const reals& v, std::size_t first, int depth, const std::vector<int>& blocks) {
    reals out;
    const auto size = static_cast<std::ptrdiff_t>(units * depth), begin = static_cast<std::ptrdiff_t>(first);
    for (int block : blocks) out.insert(out.end(), v.begin() + begin + block * size, v.begin() + begin + (block + 1) * size);
    return out;
  };
  real_recurrent_case c;
  c.op = op;
  c.shape = {x.extent(1), x.extent(0), x.extent(2), units, true};
  if (op == kind::rnn) c.options.f = lb::recurrent_function::tanh;
  c.x = x.numbers();
  c.x_weights = reordered(w.numbers(), 0, x.extent(2), order);
  c.h_weights = reordered(n.in(2).numbers(), 0, units, order);
  if (n.has(3)) {
    const reals bias = n.in(3).numbers();
    c.x_bias = reordered(bias, 0, 1, order);
    c.h_bias = reordered(bias, static_cast<std::size_t>(rows), 1, order);
    if (op != kind::gru)
      for (std::size_t i = 0; i < c.x_bias.size(); ++i) c.x_bias[i] += c.h_bias[i];
  }
  if (n.has(4))
    for (std::int64_t length : n.in(4).codes()) c.lengths.push_back(static_cast<int>(length));
  for (std::size_t i : {5u, 6u})
    if (n.has(i))
      for (float v : n.in(i).numbers())
        if (v != 0.0f) throw std::runtime_error("a first state that is not zero");
  if (n.has(7)) c.peepholes = reordered(n.in(7).numbers(), 0, 1, {0, 2, 1});
  return c;
}

inline std::vector<operation> operations(const node& n, const std::string& op) {
  if (op == "QuantizeLinear") return {quantize(n)};
  if (op == "DequantizeLinear") return {dequantize(n)};
  if (op == "DynamicQuantizeLinear") return {dynamic_quantize_case{n.in(0).numbers()}};
  if (op == "QLinearMatMul") return {qlinear_matmul(n)};
  if (op == "MatMulInteger") return {matmul_integer(n)};
  if (op == "QLinearConv") return {qlinear_conv(n)};
  if (op == "ConvInteger") return {conv_integer(n)};
  if (op == "RNN") return {recurrent(n, real_recurrent_case::kind::rnn)};
  if (op == "LSTM") return {recurrent(n, real_recurrent_case::kind::lstm)};
  if (op == "GRU") return {recurrent(n, real_recurrent_case::kind::gru)};
  return {};
}

}  // namespace onnx

inline std::vector<test_case> load_onnx() {
  const std::string folder = data_folder() + "onnx/";
  std::vector<test_case> cases;
  const json index = read_json(folder + "index.json");
  for (const json& entry : index["cases"]) {
    const onnx::node n{read_json(folder + entry["file"].get<std::string>())};
    const std::string op = entry["op_type"].get<std::string>();
    test_case c{"onnx", entry["case"].get<std::string>(), op, onnx::operations(n, op), "", {}};
    if (c.steps.empty()) c.why = "the library has no " + op;
    else if (std::holds_alternative<real_recurrent_case>(c.steps[0])) c.expected.tolerance = 1e-6f;
    for (std::size_t i = 0; i < n.root["outputs"].size(); ++i) {
      const onnx::tensor y = n.out(i);
      // Scales and zero points behind the first output are compared as numbers.
      if (y.is_float() || i > 0)
        for (float v : y.numbers()) c.expected.numbers.push_back(v);
      else if (y.shape.size() == 4 && op.find("Conv") != std::string::npos)
        c.expected.codes = onnx::channels_last(y);
      else c.expected.codes = y.codes();
    }
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace foreign
