// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers with weights: InnerProduct, Convolution, ConvolutionDepthWise, Convolution1D; on floats, or on
// int8 codes where they have an int8 term.

#include <tuple>

#include <lowbits/hosted/ncnn/maps.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// What follows the weights of a layer with an int8 term.
struct code_scales {
  std::vector<float> weights{};  ///< one per output channel; 0: the products do not count
  float in = 0;
  float out = 0;  ///< 0: floats come out
};

/// [out][in][taps] becomes [out][taps][in].
template <class T>
std::vector<T> channels_last(const std::vector<T>& w, size_t out, size_t in, size_t taps) {
  std::vector<T> v(w.size());
  for (size_t o = 0; o < out; ++o)
    for (size_t i = 0; i < in; ++i)
      for (size_t t = 0; t < taps; ++t) v[(o * taps + t) * in + i] = w[(o * in + i) * taps + t];
  return v;
}

/// ncnn's code for a float: halves away from zero, -127 to 127.
inline int8_t narrow_code(float v) noexcept {
  return static_cast<int8_t>(clamp<int32_t>(fp::to_nearest<fp::tie::away_from_zero>(v), -127, 127));
}

/// The block of weights of a layer with its bias and scales, in the file's order.
struct product_weights {
  stored_weights w{};
  std::vector<float> bias{};
  code_scales scales{};
  bool on_codes = false;
  bool is_depthwise = false;  ///< [taps][out] instead of [out][taps][in]
};

template <class Function>
void rearrange(product_weights& p, const Function& f) {
  if (p.w.are_codes) p.w.codes = f(p.w.codes);
  else p.w.reals = f(p.w.reals);
}

inline product_weights read_weights(importer& m, int64_t count, int out_c, int groups, bool has_bias, int term) {
  product_weights p;
  const bool is_grouped = m.current().kind == "ConvolutionDepthWise";
  m.require(term == 0 || term == 1 || term == 2 || term == 101 || term == 102, joined("the int8 term ", term, " is unknown"),
            "use 0, 1, 2, 101 or 102");
  p.w = m.tagged(count);
  if (has_bias) p.bias = m.floats(out_c, "the bias");
  p.on_codes = term != 0;
  if (term == 0) {
    m.require(!p.w.are_codes, "the weights are int8, but the layer has no int8 term", "quantize the model again");
    return p;
  }
  const int scale_count = !is_grouped ? out_c : term % 100 == 1 ? groups : 1;
  const std::vector<float> scales = m.floats(scale_count, "the weight scales");
  for (int c = 0; c < out_c; ++c) {
    const float s = scales[static_cast<size_t>(int64_t{c} * scale_count / out_c)];
    m.require(fp::is_zero(s) || !fp::is_negative(s), "a weight scale is negative", "quantize the model again");
    p.scales.weights.push_back(s);
  }
  p.scales.in = positive_float(m, "the input scale");
  if (term > 100) p.scales.out = positive_float(m, "the output scale");
  if (!p.w.are_codes) {
    const size_t row = p.w.reals.size() / static_cast<size_t>(out_c);
    for (size_t i = 0; i < p.w.reals.size(); ++i)
      p.w.codes.push_back(narrow_code(fp::product(p.w.reals[i], p.scales.weights[i / row])));  // as ncnn on loading
    p.w.reals.clear();
    p.w.are_codes = true;
  }
  return p;
}

/// The weights of one layer as a node wants them; kept as long as the model.
inline weight_data bound_weights(importer& m, product_weights& p) {
  if (!p.on_codes) {
    weight_data w{.storage = weight_storage::f32, .length = p.w.reals.size()};
    w.f32 = m.keep(std::move(p.w.reals));
    return w;
  }
  weight_data w{.storage = weight_storage::s8, .length = p.w.codes.size(), .format = {8, true}};
  w.s8 = m.keep(std::move(p.w.codes));
  return w;
}
/// The scale that gives ncnn's factor for the sums when it meets codes with this step: equal to the last
/// bit where such a float exists, else next to it.
inline float weight_step(const importer& m, float step, float in_scale, float scale) {
  const float factor = fp::quotient(1.0f, fp::product(in_scale, scale)), guess = fp::quotient(factor, step);
  m.require(fp::is_positive(factor) && fp::is_positive(guess), "the scales are too large or too small",
            "quantize the model again");
  for (const uint32_t more : {0u, 1u, ~0u})
    if (const float w = fp::from_bits(fp::to_bits(guess) + more); fp::product(step, w) == factor) return w;
  return guess;
}

