// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <lowbits/quant/scheme.hpp>

#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;
using number_cases::for_each_type;
using number_cases::name_of;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();
constexpr float denormal = std::numeric_limits<float>::denorm_min();

/// One type without templates.
struct ranges {
  std::string name;
  lb::qformat format;
  lb::affine (*affine)(float, float);
  lb::affine (*symmetric)(float);
  float (*scale)(float);
  lb::pow2 (*pow2)(float);
  int (*quantize)(float, const lb::affine&);
};
std::vector<ranges> all_ranges() {
  std::vector<ranges> all;
  for_each_type([&]<class Q>() {
    all.push_back({name_of<Q>(), lb::qformat::of<Q>(), lb::affine_from_range<Q>, lb::symmetric_from_magnitude<Q>,
                   [](float x) { return lb::scale_from_magnitude<Q>(x); }, lb::pow2_from_magnitude<Q>,
                   [](float x, const lb::affine& p) { return int{lb::quantize<Q>(x, p)}; }});
  });
  return all;
}

/// |real of the code of x - x| in steps, exactly enough.
double error_in_steps(const ranges& k, float x, const lb::affine& p) {
  return std::fabs(k.quantize(x, p) - p.zero_point - double{x} / p.scale);
}

}  // namespace

TEST_CASE("a range's parameters are valid, hold zero exactly and reach both ends within half a step") {
  comparison c;
  number_cases::random_numbers random(8);
  for (const ranges& k : all_ranges()) {
    if (k.format.is_binary()) continue;
    const auto check = [&](float low, float high, int at) {
      const lb::affine p = k.affine(low, high);
      c.holds(lb::is_valid(p, k.format), k.name + " valid", at);
      c.same(k.quantize(0.0f, p), p.zero_point, k.name + " zero", at);
      // Half a step, and what the rounding of scale and quotient adds: two units of 2^-24 of the steps.
      const double bound = 0.5 + 2.5 * 0x1p-24 * (k.format.highest() - k.format.lowest() + 1);
      c.holds(error_in_steps(k, low < 0.0f ? low : 0.0f, p) <= bound, k.name + " low end", at);
      c.holds(error_in_steps(k, high > 0.0f ? high : 0.0f, p) <= bound, k.name + " high end", at);
    };
    for (int i = 0; i < 2000; ++i) {
      const int e = random.in(-90, 90);
      const float a = random.with_exponent(e), b = random.with_exponent(e + random.in(-20, 20));
      check(-a, b, i);
      check(a, b, i);    // widened to zero
      check(-b, -a, i);
    }
    check(-1.0f, 1.0f, -1);
    check(0.0f, 6.0f, -2);
    if (k.format.bits > 1) check(-largest, largest, -3);  // the difference is no float
    check(-largest, 0.0f, -4);
    check(-1e-30f, 1e-30f, -5);
    check(-1.0f, largest, -6);
  }
  CHECK_ALL_OF(c);
}

TEST_CASE("ranges without extent, and ranges that are none") {
  comparison c;
  const float bad[][2] = {{0.0f, 0.0f}, {-0.0f, 0.0f}, {not_a_number, 1.0f}, {-1.0f, not_a_number}, {-infinite, 1.0f},
                          {-1.0f, infinite}, {-infinite, infinite}, {not_a_number, not_a_number}};
  for (const ranges& k : all_ranges())
    for (const auto& [low, high] : bad) {
      const lb::affine p = k.affine(low, high);
      c.holds(p.scale == 1.0f && p.zero_point == 0, k.name + " scale 1", 0);
      c.holds(lb::is_valid(p, k.format), k.name + " valid", 0);
    }
  for (const ranges& k : all_ranges())
    for (const float size : {0.0f, -0.0f, not_a_number, infinite, -infinite}) {
      const lb::affine p = k.symmetric(size);
      c.holds(p.scale == 1.0f && lb::is_valid(p, k.format), k.name + " symmetric", 0);
      c.holds(k.scale(size) == 1.0f, k.name + " scale", 0);
      c.holds(k.pow2(size).exponent == 0, k.name + " power of two", 0);
    }
  CHECK_ALL_OF(c);
}

TEST_CASE("no scale is denormal, however small the range") {
  comparison c;
  constexpr float normal = std::numeric_limits<float>::min();
  for (const ranges& k : all_ranges()) {
    if (k.format.is_binary()) continue;
    for (const float size : {denormal, 7 * denormal, 1e-40f, normal}) {
      for (const lb::affine p : {k.affine(-size, size), k.affine(0.0f, size), k.symmetric(size), lb::affine{k.scale(size), 0}}) {
        c.holds(p.scale >= normal && lb::is_valid(p, k.format), k.name + " scale", 0);
        c.holds(error_in_steps(k, size, p) <= 1.0, k.name + " end", 0);
      }
      c.same(k.pow2(size).exponent, -126, k.name + " power of two", 0);
    }
    c.holds(k.affine(-largest, largest).scale <= largest, k.name + " largest", 0);
  }
  CHECK_ALL_OF(c);
}

