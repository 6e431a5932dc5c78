// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A number that threads read and write at any time, for answers that are asked once and kept.

#include <lowbits/core/types.hpp>

#if LOWBITS_DISPATCH
namespace lowbits::inline LOWBITS_ABI::detail {

/// std::atomic<T> with memory_order_relaxed. <atomic> itself costs every program that includes the
/// library 0.2 s of its build (libstdc++ 12: it includes <string>).
template <class T>
class relaxed {
 public:
  constexpr explicit relaxed(T first) noexcept : value_(first) {}
  relaxed(const relaxed&) = delete;
  relaxed& operator=(const relaxed&) = delete;

  T load() const noexcept { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
  void store(T value) noexcept { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }

  /// Stores `desired` and returns true if the value is `expected`; else `expected` becomes the value.
  bool replace(T& expected, T desired) noexcept {
    return __atomic_compare_exchange_n(&value_, &expected, desired, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
  }

 private:
  T value_;
};

}  // namespace lowbits::detail
#endif
