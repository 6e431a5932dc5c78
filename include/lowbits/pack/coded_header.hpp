// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What every array of coded codes begins with, and reading and writing its bits. An array is a stream
// of bytes that says by itself what it holds; docs/formats.md draws it.

#include <span>

#include <lowbits/core/status.hpp>
#include <lowbits/pack/packed_view.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// How the codes of an array are stored. All give back the same codes.
enum class coded_kind : uint8_t {
  plain,    ///< the bit stream of packed_view
  entropy,  ///< short for frequent codes (rANS), in blocks that decode independently
  index,    ///< a list of the values that occur, and their numbers
  sparse,   ///< gaps between the codes that are not the most frequent one
};

constexpr const char* to_string(coded_kind k) noexcept {
  switch (k) {
    case coded_kind::plain: return "plain";
    case coded_kind::entropy: return "entropy";
    case coded_kind::index: return "index";
    case coded_kind::sparse: return "sparse";
  }
  return "?";
}

/// Little-endian, 12 bytes: 'l' 'b' 'c', version * 16 + kind, format, three bytes of the kind's own, count.
struct coded_header {
  static constexpr size_t bytes = 12;
  static constexpr unsigned version = 1;

  coded_kind kind = coded_kind::plain;
  qformat format{};
  uint8_t own[3]{};
  uint32_t count = 0;

  constexpr void write(uint8_t* to) const noexcept {
    to[0] = 'l', to[1] = 'b', to[2] = 'c';
    to[3] = static_cast<uint8_t>(version << 4 | static_cast<unsigned>(kind));
    to[4] = static_cast<uint8_t>(format.bits | (format.is_signed ? 0x80u : 0u) | (format.is_narrow ? 0x40u : 0u));
    for (int k = 0; k < 3; ++k) to[5 + k] = own[k];
    for (int k = 0; k < 4; ++k) to[8 + k] = static_cast<uint8_t>(count >> (8 * k));
  }
  /// foreign: no such array, or another version's. wrong_size: shorter than a header.
  constexpr status read(std::span<const uint8_t> from) noexcept {
    if (from.size() < bytes) return status::wrong_size;
    if (from[0] != 'l' || from[1] != 'b' || from[2] != 'c' || from[3] >> 4 != version || (from[3] & 15) > 3)
      return status::foreign;
    kind = static_cast<coded_kind>(from[3] & 15);
    format = {static_cast<uint8_t>(from[4] & 31), (from[4] & 0x80) != 0, (from[4] & 0x40) != 0};
    if ((from[4] & 0x20) != 0 || !format.valid()) return status::foreign;
    count = 0;
    for (int k = 0; k < 3; ++k) own[k] = from[static_cast<size_t>(5 + k)];
    for (int k = 0; k < 4; ++k) count |= static_cast<uint32_t>(from[static_cast<size_t>(8 + k)]) << (8 * k);
    return status::ok;
  }
};

namespace detail {

constexpr uint32_t load_u16(const uint8_t* p) noexcept { return p[0] | static_cast<uint32_t>(p[1]) << 8; }
constexpr uint32_t load_u32(const uint8_t* p) noexcept { return load_u16(p) | load_u16(p + 2) << 16; }
constexpr void store_u16(uint8_t* p, uint32_t v) noexcept {
  p[0] = static_cast<uint8_t>(v & 0xff), p[1] = static_cast<uint8_t>(v >> 8 & 0xff);
}
constexpr void store_u32(uint8_t* p, uint32_t v) noexcept { store_u16(p, v & 0xffff), store_u16(p + 2, v >> 16); }

/// A level is a code counted from the lowest of the full range: neighbours are neighbours. `flip` turns
/// packed patterns into levels and back.
constexpr uint32_t level_flip(const qformat& f) noexcept {
  return f.is_signed && !f.is_binary() ? 1u << (f.bits - 1) : 0;
}
constexpr uint32_t level_of(const qformat& f, int code) noexcept { return f.encode(code) ^ level_flip(f); }
constexpr int code_of_level(const qformat& f, uint32_t level) noexcept { return f.decode(level ^ level_flip(f)); }

/// Reads a bit stream, lowest bits first. Behind the end there are zeros, and is_whole() is false.
class bit_reader {
public:
  constexpr bit_reader(const uint8_t* begin, const uint8_t* end) noexcept : at_(begin), end_(end) {}
  /// n up to 32.
  constexpr uint32_t take(int n) noexcept {
    if (held_ < n) fill();
    if (held_ < n) missing_ = true, held_ = n;
    const auto v = static_cast<uint32_t>(window_ & ((uint64_t{1} << n) - 1));
    window_ >>= n;
    held_ -= n;
    return v;
  }
  constexpr bool is_whole() const noexcept { return !missing_; }
  /// Nothing is left but the zeros that fill up the last byte.
  constexpr bool is_at_end() const noexcept { return !missing_ && at_ == end_ && held_ < 8 && window_ == 0; }

private:
  constexpr void fill() noexcept {
    if (end_ - at_ >= 4) {
      window_ |= uint64_t{load_u32(at_)} << held_;
      at_ += 4, held_ += 32;
    } else {
      for (; at_ != end_; ++at_, held_ += 8) window_ |= uint64_t{*at_} << held_;
    }
  }
  const uint8_t *at_, *end_;
  uint64_t window_ = 0;
  int held_ = 0;
  bool missing_ = false;
};

/// Writes one; finish() fills the last byte up with zeros.
class bit_writer {
public:
  constexpr explicit bit_writer(uint8_t* begin) noexcept : at_(begin) {}
  /// v has no bits from n on; n up to 32.
  constexpr void put(uint32_t v, int n) noexcept {
    window_ |= uint64_t{v} << held_;
    for (held_ += n; held_ >= 8; held_ -= 8, window_ >>= 8) *at_++ = static_cast<uint8_t>(window_ & 0xff);
  }
  constexpr uint8_t* finish() noexcept {
    if (held_ > 0) *at_++ = static_cast<uint8_t>(window_ & 0xff);
    held_ = 0, window_ = 0;
    return at_;
  }

private:
  uint8_t* at_;
  uint64_t window_ = 0;
  int held_ = 0;
};

}  // namespace detail

}  // namespace lowbits
