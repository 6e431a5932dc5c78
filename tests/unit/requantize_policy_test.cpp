// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every rounding policy against a formula of its own, written with 128-bit integers, doubles and the
// definitions of the libraries the policies reproduce.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <lowbits/fixed/rounding.hpp>

#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;
using number_cases::floor_quotient;
using number_cases::held32;
using number_cases::nearest_quotient;
using number_cases::random_numbers;
using number_cases::ties;
using number_cases::wide_int;

namespace {

wide_int power(int n) { return wide_int{1} << n; }

/// floor(x * m * 2^(e - bits) + 1/2)
lb::int32_t half_up(lb::int64_t x, lb::int32_t m, int shift) {
  return held32(floor_quotient(wide_int{x} * m + power(shift - 1), power(shift)));
}

lb::int32_t single(lb::int64_t x, const lb::fixed_multiplier& f) { return half_up(x, f.mantissa, 31 - f.exponent); }

/// SaturatingRoundingDoublingHighMul and RoundingDivideByPOT as gemmlowp's fixedpoint.h defines them.
lb::int32_t double_gemmlowp(lb::int64_t x, const lb::fixed_multiplier& f) {
  lb::int32_t a = held32(x);
  if (f.exponent > 0) a = held32(a * power(f.exponent));
  const lb::int64_t ab = lb::int64_t{a} * f.mantissa, nudge = ab >= 0 ? 1 << 30 : 1 - (1 << 30);
  const auto high = static_cast<lb::int32_t>((ab + nudge) / (lb::int64_t{1} << 31));  // C: towards zero
  return f.exponent >= 0 ? high : static_cast<lb::int32_t>(nearest_quotient(high, power(-f.exponent), ties::away));
}

lb::int32_t tflite_int64(lb::int64_t x, const lb::fixed_multiplier& f) {
  const lb::int32_t m = f.mantissa >= 0x7fff0000 ? 0x7fff : (f.mantissa + 0x8000) >> 16;
  const int shift = 15 - f.exponent;
  if (shift > 0) return half_up(x, m, shift);
  return held32(wide_int{held32(x)} * m * power(-shift));  // TFLite's own shift is then undefined
}

/// Two roundings to float, and one to an integer.
lb::int32_t in_float(lb::int64_t x, const lb::fixed_multiplier& f, ties t) {
  const double factor = static_cast<float>(std::ldexp(f.mantissa, f.exponent - 31));
  const double a = static_cast<float>(static_cast<long double>(x));
  const double product = static_cast<float>(a * factor);
  if (product >= 0x1p31) return lb::highest_of<lb::int32_t>;
  if (product < -0x1p31) return lb::lowest_of<lb::int32_t>;
  // 30 bits behind the point, and one that stands for all further.
  const double fine = std::floor(product * 0x1p30);
  const bool more = fine != product * 0x1p30;
  return held32(nearest_quotient(2 * static_cast<wide_int>(fine) + (more ? 1 : 0), power(31), t));
}
lb::int32_t even_float(lb::int64_t x, const lb::fixed_multiplier& f) { return in_float(x, f, ties::to_even); }
lb::int32_t away_float(lb::int64_t x, const lb::fixed_multiplier& f) { return in_float(x, f, ties::away); }

lb::int32_t shift_glow(lb::int64_t x, const lb::fixed_multiplier& f) {
  const auto g = lb::glow_multiplier::from(lb::real::from(std::ldexp(f.mantissa, f.exponent - 31)));  // tested elsewhere
  const wide_int shifted = floor_quotient(held32(x), power(g.pre));
  return held32(floor_quotient(shifted * g.scale + (g.post > 0 ? power(g.post - 1) : 0), power(g.post)));
}

struct policy {
  const char* name;
  lb::int32_t (*apply32)(lb::int32_t, const lb::fixed_multiplier&);
  lb::int32_t (*apply64)(lb::int64_t, const lb::fixed_multiplier&);
  lb::int32_t (*oracle)(lb::int64_t, const lb::fixed_multiplier&);
};
template <class Policy>
auto multiplier_of(const lb::fixed_multiplier& f) {
  if constexpr (std::is_same_v<typename Policy::multiplier, lb::fixed_multiplier>) return f;
  else return Policy::multiplier::from(lb::real::from(std::ldexp(f.mantissa, f.exponent - 31)));
}
template <class Policy>
policy policy_of(const char* name, lb::int32_t (*oracle)(lb::int64_t, const lb::fixed_multiplier&)) {
  return {name, [](lb::int32_t x, const lb::fixed_multiplier& f) { return Policy::apply(x, multiplier_of<Policy>(f)); },
          [](lb::int64_t x, const lb::fixed_multiplier& f) { return Policy::apply(x, multiplier_of<Policy>(f)); }, oracle};
}
const policy policies[] = {
    policy_of<lb::round_single>("single", single),
    policy_of<lb::round_double_gemmlowp>("double_gemmlowp", double_gemmlowp),
    policy_of<lb::round_tflite_int64>("tflite_int64", tflite_int64),
    policy_of<lb::round_even_float>("even_float", even_float),
    policy_of<lb::round_away_float>("away_float", away_float),
    policy_of<lb::round_shift_glow>("shift_glow", shift_glow),
    policy_of<lb::round_away_bias>("away_bias", away_float),  // with a bias of 0 and one step
};

/// Mantissas at the ends, short ones (ties) and any.
std::vector<lb::int32_t> mantissas(int count) {
  std::vector<lb::int32_t> m = {1 << 30, (1 << 30) + 1, 3 << 29, 0x7fffffff, 0x7ffffffe, 0x7fff0000, 0x7ffeffff,
                                0x7fff8000, 0x40008000, 0x40007fff, 0x5a827999, 0x60000000, 0x50000000};
  random_numbers random(1);
  while (static_cast<int>(m.size()) < count) m.push_back(static_cast<lb::int32_t>(random.next32() >> 2 | 1u << 30));
  return m;
}

std::string name_of(const policy& p, const lb::fixed_multiplier& f) {
  return std::string(p.name) + " with " + std::to_string(f.mantissa) + " * 2^(" + std::to_string(f.exponent) + " - 31)";
}

void check32(comparison& c, const policy& p, const lb::fixed_multiplier& f, const std::vector<lb::int32_t>& xs) {
  const std::string name = name_of(p, f);
  for (const lb::int32_t x : xs) {
    const lb::int32_t want = p.oracle(x, f);
    c.same(p.apply32(x, f), want, name, x);
    c.same(p.apply64(x, f), want, name + " int64", x);
  }
}

}  // namespace

