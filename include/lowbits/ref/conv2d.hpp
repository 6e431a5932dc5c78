// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Two-dimensional convolution, with groups and dilation, and fully connected layers as its special
// case. This is the definition: every faster kernel gives the same bytes.
//
//   y[b][oh][ow][c] = rq(bias[c] + sum over i, j, k of
//       (x[b][oh * stride_h - pad_top + i * dilation_h][ow * stride_w - pad_left + j * dilation_w]
//         [g * in_c / groups + k] - x_zero) * (w[c][i][j][k] - w_zero),  c)
//
// with g = c / (out_c / groups), 0 <= i < kernel_h, 0 <= j < kernel_w, 0 <= k < in_c / groups. Taps
// outside the input add nothing: the padding is the zero point.

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/raw_accumulator.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// The accumulator of output element [b][oh][ow][c], without bias.
template <class Acc, class X, class W>
constexpr Acc conv2d_accumulator(const conv2d_shape& s, const X& x, int x_zero, const W& w,
                                 int w_zero, int b, int oh, int ow, int c) noexcept {
  const window2d& t = s.window;
  const int depth = s.group_in();
  const int first = c / s.group_out() * depth;
  Acc acc = 0;
  for (int i = 0; i < t.kernel_h; ++i) {
    const int ih = oh * t.stride_h - t.pad_top + i * t.dilation_h;
    if (ih < 0 || ih >= s.in_h) continue;
    for (int j = 0; j < t.kernel_w; ++j) {
      const int iw = ow * t.stride_w - t.pad_left + j * t.dilation_w;
      if (iw < 0 || iw >= s.in_w) continue;
      const ptrdiff_t at = ((ptrdiff_t{b} * s.in_h + ih) * s.in_w + iw) * s.in_c + first;
      const ptrdiff_t tap = ((ptrdiff_t{c} * t.kernel_h + i) * t.kernel_w + j) * depth;
      for (int k = 0; k < depth; ++k)
        acc += static_cast<Acc>(x[static_cast<size_t>(at + k)] - x_zero) *
            static_cast<Acc>(w[static_cast<size_t>(tap + k)] - w_zero);
    }
  }
  return acc;
}

/// x, w and y as conv2d_shape says; x and w are anything indexable that gives integers (pointers,
/// packed views), bias has out_c elements or is null. Sums are taken in Acc, and the caller sees to
/// it that Acc holds every partial sum. Every zero point is subtracted as it is; dense layers use
/// dense_shape(). rq maps (accumulator, output channel) to an element of y.
template <class Acc, class X, class W, class Bias, class Rq, class Y>
constexpr void conv2d(const conv2d_shape& s, X x, int x_zero, W w, int w_zero, const Bias* bias,
                      const Rq& rq, Y* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow)
        for (int c = 0; c < s.out_c; ++c) {
          const Acc sum = conv2d_accumulator<Acc>(s, x, x_zero, w, w_zero, b, oh, ow, c);
          const auto channel = static_cast<size_t>(c);
          *y++ = rq(bias ? static_cast<Acc>(sum + static_cast<Acc>(bias[channel])) : sum, channel);
        }
}

}  // namespace lowbits::ref
