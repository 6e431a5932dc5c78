// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The rows of a convolution's implicit matrix: for each output position, the codes under its window,
// in the order of the weights.

#include <lowbits/core/shapes.hpp>
#include <lowbits/kernel/table.hpp>
#include <lowbits/kernel/tap_range.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

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

/// Writes codes, and padding where there are none, as P's elements.
template <class P, class X>
class row_writer {
public:
  using element = typename P::element;

  row_writer(const X* x, int x_zero) noexcept : x_(x), padding_(static_cast<element>(x_zero + P::template shift<X>)) {}

  element* fetch(ptrdiff_t from, int n, element* to) const noexcept {
    if (n > 0) P::fetch(x_ + from, n, to);
    return to + n;
  }
  element* pad(element* to, int n) const noexcept { return fill(to, n, padding_); }
  static element* fill(element* to, int n, element value) noexcept {
    for (int k = 0; k < n; ++k) to[k] = value;
    return to + n;
  }

private:
  const X* x_;
  element padding_;
};

/// The rows of a convolution, for `group`'s channels.
template <class P, class X>
class window_rows {
public:
  window_rows(const conv2d_shape& s, const X* x, int x_zero, int group) noexcept
      : s_(s), put_(x + group * s.group_in(), x_zero),
        joins_taps_(s.groups == 1 && s.window.dilation_w == 1) {}  // neighbouring taps lie side by side

  /// The row of one output position; what is between the depth and `padded` is zero.
  void write(const output_position& at, typename P::element* to, int padded) const noexcept {
    const window2d& t = s_.window;
    const int depth = s_.group_in();
    const int ih = at.oh * t.stride_h - t.pad_top, iw = at.ow * t.stride_w - t.pad_left;
    const tap_range down(ih, t.kernel_h, t.dilation_h, s_.in_h), across(iw, t.kernel_w, t.dilation_w, s_.in_w);
    to = put_.pad(to, down.first * t.kernel_w * depth);
    for (int i = down.first; i < down.last; ++i) {
      const ptrdiff_t from = ((ptrdiff_t{at.b} * s_.in_h + ih + i * t.dilation_h) * s_.in_w + iw) * s_.in_c;
      to = put_.pad(to, across.first * depth);
      if (joins_taps_) {
        to = put_.fetch(from + ptrdiff_t{across.first} * depth, across.count() * depth, to);
      } else {
        for (int j = across.first; j < across.last; ++j)
          to = put_.fetch(from + ptrdiff_t{j} * t.dilation_w * s_.in_c, depth, to);
      }
      to = put_.pad(to, (t.kernel_w - across.last) * depth);
    }
    to = put_.pad(to, (t.kernel_h - down.last) * t.kernel_w * depth);
    put_.fill(to, padded - s_.depth(), 0);
  }

private:
  const conv2d_shape& s_;
  row_writer<P, X> put_;
  bool joins_taps_;
};

/// The rows of a transposed convolution: through each tap the input position that reaches the output.
template <class P, class X>
class spread_rows {
public:
  spread_rows(const conv2d_shape& s, const X* x, int x_zero, int group) noexcept
      : s_(s), put_(x + group * s.group_in(), x_zero) {}

  void write(const output_position& at, typename P::element* to, int padded) const noexcept {
    const window2d& t = s_.window;
    const int depth = s_.group_in();
    for (int i = 0; i < t.kernel_h; ++i) {
      const int ih = ref::transposed_source(at.oh, i, t.pad_top, t.dilation_h, t.stride_h, s_.in_h);
      for (int j = 0; j < t.kernel_w; ++j) {
        const int iw = ref::transposed_source(at.ow, j, t.pad_left, t.dilation_w, t.stride_w, s_.in_w);
        if (ih < 0 || iw < 0) to = put_.pad(to, depth);
        else to = put_.fetch(((ptrdiff_t{at.b} * s_.in_h + ih) * s_.in_w + iw) * s_.in_c, depth, to);
      }
    }
    put_.fill(to, padded - s_.depth(), 0);
  }

private:
  const conv2d_shape& s_;
  row_writer<P, X> put_;
};

}  // namespace lowbits::kernel
