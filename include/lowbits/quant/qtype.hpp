// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The integer types of quantized numbers: 1 to 16 bits, signed or not, full or narrow range; and 32 bits
// for sums of products.

#include <concepts>
#include <type_traits>

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

enum class sign : bool { no, yes };

/// `narrow` leaves out the lowest signed code (-127..127 for 8 bits): symmetric weights lose
/// nothing by it, and it permits faster kernels.
enum class range : bool { full, narrow };

/// A quantized number type. Values run from lowest to highest; a *code* is the value's Bits-bit
/// pattern in packed storage (two's complement, except q1). q1 holds {-1, +1}: code 0 is -1.
template <int Bits, sign Sign = sign::yes, range Range = range::full>
struct qtype {
  static_assert(Bits >= 1 && Bits <= 16,
                "lowbits: qtype: Bits is outside 1..16; choose a width from 1 to 16");
  static_assert(Range == range::full || (Sign == sign::yes && Bits >= 2),
                "lowbits: qtype: narrow range is for signed types of 2 bits or more; use the full range");

  static constexpr int bits = Bits;
  static constexpr bool is_signed = Sign == sign::yes;
  static constexpr bool is_narrow = Range == range::narrow;
  static constexpr bool is_binary = Bits == 1 && is_signed;  ///< {-1, +1}
  static constexpr int lowest =
      !is_signed ? 0 : is_binary ? -1 : -(1 << (Bits - 1)) + (is_narrow ? 1 : 0);
  static constexpr int highest =
      is_binary ? 1 : is_signed ? (1 << (Bits - 1)) - 1 : (1 << Bits) - 1;
  static constexpr uint32_t code_mask = (1u << Bits) - 1u;

  /// The unpacked element: 8-bit for up to 8 bits, 16-bit above.
  using storage = std::conditional_t<(Bits <= 8), std::conditional_t<is_signed, int8_t, uint8_t>,
                                     std::conditional_t<is_signed, int16_t, uint16_t>>;

  /// The packed bit pattern of a value in [lowest, highest].
  static constexpr uint32_t encode(int value) noexcept {
    if constexpr (is_binary) return value > 0 ? 1u : 0u;
    else return static_cast<uint32_t>(value) & code_mask;
  }
  /// The value of a packed bit pattern (higher bits of code must be zero).
  static constexpr int decode(uint32_t code) noexcept {
    if constexpr (is_binary) {
      return code != 0 ? 1 : -1;
    } else if constexpr (is_signed) {
      constexpr uint32_t top = 1u << (Bits - 1);
      return static_cast<int>(code ^ top) - static_cast<int>(top);
    } else {
      return static_cast<int>(code);
    }
  }
  static constexpr storage saturate(int64_t value) noexcept {
    return static_cast<storage>(clamp<int64_t>(value, lowest, highest));
  }
};

/// 32 bits hold sums of products, and nothing but tensors of graphs has them: no packed form, no weights.
/// Their zero point is 0.
template <>
struct qtype<32, sign::yes, range::full> {
  static constexpr int bits = 32;
  static constexpr bool is_signed = true, is_narrow = false, is_binary = false;
  static constexpr int lowest = lowest_of<int>, highest = highest_of<int>;
  using storage = int32_t;
  static constexpr storage saturate(int64_t value) noexcept { return lowbits::saturate<int32_t>(value); }
};

template <class Q>
concept quantized_type = requires {
  typename Q::storage;
  { Q::bits } -> std::convertible_to<int>;
  { Q::lowest } -> std::convertible_to<int>;
};

template <int Bits>
using qs = qtype<Bits, sign::yes>;
template <int Bits>
using qu = qtype<Bits, sign::no>;
/// The same type without its lowest code.
template <class Q>
using narrow = qtype<Q::bits, sign::yes, range::narrow>;

using q1 = qs<1>;   using q2 = qs<2>;   using q3 = qs<3>;   using q4 = qs<4>;
using q5 = qs<5>;   using q6 = qs<6>;   using q7 = qs<7>;   using q8 = qs<8>;
using q9 = qs<9>;   using q10 = qs<10>; using q11 = qs<11>; using q12 = qs<12>;
using q13 = qs<13>; using q14 = qs<14>; using q15 = qs<15>; using q16 = qs<16>;
using u1 = qu<1>;   using u2 = qu<2>;   using u3 = qu<3>;   using u4 = qu<4>;
using u5 = qu<5>;   using u6 = qu<6>;   using u7 = qu<7>;   using u8 = qu<8>;
using u9 = qu<9>;   using u10 = qu<10>; using u11 = qu<11>; using u12 = qu<12>;
using u13 = qu<13>; using u14 = qu<14>; using u15 = qu<15>; using u16 = qu<16>;
using q32 = qs<32>;
/// {-1, 0, +1} in two bits.
using ternary = narrow<q2>;

/// The same description as a value, for tables and graphs whose types are data.
struct qformat {
  uint8_t bits = 8;
  bool is_signed = true;
  bool is_narrow = false;

  template <class Q>
  static constexpr qformat of() noexcept { return {Q::bits, Q::is_signed, Q::is_narrow}; }
  constexpr bool valid() const noexcept {
    return is_wide() || (bits >= 1 && bits <= 16 && (!is_narrow || (is_signed && bits >= 2)));
  }
  constexpr bool is_binary() const noexcept { return bits == 1 && is_signed; }
  constexpr bool is_wide() const noexcept { return bits == 32 && is_signed && !is_narrow; }  ///< q32
  constexpr int lowest() const noexcept {
    if (bits > 16) return lowest_of<int>;
    return !is_signed ? 0 : is_binary() ? -1 : -(1 << (bits - 1)) + (is_narrow ? 1 : 0);
  }
  constexpr int highest() const noexcept {
    if (bits > 16) return highest_of<int>;
    return is_binary() ? 1 : is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  }
  constexpr size_t storage_bytes() const noexcept { return bits <= 8 ? 1 : bits <= 16 ? 2 : 4; }
  /// The packed bit pattern of a value in [lowest, highest], and back (see qtype).
  constexpr uint32_t encode(int value) const noexcept {
    if (is_binary()) return value > 0 ? 1u : 0u;
    return static_cast<uint32_t>(value) & ((1u << bits) - 1u);
  }
  constexpr int decode(uint32_t code) const noexcept {
    if (is_binary()) return code != 0 ? 1 : -1;
    const uint32_t top = is_signed ? 1u << (bits - 1) : 0u;
    return static_cast<int>(code ^ top) - static_cast<int>(top);
  }
  constexpr bool operator==(const qformat&) const = default;
};

}  // namespace lowbits
