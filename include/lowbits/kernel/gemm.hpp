// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The matrix product that convolutions, fully connected layers and matrix products share: rows of
// codes times prepared 8-bit weights, tile by tile. What a tile is, the primitive P says.

#include <lowbits/kernel/finish.hpp>
#include <lowbits/kernel/row_block.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// The shape of an architecture's tiles, see prims::gemm.
struct gemm_tile {
  int rows, cols, col_step, depth_step;
  int depth_pad;        ///< a row's depth is made up to a multiple of this
  size_t rows_in_cache; ///< bytes of rows worth keeping; 0: see gemm_block
};
template <class P>
inline constexpr gemm_tile tile_of = [] {
  gemm_tile t{P::rows, P::cols, P::col_step, P::depth_step, P::depth_step, 0};
  if constexpr (requires { P::depth_pad; }) t.depth_pad = P::depth_pad;
  if constexpr (requires { P::row_bytes; }) t.rows_in_cache = P::row_bytes;
  return t;
}();

/// The layout of prepared weights [cols][depth]: first the accumulators' start values, then panels of
/// tile.cols columns (the last one narrower), each [depth / depth_step][columns][depth_step]. What is
/// not there is zero.
struct gemm_weights {
  gemm_tile tile;
  int depth = 0;
  int cols = 0;

  constexpr int steps() const noexcept { return ceil_div(depth, tile.depth_step); }
  constexpr int padded_depth() const noexcept { return round_up(depth, tile.depth_pad); }
  constexpr int padded_cols() const noexcept { return round_up(cols, tile.col_step); }
  /// Columns of the panel that starts at column c.
  constexpr int width(int c) const noexcept { return smaller(tile.cols, padded_cols() - c); }
  constexpr size_t start_bytes() const noexcept {
    return work_bytes(static_cast<size_t>(padded_cols()), sizeof(int32_t));
  }
  constexpr size_t bytes() const noexcept {
    return start_bytes() +
           work_bytes(static_cast<size_t>(padded_cols()) * static_cast<size_t>(padded_depth()), 1);
  }
  const int32_t* start(const unsigned char* packed, int c) const noexcept {
    return reinterpret_cast<const int32_t*>(packed) + c;
  }
  const int8_t* panel(const unsigned char* packed, int c) const noexcept {
    return reinterpret_cast<const int8_t*>(packed + start_bytes()) + ptrdiff_t{c} * padded_depth();
  }

  /// Writes bytes(). weight(c, k) is in [-128, 127]. A column starts at first(c) - zero * sum of its
  /// weights, which takes `zero` off every element of a row.
  template <class Weight, class First>
  void pack(Weight&& weight, First&& first, int zero, unsigned char* packed) const noexcept {
    auto* starts = reinterpret_cast<int32_t*>(packed);
    auto* to = reinterpret_cast<int8_t*>(packed + start_bytes());
    for (int c = 0; c < padded_cols(); ++c) starts[c] = c < cols ? first(c) : 0;
    for (int c0 = 0; c0 < padded_cols(); c0 += tile.cols)
      for (int k0 = 0; k0 < padded_depth(); k0 += tile.depth_step)
        for (int c = c0; c < c0 + width(c0); ++c)
          for (int k = k0; k < k0 + tile.depth_step; ++k) {
            const int w = c < cols && k < depth ? weight(c, k) : 0;
            *to++ = static_cast<int8_t>(w);
            starts[c] = static_cast<int32_t>(static_cast<uint32_t>(starts[c]) - static_cast<uint32_t>(zero * w));
          }
  }
};

/// The work area of a product: a block of rows, one tile of accumulators, and a number per row.
template <class Element, class Sum = int32_t>
struct gemm_block {
  /// Bytes of rows kept. Weights that stay in an L2 cache pass by as often as they like, and the rows
  /// stay in the L1 cache they were gathered into; larger weights have to serve more rows each time.
  static constexpr size_t l2_weights = 512 * 1024, few_rows = 16 * 1024, many_rows = 192 * 1024;

  int depth = 0;  ///< of a row, padded
  int rows = 0;   ///< of a full block
  size_t tile_size = 0;  ///< numbers; rows count by sixteen, as prims::gemm_codes may use them

