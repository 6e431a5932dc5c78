// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolutions as a matrix product, as in implicit_gemm.hpp, of operands with more than 8 bits or sums with
// more than 32. Where there is no primitive packed_bytes() is 0 and the reference has to run.

#include <lowbits/kernel/implicit_gemm.hpp>
#include <lowbits/kernel/word_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// As implicit_gemm.
template <class Arch, class X, class W, class Acc, class Rq, template <class, class> class Rows>
struct implicit_words {
  using Y = typename Rq::output::storage;
  static constexpr bool is_fast = has_prim<prims::gemm_words, Arch> && sizeof(X) <= 2;

  static constexpr size_t packed_bytes(const conv2d_shape& s) noexcept {
    if constexpr (is_fast) return s.depth() > 0 && s.out_c > 0 ? weights(s).bytes() * static_cast<size_t>(s.groups) : 0;
    else return static_cast<void>(s), 0;
  }
  static constexpr size_t scratch_bytes(const conv2d_shape& s) noexcept {
    if constexpr (is_fast) return packed_bytes(s) != 0 ? work_total(gemm_block<int16_t, int64_t>(weights(s), positions(s)).bytes()) : 0;
    else return static_cast<void>(s), 0;
  }
  template <class Bias>
  static void pack(const conv2d_shape& s, const W& w, const Bias* bias, int x_zero, unsigned char* packed) noexcept {
    if constexpr (is_fast) {
      if (packed_bytes(s) == 0) return;
      const word_weights layout = weights(s);
      const int zero = x_zero + best_prim<prims::gemm_words, Arch>::template shift<X>;
      pack_groups<int64_t>(s, layout.bytes(), w, word_shift<W>, bias, packed,
                           [&](auto&& weight, auto&& first, unsigned char* to) { layout.pack(weight, first, zero, to); });
    }
  }

protected:
  static bool run_packed(const conv2d_shape& s, const X* x, int x_zero, int w_zero, const unsigned char* packed,
                         const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if constexpr (is_fast) {
      if (packed == nullptr || packed_bytes(s) == 0) return false;
      work_area area(scratch);
      run_groups<Rows>(word_product(word_calls_of<Arch, X, word_bytes<W>, Acc, Rq>, weights(s), positions(s), area), s, x, x_zero,
                       w_zero - word_shift<W>, packed, rq, y);
      return true;
    }
    return false;
  }

private:
  static constexpr word_weights weights(const conv2d_shape& s) noexcept {
    return {tile_of<best_prim<prims::gemm_words, Arch>>, word_bytes<W>, s.depth(), s.group_out()};
  }
};

/// The one of both that a product takes.
template <class Arch, class X, class W, class Acc, class Rq, template <class, class> class Rows>
using implicit_product = std::conditional_t<is_word_product<X, W, Acc>, implicit_words<Arch, X, W, Acc, Rq, Rows>,
                                            implicit_gemm<Arch, X, W, Acc, Rq, Rows>>;

}  // namespace lowbits::kernel
