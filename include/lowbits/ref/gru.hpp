// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// GRU in integers: codes of 8 or 16 bits in and out. This is the definition; no other library has one.
//
//   r, z = logistic(part of x + part of h)                                    2^-15
//   n    = tanh(part of x + part of (r h))          r h = held(rq(r * (h - h_zero))) in 16 bits, or, with reset_after,
//   n    = tanh(part of x + rounded(r * part of h))
//   s    = rounded((z * s + (2^15 - z) * n) / 2^15)                           the state, 2^-15
//   h    = held(rq(s) + h_zero)                                               its code: the output, and what Wh sees
//
// The state keeps 16 bits whatever h has: with 8 a unit whose z is near 1 would stop moving. It stays in (-1, 1), so that
// nothing in it can saturate.

#include <lowbits/ref/recurrent_gates.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct gru_params {
  int x_zero = 0, h_zero = 0;
  lut_input gate{};           ///< from the gates' codes (2^-12 if not said otherwise) to the tables
  fixed_multiplier output{};  ///< state to code
  bool reset_after = false;

  /// Arguments of gates beyond 32767 * gate_scale are held: at 2^-12 beyond 8, where the logistic function is 0.9997.
  static constexpr gru_params from(affine x, affine h, bool reset_after, float gate_scale = 1.0f / 4096) noexcept {
    return {.x_zero = x.zero_point, .h_zero = h.zero_point, .gate = lut_input::from(gate_scale),
            .output = fixed_multiplier::from(real::power_of_two(-15) / real::from(h.scale)), .reset_after = reset_after};
  }
};

/// What a sequence leaves behind: the state and its codes, [batch][units] each.
template <class H>
struct gru_state {
  H* h = nullptr;
  int16_t* s = nullptr;

  /// Real zero in `count` = batch * units cells.
  constexpr void reset(size_t count, int h_zero) const noexcept {
    for (size_t i = 0; i < count; ++i) h[i] = static_cast<H>(h_zero), s[i] = 0;
  }
};

namespace ref {

/// (a * b) / 2^15, ties up.
constexpr int32_t times_q15(int32_t a, int32_t b) noexcept { return static_cast<int32_t>((int64_t{a} * b + (1 << 14)) >> 15); }

/// One step of one sequence. Rows are [reset, update, new]; work is room for 3 * units numbers of 16 bits.
template <class Rounding, class Acc, class X, class H, class W, class Bias>
constexpr void gru_step(int inputs, int units, const gru_params& p, const recurrent_weights<W, Bias, typename Rounding::multiplier>& w,
                        const X* x, H* h, int16_t* s, int16_t* work) noexcept {
  int16_t *const update = work + units, *const fresh = work + ptrdiff_t{2} * units;
  const auto part_x = [&](int r) { return gate_part<Rounding, Acc>(r, inputs, x, p.x_zero, w.x, w.bias, w.x_factors); };
  const auto part_h = [&](int r) { return gate_part<Rounding, Acc>(r, units, h, p.h_zero, w.h, w.h_bias, w.h_factors); };
  for (int r = 0; r < 2 * units; ++r) work[r] = lut_logistic(gate_sum(part_x(r), part_h(r)), p.gate);
  if (p.reset_after)
    for (int j = 0; j < units; ++j) {
      const int r = 2 * units + j;
      fresh[j] = lut_tanh(gate_sum(part_x(r), times_q15(work[j], saturate<int16_t>(part_h(r)))), p.gate);
    }
  else {
    for (int j = 0; j < units; ++j) work[j] = saturate<int16_t>(times_q15(work[j], h[j] - p.h_zero));
    for (int j = 0; j < units; ++j) {
      const int r = 2 * units + j;
      const int32_t from_h = gate_part<Rounding, Acc>(r, units, work, 0, w.h, w.h_bias, w.h_factors);
      fresh[j] = lut_tanh(gate_sum(part_x(r), from_h), p.gate);
    }
  }
  for (int j = 0; j < units; ++j) {
    const int64_t mixed = int64_t{update[j]} * s[j] + int64_t{32768 - update[j]} * fresh[j];
    s[j] = static_cast<int16_t>((mixed + (1 << 14)) >> 15);
    h[j] = saturate<H>(int64_t{Rounding::apply(int32_t{s[j]}, p.output)} + p.h_zero);
  }
}

/// All steps of all sequences, from `state` on; see lstm.
template <class Rounding, class Acc, class X, class H, class W, class Bias>
constexpr void gru(const recurrent_shape& s, const gru_params& p, const recurrent_weights<W, Bias, typename Rounding::multiplier>& w,
                   const X* x, const int* lengths, const gru_state<H>& state, int16_t* work, H* y) noexcept {
  for (int b = 0; b < s.batch; ++b) {
    H* const h = state.h + ptrdiff_t{b} * s.units;
    for_each_step(
        s, lengths, b,
        [&](int t) {
          gru_step<Rounding, Acc>(s.inputs, s.units, p, w, x + s.x_at(b, t), h, state.s + ptrdiff_t{b} * s.units, work);
          for (int j = 0; j < s.units; ++j) y[s.y_at(b, t) + j] = h[j];
        },
        [&](int t) {
          for (int j = 0; j < s.units; ++j) y[s.y_at(b, t) + j] = static_cast<H>(p.h_zero);
        });
  }
}

}  // namespace ref

}  // namespace lowbits
