// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rows of floats times weights in codes: how the weights are laid out, and the walk over rows, panels of columns and the depth.
// Up to eight rows are multiplied by the codes as they are, four at a time. For more, a block of a panel is unpacked to floats and used by
// all rows.

#include <lowbits/arch/reals.hpp>
#include <lowbits/core/bytes.hpp>
#include <lowbits/kernel/table.hpp>
#include <lowbits/kernel/work_area.hpp>
#include <lowbits/pack/packed_view.hpp>
#include <lowbits/ref/weight_only_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// What such a product asks of an architecture.
struct real_calls {
  int rows = 0, few_rows = 0, cols = 0, col_step = 0;
  void (*run)(const real_codes& at, int m, const real_panel& p, const float* x, ptrdiff_t stride, float* off, float* y, ptrdiff_t y_stride) noexcept = nullptr;
  void (*unpack)(const real_codes& at, int n, int count, const uint32_t* w, const float* zeros, float* off, float* to) noexcept = nullptr;
  void (*tile)(int m, int n, int count, const float* x, ptrdiff_t stride, const float* w, const float* scales, float* y,
               ptrdiff_t y_stride) noexcept = nullptr;
};
template <class Arch>
struct real_prim {
  using type = best_prim<prims::gemm_reals, Arch>;
};
template <class Arch>
  requires(!has_prim<prims::gemm_reals, Arch>)
struct real_prim<Arch> {
  using type = lowbits::detail::plain_reals::real_products;
};
template <class Arch>
inline constexpr real_calls real_calls_of = [] {
  using P = typename real_prim<Arch>::type;
  return real_calls{P::rows, P::few_rows, P::cols, P::col_step, &P::run, &P::unpack, &P::tile};
}();

/// The layout of weights [cols][depth]: bias, scales and zeros [groups][padded cols], then panels of `cols` columns
/// (real_layout), the last one narrower.
struct real_weights {
  real_layout at;
  int panel = 1, col_step = 1;  ///< of the architecture
  int depth = 0, cols = 0;
  int group = 1, groups = 0;
  bool zero_each = false;

  constexpr size_t padded_cols() const noexcept { return static_cast<size_t>(round_up(cols, col_step)); }
  constexpr int units() const noexcept { return ceil_div(depth, real_layout::unit); }
  constexpr int zero_rows() const noexcept { return zero_each ? larger(groups, 1) : 1; }  // one is read even without depth
  constexpr size_t numbers_bytes() const noexcept {
    return work_bytes(static_cast<size_t>(1 + groups + zero_rows()) * padded_cols(), sizeof(float));
  }
  constexpr size_t column_words() const noexcept { return static_cast<size_t>(units()) * static_cast<size_t>(at.bits); }
  constexpr size_t bytes() const noexcept { return numbers_bytes() + padded_cols() * column_words() * sizeof(uint32_t); }

  constexpr int width(int c) const noexcept { return smaller(panel, static_cast<int>(padded_cols()) - c); }
  const float* bias(const unsigned char* packed) const noexcept { return reinterpret_cast<const float*>(packed); }
  real_panel panel_at(const unsigned char* packed, int c) const noexcept {
    const auto step = static_cast<ptrdiff_t>(padded_cols());
    const float* const scales = bias(packed) + step + c;
    return {.n = width(c), .depth = depth, .group = group,
            .w = reinterpret_cast<const uint32_t*>(packed + numbers_bytes()) + static_cast<size_t>(c) * column_words(),
            .zeros = scales + groups * step, .zero_step = zero_each ? step : 0, .scales = scales, .scale_step = step};
  }

  /// number(c, k) is what a code is stored as; zero(g, c) what is taken off that.
  template <class Number, class Bias, class Scale, class Zero>
  void pack(Number&& number, Bias&& bias_of, Scale&& scale, Zero&& zero, unsigned char* packed) const noexcept {
    const int all = static_cast<int>(padded_cols());
    auto* to = reinterpret_cast<float*>(packed);
    for (int c = 0; c < all; ++c) *to++ = c < cols ? bias_of(c) : 0.0f;
    for (int g = 0; g < groups; ++g)
      for (int c = 0; c < all; ++c) *to++ = c < cols ? scale(g, c) : 0.0f;
    for (int g = 0; g < zero_rows(); ++g)
      for (int c = 0; c < all; ++c) *to++ = c < cols && groups > 0 ? static_cast<float>(zero(g, c)) : 0.0f;
    auto* const words = reinterpret_cast<uint32_t*>(packed + numbers_bytes());
    fill_elements(words, uint32_t{0}, padded_cols() * column_words());
    for (int c0 = 0; c0 < cols; c0 += panel)
      for (int c = c0; c < smaller(c0 + panel, cols); ++c)
        for (int k = 0; k < depth; ++k) {
          auto* const lane = words + static_cast<size_t>(c0) * column_words() +
                             static_cast<size_t>(k / real_layout::unit * at.bits) * static_cast<size_t>(width(c0)) + (c - c0);
          const uint32_t n = number(c, k);
          at.parts(k % real_layout::unit, [&](int word, int from, int size, int first) {
            lane[ptrdiff_t{word} * width(c0)] |= (n >> first & ((1u << size) - 1u)) << from;
          });
        }
  }
};

