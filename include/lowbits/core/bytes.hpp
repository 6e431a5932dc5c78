// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Moving and filling elements, in constant expressions and at run time. The run-time form is the
// compiler's builtin, which becomes a library call only where the platform has one.

#include <type_traits>

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Copies count elements; the ranges do not overlap, or are the same range.
template <class T>
constexpr void copy_elements(const T* from, T* to, size_t count) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  if (std::is_constant_evaluated()) {
    for (size_t i = 0; i < count; ++i) to[i] = from[i];
  } else if (count != 0 && from != to) {
#if LOWBITS_GNU
    __builtin_memcpy(to, from, count * sizeof(T));
#else
    for (size_t i = 0; i < count; ++i) to[i] = from[i];
#endif
  }
}

template <class T>
constexpr void fill_elements(T* to, T value, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) to[i] = value;
}

/// True when p is a multiple of alignment (a power of two).
inline bool is_aligned(const void* p, size_t alignment) noexcept {
  return (reinterpret_cast<std::uintptr_t>(p) & (alignment - 1)) == 0;
}

}  // namespace lowbits
