// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Dividing a scratch buffer of any alignment into arrays that start at multiples of 64 bytes.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

inline constexpr size_t work_alignment = 64;

/// What an array of n elements of `size` bytes takes.
constexpr size_t work_bytes(size_t n, size_t size) noexcept { return round_up(n * size, work_alignment); }
/// What the arrays of a work area take together, whatever the alignment of the buffer.
constexpr size_t work_total(size_t arrays) noexcept { return arrays + work_alignment - 1; }

/// Hands out arrays one after another.
class work_area {
public:
  explicit work_area(unsigned char* scratch) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(scratch);
    next_ = scratch + (round_up<std::uintptr_t>(address, work_alignment) - address);
  }
  template <class T>
  T* take(size_t n) noexcept {
    unsigned char* at = next_;
    next_ += work_bytes(n, sizeof(T));
    return reinterpret_cast<T*>(at);
  }

private:
  unsigned char* next_;
};

}  // namespace lowbits::kernel