/// The work area of such a product, and the walk. Rows of x and y follow each other at any distance.
struct real_product {
  static constexpr int most_rows = 120;  ///< that use an unpacked block before the next one is unpacked
  real_calls calls;
  real_weights w;
  real_codes codes;

  /// Rows for which codes become floats twice sooner than they would be written and read.
  constexpr bool is_few(int rows) const noexcept { return rows <= 2 * calls.few_rows; }
  constexpr size_t off_size() const noexcept { return static_cast<size_t>(w.at.places()) * static_cast<size_t>(w.panel); }
  constexpr size_t block_size(int rows) const noexcept {
    return is_few(rows) ? 0 : static_cast<size_t>(real_block) * static_cast<size_t>(w.panel);
  }
  constexpr size_t edge_size(int rows) const noexcept {
    return static_cast<size_t>(smaller(rows, most_rows)) * static_cast<size_t>(w.panel);
  }
  constexpr size_t scratch_bytes(int rows) const noexcept {
    return work_total(work_bytes(off_size(), sizeof(float)) + work_bytes(block_size(rows), sizeof(float)) + work_bytes(edge_size(rows), sizeof(float)));
  }

  /// Columns [first, last), first being a multiple of the panel's.
  void run(int rows, int first, int last, const float* x, ptrdiff_t x_row, const unsigned char* packed, float* y, ptrdiff_t y_row,
           unsigned char* scratch) const noexcept {
    work_area area(scratch);
    auto* const off = area.take<float>(off_size());
    auto* const block = area.take<float>(block_size(rows));
    auto* const edge = area.take<float>(edge_size(rows));
    for (int r = 0; r < rows; r += most_rows) {
      const int m = smaller(rows - r, most_rows);
      for (int c = first; c < last; c += w.panel) {
        const real_panel p = w.panel_at(packed, c);
        const int used = smaller(p.n, last - c);
        float* const at = y + r * y_row + c;
        const place to = used == p.n ? place{at, y_row} : place{edge, p.n};
        for (int i = 0; i < m; ++i) copy_elements(w.bias(packed) + c, to.at + i * to.step, static_cast<size_t>(p.n));
        if (is_few(m))
          for (int i = 0; i < m; i += calls.few_rows)
            calls.run(codes, smaller(calls.few_rows, m - i), p, x + (r + i) * x_row, x_row, off, to.at + i * to.step, to.step);
        else by_blocks(m, p, x + r * x_row, x_row, off, block, to);
        if (used < p.n)
          for (int i = 0; i < m; ++i) copy_elements(edge + ptrdiff_t{i} * p.n, at + i * y_row, static_cast<size_t>(used));
      }
    }
  }

private:
  struct place {
    float* at;
    ptrdiff_t step;
  };
  void by_blocks(int m, const real_panel& p, const float* x, ptrdiff_t x_row, float* off, float* block, const place& to) const noexcept {
    const float *zeros = p.zeros, *scales = p.scales;
    const uint32_t* from = p.w;
    for (int k = 0; k < p.depth; zeros += p.zero_step, scales += p.scale_step) {
      const int group_end = p.depth - k > p.group ? k + p.group : p.depth;
      while (k < group_end) {
        const int count = smaller(real_block, group_end - k);
        calls.unpack(codes, p.n, count, from, zeros, off, block);
        for (int i = 0; i < m; i += calls.rows)
          calls.tile(smaller(calls.rows, m - i), p.n, count, x + i * x_row + k, x_row, block, scales, to.at + i * to.step, to.step);
        from += ptrdiff_t{ceil_div(count, real_layout::unit)} * w.at.bits * p.n;
        k += count;
      }
    }
  }
};

}  // namespace lowbits::kernel
