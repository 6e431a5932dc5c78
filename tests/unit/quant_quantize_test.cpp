// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <lowbits/quant/quantize.hpp>

#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;
using number_cases::for_each_type;
using number_cases::name_of;
using number_cases::ties;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();
constexpr float denormal = std::numeric_limits<float>::denorm_min();

template <class Rounding>
constexpr ties ties_of = std::is_same_v<Rounding, lb::half_even>   ? ties::to_even
                         : std::is_same_v<Rounding, lb::half_away> ? ties::away
                                                                   : ties::up;

/// One type and rounding without templates.
struct quantizer {
  std::string name;
  lb::qformat format;
  ties tie;
  int (*quantize)(float, const lb::affine&);
  int expected(lb::int64_t nearest, int zero_point) const {
    return static_cast<int>(lb::clamp<lb::int64_t>(nearest + zero_point, format.lowest(), format.highest()));
  }
};
template <class Q, class Rounding>
quantizer quantizer_of(const char* rounding) {
  return {name_of<Q>() + rounding, lb::qformat::of<Q>(), ties_of<Rounding>,
          [](float x, const lb::affine& p) { return int{lb::quantize<Q, Rounding>(x, p)}; }};
}
std::vector<quantizer> all_quantizers() {
  std::vector<quantizer> all;
  for_each_type([&]<class Q>() {
    all.push_back(quantizer_of<Q, lb::half_even>(" half_even"));
    all.push_back(quantizer_of<Q, lb::half_away>(" half_away"));
    all.push_back(quantizer_of<Q, lb::half_up>(" half_up"));
  });
  return all;
}

std::vector<int> zero_points(const lb::qformat& q) { return {0, q.lowest(), q.highest(), (q.lowest() + q.highest()) / 2 + 1}; }

}  // namespace

TEST_CASE("halves: every code, every tie, every type and rounding") {
  comparison c;
  for (const quantizer& k : all_quantizers()) {
    if (k.format.is_binary()) continue;
    for (const int zero : zero_points(k.format))
      for (const float scale : {1.0f, 0.03125f}) {
        const int from = 2 * (k.format.lowest() - zero) - 9, to = 2 * (k.format.highest() - zero) + 9;
        for (int halves = from; halves <= to; ++halves) {
          const auto nearest = static_cast<lb::int64_t>(number_cases::nearest_quotient(halves, 2, k.tie));
          c.same(k.quantize(static_cast<float>(halves) * 0.5f * scale, {scale, zero}), k.expected(nearest, zero), k.name, halves);
        }
      }
  }
  CHECK_ALL_OF(c);
}

TEST_CASE("any float and scale: the quotient, rounded to float once, goes to the nearest code") {
  comparison c;
  number_cases::random_numbers random(5);
  for (const quantizer& k : all_quantizers()) {
    if (k.format.is_binary()) continue;
    for (int i = 0; i < 3000; ++i) {
      const int e = random.in(-100, 100);
      const float scale = random.with_exponent(e), x = random.with_exponent(e + random.in(-4, 18)) * (i % 2 == 0 ? 1.0f : -1.0f);
      const int zero = random.in(k.format.lowest(), k.format.highest());
      // Exact: a quotient of floats rounded to double and then to float is rounded once. In steps of
      // 2^-24 it is an integer as far as its nearest integer is concerned.
      const float quotient = static_cast<float>(double{x} / double{scale});
      const auto fine = static_cast<number_cases::wide_int>(std::floor(double{quotient} * 0x1p24));
      const bool between = static_cast<double>(static_cast<lb::int64_t>(fine)) != double{quotient} * 0x1p24;
      const auto nearest = number_cases::nearest_quotient(2 * fine + (between ? 1 : 0), number_cases::wide_int{1} << 25, k.tie);
      c.same(k.quantize(x, {scale, zero}), k.expected(static_cast<lb::int64_t>(nearest), zero), k.name, i);
    }
  }
  CHECK_ALL_OF(c);
}

