// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the graph has no operation for: division, powers, and pooling whose windows differ in size.

#include <cmath>

#include <lowbits/op/node.hpp>
#include <lowbits/ref/eltwise.hpp>
#include <lowbits/ref/pool.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// x / y or x to the power of y; extents of 1 are repeated.
struct real_pair {
  bool is_power = false;

  static void run(const custom_call& call) noexcept {
    const real_pair& d = *static_cast<const real_pair*>(call.user);
    ref::binary(call.in_desc[0].shape, call.in_desc[1].shape, static_cast<const float*>(call.in[0]),
                static_cast<const float*>(call.in[1]),
                [&](float u, float v) { return d.is_power ? std::pow(u, v) : fp::quotient(u, v); },
                static_cast<float*>(call.out));
  }
};

/// Windows from floor(in * i / out) to ceil(in * (i + 1) / out) of x [rows][columns][channels].
struct adaptive_pool {
  int in_h = 1, in_w = 1, channels = 1, out_h = 1, out_w = 1;
  bool is_max = true;

  static int begin(int in, int i, int out) noexcept { return static_cast<int>(int64_t{in} * i / out); }
  static int end(int in, int i, int out) noexcept {
    return static_cast<int>((int64_t{in} * (i + 1) + out - 1) / out);
  }
  static void run(const custom_call& call) noexcept {
    const adaptive_pool& d = *static_cast<const adaptive_pool*>(call.user);
    const auto* const x = static_cast<const float*>(call.in[0]);
    auto* y = static_cast<float*>(call.out);
    for (int oh = 0; oh < d.out_h; ++oh)
      for (int ow = 0; ow < d.out_w; ++ow) {
        const int top = begin(d.in_h, oh, d.out_h), bottom = end(d.in_h, oh, d.out_h);
        const int left = begin(d.in_w, ow, d.out_w), right = end(d.in_w, ow, d.out_w);
        for (int c = 0; c < d.channels; ++c) {
          double sum = 0;
          float best = 0;
          for (int h = top; h < bottom; ++h)
            for (int w = left; w < right; ++w) {
              const float v = x[(ptrdiff_t{h} * d.in_w + w) * d.channels + c];
              best = (h == top && w == left) || v > best ? v : best;
              sum += static_cast<double>(v);
            }
          *y++ = d.is_max ? best : static_cast<float>(sum / (double{1} * (bottom - top) * (right - left)));
        }
      }
  }
};

}  // namespace lowbits::ncnn
