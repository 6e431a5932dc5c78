// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Functions of one number as steps: a table of 256 bytes for codes of up to 8 bits, an interpolated
// one for wider codes.

#include <lowbits/fixed/activation.hpp>
#include <lowbits/fixed/table.hpp>
#include <lowbits/kernel/eltwise.hpp>
#include <lowbits/op/step.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The table of function f from codes of x to codes of out.
template <bool IsWide>
constexpr auto make_function_table(const tensor_desc& x, const tensor_desc& out, activation fused,
                                   real_function f, double parameter) noexcept {
  const auto g = [=](double v) { return f(v, parameter); };
  if constexpr (IsWide)
    return make_wide_table(x.format, x.params, out.format, out.params, g, fused);
  else return make_table(x.format, x.params, out.format, out.params, g, fused);
}

/// Entry is uint8_t or int16_t.
template <class Entry>
struct table_data {
  size_t count = 0;
  const Entry* table = nullptr;
  table_index index{};
  int lowest = 0,
      highest = 0;  ///< codes outside, which storage could hold, count as the nearer end
};

template <class Entry>
constexpr table_data<Entry> make_table_data(const tensor_desc& x, const Entry* table) noexcept {
  return {x.count(), table, table_index::of(x.format), x.format.lowest(), x.format.highest()};
}

/// Logistic and tanh of int16 with TFLite's table.
struct curve_data {
  size_t count = 0;
  lut_input input{};
  bool is_tanh = false;
};

constexpr curve_data make_curve_data(const tensor_desc& x, bool is_tanh) noexcept {
  return {x.count(), lut_input::from(x.params.scale), is_tanh};
}

struct curve_step {
  static constexpr step_needs needs(const curve_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const curve_data*>(data);
    const auto* x = elements<int16_t>(io.in[0]);
    auto* y = elements<int16_t>(io.out);
    for (size_t i = 0; i < d.count; ++i) y[i] = d.is_tanh ? lut_tanh(x[i], d.input) : lut_logistic(x[i], d.input);
  }
};

template <class Arch, class X, class Out>
struct table_step {
  template <class Entry>
  static constexpr step_needs needs(const table_data<Entry>&) noexcept {
    return {};
  }
  static void run(const void* data, const step_io& io) noexcept {
    const auto* x = elements<typename X::storage>(io.in[0]);
    auto* y = elements<typename Out::storage>(io.out);
    if constexpr (X::bits > 8) {
      const auto& d = *static_cast<const table_data<int16_t>*>(data);
      for (size_t i = 0; i < d.count; ++i) {
        const int code = clamp<int>(x[i], d.lowest, d.highest);
        y[i] = static_cast<typename Out::storage>(interpolate(d.table, code, d.index));
      }
    } else {
      const auto& d = *static_cast<const table_data<uint8_t>*>(data);
      kernel::lookup<Arch>(d.count, x, d.table, y);
    }
  }
};

}  // namespace lowbits
