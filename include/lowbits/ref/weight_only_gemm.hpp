// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rows of floats times weights in codes of 1 to 16 bits, each of which stands for (code - zero) * scale. This is the
// definition. Starting from bias[c] or 0, for one group g of the depth after another, and within it for one block of at
// most 256 k after another,
//
//   sum     = 0, then for each k of the block in turn: sum + x[b][r][k] * float(w[c][k] - zeros[g][c])
//   y[b][r][c] = sum * scales[g][c] + y[b][r][c]
//
// every product and every sum rounded on its own (docs/decisions/0020-weight-only.md). NaN and infinities are those of
// IEEE arithmetic; which NaN is not said.

#include <span>

#include <lowbits/core/fp.hpp>
#include <lowbits/core/real_layout.hpp>
#include <lowbits/core/shapes.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// What the codes of a product stand for: one scale, or one for each group and column; and the same with zero points.
struct weight_only_scales {
  std::span<const float> scales;      ///< 1, or [groups][cols]
  std::span<const int32_t> zeros{};   ///< none: 0; 1, or [groups][cols]; of magnitudes up to 2^16
  const float* bias = nullptr;        ///< [cols]; null: 0

  constexpr float scale(ptrdiff_t at) const noexcept { return scales[scales.size() == 1 ? 0 : static_cast<size_t>(at)]; }
  constexpr int zero(ptrdiff_t at) const noexcept {
    return zeros.empty() ? 0 : static_cast<int>(zeros[zeros.size() == 1 ? 0 : static_cast<size_t>(at)]);
  }
};

/// Codes along the depth with a scale of their own; the last group may have fewer. 0 stands for the whole depth.
constexpr int weight_only_group(const gemm_shape& s, int group) noexcept {
  const int all = larger(s.depth, 1);
  return group == 0 ? all : smaller(group, all);
}
constexpr int weight_only_groups(const gemm_shape& s, int group) noexcept { return s.depth == 0 ? 0 : (s.depth - 1) / weight_only_group(s, group) + 1; }

namespace ref {

/// One output: x(k) and w(k) are the operands, zero(g) and scale(g) those of a group.
template <class X, class W, class Zero, class Scale>
constexpr float weight_only_element(int depth, int group, X&& x, W&& w, Zero&& zero, Scale&& scale, float bias) noexcept {
  float result = bias;
  for (int g = 0, k = 0; k < depth; ++g) {
    const int group_end = depth - k > group ? k + group : depth;
    while (k < group_end) {
      const int end = smaller(k + real_block, group_end);
      float sum = 0;
      for (; k < end; ++k) sum = fp::sum(sum, fp::product(x(k), static_cast<float>(w(k) - zero(g))));
      result = fp::sum(fp::product(sum, scale(g)), result);
    }
  }
  return result;
}

/// x, w and y as gemm_shape says; y overlaps nothing else.
template <class W>
constexpr void weight_only_gemm(const gemm_shape& s, int group, const float* x, const W& w, const weight_only_scales& of, float* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int r = 0; r < s.rows; ++r)
      for (int c = 0; c < s.cols; ++c) {
        const float* const from = x + b * s.x_matrix_step() + r * s.x_row_step();
        y[b * s.y_matrix_step() + r * s.y_row_step() + c] = weight_only_element(
            s.depth, weight_only_group(s, group), [&](int k) { return from[k]; },
            [&](int k) { return int{w[static_cast<size_t>(ptrdiff_t{c} * s.depth + k)]}; },
            [&](int g) { return of.zero(ptrdiff_t{g} * s.cols + c); }, [&](int g) { return of.scale(ptrdiff_t{g} * s.cols + c); },
            of.bias != nullptr ? of.bias[c] : 0.0f);
      }
}

}  // namespace ref

}  // namespace lowbits