/// Adds a layer with weights over e. `add` makes the node: it gets options with weights, bias, output and
/// activation set, and the name. Codes come out where the layer has an output scale.
template <class Options, class Function>
edge product_nodes(importer& m, edge e, product_weights p, const real_curve& curve, Options o, const Function& add) {
  const activation fused = fused_of(curve);
  const bool ends = fused != activation::none || curve.kind == curve_kind::none, to_codes = p.scales.out != 0;
  o.fused = fused;
  if (!p.bias.empty()) {
    o.bias.length = p.bias.size();
    o.bias.is_real = true;
    o.bias.f32 = m.keep(std::move(p.bias));
  }
  if (!p.on_codes) {
    m.require(m.desc(e).kind == element::reals, "the input is codes, but the weights are floats",
              "give the layer an int8 term");
    m.is_real();
    o.weights = bound_weights(m, p);
    e = m.checked(add(m.name(ends ? "" : "sum"), e, o));
    return ends ? e : curve_nodes(m, e, curve);
  }
  if (m.desc(e).kind == element::reals) {
    edge& codes = m.codes_of(e, p.scales.in);
    if (codes.node < 0) codes = code_node(m, "codes", e, p.scales.in);
    e = codes;
  }
  // A scale of 0 stands for products that do not count.
  const size_t row = p.w.codes.size() / p.scales.weights.size();
  std::vector<float> steps;
  for (size_t c = 0; c < p.scales.weights.size(); ++c) {
    const bool counts = !fp::is_zero(p.scales.weights[c]);
    steps.push_back(counts ? weight_step(m, m.desc(e).params.scale, p.scales.in, p.scales.weights[c]) : 1.0f);
    for (size_t i = 0; !counts && i < row; ++i) p.w.codes[p.is_depthwise ? i * p.scales.weights.size() + c : c * row + i] = 0;
  }
  o.weights = bound_weights(m, p);
  o.weights.scale_count = steps.size();
  o.weights.scales = m.keep(std::move(steps));
  if (to_codes && ends) {
    o.out = step_of(p.scales.out);
    o.out_format = narrow_codes;
    o.policy = rounding::away_bias;
    return m.checked(add(m.name(), e, o));
  }
  if (!to_codes) m.gives_reals();
  o.out_format = as_reals;
  e = m.checked(add(m.name(ends ? "" : "sum"), e, o));
  if (!ends) e = curve_nodes(m, e, curve, to_codes ? "real" : "");
  return to_codes ? code_node(m, {}, e, p.scales.out) : e;
}

inline int64_t weight_count(const importer& m, int number, int out_c) {
  const int64_t count = m.integer(number, 0);
  m.require(out_c >= 1, joined("the layer has ", out_c, " output channels"));
  m.require(count >= 1 && count % out_c == 0, joined(count, " weights do not divide among ", out_c, " outputs"));
  return count;
}

inline void inner_product(importer& m) {
  m.require_counts(1, 1);
  value& x = m.x();
  const int units = m.integer(0, 0);
  const int64_t count = weight_count(m, 2, units);
  const int64_t columns = count / units;
  const bool has_rows = x.shape.rank == 2 && x.shape.extent[1] == columns;
  m.require(has_rows || static_cast<int64_t>(x.shape.count()) == columns,
            joined("the weights are for ", columns, " inputs, but the input has the shape ", text_of(x.shape)));
  const real_curve curve = inner_curve(m, 9, 10);
  product_weights p = read_weights(m, count, units, 1, m.integer(1, 0) != 0, m.integer(8, 0));
  edge e = x.planar;
  if (x.is_image() && e.node < 0) {  // the weights are turned instead of the input
    e = x.image;
    const auto c = static_cast<size_t>(x.shape.extent[0]), positions = static_cast<size_t>(columns) / c;
    rearrange(p, [&](const auto& v) { return channels_last(v, static_cast<size_t>(units), c, positions); });
  }
  const int rows = has_rows ? x.shape.extent[0] : 1;
  e = m.reshaped(e, has_rows ? x.shape : tensor_shape{1, {static_cast<int>(columns)}}, "vector");
  e = product_nodes(m, e, std::move(p), curve, dense_options{.units = units},
                    [&](const node_name& n, edge in, const dense_options& o) { return m.graph().dense(n, in, o); });
  const tensor_shape out = has_rows ? tensor_shape{2, {rows, units}} : tensor_shape{1, {units}};
  m.define(importer::planar_value(out, e));
}

