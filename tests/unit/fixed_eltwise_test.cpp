// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <lowbits/fixed/eltwise.hpp>

namespace lb = lowbits;

namespace {

constexpr lb::qformat q4{4, true, false}, q8{8, true, false}, u8{8, false, false}, q16{16, true, false};
__extension__ using wide = __int128;

struct scales {
  float x; int x_zero;
  float y; int y_zero;
  float out; int out_zero;
};
std::string text(const scales& s) {
  const auto n = [](float v) { return std::to_string(v); };
  return "x " + n(s.x) + "," + std::to_string(s.x_zero) + " y " + n(s.y) + "," + std::to_string(s.y_zero) + " out " +
         n(s.out) + "," + std::to_string(s.out_zero);
}

const std::vector<scales> scale_sets = {
    {1.0f, 0, 1.0f, 0, 1.0f, 0},           {0.5f, 3, 0.25f, -4, 0.5f, 1},          {0.0235f, -128, 0.0117f, 127, 0.031f, -5},
    {0.1f, 17, 0.003f, -77, 0.09f, 100},   {3e-5f, -1, 7e-6f, 2, 2.5e-5f, 0},      {123.4f, 0, 0.02f, 0, 200.0f, -128},
    {0.0078125f, 0, 1e-9f, 5, 0.01f, 0},   {1.0f, -128, 1.0f, -128, 2.0f, -128},   {40.0f, 1, 60.0f, -1, 0.011f, 7},
    {1e-6f, 0, 2e-6f, 0, 3.0f, 9},         {0.3f, 12, 0.299999f, 12, 0.1f, 12},
};

/// x to the nearest integer at most as far as the next one up: floor(n / d + 1/2) for any signs.
wide nearest_up(wide n, wide d) {
  const wide twice = 2 * n + d, by = 2 * d;
  return twice >= 0 ? twice / by : -((-twice + by - 1) / by);
}
int held(wide v, int zero, int lowest, int highest) {
  v += zero;
  return v < lowest ? lowest : v > highest ? highest : static_cast<int>(v);
}

/// gemmlowp's two steps, written with its own branches and truncating divisions.
std::int64_t gemmlowp_scaled(std::int64_t x, const lb::fixed_multiplier& m) {
  const wide ab = static_cast<wide>(x << (m.exponent > 0 ? m.exponent : 0)) * m.mantissa;
  const wide high = (ab + (ab >= 0 ? 1 << 30 : 1 - (1 << 30))) / (wide{1} << 31);
  return static_cast<std::int64_t>(std::round(static_cast<double>(high) / std::exp2(m.exponent > 0 ? 0 : -m.exponent)));
}

/// The multiplier TFLite makes from a double.
lb::fixed_multiplier tflite_multiplier(double real) {
  int shift = 0;
  auto q = static_cast<std::int64_t>(std::round(std::frexp(real, &shift) * 2147483648.0));
  if (q == std::int64_t{1} << 31) { q /= 2; ++shift; }
  if (shift < -31) { shift = 0; q = 0; }
  return {static_cast<std::int32_t>(q), shift};
}

}  // namespace

