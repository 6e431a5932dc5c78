// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The simple recurrent layer in integers: codes of 8 or 16 bits in and out. This is the definition.
//
//   a = part of x + part of h                    16 bits, at the gate's scale
//   h = held(rq(tanh(a) or max(a, 0)) + h_zero)  tanh is at 2^-15

#include <lowbits/ref/recurrent_gates.hpp>

namespace lowbits::inline LOWBITS_ABI {

enum class rnn_function : uint8_t { tanh, relu };

struct rnn_params {
  int x_zero = 0, h_zero = 0;
  rnn_function function = rnn_function::tanh;
  lut_input gate{};           ///< tanh: from the gates' codes (2^-12 if not said otherwise) to the table
  fixed_multiplier output{};  ///< from 2^-15, relu: from the gates' scale, to the output's

  /// With relu the gates' scale should be one that its largest output needs.
  static constexpr rnn_params from(affine x, affine h, rnn_function function, float gate_scale = 1.0f / 4096) noexcept {
    const bool is_tanh = function == rnn_function::tanh;
    const real scale = is_tanh ? real::power_of_two(-15) : real::from(gate_scale);
    return {x.zero_point, h.zero_point, function, lut_input::from(gate_scale), fixed_multiplier::from(scale / real::from(h.scale))};
  }
};

namespace ref {

/// All steps of all sequences; h [batch][units] is the state before and after, h_zero at first. work is room for `units`
/// codes of 16 bits. See lstm.
template <class Rounding, class Acc, class X, class H, class W, class Bias>
constexpr void rnn(const recurrent_shape& s, const rnn_params& p, const recurrent_weights<W, Bias, typename Rounding::multiplier>& w,
                   const X* x, const int* lengths, H* h, int16_t* work, H* y) noexcept {
  for (int b = 0; b < s.batch; ++b, h += s.units)
    for_each_step(
        s, lengths, b,
        [&](int t) {
          for (int r = 0; r < s.units; ++r) {
            const int32_t from_x = gate_part<Rounding, Acc>(r, s.inputs, x + s.x_at(b, t), p.x_zero, w.x, w.bias, w.x_factors);
            work[r] = gate_sum(from_x, gate_part<Rounding, Acc>(r, s.units, h, p.h_zero, w.h, w.h_bias, w.h_factors));
          }
          for (int j = 0; j < s.units; ++j) {
            const int32_t value = p.function == rnn_function::tanh ? lut_tanh(work[j], p.gate) : larger<int32_t>(work[j], 0);
            y[s.y_at(b, t) + j] = h[j] = saturate<H>(int64_t{Rounding::apply(value, p.output)} + p.h_zero);
          }
        },
        [&](int t) {
          for (int j = 0; j < s.units; ++j) y[s.y_at(b, t) + j] = static_cast<H>(p.h_zero);
        });
}

}  // namespace ref

}  // namespace lowbits
