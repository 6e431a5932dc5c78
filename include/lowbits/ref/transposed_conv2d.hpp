// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Transposed convolution: each input position spreads over a window of the output. This is the
// definition, written from the output's side so that no work memory is needed.
//
//   y[b][oh][ow][c] = rq(bias[c] + sum of
//       (x[b][ih][iw][g * in_c / groups + k] - x_zero) * (w[c][i][j][k] - w_zero),  c)
//
// over all ih, iw, i, j, k with ih * stride_h - pad_top + i * dilation_h = oh and
// iw * stride_w - pad_left + j * dilation_w = ow, where g = c / (out_c / groups). What would fall
// outside the output is dropped.

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/raw_accumulator.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// The input position that reaches output position `out` through tap `tap`, or -1 when none does.
constexpr int transposed_source(int out, int tap, int pad, int dilation, int stride,
                                int extent) noexcept {
  const int reach = out + pad - tap * dilation;
  return reach >= 0 && reach % stride == 0 && reach / stride < extent ? reach / stride : -1;
}

/// The accumulator of output element [b][oh][ow][c], without bias.
template <class Acc, class X, class W>
constexpr Acc transposed_conv2d_accumulator(const conv2d_shape& s, const X& x, int x_zero,
                                            const W& w, int w_zero, int b, int oh, int ow,
                                            int c) noexcept {
  const window2d& t = s.window;
  const int depth = s.group_in();
  const int first = c / s.group_out() * depth;
  Acc acc = 0;
  for (int i = 0; i < t.kernel_h; ++i) {
    const int ih = transposed_source(oh, i, t.pad_top, t.dilation_h, t.stride_h, s.in_h);
    if (ih < 0) continue;
    for (int j = 0; j < t.kernel_w; ++j) {
      const int iw = transposed_source(ow, j, t.pad_left, t.dilation_w, t.stride_w, s.in_w);
      if (iw < 0) continue;
      const ptrdiff_t at = ((ptrdiff_t{b} * s.in_h + ih) * s.in_w + iw) * s.in_c + first;
      const ptrdiff_t tap = ((ptrdiff_t{c} * t.kernel_h + i) * t.kernel_w + j) * depth;
      for (int k = 0; k < depth; ++k)
        acc += static_cast<Acc>(x[static_cast<size_t>(at + k)] - x_zero) *
            static_cast<Acc>(w[static_cast<size_t>(tap + k)] - w_zero);
    }
  }
  return acc;
}

/// The extents of s are those of the operation itself: x [batch][in_h][in_w][in_c],
/// w [out_c][kernel_h][kernel_w][in_c / groups], y [batch][out_h][out_w][out_c]; window.stride_* is
/// the distance in the output between neighbouring inputs, window.pad_* what is cut off before. The
/// other arguments as in conv2d.
template <class Acc, class X, class W, class Bias, class Rq, class Y>
constexpr void transposed_conv2d(const conv2d_shape& s, X x, int x_zero, W w, int w_zero,
                                 const Bias* bias, const Rq& rq, Y* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow)
        for (int c = 0; c < s.out_c; ++c) {
          const Acc sum = transposed_conv2d_accumulator<Acc>(s, x, x_zero, w, w_zero, b, oh, ow, c);
          const auto channel = static_cast<size_t>(c);
          *y++ = rq(bias ? static_cast<Acc>(sum + static_cast<Acc>(bias[channel])) : sum, channel);
        }
}

}  // namespace lowbits::ref
