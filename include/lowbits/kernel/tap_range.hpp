// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Which taps of a window lie inside the input, along one axis.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// The taps 0 <= t < taps that lie inside [0, extent): from `first` to below `last`.
struct tap_range {
  int first = 0, last = 0;

  constexpr tap_range(int origin, int taps, int dilation, int extent) noexcept {
    const int inside = extent - 1 - origin;
    if (dilation == 1) {  // as nearly always: no division for each window
      first = origin < 0 ? -origin : 0;
      last = smaller(taps, inside + 1);
    } else {
      first = origin < 0 ? ceil_div(-origin, dilation) : 0;
      last = inside < 0 ? 0 : smaller(taps, inside / dilation + 1);
    }
    if (first >= last) first = last = 0;
  }
  constexpr int count() const noexcept { return last - first; }
};

}  // namespace lowbits::kernel
