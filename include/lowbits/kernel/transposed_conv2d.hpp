// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Transposed convolution on an architecture, seen from the output's side: the product of every tap
// that could reach a position, most of them the zero point where the stride is large. Gives the bytes
// of ref::transposed_conv2d.

#include <lowbits/kernel/implicit_words.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <class Arch, class X, class W, class Acc, class Rq>
struct transposed_conv2d : implicit_product<Arch, X, W, Acc, Rq, spread_rows> {
  using base = implicit_product<Arch, X, W, Acc, Rq, spread_rows>;
  using typename base::Y;

  /// bias may be null. packed may be null where packed_bytes is 0; elsewhere null means that the
  /// reference runs.
  template <class Bias>
  static void run(const conv2d_shape& s, const X* x, int x_zero, const W& w, int w_zero, const Bias* bias,
                  const unsigned char* packed, const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if (!base::run_packed(s, x, x_zero, w_zero, packed, rq, y, scratch))
      ref::transposed_conv2d<Acc>(s, x, x_zero, w, w_zero, bias, rq, y);
  }
};

}  // namespace lowbits::kernel
