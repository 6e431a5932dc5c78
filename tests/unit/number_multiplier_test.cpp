// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <lowbits/fixed/multiplier.hpp>

#include "support/number_cases.hpp"

namespace lb = lowbits;
using lb::real;
using number_cases::comparison;
using number_cases::random_numbers;
using number_cases::wide_int;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

double value_of(const real& r) { return std::ldexp(static_cast<double>(r.mantissa), r.exponent); }
bool is_normal(const real& r) {
  return r == real{} || (r.mantissa >= lb::uint64_t{1} << 52 && r.mantissa < lb::uint64_t{1} << 53);
}

/// n * 2^e with something below one unit of n when `more`, rounded half to even to 53 bits.
real rounded(wide_int n, int e, bool more) {
  if (n == 0) return {};
  while (n < wide_int{1} << 52) n <<= 1, --e;
  wide_int unit = 1;
  while (n / unit >= wide_int{1} << 53) unit <<= 1, ++e;
  wide_int m = number_cases::nearest_quotient(2 * n + (more ? 1 : 0), 2 * unit, number_cases::ties::to_even);
  if (m == wide_int{1} << 53) m >>= 1, ++e;
  return {static_cast<lb::uint64_t>(m), e};
}

lb::uint64_t mantissa(random_numbers& random, int i) {
  const lb::uint64_t top = lb::uint64_t{1} << 52, rest = random.next() >> 12;
  switch (i % 5) {
    case 0: return top | (rest & ~((lb::uint64_t{1} << (i / 5 % 53)) - 1));  // short mantissas: ties
    case 1: return top | (top - 1) >> i / 5 % 53;
    case 2: return top | (lb::uint64_t{1} << i / 5 % 52);
    default: return top | rest;
  }
}

}  // namespace