/// Kernel, stride, dilation and padding of a layer with two spatial axes.
struct window_params {
  extent2d kernel = 1, stride = 1, dilation = 1;
  padding pad{};
};

constexpr int same_upper = -233, same_lower = -234;

/// Padding of one axis under SAME: as much as every output needs, the odd one behind (or in front).
inline std::pair<int, int> same_pads(const importer& m, int in, int kernel, int stride, int dilation, bool is_lower) {
  const int64_t total = int64_t{dilation} * (kernel - 1) + 1 + int64_t{in - 1} / stride * stride - in;
  m.require(total >= -1, "the stride is larger than the kernel, where SAME cuts the image", "use explicit pads");
  const int all = saturate<int32_t>(larger<int64_t>(total, 0)), half = all / 2;
  return is_lower ? std::pair(all - half, half) : std::pair(half, all - half);
}
inline void check_window(const importer& m, const window_params& w) {
  for (const extent2d& e : {w.kernel, w.stride, w.dilation})
    m.require(infer::is_small(e.h, 1) && infer::is_small(e.w, 1), "a kernel, stride or dilation is not in 1 to 32767");
}

/// Kernel, dilation and stride.
inline window_params sizes_of(const importer& m) {
  window_params w;
  w.kernel = {m.integer(11, m.integer(1, 0)), m.integer(1, 0)};
  w.dilation = {m.integer(12, m.integer(2, 1)), m.integer(2, 1)};
  w.stride = {m.integer(13, m.integer(3, 1)), m.integer(3, 1)};
  check_window(m, w);
  return w;
}
inline window_params window_of(const importer& m, int in_h, int in_w) {
  window_params w = sizes_of(m);
  padding& p = w.pad;
  p.left = m.integer(4, 0);
  p.right = m.integer(15, p.left);
  p.top = m.integer(14, p.left);
  p.bottom = m.integer(16, p.top);
  const auto all = [&](int v) { return p.left == v && p.right == v && p.top == v && p.bottom == v; };
  if (all(same_upper) || all(same_lower)) {
    const bool is_lower = p.left == same_lower;
    std::tie(p.top, p.bottom) = same_pads(m, in_h, w.kernel.h, w.stride.h, w.dilation.h, is_lower);
    std::tie(p.left, p.right) = same_pads(m, in_w, w.kernel.w, w.stride.w, w.dilation.w, is_lower);
  }
  m.require(infer::is_small(p.top, 0) && infer::is_small(p.bottom, 0) && infer::is_small(p.left, 0) &&
                infer::is_small(p.right, 0),
            "a pad is neither in 0 to 32767 nor -233 or -234 on all sides");
  return w;
}

inline int groups_of(const importer& m, int in_c, int out_c) {
  if (!m.current().kind.ends_with("DepthWise")) return 1;
  const int groups = m.integer(7, 1);
  m.require(groups >= 1 && in_c % groups == 0 && out_c % groups == 0,
            joined(groups, " groups do not divide ", in_c, " input and ", out_c, " output channels"));
  return groups;
}
/// The kernels in the file's order, [out][in / groups][taps]; their count is checked.
inline product_weights read_kernels(importer& m, int out_c, int in_c, int groups, int taps, int term) {
  const int64_t count = weight_count(m, 6, out_c), each = int64_t{taps} * (in_c / groups);
  m.require(count / out_c == each,
            joined("there are ", count / out_c, " weights for each output, but a kernel over the input has ", each));
  return read_weights(m, count, out_c, groups, m.integer(5, 0) != 0, term);
}
/// Pads e with a number other than zero; the window then has no padding of its own.
inline edge padded_with(importer& m, edge e, padding& pad, float around, bool on_codes) {
  pad_options o{.before = {pad.top, pad.left, 0}, .after = {pad.bottom, pad.right, 0}};
  if (on_codes) {
    m.require(around >= -127 && around <= 127, "the value of the padding is no code", "use one in -127 to 127");
    o.value = static_cast<int>(around);
  } else {
    o.value = around;
  }
  pad = {};
  return m.checked(m.graph().pad(m.name("padded"), e, o));
}

