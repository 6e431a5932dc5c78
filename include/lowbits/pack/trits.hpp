// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Weights -1, 0 and 1, five in a byte: 1.6 bits each, where `ternary` takes 2. Weight i is digit i % 5, in base 3, of
// byte i / 5, less one:
//
//   byte = (w0 + 1) + 3 * (w1 + 1) + 9 * (w2 + 1) + 27 * (w3 + 1) + 81 * (w4 + 1)        0 to 242
//
// What the last byte does not need is digits 1. No digit crosses a byte, so an array may be cut after every fifth weight.

#include <lowbits/pack/packed_view.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Names this storage where a number type names a bit stream: lb::gemm<int8_t, Rq, lb::trits> (kernel/trit_gemm.hpp).
struct trits {
  using q = ternary;
  static constexpr size_t in_byte = 5;
  static constexpr uint8_t zeros = 121;  ///< five weights 0
  static constexpr bool is_valid(uint8_t byte) noexcept { return byte < 243; }
};

/// Bytes that hold n weights.
constexpr size_t trit_bytes(size_t n) noexcept { return n / trits::in_byte + (n % trits::in_byte != 0 ? 1 : 0); }

namespace detail {
inline constexpr int powers_of_3[5] = {1, 3, 9, 27, 81};
}

/// Reads such weights; two words, passed by value. The bytes outlive the view.
class trit_view {
public:
  using value_type = int;
  using q = ternary;
  using storage_kind = trits;

  constexpr trit_view() = default;
  /// `bytes` holds trit_bytes(count) bytes, each below 243.
  constexpr trit_view(const uint8_t* bytes, size_t count) noexcept : bytes_(bytes), count_(count) {}

  /// -1, 0 or 1, whatever the bytes are.
  constexpr int operator[](size_t i) const noexcept {
    LOWBITS_ASSERT(i < count_);
    return bytes_[i / trits::in_byte] / detail::powers_of_3[i % trits::in_byte] % 3 - 1;
  }
  constexpr size_t size() const noexcept { return count_; }
  constexpr bool empty() const noexcept { return count_ == 0; }
  constexpr const uint8_t* data() const noexcept { return bytes_; }
  constexpr size_t size_bytes() const noexcept { return trit_bytes(count_); }
  /// For bytes of unknown origin: true when each of them is what pack_trits writes.
  constexpr bool is_valid() const noexcept {
    for (size_t i = 0; i < size_bytes(); ++i)
      if (!trits::is_valid(bytes_[i])) return false;
    for (size_t i = count_; i < size_bytes() * trits::in_byte; ++i)
      if (bytes_[i / trits::in_byte] / detail::powers_of_3[i % trits::in_byte] % 3 != 1) return false;
    return true;
  }

private:
  const uint8_t* bytes_ = nullptr;
  size_t count_ = 0;
};

/// Writes values[0 .. n), each -1, 0 or 1, as trit_bytes(n) bytes. Anything indexable is read.
template <class Values>
constexpr void pack_trits(const Values& values, size_t n, uint8_t* bytes) noexcept {
  for (size_t i = 0; i < n; i += trits::in_byte) {
    int byte = 0;
    for (size_t d = trits::in_byte; d > 0; --d) {
      const int w = i + d - 1 < n ? static_cast<int>(values[i + d - 1]) : 0;
      LOWBITS_ASSERT(w >= -1 && w <= 1);
      byte = 3 * byte + w + 1;
    }
    bytes[i / trits::in_byte] = static_cast<uint8_t>(byte);
  }
}

/// Writes n weights as -1, 0 and 1.
template <class T>
constexpr void unpack_trits(const uint8_t* bytes, size_t n, T* values) noexcept {
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<T>(trit_view(bytes, n)[i]);
}

}  // namespace lowbits
