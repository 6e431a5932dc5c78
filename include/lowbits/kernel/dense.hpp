// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rows of codes times constant weights on an architecture, with strides, a batch, and any part of the
// output on its own, so that several threads can share one product. Gives the bytes of ref::gemm.

#include <lowbits/core/bytes.hpp>
#include <lowbits/kernel/fast_eltwise.hpp>
#include <lowbits/kernel/gather.hpp>
#include <lowbits/kernel/gemm_bits.hpp>
#include <lowbits/kernel/operand.hpp>
#include <lowbits/ref/gemm.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// A part of a product's output: rows [first, last) of the whole batch, and columns.
struct gemm_part {
  int64_t first_row = 0, last_row = 0;
  column_range cols{};
};

/// Adds the residual to rows of a product, while their codes are still in a cache.
template <class Arch, class Y>
void add_residual(const gemm_shape& s, int rows, const column_range& cols, const residual<Y>& added, Y* y, const Y* codes) noexcept {
  if constexpr (sizeof(Y) <= 2) {
    for (int r = 0; r < rows; ++r, y += s.y_row_step(), codes += s.y_row_step()) {
      Y* const to = y + cols.first;
      const Y* const from = codes + cols.first;
      const auto n = static_cast<size_t>(cols.last - cols.first);
      if constexpr (sizeof(Y) == 1)
        if (fast_binary<Arch>(n, to, from, added.sum, to)) continue;
      for (size_t i = 0; i < n; ++i) to[i] = static_cast<Y>(added.sum(to[i], from[i]));
    }
  }
}

/// Runs a part of a product block by block. in_place(r, n) says how many of n rows from row r on the primitives
/// can take where they are.
template <class Arch, class Product, class X, class Rq, class Y, class InPlace>
void run_part(const Product& p, const gemm_shape& s, const gemm_part& part, const X* x, int x_zero, int zero, const unsigned char* packed,
              const Rq& rq, Y* y, const residual<Y>& added, InPlace&& in_place) noexcept {
  using element = typename Product::element;
  for (int64_t row = part.first_row; row < part.last_row;) {
    const auto b = s.batch == 1 ? 0 : static_cast<ptrdiff_t>(row / s.rows);
    const int r = static_cast<int>(row - b * s.rows);
    int n = static_cast<int>(smaller<int64_t>(smaller(p.block.rows, s.rows - r), part.last_row - row));
    const X* const from = x + b * s.x_matrix_step() + r * s.x_row_step();
    element_rows<element> at = p.area.rows();
    if (const int stay = in_place(r, n); stay > 0) {
      n = stay;
      at = {reinterpret_cast<const element*>(from), s.x_row_step(), p.calls.shift};
    } else {
      load_rows(p, n, s.depth, from, s.x_row_step());
    }
    const ptrdiff_t to = b * s.y_matrix_step() + r * s.y_row_step();
    p.multiply(n, at, x_zero, zero, packed, part.cols, rq, {row, 0}, y + to, s.y_row_step());
    if (added.codes != nullptr) add_residual<Arch>(s, n, part.cols, added, y + to, added.codes + to);
    row += n;
  }
}
inline constexpr auto no_rows_in_place = [](int, int) { return 0; };

/// X is int8_t or uint8_t; W is what the weights are read from, [cols][depth].
template <class Arch, class X, class W, class Rq>
struct dense {
  using arch = Arch;
  using Y = typename Rq::output::storage;
  using P = best_prim<prims::gemm, Arch>;
  using element = typename P::element;
  static_assert(sizeof(X) == 1 && fits_byte<W>);
  static constexpr int row_grain = P::rows, col_grain = P::cols;  ///< parts begin at multiples of these

  static constexpr bool keeps_bits = kernel::keeps_bits<Arch, W>();

  static constexpr size_t packed_bytes(const gemm_shape& s) noexcept {
    if constexpr (keeps_bits) return bits(s).bytes();
    else return weights(s).bytes();
  }
  /// For one part.
  static constexpr size_t scratch_bytes(const gemm_shape& s) noexcept {
    if constexpr (keeps_bits) return work_total(block(s).bytes() + bits_block(bits(s), all_rows(s)).bytes());
    else return work_total(block(s).bytes());
  }

  /// Writes packed_bytes at a multiple of 64, for this x_zero. bias may be null.
  static void pack(const gemm_shape& s, const W& w, const int32_t* bias, int x_zero, unsigned char* packed) noexcept {
    const auto weight = [&](int c, int k) { return int{w[static_cast<size_t>(ptrdiff_t{c} * s.depth + k)]} - byte_shift<W>; };
    const auto first = [&](int c) { return bias != nullptr ? bias[c] : 0; };
    if constexpr (keeps_bits)
      bits(s).template pack<bits_code_of<W>.bits>(weight, first, x_zero + P::template shift<X>, x_zero + bits_calls_of<Arch, X, W>.signed_shift, packed);
    else
      weights(s).pack(weight, first, x_zero + P::template shift<X>, packed);
  }

