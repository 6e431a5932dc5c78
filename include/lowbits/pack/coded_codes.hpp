// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reads codes that are stored in fewer bytes than their bits, of whatever kind the array is.

#include <lowbits/pack/entropy_tables.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace detail {

/// Machines with an operating system have 16 KB of stack for tables.
#if defined(__linux__) || defined(_WIN32) || defined(__APPLE__) || defined(__unix__)
inline constexpr bool has_deep_stack = true;
#else
inline constexpr bool has_deep_stack = false;
#endif

template <class T>
constexpr status decode_plain(const coded_header& h, std::span<const uint8_t> body, T* to) noexcept {
  if (h.own[0] != 0 || h.own[1] != 0 || h.own[2] != 0) return status::bad_value;
  if (body.size() != packed_bytes(h.count, h.format.bits)) return status::wrong_size;
  bit_reader r(body.data(), body.data() + body.size());
  for (size_t i = 0; i < h.count; ++i) to[i] = static_cast<T>(h.format.decode(r.take(h.format.bits)));
  return r.is_at_end() ? status::ok : status::bad_value;
}

/// own: bits of a number, numbers of values - 1 (two bytes). Then one bit stream: the levels that occur, in
/// rising order, and the numbers of all codes.
template <class T>
constexpr status decode_index(const coded_header& h, std::span<const uint8_t> body, T* to) noexcept {
  const int bits = h.format.bits, number_bits = h.own[0];
  const size_t values = load_u16(h.own + 1) + 1;
  if (number_bits > bits || values > size_t{1} << number_bits) return status::bad_value;
  const uint64_t total = uint64_t{values} * static_cast<uint32_t>(bits) + uint64_t{h.count} * static_cast<uint32_t>(number_bits);
  if (body.size() != (total + 7) / 8) return status::wrong_size;
  bit_reader r(body.data(), body.data() + body.size());
  for (size_t k = 0, last = 0; k < values; ++k) {
    const uint32_t level = r.take(bits);
    if (k != 0 && level <= last) return status::bad_value;
    last = level;
  }
  for (size_t i = 0; i < h.count; ++i) {
    const uint32_t k = r.take(number_bits);
    if (k >= values) return status::bad_value;
    to[i] = static_cast<T>(code_of_level(h.format, load_code(body.data(), k, bits)));
  }
  return r.is_at_end() ? status::ok : status::bad_value;
}

/// own: bits of a gap, the frequent level (two bytes); the body begins with the number of entries (32
/// bits). An entry is the number of frequent codes in front of it and a level, or, with the highest gap,
/// that many frequent codes and nothing behind.
template <class T>
constexpr status decode_sparse(const coded_header& h, std::span<const uint8_t> body, T* to) noexcept {
  const int gap_bits = h.own[0];
  const uint32_t frequent = load_u16(h.own + 1);
  if (gap_bits < 1 || gap_bits > 16 || frequent >> h.format.bits != 0) return status::bad_value;
  if (body.size() < 4) return status::wrong_size;
  const uint32_t entries = load_u32(body.data()), longest = (1u << gap_bits) - 1;
  bit_reader r(body.data() + 4, body.data() + body.size());
  const T filler = static_cast<T>(code_of_level(h.format, frequent));
  size_t i = 0;
  for (uint32_t e = 0; e < entries; ++e) {
    const uint32_t gap = r.take(gap_bits);
    if (!r.is_whole()) return status::wrong_size;
    if (gap > h.count - i) return status::bad_value;
    for (const size_t end = i + gap; i < end; ++i) to[i] = filler;
    if (gap == longest) continue;
    const uint32_t level = r.take(h.format.bits);
    if (i == h.count || level == frequent) return status::bad_value;
    to[i++] = static_cast<T>(code_of_level(h.format, level));
  }
  for (; i < h.count; ++i) to[i] = filler;
  return r.is_at_end() ? status::ok : status::wrong_size;
}

template <class Reader, class T>
constexpr status decode_blocks(std::span<const uint8_t> bytes, T* to) noexcept {
  Reader r;
  if (const status s = r.open(bytes); s != status::ok) return s;
  for (size_t b = 0; b < r.block_count(); ++b)
    if (const status s = r.decode_block(b, to + r.block_begin(b)); s != status::ok) return s;
  return status::ok;
}

}  // namespace detail

/// Writes all codes of an array of any kind to `to`, which has room for `count`; T is an integer type that
/// holds the codes of `format`.
/// foreign: not such an array, or of another version or format. wrong_size: another number of codes than
/// `count`, or bytes are missing or left over. bad_value: damaged. Unless the result is ok, `to` holds
/// nothing of use; nothing outside of it is written, and nothing outside of `bytes` read.
template <class T>
constexpr status decode_codes(std::span<const uint8_t> bytes, const qformat& format, T* to, size_t count) noexcept {
  coded_header h;
  if (const status s = h.read(bytes); s != status::ok) return s;
  if (h.format != format) return status::foreign;
  if (h.count != count) return status::wrong_size;
  const std::span<const uint8_t> body = bytes.subspan(coded_header::bytes);
  status s = status::ok;
  switch (h.kind) {
    case coded_kind::plain: s = detail::decode_plain(h, body, to); break;
    case coded_kind::index: s = detail::decode_index(h, body, to); break;
    case coded_kind::sparse: s = detail::decode_sparse(h, body, to); break;
    case coded_kind::entropy:
      if (std::is_constant_evaluated() || !detail::has_deep_stack || count < 2 * detail::all_shares)
        return detail::decode_blocks<entropy_codes>(bytes, to);
      return detail::decode_blocks<entropy_tables>(bytes, to);
  }
  if (s != status::ok || !format.is_narrow) return s;
  for (size_t i = 0; i < count; ++i)
    if (to[i] < format.lowest()) return status::bad_value;
  return status::ok;
}
template <quantized_type Q, class T, size_t N>
constexpr status decode_codes(std::span<const uint8_t> bytes, T (&to)[N]) noexcept {
  static_assert(sizeof(T) >= sizeof(typename Q::storage), "lowbits: decode_codes: the elements are too narrow for Q; use Q::storage");
  return decode_codes(bytes, qformat::of<Q>(), to, N);
}

/// An array of codes in as many bytes as it takes.
template <quantized_type Q, size_t Count, size_t Bytes>
struct coded_array {
  using q = Q;
  uint8_t bytes[Bytes]{};
  static constexpr size_t size() noexcept { return Count; }
  static constexpr size_t size_bytes() noexcept { return Bytes; }
};

}  // namespace lowbits