TEST_CASE("all products of two int8, all shifts") {
  std::set<lb::int32_t> products;
  for (int a = -128; a <= 127; ++a)
    for (int b = -128; b <= 127; ++b) products.insert(a * b);
  const std::vector<lb::int32_t> xs(products.begin(), products.end());
  comparison c;
  for (const policy& p : policies)
    for (int e = -31; e <= 30; ++e)
      for (const lb::int32_t m : {1 << 30, 3 << 29, 0x7fffffff, 0x5a827999}) check32(c, p, {m, e}, xs);
  CHECK_ALL_OF(c);
}

TEST_CASE("corners of int32: powers of two and their neighbours, the ends, sums of corner products") {
  std::vector<lb::int32_t> xs;
  for (int k = 0; k < 31; ++k)
    for (lb::int64_t delta = -2; delta <= 2; ++delta)
      for (const lb::int64_t x : {(lb::int64_t{1} << k) + delta, -(lb::int64_t{1} << k) + delta, (lb::int64_t{3} << k >> 1) + delta})
        xs.push_back(held32(x));
  for (lb::int32_t delta = 0; delta < 4; ++delta) {
    xs.push_back(lb::highest_of<lb::int32_t> - delta);
    xs.push_back(lb::lowest_of<lb::int32_t> + delta);
  }
  for (const int depth : {9, 512, 4608, 66311, 131071})
    for (const int a : {-128, -127, -1, 1, 127})
      for (const int b : {-128, -127, 127}) xs.push_back(held32(wide_int{depth} * a * b));
  comparison c;
  for (const policy& p : policies)
    for (int e = -31; e <= 30; ++e)
      for (const lb::int32_t m : mantissas(20)) check32(c, p, {m, e}, xs);
  CHECK_ALL_OF(c);
}

