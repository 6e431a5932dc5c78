// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Codes of 1 to 16 bits, packed without gaps. There is one bit order, and it is defined on bytes:
//
//   bit b of the stream is bit b % 8 of byte b / 8 (bit 0 has the value 1);
//   code i occupies bits [i * Bits, (i + 1) * Bits), its lowest bit first;
//   the unused bits of the last byte are zero.
//
// 4-, 2- and 1-bit codes therefore start at the low end of each byte, as in ONNX and TFLite, and
// 16-bit codes are little-endian on every host. Nothing here depends on the host's byte order.

#include <lowbits/quant/qtype.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Bytes that hold n codes of `bits` bits.
constexpr size_t packed_bytes(size_t n, int bits) noexcept {
  const auto width = static_cast<size_t>(bits);  // n / 8 first: n * width may not fit in a size_t
  return n / 8 * width + (n % 8 * width + 7) / 8;
}
/// Bytes that hold n codes of type Q.
template <quantized_type Q>
constexpr size_t bytes_for(size_t n) noexcept { return packed_bytes(n, Q::bits); }

namespace detail {

/// Where code i of a stream begins: byte `first`, bit `shift` of it; and the byte with its last bit.
struct code_place {
  size_t first;
  size_t last;
  int shift;

  constexpr code_place(size_t i, int bits) noexcept {
    const auto in_eight = static_cast<unsigned>(i % 8) * static_cast<unsigned>(bits);
    first = i / 8 * static_cast<size_t>(bits) + in_eight / 8;
    shift = static_cast<int>(in_eight % 8);
    last = first + static_cast<unsigned>(shift + bits - 1) / 8;
  }
};

/// The bit pattern of code i: at most three byte loads, none of them behind the code's last byte.
/// Where the code ends early, the last byte is loaded twice and what it adds lies above the mask.
constexpr uint32_t load_code(const uint8_t* bytes, size_t i, int bits) noexcept {
  const code_place at(i, bits);
  uint32_t window = bytes[at.first];
  if (bits > 8) window |= static_cast<uint32_t>(bytes[at.first + 1]) << 8 | static_cast<uint32_t>(bytes[at.last]) << 16;
  else if (8 % bits != 0) window |= static_cast<uint32_t>(bytes[at.last]) << 8;
  return (window >> at.shift) & ((1u << bits) - 1u);
}

/// Replaces the bit pattern of code i; the bits around it stay.
constexpr void store_code(uint8_t* bytes, size_t i, int bits, uint32_t code) noexcept {
  const code_place at(i, bits);
  const uint32_t mask = ((1u << bits) - 1u) << at.shift;
  const uint32_t placed = code << at.shift;
  for (size_t k = at.first; k <= at.last; ++k) {
    const auto drop = 8 * static_cast<int>(k - at.first);
    bytes[k] = static_cast<uint8_t>((bytes[k] & ~(mask >> drop)) | (placed >> drop));
  }
}

/// Walks anything with operator[].
template <class View>
struct index_iterator {
  using difference_type = ptrdiff_t;
  using value_type = int;
  View view{};
  size_t at = 0;

  constexpr decltype(auto) operator*() const noexcept { return view[at]; }
  constexpr index_iterator& operator++() noexcept { return ++at, *this; }
  constexpr index_iterator operator++(int) noexcept { return {view, at++}; }
  constexpr bool operator==(const index_iterator& other) const noexcept { return at == other.at; }
};

}  // namespace detail

/// Reads packed codes of type Q; two words, passed by value. The bytes outlive the view.
template <quantized_type Q>
class packed_view {
public:
  using value_type = int;
  using q = Q;

  constexpr packed_view() = default;
  /// `bytes` holds bytes_for<Q>(count) bytes.
  constexpr packed_view(const uint8_t* bytes, size_t count) noexcept : bytes_(bytes), count_(count) {}

  /// The value of code i, from Q::lowest to Q::highest.
  constexpr int operator[](size_t i) const noexcept {
    LOWBITS_ASSERT(i < count_);
    return Q::decode(code(i));
  }
  /// The bit pattern of code i.
  constexpr uint32_t code(size_t i) const noexcept { return detail::load_code(bytes_, i, Q::bits); }
  constexpr size_t size() const noexcept { return count_; }
  constexpr bool empty() const noexcept { return count_ == 0; }
  constexpr const uint8_t* data() const noexcept { return bytes_; }
  constexpr size_t size_bytes() const noexcept { return bytes_for<Q>(count_); }
  constexpr auto begin() const noexcept { return detail::index_iterator<packed_view>{*this, 0}; }
  constexpr auto end() const noexcept { return detail::index_iterator<packed_view>{*this, count_}; }

private:
  const uint8_t* bytes_ = nullptr;
  size_t count_ = 0;
};

/// Reads and writes packed codes of type Q. Neighbouring codes share bytes, so two threads may not
/// write codes of one byte at the same time.
template <quantized_type Q>
class packed_span {
public:
  using value_type = int;
  using q = Q;

  /// Stands for one code: converts to its value; takes values from Q::lowest to Q::highest.
  class reference {
  public:
    constexpr operator int() const noexcept {  // NOLINT: it stands for the number
      return Q::decode(detail::load_code(bytes_, at_, Q::bits));
    }
    constexpr const reference& operator=(int value) const noexcept {
      LOWBITS_ASSERT(value >= Q::lowest && value <= Q::highest);
      detail::store_code(bytes_, at_, Q::bits, Q::encode(value));
      return *this;
    }
    constexpr const reference& operator=(const reference& other) const noexcept { return *this = int{other}; }
    constexpr reference(const reference&) = default;

  private:
    friend packed_span;
    constexpr reference(uint8_t* bytes, size_t at) noexcept : bytes_(bytes), at_(at) {}
    uint8_t* bytes_;
    size_t at_;
  };

  constexpr packed_span() = default;
  /// `bytes` holds bytes_for<Q>(count) bytes.
  constexpr packed_span(uint8_t* bytes, size_t count) noexcept : bytes_(bytes), count_(count) {}
  constexpr operator packed_view<Q>() const noexcept { return {bytes_, count_}; }  // NOLINT: loses only the right to write

  constexpr reference operator[](size_t i) const noexcept {
    LOWBITS_ASSERT(i < count_);
    return {bytes_, i};
  }
  constexpr size_t size() const noexcept { return count_; }
  constexpr bool empty() const noexcept { return count_ == 0; }
  constexpr uint8_t* data() const noexcept { return bytes_; }
  constexpr size_t size_bytes() const noexcept { return bytes_for<Q>(count_); }
  constexpr auto begin() const noexcept { return detail::index_iterator<packed_span>{*this, 0}; }
  constexpr auto end() const noexcept { return detail::index_iterator<packed_span>{*this, count_}; }

private:
  uint8_t* bytes_ = nullptr;
  size_t count_ = 0;
};

/// packed_view for a width that is known only at run time.
struct packed_codes {
  const uint8_t* bytes = nullptr;
  size_t count = 0;
  qformat format{};

  constexpr int operator[](size_t i) const noexcept {
    LOWBITS_ASSERT(i < count);
    return format.decode(detail::load_code(bytes, i, format.bits));
  }
  constexpr size_t size() const noexcept { return count; }
  constexpr size_t size_bytes() const noexcept { return packed_bytes(count, format.bits); }
};

}  // namespace lowbits
