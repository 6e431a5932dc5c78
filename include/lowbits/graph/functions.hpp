// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Functions of one number in the form that g.function(...) takes: f(x, parameter).

#include <lowbits/fixed/functions.hpp>

namespace lowbits::inline LOWBITS_ABI::functions {

constexpr double leaky_relu(double x, double slope) noexcept { return curve::leaky_relu(x, slope); }
constexpr double elu(double x, double alpha) noexcept { return curve::elu(x, alpha); }
constexpr double sigmoid(double x, double) noexcept { return curve::logistic(x); }
constexpr double tanh(double x, double) noexcept { return curve::tanh(x); }
constexpr double hard_sigmoid(double x, double) noexcept { return curve::hard_sigmoid(x); }
constexpr double hard_swish(double x, double) noexcept { return curve::hard_swish(x); }
constexpr double silu(double x, double) noexcept { return curve::silu(x); }
constexpr double mish(double x, double) noexcept { return curve::mish(x); }
constexpr double gelu(double x, double) noexcept { return curve::gelu(x); }
constexpr double exp(double x, double) noexcept { return curve::exp(x); }
constexpr double divided(double x, double by) noexcept { return fp::quotient(x, by); }
constexpr double divides(double x, double dividend) noexcept { return fp::quotient(dividend, x); }
constexpr double square(double x, double) noexcept { return curve::square(x); }

}  // namespace lowbits::functions
