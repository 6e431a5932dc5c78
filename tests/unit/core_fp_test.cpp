// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <lowbits/core/fp.hpp>

#include "support/number_cases.hpp"

namespace lb = lowbits;
namespace fp = lowbits::fp;
using number_cases::comparison;
using number_cases::held32;
using number_cases::nearest_quotient;
using number_cases::ties;
using number_cases::wide_int;

namespace {

/// The float with these bits to the nearest integer, by integer division.
template <class Bits>
lb::int32_t nearest_integer(Bits bits, int mantissa_bits, int bias, ties t) {
  const bool negative = bits >> (sizeof(Bits) * 8 - 1) != 0;
  const auto biased = static_cast<int>((bits << 1 >> 1) >> mantissa_bits);
  auto mantissa = static_cast<wide_int>(bits & ((Bits{1} << mantissa_bits) - 1));
  if (biased == 2 * bias + 1 && mantissa != 0) return 0;  // NaN
  if (biased != 0) mantissa |= wide_int{1} << mantissa_bits;
  const int e = (biased != 0 ? biased : 1) - bias - mantissa_bits;
  const wide_int value = negative ? -mantissa : mantissa;
  if (e > 60) return held32(value == 0 ? 0 : negative ? -(wide_int{1} << 40) : wide_int{1} << 40);
  if (e >= 0) return held32(value << e);
  if (-e > 100) return 0;
  return held32(nearest_quotient(value, wide_int{1} << -e, t));
}

void check_float(comparison& c, lb::uint32_t bits) {
  const float x = std::bit_cast<float>(bits);
  c.same(fp::to_nearest<fp::tie::to_even>(x), nearest_integer(bits, 23, 127, ties::to_even), "to even", bits);
  c.same(fp::to_nearest<fp::tie::away_from_zero>(x), nearest_integer(bits, 23, 127, ties::away), "away", bits);
  c.same(fp::to_nearest<fp::tie::upward>(x), nearest_integer(bits, 23, 127, ties::up), "upward", bits);
}

}  // namespace

TEST_CASE("float to the nearest integer: every exponent, mantissas at and around all ties") {
  comparison c;
  number_cases::random_numbers random(1);
  for (lb::uint32_t high = 0; high < 512; ++high) {  // sign and exponent
    for (int k = 0; k <= 23; ++k)
      for (int delta = -2; delta <= 2; ++delta) {
        check_float(c, high << 23 | ((0x7fffffu & static_cast<lb::uint32_t>((1 << k) + delta))));
        check_float(c, high << 23 | ((0x7fffffu & static_cast<lb::uint32_t>(0x800000 - (1 << k) + delta))));
        check_float(c, high << 23 | ((0x7fffffu & static_cast<lb::uint32_t>((3 << k) + delta))));
      }
    for (int i = 0; i < 500; ++i) check_float(c, high << 23 | random.next32() >> 9);
  }
  for (int halves = -70000; halves <= 70000; ++halves)
    check_float(c, std::bit_cast<lb::uint32_t>(static_cast<float>(halves) * 0.5f));
#if defined(LOWBITS_LONG_TESTS)
  for (lb::uint64_t bits = 0; bits < lb::uint64_t{1} << 32; ++bits) check_float(c, static_cast<lb::uint32_t>(bits));
#endif
  CHECK_ALL_OF(c);
}

TEST_CASE("double to the nearest integer, ties away from zero") {
  comparison c;
  number_cases::random_numbers random(2);
  const auto check = [&](lb::uint64_t bits) {
    c.same(fp::to_nearest_away(std::bit_cast<double>(bits)), nearest_integer(bits, 52, 1023, ties::away), "double",
           static_cast<lb::int64_t>(bits));
  };
  for (lb::uint64_t high = 0; high < 4096; ++high) {
    for (int k = 0; k <= 52; ++k)
      for (int delta = -1; delta <= 1; ++delta)
        check(high << 52 | (((lb::uint64_t{1} << k) + static_cast<lb::uint64_t>(delta)) & ((lb::uint64_t{1} << 52) - 1)));
    for (int i = 0; i < 20; ++i) check(high << 52 | random.next() >> 12);
  }
  for (int halves = -70000; halves <= 70000; ++halves) check(std::bit_cast<lb::uint64_t>(halves * 0.5));
  CHECK_ALL_OF(c);
}

