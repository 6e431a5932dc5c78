// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution on an architecture. Gives the bytes of ref::depthwise.
//
// With a multiplier of 1, 8-bit activations and 8-bit or narrower weights run across the channels.
// A tap outside the input reads a row of zero points. Anything else is left to the reference.

#include <lowbits/kernel/finish.hpp>
#include <lowbits/kernel/operand.hpp>
#include <lowbits/kernel/work_area.hpp>
#include <lowbits/ref/depthwise.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// The layout of prepared weights: start values of all channels, then for each block of P::lanes
/// channels the taps two by two. The last block ends with the last channel and may overlap the one
/// before it.
template <class P>
struct depthwise_weights {
  int channels = 0;
  int taps = 0;

  constexpr int pairs() const noexcept { return ceil_div(taps, 2); }
  constexpr int blocks() const noexcept { return ceil_div(channels, P::lanes); }
  constexpr int first(int block) const noexcept {
    return channels < P::lanes ? 0 : smaller(block * P::lanes, channels - P::lanes);
  }
  constexpr size_t start_bytes() const noexcept { return work_bytes(static_cast<size_t>(channels), sizeof(int32_t)); }
  constexpr size_t block_size() const noexcept { return static_cast<size_t>(pairs()) * 2 * P::lanes; }
  constexpr size_t bytes() const noexcept {
    return start_bytes() + work_bytes(static_cast<size_t>(blocks()) * block_size(), sizeof(int16_t));
  }
  const int32_t* start(const unsigned char* packed) const noexcept { return reinterpret_cast<const int32_t*>(packed); }
  const int16_t* block(const unsigned char* packed, int b) const noexcept {
    return reinterpret_cast<const int16_t*>(packed + start_bytes()) + static_cast<size_t>(b) * block_size();
  }

  /// weight(t, c) is in [-128, 127]; a channel starts at begin(c) - zero * sum of its weights.
  template <class Weight, class Begin>
  void pack(Weight&& weight, Begin&& begin, int zero, unsigned char* packed) const noexcept {
    auto* starts = reinterpret_cast<int32_t*>(packed);
    for (int c = 0; c < channels; ++c) {
      auto sum = static_cast<uint32_t>(begin(c));
      for (int t = 0; t < taps; ++t) sum -= static_cast<uint32_t>(zero * weight(t, c));
      starts[c] = static_cast<int32_t>(sum);
    }
    auto* to = reinterpret_cast<int16_t*>(packed + start_bytes());
    for (int b = 0; b < blocks(); ++b)
      for (int p = 0; p < pairs(); ++p, to += 2 * P::lanes)
        for (int k = 0; k < P::lanes; ++k)
          for (int t = 2 * p; t < 2 * p + 2; ++t) {
            const int c = first(b) + k;
            to[P::place(k) * 2 + t % 2] = static_cast<int16_t>(t < taps && c < channels ? weight(t, c) : 0);
          }
  }
};

template <class Arch, class X, class W, class Acc, class Rq>
struct depthwise {
  using Y = typename Rq::output::storage;
  static constexpr bool is_fast =
      has_prim<prims::depthwise, Arch> && sizeof(X) == 1 && fits_byte<W> && byte_shift<W> == 0 && std::is_same_v<Acc, int32_t>;

  /// Bytes of prepared weights; 0: runs from the weights as they are.
  static constexpr size_t packed_bytes(const depthwise_shape& s) noexcept {
    if constexpr (is_fast) return s.multiplier == 1 && s.in_c > 0 && s.window.taps() > 0 ? weights(s).bytes() : 0;
    else return static_cast<void>(s), 0;
  }
  static constexpr size_t scratch_bytes(const depthwise_shape& s) noexcept {
    if constexpr (is_fast) {
      if (packed_bytes(s) == 0) return 0;
      return work_total(work_bytes(tap_count(s), sizeof(sliding_tap<X>)) + work_bytes(static_cast<size_t>(s.in_c), 1) +
                        work_bytes(acc_count(s), sizeof(int32_t)));
    } else {
      return static_cast<void>(s), 0;
    }
  }

  /// Writes packed_bytes at a multiple of 64. The prepared weights hold for this x_zero, and for
  /// weights whose zero point is 0.
  template <class Bias>
  static void pack(const depthwise_shape& s, const W& w, const Bias* bias, int x_zero, unsigned char* packed) noexcept {
    if constexpr (is_fast) {
      if (packed_bytes(s) == 0) return;
      weights(s).pack([&](int t, int c) { return int{w[static_cast<size_t>(ptrdiff_t{t} * s.in_c + c)]}; },
                      [&](int c) { return bias != nullptr ? static_cast<int32_t>(bias[c]) : 0; }, x_zero, packed);
    }
  }

