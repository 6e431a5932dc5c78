// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products with error compensation (quant/compensation.hpp). This is the definition. `exact` is the
// product of the 16-bit codes. `three_products`, with x = 256 x1 + x2 and w = 256 w1 + w2 split centred
// and zero points split the same way, is that less what the residuals would have given:
//
//   sum of (x - x_zero) * (w - w_zero)  -  sum of (x2 - x2_zero) * (w2 - w2_zero)

#include <lowbits/quant/compensation.hpp>
#include <lowbits/ref/conv2d.hpp>
#include <lowbits/ref/matmul.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// Codes of 16 bits, those above highest_centred held there.
template <class Codes>
struct held_codes {
  Codes codes{};
  static constexpr int of(int code) noexcept { return smaller(code - sixteen_bit_offset<Codes>, highest_centred); }
  constexpr int operator[](size_t i) const noexcept { return of(codes[i]); }
};

/// sum(x, x_zero, w, w_zero) gives a sum of products in int64.
template <class X, class W, class Sum>
constexpr int64_t three_products(const X& x, int x_zero, const W& w, int w_zero, Sum&& sum) noexcept {
  using x_rest = byte_part<X, true>;
  using w_rest = byte_part<W, true>;
  return sum(held_codes<X>{x}, held_codes<X>::of(x_zero), held_codes<W>{w}, held_codes<W>::of(w_zero)) -
      sum(x_rest{x, true}, x_rest::of(x_zero, true), w_rest{w, true}, w_rest::of(w_zero, true));
}

/// The three: arguments as in conv2d, transposed_conv2d and matmul; X is a pointer or a view.
template <class X, class W, class Bias, class Rq, class Y>
constexpr void three_product_conv2d(const conv2d_shape& s, X x, int x_zero, W w, int w_zero, const Bias* bias, const Rq& rq,
                                    Y* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow)
        for (int c = 0; c < s.out_c; ++c) {
          const int64_t sum = three_products(x, x_zero, w, w_zero, [&](const auto& a, int az, const auto& v, int vz) {
            return conv2d_accumulator<int64_t>(s, a, az, v, vz, b, oh, ow, c);
          });
          *y++ = rq(bias != nullptr ? sum + bias[c] : sum, static_cast<size_t>(c));
        }
}
template <class X, class W, class Bias, class Rq, class Y>
constexpr void three_product_transposed_conv2d(const conv2d_shape& s, X x, int x_zero, W w, int w_zero, const Bias* bias,
                                               const Rq& rq, Y* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow)
        for (int c = 0; c < s.out_c; ++c) {
          const int64_t sum = three_products(x, x_zero, w, w_zero, [&](const auto& a, int az, const auto& v, int vz) {
            return transposed_conv2d_accumulator<int64_t>(s, a, az, v, vz, b, oh, ow, c);
          });
          *y++ = rq(bias != nullptr ? sum + bias[c] : sum, static_cast<size_t>(c));
        }
}
template <class X, class W, class Rq, class Y>
constexpr void three_product_matmul(const matmul_shape& s, X x, int x_zero, W w, int w_zero, const Rq& rq, Y* y) noexcept {
  for (int b0 = 0; b0 < s.batch(0); ++b0)
    for (int b1 = 0; b1 < s.batch(1); ++b1) {
      const ptrdiff_t x_at = matmul_batch(s.x_batch, b0, b1) * s.rows * s.depth;
      const ptrdiff_t w_at = matmul_batch(s.w_batch, b0, b1) * s.depth * s.cols;
      for (int r = 0; r < s.rows; ++r)
        for (int c = 0; c < s.cols; ++c) {
          const int64_t sum = three_products(x, x_zero, w, w_zero, [&](const auto& a, int az, const auto& v, int vz) {
            return matmul_accumulator<int64_t>(s, a, az, x_at, v, vz, w_at, r, c);
          });
          *y++ = rq(sum, static_cast<size_t>(c));
        }
    }
}

}  // namespace lowbits::ref
