// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Packed codes as a value, and packing while compiling:
//
//   constexpr std::int8_t values[] = {...};                             // only the compiler sees these
//   LOWBITS_FLASH constexpr auto w = lb::packed<lb::q4, values>;        // half a byte each, in flash
//
// Compilers bound the work of one constant expression (clang: 2^20 steps; g++: 2^18 passes of a
// loop, 2^25 operations), so the values are packed a few thousand at a time. Up to 131072 of them
// work with the default bounds; larger data is emitted already packed.

#include <bit>
#include <utility>

#include <lowbits/pack/packed_view.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Writes values[begin .. end) (anything indexable) as the bit stream that starts at `bytes`; the
/// unused bits of the last byte become zero. Returns true when every value is one of Q's.
template <quantized_type Q, class Values>
constexpr bool pack(const Values& values, size_t begin, size_t end, uint8_t* bytes) noexcept {
  uint32_t window = 0;  // bits not yet written, the oldest lowest
  int held = 0;
  bool fits = true;
  for (size_t i = begin; i < end; ++i) {
    const int value = static_cast<int>(values[i]);
    fits = fits && value >= Q::lowest && value <= Q::highest && !(Q::is_binary && value == 0);
    window |= Q::encode(value) << held;
    for (held += Q::bits; held >= 8; held -= 8, window >>= 8) *bytes++ = static_cast<uint8_t>(window & 0xffu);
  }
  if (held > 0) *bytes = static_cast<uint8_t>(window);
  return fits;
}

/// N packed codes; an aggregate of bytes, so it may live in flash and be a template argument.
template <quantized_type Q, size_t N>
struct packed_array {
  static_assert(N > 0, "lowbits: packed_array: N is zero; an array has at least one code");
  using q = Q;
  using value_type = int;

  uint8_t bytes[bytes_for<Q>(N)]{};

  static constexpr size_t size() noexcept { return N; }
  static constexpr size_t size_bytes() noexcept { return bytes_for<Q>(N); }
  constexpr packed_view<Q> view() const noexcept { return {bytes, N}; }
  constexpr packed_span<Q> span() noexcept { return {bytes, N}; }
  constexpr operator packed_view<Q>() const noexcept { return view(); }  // NOLINT: the same data
  constexpr int operator[](size_t i) const noexcept { return view()[i]; }
  constexpr typename packed_span<Q>::reference operator[](size_t i) noexcept { return span()[i]; }
  constexpr auto begin() const noexcept { return view().begin(); }
  constexpr auto end() const noexcept { return view().end(); }
  constexpr bool operator==(const packed_array&) const = default;
};

/// The values packed in one go, also at run time.
template <quantized_type Q, class T, size_t N>
constexpr packed_array<Q, N> make_packed(const T (&values)[N]) noexcept {
  packed_array<Q, N> a;
  pack<Q>(values, 0, N, a.bytes);
  return a;
}

namespace detail {

template <class T, size_t N>
constexpr size_t length_of(const T (&)[N]) noexcept { return N; }
template <class Array>
  requires requires(const Array& a) { a.size(); }
constexpr size_t length_of(const Array& a) noexcept { return a.size(); }

/// Codes packed by one constant expression; a multiple of 8, so that every piece starts on a byte.
inline constexpr size_t pack_piece = 4096;
inline constexpr size_t most_packed = 131072;

template <size_t Bytes>
struct byte_run {
  uint8_t bytes[Bytes]{};
};
template <size_t Bytes>
struct packed_piece {
  byte_run<Bytes> run{};
  bool fits = false;
};

template <quantized_type Q, const auto& Values, size_t Begin, size_t End>
inline constexpr auto packed_piece_of = [] {
  packed_piece<bytes_for<Q>(End - Begin)> p;
  p.fits = pack<Q>(Values, Begin, End, p.run.bytes);
  return p;
}();

/// All pieces are full but the last.
template <size_t Full, size_t FullBytes, size_t LastBytes>
struct joined_pieces {
  byte_run<FullBytes> full[Full];
  byte_run<LastBytes> last;
};

template <quantized_type Q, const auto& Values, size_t... Full>
constexpr auto join_pieces(std::index_sequence<Full...>) noexcept {
  constexpr size_t n = length_of(Values), begin = sizeof...(Full) * pack_piece;
  constexpr auto& last = packed_piece_of<Q, Values, begin, n>;
  static_assert(last.fits && (packed_piece_of<Q, Values, Full * pack_piece, (Full + 1) * pack_piece>.fits && ...),
                "lowbits: packed: Values has an element outside the type's range; clamp the values or use more bits");
  if constexpr (sizeof...(Full) == 0) {
    return std::bit_cast<packed_array<Q, n>>(last.run);
  } else {
    using pieces = joined_pieces<sizeof...(Full), bytes_for<Q>(pack_piece), bytes_for<Q>(n - begin)>;
    return std::bit_cast<packed_array<Q, n>>(
        pieces{{packed_piece_of<Q, Values, Full * pack_piece, (Full + 1) * pack_piece>.run...}, last.run});
  }
}

template <quantized_type Q, const auto& Values>
constexpr auto pack_while_compiling() noexcept {
  constexpr size_t n = length_of(Values);
  static_assert(n <= most_packed,
                "lowbits: packed: Values has more than 131072 elements, too many for a compiler's default limits; "
                "let the tool that writes them emit packed bytes, and read those with packed_view");
  if constexpr (n <= most_packed) {
    return join_pieces<Q, Values>(std::make_index_sequence<(n - 1) / pack_piece>{});
  } else {
    return packed_array<Q, 1>{};
  }
}

}  // namespace detail

/// The codes of a constexpr array, packed by the compiler. Values (a C array or std::array) is a
/// variable with static storage; when nothing else uses it, it leaves no trace in the program.
template <quantized_type Q, const auto& Values>
inline constexpr auto packed = detail::pack_while_compiling<Q, Values>();

/// Reads n codes of a bit stream into values.
template <quantized_type Q, class T>
constexpr void unpack(const uint8_t* bytes, size_t n, T* values) noexcept {
  const packed_view<Q> view(bytes, n);
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<T>(view[i]);
}

}  // namespace lowbits
