// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution by small windows that slide over the image itself (prims::depthwise_window).

#include <lowbits/arch/prim.hpp>
#include <lowbits/core/shapes.hpp>
#include <lowbits/kernel/work_area.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// How the work is cut into blocks of channels and bands of rows. The last block ends with the last channel
/// and may overlap the one before it. Prepared weights: the start values of all blocks, then their weights.
template <class P>
struct depthwise_window_plan {
  static constexpr int band_target = 16384;  ///< bytes of cache lines of the input one block goes over at once
  template <class X>
  static constexpr int shift = X(-1) < X(0) ? 128 : 0;  ///< brings codes to 0 to 255
  depthwise_shape s;

  constexpr bool suits() const noexcept {
    const window2d& t = s.window;
    return t.kernel_w == 3 && t.kernel_h > 1 && t.kernel_h <= 3 && t.dilation_w == 1 && t.stride_w <= 2 && s.multiplier == 1 &&
           s.in_c >= P::lanes && s.in_w > 0;
  }
  constexpr int blocks() const noexcept { return ceil_div(s.in_c, P::lanes); }
  constexpr int first(int block) const noexcept { return smaller(block * P::lanes, s.in_c - P::lanes); }
  /// Output rows made from the same four input rows.
  constexpr int rows() const noexcept {
    const window2d& t = s.window;
    return t.stride_h == 1 && t.stride_w == 1 && t.dilation_h == 1 ? 2 : 1;
  }
  /// Output rows of a block before the next one, which shares cache lines with it, comes to them.
  constexpr int band() const noexcept {
    const int fit = band_target / larger(s.in_w * smaller(s.in_c, 64), 1) / s.window.stride_h;
    return larger(fit / rows(), 1) * rows();
  }

  static constexpr int block_weights = 3 * 2 * 4 * P::lanes;
  using weight = typename P::weight;
  constexpr size_t start_bytes() const noexcept { return work_bytes(static_cast<size_t>(blocks()) * P::lanes, sizeof(int32_t)); }
  constexpr size_t packed_bytes() const noexcept {
    return start_bytes() + work_bytes(static_cast<size_t>(blocks()) * block_weights, sizeof(weight));
  }
  constexpr size_t scratch_bytes() const noexcept { return work_total(work_bytes(static_cast<size_t>(s.in_w * s.in_c), 1)); }
  const int32_t* start(const unsigned char* packed, int block) const noexcept {
    return reinterpret_cast<const int32_t*>(packed) + ptrdiff_t{block} * P::lanes;
  }
  const weight* weights(const unsigned char* packed, int block) const noexcept {
    return reinterpret_cast<const weight*>(packed + start_bytes()) + ptrdiff_t{block} * block_weights;
  }

  /// weight_of(t, c) is in [-128, 127]; a channel starts at begin(c) - zero * sum of its weights.
  template <class Weight, class Begin>
  void pack(Weight&& weight_of, Begin&& begin, int zero, unsigned char* packed) const noexcept {
    auto* starts = reinterpret_cast<int32_t*>(packed);
    auto* to = reinterpret_cast<weight*>(packed + start_bytes());
    for (int b = 0; b < blocks(); ++b, to += block_weights)
      for (int k = 0; k < P::lanes; ++k) {
        const int c = first(b) + k;
        auto sum = static_cast<uint32_t>(begin(c));
        for (int t = 0; t < s.window.taps(); ++t) sum -= static_cast<uint32_t>(zero * weight_of(t, c));
        *starts++ = static_cast<int32_t>(sum);
        for (int t = 0; t < 3; ++t)
          for (int r = 0; r < 2; ++r)
            for (int d = 0; d < 4; ++d) {
              const int i = d - (rows() == 2 ? r : 0);
              to[(((2 * t + r) * 4 + d) / P::depth * P::lanes + k) * P::depth + d % P::depth] =
                  static_cast<weight>(i >= 0 && i < s.window.kernel_h ? weight_of(3 * i + t, c) : 0);
            }
      }
  }

  template <rescale_rule Rule, class X, class Factors, class Y>
  void run(const X* x, int x_zero, const unsigned char* packed, const Factors& factors, const code_stage& stage, Y* y,
           unsigned char* scratch) const noexcept {
    const window2d& t = s.window;
    const ptrdiff_t channels = s.in_c, x_row = s.in_w * channels, y_row = s.out_w * channels;
    auto* const outside = work_area(scratch).template take<X>(static_cast<size_t>(x_row));
    for (ptrdiff_t i = 0; i < x_row; ++i) outside[i] = static_cast<X>(x_zero);
    depthwise_image<weight> v{};
    v.outside = reinterpret_cast<const unsigned char*>(outside);
    v.shift = shift<X>;
    v.row = x_row;
    v.column = channels;
    v.in_h = s.in_h;
    v.in_w = s.in_w;
    v.left = -t.pad_left;
    v.stride_h = t.stride_h;
    v.stride_w = t.stride_w;
    v.dilation_h = t.dilation_h;
    v.rows = rows();
    v.out_w = s.out_w;
    for (int b = 0; b < s.batch; ++b, x += s.in_h * x_row, y += s.out_h * y_row)
      for (int oh = 0; oh < s.out_h; oh += v.out_h) {
        v.out_h = smaller(band(), s.out_h - oh);
        v.top = oh * t.stride_h - t.pad_top;
        for (int k = 0; k < blocks(); ++k) {
          const int c = first(k);
          v.x = reinterpret_cast<const unsigned char*>(x) + c;
          v.w = weights(packed, k);
          v.start = start(packed, k);
          P::template run<Rule>(v, factors(c), stage, y + oh * y_row + c, y_row, channels);
        }
      }
  }
};

}  // namespace lowbits::kernel
