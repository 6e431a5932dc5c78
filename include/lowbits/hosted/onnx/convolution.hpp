// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Conv and QLinearConv.

#include <lowbits/hosted/onnx/quantize.hpp>
#include <lowbits/hosted/onnx/weights.hpp>
#include <lowbits/hosted/onnx/window.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

struct convolution {
  window at{};
  int channels = 1, groups = 1;
  bool is_depthwise = false;
  std::vector<int> axes{};  ///< of the weights, in the graph's order
};

inline convolution read_convolution(importer& m, const value& x, const value& w) {
  check_image(m, x);
  m.require(w.is_constant(), joined("the weights '", shown(w.name), "' are not a constant"), "export a model with constant weights");
  m.require(w.rank() == x.rank(), joined("the weights have ", w.rank(), " axes, the input ", x.rank()), "export the model again");
  m.require(w.count() != 0, "the weights have no elements", "export the model again");
  convolution c;
  const int64_t groups = m.integer("group", 1);
  c.channels = w.extent(0);
  m.require(groups >= 1 && x.extent(1) == groups * w.extent(1) && c.channels % groups == 0,
            joined("group is ", groups, " for ", x.extent(1), " input channels, ", c.channels, " output channels and weights of ",
                   w.extent(1), " channels"),
            "export the model again");
  c.groups = static_cast<int>(groups);
  c.is_depthwise = c.groups > 1 && w.extent(1) == 1;
  c.at = read_window(m, x.shape, shape_list(w.shape.begin() + 2, w.shape.end()), false);
  if (w.rank() == 4) c.axes = c.is_depthwise ? std::vector<int>{2, 3, 0, 1} : std::vector<int>{0, 2, 3, 1};
  else c.axes = c.is_depthwise ? std::vector<int>{2, 0, 1} : std::vector<int>{0, 2, 1};
  return c;
}

template <class Options>
void set_window(Options& o, const window& w) {
  o.kernel = w.kernel;
  o.stride = w.stride;
  o.dilation = w.dilation;
  o.pad = w.pad;
}
inline edge convolution_node(importer& m, edge x, const convolution& c, const weight_data& w, const bias_data& b, const target& t,
                             dynamic_definition dynamic = dynamic_definition::symmetric) {
  if (c.is_depthwise) {
    depthwise_options o{.multiplier = c.channels / c.groups, .weights = w, .bias = b, .dynamic = dynamic, .out = t.params, .out_format = t.format,
                        .fused = t.fused, .policy = rounding::even_float};
    set_window(o, c.at);
    return m.graph().depthwise(m.name(), x, o);
  }
  conv2d_options o{.out_c = c.channels, .groups = c.groups, .weights = w, .bias = b, .dynamic = dynamic, .out = t.params, .out_format = t.format,
                   .fused = t.fused, .policy = rounding::even_float};
  set_window(o, c.at);
  return m.graph().conv2d(m.name(), x, o);
}

inline stored convolution_codes(importer& m, edge x, const convolution& c, const layer_weights& w, const std::vector<int64_t>& bias, const target& t) {
  bool wide = w.needs_wide;
  const bias_data b = bias_of(m, bias, wide);
  const edge e = with_types(m, {x}, t, wide, true, [&](const std::vector<edge>& in, const target& inner) {
    return convolution_node(m, in[0], c, w.data, b, inner);
  });
  m.check_graph();
  m.record(m.output_name(0), -1);
  return {{}, e};
}

inline void check_bias(importer& m, const value& b, int channels) {
  m.require(b.is_constant(), joined("the bias '", shown(b.name), "' is not a constant"), "export a model with a constant bias");
  m.require(b.rank() == 1 && b.extent(0) == channels, joined("the bias has the shape ", text_of(b.shape), " for ", channels, " channels"),
            "give one number for each channel");
}

/// One number for each channel, on the axis with `channels`, or one for all.
inline bool is_per_channel(const value& b, const shape_list& out, int axis) noexcept {
  if (!b.is_constant() || !b.is_float() || b.shape.size() > out.size()) return false;
  const size_t front = out.size() - b.shape.size();
  for (size_t a = 0; a < b.shape.size(); ++a) {
    const bool is_it = a + front == static_cast<size_t>(axis);
    if (b.shape[a] != 1 && !(is_it && b.shape[a] == out[a + front])) return false;
  }
  return true;
}

