// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// One node of a graph as the call of builder that makes it. Options that have their default value
// are left out.

#include <lowbits/graph/builder.hpp>
#include <lowbits/hosted/emit_text.hpp>
#include <lowbits/hosted/model_error.hpp>
#include <lowbits/hosted/padding_of.hpp>
#include <lowbits/op/imported_ops.hpp>

namespace lowbits::inline LOWBITS_ABI::emit {

/// What a call needs to know besides its node: the nodes it reads and the names in the text.
struct call_context {
  std::vector<const node*> in{};
  std::string id{};              ///< the node's own identifier
  std::vector<std::string> x{};  ///< its inputs' variables
  bool is_used = true;           ///< another node or the end of the function reads it
  size_t blob_offset = 0;        ///< of weights that are in a blob; 0: in an array
};

inline std::string text_of(const affine& p) {
  if (p.zero_point == 0) return joined("{.scale = ", literal(p.scale), "}");
  return joined("{.scale = ", literal(p.scale), ", .zero_point = ", p.zero_point, "}");
}
inline std::string text_of(const extent2d& e) {
  return e.h == e.w ? joined(e.h) : joined("{", e.h, ", ", e.w, "}");
}
inline std::string text_of(const padding& p) {
  if (p.top == p.bottom && p.top == p.left && p.top == p.right) return joined(p.top);
  return joined("{", p.top, ", ", p.bottom, ", ", p.left, ", ", p.right, "}");
}
inline std::string text_of(const int* values, int count) {
  std::string s = "{";
  for (int i = 0; i < count; ++i) s += joined(i ? ", " : "", values[i]);
  return s + "}";
}
/// The lowest int has no literal.
inline std::string code_text(int q) { return q == lowest_of<int> ? joined(q + 1, " - 1") : joined(q); }
inline std::string text_of(activation a) {
  switch (a) {
    case activation::relu: return "lb::activation::relu";
    case activation::relu6: return "lb::activation::relu6";
    case activation::relu_n1_to_1: return "lb::activation::relu_n1_to_1";
    case activation::none: break;
  }
  return "lb::activation::none";
}
inline std::string text_of(rounding r) {
  switch (r) {
    case rounding::double_gemmlowp: return "lb::rounding::double_gemmlowp";
    case rounding::tflite_int64: return "lb::rounding::tflite_int64";
    case rounding::even_float: return "lb::rounding::even_float";
    case rounding::away_float: return "lb::rounding::away_float";
    case rounding::shift_glow: return "lb::rounding::shift_glow";
    case rounding::away_bias: return "lb::rounding::away_bias";
    case rounding::single: break;
  }
  return "lb::rounding::single";
}
/// The name of a tabulated function, or "" for one that has none.
inline std::string text_of(real_function f) {
  const struct {
    real_function function;
    const char* name;
  } known[] = {{functions::leaky_relu, "leaky_relu"},
               {functions::elu, "elu"},
               {functions::sigmoid, "sigmoid"},
               {functions::tanh, "tanh"},
               {functions::hard_sigmoid, "hard_sigmoid"},
               {functions::hard_swish, "hard_swish"},
               {functions::silu, "silu"},
               {functions::mish, "mish"},
               {functions::gelu, "gelu"},
               {functions::exp, "exp"},
               {functions::divided, "divided"},
               {functions::divides, "divides"},
               {functions::square, "square"}};
  for (const auto& k : known)
    if (k.function == f) return std::string("lb::functions::") + k.name;
  return "";
}
/// The name of an operation that importers add as a custom node, or "".
inline std::string text_of(custom_run run) {
  const struct {
    custom_run run;
    const char* name;
  } known[] = {{imported::quantize_per_axis, "quantize_per_axis"},
               {imported::dequantize_per_axis, "dequantize_per_axis"},
               {imported::dynamic_codes, "dynamic_codes"},
               {imported::dynamic_scale, "dynamic_scale"},
               {imported::dynamic_zero_point, "dynamic_zero_point"},
               {imported::quotient, "quotient"},
               {imported::power, "power"},
               {imported::adaptive_max_pool, "adaptive_max_pool"},
               {imported::adaptive_mean_pool, "adaptive_mean_pool"}};
  for (const auto& k : known)
    if (k.run == run) return std::string("lb::imported::") + k.name;
  return "";
}
/// The scales that a custom node has, or null.
inline const imported::axis_scales* scales_of(const node& n) {
  const custom_run run = n.custom.run;
  const bool has_scales = n.kind == op_kind::custom && (run == imported::quantize_per_axis || run == imported::dequantize_per_axis);
  return has_scales ? static_cast<const imported::axis_scales*>(n.custom.user) : nullptr;
}
inline std::string tensor_text(const tensor_desc& d) {
  std::string extents;
  for (int a = 0; a < d.shape.rank; ++a)
    extents += joined(a || d.kind == element::codes ? ", " : "", d.shape.extent[a]);
  if (d.kind == element::reals) return joined("lb::real_tensor<", extents, ">()");
  return joined("lb::tensor<", type_name(d.format), extents, ">(", text_of(d.params), ")");
}

/// Collects ".name = value" items.
class option_list {
public:
  option_list& add(const char* name, const std::string& value, bool wanted = true) {
    if (wanted) items_.push_back(joined(".", name, " = ", value));
    return *this;
  }
  option_list& window(const node& n, const call_context& c, bool pooling = false) {
    const window2d& w = n.window;
    const padding pad = padding_of(w, image_extents::of(c.in[0]->out), image_extents::of(n.out));
    add("kernel", text_of(extent2d{w.kernel_h, w.kernel_w}), pooling || w.taps() != 1);
    add("stride", text_of(extent2d{w.stride_h, w.stride_w}),
        pooling || w.stride_h != 1 || w.stride_w != 1);
    add("dilation", text_of(extent2d{w.dilation_h, w.dilation_w}),
        w.dilation_h != 1 || w.dilation_w != 1);
    return add("pad", text_of(pad),
               pad.top != 0 || pad.bottom != 0 || pad.left != 0 || pad.right != 0);
  }
  option_list& weights(const node& n, const call_context& c) {
    const weight_data& w = n.weights;
    if (w.storage == weight_storage::f32)
      return add("weights", joined("lb::weights(", c.id, "_w)")).add("bias", joined(c.id, "_b"), n.bias.is_bound());
    const std::string place = w.is_prepared ? joined(w.length, ", ", w.digest, "u")
        : w.is_coded() && c.blob_offset != 0 ? joined(w.coded_count, ", ", w.coded_bytes, ", ", c.blob_offset)
        : w.is_coded()                       ? joined(w.coded_count, ", ", c.id, "_w")
        : c.blob_offset != 0                ? joined(w.length, ", ", c.blob_offset)
                                            : joined(c.id, "_w");
    const std::string codes = joined("lb::", w.is_prepared ? "prepared_" : c.blob_offset != 0 ? "external_" : "",
                                     w.is_coded() ? "coded_weights<" : w.is_packed() ? "packed_weights<" : "weights<", type_name(w.format),
                                     ">(", place);
    const std::string scale = w.scale_count != 0 && w.zero_point != 0 ? joined("{", c.id, "_scale, ", w.zero_point, "})")
        : w.scale_count != 0                     ? joined(c.id, "_scale)")
        : w.zero_point == 0                      ? joined("lb::symmetric{", literal(w.scale), "})")
                            : joined("lb::affine{", literal(w.scale), ", ", w.zero_point, "})");
    const std::string groups = w.is_grouped ? joined(".in_groups(", c.id, "_groups)") : std::string();
    // One item, unless the line has to break between the two arguments.
    const size_t room = columns - 6 - (sizeof ".weights = , ," - 1);
    const bool breaks = codes.size() + scale.size() + groups.size() > room;
    add("weights", breaks ? codes : joined(codes, ", ", scale, groups));
    if (breaks) items_.push_back(joined(scale, groups));
    const char* definition = n.dynamic == dynamic_definition::asymmetric ? "asymmetric" : n.dynamic == dynamic_definition::onnx ? "onnx" : "weight_only";
    return add("bias", joined(c.id, "_b"), n.bias.is_bound())
        .add("dynamic", joined("lb::dynamic_definition::", definition), n.dynamic != dynamic_definition::symmetric);
  }
  option_list& out(const node& n, const call_context& c) {
    if (n.out.kind == element::reals)
      return add("out_format", "lb::as_reals", has_weights(n.kind) && c.in[0]->out.kind == element::codes).fused(n);
    add("out", text_of(n.out.params));
    const qformat inherited = n.kind == op_kind::quantize ? qformat{} : c.in[0]->out.format;
    if (n.out.is_wide() && (has_weights(n.kind) || n.kind == op_kind::matmul)) return add("out_format", "lb::as_sums");
    add("out_format", joined("lb::qformat::of<", type_name(n.out.format), ">()"),
        n.out.format != inherited);
    return fused(n);
  }
  option_list& fused(const node& n) {
    return add("fused", text_of(n.fused), n.fused != activation::none);
  }
  option_list& policy(const node& n) {
    return add("policy", text_of(n.policy), n.policy != rounding::single);
  }
  option_list& product(const node& n) {
    return add("product",
               n.product == scale_product::float32 ? "lb::scale_product::float32" : "lb::scale_product::float_quotient",
               n.product != scale_product::exact);
  }

