// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of batches of matrices as in matmul.hpp, where one operand at least has more than 8 bits or sums
// have more than 32.

#include <lowbits/kernel/matrices.hpp>
#include <lowbits/kernel/word_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// As word_weights::pack without a bias, quick enough to be done each time: `ones` is room for a row of words,
/// `tile` for one row of a tile. Weights are less `shift`.
template <class X, class Rq, class W>
void pack_words(const word_calls<X, Rq>& p, const word_weights& layout, const matrix_codes<W>& w, int shift, int zero,
                unsigned char* packed, int16_t* ones) noexcept {
  const int step = layout.tile.depth_step;
  auto* const starts = reinterpret_cast<int64_t*>(packed);
  fill_elements(starts, int64_t{0}, static_cast<size_t>(layout.padded_cols()));
  auto* to = packed + layout.start_bytes();
  for (int c0 = 0; c0 < layout.padded_cols(); c0 += layout.tile.cols) {
    const int width = layout.width(c0), used = lowbits::clamp(layout.cols - c0, 0, width), bytes = width * step;
    for (int k0 = 0; k0 < layout.padded_depth(); k0 += step, to += layout.weight_bytes * bytes) {
      if (used < width || k0 + step > layout.depth) fill_elements(to, static_cast<unsigned char>(0), static_cast<size_t>(layout.weight_bytes * bytes));
      for (int k = k0; k < smaller(k0 + step, layout.depth); ++k) {
        const W* from = w.at + c0 * w.by_col + k * w.by_depth;
        unsigned char* low = to + (k - k0);
        for (int c = 0; c < used; ++c, from += w.by_col, low += step) {
          const int weight = *from - shift;
          *low = static_cast<unsigned char>(weight & 255);
          if (layout.weight_bytes == 2) low[bytes] = static_cast<unsigned char>(weight >> 8 & 255);
        }
      }
    }
    if (zero == 0) continue;
    fill_elements(ones, int16_t{1}, static_cast<size_t>(layout.padded_depth()));
    int64_t* const sums = starts + c0;
    p.run(1, width, layout.steps(), ones, 0, layout.panel(packed, c0), sums, sums);
    for (int c = 0; c < width; ++c) sums[c] *= -int64_t{zero};
  }
}

template <class Arch, class X, class W, class Acc, class Rq>
struct word_matmul {
  using Y = typename Rq::output::storage;
  static constexpr bool is_fast = has_prim<prims::gemm_words, Arch> && sizeof(X) <= 2;

  static constexpr size_t scratch_bytes(const matmul_shape& s) noexcept {
    if constexpr (is_fast) {
      const word_weights w = weights(s);
      return work_total(matrices_bytes<X>(s, w) + gemm_block<int16_t, int64_t>(w, s.rows).bytes());
    } else {
      return static_cast<void>(s), 0;
    }
  }
  static void run(const matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero, const Rq& rq, Y* y,
                  unsigned char* scratch) noexcept {
    if constexpr (is_fast) run_packed(word_calls_of<Arch, X, bytes, Acc, Rq>, s, x, x_zero, w, w_zero, rq, y, scratch);
    else ref::matmul<Acc>(s, x, x_zero, w, w_zero, rq, y);
  }

private:
  static constexpr int bytes = word_bytes<const W*>, shift = word_shift<const W*>;
  static constexpr word_weights weights(const matmul_shape& s) noexcept {
    return {tile_of<best_prim<prims::gemm_words, Arch>>, bytes, s.depth, s.cols};
  }

  static void run_packed(const word_calls<X, Rq>& calls, const matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero,
                         const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    work_area area(scratch);
    const word_product p(calls, weights(s), s.rows, area);
    auto* const packed = area.take<unsigned char>(p.weights.bytes());
    auto* const gathered = area.take<X>(static_cast<size_t>(s.depth));
    run_matrices(p, s, x, x_zero, w, w_zero - shift, rq, y, packed, gathered, [&](const matrix_codes<W>& codes, unsigned char* to) {
      pack_words(calls, p.weights, codes, shift, x_zero + calls.shift, to, p.area.x.at);
    });
  }
};

}  // namespace lowbits::kernel
