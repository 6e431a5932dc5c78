// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How many sets of parameters a tensor has, and which one an element uses. A granularity is a
// type; a shape is a list of extents, outermost first.

#include <span>

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

using shape_view = std::span<const size_t>;

constexpr size_t element_count(shape_view shape) noexcept {
  size_t n = 1;
  for (size_t extent : shape) n *= extent;
  return n;
}
/// Product of the extents behind axis.
constexpr size_t inner_count(shape_view shape, size_t axis) noexcept {
  size_t n = 1;
  for (size_t i = axis + 1; i < shape.size(); ++i) n *= shape[i];
  return n;
}
constexpr size_t last_extent(shape_view shape) noexcept {
  return shape.empty() ? 1 : shape[shape.size() - 1];
}

/// One set for the whole tensor.
struct per_tensor {
  static constexpr bool is_dynamic = false;
  static constexpr size_t count(shape_view) noexcept { return 1; }
  static constexpr size_t index(shape_view, size_t) noexcept { return 0; }
};

/// One set for each index along Axis (output channels of weights, for example).
template <size_t Axis>
struct per_axis {
  static constexpr bool is_dynamic = false;
  static constexpr size_t axis = Axis;
  static constexpr size_t count(shape_view shape) noexcept {
    return Axis < shape.size() ? shape[Axis] : 1;
  }
  static constexpr size_t index(shape_view shape, size_t element) noexcept {
    return Axis < shape.size() ? element / inner_count(shape, Axis) % shape[Axis] : 0;
  }
};

/// One set for each run of Size elements along the last axis; the last run may be shorter.
template <size_t Size>
struct per_group {
  static_assert(Size > 0, "lowbits: per_group: Size is zero; give the number of elements of a group");
  static constexpr bool is_dynamic = false;
  static constexpr size_t size = Size;
  static constexpr size_t count(shape_view shape) noexcept {
    const size_t columns = last_extent(shape);
    return columns == 0 ? 0 : element_count(shape) / columns * ceil_div(columns, Size);
  }
  static constexpr size_t index(shape_view shape, size_t element) noexcept {
    const size_t columns = last_extent(shape);
    return element / columns * ceil_div(columns, Size) + element % columns / Size;
  }
};

/// One set for each Rows x Columns tile of the last two axes; edge tiles may be smaller.
template <size_t Rows, size_t Columns>
struct per_block {
  static_assert(Rows > 0 && Columns > 0,
                "lowbits: per_block: an extent of the block is zero; give both as 1 or more");
  static constexpr bool is_dynamic = false;
  static constexpr size_t rows_of(shape_view shape) noexcept {
    return shape.size() < 2 ? 1 : shape[shape.size() - 2];
  }
  static constexpr size_t per_matrix(shape_view shape) noexcept {
    return ceil_div(rows_of(shape), Rows) * ceil_div(last_extent(shape), Columns);
  }
  static constexpr size_t count(shape_view shape) noexcept {
    const size_t matrix = rows_of(shape) * last_extent(shape);
    return matrix == 0 ? 0 : element_count(shape) / matrix * per_matrix(shape);
  }
  static constexpr size_t index(shape_view shape, size_t element) noexcept {
    const size_t columns = last_extent(shape);
    const size_t matrix = rows_of(shape) * columns;
    const size_t in_matrix = element % matrix;
    return element / matrix * per_matrix(shape) +
           in_matrix / columns / Rows * ceil_div(columns, Columns) + in_matrix % columns / Columns;
  }
};

/// One set for each row (all axes but the last), found from the data when it arrives.
struct per_row {
  static constexpr bool is_dynamic = true;
  static constexpr size_t count(shape_view shape) noexcept {
    const size_t columns = last_extent(shape);
    return columns == 0 ? 0 : element_count(shape) / columns;
  }
  static constexpr size_t index(shape_view shape, size_t element) noexcept {
    return element / last_extent(shape);
  }
};

}  // namespace lowbits
