// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Element-wise operations, pooling, softmax and moves of data through a backend.

#include <lowbits/fixed/eltwise.hpp>
#include <lowbits/fixed/softmax.hpp>

#include "foreign/run_linear.hpp"

namespace foreign {

/// Calls f with the input as codes of the case's format and a buffer for `count` results.
template <class Case, class Function>
std::optional<values> with_buffers(const Case& c, std::size_t count, Function f) {
  return with_format(c.format, [&](auto format) -> std::optional<values> {
    using T = typename decltype(format)::storage;
    const std::vector<T> x = cast<T>(c.x);
    std::vector<T> y(count);
    if (!f(format, x.data(), y.data())) return std::nullopt;
    return uncast(y);
  });
}

template <class Backend>
std::optional<values> run(const pool_case& c) {
  const lb::pool2d_shape& s = c.shape;
  const auto count = static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.channels);
  return with_buffers(c, count, [&](auto, const auto* x, auto* y) {
    if constexpr (requires {
                    Backend::max_pool(s, x, c.clamp, y);
                    Backend::average_pool(s, x, c.clamp, y);
                  }) {
      c.take_largest ? Backend::max_pool(s, x, c.clamp, y)
                     : Backend::average_pool(s, x, c.clamp, y);
      return true;
    }
    return false;
  });
}

/// 8 bits to 8 bits, or 16 to 16.
template <class Q>
auto softmax_of(const softmax_case& c) {
  const lb::affine x{c.scale, 0};
  if constexpr (Q::bits > 8)
    return c.scale > 0.0f ? lb::make_wide_softmax(x, 1.0f) : lb::wide_softmax_params{c.factor};
  else
    return c.scale > 0.0f
        ? lb::make_softmax(c.format, x, 1.0f, c.format)
        : lb::softmax_params{c.factor, c.lowest_difference, Q::bits, Q::lowest, Q::highest};
}

template <class Backend>
std::optional<values> run(const softmax_case& c) {
  return with_buffers(c, c.x.size(), [&](auto format, const auto* x, auto* y) {
    const auto p = softmax_of<decltype(format)>(c);
    if constexpr (requires { Backend::softmax(c.rows, c.row_size, x, p, y); }) {
      Backend::softmax(c.rows, c.row_size, x, p, y);
      return true;
    }
    return false;
  });
}

template <class Backend, class Case, class Operation>
std::optional<values> binary(const Case& c, const Operation& op) {
  return with_buffers(c, c.out_shape.count(), [&](auto, const auto* x, auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    const auto y = cast<T>(c.y);
    if constexpr (requires { Backend::binary(c.x_shape, c.y_shape, x, y.data(), op, out); }) {
      Backend::binary(c.x_shape, c.y_shape, x, y.data(), op, out);
      return true;
    }
    return false;
  });
}

template <class Backend>
std::optional<values> run(const sum_case& c) {
  lb::tflite_sum_params op{c.x_zero,   c.y_zero,     c.left_shift, c.x_factor,
                           c.y_factor, c.out_factor, c.stage,      c.subtract};
  if (c.from_scales)
    op = lb::make_tflite_sum(c.format, {c.x_scale, c.x_zero}, c.format, {c.y_scale, c.y_zero},
                             c.format, {c.out_scale, c.stage.zero_point}, c.fused, c.subtract);
  return binary<Backend>(c, op);
}

template <class Backend>
std::optional<values> run(const product_case& c) {
  return binary<Backend>(
      c, lb::product_params<lb::round_double_gemmlowp>{c.x_zero, c.y_zero, c.factor, c.stage});
}

template <class Backend>
std::optional<values> run(const extremum_case& c) {
  const lb::affine same{};
  return binary<Backend>(c,
                         lb::make_extremum(c.format, same, c.format, same, c.format, same,
                                           lb::activation::none, c.take_larger));
}

/// TFLite's leaky ReLU (kernels/internal/reference/leaky_relu.h): one of two multipliers by sign.
struct leaky_relu_params {
  int x_zero;
  lb::fixed_multiplier positive, negative;
  lb::output_stage stage;
  constexpr int operator()(int x) const noexcept {
    const std::int32_t value = x - x_zero;
    return stage(lb::round_double_gemmlowp::apply(value, value >= 0 ? positive : negative));
  }
};
/// TFLite's change of scale (kernels/internal/reference/requantize.h), without zero points.
struct requantize_params {
  lb::fixed_multiplier factor;
  constexpr std::int32_t operator()(std::int32_t x) const noexcept {
    return lb::round_double_gemmlowp::apply(x, factor);
  }
};

template <class Backend>
std::optional<values> run(const leaky_relu_case& c) {
  return with_buffers(c, c.x.size(), [&](auto, const auto* x, auto* y) {
    const leaky_relu_params op{c.x_zero, c.positive, c.negative, c.stage};
    if constexpr (requires { Backend::unary(c.x.size(), x, op, y); }) {
      Backend::unary(c.x.size(), x, op, y);
      return true;
    }
    return false;
  });
}

template <class Backend, class In, class Out>
std::optional<values> rescale(const rescale_case& c) {
  const auto x = cast<In>(c.x);
  std::vector<Out> y(x.size());
  const auto op = [&](std::int32_t v) { return lb::saturate<Out>(requantize_params{c.factor}(v)); };
  if constexpr (requires { Backend::unary(x.size(), x.data(), op, y.data()); }) {
    Backend::unary(x.size(), x.data(), op, y.data());
    return uncast(y);
  }
  return std::nullopt;
}
template <class Backend>
std::optional<values> run(const rescale_case& c) {
  if (c.in_bits == 32 && c.out_bits == 16) return rescale<Backend, std::int32_t, std::int16_t>(c);
  if (c.in_bits == 16 && c.out_bits == 32) return rescale<Backend, std::int16_t, std::int32_t>(c);
  throw std::runtime_error("a change of scale between other widths");
}

template <class Backend>
std::optional<values> run(const pad_case& c) {
  return with_buffers(c, c.out_shape.count(), [&](auto, const auto* x, auto* y) {
    using T = std::remove_pointer_t<decltype(y)>;
    if constexpr (requires { Backend::pad(c.shape, x, c.before, T{}, c.out_shape, y); }) {
      Backend::pad(c.shape, x, c.before, static_cast<T>(c.value), c.out_shape, y);
      return true;
    }
    return false;
  });
}

template <class Backend>
std::optional<values> run(const slice_case& c) {
  return with_buffers(c, c.out_shape.count(), [&](auto, const auto* x, auto* y) {
    if constexpr (requires { Backend::slice(c.shape, x, c.begin, c.stride, c.out_shape, y); }) {
      Backend::slice(c.shape, x, c.begin, c.stride, c.out_shape, y);
      return true;
    }
    return false;
  });
}

template <class Backend>
std::optional<values> run(const transpose_case& c) {
  return with_buffers(c, c.x.size(), [&](auto, const auto* x, auto* y) {
    if constexpr (requires { Backend::transpose(c.shape, x, c.axes, c.out_shape, y); }) {
      Backend::transpose(c.shape, x, c.axes, c.out_shape, y);
      return true;
    }
    return false;
  });
}

template <class Backend>
std::optional<values> run(const copy_case& c) {
  return with_buffers(c, c.x.size(), [&](auto, const auto* x, auto* y) {
    if constexpr (requires { Backend::copy(c.x.size(), x, y); }) {
      Backend::copy(c.x.size(), x, y);
      return true;
    }
    return false;
  });
}

}  // namespace foreign
