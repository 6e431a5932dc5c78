// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The matrix product that convolutions, fully connected layers and matrix products share: rows of
// codes times prepared 8-bit weights, tile by tile. What a tile is, the primitive P says.

#include <lowbits/kernel/finish.hpp>
#include <lowbits/kernel/work_area.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// A row's depth is made up to a multiple of this.
template <class P>
constexpr int depth_pad() noexcept {
  if constexpr (requires { P::depth_pad; }) return P::depth_pad;
  else return P::depth_step;
}

/// The layout of prepared weights [cols][depth]: first the accumulators' start values, then panels of
/// P::cols columns (the last one narrower), each [depth / depth_step][columns][depth_step]. What is
/// not there is zero.
template <class P>
struct gemm_weights {
  int depth = 0;
  int cols = 0;

  constexpr int steps() const noexcept { return ceil_div(depth, P::depth_step); }
  constexpr int padded_depth() const noexcept { return round_up(depth, depth_pad<P>()); }
  constexpr int padded_cols() const noexcept { return round_up(cols, P::col_step); }
  /// Columns of the panel that starts at column c.
  constexpr int width(int c) const noexcept { return smaller(P::cols, padded_cols() - c); }
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
    for (int c0 = 0; c0 < padded_cols(); c0 += P::cols)
      for (int k0 = 0; k0 < padded_depth(); k0 += P::depth_step)
        for (int c = c0; c < c0 + width(c0); ++c)
          for (int k = k0; k < k0 + P::depth_step; ++k) {
            const int w = c < cols && k < depth ? weight(c, k) : 0;
            *to++ = static_cast<int8_t>(w);
            starts[c] = static_cast<int32_t>(static_cast<uint32_t>(starts[c]) - static_cast<uint32_t>(zero * w));
          }
  }
};

/// The work area of a product: a block of rows as P's elements, one tile of accumulators, and a number
/// per row.
template <class P>
struct gemm_block {
  /// Bytes of rows kept. Weights that stay in an L2 cache pass by as often as they like, and the rows
  /// stay in the L1 cache they were gathered into; larger weights have to serve more rows each time.
  static constexpr size_t l2_weights = 512 * 1024, few_rows = 16 * 1024, many_rows = 192 * 1024;
  static constexpr size_t row_bytes(const gemm_weights<P>& w) noexcept {
    if constexpr (requires { P::row_bytes; }) return P::row_bytes;
    else return w.bytes() <= l2_weights ? few_rows : many_rows;
  }

  int depth = 0;  ///< of a row, padded
  int rows = 0;   ///< of a full block

  constexpr gemm_block(const gemm_weights<P>& w, int64_t all_rows) noexcept : depth(w.padded_depth()) {
    const int64_t tile = P::rows * stride() * static_cast<int64_t>(sizeof(typename P::element));
    const int64_t tiles = lowbits::clamp<int64_t>(static_cast<int64_t>(row_bytes(w)) / larger<int64_t>(tile, 1), 1, 8);
    rows = static_cast<int>(smaller<int64_t>(tiles * P::rows, larger<int64_t>(all_rows, 1)));
  }
  /// Elements from one row to the next: not a multiple of 1 KiB, so that the rows of a tile do not
  /// compete for the same cache lines.
  constexpr int64_t stride() const noexcept {
    constexpr int64_t size = sizeof(typename P::element);
    return depth * size % 1024 == 0 ? depth + 64 / size : depth;
  }
  constexpr size_t elements() const noexcept { return static_cast<size_t>(rows) * static_cast<size_t>(stride()); }
  static constexpr size_t tile_size = static_cast<size_t>(P::rows * P::cols);
  constexpr size_t bytes() const noexcept {
    return work_bytes(elements(), sizeof(typename P::element)) + work_bytes(tile_size, sizeof(int32_t)) +
           work_bytes(static_cast<size_t>(rows), sizeof(int32_t));
  }
};

/// What a zero point of the weights takes off a row's accumulators: zero times the sum of the row's
/// `depth` elements, each less `x_zero`; negative.
template <class P>
int32_t row_offset(const typename P::element* x, int depth, int x_zero, int zero) noexcept {
  const uint32_t sum = static_cast<uint32_t>(P::sum(x, depth)) - static_cast<uint32_t>(depth) * static_cast<uint32_t>(x_zero);
  return static_cast<int32_t>(static_cast<uint32_t>(-zero) * sum);
}

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

/// Columns [first, last) of a product; first is where a panel begins.
struct column_range {
  int first = 0, last = 0;
};

/// y[r * y_stride + c] = what rq makes of start[c] + x[r] . w[c] + offsets[r] at (at.row + r, at.channel + c), for the
/// columns in `range`; offsets may be null.
template <class Arch, class P, class Rq, class Y>
void gemm_rows(int rows, const typename P::element* x, ptrdiff_t x_stride, const gemm_weights<P>& w,
               const unsigned char* packed, const column_range& range, const int32_t* offsets, const Rq& rq,
               const output_place& at, Y* y, ptrdiff_t y_stride, int32_t* tile) noexcept {
  for (int c = range.first; c < range.last; c += P::cols) {
    const int width = w.width(c), used = smaller(width, range.last - c);
    const int8_t* const panel = w.panel(packed, c);
    const int32_t* const start = w.start(packed, c);
    if constexpr (multiplies_to_codes<Arch, Rq>()) {
      if (offsets == nullptr) {
        best_prim<prims::gemm_codes, Arch>::template run<rule_of<typename Rq::policy>::value>(
            rows, width, used, w.steps(), x, x_stride, panel, start, raw_factors(rq, at.channel + c),
            raw_stage(rq.stage), y + c, y_stride, tile);
        continue;
      }
    }
    for (int r = 0; r < rows; r += P::rows) {
      const int m = smaller(P::rows, rows - r);
      P::run(m, width, w.steps(), x + r * x_stride, x_stride, panel, start, tile);
      if (offsets != nullptr) add_to_rows(m, width, offsets + r, tile);
      finish<Arch>(m, used, tile, width, rq, {at.row + r, at.channel + c}, y + r * y_stride + c, y_stride);
    }
  }
}

}  // namespace lowbits::kernel
