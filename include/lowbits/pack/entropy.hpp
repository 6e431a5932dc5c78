// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Codes of 1 to 16 bits stored by their frequency: range asymmetric numeral systems (J. Duda,
// arXiv:1311.2540) with 32-bit states that take up 16 bits at a time, four states side by side. Blocks
// decode independently. What is here is the definition, it needs 0.5 KB; entropy_tables.hpp has a
// faster reader with the same results.

#include <lowbits/pack/coded_header.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace detail {

inline constexpr int share_bits = 12;  ///< frequencies are shares of 4096
inline constexpr uint32_t all_shares = 1u << share_bits;
inline constexpr uint32_t lowest_state = 1u << 16;
inline constexpr size_t state_count = 4, most_symbols = 256;
inline constexpr size_t entropy_head = coded_header::bytes + 4;  ///< header, first group, bytes of the frequencies
inline constexpr int highest_block_log = 24;

}  // namespace detail

/// Entropy-coded codes as they lie in memory, opened: everything but the blocks themselves is checked.
/// A group is a run of 2^low_bits levels; the first symbols stand for successive groups, the last one,
/// if there is an escape, for all other levels. A block is its states, the words they take up, and a
/// bit stream with the level inside the group, or the whole level behind an escape, of every code.
class entropy_codes {
public:
  constexpr entropy_codes() = default;

  /// foreign: not entropy-coded, or by another version; wrong_size: cut off, or longer than it says;
  /// bad_value: the frequencies or the index contradict themselves. The bytes outlive *this.
  constexpr status open(std::span<const uint8_t> bytes) noexcept {
    if (const status s = header_.read(bytes); s != status::ok) return s;
    if (header_.kind != coded_kind::entropy) return status::foreign;
    if (bytes.size() < detail::entropy_head) return status::wrong_size;
    const int groups_log = header_.format.bits - low_bits();
    window_ = header_.own[2] + 1u;
    symbols_ = window_ + (has_escape() ? 1 : 0);
    first_ = detail::load_u16(bytes.data() + coded_header::bytes);
    if ((header_.own[0] & 0x70) != 0 || groups_log < 1 || symbols_ > detail::most_symbols ||
        (uint64_t{first_} + window_) > uint64_t{1} << groups_log || block_log() > detail::highest_block_log)
      return status::bad_value;

    const size_t table = detail::load_u16(bytes.data() + coded_header::bytes + 2);
    const uint64_t index = uint64_t{block_count()} * 4;
    if (bytes.size() - detail::entropy_head < table) return status::wrong_size;
    if (bytes.size() - detail::entropy_head - table < index) return status::wrong_size;
    const uint8_t* const behind = bytes.data() + detail::entropy_head + table;
    if (!read_shares(behind - table, behind)) return status::bad_value;
    return read_index(behind, bytes.size() - detail::entropy_head - table - static_cast<size_t>(index));
  }

  constexpr qformat format() const noexcept { return header_.format; }
  constexpr size_t size() const noexcept { return header_.count; }
  constexpr size_t block_count() const noexcept {
    const uint32_t rest = header_.count & ((1u << block_log()) - 1);
    return (header_.count >> block_log()) + (rest != 0 ? 1u : 0u);
  }
  constexpr size_t block_begin(size_t block) const noexcept { return block << block_log(); }
  constexpr size_t block_size(size_t block) const noexcept {
    return smaller(size() - block_begin(block), size_t{1} << block_log());
  }

  /// Writes the block_size(block) codes of one block; T is any integer that holds them. bad_value: the
  /// block is damaged, and what was written is of no use.
  template <class T>
  constexpr status decode_block(size_t block, T* to) const noexcept {
    part p = part_of(block);
    if (!p.begin()) return status::bad_value;
    const size_t n = block_size(block);
    for (size_t i = 0; i < n; ++i) {
      uint32_t& x = p.state[i % detail::state_count];
      const uint32_t at = x & (detail::all_shares - 1), s = symbol_at(at);
      to[i] = static_cast<T>(s);
      x = (start_[s + 1] - start_[s]) * (x >> detail::share_bits) + at - start_[s];
      if (!p.refill(x)) return status::bad_value;
    }
    return finish_block(p, to, n);
  }

protected:
  /// A block while it is decoded.
  struct part {
    const uint8_t *at, *end;
    uint32_t state[detail::state_count]{};

