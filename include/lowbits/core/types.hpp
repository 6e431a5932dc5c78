// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Fixed-width integers under short names, and the few arithmetic helpers that every layer needs.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <lowbits/config.hpp>

namespace lowbits::inline LOWBITS_ABI {

using std::int16_t;
using std::int32_t;
using std::int64_t;
using std::int8_t;
using std::ptrdiff_t;
using std::size_t;
using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

/// The range of an integer type, without <limits> (whose members collide with macros).
template <class Int>
inline constexpr Int highest_of =
    std::is_signed_v<Int>
        ? static_cast<Int>((static_cast<std::make_unsigned_t<Int>>(-1)) >> 1)
        : static_cast<Int>(-1);
template <class Int>
inline constexpr Int lowest_of =
    std::is_signed_v<Int> ? static_cast<Int>(-highest_of<Int> - 1) : Int{0};

template <class T>
constexpr T smaller(T a, T b) noexcept { return b < a ? b : a; }
template <class T>
constexpr T larger(T a, T b) noexcept { return a < b ? b : a; }
template <class T>
constexpr T clamp(T x, T lowest, T highest) noexcept {
  return x < lowest ? lowest : highest < x ? highest : x;
}
/// |x| without overflow: the result is unsigned.
template <class Int>
constexpr std::make_unsigned_t<Int> magnitude(Int x) noexcept {
  using U = std::make_unsigned_t<Int>;
  return x < 0 ? static_cast<U>(U{0} - static_cast<U>(x)) : static_cast<U>(x);
}
/// x converted to To, held at To's ends when it lies outside.
template <class To, class From>
constexpr To saturate(From x) noexcept {
  static_assert(std::is_signed_v<From> && sizeof(From) >= sizeof(To));
  if constexpr (sizeof(From) == sizeof(To) && std::is_signed_v<To>) return static_cast<To>(x);
  else
    return static_cast<To>(
        clamp<From>(x, static_cast<From>(lowest_of<To>), static_cast<From>(highest_of<To>)));
}
template <class Int>
constexpr Int ceil_div(Int a, Int b) noexcept { return static_cast<Int>(a / b + (a % b > 0 ? 1 : 0)); }
template <class Int>
constexpr Int round_up(Int a, Int multiple) noexcept {
  return static_cast<Int>(ceil_div(a, multiple) * multiple);
}

/// A list of types, for tables of primitives and architectures.
template <class... Ts>
struct type_list {
  static constexpr size_t size = sizeof...(Ts);
};

}  // namespace lowbits