/// A convolution over e, [rows][columns][channels]; gives the edge of its output in the same order.
inline edge convolution_of(importer& m, edge e, window_params w, int term) {
  const int in_c = m.desc(e).shape.extent[2], out_c = m.integer(0, 0), taps = w.kernel.h * w.kernel.w;
  m.require(out_c >= 1, joined("the layer has ", out_c, " output channels"));
  const int groups = groups_of(m, in_c, out_c);
  product_weights p = read_kernels(m, out_c, in_c, groups, taps, term);
  const real_curve curve = inner_curve(m, 9, 10);
  if (const float around = m.real(18, 0); !fp::is_zero(around) && (w.pad.top | w.pad.bottom | w.pad.left | w.pad.right) != 0) {
    if (p.on_codes && m.desc(e).kind == element::reals) e = code_node(m, "codes", e, p.scales.in);
    e = padded_with(m, e, w.pad, around, p.on_codes);
  }
  p.is_depthwise = groups == in_c && groups > 1;
  const auto out = static_cast<size_t>(out_c), depth = static_cast<size_t>(in_c / groups), each = static_cast<size_t>(taps);
  if (p.is_depthwise) {
    rearrange(p, [&](const auto& v) { return channels_last(v, 1, out, each); });
    const depthwise_options o{.kernel = w.kernel, .stride = w.stride, .dilation = w.dilation, .pad = w.pad,
                              .multiplier = out_c / in_c};
    return product_nodes(m, e, std::move(p), curve, o, [&](const node_name& n, edge in, const depthwise_options& with) {
      return m.graph().depthwise(n, in, with);
    });
  }
  rearrange(p, [&](const auto& v) { return channels_last(v, out, depth, each); });
  const conv2d_options o{.out_c = out_c, .kernel = w.kernel, .stride = w.stride, .dilation = w.dilation, .pad = w.pad,
                         .groups = groups};
  return product_nodes(m, e, std::move(p), curve, o, [&](const node_name& n, edge in, const conv2d_options& with) {
    return m.graph().conv2d(n, in, with);
  });
}

inline void require_no_dynamic_weights(const importer& m, int number) {
  m.require(m.integer(number, 0) == 0, "the weights are another blob", "use constant weights");
}

inline void convolution(importer& m) {
  require_no_dynamic_weights(m, 19);
  m.require_counts(1, 1);
  value& x = m.x();
  if (x.shape.rank == 1) {  // a product with a vector, as old converters write it
    const tensor_shape as_image{3, {1, 1, x.shape.extent[0]}};
    const edge y = convolution_of(m, m.reshaped(x.planar, as_image, "hwc"), window_of(m, 1, 1), m.integer(8, 0));
    const tensor_shape out{1, {m.desc(y).shape.extent[2]}};
    m.require(m.desc(y).count() == out.count(), "the input is a vector, but the kernel is not 1x1");
    return m.define(importer::planar_value(out, m.reshaped(y, out, "vector")));
  }
  const edge e = m.image(x);
  const tensor_shape s = m.desc(e).shape;
  m.define(m.image_value(convolution_of(m, e, window_of(m, s.extent[0], s.extent[1]), m.integer(8, 0))));
}

/// The input is [channels][columns]: an image of one row.
inline void convolution1d(importer& m) {
  require_no_dynamic_weights(m, 19);
  m.require_counts(1, 1);
  value& x = m.x();
  m.require(x.shape.rank == 2, joined("the input has the shape ", text_of(x.shape), " instead of two axes"));
  const tensor_shape turned{2, {x.shape.extent[1], x.shape.extent[0]}};
  edge e = m.transposed(x.planar, turned, {1, 0}, "wc");
  e = m.reshaped(e, {3, {1, turned.extent[0], turned.extent[1]}}, "hwc");
  window_params w = window_of(m, 1, turned.extent[0]);
  w.kernel.h = w.stride.h = w.dilation.h = 1;
  w.pad.top = w.pad.bottom = 0;
  e = convolution_of(m, e, w, 0);
  const tensor_shape s = m.desc(e).shape;
  const tensor_shape out{2, {s.extent[2], s.extent[1]}};
  e = m.reshaped(e, {2, {s.extent[1], s.extent[2]}}, "rows");
  m.define(importer::planar_value(out, m.transposed(e, out, {1, 0}, "cw")));
}

}  // namespace lowbits::ncnn
