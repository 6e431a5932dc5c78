// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Softmax of 8-bit codes on an architecture. Gives the bytes of ref/softmax.hpp: an exponential depends
// only on how far a code is below its row's largest, so each is computed once, and rows longer than
// that range go through a table of output codes.

#include <lowbits/kernel/eltwise.hpp>
#include <lowbits/ref/softmax.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

namespace detail {

/// The largest of n > 0 codes; many are taken as windows of one row and many channels, then of fewer.
template <class Arch, class X>
X highest_code(int n, const X* x) noexcept {
  X best = x[0];
  if constexpr (has_prim<prims::window_max, Arch>) {
    const auto windows = [&]<int Channels>(int count, const X* from, X (&to)[Channels]) {
      best_prim<prims::window_max, Arch>::run(code_grid<X>{from, 1, count / Channels, 0, Channels}, Channels, lowest_of<X>, highest_of<X>, to);
    };
    X wide[64], few[16];
    if (n >= 128) windows(n, x, wide), windows(64, wide, few);
    else if (n >= 16) windows(n, x, few);
    if (n >= 16) {
      for (const X v : few) best = larger(best, v);
      const int done = n >= 128 ? n / 64 * 64 : n / 16 * 16;
      x += done;
      n -= done;
    }
  }
  for (int i = 0; i < n; ++i) best = larger(best, x[i]);
  return best;
}

/// Exponentials of codes d below the largest, at place 255 - d, and what each adds to a sum; below zero:
/// not known yet. Seen from place 255 - highest they are those of a row's codes, in order, and 0 above.
struct known_exponentials {
  int32_t exp[511], part[256];

  known_exponentials() noexcept {
    for (int32_t& e : exp) e = 0;
    for (int32_t& p : part) p = -1;
  }
  [[gnu::noinline]] void find(int place, const softmax_params& p) noexcept {
    exp[place] = p.exp(place - 255);
    part[place] = softmax_params::add(0, exp[place]);
  }
};

}  // namespace detail

/// x and y [rows][depth]. Uses 5 KiB of stack.
template <class Arch, class X, class Y>
void softmax(int rows, int depth, const X* x, const softmax_params& p, Y* y) noexcept {
  static_assert(sizeof(X) == 1, "wider codes: ref::softmax");
  constexpr int most = 256, first = lowest_of<X>;
  detail::known_exponentials known;
  for (int r = 0; depth > 0 && r < rows; ++r, x += depth, y += depth) {
    const int top = 255 - detail::highest_code<Arch>(depth, x);  // the place of code 0
    // No exponential is below zero: holding the sum once is holding it always.
    int64_t sum = 0;
    int32_t row[most];  // the exponentials of a short row
    const bool is_short = depth <= most;
    const auto sum_up = [&](auto visit) {
      for (int i = 0; i < depth; ++i) {
        const int place = top + x[i];
        if (known.part[place] < 0) [[unlikely]] known.find(place, p);
        sum += known.part[place];
        visit(i, place);
      }
    };
    if (is_short) sum_up([&](int i, int place) { row[i] = known.exp[place]; });
    else sum_up([](int, int) {});
    const auto reciprocal = p.invert(saturate<int32_t>(sum));
    const auto codes = [&](int n, const int32_t* exp, Y* to) {
      if constexpr (sizeof(Y) == 1 && has_prim<prims::requantize, Arch>) {
        if (reciprocal.exponent <= 31) {  // what p.code does is this rescaling
          const fixed_multiplier factor{reciprocal.scale, -reciprocal.exponent};
          best_prim<prims::requantize, Arch>::template run<rescale_rule::twice>(
              1, n, exp, n, {&factor, false}, {p.lowest, p.lowest, p.highest}, to, n);
          return;
        }
      }
      for (int i = 0; i < n; ++i) to[i] = static_cast<Y>(p.code(exp[i], reciprocal));
    };
    if (is_short) {
      codes(depth, row, y);
    } else {
      Y table[most];  // by the codes' bits: those below zero come last
      codes(most + first, known.exp + top, table);
      if constexpr (first < 0) codes(-first, known.exp + (top + first), table + (most + first));
      if constexpr (sizeof(Y) == 1) lookup<Arch>(static_cast<size_t>(depth), x, reinterpret_cast<const uint8_t*>(table), y);
      else for (int i = 0; i < depth; ++i) y[i] = table[static_cast<uint8_t>(x[i])];
    }
  }
}

}  // namespace lowbits::kernel
