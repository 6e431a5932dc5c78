// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolutions as a matrix product, as in implicit_gemm.hpp, of operands with more than 8 bits or sums with
// more than 32. Where there is no primitive packed_bytes() is 0 and the reference has to run.

#include <lowbits/kernel/implicit_gemm.hpp>
#include <lowbits/kernel/word_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// As run_groups.
template <template <class, class> class Rows, class X, class Rq, class Y>
void run_word_groups(const word_calls<X, Rq>& p, const conv2d_shape& s, const X* x, int x_zero, int zero,
                     const unsigned char* packed, const Rq& rq, Y* y, unsigned char* scratch) noexcept {
  const conv2d_shape flat = flattened(s);
  const word_weights w = p.weights(s.depth(), s.group_out());
  const word_block rows(w, positions(s));
  work_area area(scratch);
  const row_block<int16_t> x_rows{area.take<int16_t>(rows.elements()), static_cast<ptrdiff_t>(rows.stride())};
  auto* const tile = area.take<int64_t>(rows.tile_size);
  auto* const offsets = area.take<int64_t>(static_cast<size_t>(rows.rows));
  x_rows.from(0, s.depth()).fill(rows.rows, rows.depth - s.depth(), 0);
  for (int g = 0; g < s.groups; ++g, packed += w.bytes()) {
    const Rows<int16_t, X> gathered(flat, p, x, x_zero, g);
    output_position at;
    for (int64_t done = 0; done < positions(s); done += rows.rows) {
      const int n = static_cast<int>(smaller<int64_t>(rows.rows, positions(s) - done));
      gathered.write(at, n, x_rows);
      if (zero != 0)
        for (int r = 0; r < n; ++r) offsets[r] = p.row_offset(x_rows.from(r).at, s.depth(), x_zero, zero);
      word_rows(p, n, x_rows.at, x_rows.stride, w, packed, {0, w.cols}, zero != 0 ? offsets : nullptr, rq,
                {done, g * s.group_out()}, y + done * s.out_c + g * s.group_out(), s.out_c, tile);
    }
  }
}

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
    if constexpr (is_fast) return packed_bytes(s) != 0 ? work_total(word_block(weights(s), positions(s)).bytes()) : 0;
    else return static_cast<void>(s), 0;
  }
  template <class Bias>
  static void pack(const conv2d_shape& s, const W& w, const Bias* bias, int x_zero, unsigned char* packed) noexcept {
    if constexpr (is_fast) {
      if (packed_bytes(s) == 0) return;
      const word_weights layout = weights(s);
      const int zero = x_zero + best_prim<prims::gemm_words, Arch>::template shift<X>;
      for (int first = 0; first < s.out_c; first += s.group_out(), packed += layout.bytes())
        layout.pack(
            [&](int c, int k) { return int{w[static_cast<size_t>(ptrdiff_t{first + c} * s.depth() + k)]} - word_shift<W>; },
            [&](int c) { return bias != nullptr ? static_cast<int64_t>(bias[first + c]) : 0; }, zero, packed);
    }
  }

protected:
  static bool run_packed(const conv2d_shape& s, const X* x, int x_zero, int w_zero, const unsigned char* packed,
                         const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if constexpr (is_fast) {
      if (packed == nullptr || packed_bytes(s) == 0) return false;
      run_word_groups<Rows>(word_calls_of<Arch, X, word_bytes<W>, Acc, Rq>, s, x, x_zero, w_zero - word_shift<W>, packed, rq, y, scratch);
      return true;
    }
    return false;
  }

private:
  static constexpr word_weights weights(const conv2d_shape& s) noexcept {
    return {word_tile_of<best_prim<prims::gemm_words, Arch>>, word_bytes<W>, s.depth(), s.group_out()};
  }
};

/// The one of both that a product takes.
template <class Arch, class X, class W, class Acc, class Rq, template <class, class> class Rows>
using implicit_product = std::conditional_t<is_word_product<X, W, Acc>, implicit_words<Arch, X, W, Acc, Rq, Rows>,
                                            implicit_gemm<Arch, X, W, Acc, Rq, Rows>>;

}  // namespace lowbits::kernel
