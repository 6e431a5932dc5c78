// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of batches of matrices, both operands activations, on an architecture. Gives the bytes
// of ref::matmul. For 8-bit operands the second one is prepared like weights, in the work area, each
// time the product runs.

#include <lowbits/kernel/word_matmul.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <class Arch, class X, class W, class Rq>
struct byte_matmul {
  using Y = typename Rq::output::storage;
  static constexpr bool is_fast = has_prim<prims::gemm, Arch>;

  static constexpr size_t scratch_bytes(const matmul_shape& s) noexcept {
    if constexpr (is_fast) {
      const auto rows = block(s);
      return work_total(work_bytes(weights(s).bytes(), 1) + rows.bytes() +
                        work_bytes(static_cast<size_t>(s.depth), sizeof(X)));
    } else {
      return static_cast<void>(s), 0;
    }
  }
  static void run(const matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero, const Rq& rq, Y* y,
                  unsigned char* scratch) noexcept {
    if constexpr (is_fast) run_packed(s, x, x_zero, w, w_zero, rq, y, scratch);
    else ref::matmul<int32_t>(s, x, x_zero, w, w_zero, rq, y);
  }

private:
  /// Brings codes of w into the range of int8_t.
  static constexpr int to_int8 = std::is_signed_v<W> ? 0 : 128;

  static constexpr auto weights(const matmul_shape& s) noexcept {
    return gemm_weights{tile_of<best_prim<prims::gemm, Arch>>, s.depth, s.cols};
  }
  static constexpr auto block(const matmul_shape& s) noexcept {
    return gemm_block<typename best_prim<prims::gemm, Arch>::element>(weights(s), s.rows);
  }

  /// One matrix x, row by row: as it lies in memory, or gathered where it is stored transposed.
  struct row_reader {
    const matmul_shape& s;
    const X* x;
    X* gathered;

    const X* operator()(int r) const noexcept {
      if (!s.x_transposed) return x + ptrdiff_t{r} * s.depth;
      for (int k = 0; k < s.depth; ++k) gathered[k] = x[ptrdiff_t{k} * s.rows + r];
      return gathered;
    }
  };

  static void run_packed(const matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero, const Rq& rq, Y* y,
                         unsigned char* scratch) noexcept {
    using P = best_prim<prims::gemm, Arch>;
    constexpr const auto& calls = gemm_calls_of<Arch, X, Rq>;
    const auto layout = weights(s);
    const auto rows = block(s);
    const auto stride = static_cast<ptrdiff_t>(rows.stride());
    work_area area(scratch);
    auto* const packed = area.take<unsigned char>(layout.bytes());
    auto* const x_rows = area.take<typename P::element>(rows.elements());
    auto* const tile = area.take<int32_t>(rows.tile_size);
    auto* const offsets = area.take<int32_t>(static_cast<size_t>(rows.rows));
    auto* const gathered = area.take<X>(static_cast<size_t>(s.depth));

    // x . (w - z) = x . w - z * sum(x): the last term is one number per row.
    const int z = w_zero - to_int8;
    const ptrdiff_t by_col = s.w_transposed ? s.depth : 1, by_depth = s.w_transposed ? 1 : s.cols;
    ptrdiff_t prepared = -1;
    int64_t row_number = 0;
    for (int b0 = 0; b0 < s.batch(0); ++b0)
      for (int b1 = 0; b1 < s.batch(1); ++b1) {
        const ptrdiff_t x_matrix = ref::matmul_batch(s.x_batch, b0, b1), w_matrix = ref::matmul_batch(s.w_batch, b0, b1);
        if (w_matrix != prepared)
          pack_matrix<P>(layout, matrix_codes<W>{w + w_matrix * s.depth * s.cols, by_col, by_depth},
                      x_zero + P::template shift<X>, packed, x_rows, tile);
        prepared = w_matrix;
        const row_reader row{s, x + x_matrix * s.rows * s.depth, gathered};
        for (int done = 0; done < s.rows; done += rows.rows) {
          const int n = smaller(rows.rows, s.rows - done);
          for (int r = 0; r < n; ++r) {
            const X* from = row(done + r);
            auto* to = x_rows + r * stride;
            P::fetch(1, s.depth, from, 0, to, 0);
            for (int k = s.depth; k < rows.depth; ++k) to[k] = 0;
            if (z != 0) offsets[r] = calls.row_offset(to, s.depth, x_zero, z);
          }
          gemm_rows(calls, n, {x_rows, stride}, layout, packed, {0, s.cols}, z != 0 ? offsets : nullptr, rq, {row_number, 0}, y,
                          s.cols, tile);
          y += ptrdiff_t{n} * s.cols;
          row_number += n;
        }
      }
  }
};

template <class Arch, class X, class W, class Acc, class Rq>
struct matmul : std::conditional_t<is_word_product<X, const W*, Acc>, word_matmul<Arch, X, W, Acc, Rq>, byte_matmul<Arch, X, W, Rq>> {};

}  // namespace lowbits::kernel