TEST_CASE("ties: accumulators that land on a half exactly, both signs") {
  comparison c;
  for (const policy& p : policies)
    for (int e = -30; e <= 0; ++e) {
      std::vector<lb::int32_t> xs;
      // m = 2^30: the factor is 2^(e - 1), and x = (2k + 1) * 2^-e gives k + 1/2.
      for (lb::int64_t k = -70; k <= 70; ++k)
        for (lb::int64_t delta = -1; delta <= 1; ++delta)
          if (const lb::int64_t x = (2 * k + 1) * (lb::int64_t{1} << -e) + delta; x == held32(x)) xs.push_back(static_cast<lb::int32_t>(x));
      check32(c, p, {1 << 30, e}, xs);
      check32(c, p, {3 << 29, e}, xs);
    }
  CHECK_ALL_OF(c);
}

TEST_CASE("int64 accumulators: corners, the ends, any") {
  std::vector<lb::int64_t> xs = {lb::highest_of<lb::int64_t>, lb::lowest_of<lb::int64_t>, lb::lowest_of<lb::int64_t> + 1};
  for (int k = 0; k < 63; ++k)
    for (lb::int64_t delta = -1; delta <= 1; ++delta) {
      xs.push_back((lb::int64_t{1} << k) + delta);
      xs.push_back(-(lb::int64_t{1} << k) + delta);
    }
  random_numbers random(2);
  for (int i = 0; i < 300; ++i) xs.push_back(static_cast<lb::int64_t>(random.next()) >> (i % 64));
  comparison c;
  for (const policy& p : policies)
    for (int e = -31; e <= 30; ++e)
      for (const lb::int32_t m : mantissas(20)) {
        const lb::fixed_multiplier f{m, e};
        const std::string name = name_of(p, f);
        for (const lb::int64_t x : xs) c.same(p.apply64(x, f), p.oracle(x, f), name, x);
      }
  CHECK_ALL_OF(c);
}

TEST_CASE("a multiplier of zero gives zero") {
  for (const policy& p : policies)
    for (const lb::int32_t x : {0, 1, -1, lb::highest_of<lb::int32_t>, lb::lowest_of<lb::int32_t>}) {
      CHECK_MESSAGE(p.apply32(x, {}) == 0, p.name << " of " << x);
      CHECK_MESSAGE(p.apply64(x, {}) == 0, p.name << " of " << x);
    }
}

TEST_CASE("policies as values") {
  const auto policy_of_value = [](lb::rounding r) { return lb::with_rounding(r, [](auto tag) { return decltype(tag)::policy; }); };
  for (const auto r : {lb::rounding::single, lb::rounding::double_gemmlowp, lb::rounding::tflite_int64, lb::rounding::even_float,
                       lb::rounding::away_float, lb::rounding::shift_glow, lb::rounding::away_bias})
    CHECK(policy_of_value(r) == r);
}

// The definition's special case, which normalised multipliers never reach.
static_assert(lb::round_double_gemmlowp::high_product(lb::lowest_of<lb::int32_t>, lb::lowest_of<lb::int32_t>) == lb::highest_of<lb::int32_t>);
static_assert(lb::round_double_gemmlowp::divide_by_power(-3, 1) == -2 && lb::round_double_gemmlowp::divide_by_power(3, 1) == 2);
static_assert(lb::round_single::apply(lb::int32_t{-3}, {1 << 30, 0}) == -1 && lb::round_single::apply(lb::int32_t{3}, {1 << 30, 0}) == 2);
