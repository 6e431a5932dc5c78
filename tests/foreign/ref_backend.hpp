// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs operations through lowbits::ref. A backend is one struct with static functions of these names
// and arguments; what it leaves out is reported as skipped by the runner. Pointers may be to nothing
// when the tensor has no elements.

#include <string>

#include <lowbits/core/bytes.hpp>
#include <lowbits/quant/quantize.hpp>
#include <lowbits/ref/conv2d.hpp>
#include <lowbits/ref/depthwise.hpp>
#include <lowbits/ref/dynamic_quantize.hpp>
#include <lowbits/ref/eltwise.hpp>
#include <lowbits/ref/lstm.hpp>
#include <lowbits/ref/matmul.hpp>
#include <lowbits/ref/pool.hpp>
#include <lowbits/ref/shape_ops.hpp>
#include <lowbits/ref/softmax.hpp>
#include <lowbits/ref/svdf.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

namespace foreign {

struct ref_backend {
  static constexpr bool is_reference = true;  ///< what is not called through the backend may run, too
  static std::string name() { return "reference"; }

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

  template <class T>
  static void max_pool(const lowbits::pool2d_shape& s, const T* x, lowbits::code_range range,
                       T* y) {
    lowbits::ref::max_pool(s, x, range, y);
  }
  template <class T>
  static void average_pool(const lowbits::pool2d_shape& s, const T* x, lowbits::code_range range,
                           T* y) {
    lowbits::ref::average_pool(s, x, range, y);
  }
  template <class T, class Op>
  static void binary(const lowbits::tensor_shape& x_shape, const lowbits::tensor_shape& y_shape,
                     const T* x, const T* y, const Op& op, T* out) {
    lowbits::ref::binary(x_shape, y_shape, x, y, op, out);
  }
  template <class X, class Op, class Y>
  static void unary(std::size_t n, const X* x, const Op& op, Y* y) {
    lowbits::ref::unary(n, x, op, y);
  }

  template <class X, class Params, class Y>
  static void softmax(int rows, int row_size, const X* x, const Params& p, Y* y) {
    lowbits::ref::softmax(rows, row_size, x, p, y);
  }

  template <class Rounding, class Acc, class X, class Bias>
  static void lstm(const lowbits::recurrent_shape& s, const lowbits::lstm_params& p,
                   const lowbits::recurrent_weights<const std::int8_t*, Bias, lowbits::fixed_multiplier>& w, const X* x,
                   const lowbits::lstm_state<X>& state, std::int16_t* gates, X* y) {
    lowbits::ref::lstm<Rounding, lowbits::round_double_gemmlowp, Acc>(s, p, w, x, nullptr, state, gates, y);
  }
  template <class State>
  static void svdf_step(const lowbits::svdf_shape& s, const lowbits::svdf_params<lowbits::fixed_multiplier>& p,
                        const lowbits::svdf_weights<const std::int8_t*, State>& w, const std::int8_t* x, State* state, std::int8_t* y) {
    lowbits::ref::svdf_step<lowbits::round_double_gemmlowp>(s, p, w, x, state, y);
  }

  template <class T>
  static void pad(const lowbits::tensor_shape& s, const T* x, const int* before, T value,
                  const lowbits::tensor_shape& out, T* y) {
    lowbits::ref::pad(s, x, before, value, out, y);
  }
  template <class T>
  static void slice(const lowbits::tensor_shape& s, const T* x, const int* begin, const int* step,
                    const lowbits::tensor_shape& out, T* y) {
    lowbits::ref::slice(s, x, begin, step, out, y);
  }
  template <class T>
  static void transpose(const lowbits::tensor_shape& s, const T* x, const int* axes,
                        const lowbits::tensor_shape& out, T* y) {
    lowbits::ref::transpose(s, x, axes, out, y);
  }
  template <class T>
  static void copy(std::size_t n, const T* x, T* y) {
    lowbits::copy_elements(x, y, n);
  }
};

}  // namespace foreign