inline std::shared_ptr<deferred> later_convolution(importer& m, value& x, value& w, const value* b, const convolution& c, int index) {
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  d->channel_axis = 1;
  d->as_codes = [&m, &x, &w, b, c, index](const target& t) -> stored {
    if (!x.has_codes() || w.quantized == nullptr || !can_be_weights(*w.quantized, 0)) return {};
    const visit here(m, index);
    const edge in = image_codes(m, x);
    const layer_weights weights = weights_of(m, *w.quantized, c.axes);
    std::vector<int64_t> bias;
    if (b != nullptr) bias = bias_codes(m, *b, weights.data, m.graph().desc(in).params.scale, 1.0f, c.channels);
    return convolution_codes(m, in, c, weights, bias, t);
  };
  d->as_reals = [&m, &x, &w, b, c, index]() -> stored {
    const visit here(m, index);
    m.stays_float(w.quantized != nullptr ? "only its weights are quantized" : "what reads or makes its tensors is not quantized");
    const bool stay_codes = !c.is_depthwise && can_stay_codes(w, 0, 1.0f);
    const weight_data weights = stay_codes ? weights_of(m, *w.quantized, c.axes).data : real_weights(m, w, w.shape, c.axes);
    const edge e = convolution_node(m, image_reals(m, x), c, weights, real_bias(m, b, 1.0f, c.channels), {},
                                    stay_codes ? dynamic_definition::weight_only : dynamic_definition::symmetric);
    m.check_graph();
    m.record(m.output_name(0), 0);
    return {{}, e};
  };
  if (b == nullptr)
    d->with_bias = [&m, &x, &w, c, index](const value& bias) { return later_convolution(m, x, w, &bias, c, index); };
  return d;
}

inline void conv(importer& m) {
  m.expect(2, 3);
  value &x = m.input(0), &w = m.input(1);
  const value* const b = m.has_input(2) ? &m.input(2) : nullptr;
  m.require_floats({&x, &w, b});
  const convolution c = read_convolution(m, x, w);
  if (b != nullptr) check_bias(m, *b, c.channels);
  settle(m, x);
  auto d = later_convolution(m, x, w, b, c, m.index());
  m.define(0, data_type::FLOAT, window_output(x.shape, c.at, c.channels)).later = std::move(d);
}

/// Scale and zero point of a whole tensor, inputs k and k + 1.
inline target one_scale(importer& m, int k, int type) {
  m.require(is_code(type), joined("codes have the type ", type_name(type)), "use integers of 8 bits");
  const std::vector<float> scale = read_scales(m, k);
  m.require(scale.size() == 1, joined("the scale '", shown(m.input(k).name), "' is not one number"), "quantize it per tensor");
  const std::vector<int> zero = read_zeros(m, k + 1, type, m.input(k).shape, 1);
  return {inner_format(type), {scale[0], zero[0] + inner_offset(type)}};
}
inline edge with_params(importer& m, edge x, const affine& p) {
  const edge e = relabelled(m, x, p);
  m.check_graph();
  return e;
}

inline void qlinear_conv(importer& m) {
  m.expect(8, 9);
  value &x = m.input(0), &w = m.input(3);
  m.require(w.known != nullptr && is_code(w.known->type), "the weights are not constant codes", "export a model with constant weights");
  const target in = one_scale(m, 1, x.type);
  const convolution c = read_convolution(m, x, w);
  const std::vector<float> scales = read_scales(m, 4);
  m.require(scales.size() == 1 || scales.size() == static_cast<size_t>(c.channels), joined("there are ", scales.size(), " weight scales for ", c.channels, " channels"),
            "give one for each channel");
  std::vector<int> zeros(scales.size(), 0);
  if (m.has_input(5) && m.input(5).count() != scales.size()) zeros.assign(scales.size(), read_zeros(m, 5, w.type, {}, 1)[0]);
  else zeros = read_zeros(m, 5, w.type, m.input(4).shape, scales.size());
  const target out = one_scale(m, 6, m.input(7).type);
  std::vector<int64_t> bias;
  if (m.has_input(8)) {
    const value& b = m.input(8);
    check_bias(m, b, c.channels);
    m.require(b.type == data_type::INT32 && b.known != nullptr, "the bias is not a constant of int32", "export the model again");
    bias.assign(b.known->integers.begin(), b.known->integers.end());
  }
  const quantized_constant q{w.known, scales, zeros, 0, 0};
  const edge e = with_params(m, image_codes(m, x), in.params);
  m.define(0, m.input(7).type, window_output(x.shape, c.at, c.channels), convolution_codes(m, e, c, weights_of(m, q, c.axes), bias, out));
}

}  // namespace lowbits::onnx
