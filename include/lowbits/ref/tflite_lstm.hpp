// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// TFLite's integer LSTM of 8-bit activations and a 16-bit cell ("8x8_16"), with everything it can have: coupled gates,
// peepholes, layer normalisation, a projection. This is the definition, equal to LiteRT's UNIDIRECTIONAL_SEQUENCE_LSTM
// (kernels/lstm_eval.cc, internal/reference/portable_tensor_utils.cc). All scaling rounds twice (round_double_gemmlowp).
//
//   a    = held(held(part of x) + part of h), then held(a + rq(p * c)), then normalised(a)
//   i, f, o = logistic(a), g = tanh(a)          polynomials of fixed/activation.hpp, three integer bits
//   c    = limited(held(half_away(f c / 2^15) + half_away(i g / 2^(30 + cell_exponent))))
//   m    = held(rq(o * tanh(c)) + m_zero)       without a projection this is h
//   h    = limited(held(rq(bias + Wp . (m - m_zero)) + h_zero))
//
// Peepholes beside a projection: TFLite walks the cells in rows of `outputs` instead of units. By sequence it gets as far as the
// first `outputs` units; time-major, where the cells of the batch are one array, as far as batch * outputs of these. So
// does this; more outputs than units, which TFLite would read from nowhere, count as none.

#include <lowbits/fixed/inverse_root.hpp>
#include <lowbits/ref/recurrent_gates.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Rows are [input, forget, cell, output]; one factor for all units of a gate. What is null is not there.
struct tflite_lstm_weights {
  const int8_t *x = nullptr, *h = nullptr;    ///< [4][units][inputs], [4][units][outputs]; coupled: input rows are not read
  const int32_t* bias = nullptr;              ///< [4][units]; with a norm at the scale norm_scale * 2^-10, else of the products with x
  fixed_multiplier x_factors[4]{}, h_factors[4]{};
  const int16_t* peepholes = nullptr;         ///< [input, forget, output][units]
  fixed_multiplier peephole_factors[3]{};
  const int16_t* norm = nullptr;              ///< [4][units]
  fixed_multiplier norm_factors[4]{};         ///< the norms' scales
  int norm_guard[4]{};                        ///< the variance of a gate that has none
  const int8_t* projection = nullptr;         ///< [outputs][units]
  const int32_t* projection_bias = nullptr;
  fixed_multiplier projection_factor{};
};

struct tflite_lstm_params {
  int x_zero = 0, h_zero = 0;
  int m_zero = 0;          ///< h_zero where there is no projection
  bool coupled = false;    ///< i = 32767 - f
  int cell_exponent = -12; ///< c is at 2^cell_exponent, -15 to -9
  fixed_multiplier output{};               ///< o * tanh(c) to m: 2^-30 / scale of m
  int cell_limit = 0, output_limit = 0;    ///< 0: none
};

