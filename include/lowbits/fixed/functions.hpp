// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Elementary functions without <cmath>. Every operation is rounded on its own, in the order written
// here, so a result has the same bits in a constant expression and at run time, with any compiler
// and optimisation, with -march=native and -ffast-math (the rounding mode must be to nearest).
//
//   curve::   double, for tables: exp, logistic, tanh, gelu ...; a function of one real number
//   fp_exp, fp_tanh, fp_sigmoid   float, for use at run time; kernels repeat every operation

#include <lowbits/core/fp.hpp>

namespace lowbits::inline LOWBITS_ABI::curve {

namespace detail {

/// 1 / n! for n < 14.
// clang-format off
inline constexpr double inverse_factorial[14] = {
    1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
    1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
// clang-format on

/// ((c[0] * x + c[1]) * x + ...) + c[n - 1].
constexpr double polynomial(double x, const double* c, int n) noexcept {
  double p = c[0];
  for (int i = 1; i < n; ++i) p = fp::rounded(fp::rounded(p * x) + c[i]);
  return p;
}

/// exp(x) = 2^power * (1 + excess), excess in [-0.3, 0.42], for |x| < 2^20.
struct reduced_exp {
  int power;
  double excess;
};

/// x - power * ln 2 with ln 2 in two parts (the first has 21 zero bits at its end, so that its
/// product is exact), then the Taylor series of degree 13: below 5e-18 off on |r| <= ln(2) / 2.
constexpr reduced_exp reduce(double x) noexcept {
  const int power = fp::to_nearest_away(fp::product(x, 1.4426950408889634));
  const auto k = static_cast<double>(power);
  const double r = fp::difference(fp::difference(x, fp::product(k, 0.6931471803691238)),
                                  fp::product(k, 1.9082149292705877e-10));
  double p = inverse_factorial[13];
  for (int i = 12; i >= 2; --i) p = fp::rounded(fp::rounded(p * r) + inverse_factorial[i]);
  return {power, fp::sum(r, fp::product(fp::product(r, r), p))};
}

/// 2^n for n in [-1022, 1023].
constexpr double power_of_two(int n) noexcept {
  return fp::from_bits64(static_cast<uint64_t>(n + 1023) << 52);
}

constexpr double magnitude(double x) noexcept {
  return fp::from_bits64(fp::to_bits(x) & fp::magnitude_mask64);
}

/// magnitude with the sign of x.
constexpr double with_sign_of(double magnitude, double x) noexcept {
  return fp::from_bits64(fp::to_bits(magnitude) | (fp::to_bits(x) & ~fp::magnitude_mask64));
}

}  // namespace detail

/// e^x, at most 1 ulp off (relative error below 2.3e-16). Below -708 it is 0, above 709 it stays at
/// e^709; NaN stays NaN.
constexpr double exp(double x) noexcept {
  if (fp::is_nan(x)) return x;
  if (x < -708.0) return 0.0;
  const detail::reduced_exp e = detail::reduce(x > 709.0 ? 709.0 : x);
  return fp::product(fp::sum(1.0, e.excess), detail::power_of_two(e.power));
}

/// e^x - 1, relative error below 1e-15, also for small x; NaN stays NaN.
constexpr double expm1(double x) noexcept {
  if (fp::is_nan(x)) return x;
  if (x < -40.0) return -1.0;
  const detail::reduced_exp e = detail::reduce(x > 709.0 ? 709.0 : x);
  if (e.power == 0) return e.excess;
  const double scale = detail::power_of_two(e.power);
  return fp::sum(fp::product(e.excess, scale), fp::difference(scale, 1.0));
}

/// 1 / (1 + e^-x), relative error below 1e-15 for x > -708.
constexpr double logistic(double x) noexcept { return fp::quotient(1.0, fp::sum(1.0, exp(-x))); }

/// Relative error below 1.5e-15.
constexpr double tanh(double x) noexcept {
  if (fp::is_nan(x)) return x;
  const double m = detail::magnitude(x);
  if (m > 22.0) return detail::with_sign_of(1.0, x);
  const double e = expm1(fp::sum(m, m));
  return detail::with_sign_of(fp::quotient(e, fp::sum(e, 2.0)), x);
}

/// 1 - erf(z), absolute error below 4e-16; for |z| above 6.5 it is 0 or 2. For |z| <= 1 the Taylor
/// series; else e^(-z^2) times a polynomial of degree 15 in (z - 3) / (z + 3), the Chebyshev fit of
/// e^(z^2) erfc(z) on [1, 6.5], 1.1e-17 off.
constexpr double erfc(double z) noexcept {
  // clang-format off
  constexpr double taylor[18] = {  // (-1)^n / (n! (2n + 1)), n = 17 .. 0
      -1.0 / 12449059983360000.0, 1.0 / 690452066304000.0, -1.0 / 40537905408000.0,
      1.0 / 2528170444800.0, -1.0 / 168129561600.0, 1.0 / 11975040000.0, -1.0 / 918086400.0,
      1.0 / 76204800.0, -1.0 / 6894720.0, 1.0 / 685440.0, -1.0 / 75600.0, 1.0 / 9360.0,
      -1.0 / 1320.0, 1.0 / 216.0, -1.0 / 42.0, 1.0 / 10.0, -1.0 / 3.0, 1.0};
  // clang-format on
  constexpr double scaled[16] = {
      -5.518836192754829e-08, 1.197458866912152e-06,   2.0030978624293597e-06,
      -7.984056456119058e-06, -1.2836860311377703e-05, 6.405977406817114e-05,
      4.525282045928791e-05,  -0.0005970623557586562,  0.0007077465809813593,
      0.004269136355789601,   -0.0243924993229705,     0.07166583719739641,
      -0.15011593650071775,   0.24560380171233623,     -0.3262335600430375,
      0.17900115118138996};
  if (fp::is_nan(z)) return z;
  const double m = detail::magnitude(z), square = fp::product(m, m);
  if (m <= 1.0) {
    const double two_over_root_pi = 1.1283791670955126;
    return fp::difference(
        1.0, fp::product(fp::product(z, detail::polynomial(square, taylor, 18)), two_over_root_pi));
  }
  if (m > 6.5) return z < 0.0 ? 2.0 : 0.0;
  const double t = fp::quotient(fp::difference(m, 3.0), fp::sum(m, 3.0));
  const double tail = fp::product(exp(-square), detail::polynomial(t, scaled, 16));
  return z < 0.0 ? fp::difference(2.0, tail) : tail;
}

constexpr double identity(double x) noexcept { return x; }
constexpr double square(double x) noexcept { return fp::product(x, x); }
constexpr double absolute(double x) noexcept { return detail::magnitude(x); }
constexpr double relu(double x) noexcept { return x < 0.0 ? 0.0 : x; }
constexpr double relu6(double x) noexcept { return x < 0.0 ? 0.0 : x > 6.0 ? 6.0 : x; }
constexpr double leaky_relu(double x, double alpha) noexcept {
  return x < 0.0 ? fp::product(x, alpha) : x;
}
constexpr double elu(double x, double alpha = 1.0) noexcept {
  return x < 0.0 ? fp::product(alpha, expm1(x)) : x;
}
/// relu6(x + 3) / 6.
constexpr double hard_sigmoid(double x) noexcept {
  return fp::quotient(relu6(fp::sum(x, 3.0)), 6.0);
}
/// x * relu6(x + 3) / 6.
constexpr double hard_swish(double x) noexcept {
  return fp::quotient(fp::product(x, relu6(fp::sum(x, 3.0))), 6.0);
}
/// x * logistic(x).
constexpr double silu(double x) noexcept { return fp::product(x, logistic(x)); }
/// x * tanh(log(1 + exp(x))); with e = exp(x) that is x * n / (n + 2), n = e * (e + 2).
constexpr double mish(double x) noexcept {
  if (x > 20.0) return x;
  const double e = exp(x), n = fp::product(e, fp::sum(e, 2.0));
  return fp::quotient(fp::product(x, n), fp::sum(n, 2.0));
}
/// x * P(normal <= x) = x * erfc(-x / sqrt(2)) / 2, error below 4e-16 * (1 + |x|).
constexpr double gelu(double x) noexcept {
  return fp::product(fp::product(0.5, x), erfc(fp::product(x, -0.7071067811865476)));
}
/// The tanh form: x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).
constexpr double gelu_tanh(double x) noexcept {
  const double cube = fp::product(fp::product(x, x), x);
  const double inner = fp::product(0.7978845608028654, fp::sum(x, fp::product(0.044715, cube)));
  return fp::product(fp::product(0.5, x), fp::sum(1.0, tanh(inner)));
}

}  // namespace lowbits::curve

namespace lowbits::inline LOWBITS_ABI {

namespace detail {

/// 2^n for n in [-126, 127].
constexpr float fp_power_of_two(int32_t n) noexcept {
  return fp::from_bits(static_cast<uint32_t>(n + 127) << 23);
}

}  // namespace detail

/// e^x in float, at most 1.1 ulp off. Below -87.33 it is 0 (no denormal is ever made), above 88.72
/// infinity; NaN stays NaN. Only additions, subtractions and products, each rounded, in this order:
///
///   t = x * 1.44269502 + 12582912           n = the integer in the low bits of t
///   n_real = t - 12582912
///   r = (x - n_real * 0.693359375) - n_real * -2.12194440e-4
///   q = (((1.39261966e-3 r + 8.36319e-3) r + 4.1666553e-2) r + 0.16666577) r + 0.5
///   p = ((r * r) * q + r) + 1
///   y = (p * 2^(n >> 1)) * 2^(n - (n >> 1))
///
/// The split of ln 2 is that of Cephes (expf); the polynomial is a Chebyshev fit, 7.8e-9 off.
constexpr float fp_exp(float x) noexcept {
  if (fp::is_nan(x)) return x;
  if (x < -87.33f) return 0.0f;
  const float held = x > 89.0f ? 89.0f : x;
  const float t = fp::sum(fp::product(held, 1.44269502f), 12582912.0f);
  const auto n = static_cast<int32_t>(fp::to_bits(t) - fp::to_bits(12582912.0f));
  const float whole = fp::difference(t, 12582912.0f);
  const float r = fp::difference(fp::difference(held, fp::product(whole, 0.693359375f)),
                                 fp::product(whole, -2.12194440e-4f));
  float q = 1.392619667e-3f;
  q = fp::sum(fp::product(q, r), 8.363190326e-3f);
  q = fp::sum(fp::product(q, r), 4.166655453e-2f);
  q = fp::sum(fp::product(q, r), 0.1666657692f);
  q = fp::sum(fp::product(q, r), 0.5f);
  const float p = fp::sum(fp::sum(fp::product(fp::product(r, r), q), r), 1.0f);
  const int32_t half = n >> 1;
  return fp::product(fp::product(p, detail::fp_power_of_two(half)),
                     detail::fp_power_of_two(n - half));
}

/// 1 / (1 + e^-x) in float, at most 2.6 ulp off; x is first held at -87 from below, so the smallest
/// result is 1.6e-38. One addition and one division after fp_exp(-x). NaN stays NaN.
constexpr float fp_sigmoid(float x) noexcept {
  if (fp::is_nan(x)) return x;
  return fp::quotient(1.0f, fp::sum(1.0f, fp_exp(x < -87.0f ? 87.0f : -x)));
}

/// tanh x in float, at most 1.5 ulp off, with a = |x| and the sign of x put back at the end:
///
///   a < 2^-12    a
///   a < 0.625    u = a * a;  a + (a * u) * P(u), P by Horner's rule (Chebyshev fit, 1.9e-8 off)
///   a <= 10      1 - 2 / (1 + fp_exp(a + a))
///   else         1
constexpr float fp_tanh(float x) noexcept {
  if (fp::is_nan(x)) return x;
  const float a = fp::from_bits(fp::magnitude_bits(x));
  float y = a;
  if (a > 10.0f) {
    y = 1.0f;
  } else if (a >= 0.625f) {
    y = fp::difference(1.0f, fp::quotient(2.0f, fp::sum(1.0f, fp_exp(fp::sum(a, a)))));
  } else if (a >= 0.000244140625f) {
    const float u = fp::product(a, a);
    float p = -6.045165097e-3f;
    p = fp::sum(fp::product(p, u), 2.096132911e-2f);
    p = fp::sum(fp::product(p, u), -5.384326318e-2f);
    p = fp::sum(fp::product(p, u), 0.1333271885f);
    p = fp::sum(fp::product(p, u), -0.3333332843f);
    y = fp::sum(a, fp::product(fp::product(a, u), p));
  }
  return fp::from_bits(fp::to_bits(y) | (fp::to_bits(x) & fp::sign_mask));
}

}  // namespace lowbits
