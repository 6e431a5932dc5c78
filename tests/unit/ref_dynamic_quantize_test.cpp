// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <lowbits/ref/dynamic_quantize.hpp>

namespace lb = lowbits;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();

/// ONNX's formulas for u8 with the C library, for finite data that is not all zero.
lb::affine by_the_standard(const std::vector<float>& x, std::vector<std::uint8_t>& q) {
  float low = 0.0f, high = 0.0f;
  for (float v : x) {
    low = std::fmin(low, v);
    high = std::fmax(high, v);
  }
  const float scale = (high - low) / 255.0f;
  const float zero = std::nearbyint(std::fmin(std::fmax(0.0f - low / scale, 0.0f), 255.0f));
  for (float v : x) {
    const float code = std::nearbyint(v / scale) + zero;
    q.push_back(static_cast<std::uint8_t>(std::fmin(std::fmax(code, 0.0f), 255.0f)));
  }
  return {scale, static_cast<int>(zero)};
}

}  // namespace

TEST_CASE("dynamic_quantize equals the formulas of the standard") {
  std::uint64_t state = 1;
  for (int round_number = 0; round_number < 500; ++round_number) {
    std::vector<float> x(static_cast<std::size_t>(round_number % 17 + 1));
    for (float& v : x) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      v = static_cast<float>(static_cast<std::int32_t>(state >> 32)) *
          std::ldexp(1.0f, round_number % 60 - 50);
      if (round_number % 5 == 1) v = std::fabs(v);
      if (round_number % 5 == 2) v = -std::fabs(v);
    }
    std::vector<std::uint8_t> expected, q(x.size());
    const lb::affine want = by_the_standard(x, expected);
    const lb::affine got = lb::ref::dynamic_quantize<lb::u8>(x.size(), x.data(), q.data());
    CAPTURE(round_number);
    CHECK(got == want);
    CHECK(q == expected);
  }
}

TEST_CASE("dynamic_parameters of unusual data") {
  struct row {
    std::string what;
    std::vector<float> x;
    lb::affine u8, q8;
  };
  const row table[] = {
      {"nothing", {}, {1.0f, 0}, {1.0f, -128}},
      {"zeros", {0.0f, -0.0f}, {1.0f, 0}, {1.0f, -128}},
      {"one positive number", {2.55f}, {2.55f / 255, 0}, {2.55f / 255, -128}},
      {"one negative number", {-2.55f}, {2.55f / 255, 255}, {2.55f / 255, 127}},
      {"NaN and infinities take no part",
       {not_a_number, -infinite, 255.0f, infinite, 0.0f},
       {1.0f, 0},
       {1.0f, -128}},
      {"only NaN", {not_a_number, not_a_number}, {1.0f, 0}, {1.0f, -128}},
      {"the smallest number", {std::numeric_limits<float>::denorm_min()}, {1.0f, 0}, {1.0f, -128}},
      {"a range beyond the largest float",
       {-largest, largest},
       {largest / 255 + largest / 255, 128},
       {largest / 255 + largest / 255, 0}},
  };
  for (const row& r : table) {
    CAPTURE(r.what);
    CHECK(lb::ref::dynamic_parameters<lb::u8>(r.x.size(), r.x.data()) == r.u8);
    CHECK(lb::ref::dynamic_parameters<lb::q8>(r.x.size(), r.x.data()) == r.q8);
  }
}

TEST_CASE("dynamic_quantize: NaN is the zero point, infinities the ends; other widths") {
  const float x[] = {-1.0f, not_a_number, 2.0f, infinite, -infinite, 0.0f};
  std::int8_t q[6];
  const lb::affine p = lb::ref::dynamic_quantize<lb::q4>(6, x, q);
  CHECK(p == lb::affine{0.2f, -3});
  const int expected[] = {-8, -3, 7, 7, -8, -3};
  for (int i = 0; i < 6; ++i) CHECK(q[i] == expected[i]);
  std::int16_t wide[6];
  CHECK(lb::ref::dynamic_quantize<lb::q16>(6, x, wide).scale == 3.0f / 65535);
  CHECK(wide[3] == 32767);
  CHECK(wide[4] == -32768);
}

namespace {
constexpr bool at_compile_time() {
  const float x[] = {0.0f, 2.0f, -3.0f, -2.5f, 1.34f, 0.5f};
  const int expected[] = {153, 255, 0, 26, 221, 179};  // the standard's own example
  std::uint8_t q[6]{};
  const lb::affine p = lb::ref::dynamic_quantize<lb::u8>(6, x, q);
  for (int i = 0; i < 6; ++i)
    if (q[i] != expected[i]) return false;
  return p.zero_point == 153;
}
}  // namespace

TEST_CASE("dynamic_quantize is usable in constant expressions") {
  static_assert(at_compile_time());
  CHECK(at_compile_time());
}
