// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Entropy-coding while compiling:
//
//   constexpr std::int8_t values[] = {...};                             // only the compiler sees these
//   LOWBITS_FLASH constexpr auto w = lb::coded<lb::q4, values>;         // what its entropy asks for, in flash
//   std::int8_t codes[std::size(values)];
//   lb::status s = lb::decode_codes<lb::q4>(w.bytes, codes);

#include <lowbits/pack/coded_codes.hpp>
#include <lowbits/pack/entropy_encode.hpp>
#include <lowbits/pack/packed_array.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace detail {

inline constexpr size_t most_coded = 8192;

template <size_t Room>
struct coded_room {
  uint8_t bytes[Room]{};
  size_t used = 0;
};
/// Entropy-coded, or plain where that takes less.
template <quantized_type Q, const auto& Values>
inline constexpr auto coded_in_room = [] {
  constexpr size_t n = length_of(Values);
  constexpr qformat f = qformat::of<Q>();
  coded_room<entropy_bound(n, Q::bits)> room;
  uint32_t histogram[1u << Q::bits]{};
  for (size_t i = 0; i < n; ++i) ++histogram[level_of(f, static_cast<int>(Values[i]))];
  const entropy_plan p = plan_entropy(histogram, Q::bits, static_cast<uint32_t>(n));
  room.used = encode_entropy(Values, static_cast<uint32_t>(n), f, p, room.bytes, sizeof room.bytes);
  if (room.used <= coded_header::bytes + bytes_for<Q>(n)) return room;
  coded_header{.kind = coded_kind::plain, .format = f, .count = static_cast<uint32_t>(n)}.write(room.bytes);
  pack<Q>(Values, 0, n, room.bytes + coded_header::bytes);
  room.used = coded_header::bytes + bytes_for<Q>(n);
  return room;
}();

template <quantized_type Q, const auto& Values>
constexpr auto code_while_compiling() noexcept {
  constexpr size_t n = length_of(Values);
  static_assert(n <= most_coded,
                "lowbits: coded: Values has more than 8192 elements, too many for a compiler's default limits; let "
                "`lowbits emit --compress` write them");
  if constexpr (n <= most_coded) {
    static_assert([] {
      for (size_t i = 0; i < n; ++i)
        if (Values[i] < Q::lowest || Values[i] > Q::highest || (Q::is_binary && Values[i] == 0)) return false;
      return true;
    }(), "lowbits: coded: Values has an element outside the type's range; clamp the values or use more bits");
    constexpr auto& room = coded_in_room<Q, Values>;
    coded_array<Q, n, room.used> a;
    for (size_t i = 0; i < room.used; ++i) a.bytes[i] = room.bytes[i];
    return a;
  } else {
    return coded_array<Q, 1, 1>{};
  }
}

}  // namespace detail

/// The codes of a constexpr array (at most 8192), entropy-coded by the compiler.
template <quantized_type Q, const auto& Values>
inline constexpr auto coded = detail::code_while_compiling<Q, Values>();

}  // namespace lowbits
