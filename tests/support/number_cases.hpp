// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// All number types, random inputs and exact rounding by integers, for the tests of numbers and
// storage.

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <lowbits/quant/qtype.hpp>

namespace number_cases {

/// Calls f.template operator()<Q>() for every number type: 1..16 bits, signed, unsigned, narrow.
template <class Function>
void for_each_type(Function f) {
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (f.template operator()<lowbits::qs<I + 1>>(), ...);
    (f.template operator()<lowbits::qu<I + 1>>(), ...);
  }(std::make_integer_sequence<int, 16>{});
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (f.template operator()<lowbits::narrow<lowbits::qs<I + 2>>>(), ...);
  }(std::make_integer_sequence<int, 15>{});
}

template <class Q>
std::string name_of() {
  return std::string(Q::is_narrow ? "narrow " : "") + (Q::is_signed ? "q" : "u") + std::to_string(Q::bits);
}

/// The values of Q, lowest first: 0 is none of q1's.
template <class Q>
constexpr int step_of = Q::is_binary ? 2 : 1;

/// Steele, Lea and Flood's SplitMix64.
struct random_numbers {
  std::uint64_t state;
  explicit random_numbers(std::uint64_t seed) : state(seed) {}
  std::uint64_t next() {
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint32_t next32() { return static_cast<std::uint32_t>(next() >> 32); }
  /// From lowest to highest, both included.
  int in(int lowest, int highest) {
    const auto span = static_cast<std::uint64_t>(std::int64_t{highest} - lowest + 1);
    return static_cast<int>(lowest + static_cast<std::int64_t>(next() % span));
  }
  /// A positive float in [2^exponent, 2^(exponent+1)).
  float with_exponent(int exponent) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23 | next32() >> 9);
  }
};

enum class ties { to_even, away, up };

__extension__ using wide_int = __int128;

/// The largest integer that is not above n / d, d > 0.
constexpr wide_int floor_quotient(wide_int n, wide_int d) { return n / d - (n % d < 0 ? 1 : 0); }

/// n / d to the nearest integer, d > 0.
constexpr wide_int nearest_quotient(wide_int n, wide_int d, ties t) {
  const wide_int below = floor_quotient(n, d), twice_rest = 2 * (n - below * d);
  if (twice_rest != d) return below + (twice_rest > d ? 1 : 0);
  if (t == ties::to_even) return below + (below % 2 != 0 ? 1 : 0);
  if (t == ties::away) return below + (n > 0 ? 1 : 0);
  return below + 1;
}

template <class Int>
constexpr Int held(wide_int x, wide_int lowest, wide_int highest) {
  return static_cast<Int>(x < lowest ? lowest : x > highest ? highest : x);
}
constexpr std::int32_t held32(wide_int x) {
  return held<std::int32_t>(x, -(wide_int{1} << 31), (wide_int{1} << 31) - 1);
}

inline std::string text(wide_int x) {
  if (x < 0) return "-" + text(-x);
  return (x > 9 ? text(x / 10) : std::string()) + static_cast<char>('0' + static_cast<int>(x % 10));
}

/// Counts comparisons and remembers the first that failed. Not a template, and called instead of
/// CHECK where a test runs through all types: 47 copies of CHECK take long to compile.
struct comparison {
  long checked = 0, failed = 0;
  std::string first;

  bool same(std::int64_t got, std::int64_t want, std::string_view what, std::int64_t at) {
    ++checked;
    if (got != want && failed++ == 0)
      first = std::string(what) + " at " + std::to_string(at) + ": got " + std::to_string(got) + ", expected " + std::to_string(want);
    return got == want;
  }
  void holds(bool condition, std::string_view what, std::int64_t at) {
    ++checked;
    if (!condition && failed++ == 0) first = std::string(what) + " at " + std::to_string(at);
  }
};

}  // namespace number_cases

/// One check for all comparisons of a test case.
#define CHECK_ALL_OF(c)                                                                            \
  do {                                                                                             \
    CHECK((c).checked > 0);                                                                        \
    CHECK_MESSAGE((c).failed == 0, (c).failed << " of " << (c).checked << " differ, first: " << (c).first); \
  } while (false)