  /// Weights is gemm_weights or word_weights.
  template <class Weights>
  constexpr gemm_block(const Weights& w, int64_t all_rows) noexcept
      : depth(w.padded_depth()) {
    const size_t kept = w.tile.rows_in_cache != 0 ? w.tile.rows_in_cache : w.bytes() <= l2_weights ? few_rows : many_rows;
    const size_t one_tile = static_cast<size_t>(w.tile.rows) * static_cast<size_t>(stride()) * sizeof(Element);
    int tiles = 1;  // at most 8; a division would be half the time of the smallest products
    while (tiles < 8 && tiles * w.tile.rows < all_rows && static_cast<size_t>(tiles + 1) * one_tile <= kept) ++tiles;
    rows = static_cast<int>(smaller<int64_t>(tiles * w.tile.rows, larger<int64_t>(all_rows, 1)));
    tile_size = static_cast<size_t>(smaller(w.tile.rows, round_up(rows, 16))) * static_cast<size_t>(w.tile.cols);
  }
  /// Elements from one row to the next: not a multiple of 1 KiB, so that the rows of a tile do not
  /// compete for the same cache lines.
  constexpr int64_t stride() const noexcept {
    constexpr int64_t size = sizeof(Element);
    return depth * size % 1024 == 0 ? depth + 64 / size : depth;
  }
  constexpr size_t elements() const noexcept { return static_cast<size_t>(rows) * static_cast<size_t>(stride()); }
  constexpr size_t bytes() const noexcept {
    return work_bytes(elements(), sizeof(Element)) + work_bytes(tile_size, sizeof(Sum)) +
           work_bytes(static_cast<size_t>(rows), sizeof(Sum));
  }
};

/// Adds offsets[r], wrapping, to each accumulator of row r.
inline void add_to_rows(int rows, int cols, const int32_t* offsets, int32_t* tile) noexcept {
#if LOWBITS_GNU
  using four = uint32_t __attribute__((vector_size(16)));
#endif
  for (int r = 0; r < rows; ++r, tile += cols) {
    const auto offset = static_cast<uint32_t>(offsets[r]);
    int c = 0;
#if LOWBITS_GNU
    for (four v; c + 4 <= cols; c += 4) {
      __builtin_memcpy(&v, tile + c, sizeof v);
      v += offset;
      __builtin_memcpy(tile + c, &v, sizeof v);
    }
#endif
    for (; c < cols; ++c) tile[c] = static_cast<int32_t>(static_cast<uint32_t>(tile[c]) + offset);
  }
}

/// True when Arch multiplies and requantizes in one primitive. It goes with the tiles of prims::gemm, so
/// both have to be the same architecture's.
template <class Arch, class Rq>
constexpr bool multiplies_to_codes() noexcept {
  if constexpr (has_prim<prims::gemm_codes, Arch> && has_fast_finish<Arch, Rq>())
    return std::is_same_v<best<prims::gemm_codes, Arch>, best<prims::gemm, Arch>>;
  else
    return false;
}

/// What a product of codes X asks of an architecture, as a value: what surrounds the primitives is then
/// compiled once for all architectures with the same elements.
template <class Element, class X, class Rq>
struct gemm_calls {
  using element = Element;
  using Y = typename Rq::output::storage;

  gemm_tile tile;
  int shift;  ///< from a code to an element
  void (*fetch)(int rows, int n, const X* x, ptrdiff_t x_step, Element* to, ptrdiff_t to_step) noexcept;
  int32_t (*sum)(const Element* x, int n) noexcept;
  /// With a last parameter `flip`, which is 0 unless the rows are codes.
  void (*run)(int m, int n, int steps, const Element* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
              int32_t* acc, int flip) noexcept;
  void (*finish)(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const Rq& rq, const output_place& at,
                 Y* y, ptrdiff_t y_stride) noexcept;
  /// Null where the architecture does not multiply to codes.
  void (*codes)(int rows, int n, int used, int steps, const Element* x, ptrdiff_t stride, const int8_t* w,
                const int32_t* start, const Rq& rq, int channel, Y* y, ptrdiff_t y_stride, int32_t* work, int flip) noexcept;

  /// What a zero point of the weights takes off a row's accumulators: zero times the sum of the row's
  /// codes, each less x_zero; negative.
  int32_t row_offset(const Element* x, int depth, int x_zero, int zero) const noexcept {
    const uint32_t all = static_cast<uint32_t>(sum(x, depth)) - static_cast<uint32_t>(depth) * static_cast<uint32_t>(x_zero + shift);
    return static_cast<int32_t>(static_cast<uint32_t>(-zero) * all);
  }
};

