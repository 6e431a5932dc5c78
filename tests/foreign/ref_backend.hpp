// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs operations through lowbits::ref. A backend is one struct with static functions of these names
// and arguments; what it leaves out is reported as skipped by the runner. Pointers may be to nothing
// when the tensor has no elements.

#include <lowbits/quant/quantize.hpp>
#include <lowbits/ref/conv2d.hpp>
#include <lowbits/ref/depthwise.hpp>
#include <lowbits/ref/dynamic_quantize.hpp>
#include <lowbits/ref/matmul.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

namespace foreign {

struct ref_backend {
  static constexpr const char* name = "ref";

  template <class Acc, class X, class W, class Bias, class Rq, class Y>
  static void conv2d(const lowbits::conv2d_shape& s, const X* x, int x_zero, W w, int w_zero,
                     const Bias* bias, const Rq& rq, Y* y) {
    lowbits::ref::conv2d<Acc>(s, x, x_zero, w, w_zero, bias, rq, y);
  }
  template <class Acc, class X, class W, class Bias, class Rq, class Y>
  static void transposed_conv2d(const lowbits::conv2d_shape& s, const X* x, int x_zero, W w,
                                int w_zero, const Bias* bias, const Rq& rq, Y* y) {
    lowbits::ref::transposed_conv2d<Acc>(s, x, x_zero, w, w_zero, bias, rq, y);
  }
  template <class Acc, class X, class W, class Bias, class Rq, class Y>
  static void depthwise(const lowbits::depthwise_shape& s, const X* x, int x_zero, W w, int w_zero,
                        const Bias* bias, const Rq& rq, Y* y) {
    lowbits::ref::depthwise<Acc>(s, x, x_zero, w, w_zero, bias, rq, y);
  }
  template <class Acc, class X, class W, class Rq, class Y>
  static void matmul(const lowbits::matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero,
                     const Rq& rq, Y* y) {
    lowbits::ref::matmul<Acc>(s, x, x_zero, w, w_zero, rq, y);
  }
  template <class Q, class Granularity>
  static lowbits::status quantize(const float* x, lowbits::shape_view shape,
                                  std::span<const lowbits::affine> params, typename Q::storage* q) {
    const std::size_t n = lowbits::element_count(shape);
    return lowbits::quantize<Q, Granularity>({x, n}, shape, params, {q, n});
  }
  template <class Q, class Granularity>
  static lowbits::status dequantize(const typename Q::storage* q, lowbits::shape_view shape,
                                    std::span<const lowbits::affine> params, float* x) {
    const std::size_t n = lowbits::element_count(shape);
    return lowbits::dequantize<Q, Granularity>({q, n}, shape, params, {x, n});
  }
  template <class Q>
  static lowbits::affine dynamic_quantize(std::size_t n, const float* x, typename Q::storage* q) {
    return lowbits::ref::dynamic_quantize<Q>(n, x, q);
  }
};

}  // namespace foreign
