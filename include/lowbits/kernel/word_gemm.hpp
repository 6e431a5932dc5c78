// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The matrix product of operands of which one at least has more than 8 bits: rows of words times prepared
// weights of one or two bytes, exact in 64 bits. What a tile is, the primitive of prims::gemm_words says.

#include <lowbits/kernel/finish.hpp>
#include <lowbits/kernel/gemm.hpp>
#include <lowbits/kernel/operand.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// True for products that prims::gemm is not made for.
template <class X, class W, class Acc>
inline constexpr bool is_word_product = sizeof(X) != 1 || !fits_byte<W> || !std::is_same_v<Acc, int32_t>;

/// What brings weights of type W into the range of their bytes, and how many those are.
template <class W>
inline constexpr int word_shift = fits_byte<W> ? byte_shift<W> : range_of<W>.highest > 32767 ? 32768 : 0;
template <class W>
inline constexpr int word_bytes = fits_byte<W> ? 1 : 2;

/// The layout of prepared weights [cols][depth]: first the accumulators' start values, 64 bits each, then
/// panels of tile.cols columns (the last one narrower). What is not there is zero.
struct word_weights {
  gemm_tile tile;
  int weight_bytes;
  int depth = 0;
  int cols = 0;

  constexpr int steps() const noexcept { return ceil_div(depth, tile.depth_step); }
  constexpr int padded_depth() const noexcept { return steps() * tile.depth_step; }
  constexpr int padded_cols() const noexcept { return round_up(cols, tile.col_step); }
  /// Columns of the panel that starts at column c.
  constexpr int width(int c) const noexcept { return smaller(tile.cols, padded_cols() - c); }
  constexpr size_t start_bytes() const noexcept { return work_bytes(static_cast<size_t>(padded_cols()), sizeof(int64_t)); }
  constexpr size_t bytes() const noexcept {
    return start_bytes() + work_bytes(static_cast<size_t>(padded_cols()) * static_cast<size_t>(padded_depth()),
                                      static_cast<size_t>(weight_bytes));
  }
  const int64_t* start(const unsigned char* packed, int c) const noexcept {
    return reinterpret_cast<const int64_t*>(packed) + c;
  }
  const int8_t* panel(const unsigned char* packed, int c) const noexcept {
    return reinterpret_cast<const int8_t*>(packed + start_bytes()) + ptrdiff_t{c} * padded_depth() * weight_bytes;
  }

  /// Writes bytes(). A column starts at first(c) - zero * sum of its weights, which takes `zero` off every
  /// element of a row.
  template <class Weight, class First>
  void pack(Weight&& weight, First&& first, int zero, unsigned char* packed) const noexcept {
    auto* starts = reinterpret_cast<int64_t*>(packed);
    auto* to = packed + start_bytes();
    for (int c = 0; c < padded_cols(); ++c) starts[c] = c < cols ? first(c) : 0;
    for (int c0 = 0; c0 < padded_cols(); c0 += tile.cols)
      for (int k0 = 0; k0 < padded_depth(); k0 += tile.depth_step) {
        const int n = width(c0);
        for (int c = c0; c < c0 + n; ++c)
          for (int k = k0; k < k0 + tile.depth_step; ++k, ++to) {
            const int w = c < cols && k < depth ? weight(c, k) : 0;
            *to = static_cast<unsigned char>(w & 255);
            if (weight_bytes == 2) to[n * tile.depth_step] = static_cast<unsigned char>(w >> 8 & 255);
            starts[c] -= int64_t{zero} * w;
          }
        to += (weight_bytes - 1) * n * tile.depth_step;
      }
  }
};

/// The primitives' name for a rounding policy of 64-bit accumulators.
template <class Rounding>
struct wide_rule_of {
  static constexpr bool exists = false;
};
template <>
struct wide_rule_of<round_single> {
  static constexpr bool exists = true;
  static constexpr rescale_rule value = rescale_rule::once;
};
template <>
struct wide_rule_of<round_tflite_int64> {
  static constexpr bool exists = true;
  static constexpr rescale_rule value = rescale_rule::brief;
};
template <class Arch, class Rq>
constexpr bool has_wide_finish() noexcept {
  if constexpr (requires { typename Rq::policy; typename Rq::output::storage; })
    return has_prim<prims::requantize_wide, Arch> && wide_rule_of<typename Rq::policy>::exists &&
           sizeof(typename Rq::output::storage) <= 2;
  else
    return false;
}