/// How many rows of codes may stay where they are, see prims::gemm.
template <class P>
inline constexpr int most_code_rows = [] {
  if constexpr (requires { P::most_code_rows; }) return P::most_code_rows;
  else return 0;
}();
template <class P, class Element>
void multiply(int m, int n, int steps, const Element* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
              int32_t* acc, int flip) noexcept {
  if constexpr (most_code_rows<P> > 0) P::run(m, n, steps, x, stride, w, start, acc, flip);
  else P::run(m, n, steps, x, stride, w, start, acc);
}

template <class Arch, class Rq, class Element, class Y>
void multiply_to_codes(int rows, int n, int used, int steps, const Element* x, ptrdiff_t stride, const int8_t* w,
                       const int32_t* start, const Rq& rq, int channel, Y* y, ptrdiff_t y_stride, int32_t* work,
                       int flip) noexcept {
  best_prim<prims::gemm_codes, Arch>::template run<rule_of<typename Rq::policy>::value>(
      rows, n, used, steps, x, stride, w, start, raw_factors(rq, channel), raw_stage(rq.stage), y, y_stride, work, flip);
}

template <class Arch, class X, class Rq>
inline constexpr auto gemm_calls_of = [] {
  using P = best_prim<prims::gemm, Arch>;
  using E = typename P::element;
  using Y = typename Rq::output::storage;
  gemm_calls<E, X, Rq> calls{tile_of<P>, P::template shift<X>, &P::template fetch<X>, &P::sum, &multiply<P, E>,
                             &kernel::finish<Arch, Rq, Y>, nullptr};
  if constexpr (multiplies_to_codes<Arch, Rq>()) calls.codes = &multiply_to_codes<Arch, Rq, E, Y>;
  return calls;
}();

/// Columns [first, last) of a product; first is where a panel begins.
struct column_range {
  int first = 0, last = 0;
};

/// y[r * y_stride + c] = what rq makes of start[c] + x[r] . w[c] + offsets[r] at (at.row + r, at.channel + c), for the
/// columns in `range`; offsets may be null.
template <class Element, class X, class Rq, class Y>
void gemm_rows(const gemm_calls<Element, X, Rq>& p, int rows, const element_rows<Element>& x, const gemm_weights& w,
               const unsigned char* packed, const column_range& range, const int32_t* offsets, const Rq& rq,
               const output_place& at, Y* y, ptrdiff_t y_stride, int32_t* tile) noexcept {
  const int steps = w.steps();
  if (p.codes != nullptr && offsets == nullptr)
    return p.codes(rows, w.padded_cols() - range.first, range.last - range.first, steps, x.at, x.stride,
                   w.panel(packed, range.first), w.start(packed, range.first), rq, at.channel + range.first, y + range.first,
                   y_stride, tile, x.flip);
  // The sums of one row lie side by side: several panels are finished together.
  const int many = rows == 1 ? smaller(p.tile.rows, 16) * p.tile.cols : p.tile.cols;
  for (int c = range.first; c < range.last; c += many) {
    const int used = smaller(many, range.last - c);
    for (int r = 0; r < rows; r += p.tile.rows) {
      const int m = smaller(p.tile.rows, rows - r);
      int width = 0;
      for (int done = 0; done < used; done += width) {
        width = w.width(c + done);
        p.run(m, width, steps, x.at + r * x.stride, x.stride, w.panel(packed, c + done), w.start(packed, c + done), tile + done, x.flip);
      }
      if (offsets != nullptr) add_to_rows(m, rows == 1 ? used : width, offsets + r, tile);
      p.finish(m, used, tile, width, rq, {at.row + r, at.channel + c}, y + r * y_stride + c, y_stride);
    }
  }
}

/// A product of rows of bytes, as dense, convolutions and matmul run it block by block.
template <class Element, class X, class Rq>
struct byte_product {
  using element = Element;

  const gemm_calls<Element, X, Rq>& calls;
  gemm_weights weights;
  gemm_block<Element> block;
  row_area<Element, int32_t> area;

  byte_product(const gemm_calls<Element, X, Rq>& c, const gemm_weights& w, int64_t all_rows, work_area& work) noexcept
      : calls(c), weights(w), block(w, all_rows), area(block, work) {}

  /// n rows: the block's, or for a `zero` of 0 any. `zero` is the weights' zero point as they were prepared.
  template <class Y>
  void multiply(int n, const element_rows<Element>& x, int x_zero, int zero, const unsigned char* packed, const column_range& cols,
                const Rq& rq, const output_place& at, Y* y, ptrdiff_t y_stride) const noexcept {
    gemm_rows(calls, n, x, weights, packed, cols, area.row_offsets(calls, n, weights.depth, x_zero, zero), rq, at, y, y_stride, area.tile);
  }
};

}  // namespace lowbits::kernel
