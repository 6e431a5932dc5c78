// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Softmax of 8-bit codes. Gives the bytes of ref/softmax.hpp: an exponential depends only on how far a
// code is below its row's largest, so each is computed once, and rows longer than that range go
// through a table of output codes.

#include <lowbits/ref/softmax.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// x and y [rows][depth]. Uses 1 KiB of stack and 256 elements of y.
template <class X, class Y>
void softmax(int rows, int depth, const X* x, const softmax_params& p, Y* y) noexcept {
  static_assert(sizeof(X) == 1, "wider codes: ref::softmax");
  int32_t exp[256];  // of minus the index; below zero: not known yet
  for (int32_t& e : exp) e = -1;
  for (int r = 0; depth > 0 && r < rows; ++r, x += depth, y += depth) {
    X highest = x[0], lowest = x[0];
    for (int i = 1; i < depth; ++i) {
      highest = larger(highest, x[i]);
      lowest = smaller(lowest, x[i]);
    }
    int64_t sum = 0;  // no exponential is below zero: holding the sum once is holding it always
    for (int i = 0; i < depth; ++i) {
      int32_t& e = exp[highest - x[i]];
      if (e < 0) e = p.exp(x[i] - highest);
      sum += softmax_params::add(0, e);
    }
    const auto reciprocal = p.invert(saturate<int32_t>(sum));
    const int reach = highest - lowest;
    if (depth <= reach) {
      for (int i = 0; i < depth; ++i)
        y[i] = static_cast<Y>(p.code(exp[highest - x[i]], reciprocal));
      continue;
    }
    Y code[256];
    for (int d = 0; d <= reach; ++d)
      code[d] = exp[d] < 0 ? Y{} : static_cast<Y>(p.code(exp[d], reciprocal));
    for (int i = 0; i < depth; ++i) y[i] = code[highest - x[i]];
  }
}

}  // namespace lowbits::kernel