TEST_CASE("sum: all pairs of int8 codes equal the wide formula, in 32 and in 64 bits") {
  for (const scales& s : scale_sets)
    for (int variant = 0; variant < 4; ++variant) {
      const bool subtract = (variant & 1) != 0;
      const lb::activation fused = (variant & 2) != 0 ? lb::activation::relu6 : lb::activation::none;
      const auto p = lb::make_sum(q8, {s.x, s.x_zero}, q8, {s.y, s.y_zero}, q8, {s.out, s.out_zero}, fused, subtract);
      const auto clamp = lb::clamp_codes(fused, q8, {s.out, s.out_zero});
      CAPTURE(text(s));
      CAPTURE(variant);
      // The factors: the larger fills 15 bits unless the shift is at its end.
      const double rx = double{s.x} / s.out, ry = double{s.y} / s.out;
      const auto fx = static_cast<std::int64_t>(std::round(std::ldexp(rx, p.shift)));
      const auto fy = static_cast<std::int64_t>(std::round(std::ldexp(ry, p.shift)));
      REQUIRE(p.shift >= 1);
      REQUIRE(p.shift <= 31);
      REQUIRE(p.x_factor == fx);
      REQUIRE(p.y_factor == (subtract ? -fy : fy));
      REQUIRE(std::max(fx, fy) < 1 << 15);
      if (p.shift < 31) REQUIRE(std::max(fx, fy) >= 1 << 14);
      int wrong = 0, far_off = 0;
      for (int x = -128; x < 128; ++x)
        for (int y = -128; y < 128; ++y) {
          const wide sum = wide{x - s.x_zero} * fx + wide{y - s.y_zero} * fy * (subtract ? -1 : 1);
          const int expected = held(nearest_up(sum, wide{1} << p.shift), s.out_zero, clamp.lowest, clamp.highest);
          if (p(x, y) != expected || p.operator()<std::int32_t>(x, y) != expected) ++wrong;
          const double exact = (x - s.x_zero) * rx + (subtract ? -1 : 1) * (y - s.y_zero) * ry + s.out_zero;
          const double bound = 0.5 + 510 * std::ldexp(0.5, -p.shift) + 1e-9;
          if (std::fabs(expected - std::fmin(std::fmax(exact, clamp.lowest), clamp.highest)) > bound) ++far_off;
        }
      CHECK(wrong == 0);
      CHECK(far_off == 0);
    }
}

TEST_CASE("sum: 16-bit codes use 30-bit factors and never leave the nearest code by more than rounding") {
  std::uint32_t state = 1;
  const auto draw = [&](int lowest, int highest) {
    state = state * 1664525u + 1013904223u;
    return lowest + static_cast<int>((state >> 8) % static_cast<std::uint32_t>(highest - lowest + 1));
  };
  for (const scales& s : scale_sets) {
    const auto p = lb::make_sum(q16, {s.x, s.x_zero}, q8, {s.y, s.y_zero}, q16, {s.out, s.out_zero});
    CAPTURE(text(s));
    const double rx = double{s.x} / s.out, ry = double{s.y} / s.out;
    REQUIRE(std::max(p.x_factor, p.y_factor) < 1 << 30);
    if (p.shift < 50) REQUIRE(std::max(p.x_factor, p.y_factor) >= 1 << 29);
    for (int i = 0; i < 4000; ++i) {
      const int x = i == 0 ? -32768 : i == 1 ? 32767 : draw(-32768, 32767), y = draw(-128, 127);
      const wide sum = wide{x - s.x_zero} * p.x_factor + wide{y - s.y_zero} * p.y_factor;
      REQUIRE(p(x, y) == held(nearest_up(sum, wide{1} << p.shift), s.out_zero, -32768, 32767));
      const double exact = (x - s.x_zero) * rx + (y - s.y_zero) * ry + s.out_zero;
      REQUIRE(std::fabs(p(x, y) - std::fmin(std::fmax(exact, -32768), 32767)) <= 0.501);
    }
  }
}

TEST_CASE("sum: ratios beyond the factors' range") {
  const auto huge = lb::make_sum(q8, {1e20f, 0}, q8, {1.0f, 0}, q8, {1e-3f, 0});
  CHECK(huge(1, 0) == 127);
  CHECK(huge(-1, 127) == -128);
  CHECK(huge(0, 0) == 0);
  const auto tiny = lb::make_sum(q8, {1e-12f, 0}, q8, {1e-20f, 0}, q8, {1.0f, 5});
  CHECK(tiny(127, 127) == 5);
  CHECK(tiny(-128, -128) == 5);
  const auto tiny16 = lb::make_sum(q16, {1e-20f, 0}, q16, {1e-20f, 0}, q16, {1.0f, -3});
  CHECK(tiny16(32767, -32768) == -3);
}