TEST_CASE("NaN, infinities, huge and tiny numbers") {
  comparison c;
  for (const quantizer& k : all_quantizers()) {
    if (k.format.is_binary()) continue;
    const int low = k.format.lowest(), high = k.format.highest();
    for (const int zero : zero_points(k.format)) {
      for (const float scale : {1.0f, 0.1f, largest, 1e-38f, denormal}) {
        const lb::affine p{scale, zero};
        c.same(k.quantize(not_a_number, p), zero, k.name + " NaN", zero);
        c.same(k.quantize(std::bit_cast<float>(0xffc12345u), p), zero, k.name + " -NaN", zero);
        c.same(k.quantize(infinite, p), high, k.name + " +inf", zero);
        c.same(k.quantize(-infinite, p), low, k.name + " -inf", zero);
        c.same(k.quantize(0.0f, p), zero, k.name + " 0", zero);
        c.same(k.quantize(-0.0f, p), zero, k.name + " -0", zero);
      }
      c.same(k.quantize(largest, {1.0f, zero}), high, k.name + " largest", zero);
      c.same(k.quantize(-largest, {1.0f, zero}), low, k.name + " -largest", zero);
      c.same(k.quantize(largest, {denormal, zero}), high, k.name + " largest / denormal", zero);
      c.same(k.quantize(denormal, {1.0f, zero}), zero, k.name + " denormal", zero);
      c.same(k.quantize(-denormal, {largest, zero}), zero, k.name + " denormal / largest", zero);
      // Denormal numbers on a denormal scale are numbers like all others.
      c.same(k.quantize(3 * denormal, {denormal, zero}), k.expected(3, zero), k.name + " denormals", zero);
      c.same(k.quantize(-5 * denormal, {2 * denormal, zero}),
             k.expected(static_cast<lb::int64_t>(number_cases::nearest_quotient(-5, 2, k.tie)), zero), k.name + " denormal tie", zero);
    }
  }
  CHECK_ALL_OF(c);
}

TEST_CASE("binary codes take the sign") {
  const auto code = [](float x) { return int{lb::quantize<lb::q1>(x, lb::affine{0.7f, 0})}; };
  for (const float x : {1.0f, 0.0f, -0.0f, denormal, infinite, not_a_number, -not_a_number, std::bit_cast<float>(0xffc00001u)}) CHECK(code(x) == 1);
  for (const float x : {-1.0f, -denormal, -1e-9f, -infinite, -largest}) CHECK(code(x) == -1);
  CHECK(lb::dequantize<lb::q1>(-1, {0.7f, 0}) == -0.7f);
  CHECK(lb::dequantize<lb::q1>(1, {0.7f, 0}) == 0.7f);
}

TEST_CASE("dequantize: every code of every type, the product rounded once; and quantize gives the code back") {
  comparison c;
  for_each_type([&]<class Q>() {
    const std::string name = name_of<Q>();
    const lb::qformat f = lb::qformat::of<Q>();
    for (const float scale : {1.0f, 0.1f, 3.7e-20f, 1e30f})
      for (const int zero : zero_points(f)) {
        if (Q::is_binary && zero != 0) continue;
        const lb::affine p{scale, zero};
        for (int q = Q::lowest; q <= Q::highest; q += number_cases::step_of<Q>) {
          const float x = lb::dequantize<Q>(q, p);
          c.holds(x == static_cast<float>(static_cast<double>(q - zero) * double{scale}), name, q);
          c.same(lb::quantize<Q>(x, p), q, name + " back", q);
          c.holds(lb::fake_quantize<Q>(x, p) == x, name + " fake", q);
        }
      }
  });
  CHECK_ALL_OF(c);
}

