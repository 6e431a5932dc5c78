// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolutions whose operands have up to 16 bits, or whose sums need 64: outputs whose windows lie inside
// the image side by side are made by one call of the primitive, straight from an image of int16_t. Rows of other codes,
// and of channels that are multiplied, become such words in a ring of rows first. Taps outside the image read a row of
// zero points. Without a primitive the reference runs.

#include <lowbits/core/shapes.hpp>
#include <lowbits/kernel/word_gemm.hpp>
#include <lowbits/ref/depthwise.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <class Arch, class X, class W, class Acc, class Rq>
struct word_depthwise {
  using Y = typename Rq::output::storage;
  static constexpr bool is_fast = has_prim<prims::depthwise_words, Arch> && sizeof(X) <= 2;

  static constexpr size_t packed_bytes(const depthwise_shape& s) noexcept {
    if constexpr (is_fast) return suits(s) ? start_bytes(s) + work_bytes(static_cast<size_t>(blocks(s) * block_words(s)), sizeof(int16_t)) : 0;
    else return static_cast<void>(s), 0;
  }
  static constexpr size_t scratch_bytes(const depthwise_shape& s) noexcept {
    if constexpr (is_fast)
      return suits(s) ? work_total(work_bytes(static_cast<size_t>(2 * pairs(s)), sizeof(sliding_tap<int16_t>)) + work_bytes(P::lanes, sizeof(int16_t)) +
                                   2 * work_bytes(static_cast<size_t>(strip(s) * P::lanes), sizeof(int64_t)) +
                                   work_bytes(ones_words(s), sizeof(int16_t)) + work_bytes(P::lanes, sizeof(int64_t)) +
                                   work_bytes(ring_words(s), sizeof(int16_t)))
                      : 0;
    else return static_cast<void>(s), 0;
  }

  /// As kernel::depthwise.
  template <class Bias>
  static void pack(const depthwise_shape& s, const W& w, const Bias* bias, int x_zero, unsigned char* packed) noexcept {
    if constexpr (is_fast) {
      if (!suits(s)) return;
      auto* start = reinterpret_cast<int64_t*>(packed);
      auto* to = reinterpret_cast<int16_t*>(packed + start_bytes(s));
      fill_elements(to, int16_t{0}, static_cast<size_t>(blocks(s) * block_words(s)));
      for (int k = 0; k < blocks(s); ++k, to += block_words(s), start += P::lanes)
        for (int i = 0; i < P::lanes; ++i) {
          const int c = first(s, k) + i;
          start[i] = bias != nullptr && c < s.out_c() ? static_cast<int64_t>(bias[c]) : 0;
          for (int t = 0; t < s.window.taps() && c < s.out_c(); ++t) {
            const int weight = w[static_cast<size_t>(ptrdiff_t{t} * s.out_c() + c)] - w_shift;
            int16_t* const pair = to + (ptrdiff_t{t / 2} * bytes * P::lanes + P::place(i)) * 2 + t % 2;
            if (bytes == 2) *pair = static_cast<int16_t>(weight & 255);
            pair[(bytes - 1) * P::lanes * 2] = static_cast<int16_t>(bytes == 2 ? weight >> 8 : weight);
            start[i] -= int64_t{x_zero + x_shift} * weight;
          }
        }
    }
  }

  template <class Bias>
  static void run(const depthwise_shape& s, const X* x, int x_zero, const W& w, int w_zero, const Bias* bias,
                  const unsigned char* packed, const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if constexpr (is_fast)
      if (packed != nullptr && suits(s)) return run_packed(s, x, x_zero, w_zero - w_shift, packed, rq, y, scratch);
    ref::depthwise<Acc>(s, x, x_zero, w, w_zero, bias, rq, y);
  }

private:
  template <bool exists>
  static auto chosen() noexcept {
    if constexpr (exists) return best_prim<prims::depthwise_words, Arch>{};
  }
  using P = decltype(chosen<is_fast>());
  static constexpr int most_columns = 64;
  /// Weights are signed bytes, or words that w_shift has been taken off.
  static constexpr int bytes = range_of<W>.highest <= 127 && range_of<W>.lowest >= -128 ? 1 : 2, w_shift = range_of<W>.highest > 32767 ? 32768 : 0;
  static constexpr int x_shift = std::is_same_v<X, uint16_t> ? -32768 : 0;  ///< from a code to a word

  static constexpr bool suits(const depthwise_shape& s) noexcept { return s.out_c() > 0 && s.window.taps() > 0; }
  static constexpr bool copies(const depthwise_shape& s) noexcept { return !std::is_same_v<X, int16_t> || s.multiplier != 1; }
  static constexpr size_t ring_words(const depthwise_shape& s) noexcept {
    return copies(s) ? static_cast<size_t>(smaller(s.window.reach_h(), s.in_h)) * static_cast<size_t>(s.in_w) * static_cast<size_t>(s.out_c()) : 0;
  }
  static constexpr size_t ones_words(const depthwise_shape& s) noexcept { return static_cast<size_t>(pairs(s) * P::lanes * 2); }
  static constexpr int pairs(const depthwise_shape& s) noexcept { return ceil_div(s.window.taps(), 2); }
  static constexpr int strip(const depthwise_shape& s) noexcept { return lowbits::clamp(s.out_w, 1, most_columns); }
  static constexpr int blocks(const depthwise_shape& s) noexcept { return ceil_div(s.out_c(), P::lanes); }
  /// The last block ends with the last channel and may overlap the one before it.
  static constexpr int first(const depthwise_shape& s, int k) noexcept {
    return s.out_c() < P::lanes ? 0 : smaller(k * P::lanes, s.out_c() - P::lanes);
  }
  static constexpr ptrdiff_t block_words(const depthwise_shape& s) noexcept { return ptrdiff_t{pairs(s)} * bytes * P::lanes * 2; }
  static constexpr size_t start_bytes(const depthwise_shape& s) noexcept {
    return work_bytes(static_cast<size_t>(blocks(s) * P::lanes), sizeof(int64_t));
  }