  /// Parts that do not overlap may run at the same time, each with a scratch of its own.
  static void run(const gemm_shape& s, const gemm_part& part, const X* x, int x_zero, int w_zero,
                  const unsigned char* packed, const Rq& rq, Y* y, const residual<Y>& added,
                  unsigned char* scratch) noexcept {
    constexpr const auto& calls = gemm_calls_of<Arch, X, Rq>;
    work_area area(scratch);
    if constexpr (keeps_bits) {
      run_part<Arch>(bits_product(calls, bits_calls_of<Arch, X, W>, bits(s), all_rows(s), area), s, part, x, x_zero, w_zero, packed, rq, y,
                     added, no_rows_in_place);
    } else {
      const auto w = weights(s);
      const int zero = w_zero - byte_shift<W>;
      if constexpr (most_code_rows<P> > 0 && multiplies_to_codes<Arch, Rq>())
        if (zero == 0 && added.codes == nullptr && run_at_once(s, w, part, x, packed, rq, y, area)) return;
      run_part<Arch>(byte_product(calls, w, all_rows(s), area), s, part, x, x_zero, zero, packed, rq, y, added,
                     [&](int r, int n) { return zero == 0 ? rows_in_place(s, w, r, n) : 0; });
    }
  }

  static constexpr auto weights(const gemm_shape& s) noexcept { return gemm_weights{tile_of<P>, s.depth, s.cols}; }

private:
  /// How many of n rows from row r on the primitive can take where they are. Copying them pays where they
  /// are read for many panels, or when they would compete for the same cache lines.
  static int rows_in_place(const gemm_shape& s, const gemm_weights& w, int64_t r, int n) noexcept {
    const bool worth = n <= 2 || (w.padded_cols() <= 2 * P::cols && s.x_row_step() % 1024 != 0);
    if (!worth || n > most_code_rows<P>) return 0;
    const int rest = s.depth % P::depth_step;
    if (rest == 0) return n;
    // The last step reads on into the rows that follow: not behind the matrix.
    if (s.x_row_step() != s.depth) return 0;
    return static_cast<int>(lowbits::clamp<int64_t>(s.rows - ceil_div(P::depth_step - rest, s.depth) - r, 0, n));
  }
  /// A product so small that no rows need be copied or kept, nor a block be planned.
  static bool run_at_once(const gemm_shape& s, const gemm_weights& w, const gemm_part& part, const X* x, const unsigned char* packed,
                          const Rq& rq, Y* y, work_area area) noexcept {
    const int64_t rows = part.last_row - part.first_row;
    if (s.batch != 1 || (rows > 1 && rows * s.depth > static_cast<int64_t>(gemm_block<element>::few_rows))) return false;
    if (rows_in_place(s, w, part.first_row, static_cast<int>(rows)) != rows) return false;
    const int c = part.cols.first;
    multiply_to_codes<Arch>(static_cast<int>(rows), w.padded_cols() - c, part.cols.last - c, w.steps(),
                            reinterpret_cast<const element*>(x + part.first_row * s.x_row_step()), s.x_row_step(), w.panel(packed, c),
                            w.start(packed, c), rq, c, y + part.first_row * s.y_row_step() + c, s.y_row_step(),
                            area.take<int32_t>(0), P::template shift<X>);
    return true;
  }
  static constexpr int64_t all_rows(const gemm_shape& s) noexcept { return smaller<int64_t>(s.rows, int64_t{s.batch} * s.rows); }
  static constexpr auto block(const gemm_shape& s) noexcept {
    if constexpr (keeps_bits) return gemm_block<element>(bits(s).unpacked(s.cols), all_rows(s));
    else return gemm_block<element>(weights(s), all_rows(s));
  }
  static constexpr auto bits(const gemm_shape& s) noexcept { return bits_weights{tile_of<P>, bits_code_on<Arch, W>, s.depth, s.cols}; }
};

/// What weights of type W are copied as.
template <class W>
struct plain_weight {
  using type = typename W::q::storage;
};
template <class W>
struct plain_weight<const W*> {
  using type = W;
};

/// The same by the reference, from a copy of bias and weights.
template <class Arch, class X, class W, class Acc, class Bias, class Rq>
struct plain_dense {
  using arch = Arch;
  using Y = typename Rq::output::storage;
  using weight = typename plain_weight<W>::type;
  static constexpr int row_grain = 1, col_grain = 1;

  static constexpr size_t bias_bytes(const gemm_shape& s) noexcept {
    return work_bytes(static_cast<size_t>(s.cols), sizeof(Bias));
  }
  static constexpr size_t packed_bytes(const gemm_shape& s) noexcept {
    return bias_bytes(s) + work_bytes(static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth), sizeof(weight));
  }
  static constexpr size_t scratch_bytes(const gemm_shape&) noexcept { return 0; }

  static void pack(const gemm_shape& s, const W& w, const Bias* bias, int, unsigned char* packed) noexcept {
    auto* const starts = reinterpret_cast<Bias*>(packed);
    for (int c = 0; c < s.cols; ++c) starts[c] = bias != nullptr ? bias[c] : 0;
    auto* const to = reinterpret_cast<weight*>(packed + bias_bytes(s));
    for (size_t i = 0; i < static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth); ++i) to[i] = static_cast<weight>(w[i]);
  }
  static void run(const gemm_shape& s, const gemm_part& part, const X* x, int x_zero, int w_zero,
                  const unsigned char* packed, const Rq& rq, Y* y, const residual<Y>& added, unsigned char*) noexcept {
    const auto* const bias = reinterpret_cast<const Bias*>(packed);
    const auto* const w = reinterpret_cast<const weight*>(packed + bias_bytes(s));
    for (int64_t row = part.first_row; row < part.last_row; ++row) {
      const int b = static_cast<int>(row / s.rows), r = static_cast<int>(row % s.rows);
      for (int c = part.cols.first; c < part.cols.last; ++c)
        y[b * s.y_matrix_step() + r * s.y_row_step() + c] =
            ref::gemm_element<Acc>(s, x, x_zero, w, w_zero, bias, rq, added, b, r, c);
    }
  }
};

}  // namespace lowbits::kernel
