// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A matrix of codes to the layout of prepared weights, fast enough to be done each time a product of
// two activations runs: whole vectors are interleaved, and column sums come from the product itself.

#include <lowbits/core/bytes.hpp>
#include <lowbits/kernel/gemm.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// Weight (c, k) is at[c * by_col + k * by_depth], less 128 where W is unsigned; one of the steps is 1.
template <class W>
struct matrix_codes {
  const W* at;
  ptrdiff_t by_col, by_depth;
};

/// Sixteen columns of Step rows, interleaved: to[c * Step + k] = rows[k][c].
template <int Step>
void interleave(const unsigned char (&rows)[Step][16], unsigned char* to) noexcept {
#if LOWBITS_GNU
  if constexpr (Step == 2 || Step == 4) {
    using bytes = unsigned char __attribute__((vector_size(16)));
    using words = uint16_t __attribute__((vector_size(16)));
    bytes row[Step];
    __builtin_memcpy(row, rows, sizeof row);
    const auto low = [](bytes a, bytes b) {
      return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    };
    const auto high = [](bytes a, bytes b) {
      return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    };
    bytes out[Step] = {low(row[0], row[1]), high(row[0], row[1])};
    if constexpr (Step == 4) {
      const words pairs[4] = {words(out[0]), words(low(row[2], row[3])), words(out[1]), words(high(row[2], row[3]))};
      for (int half = 0; half < 2; ++half) {
        const words a = pairs[2 * half], b = pairs[2 * half + 1];
        out[2 * half] = bytes(__builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
        out[2 * half + 1] = bytes(__builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15));
      }
    }
    __builtin_memcpy(to, out, sizeof out);
    return;
  }
#endif
  for (int c = 0; c < 16; ++c)
    for (int k = 0; k < Step; ++k) to[c * Step + k] = rows[k][c];
}

/// As gemm_weights::pack without a bias. `row` is room for one row of elements, `tile` for one tile.
template <class P, class W>
void pack_matrix(const gemm_weights& layout, const matrix_codes<W>& w, int zero, unsigned char* packed,
                 typename P::element* row, int32_t* tile) noexcept {
  constexpr int step = P::depth_step;
  constexpr unsigned char flip = W(-1) < W(0) ? 0 : 0x80;
  auto* const starts = reinterpret_cast<int32_t*>(packed);
  fill_elements(starts, int32_t{0}, static_cast<size_t>(layout.padded_cols()));
  fill_elements(row, typename P::element{1}, static_cast<size_t>(layout.padded_depth()));
  auto* to = packed + layout.start_bytes();
  for (int c0 = 0; c0 < layout.padded_cols(); c0 += P::cols) {
    const int width = layout.width(c0);
    for (int k = 0; k < layout.padded_depth(); k += step) {
      const int depth = smaller(step, layout.depth - k);  // <= 0: nothing but zeros
      for (int c = 0; c < width; c += 16) {
        const int columns = smaller(16, width - c), used = lowbits::clamp(layout.cols - c0 - c, 0, columns);
        unsigned char codes[step][16], tile_bytes[16 * step];
        const auto* from = reinterpret_cast<const unsigned char*>(w.at + (c0 + c) * w.by_col + k * w.by_depth);
        if (w.by_col == 1) {
          for (int i = 0; i < step; ++i) {
            const int n = i < depth ? used : 0;
            if (n == 16) {
              __builtin_memcpy(codes[i], from + i * w.by_depth, 16);
            } else {
              fill_elements(codes[i], flip, 16);
              copy_elements(from + i * w.by_depth, codes[i], static_cast<size_t>(n));
            }
          }
          interleave(codes, tile_bytes);
        } else {
          if (used < columns || depth < step) fill_elements(tile_bytes, flip, sizeof tile_bytes);
          for (int i = 0; i < used; ++i, from += w.by_col) {
            if (depth == step) __builtin_memcpy(tile_bytes + i * step, from, step);
            else copy_elements(from, tile_bytes + i * step, static_cast<size_t>(larger(depth, 0)));
          }
        }
        if constexpr (flip != 0)
          for (auto& b : tile_bytes) b = static_cast<unsigned char>(b ^ flip);
        __builtin_memcpy(to, tile_bytes, static_cast<size_t>(columns * step));
        to += columns * step;
      }
    }
    if (zero == 0) continue;
    P::run(1, width, layout.steps(), row, 0, layout.panel(packed, c0), starts + c0, tile);
    for (int c = 0; c < width; ++c)
      starts[c0 + c] = static_cast<int32_t>(0u - static_cast<uint32_t>(zero) * static_cast<uint32_t>(tile[c]));
  }
}

}  // namespace lowbits::kernel
