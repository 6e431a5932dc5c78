// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <lowbits/pack/packed_view.hpp>

#include "support/guarded.hpp"
#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;
using number_cases::for_each_type;
using number_cases::name_of;

namespace {

using bytes = std::vector<lb::uint8_t>;

/// The documented order, bit by bit.
bool stream_bit(const bytes& b, std::size_t i) { return (b[i / 8] >> (i % 8) & 1) != 0; }
void set_stream_bit(bytes& b, std::size_t i, bool set) {
  const auto mask = static_cast<lb::uint8_t>(1u << i % 8);
  b[i / 8] = static_cast<lb::uint8_t>(set ? b[i / 8] | mask : b[i / 8] & ~mask);
}

}  // namespace

TEST_CASE("every code at every phase: written where documented, read back, neighbours kept") {
  comparison c;
  for_each_type([&]<class Q>() {
    const std::string name = name_of<Q>();
    constexpr std::size_t n = 9, bits = Q::bits;  // eight phases, and the first one again
    bytes b(lb::bytes_for<Q>(n)), want(b.size());
    const lb::packed_span<Q> span(b.data(), n);
    // Both backgrounds, so that a bit that should change and a bit that should stay are both seen.
    for (const bool ones : {false, true})
      for (std::size_t at = 0; at < n; ++at)
        for (int value = Q::lowest; value <= Q::highest; value += number_cases::step_of<Q>) {
          for (auto& byte : b) byte = ones ? 0xff : 0x00;
          want = b;
          for (std::size_t k = 0; k < bits; ++k) set_stream_bit(want, at * bits + k, (Q::encode(value) >> k & 1) != 0);
          span[at] = value;
          c.holds(b == want, name + " bytes", value);
          c.same(span[at], value, name + " span", value);
          c.same(lb::packed_view<Q>(span)[at], value, name + " view", value);
          c.same(lb::packed_codes{b.data(), n, lb::qformat::of<Q>()}[at], value, name + " run-time", value);
        }
  });
  CHECK_ALL_OF(c);
}

TEST_CASE("sizes are exact, and nothing outside them is touched") {
  comparison c;
  guarded::memory memory;
  for_each_type([&]<class Q>() {
    const std::string name = name_of<Q>();
    number_cases::random_numbers random(7);
    for (std::size_t i = 0; i < 2 * 41; ++i) {
      const std::size_t n = i / 2;
      const guarded::place at = guarded::both_places[i % 2];
      const std::size_t size = (n * Q::bits + 7) / 8;
      c.same(static_cast<int>(lb::bytes_for<Q>(n)), static_cast<int>(size), name + " bytes", static_cast<int>(n));
      lb::uint8_t* const b = memory.take<lb::uint8_t>(size, at);
      for (std::size_t k = 0; k < size; ++k) b[k] = 0;
      const lb::packed_span<Q> span(b, n);
      std::vector<int> values;
      for (std::size_t k = 0; k < n; ++k) {
        values.push_back(lb::larger(Q::decode(random.next32() & Q::code_mask), Q::lowest));
        span[k] = values[k];
      }
      for (std::size_t k = 0; k < n; ++k) c.same(span[k], values[k], name + " value", static_cast<int>(k));
      const bytes image(b, b + size);
      for (std::size_t k = n * Q::bits; k < size * 8; ++k)
        c.holds(!stream_bit(image, k), name + " unused bit is zero", static_cast<int>(k));
      std::size_t walked = 0;
      for (const int value : lb::packed_view<Q>(span)) c.same(value, values[walked], name + " iterator", static_cast<int>(walked)), ++walked;
      c.same(static_cast<int>(walked), static_cast<int>(n), name + " iterator length", 0);
    }
  });
  CHECK_ALL_OF(c);
}

TEST_CASE("huge counts do not overflow") {
  constexpr std::size_t most = lb::highest_of<std::size_t>;
  CHECK(lb::bytes_for<lb::q8>(most) == most);
  CHECK(lb::bytes_for<lb::q4>(most) == most / 2 + 1);
  CHECK(lb::bytes_for<lb::q1>(most) == most / 8 + 1);
  const lb::detail::code_place at(most / 2, 16);
  CHECK(at.first == most - 1);
}

TEST_CASE("4 and 2 bits are in the order of ONNX and TFLite: the low end of a byte first") {
  // ONNX, int4 tensors: element 2i in the low nibble of byte i, element 2i + 1 in the high one.
  const lb::uint8_t four[] = {0x21, 0xf8, 0x07};
  const lb::packed_view<lb::q4> q4(four, 5);
  const int want4[] = {1, 2, -8, -1, 7};
  for (std::size_t i = 0; i < 5; ++i) CHECK(q4[i] == want4[i]);
  const lb::packed_view<lb::u4> u4(four, 5);
  CHECK(u4[2] == 8);
  CHECK(u4[3] == 15);
  // int2: four elements to a byte, the first in the lowest two bits.
  const lb::uint8_t two[] = {0b11'10'01'00, 0b01};
  const lb::packed_view<lb::q2> q2(two, 5);
  const int want2[] = {0, 1, -2, -1, 1};
  for (std::size_t i = 0; i < 5; ++i) CHECK(q2[i] == want2[i]);
  const lb::uint8_t wide[] = {0x34, 0x12, 0xff, 0x7f};
  CHECK(lb::packed_view<lb::q16>(wide, 2)[0] == 0x1234);
  CHECK(lb::packed_view<lb::q16>(wide, 2)[1] == 32767);
}

TEST_CASE("three-bit codes run across bytes") {
  // Codes 1 2 3 4 5 6 7 0: 001 010 011 100 101 110 111 000, each with its lowest bit first.
  const lb::uint8_t b[] = {0xd1, 0x58, 0x1f};
  for (std::size_t i = 0; i < 8; ++i) CHECK(lb::packed_view<lb::u3>(b, 8)[i] == static_cast<int>((i + 1) % 8));
}

TEST_CASE("references behave as numbers") {
  lb::uint8_t b[4]{};
  lb::packed_span<lb::q5> s(b, 6);
  s[0] = -16;
  s[1] = s[0];
  s[2] = s[1] + 7;
  CHECK(s[1] == -16);
  CHECK(s[2] == -9);
  for (auto code : s) code = 3;
  for (std::size_t i = 0; i < s.size(); ++i) CHECK(s[i] == 3);
  CHECK(s.size_bytes() == 4);
  CHECK_FALSE(s.empty());
  CHECK(lb::packed_view<lb::q5>().empty());
}

namespace {

constexpr bool works_while_compiling() {
  lb::uint8_t b[lb::bytes_for<lb::q11>(20)]{};
  const lb::packed_span<lb::q11> s(b, 20);
  for (std::size_t i = 0; i < 20; ++i) s[i] = static_cast<int>(i) * 50 - 500;
  for (std::size_t i = 0; i < 20; ++i)
    if (lb::packed_view<lb::q11>(s)[i] != static_cast<int>(i) * 50 - 500) return false;
  return true;
}
static_assert(works_while_compiling());

}  // namespace
