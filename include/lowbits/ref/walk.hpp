// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Walking over the elements of a tensor in row-major order, and reading another one along the way.

#include <lowbits/core/shapes.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// The position of an element: one index per axis, the last axis fastest.
struct tensor_index {
  int at[max_rank]{};

  /// Moves on to the next element of s; after the last one, back to the first.
  constexpr void next(const tensor_shape& s) noexcept {
    for (int a = s.rank - 1; a >= 0; --a) {
      if (++at[a] < s.extent[a]) return;
      at[a] = 0;
    }
  }
};

/// Where the element for an index lies in another array: start + sum of index * stride.
struct strided {
  ptrdiff_t start = 0;
  ptrdiff_t stride[max_rank]{};

  /// The elements of s as they lie in memory.
  static constexpr strided of(const tensor_shape& s) noexcept {
    strided v;
    ptrdiff_t n = 1;
    for (int a = s.rank - 1; a >= 0; --a) {
      v.stride[a] = n;
      n *= s.extent[a];
    }
    return v;
  }
  constexpr size_t operator()(const tensor_index& i, int rank) const noexcept {
    ptrdiff_t n = start;
    for (int a = 0; a < rank; ++a) n += i.at[a] * stride[a];
    return static_cast<size_t>(n);
  }
};

/// y[index] = x[v(index)] for every index of s.
template <class X, class Y>
constexpr void gather(const tensor_shape& s, const X& x, const strided& v, Y* y) noexcept {
  tensor_index i;
  const size_t n = s.count();
  for (size_t k = 0; k < n; ++k, i.next(s)) y[k] = static_cast<Y>(x[v(i, s.rank)]);
}

}  // namespace lowbits::ref
