// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// LSTM in integers: codes of 8 or 16 bits in and out, gates and cell of 16 bits. This is the definition.
//
//   i, f, o = logistic(part of x + part of h), g = tanh(...)      2^-15
//   c       = limited(held(rq(f * c)) + rq(i * g))                a power of two
//   h       = held(rq(o * tanh(c)) + h_zero)
//
// Both functions are the tables of fixed/activation.hpp. With
// round_double_gemmlowp and one factor per gate these are the LSTMs of TFLite Micro and CMSIS-NN (there: integer_lstm_eval
// and arm_nn_lstm_step_s8); with 16-bit codes the gates take round_tflite_int64.

#include <lowbits/ref/recurrent_gates.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct lstm_params {
  int x_zero = 0, h_zero = 0;
  lut_input gate{}, cell{};  ///< from gate codes (2^-12 if not said otherwise) and cell codes to the tables
  fixed_multiplier forget{1 << 30, -14};  ///< f * c to c: 2^-15
  fixed_multiplier input{};               ///< i * g to c
  fixed_multiplier output{};              ///< o * tanh(c) to h
  int cell_limit = highest_of<int16_t>;   ///< c is held in [-limit, limit]

  /// The cell's scale is 2^cell_exponent, -30 to -1, the output's h_scale. A clip of 0: none (TFLite's rule).
  static constexpr lstm_params from(affine x, affine h, int cell_exponent, float cell_clip = 0.0f) noexcept {
    lstm_params p{.x_zero = x.zero_point, .h_zero = h.zero_point};
    const int to_gate = cell_exponent + 12;
    p.cell = to_gate >= 0 ? lut_input{3 << smaller(to_gate, 13), 0} : lut_input{3, -to_gate};
    p.input = fixed_multiplier::from(real::power_of_two(-30 - cell_exponent));
    p.output = fixed_multiplier::from(real::power_of_two(-30) / real::from(h.scale));
    if (cell_clip > 0.0f) p.cell_limit = truncated(real::from(cell_clip) * real::power_of_two(-cell_exponent));
    return p;
  }

private:
  /// The integer part, held at the highest code.
  static constexpr int truncated(const real& v) noexcept {
    if (v.mantissa == 0 || v.exponent < -52) return 0;
    return v.exponent > -38 ? highest_of<int16_t> : static_cast<int>(v.mantissa >> -v.exponent);
  }
};

/// What a sequence leaves behind: h [batch][units], of the outputs' type, and c [batch][units].
template <class H>
struct lstm_state {
  H* h = nullptr;
  int16_t* c = nullptr;

  /// Real zero in `count` = batch * units cells.
  constexpr void reset(size_t count, int h_zero) const noexcept {
    for (size_t i = 0; i < count; ++i) h[i] = static_cast<H>(h_zero), c[i] = 0;
  }
};

namespace ref {

/// The four gates' activations, [input, forget, cell, output][units], from one vector x and h each.
template <class Rounding, class Acc, class X, class H, class W, class Bias>
constexpr void lstm_gates(int inputs, int units, const lstm_params& p, const recurrent_weights<W, Bias, typename Rounding::multiplier>& w,
                          const X* x, const H* h, int16_t* gates) noexcept {
  for (int r = 0; r < 4 * units; ++r) {
    const int32_t from_x = gate_part<Rounding, Acc>(r, inputs, x, p.x_zero, w.x, w.bias, w.x_factors);
    const int16_t gate = gate_sum(from_x, gate_part<Rounding, Acc>(r, units, h, p.h_zero, w.h, w.h_bias, w.h_factors));
    gates[r] = r / units == 2 ? lut_tanh(gate, p.gate) : lut_logistic(gate, p.gate);
  }
}

/// The new state of one unit from its gates' activations.
template <class Rounding, class H>
constexpr void lstm_cell(const lstm_params& p, int16_t i, int16_t f, int16_t g, int16_t o, int16_t& c, H& h) noexcept {
  const auto kept = saturate<int16_t>(int64_t{Rounding::apply(int32_t{f} * c, p.forget)});
  const int64_t sum = int64_t{kept} + Rounding::apply(int32_t{i} * g, p.input);
  c = static_cast<int16_t>(lowbits::clamp<int64_t>(sum, -p.cell_limit, p.cell_limit));
  h = saturate<H>(int64_t{Rounding::apply(int32_t{o} * lut_tanh(c, p.cell), p.output)} + p.h_zero);
}

/// All steps of all sequences, from `state` on, which is left as after the last one: a sequence in two calls is the
/// sequence in one. lengths may be null, see for_each_step; what a sequence has not is h_zero in y. `gates` is room for
/// 4 * units codes. GateRounding rescales the products, CellRounding what follows.
template <class GateRounding, class CellRounding, class Acc, class X, class H, class W, class Bias>
constexpr void lstm(const recurrent_shape& s, const lstm_params& p, const recurrent_weights<W, Bias, typename GateRounding::multiplier>& w,
                    const X* x, const int* lengths, const lstm_state<H>& state, int16_t* gates, H* y) noexcept {
  const int n = s.units;
  for (int b = 0; b < s.batch; ++b) {
    H* const h = state.h + ptrdiff_t{b} * n;
    int16_t* const c = state.c + ptrdiff_t{b} * n;
    for_each_step(
        s, lengths, b,
        [&](int t) {
          lstm_gates<GateRounding, Acc>(s.inputs, n, p, w, x + s.x_at(b, t), h, gates);
          for (int j = 0; j < n; ++j) {
            lstm_cell<CellRounding>(p, gates[j], gates[n + j], gates[2 * n + j], gates[3 * n + j], c[j], h[j]);
            y[s.y_at(b, t) + j] = h[j];
          }
        },
        [&](int t) {
          for (int j = 0; j < n; ++j) y[s.y_at(b, t) + j] = static_cast<H>(p.h_zero);
        });
  }
}

}  // namespace ref

}  // namespace lowbits