  /// bias may be null. packed may be null where packed_bytes is 0; elsewhere null, and a w_zero other
  /// than 0, mean that the reference runs.
  template <class Bias>
  static void run(const depthwise_shape& s, const X* x, int x_zero, const W& w, int w_zero, const Bias* bias,
                  const unsigned char* packed, const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if constexpr (is_fast) {
      if (packed != nullptr && w_zero == 0 && packed_bytes(s) != 0) return run_packed(s, x, x_zero, packed, rq, y, scratch);
    }
    ref::depthwise<Acc>(s, x, x_zero, w, w_zero, bias, rq, y);
  }

private:
  static constexpr auto weights(const depthwise_shape& s) noexcept {
    return depthwise_weights<best_prim<prims::depthwise, Arch>>{s.in_c, s.window.taps()};
  }
  static constexpr size_t tap_count(const depthwise_shape& s) noexcept {
    return static_cast<size_t>(weights(s).pairs()) * 2;
  }
  /// Output positions taken together: their accumulators stay in an L1 cache.
  static constexpr int chunk(const depthwise_shape& s) noexcept {
    return lowbits::clamp(4096 / larger(s.in_c, 1), 1, smaller(16, larger(s.out_w, 1)));
  }
  static constexpr size_t acc_count(const depthwise_shape& s) noexcept {
    return static_cast<size_t>(chunk(s)) * static_cast<size_t>(s.in_c);
  }

  /// Points the taps of output row (b, oh) at position ow; taps outside the input at the zero row.
  static void aim(const depthwise_shape& s, const X* x, const X* zero_row, int b, int oh, int ow,
                  sliding_tap<X>* taps) noexcept {
    const window2d& t = s.window;
    for (int i = 0; i < t.kernel_h; ++i)
      for (int j = 0; j < t.kernel_w; ++j) {
        const int ih = oh * t.stride_h - t.pad_top + i * t.dilation_h;
        const int iw = ow * t.stride_w - t.pad_left + j * t.dilation_w;
        const bool inside = ih >= 0 && ih < s.in_h && iw >= 0 && iw < s.in_w;
        *taps++ = inside ? sliding_tap<X>{x + ((ptrdiff_t{b} * s.in_h + ih) * s.in_w + iw) * s.in_c,
                                          ptrdiff_t{t.stride_w} * s.in_c}
                         : sliding_tap<X>{zero_row, 0};
      }
    if (t.taps() % 2 != 0) *taps = {zero_row, 0};
  }
  /// How many positions from ow on, at most n, have every column of the window inside the input; 1
  /// where ow itself has not.
  static constexpr int run_length(const window2d& t, int in_w, int ow, int n) noexcept {
    const int first = ow * t.stride_w - t.pad_left, room = in_w - t.reach_w() - first;
    return first < 0 || room < 0 ? 1 : smaller(n, room / t.stride_w + 1);
  }

  static void run_packed(const depthwise_shape& s, const X* x, int x_zero, const unsigned char* packed, const Rq& rq,
                         Y* y, unsigned char* scratch) noexcept {
    using P = best_prim<prims::depthwise, Arch>;
    const auto w = weights(s);
    work_area area(scratch);
    auto* const taps = area.take<sliding_tap<X>>(tap_count(s));
    auto* const zero_row = area.take<X>(static_cast<size_t>(s.in_c));
    auto* const acc = area.take<int32_t>(acc_count(s));
    for (int c = 0; c < s.in_c; ++c) zero_row[c] = static_cast<X>(x_zero);
    for (int b = 0; b < s.batch; ++b)
      for (int oh = 0; oh < s.out_h; ++oh)
        for (int ow = 0, n = 0; ow < s.out_w; ow += n, y += ptrdiff_t{n} * s.in_c) {
          n = run_length(s.window, s.in_w, ow, smaller(chunk(s), s.out_w - ow));
          aim(s, x, zero_row, b, oh, ow, taps);
          for (int k = 0; k < w.blocks(); ++k)
            P::run(w.pairs(), taps, w.first(k), n, smaller(P::lanes, s.in_c), w.block(packed, k),
                   w.start(packed) + w.first(k), acc + w.first(k), s.in_c);
          finish<Arch>(n, s.in_c, acc, s.in_c, rq, 0, y, s.in_c);
        }
  }
};

}  // namespace lowbits::kernel