TEST_CASE("symmetric parameters: the largest magnitude is the highest code") {
  comparison c;
  number_cases::random_numbers random(9);
  for (const ranges& k : all_ranges())
    for (int i = 0; i < 500; ++i) {
      const float size = random.with_exponent(random.in(-60, 60));
      const float sign = i % 2 == 0 ? 1.0f : -1.0f;
      const lb::affine p = k.symmetric(sign * size);
      const int middle = k.format.is_signed ? 0 : (k.format.highest() + 1) / 2;
      c.same(p.zero_point, middle, k.name + " zero point", i);
      // An unsigned bit has no code above its middle: 0 is the negative end, 1 zero.
      if (k.format.highest() != middle) c.same(k.quantize(size, p), k.format.highest(), k.name, i);
      const float scale = k.scale(sign * size);
      c.same(k.quantize(size, {scale, 0}), k.format.highest(), k.name + " scale", i);
      c.holds(scale == static_cast<float>(double{size} / k.format.highest()), k.name + " scale", i);
      c.holds(!k.format.is_signed || scale == p.scale, k.name + " scale of symmetric", i);
    }
  CHECK_ALL_OF(c);
}

TEST_CASE("powers of two: the smallest that covers") {
  comparison c;
  number_cases::random_numbers random(10);
  for (const ranges& k : all_ranges()) {
    const double top = k.format.highest();
    const auto check = [&](float size, int at) {
      const int e = k.pow2(size).exponent;
      // Scales are rounded to float: one unit in the last place of the magnitude is forgiven.
      c.holds(std::ldexp(top, e) >= double{size} * (1 - 0x1p-24), k.name + " covers", at);
      c.holds(std::ldexp(top, e - 1) < double{size}, k.name + " smallest", at);
    };
    for (int i = 0; i < 500; ++i) check(random.with_exponent(random.in(-60, 60)), i);
    for (int e = -20; e <= 20; ++e) {  // exactly a power of two, and its neighbours
      const auto exact = static_cast<float>(std::ldexp(top, e));
      check(exact, e);
      c.same(k.pow2(exact).exponent, e, k.name + " exact", e);
      c.same(k.pow2(-exact).exponent, e, k.name + " exact", e);
      check(std::nextafter(exact, 0.0f), e);
      c.same(k.pow2(std::nextafter(exact, largest)).exponent, e + 1, k.name + " above", e);
    }
  }
  CHECK_ALL_OF(c);
}

TEST_CASE("a scheme fits the kind of parameters it names") {
  using lb::per_tensor, lb::scheme;
  CHECK(scheme<lb::q8, per_tensor, lb::affine>::fit(-1.0f, 3.0f) == lb::affine_from_range<lb::q8>(-1.0f, 3.0f));
  CHECK(scheme<lb::q8>::fit(-1.0f, 3.0f).scale == 3.0f / 127.0f);
  CHECK(scheme<lb::q8>::fit(-5.0f, 3.0f).scale == 5.0f / 127.0f);
  // Symmetric parameters have no zero point: an unsigned type spends all its codes on [0, largest].
  CHECK(scheme<lb::u8>::fit(0.0f, 2.55f).scale == 2.55f / 255.0f);
  CHECK(scheme<lb::q8, per_tensor, lb::pow2>::fit(-1.0f, 127.0f).exponent == 0);
  CHECK(scheme<lb::u8, per_tensor, lb::pow2>::fit(0.0f, 255.0f).exponent == 0);
  for (const float bad : {not_a_number, infinite, -infinite}) {
    CHECK(scheme<lb::q8>::fit(bad, 1.0f).scale == 1.0f);
    CHECK(scheme<lb::q8>::fit(-1.0f, bad).scale == 1.0f);
    CHECK(scheme<lb::q8, per_tensor, lb::pow2>::fit(bad, 1.0f).exponent == 0);
    CHECK(scheme<lb::q8, per_tensor, lb::affine>::fit(bad, 1.0f) == lb::affine{1.0f, 0});
  }
}

static_assert(lb::affine_from_range<lb::q8>(0.0f, 255.0f) == lb::affine{1.0f, -128});
static_assert(lb::affine_from_range<lb::u8>(-64.0f, 191.0f) == lb::affine{1.0f, 64});
static_assert(lb::symmetric_from_magnitude<lb::u8>(1.27f).zero_point == 128);
static_assert(lb::pow2_from_magnitude<lb::q8>(1.0f).exponent == -6);
