// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers that treat every element by itself: activations, BatchNorm, Scale, PReLU, Quantize,
// Dequantize, Requantize.

#include <lowbits/hosted/ncnn/importer.hpp>
#include <lowbits/hosted/ncnn/real_layers.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// The activation inside a layer: its kind and its numbers are parameters of the layer.
inline real_curve fused_curve(const importer& m, int kind_number, int list_number) {
  const int kind = m.integer(kind_number, 0);
  const std::vector<float> numbers = m.reals(list_number);
  m.require(kind >= 0 && kind <= 6, joined("activation ", kind, " is unknown"), "use one of 0 to 6");
  const size_t needed = kind == 2 ? 1 : kind == 3 || kind == 6 ? 2 : 0;
  m.require(numbers.size() >= needed, joined("activation ", kind, " lacks its ", needed, " numbers"));
  real_curve c{.kind = static_cast<curve_kind>(kind)};
  if (needed >= 1) c.a = numbers[0];
  if (needed >= 2) c.b = numbers[1];
  m.require(c.kind != curve_kind::hard_swish || !fp::is_zero(c.a), "the activation's slope is 0");
  return c;
}

/// The numbers per channel of a map over v: channels are the outermost axis. Sets their place.
inline channel_map map_over(const value& v, bool is_image, size_t numbers) {
  channel_map d{.count = v.shape.count()};
  if (numbers <= 1) return d;
  d.channels = numbers;
  d.block = is_image ? 1 : d.count / numbers;
  return d;
}
inline size_t channels_of(const value& v) { return static_cast<size_t>(v.shape.extent[0]); }

/// Adds the node of a map, in the order that x is there already, and defines the layer's output.
inline void define_map(importer& m, value& x, size_t numbers, const auto& fill, const tensor_desc& like) {
  m.require_counts(1, 1);
  const bool is_image = x.image.node >= 0;
  const edge e = is_image ? x.image : x.planar;
  channel_map d = map_over(x, is_image, numbers);
  fill(d);
  tensor_desc out = like;
  out.shape = m.desc(e).shape;
  const edge y = m.custom({}, {e}, out, d, 3 * sizeof(float) * numbers);
  m.define(is_image ? m.image_value(y) : importer::planar_value(x.shape, y));
}

inline void curve_layer(importer& m, const real_curve& c) {
  value& x = m.x();
  m.require_reals(x);
  m.is_real();
  define_map(m, x, 0, [&](channel_map& d) { d.curve = c; }, {.kind = element::reals});
}

inline void relu(importer& m) {
  const float slope = m.real(0, 0);
  curve_layer(m, fp::is_zero(slope) ? real_curve{curve_kind::relu} : real_curve{curve_kind::leaky, slope});
}
inline void clip(importer& m) {
  constexpr float largest = 3.402823466e+38f;
  curve_layer(m, {curve_kind::clip, m.real(0, -largest), m.real(1, largest)});
}
inline void hard_curve(importer& m, curve_kind kind) {
  const real_curve c{kind, m.real(0, 0.2f), m.real(1, 0.5f)};
  m.require(!fp::is_zero(c.a), "the slope is 0");
  curve_layer(m, c);
}
inline void elu(importer& m) { curve_layer(m, {curve_kind::elu, m.real(0, 0.1f)}); }

