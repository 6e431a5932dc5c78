// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rank-limited recurrent layer (SVDF): filters over the input, each with a memory of its last values. This is the
// definition, equal to CMSIS-NN's arm_svdf_s8 and arm_svdf_state_s16_s8 with round_double_gemmlowp.
//
//   value[f]   = held(rq(feature[f] . (x - x_zero)))                 the newest entry of filter f's memory
//   y[u]       = stage(rq(bias[u] + sum over the filters f of unit u of time[f] . memory[f]))

#include <lowbits/fixed/requantize.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// x [batch][inputs], y [batch][units]; rank filters in a row make a unit.
struct svdf_shape {
  int batch = 1, inputs = 1, units = 1, rank = 1;
  int memory = 1;  ///< entries of a filter

  constexpr int filters() const noexcept { return units * rank; }
  constexpr bool operator==(const svdf_shape&) const = default;
};

/// W is what feature weights are read from; State, int8_t or int16_t, is the type of memory and time weights.
template <class W, class State>
struct svdf_weights {
  W feature;                      ///< [filters][inputs]
  const State* time = nullptr;    ///< [filters][memory], oldest entry first
  const int32_t* bias = nullptr;  ///< [units], may be null
};

template <class Multiplier>
struct svdf_params {
  int x_zero = 0;
  Multiplier feature{}, time{};
  output_stage out{};
};

namespace ref {

/// One step. state is [batch][filters][memory], zeros at first.
template <class Rounding, class X, class W, class State, class Y>
constexpr void svdf_step(const svdf_shape& s, const svdf_params<typename Rounding::multiplier>& p, const svdf_weights<W, State>& w,
                         const X* x, State* state, Y* y) noexcept {
  for (int b = 0; b < s.batch; ++b, x += s.inputs)
    for (int u = 0; u < s.units; ++u) {
      int32_t sum = w.bias != nullptr ? w.bias[u] : 0;
      for (int f = u * s.rank; f < (u + 1) * s.rank; ++f, state += s.memory) {
        int32_t value = 0;
        for (int k = 0; k < s.inputs; ++k) value += (int{x[k]} - p.x_zero) * int{w.feature[static_cast<size_t>(ptrdiff_t{f} * s.inputs + k)]};
        for (int t = 0; t + 1 < s.memory; ++t) state[t] = state[t + 1];
        state[s.memory - 1] = saturate<State>(int64_t{Rounding::apply(value, p.feature)});
        for (int t = 0; t < s.memory; ++t) sum += int32_t{state[t]} * w.time[ptrdiff_t{f} * s.memory + t];
      }
      *y++ = static_cast<Y>(p.out(Rounding::apply(sum, p.time)));
    }
}

}  // namespace ref

}  // namespace lowbits