namespace ref {

/// Divides by a power of two, ties away from zero.
constexpr int32_t half_away(int32_t x, int exponent) noexcept { return round_double_gemmlowp::divide_by_power(x, exponent); }

/// tanh with 15 + cell_exponent integer bits.
constexpr int16_t cell_tanh(int16_t c, int cell_exponent) noexcept {
  switch (15 + cell_exponent) {
    case 0: return gemmlowp::tanh<0>(c);
    case 1: return gemmlowp::tanh<1>(c);
    case 2: return gemmlowp::tanh<2>(c);
    case 3: return gemmlowp::tanh<3>(c);
    case 4: return gemmlowp::tanh<4>(c);
    case 5: return gemmlowp::tanh<5>(c);
    default: return gemmlowp::tanh<6>(c);
  }
}

/// A gate's arguments less their mean, times the inverse of their deviation, weights and bias; 2^-12 comes out. The mean has ten
/// bits of fraction. The variance is what TFLite makes of it: 2^20 / units is truncated, so it is too small where
/// units is not a power of two.
constexpr void tflite_layer_norm(int units, const int16_t* weights, const int32_t* bias, const fixed_multiplier& factor, int guard,
                                 int16_t* a) noexcept {
  int64_t sum = 0, squares = 0;
  for (int j = 0; j < units; ++j) sum += a[j], squares += int64_t{a[j]} * a[j];
  const auto mean = static_cast<int32_t>(sum * 1024 / units);
  const int64_t variance = (squares * ((1 << 20) / units) - int64_t{mean} * mean) / (1 << 20);
  const fixed_multiplier inverse = inverse_root(variance < 1 ? guard : static_cast<int32_t>(variance));
  const fixed_multiplier to_gate{factor.mantissa, factor.exponent + 12};
  for (int j = 0; j < units; ++j) {
    const int64_t weighted = int64_t{round_double_gemmlowp::apply(1024 * a[j] - mean, inverse)} * weights[j] + bias[j];
    const auto rounded = static_cast<int32_t>((weighted > 0 ? weighted + 512 : weighted - 512) / 1024);
    a[j] = saturate<int16_t>(round_double_gemmlowp::apply(rounded, to_gate));
  }
}

/// One gate's activations of sequence b, [units], into a.
constexpr void tflite_lstm_gate(int gate, const recurrent_shape& s, int b, int outputs, const tflite_lstm_params& p, const tflite_lstm_weights& w,
                                const int8_t* x, const int8_t* h, const int16_t* c, int16_t* a) noexcept {
  using rounding = round_double_gemmlowp;
  for (int j = 0; j < s.units; ++j) {
    const int r = gate * s.units + j;
    int32_t from_x = w.norm == nullptr && w.bias != nullptr ? w.bias[r] : 0, from_h = 0;
    for (int k = 0; k < s.inputs; ++k) from_x += (x[k] - p.x_zero) * w.x[ptrdiff_t{r} * s.inputs + k];
    for (int k = 0; k < outputs; ++k) from_h += (h[k] - p.h_zero) * w.h[ptrdiff_t{r} * outputs + k];
    a[j] = gate_sum(rounding::apply(from_x, w.x_factors[gate]), rounding::apply(from_h, w.h_factors[gate]));
    const int64_t at = s.time_major ? int64_t{b} * s.units + j : j, end = int64_t{s.time_major ? s.batch : 1} * outputs;
    if (w.peepholes == nullptr || gate == 2 || at >= end || at % outputs >= s.units) continue;
    const int which = gate == 3 ? 2 : gate;
    a[j] = gate_sum(a[j], rounding::apply(int32_t{w.peepholes[which * s.units + at % outputs]} * c[j], w.peephole_factors[which]));
  }
  if (w.norm != nullptr)
    tflite_layer_norm(s.units, w.norm + ptrdiff_t{gate} * s.units, w.bias + ptrdiff_t{gate} * s.units, w.norm_factors[gate], w.norm_guard[gate], a);
  for (int j = 0; j < s.units; ++j) a[j] = gate == 2 ? gemmlowp::tanh<3>(a[j]) : gemmlowp::logistic<3>(a[j]);
}

/// One step of sequence b. h has `outputs` codes, c `units`; gates is room for 4 * units.
constexpr void tflite_lstm_step(const recurrent_shape& s, int b, int outputs, const tflite_lstm_params& p, const tflite_lstm_weights& w, const int8_t* x,
                                int8_t* h, int16_t* c, int16_t* gates) noexcept {
  const int n = s.units;
  for (int gate = p.coupled ? 1 : 0; gate < 3; ++gate) tflite_lstm_gate(gate, s, b, outputs, p, w, x, h, c, gates + ptrdiff_t{gate} * n);
  for (int j = 0; j < n; ++j) {
    const int16_t f = gates[n + j], g = gates[2 * n + j], i = p.coupled ? static_cast<int16_t>(32767 - f) : gates[j];
    const int32_t sum = half_away(int32_t{f} * c[j], 15) + half_away(int32_t{i} * g, 30 + p.cell_exponent);
    c[j] = saturate<int16_t>(sum);
    if (p.cell_limit > 0) c[j] = static_cast<int16_t>(clamp<int>(c[j], -p.cell_limit, p.cell_limit));
  }
  int16_t* const o = gates + ptrdiff_t{3} * n;
  tflite_lstm_gate(3, s, b, outputs, p, w, x, h, c, o);
  for (int j = 0; j < n; ++j) {
    const int32_t m = round_double_gemmlowp::apply(int32_t{o[j]} * cell_tanh(c[j], p.cell_exponent), p.output);
    o[j] = saturate<int8_t>(m + p.m_zero);
  }
  for (int r = 0; r < outputs; ++r) {
    int32_t value = o[r];
    if (w.projection != nullptr) {
      int32_t sum = w.projection_bias != nullptr ? w.projection_bias[r] : 0;
      for (int j = 0; j < n; ++j) sum += (o[j] - p.m_zero) * w.projection[ptrdiff_t{r} * n + j];
      value = saturate<int8_t>(round_double_gemmlowp::apply(sum, w.projection_factor) + p.h_zero);
      if (p.output_limit > 0) value = clamp<int32_t>(value, -p.output_limit, p.output_limit);
    }
    h[r] = static_cast<int8_t>(value);
  }
}

/// All steps of all sequences; `outputs` is units where there is no projection. s.y_stride 0 stands for outputs. h
/// [batch][outputs], h_zero at first, and c [batch][units] are the state. See lstm.
constexpr void tflite_lstm(recurrent_shape s, int outputs, const tflite_lstm_params& p, const tflite_lstm_weights& w, const int8_t* x,
                           const int* lengths, int8_t* h, int16_t* c, int16_t* gates, int8_t* y) noexcept {
  if (s.y_stride == 0) s.y_stride = outputs;
  for (int b = 0; b < s.batch; ++b, h += outputs, c += s.units)
    for_each_step(
        s, lengths, b,
        [&](int t) {
          tflite_lstm_step(s, b, outputs, p, w, x + s.x_at(b, t), h, c, gates);
          for (int j = 0; j < outputs; ++j) y[s.y_at(b, t) + j] = h[j];
        },
        [&](int t) {
          for (int j = 0; j < outputs; ++j) y[s.y_at(b, t) + j] = static_cast<int8_t>(p.h_zero);
        });
}

}  // namespace ref

}  // namespace lowbits
