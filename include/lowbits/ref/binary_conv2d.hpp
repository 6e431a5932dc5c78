// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolution of signs with signs, the definition: at every output position the row of bits under the window meets the
// bits of each output channel, see ref/binary_gemm.hpp.

#include <lowbits/core/shapes.hpp>
#include <lowbits/ref/binary_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// x [batch][in_h][in_w] positions of in_c bits, w [out_c] rows of kernel_h * kernel_w * in_c bits, y [batch * out_h * out_w]
/// rows of out_c elements (or bits). in_c is a multiple of 8, so that a position is whole bytes; there is one group.
/// Signs have no zero: a position outside the image counts as +1 in all channels where `pads_with_ones`, else as -1.
struct binary_conv2d_shape {
  conv2d_shape conv{};
  bool pads_with_ones = false;

  constexpr bool is_valid() const noexcept {
    const auto& w = conv.window;
    const bool sizes = conv.batch >= 0 && conv.in_h >= 0 && conv.in_w >= 0 && conv.in_c >= 0 && conv.out_h >= 0 && conv.out_w >= 0 && conv.out_c >= 0;
    const auto small_enough = [](int v) { return v > 0 && v < 32768; };
    if (!sizes || conv.in_c % 8 != 0 || conv.groups != 1 || !small_enough(w.kernel_h) || !small_enough(w.kernel_w) || !small_enough(w.stride_h) ||
        !small_enough(w.stride_w) || !small_enough(w.dilation_h) || !small_enough(w.dilation_w) || w.pad_top < 0 || w.pad_left < 0)
      return false;
    constexpr int64_t most = 1 << 30;
    const int64_t taps = int64_t{w.kernel_h} * w.kernel_w, pixels = int64_t{conv.out_h} * conv.out_w;
    return taps <= most && (conv.in_c == 0 || taps <= most / conv.in_c) && pixels <= most && (conv.batch == 0 || pixels <= most / conv.batch);
  }
  constexpr int rows() const noexcept { return conv.batch * conv.out_h * conv.out_w; }
  /// The product that a convolution is.
  constexpr binary_shape product() const noexcept {
    if (!is_valid()) return {.rows = -1};
    return {.rows = rows(), .cols = conv.out_c, .depth = conv.window.taps() * conv.in_c};
  }
  /// Where the bits of a tap at output row oh, column ow of image b begin, counted in bytes of x; below 0 outside the image.
  constexpr ptrdiff_t source(int b, int oh, int ow, int tap) const noexcept {
    const auto& w = conv.window;
    const int64_t ih = int64_t{oh} * w.stride_h - w.pad_top + int64_t{tap / w.kernel_w} * w.dilation_h;
    const int64_t iw = int64_t{ow} * w.stride_w - w.pad_left + int64_t{tap % w.kernel_w} * w.dilation_w;
    if (ih < 0 || ih >= conv.in_h || iw < 0 || iw >= conv.in_w) return -1;
    return ((ptrdiff_t{b} * conv.in_h + static_cast<ptrdiff_t>(ih)) * conv.in_w + static_cast<ptrdiff_t>(iw)) * (conv.in_c / 8);
  }
};

namespace ref {

/// bias has out_c elements or is null. y overlaps nothing else.
template <class Rq, class Y>
constexpr void binary_conv2d(const binary_conv2d_shape& s, const uint8_t* x, const uint8_t* w, const int32_t* bias, const Rq& rq, Y* y) noexcept {
  const binary_shape p = s.product();
  for (int r = 0; r < p.rows; ++r, y += p.y_row_step(gives_bits<Rq>))
    for (int c = 0; c < p.cols; ++c) {
      int32_t sum = bias != nullptr ? bias[c] : 0;
      for (int k = 0; k < p.depth; ++k) {
        const ptrdiff_t from = s.source(r / (s.conv.out_h * s.conv.out_w), r / s.conv.out_w % s.conv.out_h, r % s.conv.out_w, k / s.conv.in_c);
        const bool code = from < 0 ? s.pads_with_ones : (x[from + k % s.conv.in_c / 8] >> k % 8 & 1) != 0;
        sum += code == ((w[c * p.w_row_step() + k / 8] >> k % 8 & 1) != 0) ? 1 : -1;
      }
      const auto out = output_of(rq, sum, static_cast<size_t>(r), static_cast<size_t>(c));
      if constexpr (gives_bits<Rq>) y[c / 8] = static_cast<uint8_t>((c % 8 == 0 ? 0 : y[c / 8]) | (out ? 1 : 0) << c % 8);
      else y[c] = out;
    }
}

}  // namespace ref

}  // namespace lowbits
