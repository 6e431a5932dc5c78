// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Powers of floats without <cmath>, with the same bits everywhere (see functions.hpp).

#include <lowbits/fixed/functions.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace curve {

/// The natural logarithm of a finite x > 0, relative error below 1e-15. x = 2^k m with m in
/// [sqrt(1/2), sqrt(2)), and log m = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 ...) with s = (m - 1) / (m + 1).
constexpr double log(double x) noexcept {
  constexpr uint64_t one = 0x3ff0'0000'0000'0000u, fraction = (uint64_t{1} << 52) - 1;
  int k = 0;
  if (x < 2.2250738585072014e-308) x = fp::product(x, 18014398509481984.0), k = -54;
  const uint64_t bits = fp::to_bits(x);
  k += static_cast<int>(bits >> 52) - 1023;
  double m = fp::from_bits64((bits & fraction) | one);
  if (m > 1.4142135623730951) m = fp::product(m, 0.5), ++k;
  const double s = fp::quotient(fp::difference(m, 1.0), fp::sum(m, 1.0)), square = fp::product(s, s);
  double series = 0;
  for (int n = 25; n >= 3; n -= 2) series = fp::product(square, fp::sum(fp::quotient(1.0, n), series));
  const double log_m = fp::sum(fp::sum(s, s), fp::product(fp::sum(s, s), series));
  return fp::sum(fp::product(static_cast<double>(k), 0.6931471805599453), log_m);
}

}  // namespace curve

/// x to the power of y, as C's powf defines it, infinities, zeros and NaN included; correctly rounded but
/// for about one result in a million.
constexpr float fp_power(float x, float y) noexcept {
  constexpr float infinity = fp::from_bits(fp::infinity_bits), nan = fp::from_bits(0x7fc0'0000u);
  constexpr uint32_t one = 0x3f80'0000u;
  if (fp::is_zero(y) || fp::to_bits(x) == one) return 1.0f;
  if (fp::is_nan(x) || fp::is_nan(y)) return nan;
  const uint32_t size = fp::magnitude_bits(x);
  const bool grows = !fp::is_negative(y);
  if (fp::is_infinite(y)) return size == one ? 1.0f : (size > one) == grows ? infinity : 0.0f;
  // Floats from 2^24 on are even.
  const bool is_even = fp::magnitude_bits(y) >= 0x4b80'0000u;
  const int32_t nearest = is_even ? 0 : fp::to_nearest<fp::tie::to_even>(y);
  const bool is_whole = is_even || fp::to_bits(static_cast<float>(nearest)) == fp::to_bits(y);
  const bool is_below = fp::is_negative(x) && is_whole && (nearest & 1) != 0;
  float power = 0;
  if (fp::is_zero(x) || fp::is_infinite(x)) {
    power = fp::is_infinite(x) == grows ? infinity : 0.0f;
  } else {
    if (fp::is_negative(x) && !is_whole) return nan;
    const double t = fp::product(static_cast<double>(y), curve::log(static_cast<double>(fp::from_bits(size))));
    power = t > 88.73 ? infinity : t < -104.0 ? 0.0f : static_cast<float>(curve::exp(t));
  }
  return is_below ? -power : power;
}

}  // namespace lowbits
