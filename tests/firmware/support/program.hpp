// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What a test program sees, on a microcontroller and on a PC: text output and digests of results.
// The text of a program is the same on every target, so comparing targets is comparing texts.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace firmware {

/// Given by the target (semihosting.cpp, hosted.cpp).
void print(const char* text);
/// Given by the program; the result is the exit status.
int run();

inline void print_hex(std::uint32_t value) {
  char text[9];
  for (int i = 0; i < 8; ++i) text[i] = "0123456789abcdef"[(value >> (28 - 4 * i)) & 15u];
  text[8] = '\0';
  print(text);
}
inline void print_decimal(std::uint32_t value) {
  char text[11];
  char* at = text + 10;
  *at = '\0';
  do *--at = static_cast<char>('0' + value % 10u);
  while ((value /= 10u) != 0);
  print(at);
}

/// FNV-1a, 32 bits, over values in little-endian bytes whatever the target's order is.
class digest {
public:
  template <class T>
  void add(T value) {
    if constexpr (std::is_same_v<T, float>) return add(std::bit_cast<std::uint32_t>(value));
    else if constexpr (std::is_same_v<T, double>) return add(std::bit_cast<std::uint64_t>(value));
    else {
      auto rest = static_cast<std::uint64_t>(value);
      for (std::size_t i = 0; i < sizeof(T); ++i, rest >>= 8)
        hash_ = (hash_ ^ (static_cast<std::uint32_t>(rest) & 255u)) * 16777619u;
      ++count_;
    }
  }
  template <class T>
  void add(const T* values, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) add(values[i]);
  }
  std::uint32_t value() const { return hash_; }

  /// One line: name, digest, how many values.
  void report(const char* name) const {
    print(name);
    print(" ");
    print_hex(hash_);
    print(" of ");
    print_decimal(count_);
    print("\n");
  }

private:
  std::uint32_t hash_ = 2166136261u;
  std::uint32_t count_ = 0;
};

/// The same numbers on every target (Knuth's MMIX generator, upper half).
class random_numbers {
public:
  explicit random_numbers(std::uint32_t seed) : state_(seed) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 32);
  }
  std::int32_t next_int() { return static_cast<std::int32_t>(next()); }
  std::int32_t in(std::int32_t lowest, std::int32_t highest) {
    const auto span = static_cast<std::uint32_t>(highest) - static_cast<std::uint32_t>(lowest) + 1u;
    const std::uint32_t offset = span == 0 ? next() : next() % span;
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(lowest) + offset);
  }

private:
  std::uint64_t state_;
};

}  // namespace firmware
