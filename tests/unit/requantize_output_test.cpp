// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole requantizers: output stage, fused clamps, channels; and how the policies relate.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <lowbits/fixed/requantize.hpp>

#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;
using number_cases::random_numbers;

namespace {

constexpr lb::activation activations[] = {lb::activation::none, lb::activation::relu, lb::activation::relu6, lb::activation::relu_n1_to_1};

/// TFLite's CalculateActivationRangeImpl: zero_point + round(bound / scale), in floats.
lb::code_range expected_range(lb::activation a, const lb::qformat& q, const lb::affine& p) {
  const auto code = [&](float bound) {
    return static_cast<int>(std::fmin(std::fmax(std::round(bound / p.scale) + static_cast<float>(p.zero_point), -1e6f), 1e6f));
  };
  lb::code_range r{q.lowest(), q.highest()};
  if (a == lb::activation::relu || a == lb::activation::relu6) r.lowest = std::max(r.lowest, code(0.0f));
  if (a == lb::activation::relu_n1_to_1) r.lowest = std::max(r.lowest, code(-1.0f));
  if (a == lb::activation::relu6) r.highest = std::min(r.highest, code(6.0f));
  if (a == lb::activation::relu_n1_to_1) r.highest = std::min(r.highest, code(1.0f));
  return r;
}

}  // namespace

TEST_CASE("fused activations: the codes of their bounds, as TFLite rounds them") {
  comparison c;
  random_numbers random(1);
  number_cases::for_each_type([&]<class Q>() {
    if (Q::is_binary) return;
    const lb::qformat q = lb::qformat::of<Q>();
    const std::string name = number_cases::name_of<Q>();
    for (int i = 0; i < 400; ++i) {
      // Quotients up to 2^17 are exact enough in the oracle's float sum; 6 / scale hits ties for 12 / odd.
      const float scale = i % 3 == 0 ? 12.0f / static_cast<float>(2 * (i / 3) + 1) : random.with_exponent(random.in(-12, 4));
      const lb::affine p{scale, random.in(Q::lowest, Q::highest)};
      for (const lb::activation a : activations) {
        const lb::code_range got = lb::clamp_codes(a, q, p), want = expected_range(a, q, p);
        c.same(got.lowest, want.lowest, name + " lowest", i);
        c.same(got.highest, want.highest, name + " highest", i);
        const lb::output_stage stage = lb::output_stage::of(q, p, a);
        c.holds(stage == lb::output_stage{p.zero_point, got.lowest, got.highest}, name + " stage", i);
      }
    }
  });
  // Quotients at the ends of float.
  for (const float scale : {std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::min(), std::numeric_limits<float>::max()})
    for (const lb::activation a : activations) {
      const lb::code_range r = lb::clamp_codes(a, lb::qformat::of<lb::q8>(), {scale, 5});
      const bool tiny = scale < 1.0f;
      c.same(r.lowest, a == lb::activation::none ? -128 : a == lb::activation::relu_n1_to_1 && tiny ? -128 : 5, "lowest", static_cast<int>(a));
      c.same(r.highest, a == lb::activation::none || a == lb::activation::relu || tiny ? 127 : 5, "highest", static_cast<int>(a));
    }
  CHECK_ALL_OF(c);
}

TEST_CASE("the output stage never overflows") {
  comparison c;
  const lb::int32_t values[] = {lb::lowest_of<lb::int32_t>, lb::lowest_of<lb::int32_t> + 1, -40000, -1, 0, 1, 40000, lb::highest_of<lb::int32_t>};
  for (const int zero : {-32768, -128, 0, 127, 255, 65535})
    for (const auto& [lowest, highest] : {lb::code_range{-128, 127}, {0, 255}, {0, 65535}, {-32768, 32767}, {3, 3}})
      for (const lb::int32_t x : values) {
        const auto want = number_cases::held<lb::int64_t>(lb::int64_t{x} + zero, lowest, highest);
        c.same(lb::output_stage{zero, lowest, highest}(x), want, "zero point " + std::to_string(zero), x);
      }
  CHECK_ALL_OF(c);
}

