// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Pooling of images. Input and output have the same scale and zero point, except for global_mean.
// Window positions outside the input are left out: the padding takes no part.
//
//   max_pool      y = clamp(max of the valid x)
//   average_pool  y = clamp((sum +- count / 2) / count), sum and count over the valid x; half the
//                 count has the sign of the sum and both divisions truncate. On the codes as they
//                 are, zero point included: TFLite's and CMSIS-NN's definition for int8 and int16.
//   global_mean   y = p(sum over all positions of (x - zero)), any scales

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/eltwise.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// Sums of 8-bit codes fit in 32 bits for up to 2^23 of them.
template <class T>
using pool_sum = std::conditional_t<sizeof(T) == 1, int32_t, int64_t>;

/// Calls f(element) for each valid element of the window of output [b][oh][ow][c], row by row.
template <class T, class Function>
constexpr void for_window(const pool2d_shape& s, const T* x, int b, int oh, int ow, int c,
                          Function&& f) noexcept {
  const window2d& t = s.window;
  for (int i = 0; i < t.kernel_h; ++i) {
    const int ih = oh * t.stride_h - t.pad_top + i * t.dilation_h;
    if (ih < 0 || ih >= s.in_h) continue;
    for (int j = 0; j < t.kernel_w; ++j) {
      const int iw = ow * t.stride_w - t.pad_left + j * t.dilation_w;
      if (iw < 0 || iw >= s.in_w) continue;
      f(x[((ptrdiff_t{b} * s.in_h + ih) * s.in_w + iw) * s.channels + c]);
    }
  }
}

/// Calls f(b, oh, ow, c) for each output element in order.
template <class Function>
constexpr void for_pool_outputs(const pool2d_shape& s, Function&& f) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow)
        for (int c = 0; c < s.channels; ++c) f(b, oh, ow, c);
}

/// x and y as pool2d_shape says. A window without a valid position gives range.lowest.
template <class T>
constexpr void max_pool(const pool2d_shape& s, const T* x, code_range range, T* y) noexcept {
  for_pool_outputs(s, [&](int b, int oh, int ow, int c) {
    int best = range.lowest;
    for_window(s, x, b, oh, ow, c, [&](int v) { best = larger(best, v); });
    *y++ = static_cast<T>(smaller(best, range.highest));
  });
}

/// x and y as pool2d_shape says. A window without a valid position gives 0, clamped.
template <class T>
constexpr void average_pool(const pool2d_shape& s, const T* x, code_range range, T* y) noexcept {
  for_pool_outputs(s, [&](int b, int oh, int ow, int c) {
    pool_sum<T> sum = 0;
    int count = 0;
    for_window(s, x, b, oh, ow, c, [&](int v) {
      sum += v;
      ++count;
    });
    const int half = sum > 0 ? count / 2 : -(count / 2);
    const auto mean = count > 0 ? static_cast<int>((sum + half) / count) : 0;
    *y++ = static_cast<T>(clamp(mean, range.lowest, range.highest));
  });
}

/// x [batch][positions][channels], y [batch][channels]: the mean over the positions, which rescales
/// from x's scale to y's (make_mean, make_tflite_mean). Up to 2^23 positions of 8-bit codes.
template <class X, class Params, class Y>
constexpr void global_mean(int batch, int positions, int channels, const X* x, const Params& p,
                           Y* y) noexcept {
  for (int b = 0; b < batch; ++b)
    for (int c = 0; c < channels; ++c) {
      pool_sum<X> sum = 0;
      for (int i = 0; i < positions; ++i)
        sum += x[(ptrdiff_t{b} * positions + i) * channels + c] - p.zero;
      *y++ = static_cast<Y>(p(sum));
    }
}

}  // namespace lowbits::ref