TEST_CASE("questions about floats are answered from the bits") {
  const float infinite = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const float denormal = std::numeric_limits<float>::denorm_min(), most = std::numeric_limits<float>::max();
  const struct {
    float x;
    bool nan, infinite, finite, zero, negative, positive;
  } cases[] = {
      {0.0f, false, false, true, true, false, false},   {-0.0f, false, false, true, true, true, false},
      {1.0f, false, false, true, false, false, true},   {-1.0f, false, false, true, false, true, false},
      {denormal, false, false, true, false, false, true}, {-denormal, false, false, true, false, true, false},
      {most, false, false, true, false, false, true},   {infinite, false, true, false, false, false, false},
      {-infinite, false, true, false, false, true, false}, {nan, true, false, false, false, false, false},
      {std::bit_cast<float>(0xffc00000u), true, false, false, false, true, false},
      {std::bit_cast<float>(0x7f800001u), true, false, false, false, false, false},
  };
  for (const auto& k : cases) {
    INFO("x = " << k.x);
    CHECK(fp::is_nan(k.x) == k.nan);
    CHECK(fp::is_infinite(k.x) == k.infinite);
    CHECK(fp::is_finite(k.x) == k.finite);
    CHECK(fp::is_zero(k.x) == k.zero);
    CHECK(fp::is_negative(k.x) == k.negative);
    CHECK(fp::is_positive(k.x) == k.positive);
  }
}

TEST_CASE("products, quotients, sums and differences are rounded once") {
  comparison c;
  number_cases::random_numbers random(3);
  for (int i = 0; i < 200000; ++i) {
    const float x = random.with_exponent(random.in(-60, 60)), y = random.with_exponent(random.in(-60, 60));
    // A double has more than twice a float's digits, so rounding twice is rounding once.
    const double a = x, b = y;
    c.same(std::bit_cast<int>(fp::product(x, y)), std::bit_cast<int>(static_cast<float>(a * b)), "product", i);
    c.same(std::bit_cast<int>(fp::quotient(x, y)), std::bit_cast<int>(static_cast<float>(a / b)), "quotient", i);
    const float z = random.with_exponent(random.in(-10, 10)), w = random.with_exponent(random.in(-10, 10));
    c.same(std::bit_cast<int>(fp::sum(z, w)), std::bit_cast<int>(static_cast<float>(double{z} + w)), "sum", i);
    c.same(std::bit_cast<int>(fp::difference(z, w)), std::bit_cast<int>(static_cast<float>(double{z} - w)), "difference", i);
  }
  CHECK_ALL_OF(c);
  static_assert(fp::product(3.0f, 0.5f) == 1.5f && fp::quotient(1.0f, 4.0f) == 0.25f && fp::sum(1.0f, 2.0f) == 3.0f);
}

TEST_CASE("integer helpers") {
  CHECK(lb::saturate<lb::int32_t>(lb::highest_of<lb::int64_t>) == lb::highest_of<lb::int32_t>);
  CHECK(lb::saturate<lb::int32_t>(lb::lowest_of<lb::int64_t>) == lb::lowest_of<lb::int32_t>);
  CHECK(lb::saturate<lb::uint8_t>(lb::int64_t{-1}) == 0);
  CHECK(lb::saturate<lb::uint8_t>(256) == 255);
  CHECK(lb::saturate<lb::int8_t>(lb::int32_t{-129}) == -128);
  CHECK(lb::magnitude(lb::lowest_of<lb::int32_t>) == 0x80000000u);
  CHECK(lb::magnitude(lb::lowest_of<lb::int64_t>) == lb::uint64_t{1} << 63);
  CHECK(lb::magnitude(-5) == 5u);
  CHECK(lb::clamp(5, 0, 3) == 3);
  CHECK(lb::clamp(-5, 0, 3) == 0);
  CHECK(lb::ceil_div(7, 4) == 2);
  CHECK(lb::ceil_div(8, 4) == 2);
  CHECK(lb::round_up(9, 8) == 16);
  CHECK(lb::highest_of<lb::uint16_t> == 65535);
  CHECK(lb::lowest_of<lb::int64_t> == std::numeric_limits<lb::int64_t>::min());
}