/// As finish(), of 64-bit accumulators that Acc holds.
template <class Arch, class Acc, class Rq, class Y>
void finish_wide(int rows, int cols, const int64_t* acc, ptrdiff_t acc_stride, const Rq& rq, const output_place& at, Y* y,
                 ptrdiff_t y_stride) noexcept {
  if constexpr (has_wide_finish<Arch, Rq>()) {
    best_prim<prims::requantize_wide, Arch>::template run<wide_rule_of<typename Rq::policy>::value>(
        rows, cols, acc, acc_stride, raw_factors(rq, at.channel), raw_stage(rq.stage), y, y_stride);
  } else {
    for (int r = 0; r < rows; ++r, acc += acc_stride, y += y_stride)
      for (int c = 0; c < cols; ++c)
        y[c] = output_of(rq, static_cast<Acc>(acc[c]), static_cast<size_t>(at.row + r), static_cast<size_t>(at.channel + c));
  }
}

/// What a product of words asks of an architecture, as a value: see gemm_calls.
template <class X, class Rq>
struct word_calls {
  using Y = typename Rq::output::storage;

  gemm_tile tile;
  int weight_bytes;
  int shift;  ///< from a code to a word
  void (*fetch)(int rows, int n, const X* x, ptrdiff_t x_step, int16_t* to, ptrdiff_t to_step) noexcept;
  void (*run)(int m, int n, int steps, const int16_t* x, ptrdiff_t stride, const int8_t* w, const int64_t* start,
              int64_t* acc) noexcept;
  void (*finish)(int rows, int cols, const int64_t* acc, ptrdiff_t acc_stride, const Rq& rq, const output_place& at,
                 Y* y, ptrdiff_t y_stride) noexcept;

  constexpr word_weights weights(int depth, int cols) const noexcept { return {tile, weight_bytes, depth, cols}; }

  /// What a zero point of the weights takes off a row's accumulators: zero times the sum of the row's
  /// codes, each less x_zero; negative.
  int64_t row_offset(const int16_t* x, int depth, int x_zero, int zero) const noexcept {
    int64_t sum = -int64_t{depth} * (x_zero + shift);
    for (int k = 0; k < depth; ++k) sum += x[k];
    return -zero * sum;
  }
};

template <class Arch, class X, int Bytes, class Acc, class Rq>
inline constexpr auto word_calls_of = [] {
  using P = best_prim<prims::gemm_words, Arch>;
  using Y = typename Rq::output::storage;
  return word_calls<X, Rq>{tile_of<P>, Bytes, P::template shift<X>, &P::template fetch<X>, &P::template run<Bytes>,
                           &finish_wide<Arch, Acc, Rq, Y>};
}();

/// As gemm_rows, of words.
template <class X, class Rq, class Y>
void word_rows(const word_calls<X, Rq>& p, int rows, const int16_t* x, ptrdiff_t stride, const word_weights& w,
               const unsigned char* packed, const column_range& range, const int64_t* offsets, const Rq& rq,
               const output_place& at, Y* y, ptrdiff_t y_stride, int64_t* tile) noexcept {
  // The sums of one row lie side by side: several panels are finished together.
  const int many = rows == 1 ? smaller(p.tile.rows, 16) * p.tile.cols : p.tile.cols;
  for (int c = range.first; c < range.last; c += many) {
    const int used = smaller(many, range.last - c);
    for (int r = 0; r < rows; r += p.tile.rows) {
      const int m = smaller(p.tile.rows, rows - r);
      int width = 0;
      for (int done = 0; done < used; done += width) {
        width = w.width(c + done);
        p.run(m, width, w.steps(), x + r * stride, stride, w.panel(packed, c + done), w.start(packed, c + done), tile + done);
      }
      if (offsets != nullptr) {
        const int filled = rows == 1 ? used : width;
        for (int i = 0; i < m; ++i)
          for (int k = 0; k < filled; ++k) tile[i * filled + k] += offsets[r + i];
      }
      p.finish(m, used, tile, width, rq, {at.row + r, at.channel + c}, y + r * y_stride + c, y_stride);
    }
  }
}

/// As byte_product.
template <class X, class Rq>
struct word_product {
  using element = int16_t;

  const word_calls<X, Rq>& calls;
  word_weights weights;
  gemm_block<int16_t, int64_t> block;
  row_area<int16_t, int64_t> area;

  word_product(const word_calls<X, Rq>& c, const word_weights& w, int64_t all_rows, work_area& work) noexcept
      : calls(c), weights(w), block(w, all_rows), area(block, work) {}

  template <class Y>
  void multiply(int n, const element_rows<int16_t>& x, int x_zero, int zero, const unsigned char* packed, const column_range& cols,
                const Rq& rq, const output_place& at, Y* y, ptrdiff_t y_stride) const noexcept {
    word_rows(calls, n, x.at, x.stride, weights, packed, cols, area.row_offsets(calls, n, weights.depth, x_zero, zero), rq, at, y, y_stride,
              area.tile);
  }
};

}  // namespace lowbits::kernel
