// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of signs, -1 and +1, on both sides. This is the definition. Both operands are bits, 1 for +1; where two bits are
// equal their product is +1, so that
//
//   sum over k < depth of x[r][k] * w[c][k]  =  depth - 2 * (number of k where the bits differ)
//   y[r][c] = rq(bias[c] + that sum, r, c)

#include <lowbits/fixed/float_output.hpp>
#include <lowbits/pack/packed_view.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Rows of `depth` bits times weights [cols] of as many. Every row is a bit stream of its own (rows_layout of q1) and begins
/// at a byte; the bits behind its last one do not matter. Strides of x and w count bytes, that of y elements, or bytes where y
/// is bits; 0 stands for rows that follow each other.
struct binary_shape {
  int rows = 1, cols = 1, depth = 1;
  ptrdiff_t x_row = 0, w_row = 0, y_row = 0;

  constexpr bool operator==(const binary_shape&) const = default;
  constexpr ptrdiff_t depth_bytes() const noexcept { return ceil_div(depth, 8); }
  constexpr ptrdiff_t x_row_step() const noexcept { return x_row != 0 ? x_row : depth_bytes(); }
  constexpr ptrdiff_t w_row_step() const noexcept { return w_row != 0 ? w_row : depth_bytes(); }
  constexpr ptrdiff_t y_row_step(bool is_bits) const noexcept { return y_row != 0 ? y_row : is_bits ? ceil_div(cols, 8) : cols; }
};

/// Takes the place of a requantizer: the sums' signs as bits, the next layer's operand. Bit c of a row is 1 where the sum
/// is thresholds[c] or more (null: 0 or more); the bits behind the last column of a row are 0. A normalisation
/// before the sign is a threshold, with the weights of channels that it turns round negated.
struct sign_bits {
  struct output {
    using storage = uint8_t;
  };
  static constexpr bool is_bits = true;
  const int32_t* thresholds = nullptr;

  constexpr bool operator()(int32_t sum, size_t channel) const noexcept { return sum >= (thresholds != nullptr ? thresholds[channel] : 0); }
};
template <class Rq>
inline constexpr bool gives_bits = requires { Rq::is_bits; };

namespace ref {

/// The sum of the products of two rows of bits.
constexpr int32_t binary_sum(const uint8_t* x, const uint8_t* w, int depth) noexcept {
  int32_t sum = 0;
  for (int k = 0; k < depth; ++k) sum += ((x[k / 8] ^ w[k / 8]) >> k % 8 & 1) != 0 ? -1 : 1;
  return sum;
}

/// bias has cols elements or is null. y overlaps nothing else.
template <class Rq, class Y>
constexpr void binary_gemm(const binary_shape& s, const uint8_t* x, const uint8_t* w, const int32_t* bias, const Rq& rq, Y* y) noexcept {
  for (int r = 0; r < s.rows; ++r) {
    Y* const to = y + r * s.y_row_step(gives_bits<Rq>);
    for (int c = 0; c < s.cols; ++c) {
      const int32_t sum = (bias != nullptr ? bias[c] : 0) + binary_sum(x + r * s.x_row_step(), w + c * s.w_row_step(), s.depth);
      const auto out = output_of(rq, sum, static_cast<size_t>(r), static_cast<size_t>(c));
      if constexpr (gives_bits<Rq>) to[c / 8] = static_cast<uint8_t>((c % 8 == 0 ? 0 : to[c / 8]) | (out ? 1 : 0) << c % 8);
      else to[c] = out;
    }
  }
}

}  // namespace ref

}  // namespace lowbits
