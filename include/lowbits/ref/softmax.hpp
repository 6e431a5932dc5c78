// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Softmax over the last axis. This is the definition: y = p.code(p.exp(x - largest),
// p.invert(sum)), see fixed/softmax.hpp.

#include <lowbits/fixed/softmax.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// x and y [rows][depth]. p is softmax_params (up to 8 bits in) or wide_softmax_params (9 to 16
/// bits in, Q0.15 out). An input's zero point does not matter.
template <class X, class Params, class Y>
constexpr void softmax(int rows, int depth, const X* x, const Params& p, Y* y) noexcept {
  if (depth == 0) return;
  for (int r = 0; r < rows; ++r, x += depth, y += depth) {
    int highest = x[0];
    for (int i = 1; i < depth; ++i) highest = larger<int>(highest, x[i]);
    int32_t sum = 0;
    for (int i = 0; i < depth; ++i) sum = p.add(sum, p.exp(x[i] - highest));
    const auto reciprocal = p.invert(sum);
    for (int i = 0; i < depth; ++i)
      y[i] = static_cast<Y>(p.code(p.exp(x[i] - highest), reciprocal));
  }
}

}  // namespace lowbits::ref
