// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operations on floats as steps. There are no fast kernels for them: they are the parts of a network
// that could not be, or were not meant to be, integer.

#include <lowbits/op/infer.hpp>
#include <lowbits/op/step.hpp>
#include <lowbits/ref/eltwise.hpp>
#include <lowbits/ref/real_ops.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Shape is conv2d_shape or depthwise_shape.
template <class Shape>
struct real_weighted_data {
  Shape shape{};
  const float* weights = nullptr;
  const float* bias = nullptr;
  real_range range{};
};
template <op_kind Kind, class Shape>
struct real_weighted_step {
  static constexpr step_needs needs(const real_weighted_data<Shape>&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const real_weighted_data<Shape>*>(data);
    const float* x = elements<float>(io.in[0]);
    float* y = elements<float>(io.out);
    if constexpr (Kind == op_kind::depthwise) ref::real_depthwise(d.shape, x, d.weights, d.bias, d.range, y);
    else if constexpr (Kind == op_kind::transposed_conv2d)
      ref::real_transposed_conv2d(d.shape, x, d.weights, d.bias, d.range, y);
    else ref::real_conv2d(d.shape, x, d.weights, d.bias, d.range, y);
  }
};

struct real_matmul_data {
  matmul_shape shape{};
  real_range range{};
};
constexpr real_matmul_data make_real_matmul(const node& n, const tensor_desc& x, const tensor_desc& w) noexcept {
  tensor_shape out;
  infer::verdict v;
  return {infer::matmul_extents(x, w, {.x_transposed = n.flag[0], .w_transposed = n.flag[1]}, out, v),
          real_range::of(n.fused)};
}
struct real_matmul_step {
  static constexpr step_needs needs(const real_matmul_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const real_matmul_data*>(data);
    ref::real_matmul(d.shape, elements<float>(io.in[0]), elements<float>(io.in[1]), d.range, elements<float>(io.out));
  }
};

struct real_pool_data {
  pool2d_shape shape{};
  real_range range{};
};
template <bool IsMax>
struct real_pool_step {
  static constexpr step_needs needs(const real_pool_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const real_pool_data*>(data);
    ref::real_pool<IsMax>(d.shape, elements<float>(io.in[0]), d.range, elements<float>(io.out));
  }
};

struct real_mean_data {
  int batch = 1, positions = 1, channels = 1;
  real_range range{};
};
struct real_mean_step {
  static constexpr step_needs needs(const real_mean_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const real_mean_data*>(data);
    ref::real_mean(d.batch, d.positions, d.channels, elements<float>(io.in[0]), d.range, elements<float>(io.out));
  }
};

struct real_binary_data {
  tensor_shape x{}, y{};
  real_range range{};
};
template <op_kind Kind>
struct real_binary_step {
  static constexpr step_needs needs(const real_binary_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const real_binary_data*>(data);
    ref::binary(d.x, d.y, elements<float>(io.in[0]), elements<float>(io.in[1]),
                [&](float a, float b) { return d.range(apply(a, b)); }, elements<float>(io.out));
  }

private:
  static float apply(float a, float b) noexcept {
    if constexpr (Kind == op_kind::add) return a + b;
    else if constexpr (Kind == op_kind::sub) return a - b;
    else if constexpr (Kind == op_kind::mul) return a * b;
    else if constexpr (Kind == op_kind::minimum) return b < a ? b : a;
    else return b > a ? b : a;
  }
};

/// function may be null: then only the range counts.
struct real_function_data {
  size_t count = 0;
  real_function function = nullptr;
  double parameter = 0;
  real_range range{};
};
struct real_function_step {
  static constexpr step_needs needs(const real_function_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const real_function_data*>(data);
    const float* x = elements<float>(io.in[0]);
    float* y = elements<float>(io.out);
    for (size_t i = 0; i < d.count; ++i)
      y[i] = d.range(d.function == nullptr ? x[i] : static_cast<float>(d.function(static_cast<double>(x[i]), d.parameter)));
  }
};

struct real_softmax_data {
  int rows = 0, depth = 0;
  float beta = 1;
};
struct real_softmax_step {
  static constexpr step_needs needs(const real_softmax_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const real_softmax_data*>(data);
    ref::real_softmax(d.rows, d.depth, d.beta, elements<float>(io.in[0]), elements<float>(io.out));
  }
};

}  // namespace lowbits
