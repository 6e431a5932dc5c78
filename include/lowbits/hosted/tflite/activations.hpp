// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Functions of one number. For 8-bit codes each is a table of 256 results, computed here as TFLite's
// reference kernels compute them (kernels/activations.cc, kernels/internal/reference/).

#include <lowbits/fixed/activation.hpp>
#include <lowbits/fixed/eltwise.hpp>
#include <lowbits/graph/functions.hpp>
#include <lowbits/hosted/tflite/linear.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

constexpr bool is_byte(const tensor_desc& d) noexcept {
  return d.kind == element::codes && d.format.bits == 8;
}

/// f maps a code of x to a code of out (any integer; it is held in the type's range).
template <class Function>
edge table_node(importer& m, node_name name, edge x, const tensor_desc& out, const Function& f) {
  const qformat from = m.graph().desc(x).format, to = out.format;
  std::vector<uint8_t> table(256);
  for (int q = from.lowest(); q <= from.highest(); ++q)
    table[static_cast<uint8_t>(q)] = static_cast<uint8_t>(clamp<int64_t>(f(q), to.lowest(), to.highest()));
  function_table t;
  t.bytes = m.model().keep(std::move(table));
  t.is_bound = true;
  return m.graph().table(name, x, t, {.out = out.params, .out_format = to});
}

/// TFLite's tables of a real function (LUTPopulate, kernels/internal/common.h): all steps in float. For 16
/// bits, `wide` with TFLite's table for those.
template <class Function>
void tabulated(importer& m, real_function wide, const Function& f) {
  const edge x = m.x(0);
  const tensor_desc in = m.graph().desc(x), out = m.desc_of(m.output());
  if (in.kind == element::reals) return m.define(m.graph().function(m.name(), x, wide, {}));
  if (in.format.bits > 8)
    return m.define(
        m.graph().function(m.name(), x, wide, {.out = out.params, .policy = rounding::tflite_int64}));
  m.require(is_byte(in) && is_byte(out), "the activations are not of 8 bits", "quantize them to int8 or uint8");
  const float inverse = fp::quotient(1.0f, out.params.scale);
  m.define(table_node(m, m.name(), x, out, [&](int q) {
    const float real = fp::product(in.params.scale, static_cast<float>(q - in.params.zero_point));
    const float y = static_cast<float>(f(static_cast<double>(real)));
    return int64_t{fp::to_nearest<fp::tie::away_from_zero>(fp::product(y, inverse))} + out.params.zero_point;
  }));
}

/// A change of scale and a clamp, with another factor for negative numbers where slope is not 1.
/// Factors are quotients of floats, in float or in double.
inline void rescaled(importer& m, activation fused, float slope, bool in_float) {
  const edge x = m.x(0);
  const tensor_desc in = m.graph().desc(x), out = m.desc_of(m.output());
  if (in.kind == element::reals)
    return m.define(slope == 1.0f ? m.graph().requantize(m.name(), x, {.fused = fused})
                                  : m.graph().leaky_relu(m.name(), x, static_cast<double>(slope), {}));
  if (!is_byte(in) || !is_byte(out))
    return m.define(m.graph().requantize(m.name(), x,
                                         {.out = out.params,
                                          .out_format = out.format,
                                          .fused = fused,
                                          .policy = rounding::double_gemmlowp,
                                          .product = in_float ? scale_product::float_quotient : scale_product::exact,
                                          .negative_slope = slope}));
  const auto p = make_slope<round_double_gemmlowp>(in.params, out.format, out.params, fused, slope, in_float);
  m.define(table_node(m, m.name(), x, out, p));
}

inline void leaky_relu(importer& m) {
  const float slope = m.options<schema::LeakyReluOptions>().alpha();
  m.require(!fp::is_nan(slope) && slope >= -1e6f && slope <= 1e6f, "alpha is not a number, or too large",
            "export the model again");
  rescaled(m, activation::none, slope, true);
}

/// A factor's 16-bit mantissa, in [2^14, 2^15), and its exponent (DownScaleInt32ToInt16Multiplier).
struct short_multiplier {
  int16_t mantissa = 0;
  int exponent = 0;
  static short_multiplier from(float factor) noexcept {
    const auto m = fixed_multiplier::from(real::from(factor));
    const int64_t half = (int64_t{m.mantissa} + (1 << 15)) >> 16;
    return {static_cast<int16_t>(smaller<int64_t>(half, 32767)), m.exponent};
  }
};

/// kernels/internal/reference/hard_swish.h: x * relu6(x + 3) / 6 in 16 bits.
inline void hard_swish(importer& m) {
  const edge x = m.x(0);
  const tensor_desc in = m.graph().desc(x), out = m.desc_of(m.output());
  if (in.kind == element::reals) return m.define(m.graph().function(m.name(), x, functions::hard_swish, {}));
  m.require(is_byte(in) && is_byte(out), "the activations are not of 8 bits", "quantize them to int8 or uint8");
  const float fine = fp::product(1.0f / 128.0f, in.params.scale);
  const auto to_out = short_multiplier::from(fp::quotient(fine, out.params.scale));
  const auto to_gate = short_multiplier::from(fp::quotient(fine, 3.0f / 32768.0f));
  m.require(to_out.exponent <= 0, "the output's scale is less than a 128th of the input's", "quantize the model again");
  const auto high = [](int16_t a, int16_t b) { return gemmlowp::high_product<int16_t>(a, b); };
  m.define(table_node(m, m.name(), x, out, [&](int q) {
    const auto v = static_cast<int16_t>((q - in.params.zero_point) * 128);
    // The gate: from [-3, 3] to [-1, 1], then to [0, 1].
    int16_t gate = v;
    const int up = to_gate.exponent;
    if (up > 0) gate = saturate<int16_t>(int64_t{gate} * (int64_t{1} << (up - 1)));
    gate = high(gate, to_gate.mantissa);
    if (up > 0) gate = saturate<int16_t>(int64_t{gate} * 2);
    if (up < 0) gate = static_cast<int16_t>(round_double_gemmlowp::divide_by_power(gate, -up));
    gate = static_cast<int16_t>((gate + (1 << 15)) >> 1);
    const auto y = static_cast<int16_t>(gate * high(v, to_out.mantissa) / (1 << 15));
    return round_double_gemmlowp::divide_by_power(y, -to_out.exponent) + out.params.zero_point;
  }));
}

}  // namespace lowbits::tflite