TEST_CASE("TFLite's sum: all pairs of int8 codes, and int16") {
  for (const scales& s : scale_sets)
    for (int subtract = 0; subtract < 2; ++subtract)
      for (int bits = 8; bits <= 16; bits += 8) {
        const lb::qformat q{static_cast<std::uint8_t>(bits), true, false};
        const int xz = bits == 8 ? s.x_zero : 0, yz = bits == 8 ? s.y_zero : 0, oz = bits == 8 ? s.out_zero : 0;
        const auto p = lb::make_tflite_sum(q, {s.x, xz}, q, {s.y, yz}, q, {s.out, oz}, lb::activation::none, subtract != 0);
        CAPTURE(text(s));
        CAPTURE(bits);
        const int left = bits == 8 ? 20 : 15;
        const double twice = 2 * static_cast<double>(std::fmax(s.x, s.y));
        const auto mx = tflite_multiplier(double{s.x} / twice), my = tflite_multiplier(double{s.y} / twice);
        const auto mo = tflite_multiplier(twice / ((1 << left) * double{s.out}));
        REQUIRE(p.left_shift == left);
        REQUIRE(p.x == mx);
        REQUIRE(p.y == my);
        REQUIRE(p.out == mo);
        const int step = bits == 8 ? 1 : 509;
        int wrong = 0;
        for (int x = q.lowest(); x <= q.highest(); x += step)
          for (int y = q.lowest(); y <= q.highest(); y += step) {
            const std::int64_t a = gemmlowp_scaled(std::int64_t{x - xz} * (1 << left), mx);
            const std::int64_t b = gemmlowp_scaled(std::int64_t{y - yz} * (1 << left), my);
            if (p(x, y) != held(gemmlowp_scaled(subtract != 0 ? a - b : a + b, mo), oz, q.lowest(), q.highest())) ++wrong;
          }
        CHECK(wrong == 0);
      }
}

TEST_CASE("TFLite's sum with equal scales differs from ours only in the rounding") {
  const scales s{0.0235f, 4, 0.0411f, -9, 0.05f, 2};
  const auto ours = lb::make_sum(q8, {s.x, s.x_zero}, q8, {s.y, s.y_zero}, q8, {s.out, s.out_zero});
  const auto theirs = lb::make_tflite_sum(q8, {s.x, s.x_zero}, q8, {s.y, s.y_zero}, q8, {s.out, s.out_zero});
  for (int x = -128; x < 128; ++x)
    for (int y = -128; y < 128; ++y) REQUIRE(std::abs(ours(x, y) - theirs(x, y)) <= 1);
}

TEST_CASE("product: all pairs of int8 codes, every policy") {
  for (const scales& s : scale_sets) {
    const lb::affine x{s.x, s.x_zero}, y{s.y, s.y_zero}, out{s.out, s.out_zero};
    const auto single = lb::make_product<lb::round_single>(q8, x, q8, y, q8, out);
    const auto twice = lb::make_product<lb::round_double_gemmlowp>(q8, x, q8, y, q8, out);
    const auto even = lb::make_product<lb::round_even_float>(q8, x, q8, y, q8, out);
    const double real = double{s.x} * s.y / s.out;
    CAPTURE(text(s));
    REQUIRE(single.factor == tflite_multiplier(real));
    REQUIRE(even.factor.factor == static_cast<float>(real));
    const wide divisor = wide{1} << (31 - single.factor.exponent);
    int wrong = 0;
    for (int a = -128; a < 128; ++a)
      for (int b = -128; b < 128; ++b) {
        const int product = (a - s.x_zero) * (b - s.y_zero);
        const int expected = held(nearest_up(wide{product} * single.factor.mantissa, divisor), s.out_zero, -128, 127);
        if (single(a, b) != expected || single.operator()<std::int32_t>(a, b) != expected) ++wrong;
        if (twice(a, b) != held(gemmlowp_scaled(product, twice.factor), s.out_zero, -128, 127)) ++wrong;
        volatile float scaled = static_cast<float>(product) * even.factor.factor;
        if (even(a, b) != held(static_cast<wide>(std::nearbyint(static_cast<double>(scaled))), s.out_zero, -128, 127)) ++wrong;
      }
    CHECK(wrong == 0);
  }
}

