// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <lowbits/quant/qparams.hpp>

#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;
using number_cases::for_each_type;
using number_cases::name_of;

static_assert(lb::q8::lowest == -128 && lb::q8::highest == 127 && lb::u8::lowest == 0 && lb::u8::highest == 255);
static_assert(lb::narrow<lb::q8>::lowest == -127 && lb::narrow<lb::q8>::highest == 127);
static_assert(lb::ternary::bits == 2 && lb::ternary::lowest == -1 && lb::ternary::highest == 1);
static_assert(lb::q1::lowest == -1 && lb::q1::highest == 1 && lb::u1::lowest == 0 && lb::u1::highest == 1);
static_assert(lb::q1::encode(-1) == 0 && lb::q1::encode(1) == 1 && lb::q1::decode(0) == -1);
static_assert(lb::q2::lowest == -2 && lb::q16::lowest == -32768 && lb::u16::highest == 65535);
static_assert(std::is_same_v<lb::q8::storage, lb::int8_t> && std::is_same_v<lb::u3::storage, lb::uint8_t>);
static_assert(std::is_same_v<lb::q9::storage, lb::int16_t> && std::is_same_v<lb::u16::storage, lb::uint16_t>);
static_assert(lb::quantized_type<lb::q5> && !lb::quantized_type<int>);

TEST_CASE("every value of every type has its own code, and comes back from it") {
  comparison c;
  for_each_type([&]<class Q>() {
    const std::string name = name_of<Q>();
    std::vector<bool> seen(std::size_t{1} << Q::bits);
    int codes = 0;
    for (int value = Q::lowest; value <= Q::highest; value += number_cases::step_of<Q>) {
      const lb::uint32_t code = Q::encode(value);
      c.holds(code < seen.size() && !seen[code], name + " code", value);
      c.same(Q::decode(code), value, name + " decode", value);
      c.same(static_cast<typename Q::storage>(value), value, name + " storage", value);
      seen[code] = true;
      ++codes;
    }
    c.same(codes, (1 << Q::bits) - (Q::is_narrow ? 1 : 0), name + " number of codes", 0);
  });
  CHECK_ALL_OF(c);
}

TEST_CASE("codes are two's complement") {
  comparison c;
  for_each_type([&]<class Q>() {
    if (Q::is_binary) return;
    for (int value = Q::lowest; value <= Q::highest; ++value)
      c.same(Q::encode(value), value < 0 ? value + (1 << Q::bits) : value, name_of<Q>(), value);
  });
  CHECK_ALL_OF(c);
}

TEST_CASE("the description as a value says the same as the type") {
  comparison c;
  for_each_type([&]<class Q>() {
    const std::string name = name_of<Q>();
    constexpr lb::qformat f = lb::qformat::of<Q>();
    c.holds(f.valid(), name + " valid", 0);
    c.same(f.lowest(), Q::lowest, name + " lowest", 0);
    c.same(f.highest(), Q::highest, name + " highest", 0);
    c.same(f.is_binary(), Q::is_binary, name + " binary", 0);
    c.same(static_cast<int>(f.storage_bytes()), sizeof(typename Q::storage), name + " storage", 0);
    for (int value = Q::lowest; value <= Q::highest; value += number_cases::step_of<Q>) {
      c.same(f.encode(value), Q::encode(value), name + " encode", value);
      c.same(f.decode(Q::encode(value)), value, name + " decode", value);
    }
  });
  CHECK_ALL_OF(c);
  CHECK_FALSE(lb::qformat{0, true, false}.valid());
  CHECK_FALSE(lb::qformat{17, true, false}.valid());
  CHECK_FALSE(lb::qformat{8, false, true}.valid());
  CHECK_FALSE(lb::qformat{1, true, true}.valid());
}

TEST_CASE("saturate holds at the ends") {
  comparison c;
  for_each_type([&]<class Q>() {
    const std::string name = name_of<Q>();
    c.same(Q::saturate(Q::lowest), Q::lowest, name, Q::lowest);
    c.same(Q::saturate(Q::highest), Q::highest, name, Q::highest);
    c.same(Q::saturate(lb::int64_t{Q::lowest} - 1), Q::lowest, name, Q::lowest - 1);
    c.same(Q::saturate(lb::int64_t{Q::highest} + 1), Q::highest, name, Q::highest + 1);
    c.same(Q::saturate(lb::lowest_of<lb::int64_t>), Q::lowest, name, lb::lowest_of<lb::int64_t>);
    c.same(Q::saturate(lb::highest_of<lb::int64_t>), Q::highest, name, lb::highest_of<lb::int64_t>);
  });
  CHECK_ALL_OF(c);
}

TEST_CASE("valid parameters have a finite scale above zero and a zero point that is a code") {
  constexpr lb::qformat q8 = lb::qformat::of<lb::q8>(), q1 = lb::qformat::of<lb::q1>();
  const float infinite = std::bit_cast<float>(0x7f800000u), nan = std::bit_cast<float>(0x7fc00000u);
  const struct {
    lb::affine p;
    lb::qformat q;
    bool valid;
  } cases[] = {
      {{1.0f, 0}, q8, true},      {{0.0f, 0}, q8, false},     {{-0.0f, 0}, q8, false},
      {{-1.0f, 0}, q8, false},    {{infinite, 0}, q8, false}, {{nan, 0}, q8, false},
      {{1.0f, -128}, q8, true},   {{1.0f, 127}, q8, true},    {{1.0f, -129}, q8, false},
      {{1.0f, 128}, q8, false},   {{1.0f, 0}, q1, true},      {{1.0f, -1}, q1, false},
      {{std::bit_cast<float>(1u), 0}, q8, true},              {{-nan, 0}, q8, false},
      {{1.0f, 0}, {17, true, false}, false},
  };
  for (const auto& c : cases)
    CHECK_MESSAGE(lb::is_valid(c.p, c.q) == c.valid, "scale " << c.p.scale << ", zero point " << c.p.zero_point);
}

TEST_CASE("powers of two are exact") {
  for (int e = -140; e <= 140; ++e) {
    const int held = e < -126 ? -126 : e > 127 ? 127 : e;
    const float scale = lb::pow2{e}.scale();
    CHECK_MESSAGE(static_cast<double>(scale) == (held < 0 ? 1.0 / static_cast<double>(lb::pow2{-held}.scale())
                                                          : static_cast<double>(lb::pow2{held}.scale())), "exponent " << e);
    CHECK((std::bit_cast<lb::uint32_t>(scale) >> 23) == static_cast<lb::uint32_t>(held + 127));
    CHECK(static_cast<lb::affine>(lb::pow2{e}) == lb::affine{scale, 0});
  }
  CHECK(lb::pow2{-3}.scale() == 0.125f);
  CHECK(static_cast<lb::affine>(lb::symmetric{0.5f}) == lb::affine{0.5f, 0});
}