TEST_CASE("fake_quantize is quantize and dequantize; zeros have no sign") {
  number_cases::random_numbers random(6);
  for (int i = 0; i < 10000; ++i) {
    const lb::affine p{random.with_exponent(random.in(-8, 2)), random.in(0, 15)};
    const float x = random.with_exponent(random.in(-8, 4)) * (i % 2 == 0 ? 1.0f : -1.0f);
    const float want = lb::dequantize<lb::u4>(lb::quantize<lb::u4, lb::half_away>(x, p), p);
    REQUIRE(std::bit_cast<int>(lb::fake_quantize<lb::u4, lb::half_away>(x, p)) == std::bit_cast<int>(want));
  }
  CHECK(std::bit_cast<int>(lb::fake_quantize<lb::q8>(-0.0f, {0.1f, 3})) == 0);
  CHECK(std::bit_cast<int>(lb::fake_quantize<lb::q8>(-0.04f, {0.1f, 3})) == 0);
  CHECK(lb::fake_quantize<lb::q8>(not_a_number, {0.1f, 3}) == 0.0f);
  CHECK(lb::fake_quantize<lb::q8>(infinite, {0.5f, 0}) == 63.5f);
}

TEST_CASE("whole tensors, and what they refuse") {
  const std::size_t shape[] = {2, 3};
  const std::vector<float> x = {1.0f, -1.0f, 0.26f, 1.0f, -1.0f, 0.26f};
  const lb::affine params[] = {{0.5f, 0}, {0.25f, 10}};
  std::vector<lb::int8_t> q(6, 99);
  std::vector<float> y(6, 99.0f);
  using rows = lb::per_axis<0>;
  const std::span<const float> in(x);
  CHECK(lb::quantize<lb::q8, rows>(in, shape, params, std::span(q)) == lb::status::ok);
  CHECK(q == std::vector<lb::int8_t>{2, -2, 1, 14, 6, 11});
  CHECK(lb::dequantize<lb::q8, rows>(std::span<const lb::int8_t>(q), shape, params, std::span(y)) == lb::status::ok);
  CHECK(y == std::vector<float>{1.0f, -1.0f, 0.5f, 1.0f, -1.0f, 0.25f});

  const std::vector<lb::int8_t> untouched(6, 99);
  const auto refused = [&](std::span<const float> data, std::span<const lb::affine> p, std::size_t size) {
    q = untouched;
    const lb::status s = lb::quantize<lb::q8, rows>(data, shape, p, std::span(q).first(size));
    CHECK(q == untouched);
    return s;
  };
  CHECK(refused(in.first(5), params, 6) == lb::status::wrong_size);
  CHECK(refused(in, params, 5) == lb::status::wrong_size);
  CHECK(refused(in, std::span(params).first(1), 6) == lb::status::wrong_size);
  for (const lb::affine bad : {lb::affine{0.0f, 0}, lb::affine{-1.0f, 0}, lb::affine{not_a_number, 0}, lb::affine{infinite, 0},
                               lb::affine{1.0f, 128}, lb::affine{1.0f, -129}}) {
    const lb::affine with_bad[] = {{0.5f, 0}, bad};
    CHECK(refused(in, with_bad, 6) == lb::status::bad_value);
    const std::vector<float> before = y;
    CHECK(lb::dequantize<lb::q8, rows>(std::span<const lb::int8_t>(q), shape, with_bad, std::span(y)) == lb::status::bad_value);
    CHECK(y == before);
  }
}

static_assert(lb::quantize<lb::q8>(2.5f, {1.0f, 0}) == 2 && lb::quantize<lb::q8, lb::half_away>(2.5f, {1.0f, 0}) == 3);
static_assert(lb::quantize<lb::q8, lb::half_up>(-2.5f, {1.0f, 0}) == -2 && lb::quantize<lb::q8, lb::half_away>(-2.5f, {1.0f, 0}) == -3);
static_assert(lb::dequantize<lb::u8>(130, {0.5f, 128}) == 1.0f);
