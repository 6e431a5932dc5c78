// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Blocks of rows on their way into a product.

#include <lowbits/kernel/work_area.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// Rows of elements that can be written.
template <class Element>
struct row_block {
  Element* at;
  ptrdiff_t stride;

  constexpr row_block from(int row, int k = 0) const noexcept { return {at + row * stride + k, stride}; }
  void fill(int rows, int n, Element value) const noexcept {
    for (int r = 0; r < rows; ++r)
      for (int k = 0; k < n; ++k) at[r * stride + k] = value;
  }
};

/// Rows of elements, or of codes that are still to be changed by `flip`.
template <class Element>
struct element_rows {
  const Element* at;
  ptrdiff_t stride;
  int flip = 0;
};

/// What a product works with: a block of rows, one tile of sums, and a number per row.
template <class Element, class Sum>
struct row_area {
  row_block<Element> x;
  Sum *tile, *offsets;

  /// Block is a gemm_block.
  template <class Block>
  row_area(const Block& b, work_area& area) noexcept
      : x{area.take<Element>(b.elements()), static_cast<ptrdiff_t>(b.stride())}, tile(area.take<Sum>(b.tile_size)),
        offsets(area.take<Sum>(static_cast<size_t>(b.rows))) {}

  element_rows<Element> rows() const noexcept { return {x.at, x.stride}; }
  /// Sets `offsets` for n rows to what a weights' zero point takes off their sums, and returns them; null for 0.
  template <class Calls>
  const Sum* row_offsets(const Calls& calls, int n, int depth, int x_zero, int zero) const noexcept {
    if (zero == 0) return nullptr;
    for (int r = 0; r < n; ++r) offsets[r] = calls.row_offset(x.from(r).at, depth, x_zero, zero);
    return offsets;
  }
};

/// Codes to the block's first n rows, less what lies behind the depth: there they stay zero.
template <class Product, class X>
void load_rows(const Product& p, int n, int depth, const X* from, ptrdiff_t step, int first = 0) noexcept {
  const auto to = p.area.x.from(first);
  p.calls.fetch(n, depth, from, step, to.at, to.stride);
  to.from(0, depth).fill(n, p.block.depth - depth, 0);
}

}  // namespace lowbits::kernel