/// x * mul[c] + add[c].
inline void affine_layer(importer& m, std::vector<float> mul, std::vector<float> add) {
  value& x = m.x();
  m.require_reals(x);
  const size_t n = mul.size();
  m.require(n == channels_of(x), joined("the layer has ", n, " channels, its input ", channels_of(x)));
  m.is_real();
  define_map(m, x, n, [&](channel_map& d) {
    d.mul = m.keep(std::move(mul));
    d.add = m.keep_or_null(std::move(add));
  }, {.kind = element::reals});
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

/// Codes in -127 to 127 whose reals were multiplied by scale.
inline tensor_desc codes_with(float scale) {
  return {.kind = element::codes,
          .format = {.bits = 8, .is_signed = true, .is_narrow = true},
          .params = {fp::quotient(1.0f, scale), 0}};
}
inline tensor_desc codes_with(importer& m, const std::vector<float>& scales) {
  for (const float s : scales)
    if (s != scales[0]) {
      m.note("the codes have a scale per channel, which the graph does not know; it states 1");
      return codes_with(1.0f);
    }
  return codes_with(scales[0]);
}

/// One number for all, or one per channel.
inline void check_spread(const importer& m, const value& x, size_t numbers, std::string_view what) {
  m.require(numbers == 1 || numbers == channels_of(x),
            joined("there are ", numbers, " ", what, " for ", channels_of(x), " channels"));
}
inline std::vector<float> spread(std::vector<float> v, size_t n) {
  return v.size() == 1 ? std::vector<float>(n, v[0]) : v;
}

/// Floats to codes.
inline edge quantized(importer& m, edge e, float scale) {
  edge& at = m.codes_of(e, scale);
  if (at.node < 0) {
    channel_map d{.count = m.desc(e).count(), .out = m.keep(std::vector<float>{scale})};
    tensor_desc out = codes_with(scale);
    out.shape = m.desc(e).shape;
    at = m.custom("codes", {e}, out, d, sizeof(float));
  }
  return at;
}
inline void quantize(importer& m) {
  value& x = m.x();
  m.require_reals(x);
  std::vector<float> scales = positive_floats(m, m.integer(0, 1), "the scales");
  check_spread(m, x, scales.size(), "scales");
  const tensor_desc like = codes_with(m, scales);
  const size_t n = scales.size();
  define_map(m, x, n, [&](channel_map& d) { d.out = m.keep(std::move(scales)); }, like);
}

/// ncnn has 32-bit integers here, which only an input of the model can be: floats with their values.
inline void take_sums(importer& m, const value& x) {
  m.require_reals(x);
  m.require(m.graph()[x.planar.node >= 0 ? x.planar.node : 0].kind == op_kind::input,
            "the input is made by a layer, but none makes 32-bit integers", "leave the layer out");
  m.note("the 32-bit integers of its input are taken as floats with integer values below 2^24");
}
inline void dequantize(importer& m) {
  value& x = m.x();
  take_sums(m, x);
  std::vector<float> scales = m.floats(m.integer(0, 1), "the scales"), biases;
  if (const int count = m.integer(1, 0); count != 0) biases = m.floats(count, "the biases");
  check_spread(m, x, scales.size(), "scales");
  if (!biases.empty()) check_spread(m, x, biases.size(), "biases");
  const size_t n = larger(scales.size(), biases.size());
  define_map(m, x, n, [&](channel_map& d) {
    d.mul = m.keep(spread(std::move(scales), n));
    if (!biases.empty()) d.add = m.keep(spread(std::move(biases), n));
  }, {.kind = element::reals});
}
inline void requantize(importer& m) {
  value& x = m.x();
  take_sums(m, x);
  std::vector<float> in = m.floats(m.integer(0, 1), "the input scales"),
                     out = positive_floats(m, m.integer(1, 1), "the output scales"), biases;
  if (const int count = m.integer(2, 0); count != 0) biases = m.floats(count, "the biases");
  for (const size_t n : {in.size(), out.size(), larger<size_t>(biases.size(), 1)}) check_spread(m, x, n, "numbers");
  const tensor_desc like = codes_with(m, out);
  const real_curve curve = fused_curve(m, 3, 4);
  const size_t n = larger(larger(in.size(), out.size()), biases.size());
  define_map(m, x, n, [&](channel_map& d) {
    d.mul = m.keep(spread(std::move(in), n));
    d.out = m.keep(spread(std::move(out), n));
    if (!biases.empty()) d.add = m.keep(spread(std::move(biases), n));
    d.curve = curve;
  }, like);
}

}  // namespace lowbits::ncnn
