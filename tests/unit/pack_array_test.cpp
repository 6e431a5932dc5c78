// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packing while compiling, with the compilers' default limits, up to the documented 131072 codes.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include <lowbits/pack/packed_array.hpp>

#include "support/guarded.hpp"
#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;

namespace {

/// A constexpr array of n values of Q, pseudo-random.
template <class Q, std::size_t N>
struct value_table {
  lb::int16_t v[N]{};
  constexpr value_table() {
    lb::uint32_t s = 1;
    for (std::size_t i = 0; i < N; ++i) {
      s = s * 1664525u + 1013904223u;
      v[i] = static_cast<lb::int16_t>(Q::is_binary ? ((s >> 31) != 0 ? 1 : -1) : static_cast<lb::int32_t>(s) >> (32 - Q::bits));
    }
  }
  static constexpr std::size_t size() { return N; }
  constexpr lb::int16_t operator[](std::size_t i) const { return v[i]; }
};

template <class Q, std::size_t N>
constexpr value_table<Q, N> table{};
template <class Q, std::size_t N>
LOWBITS_FLASH constexpr auto codes = lb::packed<Q, table<Q, N>>;

template <class Q, std::size_t N>
void check(comparison& c) {
  static_assert(sizeof codes<Q, N> == lb::bytes_for<Q>(N));
  const std::string name = number_cases::name_of<Q>() + " x " + std::to_string(N);
  for (std::size_t i = 0; i < N; ++i) c.same(codes<Q, N>[i], table<Q, N>[i], name, static_cast<int>(i));
}

}  // namespace

TEST_CASE("131072 codes") {
  comparison c;
  check<lb::q1, 131072>(c);
  check<lb::q4, 131072>(c);
  check<lb::q7, 131072>(c);
  check<lb::q16, 131072>(c);
  CHECK_ALL_OF(c);
}

TEST_CASE("sizes around the pieces that are packed at a time") {
  comparison c;
  check<lb::q3, 1>(c);
  check<lb::q3, 7>(c);
  check<lb::q5, 4095>(c);
  check<lb::q5, 4096>(c);
  check<lb::q5, 4097>(c);
  check<lb::q11, 8193>(c);
  CHECK_ALL_OF(c);
}

namespace {

constexpr int plain[] = {1, -2, 7, -8, 3};
constexpr std::array<lb::int8_t, 5> standard = {1, -2, 7, -8, 3};
constexpr auto from_plain = lb::packed<lb::q4, plain>;
static_assert(from_plain.bytes[0] == 0xe1 && from_plain.bytes[1] == 0x87 && from_plain.bytes[2] == 0x03);
static_assert(from_plain == lb::packed<lb::q4, standard> && from_plain == lb::make_packed<lb::q4>(plain));
static_assert(from_plain.size() == 5 && from_plain.size_bytes() == 3 && from_plain[3] == -8);
static_assert(lb::packed_view<lb::q4>(from_plain)[1] == -2);

/// Usable as a template argument: all public, all constexpr.
template <lb::packed_array<lb::q4, 5> A>
constexpr int first = A[0];
static_assert(first<from_plain> == 1);

template <class Q>
constexpr bool fits(const int (&values)[2]) {
  lb::uint8_t b[4]{};
  return lb::pack<Q>(values, 0, 2, b);
}
static_assert(fits<lb::q4>({-8, 7}) && !fits<lb::q4>({-9, 7}) && !fits<lb::q4>({-8, 8}));
static_assert(fits<lb::q1>({-1, 1}) && !fits<lb::q1>({0, 1}) && fits<lb::u1>({0, 1}) && !fits<lb::u1>({-1, 1}));
static_assert(!fits<lb::ternary>({-2, 1}) && fits<lb::u16>({0, 65535}) && !fits<lb::u16>({0, 65536}));

}  // namespace

TEST_CASE("pack and unpack at run time, every type, nothing outside touched") {
  comparison c;
  guarded::memory memory;
  number_cases::for_each_type([&]<class Q>() {
    const std::string name = number_cases::name_of<Q>();
    int values[61], back[45];
    number_cases::random_numbers random(Q::bits);
    for (int& v : values) {
      v = Q::decode(random.next32() & Q::code_mask);
      if (v < Q::lowest) v = Q::lowest;
    }
    lb::uint8_t* const b = memory.take<lb::uint8_t>(lb::bytes_for<Q>(45), guarded::place::back);
    c.holds(lb::pack<Q>(values, 16, 61, b), name + " fits", 0);
    lb::unpack<Q>(b, 45, back);
    for (int i = 0; i < 45; ++i) c.same(back[i], values[i + 16], name, i);
    for (std::size_t k = 45 * Q::bits; k < lb::bytes_for<Q>(45) * 8; ++k)
      c.same(b[k / 8] >> k % 8 & 1, 0, name + " unused bit", static_cast<int>(k));
    lb::packed_array<Q, 3> a;
    a[1] = Q::highest;
    c.same(a[1], Q::highest, name + " array", 1);
    c.same(static_cast<int>(a.span().size()), 3, name + " span", 0);
  });
  CHECK_ALL_OF(c);
}
