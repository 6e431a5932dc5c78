// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Work for several threads. The library starts none: a call that can be shared takes an executor, any
// object with
//
//   executor(n, f)     calls f(0), ..., f(n - 1), each once, on any threads, and returns when all
//                      have returned
//
// and the number of parts to make. The result does not depend on either.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Calls one after another, on the calling thread.
struct in_turn {
  template <class Function>
  constexpr void operator()(int n, Function&& f) const {
    for (int i = 0; i < n; ++i) f(i);
  }
};

/// The i-th of n parts of [0, count), cut at multiples of `grain`: [begin(i), begin(i + 1)).
struct even_parts {
  int64_t count;
  int parts;
  int64_t grain = 1;

  constexpr int64_t begin(int i) const noexcept {
    const int64_t grains = ceil_div(count, grain);
    return smaller(grains * i / parts * grain, count);
  }
};

}  // namespace lowbits
