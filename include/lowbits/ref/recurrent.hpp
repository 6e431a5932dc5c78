// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What all recurrent layers share: how sequences lie in memory, and the order of their steps.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// x and y are [batch][steps][inputs or units], with time_major [steps][batch][...].
struct recurrent_shape {
  int batch = 1, steps = 1, inputs = 1, units = 1;
  bool time_major = false;
  bool reverse = false;  ///< from the last step to the first; y stays in x's order
  int y_stride = 0;      ///< elements between vectors of y, 0: units. Two directions side by side: 2 * units

  /// The vectors of step t of sequence b.
  constexpr ptrdiff_t vector(int b, int t) const noexcept {
    return time_major ? ptrdiff_t{t} * batch + b : ptrdiff_t{b} * steps + t;
  }
  constexpr ptrdiff_t x_at(int b, int t) const noexcept { return vector(b, t) * inputs; }
  constexpr ptrdiff_t y_at(int b, int t) const noexcept { return vector(b, t) * (y_stride != 0 ? y_stride : units); }
  constexpr bool operator==(const recurrent_shape&) const = default;
};

namespace ref {

/// step(t) for the steps of sequence b in their order. lengths[b], if not null, is how many it has, 0 to s.steps; then
/// padding(t) for those it has not.
template <class Step, class Padding>
constexpr void for_each_step(const recurrent_shape& s, const int* lengths, int b, Step&& step, Padding&& padding) {
  const int n = lengths != nullptr ? clamp(lengths[b], 0, s.steps) : s.steps;
  for (int i = 0; i < n; ++i) step(s.reverse ? n - 1 - i : i);
  for (int t = n; t < s.steps; ++t) padding(t);
}

}  // namespace ref

}  // namespace lowbits