  /// A row of the image as words, each channel `multiplier` times.
  static void copy_row(const depthwise_shape& s, const X* from, int16_t* to) noexcept {
    for (ptrdiff_t i = 0; i < ptrdiff_t{s.in_w} * s.in_c; ++i)
      for (int m = 0; m < s.multiplier; ++m) *to++ = static_cast<int16_t>(from[i] + x_shift);
  }

  static void run_packed(const depthwise_shape& s, const X* x, int x_zero, int w_zero, const unsigned char* packed, const Rq& rq,
                         Y* y, unsigned char* scratch) noexcept {
    const window2d& t = s.window;
    work_area area(scratch);
    auto* const taps = area.take<sliding_tap<int16_t>>(static_cast<size_t>(2 * pairs(s)));
    auto* const outside = area.take<int16_t>(P::lanes);
    const auto acc_size = static_cast<size_t>(strip(s) * P::lanes);
    auto *const acc = area.take<int64_t>(acc_size), *const sums = area.take<int64_t>(acc_size);
    auto* const ones = area.take<int16_t>(ones_words(s));
    auto* const ones_start = area.take<int64_t>(P::lanes);
    auto* const ring = area.take<int16_t>(ring_words(s));
    const int zero = x_zero + x_shift, ring_rows = larger(smaller(t.reach_h(), s.in_h), 1);
    fill_elements(outside, static_cast<int16_t>(zero), P::lanes);
    if (w_zero != 0) {  // what it takes off is w_zero times a convolution with ones
      fill_elements(ones, int16_t{1}, ones_words(s));
      fill_elements(ones_start, -int64_t{2} * pairs(s) * zero, P::lanes);
    }
    taps[2 * pairs(s) - 1] = {outside, 0};  // the second of a pair that has one only
    const auto* const start = reinterpret_cast<const int64_t*>(packed);
    const auto* const weights = reinterpret_cast<const int16_t*>(packed + start_bytes(s));
    const ptrdiff_t column = s.out_c(), channels = smaller<ptrdiff_t>(P::lanes, column);
    // Output columns whose windows lie inside the image.
    const int inside_first = smaller(t.pad_left > 0 ? ceil_div(t.pad_left, t.stride_w) : 0, s.out_w), room = s.in_w + t.pad_left - t.reach_w();
    const int inside_last = room < 0 ? 0 : smaller(room / t.stride_w + 1, s.out_w);
    for (int b = 0; b < s.batch; ++b, x += ptrdiff_t{s.in_h} * s.in_w * s.in_c)
      for (int oh = 0, copied = 0; oh < s.out_h; ++oh, y += s.out_w * column) {
        const int top = oh * t.stride_h - t.pad_top;
        if (copies(s)) {
          const int last = smaller(top + t.reach_h(), s.in_h);
          for (copied = larger(copied, top); copied < last; ++copied)
            copy_row(s, x + ptrdiff_t{copied} * s.in_w * s.in_c, ring + copied % ring_rows * s.in_w * column);
        }
        const auto row_of = [&](int ih) -> const int16_t* {
          if constexpr (std::is_same_v<X, int16_t>)
            if (!copies(s)) return x + ptrdiff_t{ih} * s.in_w * column;
          return ring + ih % ring_rows * s.in_w * column;
        };
        for (int k = 0; k < blocks(s); ++k)
          for (int ow = 0, n = 0; ow < s.out_w; ow += n) {
            const bool inside = ow >= inside_first && ow < inside_last;
            n = inside ? smaller(inside_last - ow, most_columns) : 1;
            const int left = ow * t.stride_w - t.pad_left, c = first(s, k);
            for (int i = 0, tap = 0; i < t.kernel_h; ++i)
              for (int j = 0; j < t.kernel_w; ++j, ++tap) {
                const int ih = top + i * t.dilation_h, iw = left + j * t.dilation_w;
                const bool is_there = ih >= 0 && ih < s.in_h && iw >= 0 && iw < s.in_w;
                taps[tap] = {is_there ? row_of(ih) + iw * column + c : outside, is_there ? t.stride_w * column : 0};
              }
            P::template run<bytes>(taps, pairs(s), n, static_cast<int>(channels), weights + k * block_words(s), start + ptrdiff_t{k} * P::lanes, acc);
            if (w_zero != 0) {
              P::template run<1>(taps, pairs(s), n, static_cast<int>(channels), ones, ones_start, sums);
              for (int i = 0; i < n; ++i)
                for (ptrdiff_t j = 0; j < channels; ++j) acc[i * P::lanes + j] -= w_zero * sums[i * P::lanes + j];
            }
            finish_wide<Arch, Acc>(n, static_cast<int>(channels), acc, P::lanes, rq, {0, c}, y + ow * column + c, column);
          }
      }
  }
};

}  // namespace lowbits::kernel