TEST_CASE("real: floats and doubles come in exactly, everything else is 0") {
  comparison c;
  random_numbers random(1);
  for (int i = 0; i < 200000; ++i) {
    const float x = std::bit_cast<float>(random.next32() & 0x7fffffffu);
    const double y = std::bit_cast<double>(random.next() >> 1);
    c.holds(is_normal(real::from(x)) && is_normal(real::from(y)), "normal", i);
    c.holds(value_of(real::from(x)) == (std::isfinite(x) ? double{x} : 0.0), "float", i);
    // ldexp rounds when the result is denormal; an exponent that large is exact.
    const double want = std::isfinite(y) ? y : 0.0;
    const real r = real::from(y);
    c.holds(want == 0.0 ? r == real{} : std::ldexp(static_cast<double>(r.mantissa), -52) ==
                std::ldexp(want, -std::ilogb(want)) && r.exponent + 52 == std::ilogb(want), "double", i);
    c.holds(real::from(-x) == (x == 0.0f ? real{} : real{}), "negative", i);
    const lb::uint32_t n = random.next32() >> (i % 32);
    c.holds(value_of(real::from(n)) == n, "integer", i);
  }
  CHECK_ALL_OF(c);
  for (const double bad : {0.0, -0.0, -1.0, infinite, -infinite, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(real::from(bad) == real{});
    CHECK(real::from(static_cast<float>(bad)) == real{});
  }
  for (int e = -200; e <= 200; ++e) CHECK(value_of(real::power_of_two(e)) == std::ldexp(1.0, e));
}

TEST_CASE("real: products and quotients, rounded half to even, against 128-bit integers") {
  comparison c;
  random_numbers random(2);
  for (int i = 0; i < 300000; ++i) {
    const real a{mantissa(random, i), random.in(-2000, 2000)}, b{mantissa(random, i / 3 + 1), random.in(-2000, 2000)};
    const wide_int x = a.mantissa, y = b.mantissa;
    c.holds(a * b == rounded(x * y, a.exponent + b.exponent, false), "product", i);
    const wide_int shifted = x << 70;
    c.holds(a / b == rounded(shifted / y, a.exponent - b.exponent - 70, shifted % y != 0), "quotient", i);
    c.holds((a * b).mantissa != 0 && is_normal(a * b) && is_normal(a / b), "normal", i);
  }
  CHECK_ALL_OF(c);
  const real one = real::from(1.0);
  CHECK(real{} * one == real{});
  CHECK(one * real{} == real{});
  CHECK(real{} / one == real{});
  CHECK(one / real{} == real{});
  CHECK(one / one == one);
}

TEST_CASE("real: the same as double arithmetic wherever doubles reach") {
  comparison c;
  random_numbers random(3);
  for (int i = 0; i < 200000; ++i) {
    const float in = random.with_exponent(random.in(-126, 127)), weight = random.with_exponent(random.in(-126, 127));
    const float out = random.with_exponent(random.in(-126, 127));
    const double exact = double{in} * double{weight} / double{out};
    c.holds(lb::scale_ratio(in, weight, out) == real::from(exact), "scale_ratio", i);
    const float u = random.with_exponent(random.in(-30, 30)), v = random.with_exponent(random.in(-30, 30));
    const double product = static_cast<double>(static_cast<float>(double{u} * double{v})) / double{out};
    c.holds(lb::scale_ratio_float_product(u, v, out) == real::from(product), "float product", i);
  }
  CHECK_ALL_OF(c);
}

TEST_CASE("real: to float") {
  comparison c;
  random_numbers random(4);
  for (int i = 0; i < 300000; ++i) {
    const real r{mantissa(random, i), random.in(-52 - 160, -52 + 135)};
    const double x = value_of(r);
    // Rounded to 24 bits in the middle of the floats, where there are neither denormals nor infinity.
    const int middle = -std::ilogb(x);
    const double short_x = std::ldexp(static_cast<double>(static_cast<float>(std::ldexp(x, middle))), -middle);
    c.holds(value_of(r.rounded_to_float()) == short_x, "rounded", i);
    const float want = short_x < 0x1p-126 ? 0.0f : short_x >= 0x1p128 ? std::numeric_limits<float>::infinity() : static_cast<float>(short_x);
    c.holds(std::bit_cast<int>(r.to_float()) == std::bit_cast<int>(want), "to_float", i);
  }
  CHECK_ALL_OF(c);
  CHECK(real{}.to_float() == 0.0f);
  CHECK(real::power_of_two(-126).to_float() == std::numeric_limits<float>::min());
  CHECK(real::power_of_two(-127).to_float() == 0.0f);
  CHECK(real::power_of_two(128).to_float() == std::numeric_limits<float>::infinity());
}

TEST_CASE("fixed_multiplier: the nearest 31-bit mantissa") {
  comparison c;
  random_numbers random(5);
  for (int i = 0; i < 300000; ++i) {
    const real r{mantissa(random, i), random.in(-52 - 40, -52 + 35)};
    const double x = value_of(r);
    int e = 0;
    double m = std::round(std::ldexp(std::frexp(x, &e), 31));  // as TFLite's QuantizeMultiplier
    if (m == 0x1p31) m = 0x1p30, ++e;
    if (e < -31) m = 0, e = 0;
    if (e > 30) m = 0x7fffffff, e = 30;
    const auto got = lb::fixed_multiplier::from(r);
    c.same(got.mantissa, static_cast<lb::int64_t>(m), "mantissa", i);
    c.same(got.exponent, e, "exponent", i);
    c.holds(got == lb::fixed_multiplier::from(x), "from double", i);
    c.holds(got.mantissa == 0 || got.mantissa >= 1 << 30, "normalised", i);
  }
  CHECK_ALL_OF(c);
  const struct {
    double factor;
    lb::fixed_multiplier want;
  } cases[] = {
      {1.0, {1 << 30, 1}},
      {0.5, {1 << 30, 0}},
      {0.75, {3 << 29, 0}},
      {0x1p-32, {1 << 30, -31}},
      {0x1.fffffffffffffp-33, {1 << 30, -31}},  // rounds up to 2^-32
      {0x1.ffffp-33, {}},
      {0x1p-33, {}},
      {0x1.fffffffp29, {0x7ffffffc, 30}},
      {0x1p30, {0x7fffffff, 30}},
      {1e300, {0x7fffffff, 30}},
      {0.0, {}},
      {-1.0, {}},
      {infinite, {}},
      {std::numeric_limits<double>::quiet_NaN(), {}},
      {std::numeric_limits<double>::denorm_min(), {}},
      {1.0 - 0x1p-53, {1 << 30, 1}},
      {1.0 - 0x1p-32, {1 << 30, 1}},  // a tie goes away from zero
      {1.0 - 0x1.8p-32, {0x7fffffff, 0}},
  };
  for (const auto& k : cases) {
    const auto got = lb::fixed_multiplier::from(k.factor);
    CHECK_MESSAGE(got == k.want, "factor " << k.factor << ": " << got.mantissa << ", " << got.exponent);
  }
  static_assert(lb::fixed_multiplier::from(0.5) == lb::fixed_multiplier{1 << 30, 0});
}

TEST_CASE("glow_multiplier: Glow's search, in floats") {
  comparison c;
  random_numbers random(6);
  for (int i = 0; i < 300000; ++i) {
    const real r{mantissa(random, i), random.in(-52 - 36, -52 + 34)};
    float x = static_cast<float>(value_of(r));
    lb::glow_multiplier want;
    int e = 0;
    if (x < 0x1p-31f) {
      want = {};
    } else if (x >= 0x1p30f) {
      want = {0x7fffffff, 0, 0};
    } else if (std::frexp(x, &e) == 0.5f) {  // x = 2^(e - 1)
      if (e - 1 > 0) want = {1 << (e - 1), 0, 0};
      else want = {1, 0, static_cast<lb::int8_t>(1 - e)};
    } else {
      int pre = 0, post = 0;
      while (x < 0.5f || (x < 256.0f && post < 15)) x *= 2.0f, ++post;
      while (x < 255.0f && pre < post / 2) x *= 2.0f, ++pre;
      want = {static_cast<lb::int32_t>(std::round(x)), static_cast<lb::int8_t>(pre), static_cast<lb::int8_t>(post)};
    }
    const auto got = lb::glow_multiplier::from(r);
    c.same(got.scale, want.scale, "scale", i);
    c.same(got.pre, want.pre, "pre", i);
    c.same(got.post, want.post, "post", i);
  }
  CHECK_ALL_OF(c);
  CHECK(lb::glow_multiplier::from(real::from(0.25)) == lb::glow_multiplier{1, 0, 2});
  CHECK(lb::glow_multiplier::from(real::from(1.0)) == lb::glow_multiplier{1, 0, 0});
  CHECK(lb::glow_multiplier::from(real::from(8.0)) == lb::glow_multiplier{8, 0, 0});
}
