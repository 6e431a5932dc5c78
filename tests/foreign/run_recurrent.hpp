// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Recurrent layers through a backend.

#include "foreign/run_linear.hpp"

namespace foreign {

template <class Backend>
std::optional<values> run(const lstm_case& c) {
  const auto through = [&]<class X, class Bias, class Rounding>(Rounding) -> std::optional<values> {
    const lb::recurrent_shape& s = c.shape;
    const auto cells = static_cast<std::size_t>(s.batch * s.units);
    const auto x = cast<X>(c.x);
    const auto wx = cast<std::int8_t>(c.x_weights), wh = cast<std::int8_t>(c.h_weights);
    const auto bias = cast<Bias>(c.bias);
    std::vector<X> h(cells), y(cells * static_cast<std::size_t>(s.steps));
    std::vector<std::int16_t> cell(cells), gates(4 * static_cast<std::size_t>(s.units));
    const lb::lstm_state<X> state{h.data(), cell.data()};
    state.reset(cells, c.params.h_zero);
    const lb::recurrent_weights<const std::int8_t*, Bias, lb::fixed_multiplier> w{wx.data(), wh.data(), bias.data(), c.x_factors.data(), c.h_factors.data()};
    if constexpr (requires { Backend::template lstm<Rounding, Bias>(s, c.params, w, x.data(), state, gates.data(), y.data()); }) {
      Backend::template lstm<Rounding, Bias>(s, c.params, w, x.data(), state, gates.data(), y.data());
      return uncast(y);
    } else {
      return std::nullopt;
    }
  };
  return c.format.bits == 16 ? through.template operator()<std::int16_t, std::int64_t>(lb::round_tflite_int64{})
                             : through.template operator()<std::int8_t, std::int32_t>(lb::round_double_gemmlowp{});
}

template <class Backend>
std::optional<values> run(const svdf_case& c) {
  const auto through = [&]<class State>(State) -> std::optional<values> {
    const lb::svdf_shape& s = c.shape;
    const auto x = cast<std::int8_t>(c.x), feature = cast<std::int8_t>(c.feature_weights);
    const auto time = cast<State>(c.time_weights);
    const auto bias = cast<std::int32_t>(c.bias);
    auto state = cast<State>(c.state);
    std::vector<std::int8_t> y(static_cast<std::size_t>(s.batch * s.units));
    const lb::svdf_weights<const std::int8_t*, State> w{feature.data(), time.data(), bias.data()};
    if constexpr (requires { Backend::svdf_step(s, c.params, w, x.data(), state.data(), y.data()); }) {
      for (int t = 0; t < c.steps; ++t) Backend::svdf_step(s, c.params, w, x.data() + t * s.batch * s.inputs, state.data(), y.data());
      return uncast(y);
    } else {
      return std::nullopt;
    }
  };
  return c.state_format.bits == 16 ? through(std::int16_t{}) : through(std::int8_t{});
}

template <class Backend>
std::optional<result> run(const real_recurrent_case& c) {
  using kind = real_recurrent_case::kind;
  const lb::recurrent_shape& s = c.shape;
  const int gates = c.op == kind::rnn ? 1 : c.op == kind::lstm ? 4 : 3;
  const lb::real_rows wx{c.x_weights.data(), gates * s.units, s.inputs}, wh{c.h_weights.data(), gates * s.units, s.units};
  const auto cells = static_cast<std::size_t>(s.batch * s.units);
  reals h(cells), cell(cells), work(8 * static_cast<std::size_t>(s.units)), y(cells * static_cast<std::size_t>(s.steps));
  const auto or_null = [](const auto& v) { return v.empty() ? nullptr : v.data(); };
  const float* const bias = or_null(c.x_bias);
  const int* const lengths = or_null(c.lengths);
  if constexpr (requires { Backend::is_reference; }) {
    switch (c.op) {
      case kind::rnn: lb::ref::real_rnn(s, c.options, wx, wh, bias, c.x.data(), lengths, h.data(), work.data(), y.data()); break;
      case kind::lstm:
        lb::ref::real_lstm(s, c.options, wx, wh, bias, or_null(c.peepholes), c.x.data(), lengths, h.data(), cell.data(), work.data(), y.data());
        break;
      case kind::gru:
        lb::ref::real_gru(s, c.options, wx, wh, bias, or_null(c.h_bias), c.x.data(), lengths, h.data(), work.data(), y.data());
        break;
    }
    return result{{}, h};
  }
  return std::nullopt;
}

}  // namespace foreign
