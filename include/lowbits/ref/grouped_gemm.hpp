// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rows of codes times constant weights that have a factor for each group of weights along the depth. This is the
// definition. With sum_g = sum over k in group g of (x[b][r][k] - x_zero) * (w[c][k] - w_zero),
//
//   real factors       t = 0; for one group after another: t = t + float(sum_g) * factor[c][g]
//                      y[b][r][c] = t * (row_scales[row] * scales[c]) + bias[c]
//   integer factors    acc = bias[c] + sum over g of floor((sum_g * factor[c][g] + 2^(shift - 1)) / 2^shift)
//                      y[b][r][c] = rq(acc, row, c)
//
// Every float operation is rounded on its own; the integers have 32 bits and wrap. row counts on through the batch.

#include <lowbits/core/half.hpp>
#include <lowbits/ref/gemm.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// float and half are real factors; uint8_t, 0..255, are integer ones.
template <class T>
concept group_factor = std::is_same_v<T, float> || std::is_same_v<T, half> || std::is_same_v<T, uint8_t>;

/// Factors of groups of `group` weights along the depth; the last group may be short.
template <group_factor Factor>
struct group_factors {
  const Factor* each = nullptr;  ///< [cols][ceil(depth / group)]
  int group = 32;
  int shift = 0;  ///< of integer factors, 0..30: what their products are divided by, 2^shift
};

namespace ref {

constexpr float group_scale(float s) noexcept { return s; }
constexpr float group_scale(half s) noexcept { return s.value(); }

/// What follows the real sum t of row `row` in channel c.
constexpr float grouped_output(const float_output& out, float t, size_t row, size_t c) noexcept {
  const float row_scale = out.row_scales != nullptr ? out.row_scales[row] : 1.0f;
  const float y = fp::product(t, fp::product(row_scale, out.scales != nullptr ? out.scales[c] : 1.0f));
  return out.bias != nullptr ? fp::sum(y, out.bias[c]) : y;
}

/// One row of one column: x[k], weight(k), factor(g). Acc is int32_t for integer factors, float for real ones.
template <class Acc, class X, class Weight, class FactorOf>
constexpr Acc grouped_sum(int depth, int group, int shift, const X* x, int x_zero, Weight&& weight, FactorOf&& factor, Acc first) noexcept {
  Acc total = first;
  for (int k = 0, g = 0; k < depth; ++g) {
    uint32_t sum = 0;
    for (const int end = smaller(depth, k + group); k < end; ++k) sum += static_cast<uint32_t>((x[k] - x_zero) * weight(k));
    if constexpr (std::is_same_v<Acc, float>) {
      total = fp::sum(total, fp::product(static_cast<float>(static_cast<int32_t>(sum)), group_scale(factor(g))));
    } else {
      const auto part = static_cast<int32_t>(sum * uint32_t{factor(g)} + (shift > 0 ? 1u << (shift - 1) : 0u)) >> shift;
      total = static_cast<int32_t>(static_cast<uint32_t>(total) + static_cast<uint32_t>(part));
    }
  }
  return total;
}

/// w[i] is code i of [cols][depth]. bias, [cols] or null, goes with integer factors; Rq is float_output for real ones,
/// whose row_zeros are not used. y overlaps nothing else.
template <class X, class W, group_factor Factor, class Rq, class Y>
constexpr void grouped_gemm(const gemm_shape& s, const X* x, int x_zero, const W& w, int w_zero,
                            const group_factors<Factor>& factors, const int32_t* bias, const Rq& rq, Y* y) noexcept {
  const int groups = ceil_div(s.depth, factors.group);
  for (int b = 0; b < s.batch; ++b)
    for (int r = 0; r < s.rows; ++r)
      for (int c = 0; c < s.cols; ++c) {
        const auto row = static_cast<size_t>(b) * static_cast<size_t>(s.rows) + static_cast<size_t>(r), channel = static_cast<size_t>(c);
        const X* const from = x + b * s.x_matrix_step() + r * s.x_row_step();
        const auto weight = [&](int k) { return int{w[static_cast<size_t>(ptrdiff_t{c} * s.depth + k)]} - w_zero; };
        const auto factor = [&](int g) { return factors.each[ptrdiff_t{c} * groups + g]; };
        Y& to = y[b * s.y_matrix_step() + r * s.y_row_step() + c];
        if constexpr (std::is_same_v<Factor, uint8_t>)
          to = output_of(rq, grouped_sum<int32_t>(s.depth, factors.group, factors.shift, from, x_zero, weight, factor, bias != nullptr ? bias[c] : 0),
                         row, channel);
        else
          to = grouped_output(rq, grouped_sum<float>(s.depth, factors.group, 0, from, x_zero, weight, factor, 0.0f), row, channel);
      }
}

}  // namespace ref

}  // namespace lowbits