namespace {

/// Every part by itself: multiplier from the three scales, policy, zero point and clamp in 64 bits.
template <class Out, class Policy>
void check_requantizer(comparison& c, const char* policy) {
  const std::string name = number_cases::name_of<Out>() + " " + policy;
  random_numbers random(Out::bits);
  for (int i = 0; i < 200; ++i) {
    const lb::affine in{random.with_exponent(random.in(-8, 0)), 0}, weight{random.with_exponent(random.in(-10, -2)), 0};
    const lb::affine out{random.with_exponent(random.in(-8, 0)), random.in(Out::lowest, Out::highest)};
    const lb::activation fused = activations[i % 4];
    const auto rq = lb::make_requantizer<Out, Policy>(in, weight, out, fused);
    const auto factor = Policy::multiplier::from(lb::real::from(double{in.scale} * double{weight.scale} / double{out.scale}));
    const lb::code_range range = expected_range(fused, lb::qformat::of<Out>(), out);
    c.holds(rq.multiplier() == factor, name + " multiplier", i);
    for (int k = 0; k < 50; ++k) {
      const auto acc = static_cast<lb::int32_t>(random.next32()) >> random.in(0, 30);
      const lb::int64_t sum = lb::int64_t{Policy::apply(acc, factor)} + out.zero_point;
      const auto want = number_cases::held<lb::int64_t>(sum, range.lowest, range.highest);
      c.same(rq(acc), want, name, acc);
      c.same(rq(lb::int64_t{acc}), want, name + " int64", acc);
    }
  }
}
template <class Policy>
void check_policy(comparison& c, const char* policy) {
  check_requantizer<lb::q8, Policy>(c, policy);
  check_requantizer<lb::u8, Policy>(c, policy);
  check_requantizer<lb::q4, Policy>(c, policy);
  check_requantizer<lb::q16, Policy>(c, policy);
  check_requantizer<lb::u16, Policy>(c, policy);
  check_requantizer<lb::narrow<lb::q8>, Policy>(c, policy);
}

}  // namespace

TEST_CASE("requantizers: multiplier, policy, zero point, clamp") {
  comparison c;
  check_policy<lb::round_single>(c, "single");
  check_policy<lb::round_double_gemmlowp>(c, "double_gemmlowp");
  check_policy<lb::round_tflite_int64>(c, "tflite_int64");
  check_policy<lb::round_even_float>(c, "even_float");
  check_policy<lb::round_away_float>(c, "away_float");
  check_policy<lb::round_shift_glow>(c, "shift_glow");
  CHECK_ALL_OF(c);
  static_assert(lb::make_requantizer<lb::q8>({0.5f, 0}, {0.25f, 0}, {0.125f, 3})(7) == 10);
}

TEST_CASE("channels have multipliers of their own") {
  constexpr std::size_t channels = 5;
  const float scales[channels] = {0.1f, 0.02f, 1.5f, 1e-9f, 0.3f};
  lb::fixed_multiplier factors[channels];
  CHECK(lb::make_multipliers(0.5f, scales, 0.25f, factors) == lb::status::ok);
  const lb::output_stage stage = lb::output_stage::of(lb::qformat::of<lb::q8>(), {0.25f, -3}, lb::activation::relu);
  const lb::channel_requantizer<lb::q8> rq{factors, stage};
  std::vector<lb::int32_t> acc(channels * 40);
  random_numbers random(3);
  for (auto& a : acc) a = static_cast<lb::int32_t>(random.next32()) >> random.in(12, 30);
  std::vector<lb::int8_t> q(acc.size());
  CHECK(lb::requantize(std::span<const lb::int32_t>(acc), rq, std::span(q), channels) == lb::status::ok);
  for (std::size_t i = 0; i < acc.size(); ++i) {
    const lb::affine weight{scales[i % channels], 0};
    const auto one = lb::make_requantizer<lb::q8>({0.5f, 0}, weight, {0.25f, -3}, lb::activation::relu);
    CHECK(q[i] == one(acc[i]));
    CHECK(q[i] >= -3);
  }
  lb::fixed_multiplier same[3];
  CHECK(lb::make_multipliers(0.5f, std::span(scales).first(1), 0.25f, same) == lb::status::ok);
  for (const auto& f : same) CHECK(f == factors[0]);
}

