// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolutions written a second time, as differently as possible from ref/: an input copied into a
// wide border of zeros, 64-bit sums, the channel loops outside, taps scattered into the output.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <lowbits/core/shapes.hpp>

namespace naive {

using wide = std::vector<std::int64_t>;

/// Deterministic numbers (Knuth's 64-bit congruential generator, upper half).
struct random_numbers {
  std::uint64_t state;
  explicit random_numbers(std::uint64_t seed) : state(seed * 2 + 1) {}
  int in(int lowest, int highest) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto span = static_cast<std::uint64_t>(highest - lowest + 1);
    return lowest + static_cast<int>((state >> 33) % span);
  }
};

/// x minus its zero point in a border that is `margin` wide on each side: [batch][h + 2m][w + 2m][c].
struct bordered {
  int margin, h, w, c;
  wide data;

  bordered(const wide& x, std::int64_t zero, int batch, int in_h, int in_w, int in_c, int border)
      : margin(border), h(in_h + 2 * border), w(in_w + 2 * border), c(in_c),
        data(static_cast<std::size_t>(batch * h * w * c)) {
    std::size_t from = 0;
    for (int b = 0; b < batch; ++b)
      for (int y = 0; y < in_h; ++y)
        for (int i = 0; i < in_w; ++i)
          for (int k = 0; k < in_c; ++k) at(b, y, i, k) = x[from++] - zero;
  }
  std::int64_t& at(int b, int y, int x, int k) {
    return data[static_cast<std::size_t>(((b * h + y + margin) * w + x + margin) * c + k)];
  }
};

inline int border_for(const lowbits::window2d& t, int in_h, int in_w, int out_h, int out_w) {
  const auto positive = [](int v) { return v < 0 ? -v : v; };
  return positive(t.pad_top) + positive(t.pad_left) + t.reach_h() + t.reach_w() + in_h + in_w +
      out_h * t.stride_h + out_w * t.stride_w;
}

/// Accumulators of conv2d; bias may be empty.
inline wide conv2d(const lowbits::conv2d_shape& s, const wide& x, int x_zero, const wide& w,
                   int w_zero, const wide& bias) {
  const lowbits::window2d& t = s.window;
  bordered in(x, x_zero, s.batch, s.in_h, s.in_w, s.in_c,
              border_for(t, s.in_h, s.in_w, s.out_h, s.out_w));
  wide y(static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.out_c));
  const int depth = s.in_c / s.groups;
  for (int c = s.out_c - 1; c >= 0; --c)
    for (int k = depth - 1; k >= 0; --k)
      for (int j = 0; j < t.kernel_w; ++j)
        for (int i = 0; i < t.kernel_h; ++i) {
          const std::int64_t tap =
              w[static_cast<std::size_t>(((c * t.kernel_h + i) * t.kernel_w + j) * depth + k)] -
              w_zero;
          const int channel = c / (s.out_c / s.groups) * depth + k;
          for (int b = 0; b < s.batch; ++b)
            for (int oh = 0; oh < s.out_h; ++oh)
              for (int ow = 0; ow < s.out_w; ++ow)
                y[static_cast<std::size_t>(((b * s.out_h + oh) * s.out_w + ow) * s.out_c + c)] +=
                    tap *
                    in.at(b, oh * t.stride_h - t.pad_top + i * t.dilation_h,
                          ow * t.stride_w - t.pad_left + j * t.dilation_w, channel);
        }
  if (!bias.empty())
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += bias[i % static_cast<std::size_t>(s.out_c)];
  return y;
}

/// Accumulators of a depthwise convolution: an ordinary one whose other weights are zero.
inline wide depthwise(const lowbits::depthwise_shape& s, const wide& x, int x_zero, const wide& w,
                      int w_zero, const wide& bias) {
  const int taps = s.window.kernel_h * s.window.kernel_w, out_c = s.in_c * s.multiplier;
  wide full(static_cast<std::size_t>(out_c * taps * s.in_c));
  for (int c = 0; c < out_c; ++c)
    for (int t = 0; t < taps; ++t)
      full[static_cast<std::size_t>((c * taps + t) * s.in_c + c / s.multiplier)] =
          w[static_cast<std::size_t>(t * out_c + c)] - w_zero;
  const lowbits::conv2d_shape dense{s.batch, s.in_h,  s.in_w, s.in_c,
                                    s.out_h, s.out_w, out_c,  s.window};
  return conv2d(dense, x, x_zero, full, 0, bias);
}

/// Accumulators of a transposed convolution: every input scatters into a large output, of which the
/// wanted part is cut out.
inline wide transposed_conv2d(const lowbits::conv2d_shape& s, const wide& x, int x_zero,
                              const wide& w, int w_zero, const wide& bias) {
  const lowbits::window2d& t = s.window;
  const int margin = border_for(t, s.in_h * t.stride_h, s.in_w * t.stride_w, s.out_h, s.out_w);
  bordered out(wide(static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.out_c)), 0, s.batch,
               s.out_h, s.out_w, s.out_c, margin);
  const int depth = s.in_c / s.groups;
  std::size_t from = 0;
  for (int b = 0; b < s.batch; ++b)
    for (int ih = 0; ih < s.in_h; ++ih)
      for (int iw = 0; iw < s.in_w; ++iw)
        for (int channel = 0; channel < s.in_c; ++channel) {
          const std::int64_t value = x[from++] - x_zero;
          const int per_group = s.out_c / s.groups, first = channel / depth * per_group;
          for (int c = first; c < first + per_group; ++c)
            for (int i = 0; i < t.kernel_h; ++i)
              for (int j = 0; j < t.kernel_w; ++j)
                out.at(b, ih * t.stride_h - t.pad_top + i * t.dilation_h,
                       iw * t.stride_w - t.pad_left + j * t.dilation_w, c) += value *
                    (w[static_cast<std::size_t>(((c * t.kernel_h + i) * t.kernel_w + j) * depth +
                                                channel % depth)] -
                     w_zero);
        }
  wide y;
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow)
        for (int c = 0; c < s.out_c; ++c)
          y.push_back(out.at(b, oh, ow, c) +
                      (bias.empty() ? 0 : bias[static_cast<std::size_t>(c)]));
  return y;
}

}  // namespace naive