  option_list& ec(const node& n) {
    return add("ec", n.ec == error_compensation::exact ? "lb::error_compensation::exact" : "lb::error_compensation::three_products",
               n.ec != error_compensation::none);
  }

  /// The items with braces, as arguments of a call.
  std::vector<std::string> arguments() const {
    std::vector<std::string> a = items_;
    if (a.empty()) return {"{}"};
    a.front().insert(0, "{");
    a.back() += "}";
    return a;
  }

private:
  std::vector<std::string> items_;
};

namespace calls {

inline option_list weighted(const node& n, const call_context& c) {
  option_list o;
  const int channels = n.out.shape.extent[n.out.shape.rank - 1];
  if (n.kind == op_kind::dense) o.add("units", joined(channels));
  else if (n.kind != op_kind::depthwise) o.add("out_c", joined(channels));
  if (n.kind == op_kind::transposed_conv2d) {
    const image_extents a = image_extents::of(c.in[0]->out), b = image_extents::of(n.out);
    const window2d& w = n.window;
    const padding cut{w.pad_top, (a.h - 1) * w.stride_h + w.kernel_h - b.h - w.pad_top, w.pad_left,
                      (a.w - 1) * w.stride_w + w.kernel_w - b.w - w.pad_left};
    o.add("kernel", text_of(extent2d{w.kernel_h, w.kernel_w}))
        .add("stride", text_of(extent2d{w.stride_h, w.stride_w}),
             w.stride_h != 1 || w.stride_w != 1);
    // A full output that is smaller than in * stride has no explicit padding: it came from "same".
    if (cut.bottom < 0 || cut.right < 0) o.add("pad", "lb::same_padding");
    else o.add("pad", text_of(cut), cut.top + cut.bottom + cut.left + cut.right != 0);
  } else if (n.kind != op_kind::dense) {
    o.window(n, c);
  }
  o.add("groups", joined(n.groups), n.kind == op_kind::conv2d && n.groups != 1);
  o.add("multiplier", joined(n.groups), n.kind == op_kind::depthwise && n.groups != 1);
  return o.weights(n, c).out(n, c).policy(n).product(n).ec(n);
}

inline option_list moved(const node& n, const call_context& c) {
  option_list o;
  const int rank = n.out.shape.rank;
  if (n.kind == op_kind::pad) {
    int after[max_rank]{};
    for (int a = 0; a < rank; ++a)
      after[a] = n.out.shape.extent[a] - c.in[0]->out.shape.extent[a] - n.list[0][a];
    return o.add("before", text_of(n.list[0], rank))
        .add("after", text_of(after, rank))
        .add("value", n.out.kind == element::reals ? literal(static_cast<float>(n.parameter)) : code_text(n.fill), n.has_fill);
  }
  if (n.kind == op_kind::slice)
    return o.add("begin", text_of(n.list[0], rank))
        .add("extent", text_of(n.list[1], rank))
        .add("step", text_of(n.list[2], rank));
  const bool resize = n.kind == op_kind::resize;
  const image_extents e = image_extents::of(n.out);
  o.add("out_h", joined(e.h), resize).add("out_w", joined(e.w), resize);
  o.add("mode",
        n.mode == resize_mode::bilinear             ? "lb::resize_mode::bilinear"
            : n.mode == resize_mode::bilinear_float ? "lb::resize_mode::bilinear_float"
                                                    : "lb::resize_mode::nearest");
  o.add("outside", "lb::grid_padding::border", !resize && n.outside == grid_padding::border);
  o.add("align_corners", "true", n.flag[0]);
  return o.add("half_pixel_centers", "true", resize && n.flag[1]);
}

/// The call's name, and the arguments behind name and inputs.
inline std::vector<std::string> arguments(const node& n, const call_context& c, std::string& call) {
  option_list o;
  switch (n.kind) {
    case op_kind::input: call = "input"; return {tensor_text(n.out)};
    case op_kind::constant: call = "constant"; return {tensor_text(n.out), joined(c.id, "_c")};
    case op_kind::conv2d: call = "conv2d"; return weighted(n, c).arguments();
    case op_kind::depthwise: call = "depthwise"; return weighted(n, c).arguments();
    case op_kind::transposed_conv2d: call = "transposed_conv2d"; return weighted(n, c).arguments();
    case op_kind::dense: call = "dense"; return weighted(n, c).arguments();
    case op_kind::matmul:
      call = "matmul";
      return o.add("x_transposed", "true", n.flag[0])
          .add("w_transposed", "true", n.flag[1])
          .out(n, c)
          .policy(n)
          .product(n)
          .ec(n)
          .arguments();
    case op_kind::max_pool: call = "max_pool"; return o.window(n, c, true).fused(n).arguments();
    case op_kind::average_pool:
      call = "average_pool";
      return o.window(n, c, true).fused(n).arguments();
    case op_kind::global_mean: call = "global_mean"; return o.out(n, c).policy(n).arguments();
    case op_kind::add:
    case op_kind::sub:
      call = n.kind == op_kind::add ? "add" : "sub";
      return o.out(n, c)
          .add("definition", "lb::sum_definition::tflite", n.sum == sum_definition::tflite)
          .arguments();
    case op_kind::mul: call = "mul"; return o.out(n, c).policy(n).product(n).arguments();
    case op_kind::minimum: call = "minimum"; return o.out(n, c).arguments();
    case op_kind::maximum: call = "maximum"; return o.out(n, c).arguments();
    case op_kind::concat: call = "concat"; return {joined(n.axis)};
    case op_kind::pad: call = "pad"; return moved(n, c).arguments();
    case op_kind::slice: call = "slice"; return moved(n, c).arguments();
    case op_kind::resize: call = "resize"; return moved(n, c).arguments();
    case op_kind::grid_sample: call = "grid_sample"; return moved(n, c).arguments();
    case op_kind::reshape:
      call = n.out.params == c.in[0]->out.params ? "reshape" : "relabel";
      if (call == "relabel") return {text_of(n.out.params)};
      return {text_of(n.out.shape.extent, n.out.shape.rank)};
    case op_kind::transpose: call = "transpose"; return {text_of(n.list[0], n.out.shape.rank)};
    case op_kind::softmax:
      call = "softmax";
      return o.add("beta", literal(static_cast<float>(n.parameter)), n.parameter != 1.0)
          .add("out_format", joined("lb::qformat::of<", type_name(n.out.format), ">()"),
               n.out.format != c.in[0]->out.format)
          .arguments();
    case op_kind::requantize:
      call = "requantize";
      return o.out(n, c)
          .policy(n)
          .product(n)
          .add("negative_slope", literal(static_cast<float>(n.parameter)), n.parameter != 1.0)
          .arguments();
    case op_kind::quantize:
      call = "quantize";
      return o.out(n, c)
          .policy(n)
          .add("multiplier", literal(static_cast<float>(n.parameter)), n.parameter != 0)
          .arguments();
    case op_kind::dequantize: call = "dequantize"; return {};
    case op_kind::function: {
      call = n.table.is_bound ? "table" : "function";
      std::vector<std::string> a = o.out(n, c).policy(n).arguments();
      if (n.table.is_bound) {
        a.insert(a.begin(), joined(c.id, "_c"));
        return a;
      }
      if (text_of(n.function).empty())
        refuse("emit_header", joined("node '", n.name, "' tabulates a function without a name"),
               "use one of graph/functions.hpp");
      a.insert(a.begin(), text_of(n.function));
      if (n.parameter != 0) a.push_back(literal(n.parameter));
      return a;
    }
    case op_kind::custom:
      if (text_of(n.custom.run).empty()) break;
      call = "custom";
      return o.add("run", text_of(n.custom.run))
          .add("out", tensor_text(n.out))
          .add("user", joined("&", c.id, "_c"), scales_of(n) != nullptr)
          .add("user_bytes", joined(n.custom.user_bytes), scales_of(n) != nullptr)
          .arguments();
  }
  refuse("emit_header",
         joined("node '", n.name, "' is a custom operation, which text cannot describe"),
         "add it to the emitted function by hand");
}

}  // namespace calls

/// The whole statement: const auto stem_y = g.conv2d("stem", image_y, {...});
inline std::string statement(const node& n, const call_context& c) {
  std::string call;
  std::vector<std::string> a = calls::arguments(n, c, call), first = c.x;
  if (n.kind == op_kind::concat || n.kind == op_kind::custom) {
    first.front().insert(0, "{");
    first.back() += "}";
  }
  a.insert(a.begin(), first.begin(), first.end());
  a.insert(a.begin(), quoted(n.name.c_str()));
  const std::string variable = c.is_used ? joined("const auto ", c.id, "_y = ") : "";
  return filled(joined("  ", variable, "g.", call, "("), a, ");\n", 6);
}

}  // namespace lowbits::emit
