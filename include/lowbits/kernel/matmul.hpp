// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of batches of matrices, both operands activations, on an architecture. Gives the bytes
// of ref::matmul. For 8-bit operands the second one is prepared like weights, in the work area, each
// time the product runs.

#include <lowbits/kernel/matrices.hpp>
#include <lowbits/kernel/word_matmul.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <class Arch, class X, class W, class Rq>
struct byte_matmul {
  using Y = typename Rq::output::storage;
  static constexpr bool is_fast = has_prim<prims::gemm, Arch>;

  static constexpr size_t scratch_bytes(const matmul_shape& s) noexcept {
    if constexpr (is_fast) {
      const gemm_weights w = weights(s);
      return work_total(matrices_bytes<X>(s, w) + gemm_block<typename best_prim<prims::gemm, Arch>::element>(w, s.rows).bytes());
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

  static void run_packed(const matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero, const Rq& rq, Y* y,
                         unsigned char* scratch) noexcept {
    using P = best_prim<prims::gemm, Arch>;
    work_area area(scratch);
    const byte_product p(gemm_calls_of<Arch, X, Rq>, weights(s), s.rows, area);
    auto* const packed = area.take<unsigned char>(p.weights.bytes());
    auto* const gathered = area.take<X>(static_cast<size_t>(s.depth));
    run_matrices(p, s, x, x_zero, w, w_zero - to_int8, rq, y, packed, gathered, [&](const matrix_codes<W>& codes, unsigned char* to) {
      pack_matrix<P>(p.weights, codes, x_zero + P::template shift<X>, to, p.area.x.at, p.area.tile);
    });
  }
};

template <class Arch, class X, class W, class Acc, class Rq>
struct matmul : std::conditional_t<is_word_product<X, const W*, Acc>, word_matmul<Arch, X, W, Acc, Rq>, byte_matmul<Arch, X, W, Rq>> {};

}  // namespace lowbits::kernel
