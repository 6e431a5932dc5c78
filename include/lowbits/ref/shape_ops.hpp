// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operations that move elements and never change them: concat, split, pad, slice, transpose. Ranks
// up to max_rank, any element type, row-major without gaps. A reshape is a copy (or nothing at
// all).

#include <lowbits/ref/walk.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// Elements behind axis in one step along it.
constexpr ptrdiff_t inner_extent(const tensor_shape& s, int axis) noexcept {
  ptrdiff_t n = 1;
  for (int a = axis + 1; a < s.rank; ++a) n *= s.extent[a];
  return n;
}
/// Number of times axis is run through.
constexpr ptrdiff_t outer_extent(const tensor_shape& s, int axis) noexcept {
  ptrdiff_t n = 1;
  for (int a = 0; a < axis; ++a) n *= s.extent[a];
  return n;
}

/// y is x[0], x[1], .. x[count - 1] one behind the other along axis; their other extents are equal.
template <class T>
constexpr void concat(int count, const tensor_shape* shapes, const T* const* x, int axis,
                      T* y) noexcept {
  const ptrdiff_t outer = count > 0 ? outer_extent(shapes[0], axis) : 0;
  for (ptrdiff_t o = 0; o < outer; ++o)
    for (int k = 0; k < count; ++k) {
      const ptrdiff_t run = shapes[k].extent[axis] * inner_extent(shapes[k], axis);
      for (ptrdiff_t i = 0; i < run; ++i) *y++ = x[k][o * run + i];
    }
}

/// The inverse: y[k] takes the next extents[k] steps of x along axis. They add up to x's extent.
template <class T>
constexpr void split(const tensor_shape& shape, const T* x, int axis, int count, const int* extents,
                     T* const* y) noexcept {
  const ptrdiff_t outer = outer_extent(shape, axis), inner = inner_extent(shape, axis);
  for (ptrdiff_t o = 0; o < outer; ++o)
    for (int k = 0; k < count; ++k) {
      const ptrdiff_t run = extents[k] * inner;
      for (ptrdiff_t i = 0; i < run; ++i) y[k][o * run + i] = *x++;
    }
}

/// y[index] = x[index - before], or value where that lies outside x (behind it: out decides how
/// many). A negative `before` cuts off.
template <class T>
constexpr void pad(const tensor_shape& shape, const T* x, const int* before, T value,
                   const tensor_shape& out, T* y) noexcept {
  const strided v = strided::of(shape);
  tensor_index i;
  const size_t n = out.count();
  for (size_t k = 0; k < n; ++k, i.next(out)) {
    tensor_index from;
    bool inside = true;
    for (int a = 0; a < out.rank; ++a) {
      from.at[a] = i.at[a] - before[a];
      inside = inside && from.at[a] >= 0 && from.at[a] < shape.extent[a];
    }
    y[k] = inside ? x[v(from, out.rank)] : value;
  }
}

/// y[index] = x[begin + index * step] on every axis; step may be negative. All positions that out
/// asks for lie inside x.
template <class T>
constexpr void slice(const tensor_shape& shape, const T* x, const int* begin, const int* step,
                     const tensor_shape& out, T* y) noexcept {
  const strided own = strided::of(shape);
  strided v;
  for (int a = 0; a < out.rank; ++a) {
    v.start += begin[a] * own.stride[a];
    v.stride[a] = step[a] * own.stride[a];
  }
  gather(out, x, v, y);
}

/// Axis i of y is axis axes[i] of x.
template <class T>
constexpr void transpose(const tensor_shape& shape, const T* x, const int* axes,
                         const tensor_shape& out, T* y) noexcept {
  const strided own = strided::of(shape);
  strided v;
  for (int a = 0; a < out.rank; ++a) v.stride[a] = own.stride[axes[a]];
  gather(out, x, v, y);
}

}  // namespace lowbits::ref
