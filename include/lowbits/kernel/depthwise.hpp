// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution on an architecture. Gives the bytes of ref::depthwise.

#include <lowbits/kernel/table.hpp>
#include <lowbits/ref/depthwise.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <class Arch, class X, class W, class Acc, class Rq>
struct depthwise {
  using Y = typename Rq::output::storage;

  /// Bytes of prepared weights; 0: runs from the weights as they are.
  static constexpr size_t packed_bytes(const depthwise_shape&) noexcept { return 0; }
  static constexpr size_t scratch_bytes(const depthwise_shape&) noexcept { return 0; }
  /// Writes packed_bytes at a multiple of 64. The prepared weights hold for this x_zero, and for
  /// weights whose zero point is 0.
  template <class Bias>
  static void pack(const depthwise_shape&, const W&, const Bias*, int /*x_zero*/, unsigned char*) noexcept {}
  /// bias may be null; packed may be null where packed_bytes is 0.
  template <class Bias>
  static void run(const depthwise_shape& s, const X* x, int x_zero, const W& w, int w_zero, const Bias* bias,
                  const unsigned char* /*packed*/, const Rq& rq, Y* y, unsigned char* /*scratch*/) noexcept {
    ref::depthwise<Acc>(s, x, x_zero, w, w_zero, bias, rq, y);
  }
};

}  // namespace lowbits::kernel
