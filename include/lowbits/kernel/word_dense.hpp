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
  static constexpr size_t scratch_bytes(const gemm_shape& s) noexcept { return work_total(gemm_block<int16_t, int64_t>(weights(s), all_rows(s)).bytes()); }

  static void pack(const gemm_shape& s, const W& w, const int64_t* bias, int x_zero, unsigned char* packed) noexcept {
    weights(s).pack([&](int c, int k) { return int{w[static_cast<size_t>(ptrdiff_t{c} * s.depth + k)]} - word_shift<W>; },
                    [&](int c) { return bias != nullptr ? bias[c] : 0; }, x_zero + P::template shift<X>, packed);
  }

  static void run(const gemm_shape& s, const gemm_part& part, const X* x, int x_zero, int w_zero,
                  const unsigned char* packed, const Rq& rq, Y* y, const residual<Y>& added,
                  unsigned char* scratch) noexcept {
    work_area area(scratch);
    run_part<Arch>(word_product(word_calls_of<Arch, X, word_bytes<W>, word_sum<Rq>, Rq>, weights(s), all_rows(s), area), s, part, x, x_zero,
                   w_zero - word_shift<W>, packed, rq, y, added, no_rows_in_place);
  }

private:
  static constexpr word_weights weights(const gemm_shape& s) noexcept { return {tile_of<P>, word_bytes<W>, s.depth, s.cols}; }
  static constexpr int64_t all_rows(const gemm_shape& s) noexcept { return smaller<int64_t>(s.rows, int64_t{s.batch} * s.rows); }
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
