// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolution of floats by weights in codes: each output is a product as in weight_only_gemm.hpp, of one group, with the depth
// [kernel_h][kernel_w][in_c / groups]; positions outside of the image count as 0.

#include <lowbits/ref/weight_only_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// w [out_c][depth]; scale(c) is a channel's; bias may be null.
template <class W, class Scale>
constexpr void weight_only_conv2d(const conv2d_shape& s, const float* x, const W& w, int zero, Scale&& scale, const float* bias, float* y) noexcept {
  const window2d& v = s.window;
  const int per_tap = s.group_in();
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow)
        for (int c = 0; c < s.out_c; ++c)
          *y++ = weight_only_element(
              s.depth(), larger(s.depth(), 1),
              [&](int k) {
                const int tap = k / per_tap, h = oh * v.stride_h - v.pad_top + tap / v.kernel_w * v.dilation_h;
                const int at = ow * v.stride_w - v.pad_left + tap % v.kernel_w * v.dilation_w;
                if (h < 0 || h >= s.in_h || at < 0 || at >= s.in_w) return 0.0f;
                return x[((ptrdiff_t{b} * s.in_h + h) * s.in_w + at) * s.in_c + c / s.group_out() * per_tap + k % per_tap];
              },
              [&](int k) { return int{w[static_cast<size_t>(ptrdiff_t{c} * s.depth() + k)]}; }, [&](int) { return zero; },
              [&](int) { return scale(c); }, bias != nullptr ? bias[c] : 0.0f);
}

}  // namespace lowbits::ref
