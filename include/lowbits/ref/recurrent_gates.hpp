// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the integer cells (lstm.hpp, gru.hpp, rnn.hpp) share: the arguments of their gates, codes of 16 bits.
//
//   part of x   held(rq(bias[r] + Wx[r] . (x - x_zero)))
//   part of h   rq(h_bias[r] + Wh[r] . (h - h_zero))
//
// held() keeps a number in the type it becomes.

#include <lowbits/fixed/activation.hpp>
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/ref/recurrent.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Rows of weights, biases and factors are [gates][units]. Weights are symmetric; W is a pointer or a packed_view.
template <class W, class Bias, class Multiplier>
struct recurrent_weights {
  W x, h;                       ///< [rows][inputs], [rows][units]
  const Bias* bias = nullptr;   ///< at the scale of the products with x; may be null
  const Multiplier *x_factors = nullptr, *h_factors = nullptr;  ///< from the products to the gates' scale
  const Bias* h_bias = nullptr; ///< GRU: at the scale of the products with h; may be null
};

namespace ref {

/// rq(bias + w[r] . (v - zero)); Acc holds the sum.
template <class Rounding, class Acc, class V, class W, class Bias>
constexpr int32_t gate_part(int r, int depth, const V* v, int zero, const W& w, const Bias* bias,
                            const typename Rounding::multiplier* factors) noexcept {
  Acc sum = bias != nullptr ? static_cast<Acc>(bias[r]) : 0;
  for (int k = 0; k < depth; ++k)
    sum += static_cast<Acc>(int{v[k]} - zero) * static_cast<Acc>(w[static_cast<size_t>(ptrdiff_t{r} * depth + k)]);
  return Rounding::apply(sum, factors[r]);
}

/// A gate's argument from both parts.
constexpr int16_t gate_sum(int32_t from_x, int32_t from_h) noexcept {
  return saturate<int16_t>(int64_t{saturate<int16_t>(from_x)} + from_h);
}

}  // namespace ref

}  // namespace lowbits
