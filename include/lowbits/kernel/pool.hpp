// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Pooling on an architecture, across the channels. Gives the bytes of ref/pool.hpp.

#include <lowbits/kernel/finish.hpp>
#include <lowbits/kernel/tap_range.hpp>
#include <lowbits/ref/pool.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// Calls f(grid, y) with the valid part of each output position's window, and where its channels go.
template <class T, class Function>
void for_each_window(const pool2d_shape& s, const T* x, T* y, Function&& f) noexcept {
  const window2d& t = s.window;
  const ptrdiff_t row = ptrdiff_t{s.in_w} * s.channels;
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh) {
      const int ih = oh * t.stride_h - t.pad_top;
      const tap_range down(ih, t.kernel_h, t.dilation_h, s.in_h);
      for (int ow = 0; ow < s.out_w; ++ow, y += s.channels) {
        const int iw = ow * t.stride_w - t.pad_left;
        const tap_range across(iw, t.kernel_w, t.dilation_w, s.in_w);
        code_grid<T> g{x, down.count(), across.count(), t.dilation_h * row, ptrdiff_t{t.dilation_w} * s.channels};
        if (g.rows * g.cols == 0) g.rows = g.cols = 0;
        else g.at += (ptrdiff_t{b} * s.in_h + ih) * row + down.first * g.row_step + ptrdiff_t{iw} * s.channels + across.first * g.col_step;
        f(g, y);
      }
    }
}

template <class Arch, class T>
void max_pool(const pool2d_shape& s, const T* x, code_range range, T* y) noexcept {
  if constexpr (sizeof(T) == 1 && has_prim<prims::window_max, Arch>) {
    for_each_window(s, x, y, [&](const code_grid<T>& g, T* to) {
      best_prim<prims::window_max, Arch>::run(g, s.channels, range.lowest, range.highest, to);
    });
  } else {
    ref::max_pool(s, x, range, y);
  }
}

template <class Arch, class T>
void average_pool(const pool2d_shape& s, const T* x, code_range range, T* y) noexcept {
  if constexpr (sizeof(T) == 1 && has_prim<prims::window_mean, Arch>) {
    constexpr int64_t most = 32768;
    if (int64_t{s.window.kernel_h} * s.window.kernel_w <= most) {
      for_each_window(s, x, y, [&](const code_grid<T>& g, T* to) {
        if (g.rows != 0) return best_prim<prims::window_mean, Arch>::run(g, s.channels, range.lowest, range.highest, to);
        for (int c = 0; c < s.channels; ++c) to[c] = static_cast<T>(lowbits::clamp(0, range.lowest, range.highest));
      });
      return;
    }
  }
  ref::average_pool(s, x, range, y);
}

/// y[b][c] is the mean of x[b][.][c] over the positions.
template <class Arch, class X, class Y>
void global_mean(int batch, int positions, int channels, const X* x, const mean_params& p, Y* y) noexcept {
  if constexpr (sizeof(X) == 1 && sizeof(Y) == 1 && has_prim<prims::position_mean, Arch>) {
    const rescale_values v{p.zero, p.factor.mantissa, p.factor.exponent, raw_stage(p.out)};
    for (int b = 0; b < batch; ++b)
      best_prim<prims::position_mean, Arch>::run(positions, channels, x + ptrdiff_t{b} * positions * channels, v,
                                                 y + ptrdiff_t{b} * channels);
  } else {
    ref::global_mean(batch, positions, channels, x, p, y);
  }
}

}  // namespace lowbits::kernel