TEST_CASE("what is refused leaves everything as it was") {
  const float good[] = {0.1f, 0.2f};
  const lb::fixed_multiplier before{123, 4};
  lb::fixed_multiplier factors[] = {before, before};
  const auto refused = [&](float in, std::span<const float> weights, float out, std::size_t n) {
    const lb::status s = lb::make_multipliers(in, weights, out, std::span(factors).first(n));
    CHECK(factors[0] == before);
    CHECK(factors[1] == before);
    return s;
  };
  const float not_a_number = std::numeric_limits<float>::quiet_NaN(), infinite = HUGE_VALF;
  for (const float bad : {0.0f, -0.0f, -1.0f, not_a_number, infinite, -infinite}) {
    CHECK(refused(bad, good, 1.0f, 2) == lb::status::bad_value);
    CHECK(refused(1.0f, good, bad, 2) == lb::status::bad_value);
    const float one_bad[] = {0.1f, bad};
    CHECK(refused(1.0f, one_bad, 1.0f, 2) == lb::status::bad_value);
  }
  const float three[] = {0.1f, 0.2f, 0.3f};
  CHECK(refused(1.0f, three, 1.0f, 2) == lb::status::wrong_size);
  CHECK(refused(1.0f, {}, 1.0f, 2) == lb::status::wrong_size);

  const std::vector<lb::int32_t> acc(6, 1000);
  std::vector<lb::int8_t> q(6, 99);
  const auto rq = lb::make_requantizer<lb::q8>({1.0f, 0}, {1.0f, 0}, {1.0f, 0});
  const std::span<const lb::int32_t> in(acc);
  CHECK(lb::requantize(in, rq, std::span(q).first(5)) == lb::status::wrong_size);
  CHECK(lb::requantize(in, rq, std::span(q), 4) == lb::status::wrong_size);
  CHECK(lb::requantize(in, rq, std::span(q), 0) == lb::status::wrong_size);
  CHECK(q == std::vector<lb::int8_t>(6, 99));
}

namespace {

struct relation {
  double differ;  ///< share of results that differ
  long most;      ///< largest difference
};
template <class One, class Other>
relation compare(int shift, int samples, int bits = 12) {
  random_numbers random(static_cast<std::uint64_t>(shift));
  long differ = 0, most = 0;
  for (int i = 0; i < samples; ++i) {
    const lb::fixed_multiplier f{static_cast<lb::int32_t>(random.next32() >> 2 | 1u << 30), -shift};
    const lb::real factor = lb::real::from(std::ldexp(f.mantissa, f.exponent - 31));
    // Accumulators whose results are codes of so many bits.
    const int end = 1 << (bits - 1 + shift);
    const lb::int32_t acc = random.in(-end, end);
    const long a = One::apply(acc, One::multiplier::from(factor)), b = Other::apply(acc, Other::multiplier::from(factor));
    differ += a != b;
    most = std::max(most, std::labs(a - b));
  }
  return {static_cast<double>(differ) / samples, most};
}

}  // namespace

TEST_CASE("single and double rounding differ by at most 1, in 25 %, 3 % and 0.2 % of results at shifts of 1, 4 and 8") {
  const struct {
    int shift;
    double share;
  } cases[] = {{0, 0.0}, {1, 0.25}, {4, 1.0 / 32}, {8, 1.0 / 512}};
  for (const auto& k : cases) {
    const relation r = compare<lb::round_single, lb::round_double_gemmlowp>(k.shift, 400000);
    MESSAGE("shift " << k.shift << ": " << r.differ * 100 << " % differ");
    CHECK(r.most <= 1);
    CHECK(r.differ >= k.share * 0.9);
    CHECK(r.differ <= k.share * 1.1);
  }
}

TEST_CASE("the other policies and single rounding") {
  for (const int bits : {8, 12})
    for (const int shift : {1, 4, 8}) {
      const relation even = compare<lb::round_single, lb::round_even_float>(shift, 100000, bits);
      const relation away = compare<lb::round_single, lb::round_away_float>(shift, 100000, bits);
      const relation int64 = compare<lb::round_single, lb::round_tflite_int64>(shift, 100000, bits);
      const relation glow = compare<lb::round_single, lb::round_shift_glow>(shift, 100000, bits);
      MESSAGE(bits << "-bit results, shift " << shift << ": even_float " << even.differ * 100 << " %, away_float " << away.differ * 100
                   << " %, tflite_int64 " << int64.differ * 100 << " %, shift_glow " << glow.differ * 100 << " %, at most " << glow.most);
      CHECK(even.most <= 1);
      CHECK(even.differ <= 0.001);
      CHECK(away.most <= 1);
      CHECK(away.differ <= 0.001);
      CHECK(int64.most <= 1);
      CHECK(int64.differ <= (bits == 8 ? 0.002 : 0.02));
      CHECK(glow.most <= (bits == 8 ? 1 : 5));  // its scale has nine bits
      CHECK(glow.differ <= (bits == 8 ? 0.1 : 0.6));
    }
}
