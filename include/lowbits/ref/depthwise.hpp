// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution: each output channel looks at one input channel. This is the definition.
//
//   y[b][oh][ow][c] = rq(bias[c] + sum over i, j of
//       (x[b][oh * stride_h - pad_top + i * dilation_h][ow * stride_w - pad_left + j * dilation_w]
//         [c / multiplier] - x_zero) * (w[i][j][c] - w_zero),  c)
//
// with 0 <= c < in_c * multiplier. Taps outside the input add nothing: the padding is the zero
// point.

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/raw_accumulator.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// The accumulator of output element [b][oh][ow][c], without bias.
template <class Acc, class X, class W>
constexpr Acc depthwise_accumulator(const depthwise_shape& s, const X& x, int x_zero, const W& w,
                                    int w_zero, int b, int oh, int ow, int c) noexcept {
  const window2d& t = s.window;
  Acc acc = 0;
  for (int i = 0; i < t.kernel_h; ++i) {
    const int ih = oh * t.stride_h - t.pad_top + i * t.dilation_h;
    if (ih < 0 || ih >= s.in_h) continue;
    for (int j = 0; j < t.kernel_w; ++j) {
      const int iw = ow * t.stride_w - t.pad_left + j * t.dilation_w;
      if (iw < 0 || iw >= s.in_w) continue;
      const ptrdiff_t at = ((ptrdiff_t{b} * s.in_h + ih) * s.in_w + iw) * s.in_c + c / s.multiplier;
      const ptrdiff_t tap = (ptrdiff_t{i} * t.kernel_w + j) * s.out_c() + c;
      acc += static_cast<Acc>(x[static_cast<size_t>(at)] - x_zero) *
          static_cast<Acc>(w[static_cast<size_t>(tap)] - w_zero);
    }
  }
  return acc;
}

/// x, w and y as depthwise_shape says; the other arguments as in conv2d (bias has in_c * multiplier
/// elements or is null).
template <class Acc, class X, class W, class Bias, class Rq, class Y>
constexpr void depthwise(const depthwise_shape& s, X x, int x_zero, W w, int w_zero,
                         const Bias* bias, const Rq& rq, Y* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow)
        for (int c = 0; c < s.out_c(); ++c) {
          const Acc sum = depthwise_accumulator<Acc>(s, x, x_zero, w, w_zero, b, oh, ow, c);
          const auto channel = static_cast<size_t>(c);
          *y++ = rq(bias ? static_cast<Acc>(sum + static_cast<Acc>(bias[channel])) : sum, channel);
        }
}

}  // namespace lowbits::ref
