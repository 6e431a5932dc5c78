// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Quantization and dequantization through a backend. Every case also goes element by element through
// the library's scalar functions, which must agree.

#include <lowbits/quant/quantize.hpp>

#include "foreign/run_linear.hpp"

namespace foreign {

/// Calls f with the types that the ONNX cases use.
template <class Function>
auto with_quantized_type(const lb::qformat& q, Function f) {
  if (q == lb::qformat::of<lb::q2>()) return f(lb::q2{});
  if (q == lb::qformat::of<lb::u2>()) return f(lb::u2{});
  if (q == lb::qformat::of<lb::q4>()) return f(lb::q4{});
  if (q == lb::qformat::of<lb::u4>()) return f(lb::u4{});
  if (q == lb::qformat::of<lb::u16>()) return f(lb::u16{});
  return with_format(q, f);
}
/// Calls f with the granularity; parameter_layout::other has none and gives nothing.
template <class Function>
auto with_granularity(parameter_layout layout, Function f) -> decltype(f(lb::per_tensor{})) {
  switch (layout) {
    case parameter_layout::per_tensor: return f(lb::per_tensor{});
    case parameter_layout::axis0: return f(lb::per_axis<0>{});
    case parameter_layout::axis1: return f(lb::per_axis<1>{});
    case parameter_layout::last_axis_groups_of_2: return f(lb::per_group<2>{});
    case parameter_layout::other: break;
  }
  return {};
}

template <class Backend>
std::optional<result> run(const quantize_case& c) {
  return with_quantized_type(c.format, [&](auto format) -> std::optional<result> {
    using Q = decltype(format);
    std::vector<typename Q::storage> y(c.x.size()), scalar;
    for (std::size_t i = 0; i < c.x.size(); ++i)
      scalar.push_back(lb::quantize<Q>(c.x[i], c.params[c.param_of[i]]));
    if (c.layout == parameter_layout::other) return result{uncast(scalar), {}};
    if constexpr (requires {
                    Backend::template quantize<Q, lb::per_tensor>(c.x.data(), c.shape, c.params,
                                                                  y.data());
                  }) {
      const bool done = with_granularity(c.layout, [&](auto granularity) {
        return Backend::template quantize<Q, decltype(granularity)>(c.x.data(), c.shape, c.params,
                                                                    y.data()) == lb::status::ok;
      });
      if (!done || y != scalar)
        throw std::runtime_error("the whole tensor differs from its elements");
      return result{uncast(y), {}};
    }
    return std::nullopt;
  });
}

template <class Backend>
std::optional<result> run(const dequantize_case& c) {
  return with_quantized_type(c.format, [&](auto format) -> std::optional<result> {
    using Q = decltype(format);
    const auto x = cast<typename Q::storage>(c.x);
    reals y(x.size()), scalar;
    for (std::size_t i = 0; i < x.size(); ++i)
      scalar.push_back(lb::dequantize<Q>(x[i], c.params[c.param_of[i]]));
    if (c.layout == parameter_layout::other) return result{{}, scalar};
    if constexpr (requires {
                    Backend::template dequantize<Q, lb::per_tensor>(x.data(), c.shape, c.params,
                                                                    y.data());
                  }) {
      const bool done = with_granularity(c.layout, [&](auto granularity) {
        return Backend::template dequantize<Q, decltype(granularity)>(x.data(), c.shape, c.params,
                                                                      y.data()) == lb::status::ok;
      });
      if (!done || y != scalar)
        throw std::runtime_error("the whole tensor differs from its elements");
      return result{{}, y};
    }
    return std::nullopt;
  });
}

template <class Backend>
std::optional<result> run(const dynamic_quantize_case& c) {
  std::vector<std::uint8_t> y(c.x.size());
  if constexpr (requires {
                  Backend::template dynamic_quantize<lb::u8>(c.x.size(), c.x.data(), y.data());
                }) {
    const lb::affine p =
        Backend::template dynamic_quantize<lb::u8>(c.x.size(), c.x.data(), y.data());
    return result{uncast(y), {p.scale, static_cast<float>(p.zero_point)}};
  }
  return std::nullopt;
}

}  // namespace foreign
