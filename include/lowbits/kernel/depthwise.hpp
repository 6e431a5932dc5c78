// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution on an architecture. Gives the bytes of ref::depthwise.
//
// 8-bit activations and 8-bit or narrower weights run across the channels, a block at a time. Rows of
// codes are gathered into a strip of columns, which stays in an L1 cache: each column holds the codes
// of some taps side by side, as the processor multiplies them (see prims::depthwise). All taps of a
// kernel column use the same strip column, and so do two neighbouring output rows where that is free.
// Windows of three columns slide over the image itself where the processor can (depthwise_window.hpp).
// Operands of more than 8 bits have a kernel of their own (depthwise_words.hpp). Anything else is left to the
// reference.

#include <lowbits/kernel/depthwise_plan.hpp>
#include <lowbits/kernel/depthwise_window.hpp>
#include <lowbits/kernel/depthwise_words.hpp>
#include <lowbits/kernel/finish.hpp>
#include <lowbits/kernel/operand.hpp>
#include <lowbits/ref/depthwise.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <class Arch, class X, class W, class Rq>
struct byte_depthwise {
  using Y = typename Rq::output::storage;
  static constexpr bool is_fast = has_prim<prims::depthwise, Arch> && byte_shift<W> == 0;

  /// Bytes of prepared weights; 0: runs from the weights as they are.
  static constexpr size_t packed_bytes(const depthwise_shape& s) noexcept {
    if constexpr (slides)
      if (windows(s).suits() && has_work(s)) return windows(s).packed_bytes();
    if constexpr (is_fast) return has_work(s) ? plan(s).packed_bytes() : 0;
    else return static_cast<void>(s), 0;
  }
  static constexpr size_t scratch_bytes(const depthwise_shape& s) noexcept {
    if constexpr (slides)
      if (windows(s).suits() && has_work(s)) return windows(s).scratch_bytes();
    if constexpr (is_fast) return has_work(s) ? plan(s).scratch_bytes(!is_fused) : 0;
    else return static_cast<void>(s), 0;
  }

  /// Writes packed_bytes at a multiple of 64. The prepared weights hold for this x_zero, and for
  /// weights whose zero point is 0.
  template <class Bias>
  static void pack(const depthwise_shape& s, const W& w, const Bias* bias, int x_zero, unsigned char* packed) noexcept {
    if constexpr (is_fast) {
      if (!has_work(s)) return;
      const auto weight_of = [&](int t, int c) { return int{w[static_cast<size_t>(ptrdiff_t{t} * s.out_c() + c)]}; };
      const auto begin = [&](int c) { return bias != nullptr ? static_cast<int32_t>(bias[c]) : 0; };
      if constexpr (slides)
        if (windows(s).suits()) return windows(s).pack(weight_of, begin, x_zero + windows(s).template shift<X>, packed);
      plan(s).pack(weight_of, begin, x_zero + P::template shift<X>, packed);
    }
  }

  /// bias may be null. packed may be null where packed_bytes is 0; elsewhere null, and a w_zero other
  /// than 0, mean that the reference runs.
  template <class Bias>
  static void run(const depthwise_shape& s, const X* x, int x_zero, const W& w, int w_zero, const Bias* bias,
                  const unsigned char* packed, const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if constexpr (is_fast) {
      if (packed != nullptr && w_zero == 0 && has_work(s)) return run_packed(s, x, x_zero, packed, rq, y, scratch);
    }
    ref::depthwise<int32_t>(s, x, x_zero, w, w_zero, bias, rq, y);
  }

private:
  template <class Op, bool exists>
  struct chosen {
    using type = void;
  };
  template <class Op>
  struct chosen<Op, true> {
    using type = best_prim<Op, Arch>;
  };
  using P = typename chosen<prims::depthwise, is_fast>::type;
  /// The primitive makes the codes; else it makes sums, which stay in the scratch.
  static constexpr bool is_fused = has_fast_finish<Arch, Rq>();

  static constexpr bool slides = is_fast && is_fused && has_prim<prims::depthwise_window, Arch>;
  using sliding = typename chosen<prims::depthwise_window, slides>::type;
  static constexpr auto windows(const depthwise_shape& s) noexcept { return depthwise_window_plan<sliding>{s}; }

  static constexpr bool has_work(const depthwise_shape& s) noexcept { return s.out_c() > 0 && s.window.taps() > 0; }
  static constexpr auto plan(const depthwise_shape& s) noexcept { return depthwise_plan<P>{s}; }

  static void run_packed(const depthwise_shape& s, const X* x, int x_zero, const unsigned char* packed, const Rq& rq,
                         Y* y, unsigned char* scratch) noexcept {
    if constexpr (slides)
      if (windows(s).suits()) {
        const auto factors = [&](int c) { return raw_factors(rq, c); };
        return windows(s).template run<rule_of<typename Rq::policy>::value>(x, x_zero, packed, factors, raw_stage(rq.stage), y, scratch);
      }
    const auto p = plan(s);
    depthwise_gather<P, X> strip(p, x, x_zero, scratch);
    auto* const acc = strip.area.template take<int32_t>(is_fused ? 0 : p.sum_count());
    const int width = p.strip(), channels = s.out_c();
    const ptrdiff_t y_row = ptrdiff_t{s.out_w} * channels;
    for (int b = 0; b < s.batch; ++b)
      for (int oh = 0, n = 0; oh < s.out_h; oh += n, y += n * y_row) {
        const int rows = smaller(p.rows(), s.out_h - oh), strips = smaller(p.strips(), (s.out_h - oh) / rows);
        n = strips * rows;
        for (int ow = 0; ow < s.out_w; ow += width)
          for (int k = 0; k < p.blocks(); ++k) {
            const int c = p.first(k);
            strip.fill(strips, b, oh, ow, c);
            const auto part = strip.part(packed, k, strips, rows, smaller(width, s.out_w - ow));
            Y* to = y + ptrdiff_t{ow} * channels + c;
            if constexpr (is_fused) {
              P::template run<rule_of<typename Rq::policy>::value>(part, raw_factors(rq, c), raw_stage(rq.stage), to,
                                                                   y_row, channels);
            } else {
              const ptrdiff_t acc_row = ptrdiff_t{part.count} * P::lanes;
              P::sums(part, acc, acc_row, P::lanes);
              for (int r = 0; r < n; ++r)
                finish<Arch>(part.count, part.channels, acc + r * acc_row, P::lanes, rq, {0, c}, to + r * y_row, channels);
            }
          }
      }
  }
};

template <class Arch, class X, class W, class Acc, class Rq>
struct depthwise : std::conditional_t<is_word_product<X, W, Acc>, word_depthwise<Arch, X, W, Acc, Rq>, byte_depthwise<Arch, X, W, Rq>> {};

}  // namespace lowbits::kernel