    constexpr bool begin() noexcept {
      if (end - at < static_cast<ptrdiff_t>(4 * detail::state_count)) return false;
      for (uint32_t& x : state) {
        x = detail::load_u32(at);
        at += 4;
        if (x < detail::lowest_state) return false;
      }
      return true;
    }
    constexpr bool refill(uint32_t& x) noexcept {
      if (x >= detail::lowest_state) return true;
      if (end - at < 2) return false;
      x = x << 16 | detail::load_u16(at);
      at += 2;
      return true;
    }
  };
  constexpr part part_of(size_t block) const noexcept {
    return {payload_ + (block == 0 ? 0 : detail::load_u32(ends_ + 4 * (block - 1))),
            payload_ + detail::load_u32(ends_ + 4 * block)};
  }
  constexpr int low_bits() const noexcept { return header_.own[0] & 15; }
  constexpr bool has_escape() const noexcept { return (header_.own[0] & 0x80) != 0; }
  constexpr int block_log() const noexcept { return header_.own[1]; }
  constexpr uint32_t symbol_count() const noexcept { return symbols_; }
  constexpr uint32_t start_of(uint32_t symbol) const noexcept { return start_[symbol]; }
  /// The code of a symbol where there is nothing but symbols.
  constexpr int code_of(uint32_t symbol) const noexcept {
    return detail::code_of_level(header_.format, first_ + symbol);
  }
  constexpr bool has_rest() const noexcept { return low_bits() != 0 || has_escape(); }

  /// Turns the symbols in `to` into codes, when all words are taken up.
  template <class T>
  constexpr status finish_block(const part& p, T* to, size_t n) const noexcept {
    for (const uint32_t x : p.state)
      if (x != detail::lowest_state) return status::bad_value;
    const qformat f = header_.format;
    if (!has_rest()) {
      if (p.at != p.end) return status::bad_value;
      for (size_t i = 0; i < n; ++i) to[i] = static_cast<T>(code_of(static_cast<uint8_t>(to[i])));
    } else {
      detail::bit_reader rest(p.at, p.end);
      const int low = low_bits();
      for (size_t i = 0; i < n; ++i) {
        const uint32_t s = static_cast<uint8_t>(to[i]);
        const uint32_t level = s >= window_ ? rest.take(f.bits) : (first_ + s) << low | rest.take(low);
        to[i] = static_cast<T>(detail::code_of_level(f, level));
      }
      if (!rest.is_at_end()) return status::bad_value;
    }
    return has_only_codes(to, n) ? status::ok : status::bad_value;
  }
  /// A narrow type has no code for its lowest pattern.
  template <class T>
  constexpr bool has_only_codes(const T* codes, size_t n) const noexcept {
    if (!header_.format.is_narrow) return true;
    size_t below = 0;
    for (size_t i = 0; i < n; ++i) below += codes[i] < header_.format.lowest() ? 1 : 0;
    return below == 0;
  }

private:
  /// The number of the last symbol that starts at or below.
  constexpr uint32_t symbol_at(uint32_t share) const noexcept {
    uint32_t low = 0, high = symbols_;
    while (high - low > 1) {
      const uint32_t middle = (low + high) / 2;
      (start_[middle] <= share ? low : high) = middle;
    }
    return low;
  }
  /// Elias gamma codes of every symbol's share plus one.
  constexpr bool read_shares(const uint8_t* begin, const uint8_t* end) noexcept {
    detail::bit_reader r(begin, end);
    uint32_t sum = 0;
    for (uint32_t s = 0; s < symbols_; ++s) {
      int zeros = 0;
      while (zeros <= detail::share_bits && r.take(1) == 0) ++zeros;
      if (zeros > detail::share_bits) return false;
      const uint32_t share = (1u << zeros | r.take(zeros)) - 1;
      start_[s] = static_cast<uint16_t>(sum);
      sum += share;
      if (sum > detail::all_shares) return false;
    }
    start_[symbols_] = static_cast<uint16_t>(sum);
    return sum == detail::all_shares && r.is_at_end();
  }
  /// The end of every block, counted from the first one's begin.
  constexpr status read_index(const uint8_t* ends, size_t payload_bytes) noexcept {
    ends_ = ends;
    payload_ = ends + 4 * block_count();
    uint32_t last = 0;
    for (size_t b = 0; b < block_count(); ++b) {
      const uint32_t end = detail::load_u32(ends + 4 * b);
      if (end < last) return status::bad_value;
      last = end;
    }
    return last == payload_bytes ? status::ok : status::wrong_size;
  }

  coded_header header_{};
  uint32_t first_ = 0, window_ = 0, symbols_ = 0;
  const uint8_t* ends_ = nullptr;
  const uint8_t* payload_ = nullptr;
  uint16_t start_[detail::most_symbols + 1]{};
};

}  // namespace lowbits
