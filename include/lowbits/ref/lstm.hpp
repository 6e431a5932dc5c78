// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// LSTM in integers: codes of 8 or 16 bits in and out, gates and cell of 16 bits. This is the definition.
//
//   gate[r] = held(held(rq(bias[r] + Wx[r] . (x - x_zero))) + rq(Wh[r] . (h - h_zero)))      a code of the scale `gate` reads
//   i, f, o = logistic(gate), g = tanh(gate)                                                  2^-15
//   c       = limited(held(rq(f * c)) + rq(i * g))                                            a power of two
//   h       = held(rq(o * tanh(c)) + h_zero)
//
// held() keeps a number in the type it becomes. Both functions are the tables of fixed/activation.hpp. With
// round_double_gemmlowp and one factor per gate these are the LSTMs of TFLite Micro and CMSIS-NN (there: integer_lstm_eval
// and arm_nn_lstm_step_s8); with 16-bit codes the gates take round_tflite_int64.

#include <lowbits/fixed/activation.hpp>
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/ref/recurrent.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Rows of weights, biases and factors: [input, forget, cell, output][units].
template <class W, class Bias, class Multiplier>
struct lstm_weights {
  W x, h;                       ///< [4 * units][inputs], [4 * units][units]; no zero points
  const Bias* bias = nullptr;   ///< at the scale of the products with x; may be null
  const Multiplier *x_factors = nullptr, *h_factors = nullptr;  ///< to the gates' scale
};

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

/// The four gates' activations, [4][units], from one vector x and h each. Acc holds a row's sum.
template <class Rounding, class Acc, class X, class H, class W, class Bias>
constexpr void lstm_gates(int inputs, int units, const lstm_params& p, const lstm_weights<W, Bias, typename Rounding::multiplier>& w,
                          const X* x, const H* h, int16_t* gates) noexcept {
  for (int r = 0; r < 4 * units; ++r) {
    Acc from_x = w.bias != nullptr ? static_cast<Acc>(w.bias[r]) : 0, from_h = 0;
    for (int k = 0; k < inputs; ++k)
      from_x += static_cast<Acc>(int{x[k]} - p.x_zero) * static_cast<Acc>(w.x[static_cast<size_t>(ptrdiff_t{r} * inputs + k)]);
    for (int k = 0; k < units; ++k)
      from_h += static_cast<Acc>(int{h[k]} - p.h_zero) * static_cast<Acc>(w.h[static_cast<size_t>(ptrdiff_t{r} * units + k)]);
    const auto first = saturate<int16_t>(int64_t{Rounding::apply(from_x, w.x_factors[r])});
    const auto gate = saturate<int16_t>(int64_t{first} + Rounding::apply(from_h, w.h_factors[r]));
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
constexpr void lstm(const recurrent_shape& s, const lstm_params& p, const lstm_weights<W, Bias, typename GateRounding::multiplier>& w,
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