TEST_CASE("product: the widest 16-bit operands need 64 bits") {
  const auto p = lb::make_product<lb::round_single>(q16, {1.0f, 32767}, q16, {1.0f, 32767}, q16, {65536.0f, 0});
  CHECK(p(-32768, -32768) == 32767);
  const auto wider = lb::make_product<lb::round_single>(q16, {1.0f, 32767}, q16, {1.0f, 32767}, q16, {262144.0f, 0});
  CHECK(wider(-32768, -32768) == 16384);  // 65535^2 / 2^18 = 16383.5 and a little
}

TEST_CASE("rescale: every code is the nearest; equal parameters only clamp") {
  const lb::qformat formats[] = {q8, u8, q4, q16};
  for (const scales& s : scale_sets)
    for (const lb::qformat& from : formats)
      for (const lb::qformat& to : formats) {
        const int xz = lb::clamp(s.x_zero, from.lowest(), from.highest()), oz = lb::clamp(s.out_zero, to.lowest(), to.highest());
        const auto p = lb::make_rescale(from, {s.x, xz}, to, {s.out, oz});
        CAPTURE(text(s));
        int far_off = 0;
        for (int x = from.lowest(); x <= from.highest(); ++x) {
          const double exact = std::fmin(std::fmax((x - xz) * (double{s.x} / s.out) + oz, to.lowest()), to.highest());
          if (std::fabs(p(x) - exact) > 0.5001) ++far_off;
        }
        CHECK(far_off == 0);
      }
  const auto same = lb::make_rescale(q8, {0.37f, -3}, q8, {0.37f, -3}, lb::activation::relu);
  CHECK(same.identity);
  for (int x = -128; x < 128; ++x) CHECK(same(x) == std::max(x, -3));
  CHECK_FALSE(lb::make_rescale(q8, {0.37f, -3}, q8, {0.37f, -2}).identity);
  CHECK(lb::make_rescale(u8, {0.37f, 128}, q8, {0.37f, 0})(255) == 127);
}

TEST_CASE("extremum: both inputs are rescaled, then compared") {
  for (const scales& s : scale_sets)
    for (int take_larger = 0; take_larger < 2; ++take_larger) {
      const lb::affine x{s.x, s.x_zero}, y{s.y, s.y_zero}, out{s.out, s.out_zero};
      const auto p = lb::make_extremum(q8, x, q8, y, q8, out, lb::activation::relu, take_larger != 0);
      const auto rx = lb::make_rescale(q8, x, q8, out, lb::activation::relu), ry = lb::make_rescale(q8, y, q8, out, lb::activation::relu);
      CAPTURE(text(s));
      int wrong = 0;
      for (int a = -128; a < 128; ++a)
        for (int b = -128; b < 128; ++b)
          if (p(a, b) != (take_larger != 0 ? std::max(rx(a), ry(b)) : std::min(rx(a), ry(b)))) ++wrong;
      CHECK(wrong == 0);
    }
}

TEST_CASE("mean: a sum over n codes") {
  for (int count : {1, 2, 3, 7, 49, 64, 1000, 1 << 20}) {
    const auto p = lb::make_mean(q8, {0.05f, -7}, q8, {0.04f, 11}, count);
    CAPTURE(count);
    for (int code = -128; code < 128; ++code) {
      const std::int64_t sum = std::int64_t{code + 7} * count;
      const double exact = std::fmin(std::fmax((code + 7) * (double{0.05f} / double{0.04f}) + 11, -128), 127);
      REQUIRE(std::fabs(p(sum) - exact) <= 0.5001);
      REQUIRE(p(static_cast<std::int32_t>(sum)) == p(sum));
    }
  }
  CHECK(lb::make_mean(q8, {0.5f, 0}, q8, {0.5f, 9}, 0)(std::int64_t{0}) == 9);
  CHECK(lb::make_mean(q8, {1.0f, 0}, q8, {1.0f, 0}, 2)(std::int32_t{5}) == 3);    // 2.5 up
  CHECK(lb::make_mean(q8, {1.0f, 0}, q8, {1.0f, 0}, 2)(std::int32_t{-5}) == -2);  // -2.5 up
}

