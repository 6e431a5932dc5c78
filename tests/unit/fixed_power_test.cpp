// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Logarithm and power against the C library's, in a wider type; the special cases of C's powf.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <lowbits/fixed/power.hpp>

namespace lb = lowbits;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
const float not_a_number = std::numeric_limits<float>::quiet_NaN();

bool same(float a, float b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

static_assert(lb::fp_power(2.0f, 10.0f) == 1024.0f);
static_assert(lb::fp_power(0.25f, -0.5f) == 2.0f);

}  // namespace

TEST_CASE("log: relative error below 1e-15, denormals included") {
  double x = 5e-324;
  for (int i = 0; i < 200000 && x < 1e300; ++i, x *= 1.0075) {
    const long double want = std::log(static_cast<long double>(x));
    CAPTURE(x);
    REQUIRE(std::fabs(static_cast<long double>(lb::curve::log(x)) - want) <= 1e-15L * std::fabs(want));
  }
  CHECK(lb::curve::log(1.0) == 0.0);
  for (double d : {1e-3, 1e-6, 1e-9, 1e-12}) {
    const long double want = std::log(static_cast<long double>(1.0 + d));
    CHECK(std::fabs(static_cast<long double>(lb::curve::log(1.0 + d)) - want) <= 1e-15L * want);
  }
}

TEST_CASE("power: the nearest float, or its neighbour in one of many cases") {
  std::uint32_t state = 7;
  int neighbours = 0, tried = 0;
  for (int i = 0; i < 200000; ++i) {
    state = state * 1664525u + 1013904223u;
    const float x = std::ldexp(1.0f + static_cast<float>(state >> 9) * 0x1p-23f, static_cast<int>(state % 61) - 30);
    state = state * 1664525u + 1013904223u;
    const float y = (static_cast<float>(state >> 8) * 0x1p-24f - 0.5f) * 16.0f;
    const double want = std::pow(static_cast<double>(x), static_cast<double>(y));
    if (want > 3e38 || want < 2e-38) continue;
    const float nearest = static_cast<float>(want), got = lb::fp_power(x, y);
    CAPTURE(x);
    CAPTURE(y);
    REQUIRE((got == nearest || got == std::nextafter(nearest, 0.0f) || got == std::nextafter(nearest, infinity)));
    neighbours += got != nearest;
    ++tried;
  }
  CHECK(tried > 100000);
  CHECK(neighbours <= 1);
}

TEST_CASE("power: infinities, zeros, NaN and negative numbers as C has them") {
  const float values[] = {0.0f,  -0.0f, 1.0f,  -1.0f, 0.5f,        -0.5f,      2.0f,       -2.0f,     3.0f,
                          -3.0f, 2.5f,  -2.5f, 1e30f, 16777216.0f, 16777217.0f, -16777215.0f, infinity, -infinity};
  for (const float x : values)
    for (const float y : values) {
      CAPTURE(x);
      CAPTURE(y);
      CHECK(same(lb::fp_power(x, y), std::pow(x, y)));
    }
  for (const float v : values) {
    CAPTURE(v);
    CHECK(same(lb::fp_power(v, not_a_number), v == 1.0f ? 1.0f : not_a_number));
    CHECK(same(lb::fp_power(not_a_number, v), v == 0.0f ? 1.0f : not_a_number));
  }
}
