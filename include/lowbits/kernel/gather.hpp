// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The rows of a convolution's implicit matrix: for each output position, the codes under its window,
// in the order of the weights. Rows are gathered a block at a time, along a row of the output as far
// as possible, so that one call of the primitive serves many positions.

#include <lowbits/core/shapes.hpp>
#include <lowbits/kernel/row_block.hpp>
#include <lowbits/kernel/tap_range.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// Walks over the output positions of all images in order.
struct output_position {
  int b = 0, oh = 0, ow = 0;

  /// n positions on, within the same row of the output or to the start of the next.
  constexpr void next(const conv2d_shape& s, int n = 1) noexcept {
    if ((ow += n) < s.out_w) return;
    ow = 0;
    if (++oh < s.out_h) return;
    oh = 0;
    ++b;
  }
};

/// Writes codes, and padding where there are none, to blocks of rows.
template <class Element, class X>
class row_writer {
public:
  using fetch_type = void (*)(int rows, int n, const X* x, ptrdiff_t x_step, Element* to, ptrdiff_t to_step) noexcept;

  /// Calls is a gemm_calls.
  template <class Calls>
  row_writer(const Calls& calls, const X* x, int x_zero) noexcept
      : fetch_(calls.fetch), x_(x), padding_(static_cast<Element>(x_zero + calls.shift)) {}

  /// Row r takes n codes from x[from + r * step] on.
  void fetch(int rows, int n, ptrdiff_t from, ptrdiff_t step, const row_block<Element>& to) const noexcept {
    if (n > 0) fetch_(rows, n, x_ + from, step, to.at, to.stride);
  }
  void pad(int rows, int n, const row_block<Element>& to) const noexcept {
    if (n > 0) to.fill(rows, n, padding_);
  }

private:
  fetch_type fetch_;
  const X* x_;
  Element padding_;
};

/// The rows of a convolution, for `group`'s channels.
template <class Element, class X>
class window_rows {
public:
  template <class Calls>
  window_rows(const conv2d_shape& s, const Calls& calls, const X* x, int x_zero, int group) noexcept
      : s_(s), put_(calls, x + group * s.group_in(), x_zero), depth_(s.group_in()),
        joins_taps_(s.groups == 1 && s.window.dilation_w == 1) {  // neighbouring taps lie side by side
    const window2d& t = s.window;
    inside_first_ = t.pad_left > 0 ? ceil_div(t.pad_left, t.stride_w) : 0;
    const int room = s.in_w + t.pad_left - t.reach_w();
    inside_last_ = room < 0 ? 0 : smaller(room / t.stride_w + 1, s.out_w);
  }

  /// n rows from position `at` on, which moves behind them.
  void write(output_position& at, int n, row_block<Element> to) const noexcept {
    for (int done = 0; done < n;) {
      const bool inside = at.ow >= inside_first_ && at.ow < inside_last_;
      const int run = inside ? smaller(n - done, inside_last_ - at.ow) : 1;
      write_run(at, run, to.from(done));
      done += run;
      at.next(s_, run);
    }
  }

private:
  /// Positions whose windows lie inside the input horizontally, or a single one.
  void write_run(const output_position& at, int rows, row_block<Element> to) const noexcept {
    const window2d& t = s_.window;
    const int ih = at.oh * t.stride_h - t.pad_top, iw = at.ow * t.stride_w - t.pad_left;
    const tap_range down(ih, t.kernel_h, t.dilation_h, s_.in_h), across(iw, t.kernel_w, t.dilation_w, s_.in_w);
    const ptrdiff_t step = ptrdiff_t{t.stride_w} * s_.in_c;
    const int line = t.kernel_w * depth_;
    put_.pad(rows, down.first * line, to);
    for (int i = down.first; i < down.last; ++i) {
      const row_block<Element> taps = to.from(0, i * line);
      const ptrdiff_t from = ((ptrdiff_t{at.b} * s_.in_h + ih + i * t.dilation_h) * s_.in_w + iw) * s_.in_c;
      put_.pad(rows, across.first * depth_, taps);
      if (joins_taps_) {
        put_.fetch(rows, across.count() * depth_, from + ptrdiff_t{across.first} * depth_, step,
                   taps.from(0, across.first * depth_));
      } else {
        for (int j = across.first; j < across.last; ++j)
          put_.fetch(rows, depth_, from + ptrdiff_t{j} * t.dilation_w * s_.in_c, step, taps.from(0, j * depth_));
      }
      put_.pad(rows, (t.kernel_w - across.last) * depth_, taps.from(0, across.last * depth_));
    }
    put_.pad(rows, (t.kernel_h - down.last) * line, to.from(0, down.last * line));
  }

  const conv2d_shape& s_;
  row_writer<Element, X> put_;
  int depth_;
  bool joins_taps_;
  int inside_first_, inside_last_;  ///< output columns whose window lies inside the input
};

/// The rows of a transposed convolution: through each tap the input position that reaches the output.
template <class Element, class X>
class spread_rows {
public:
  template <class Calls>
  spread_rows(const conv2d_shape& s, const Calls& calls, const X* x, int x_zero, int group) noexcept
      : s_(s), put_(calls, x + group * s.group_in(), x_zero) {}

  void write(output_position& at, int n, row_block<Element> to) const noexcept {
    for (int r = 0; r < n; ++r, at.next(s_)) write_one(at, to.from(r));
  }

private:
  void write_one(const output_position& at, row_block<Element> to) const noexcept {
    const window2d& t = s_.window;
    const int depth = s_.group_in();
    for (int i = 0; i < t.kernel_h; ++i) {
      const int ih = ref::transposed_source(at.oh, i, t.pad_top, t.dilation_h, t.stride_h, s_.in_h);
      for (int j = 0; j < t.kernel_w; ++j, to.at += depth) {
        const int iw = ref::transposed_source(at.ow, j, t.pad_left, t.dilation_w, t.stride_w, s_.in_w);
        if (ih < 0 || iw < 0) put_.pad(1, depth, to);
        else put_.fetch(1, depth, ((ptrdiff_t{at.b} * s_.in_h + ih) * s_.in_w + iw) * s_.in_c, 0, to);
      }
    }
  }

  const conv2d_shape& s_;
  row_writer<Element, X> put_;
};

}  // namespace lowbits::kernel
