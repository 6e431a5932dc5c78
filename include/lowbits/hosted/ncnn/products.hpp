// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers with weights: InnerProduct, Convolution, ConvolutionDepthWise, Deconvolution,
// DeconvolutionDepthWise, Convolution1D; on floats, or on int8 codes where they have an int8 term.

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

/// The block of weights of a layer with its bias and scales, in the file's order.
struct product_weights {
  stored_weights w{};
  std::vector<float> bias{};
  code_scales scales{};
  bool on_codes = false;
};

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
      p.w.codes.push_back(narrow_code(fp::product(p.w.reals[i], p.scales.weights[i / row])));
    p.w.reals.clear();
    p.w.are_codes = true;
  }
  return p;
}

/// The node of a product over x, whose elements are in the order of shape. Weights [out][taps][in].
inline edge product_node(importer& m, edge x, const conv2d_shape& shape, product_weights p, const real_curve& curve,
                         const tensor_shape& out, bool is_transposed = false) {
  const uint64_t macs = is_transposed
      ? uint64_t{1} * static_cast<uint64_t>(shape.in_h) * static_cast<uint64_t>(shape.in_w) * p.w.reals.size()
      : out.count() * static_cast<uint64_t>(shape.depth());
  tensor_desc d{.shape = out, .kind = element::reals};
  if (!p.on_codes) {
    m.require(m.desc(x).kind == element::reals, "the input is codes, but the weights are floats",
              "give the layer an int8 term");
    m.is_real();
    const size_t bytes = sizeof(float) * (p.w.reals.size() + p.bias.size());
    return m.custom({}, {x}, d,
                    real_product{shape, m.keep(std::move(p.w.reals)), m.keep_or_null(std::move(p.bias)), curve, is_transposed},
                    bytes, macs);
  }
  if (m.desc(x).kind == element::reals) x = quantized(m, x, p.scales.in);
  std::vector<float> factors;
  for (const float s : p.scales.weights)
    factors.push_back(fp::is_zero(s) ? 0.0f : fp::quotient(1.0f, fp::product(p.scales.in, s)));
  for (const float f : factors) m.require(fp::is_finite(f), "the scales are too small", "quantize the model again");
  if (p.scales.out != 0) {
    d = codes_with(p.scales.out);
    d.shape = out;
  }
  const size_t bytes = p.w.codes.size() + sizeof(float) * (factors.size() + p.bias.size());
  return m.custom({}, {x}, d,
                  code_product{shape, m.keep(std::move(p.w.codes)), m.keep(std::move(factors)),
                               m.keep_or_null(std::move(p.bias)), curve, p.scales.out},
                  bytes, macs);
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
  const real_curve curve = fused_curve(m, 9, 10);
  product_weights p = read_weights(m, count, units, 1, m.integer(1, 0) != 0, m.integer(8, 0));
  edge e = x.planar;
  if (x.is_image() && e.node < 0) {  // the weights are turned instead of the input
    e = x.image;
    const auto c = static_cast<size_t>(x.shape.extent[0]), positions = static_cast<size_t>(columns) / c;
    if (p.w.are_codes) p.w.codes = channels_last(p.w.codes, static_cast<size_t>(units), c, positions);
    else p.w.reals = channels_last(p.w.reals, static_cast<size_t>(units), c, positions);
  }
  const int rows = has_rows ? x.shape.extent[0] : 1;
  const tensor_shape out = has_rows ? tensor_shape{2, {rows, units}} : tensor_shape{1, {units}};
  const edge y = product_node(m, e, dense_shape(rows, static_cast<int>(columns), units), std::move(p), curve, out);
  m.define(importer::planar_value(out, y));
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

inline window_params window_of(const importer& m, int in_h, int in_w) {
  window_params w;
  w.kernel = {m.integer(11, m.integer(1, 0)), m.integer(1, 0)};
  w.dilation = {m.integer(12, m.integer(2, 1)), m.integer(2, 1)};
  w.stride = {m.integer(13, m.integer(3, 1)), m.integer(3, 1)};
  check_window(m, w);
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
/// The weights with channels last; their count is that of the kernels.
inline product_weights read_kernels(importer& m, const conv2d_shape& s, int term) {
  const int64_t count = weight_count(m, 6, s.out_c);
  const int64_t each = int64_t{s.window.taps()} * s.group_in();
  m.require(count / s.out_c == each,
            joined("there are ", count / s.out_c, " weights for each output, but a kernel over the input has ", each));
  product_weights p = read_weights(m, count, s.out_c, s.groups, m.integer(5, 0) != 0, term);
  const auto out = static_cast<size_t>(s.out_c), in = static_cast<size_t>(s.group_in()),
             taps = static_cast<size_t>(s.window.taps());
  if (p.w.are_codes) p.w.codes = channels_last(p.w.codes, out, in, taps);
  else p.w.reals = channels_last(p.w.reals, out, in, taps);
  return p;
}

/// A convolution over e, [rows][columns][channels]; gives the edge of its output in the same order.
inline edge convolution_of(importer& m, edge e, const window_params& w, int term) {
  const tensor_shape in = m.desc(e).shape;
  conv2d_shape s{.in_h = in.extent[0], .in_w = in.extent[1], .in_c = in.extent[2]};
  s.out_c = m.integer(0, 0);
  m.require(s.out_c >= 1, joined("the layer has ", s.out_c, " output channels"));
  s.groups = groups_of(m, s.in_c, s.out_c);
  infer::verdict v;
  const image_extents out = infer::fit_image({1, s.in_h, s.in_w, s.in_c}, w.kernel, w.stride, w.dilation, w.pad, s.window, v);
  m.check(v);
  s.out_h = out.h;
  s.out_w = out.w;
  const tensor_desc made{.shape = {3, {out.h, out.w, s.out_c}}, .kind = element::reals};
  infer::check_tensor(made, v);
  m.check(v);
  product_weights p = read_kernels(m, s, term);
  const float around = m.real(18, 0);
  if (!fp::is_zero(around) && (w.pad.top | w.pad.bottom | w.pad.left | w.pad.right) != 0) {
    if (p.on_codes && m.desc(e).kind == element::reals) e = quantized(m, e, p.scales.in);
    pad_options o{.before = {w.pad.top, w.pad.left, 0}, .after = {w.pad.bottom, w.pad.right, 0}};
    if (p.on_codes) {
      m.require(around >= -127 && around <= 127, "the value of the padding is no code", "use one in -127 to 127");
      o.value = static_cast<int>(around);
    } else {
      o.value = around;
    }
    e = m.checked(m.graph().pad(m.name("padded"), e, o));
    s.in_h = m.desc(e).shape.extent[0];
    s.in_w = m.desc(e).shape.extent[1];
    s.window.pad_top = s.window.pad_left = 0;
  }
  return product_node(m, e, s, std::move(p), fused_curve(m, 9, 10), made.shape);
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

inline void deconvolution(importer& m) {
  require_no_dynamic_weights(m, 28);
  m.require_counts(1, 1);
  const edge e = m.image(m.x());
  const tensor_shape in = m.desc(e).shape;
  conv2d_shape s{.in_h = in.extent[0], .in_w = in.extent[1], .in_c = in.extent[2]};
  s.out_c = m.integer(0, 0);
  m.require(s.out_c >= 1, joined("the layer has ", s.out_c, " output channels"));
  s.groups = groups_of(m, s.in_c, s.out_c);
  window_params w;
  w.kernel = {m.integer(11, m.integer(1, 0)), m.integer(1, 0)};
  w.dilation = {m.integer(12, m.integer(2, 1)), m.integer(2, 1)};
  w.stride = {m.integer(13, m.integer(3, 1)), m.integer(3, 1)};
  check_window(m, w);
  const int left = m.integer(4, 0), right = m.integer(15, left), top = m.integer(14, left), bottom = m.integer(16, top);
  const int more_w = m.integer(18, 0), more_h = m.integer(19, more_w);
  const int out_w = m.integer(20, 0), out_h = m.integer(21, out_w);
  m.require(infer::is_small(more_w, 0) && infer::is_small(more_h, 0), "the additional rows or columns are not in 0 to 32767");
  const bool cuts = left > 0 || right > 0 || top > 0 || bottom > 0;
  // {in front, output extent}
  const auto cut = [&](int in_extent, int kernel, int stride, int dilation, int more, int before, int behind, int stated) {
    const int64_t full = int64_t{in_extent - 1} * stride + int64_t{dilation} * (kernel - 1) + 1 + more;
    int64_t front = 0, out = full;
    if (cuts) {
      m.require(before >= 0 && behind >= 0, "some pads are negative and others are not");
      front = before;
      out = full - before - behind;
    } else if (out_w > 0 && out_h > 0) {
      m.require(before == same_upper || before == same_lower, "a stated output size needs pads of -233 or -234");
      m.require(full >= stated, "the stated output is larger than the kernels reach");
      front = before == same_upper ? (full - stated) / 2 : (full - stated) - (full - stated) / 2;
      out = stated;
    }
    m.require(out >= 1 && out <= highest_of<int32_t>, "the pads leave nothing of the output");
    return std::pair(static_cast<int>(front), static_cast<int>(out));
  };
  s.window = {w.kernel.h, w.kernel.w, w.stride.h, w.stride.w, w.dilation.h, w.dilation.w, 0, 0};
  std::tie(s.window.pad_top, s.out_h) =
      cut(s.in_h, w.kernel.h, w.stride.h, w.dilation.h, more_h, top, bottom, out_h);
  std::tie(s.window.pad_left, s.out_w) =
      cut(s.in_w, w.kernel.w, w.stride.w, w.dilation.w, more_w, left, right, out_w);
  const tensor_desc made{.shape = {3, {s.out_h, s.out_w, s.out_c}}, .kind = element::reals};
  infer::verdict v;
  infer::check_tensor(made, v);
  m.check(v);
  product_weights p = read_kernels(m, s, 0);
  m.define(m.image_value(product_node(m, e, s, std::move(p), fused_curve(m, 9, 10), made.shape, true)));
}

}  // namespace lowbits::ncnn
