// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The rows of a convolution's implicit matrix: for each output position, the codes under its window,
// in the order of the weights.

#include <lowbits/core/shapes.hpp>
#include <lowbits/kernel/table.hpp>
#include <lowbits/kernel/tap_range.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// Walks over the output positions of all images in order.
struct output_position {
  int b = 0, oh = 0, ow = 0;

  constexpr void next(const conv2d_shape& s) noexcept {
    if (++ow < s.out_w) return;
    ow = 0;
    if (++oh < s.out_h) return;
    oh = 0;
    ++b;
  }
};

/// Writes rows of P's elements for `group`'s channels.
template <class P, class X>
class row_gatherer {
public:
  using element = typename P::element;

  row_gatherer(const conv2d_shape& s, const X* x, int x_zero, int group) noexcept
      : s_(s), x_(x + group * s.group_in()), padding_(static_cast<element>(x_zero + P::template shift<X>)) {
    // Neighbouring taps of all channels lie side by side.
    joins_taps_ = s.groups == 1 && s.window.dilation_w == 1;
  }

  /// The row of one output position; what is between the depth and `padded` is zero.
  void write(const output_position& at, element* to, int padded) const noexcept {
    const window2d& t = s_.window;
    const int depth = s_.group_in();
    const int ih = at.oh * t.stride_h - t.pad_top, iw = at.ow * t.stride_w - t.pad_left;
    const tap_range down(ih, t.kernel_h, t.dilation_h, s_.in_h), across(iw, t.kernel_w, t.dilation_w, s_.in_w);
    element* const end = to + padded;
    to = fill(to, down.first * t.kernel_w * depth);
    for (int i = down.first; i < down.last; ++i) {
      const ptrdiff_t from = ((ptrdiff_t{at.b} * s_.in_h + ih + i * t.dilation_h) * s_.in_w + iw) * s_.in_c;
      to = fill(to, across.first * depth);
      if (joins_taps_) {
        to = fetch(from + ptrdiff_t{across.first} * depth, across.count() * depth, to);
      } else {
        for (int j = across.first; j < across.last; ++j)
          to = fetch(from + ptrdiff_t{j} * t.dilation_w * s_.in_c, depth, to);
      }
      to = fill(to, (t.kernel_w - across.last) * depth);
    }
    to = fill(to, (t.kernel_h - down.last) * t.kernel_w * depth);
    while (to != end) *to++ = 0;
  }

private:
  element* fetch(ptrdiff_t from, int n, element* to) const noexcept {
    if (n > 0) P::fetch(x_ + from, n, to);
    return to + n;
  }
  element* fill(element* to, int n) const noexcept {
    for (int k = 0; k < n; ++k) to[k] = padding_;
    return to + n;
  }

  const conv2d_shape& s_;
  const X* x_;
  element padding_;
  bool joins_taps_ = false;
};

}  // namespace lowbits::kernel
