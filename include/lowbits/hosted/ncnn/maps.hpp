// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers that treat every channel by itself: BatchNorm, Scale, Quantize, Dequantize, Requantize.

#include <cmath>

#include <lowbits/hosted/ncnn/curves.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// Channels are the outermost axis of ncnn's order.
inline size_t channels_of(const value& v) { return static_cast<size_t>(v.shape.extent[0]); }

/// One number for each channel, or one for all, in the shape that meets x in the order that is there.
inline edge per_channel(importer& m, std::string_view purpose, const value& x, std::vector<float> numbers) {
  m.require(numbers.size() == 1 || numbers.size() == channels_of(x),
            joined("there are ", numbers.size(), " numbers for ", channels_of(x), " channels"));
  const int n = static_cast<int>(numbers.size());
  const bool is_flat = n == 1 || x.image.node >= 0 || x.shape.rank == 1;
  const tensor_shape s = is_flat ? tensor_shape{1, {n}}
                                 : tensor_shape{x.shape.rank, {n, 1, 1}};
  return m.constant(purpose, s, std::move(numbers));
}
/// x * mul + add; `add` may be empty.
inline edge affine_nodes(importer& m, const value& x, edge e, std::vector<float> mul, std::vector<float> add, bool is_last) {
  const bool adds = !add.empty();
  e = times(m, adds || !is_last ? "product" : "", e, per_channel(m, "factors", x, std::move(mul)));
  return adds ? plus(m, is_last ? "" : "sum", e, per_channel(m, "addends", x, std::move(add))) : e;
}

inline void affine_layer(importer& m, std::vector<float> mul, std::vector<float> add) {
  m.require(mul.size() == channels_of(m.x()), joined("the layer has ", mul.size(), " channels, its input ", channels_of(m.x())));
  define_map(m, [&](edge e) { return affine_nodes(m, m.x(), e, std::move(mul), std::move(add), true); });
}
inline void batch_norm(importer& m) {
  const int channels = m.integer(0, 0);
  const float eps = m.real(1, 0);
  const std::vector<float> slope = m.floats(channels, "the slopes"), mean = m.floats(channels, "the means"),
                           variance = m.floats(channels, "the variances");
  std::vector<float> add = m.floats(channels, "the biases"), mul;
  for (size_t i = 0; i < add.size(); ++i) {
    float deviation = std::sqrt(fp::sum(variance[i], eps));
    m.require(!fp::is_nan(deviation), joined("the variance of channel ", i, " is negative"));
    if (fp::is_zero(deviation)) deviation = 0.0001f;
    mul.push_back(fp::quotient(slope[i], deviation));
    add[i] = fp::difference(add[i], fp::quotient(fp::product(slope[i], mean[i]), deviation));
    m.require(fp::is_finite(mul[i]) && fp::is_finite(add[i]), joined("the numbers of channel ", i, " overflow"));
  }
  affine_layer(m, std::move(mul), std::move(add));
}
inline void scale(importer& m) {
  const int channels = m.integer(0, 0);
  m.require(channels != -233, "the scales are another blob", "use BinaryOp");
  std::vector<float> mul = m.floats(channels, "the scales"), add;
  if (m.integer(1, 0) != 0) add = m.floats(channels, "the biases");
  affine_layer(m, std::move(mul), std::move(add));
}

/// Numbers below zero times a slope.
inline void prelu(importer& m) {
  std::vector<float> slopes = m.floats(m.integer(0, 0), "the slopes");
  if (slopes.size() == 1) return curve_layer(m, {curve_kind::leaky, slopes[0]});
  define_map(m, [&](edge e) {
    const edge below = at_most(m, "below", e, 0.0f);
    const edge sloped = times(m, "sloped", below, per_channel(m, "slopes", m.x(), std::move(slopes)));
    return plus(m, {}, m.checked(m.graph().requantize(m.name("above"), e, {.fused = activation::relu})), sloped);
  });
}

