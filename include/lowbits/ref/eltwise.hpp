// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Element-wise operations on one and two tensors. What is done with the codes is the functor's
// business (fixed/eltwise.hpp); this is the definition of which codes meet.

#include <lowbits/ref/walk.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// The extents of x op y: axes are aligned at the last one, a missing axis or an extent of 1 is
/// repeated (numpy's rule). The other extents must be equal.
constexpr tensor_shape broadcast_shape(const tensor_shape& x, const tensor_shape& y) noexcept {
  tensor_shape s;
  s.rank = larger(x.rank, y.rank);
  for (int a = 0; a < s.rank; ++a) {
    const int ax = a - (s.rank - x.rank), ay = a - (s.rank - y.rank);
    const int ex = ax >= 0 ? x.extent[ax] : 1, ey = ay >= 0 ? y.extent[ay] : 1;
    s.extent[a] = ex == 1 ? ey : ex;
  }
  return s;
}

/// x as it is read along the axes of s: a repeated axis has stride 0.
constexpr strided broadcast_to(const tensor_shape& x, const tensor_shape& s) noexcept {
  const strided own = strided::of(x);
  strided v;
  for (int a = 0; a < s.rank; ++a) {
    const int ax = a - (s.rank - x.rank);
    v.stride[a] = ax < 0 || x.extent[ax] == 1 ? 0 : own.stride[ax];
  }
  return v;
}

/// out[i] = op(x[i], y[i]) over the broadcast shape. op is sum_params, tflite_sum_params,
/// product_params, extremum_params or anything that maps two codes to one.
template <class X, class Y, class Op, class Out>
constexpr void binary(const tensor_shape& shape_x, const tensor_shape& shape_y, X x, Y y,
                      const Op& op, Out* out) noexcept {
  const tensor_shape s = broadcast_shape(shape_x, shape_y);
  const strided from_x = broadcast_to(shape_x, s), from_y = broadcast_to(shape_y, s);
  tensor_index i;
  const size_t n = s.count();
  for (size_t k = 0; k < n; ++k, i.next(s))
    out[k] = static_cast<Out>(op(x[from_x(i, s.rank)], y[from_y(i, s.rank)]));
}

/// y[i] = f(x[i]); f is rescale_params, a table or anything that maps a code to a code.
template <class X, class Function, class Y>
constexpr void unary(size_t n, X x, const Function& f, Y* y) noexcept {
  for (size_t i = 0; i < n; ++i) y[i] = static_cast<Y>(f(x[i]));
}

}  // namespace lowbits::ref
