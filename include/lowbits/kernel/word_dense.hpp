// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rows of codes times constant weights as in dense.hpp, where one operand at least has more than 8 bits. Sums
// are exact in 64 bits. Gives the bytes of ref::gemm.

#include <lowbits/kernel/dense.hpp>
#include <lowbits/kernel/word_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// What the sums of a product of words are handed on as.
template <class Rq>
using word_sum = std::conditional_t<std::is_same_v<Rq, raw_accumulator<int32_t>>, int32_t, int64_t>;

/// See dense.
template <class Arch, class X, class W, class Rq>
struct word_dense {
  using arch = Arch;
  using Y = typename Rq::output::storage;
  using P = best_prim<prims::gemm_words, Arch>;
  static constexpr int row_grain = P::rows, col_grain = P::cols;

  static constexpr size_t packed_bytes(const gemm_shape& s) noexcept { return weights(s).bytes(); }
  static constexpr size_t scratch_bytes(const gemm_shape& s) noexcept { return work_total(block(s).bytes()); }

  static void pack(const gemm_shape& s, const W& w, const int64_t* bias, int x_zero, unsigned char* packed) noexcept {
    weights(s).pack([&](int c, int k) { return int{w[static_cast<size_t>(ptrdiff_t{c} * s.depth + k)]} - word_shift<W>; },
                    [&](int c) { return bias != nullptr ? bias[c] : 0; }, x_zero + P::template shift<X>, packed);
  }

  static void run(const gemm_shape& s, const gemm_part& part, const X* x, int x_zero, int w_zero,
                  const unsigned char* packed, const Rq& rq, Y* y, const residual<Y>& added,
                  unsigned char* scratch) noexcept {
    constexpr const auto& calls = word_calls_of<Arch, X, word_bytes<W>, word_sum<Rq>, Rq>;
    const auto w = weights(s);
    const int zero = w_zero - word_shift<W>;
    const auto rows = block(s);
    work_area area(scratch);
    const row_block<int16_t> x_rows{area.take<int16_t>(rows.elements()), static_cast<ptrdiff_t>(rows.stride())};
    auto* const tile = area.take<int64_t>(rows.tile_size);
    auto* const offsets = area.take<int64_t>(static_cast<size_t>(rows.rows));
    for (int64_t row = part.first_row; row < part.last_row;) {
      const auto b = s.batch == 1 ? 0 : static_cast<ptrdiff_t>(row / s.rows);
      const int r = static_cast<int>(row - b * s.rows);
      const int n = static_cast<int>(smaller<int64_t>(smaller(rows.rows, s.rows - r), part.last_row - row));
      P::fetch(n, s.depth, x + b * s.x_matrix_step() + r * s.x_row_step(), s.x_row_step(), x_rows.at, x_rows.stride);
      x_rows.from(0, s.depth).fill(n, rows.depth - s.depth, 0);
      if (zero != 0)
        for (int i = 0; i < n; ++i) offsets[i] = calls.row_offset(x_rows.from(i).at, s.depth, x_zero, zero);
      const ptrdiff_t to = b * s.y_matrix_step() + r * s.y_row_step();
      word_rows(calls, n, x_rows.at, x_rows.stride, w, packed, part.cols, zero != 0 ? offsets : nullptr, rq, {row, 0}, y + to,
                s.y_row_step(), tile);
      if (added.codes != nullptr) add_residual<Arch>(s, n, part.cols, added, y + to, added.codes + to);
      row += n;
    }
  }

private:
  static constexpr word_weights weights(const gemm_shape& s) noexcept { return {word_tile_of<P>, word_bytes<W>, s.depth, s.cols}; }
  static constexpr word_block block(const gemm_shape& s) noexcept {
    return word_block(weights(s), smaller<int64_t>(s.rows, int64_t{s.batch} * s.rows));
  }
};

/// The kernel of lb::gemm on an architecture, and what its sums and biases are.
template <class Arch, class X, class W, class Rq>
struct chosen_dense {
  using type = std::conditional_t<has_prim<prims::gemm, Arch>, dense<Arch, X, W, Rq>, plain_dense<Arch, X, W, int32_t, int32_t, Rq>>;
};
template <class Arch, class X, class W, class Rq>
  requires is_word_product<X, W, int32_t>
struct chosen_dense<Arch, X, W, Rq> {
  using type = std::conditional_t<has_prim<prims::gemm_words, Arch>, word_dense<Arch, X, W, Rq>,
                                  plain_dense<Arch, X, W, word_sum<Rq>, int64_t, Rq>>;
};
template <class Arch, class X, class W, class Rq>
using dense_kernel = typename chosen_dense<Arch, X, W, Rq>::type;

}  // namespace lowbits::kernel