// All of it in constant expressions.
static_assert(lb::make_sum(q8, {0.5f, 3}, q8, {0.25f, -4}, q8, {0.5f, 1})(13, 6) == 16);
static_assert(lb::make_sum(q8, {0.5f, 3}, q8, {0.25f, -4}, q8, {0.5f, 1}, lb::activation::none, true)(13, 6) == 6);
static_assert(lb::make_tflite_sum(q8, {0.5f, 3}, q8, {0.25f, -4}, q8, {0.5f, 1})(13, 6) == 16);
static_assert(lb::make_product<lb::round_single>(q8, {0.5f, 3}, q8, {0.25f, -4}, q8, {0.5f, 1})(13, 6) == 26);
static_assert(lb::make_rescale(q8, {0.5f, 3}, q8, {0.25f, 1})(13) == 21);
static_assert(lb::make_extremum(q8, {0.5f, 3}, q8, {0.25f, -4}, q8, {0.5f, 1}, lb::activation::none, true)(13, 6) == 11);
static_assert(lb::make_mean(q8, {0.5f, 3}, q8, {0.5f, 1}, 4)(10) == 4);

TEST_CASE("slope: one factor for each sign, rounded by the policy") {
  // 0.5 and -0.25: exact factors, so that only the rounding shows.
  constexpr auto p = lb::make_slope<lb::round_double_gemmlowp>({1.0f, 3}, q8, {2.0f, -1}, lb::activation::none, 0.5f, true);
  static_assert(p.positive == lb::fixed_multiplier::from(0.5) && p.negative == lb::fixed_multiplier::from(0.25));
  CHECK(p(3) == -1);
  CHECK(p(6) == 1);    // 1.5 rounds up
  CHECK(p(-3) == -3);  // -1.5 rounds away from zero in the shift
  CHECK(p(127) == 61);
  constexpr auto rising = lb::make_slope<lb::round_double_gemmlowp>({1.0f, 0}, q8, {1.0f, 0}, lb::activation::relu6, -2.0f, false);
  CHECK(rising(-2) == 4);
  CHECK(rising(-100) == 6);
  CHECK(rising(5) == 5);
  constexpr auto away = lb::make_slope<lb::round_away_float>({1.0f, 0}, q16, {4.0f, 0}, lb::activation::none, 1.0f, false);
  for (int x = -32768; x < 32768; ++x) {
    const int quarter = x >= 0 ? (x + 2) / 4 : -((-x + 2) / 4);
    if (away(x) != quarter) FAIL_CHECK("x " << x << ": " << away(x) << " instead of " << quarter);
  }
}

TEST_CASE("TFLite's mean: the multiplier is divided by the count, dropping the rest") {
  constexpr auto p = lb::make_tflite_mean({0.5f, 2}, q8, {0.25f, 1}, 3);
  // 2 = 2^30 * 2^(2 - 31); times 2 (the largest power of two up to 3), divided by 3.
  static_assert(p.factor.mantissa == static_cast<std::int32_t>((std::int64_t{1} << 31) / 3));
  static_assert(p.factor.exponent == 1);
  CHECK(p(std::int32_t{0}) == 1);
  CHECK(p(std::int32_t{30}) == 21);
  CHECK(p(std::int64_t{-30}) == -19);
  CHECK(p(std::int32_t{1000}) == 127);
  constexpr auto small = lb::make_tflite_mean({1e-9f, 0}, q8, {1.0f, 0}, 1 << 20);  // no room for the whole shift
  static_assert(small.factor.exponent >= -31);
  CHECK(small(std::int32_t{1} << 30) == 0);
}