// ---- codes

/// Scales of codes: they multiply floats.
inline std::vector<float> positive_floats(importer& m, int64_t count, std::string_view what) {
  std::vector<float> v = m.floats(count, what);
  for (const float s : v)
    m.require(fp::is_positive(s) && fp::is_positive(fp::quotient(1.0f, s)), joined(what, " are not all above zero"),
              "quantize the model again");
  return v;
}
inline float positive_float(importer& m, std::string_view what) { return positive_floats(m, 1, what)[0]; }

/// ncnn's codes: -127 to 127.
inline constexpr qformat narrow_codes{.bits = 8, .is_signed = true, .is_narrow = true};

/// The step between codes whose reals are multiplied by scale: the float whose reciprocal is scale,
/// where there is one.
inline affine step_of(float scale) noexcept {
  const float step = fp::quotient(1.0f, scale);
  for (const uint32_t more : {0u, 1u, ~0u}) {
    const float near_one = fp::from_bits(fp::to_bits(step) + more);
    if (fp::is_positive(near_one) && fp::quotient(1.0f, near_one) == scale) return {near_one, 0};
  }
  return {step, 0};
}
/// Floats to codes with one scale.
inline edge code_node(importer& m, std::string_view purpose, edge e, float scale) {
  return m.checked(m.graph().quantize(m.name(purpose), e,
                                      {.out = step_of(scale),
                                       .out_format = narrow_codes,
                                       .policy = rounding::away_float,
                                       .multiplier = scale}));
}
/// The same, with a scale for each channel. The graph knows no such codes: they state a step of 1.
inline edge code_nodes(importer& m, const value& x, edge e, const std::vector<float>& scales) {
  for (const float s : scales)
    if (s != scales[0]) {
      m.note("the codes have a scale per channel, which the graph does not know; it states 1");
      return code_node(m, {}, times(m, "scaled", e, per_channel(m, "scales", x, scales)), 1.0f);
    }
  return code_node(m, {}, e, scales[0]);
}

inline void quantize(importer& m) {
  m.require_counts(1, 1);
  value& x = m.x();
  m.require_reals(x);
  const std::vector<float> scales = positive_floats(m, m.integer(0, 1), "the scales");
  m.require(scales.size() == 1 || scales.size() == channels_of(x),
            joined("there are ", scales.size(), " scales for ", channels_of(x), " channels"));
  m.define(importer::like(x, code_nodes(m, x, importer::any(x), scales)));
}

/// ncnn has 32-bit integers here, which only an input of the model can be: floats with their values.
inline void take_sums(importer& m) {
  m.require(m.graph()[importer::any(m.x()).node].kind == op_kind::input,
            "the input is made by a layer, but none makes 32-bit integers", "leave the layer out");
  m.note("the 32-bit integers of its input are taken as floats with integer values below 2^24");
}
inline void dequantize(importer& m) {
  take_sums(m);
  std::vector<float> scales = m.floats(m.integer(0, 1), "the scales"), biases;
  if (const int count = m.integer(1, 0); count != 0) biases = m.floats(count, "the biases");
  define_map(m, [&](edge e) { return affine_nodes(m, m.x(), e, std::move(scales), std::move(biases), true); });
}
inline void requantize(importer& m) {
  take_sums(m);
  std::vector<float> in = m.floats(m.integer(0, 1), "the input scales"), biases;
  const std::vector<float> out = positive_floats(m, m.integer(1, 1), "the output scales");
  if (const int count = m.integer(2, 0); count != 0) biases = m.floats(count, "the biases");
  const real_curve curve = inner_curve(m, 3, 4);
  define_map(m, [&](edge e) {
    e = affine_nodes(m, m.x(), e, std::move(in), std::move(biases), false);
    return code_nodes(m, m.x(), curve_nodes(m, e, curve, "real"), out);
  });
}

}  // namespace lowbits::ncnn
