// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Parts of a graph in words: names of operations and number types, shapes, options.

#include <charconv>
#include <string>

#include <lowbits/graph/functions.hpp>
#include <lowbits/hosted/joined.hpp>
#include <lowbits/op/node.hpp>

namespace lowbits::inline LOWBITS_ABI {

constexpr const char* kind_name(op_kind k) noexcept {
  switch (k) {
    case op_kind::input: return "input";
    case op_kind::constant: return "constant";
    case op_kind::conv2d: return "conv2d";
    case op_kind::depthwise: return "depthwise";
    case op_kind::transposed_conv2d: return "transposed_conv2d";
    case op_kind::dense: return "dense";
    case op_kind::matmul: return "matmul";
    case op_kind::max_pool: return "max_pool";
    case op_kind::average_pool: return "average_pool";
    case op_kind::global_mean: return "global_mean";
    case op_kind::add: return "add";
    case op_kind::sub: return "sub";
    case op_kind::mul: return "mul";
    case op_kind::minimum: return "minimum";
    case op_kind::maximum: return "maximum";
    case op_kind::concat: return "concat";
    case op_kind::pad: return "pad";
    case op_kind::reshape: return "reshape";
    case op_kind::transpose: return "transpose";
    case op_kind::slice: return "slice";
    case op_kind::resize: return "resize";
    case op_kind::grid_sample: return "grid_sample";
    case op_kind::softmax: return "softmax";
    case op_kind::function: return "function";
    case op_kind::requantize: return "requantize";
    case op_kind::quantize: return "quantize";
    case op_kind::dequantize: return "dequantize";
    case op_kind::custom: return "custom";
  }
  return "unknown";
}

constexpr const char* activation_name(activation a) noexcept {
  switch (a) {
    case activation::relu: return "relu";
    case activation::relu6: return "relu6";
    case activation::relu_n1_to_1: return "relu_n1_to_1";
    case activation::none: break;
  }
  return "";
}

/// [1, 49, 10, 1]
inline std::string shape_text(const tensor_shape& s) {
  std::string text = "[";
  for (int a = 0; a < s.rank; ++a) text += joined(a ? ", " : "", s.extent[a]);
  return text + "]";
}

/// int8, uint4, int8 narrow
inline std::string format_text(const qformat& f) {
  return joined(f.is_signed ? "int" : "uint", int{f.bits}, f.is_narrow ? " narrow" : "");
}
inline std::string type_text(const tensor_desc& d) {
  return d.kind == element::reals ? "float" : format_text(d.format);
}
/// What weights are: int8, int8/ch (a scale per channel), float; nothing where there are none.
inline std::string weights_text(const weight_data& w) {
  if (!w.is_bound()) return "";
  if (w.storage == weight_storage::f32) return "float";
  return joined(w.format.is_signed ? "int" : "uint", int{w.format.bits}, w.scale_count > 1 ? "/ch" : "");
}

/// The shortest decimal that reads back as x.
inline std::string number_text(float x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}
/// With `digits` significant digits.
inline std::string number_text(double x, int digits) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, x, std::chars_format::general, digits).ptr};
}

/// real = 0.5 * (q - 83)
inline std::string meaning_text(const tensor_desc& d) {
  if (d.kind == element::reals) return "";
  const int z = d.params.zero_point;
  const std::string code = z == 0 ? "q" : z < 0 ? joined("(q + ", -z, ")") : joined("(q - ", z, ")");
  return joined("real = ", number_text(d.params.scale), " * ", code);
}

/// 3x3, stride 2, relu, ec exact: what a reader wants to know besides the kind. Empty for most.
inline std::string details_text(const node& n) {
  std::string text;
  const auto add = [&](const std::string& part) { text += joined(text.empty() ? "" : ", ", part); };
  const auto pair = [](int h, int w) { return h == w ? joined(h) : joined(h, "x", w); };
  const window2d& w = n.window;
  const bool pool = n.kind == op_kind::max_pool || n.kind == op_kind::average_pool;
  if (pool || (has_weights(n.kind) && n.kind != op_kind::dense)) {
    add(joined(w.kernel_h, "x", w.kernel_w));
    if (w.stride_h != 1 || w.stride_w != 1) add(joined("stride ", pair(w.stride_h, w.stride_w)));
    if (w.dilation_h != 1 || w.dilation_w != 1) add(joined("dilation ", pair(w.dilation_h, w.dilation_w)));
    if (n.groups != 1) add(joined(n.kind == op_kind::depthwise ? "multiplier " : "groups ", n.groups));
  }
  if (n.kind == op_kind::concat) add(joined("axis ", n.axis));
  if (n.kind == op_kind::resize) add(n.mode == resize_mode::nearest ? "nearest" : n.mode == resize_mode::bilinear ? "bilinear" : "bilinear in floats");
  if (n.fused != activation::none) add(activation_name(n.fused));
  if (n.ec != error_compensation::none) add(n.ec == error_compensation::exact ? "ec exact" : "ec three products");
  return text;
}

}  // namespace lowbits
