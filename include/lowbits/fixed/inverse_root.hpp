// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// 1 / sqrt(x) of an integer as a multiplier.

#include <bit>

#include <lowbits/fixed/activation.hpp>
#include <lowbits/fixed/multiplier.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// 1 / sqrt(x) for x of 1 or more (below 1 as 1), bit for bit TFLite's GetInvSqrtQuantizedMultiplierExp
/// (kernels/internal/common.h): x is brought to [2^27, 2^29), an even power of two away, and five of Newton's steps follow in
/// three integer bits; at most 1.3e-6 off.
constexpr fixed_multiplier inverse_root(int32_t x) noexcept {
  if (x <= 1) return {highest_of<int32_t>, 0};
  const auto three = [](int32_t product) { return gemmlowp::fewer_integer_bits<3>(product); };
  int exponent = 11;
  for (; x >= 1 << 29; ++exponent) x /= 4;
  const int pairs = (std::countl_zero(static_cast<uint32_t>(x)) - 1) / 2 - 1;
  exponent -= pairs;
  const int32_t in = (x << (2 * pairs)) >> 1, half_in = round_double_gemmlowp::divide_by_power(in, 1);
  constexpr int32_t half_three = (1 << 28) + (1 << 27);
  int32_t r = 1 << 28;
  for (int i = 0; i < 5; ++i) {
    const int32_t cube = gemmlowp::fewer_integer_bits<6>(gemmlowp::high_product(gemmlowp::high_product(r, r), r));
    r = three(gemmlowp::high_product(half_three, r) - gemmlowp::high_product(half_in, cube));
  }
  r = gemmlowp::high_product(r, int32_t{1518500250});  // sqrt(1/2)
  return exponent < 0 ? fixed_multiplier{r << -exponent, 0} : fixed_multiplier{r, -exponent};
}

}  // namespace lowbits
