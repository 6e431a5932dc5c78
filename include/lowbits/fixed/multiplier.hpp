// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Real factors as integers: what stands in front of the shift when an accumulator is rescaled.

#include <lowbits/fixed/real.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// factor = mantissa * 2^(exponent - 31), mantissa in [2^30, 2^31) or 0, exponent in [-31, 30].
/// A positive exponent is a left shift: TFLite's and CMSIS-NN's "shift" has the same sign.
struct fixed_multiplier {
  int32_t mantissa = 0;
  int32_t exponent = 0;

  constexpr bool operator==(const fixed_multiplier&) const = default;

  /// Nearest 31-bit mantissa, ties away from zero (TFLite's QuantizeMultiplier). A factor below
  /// 2^-32 becomes 0; one of 2^30 or more becomes the largest.
  static constexpr fixed_multiplier from(const real& factor) noexcept {
    if (factor.mantissa == 0) return {};
    uint64_t m = (factor.mantissa + (uint64_t{1} << 21)) >> 22;
    int e = factor.exponent + 53;
    if (m == uint64_t{1} << 31) {
      m >>= 1;
      ++e;
    }
    if (e < -31) return {};
    if (e > 30) return {highest_of<int32_t>, 30};
    return {static_cast<int32_t>(m), e};
  }
  static constexpr fixed_multiplier from(double factor) noexcept { return from(real::from(factor)); }
};

/// Glow's integer transform: ((x >> pre) * scale + 2^(post-1)) >> post, without the addend when post
/// is 0. Glow computes it in 32 bits, which its scales keep from overflowing; here a product that
/// would overflow is kept whole and the result held.
struct glow_multiplier {
  int32_t scale = 0;
  int8_t pre = 0;
  int8_t post = 0;

  constexpr bool operator==(const glow_multiplier&) const = default;

  /// The search of Glow's quantizeScaleOffset32To8 (lib/Quantization/Base/Base.cpp), for the factor
  /// rounded to float, as Glow holds it. A factor below 2^-31 becomes 0; one of 2^30 or more becomes
  /// the largest.
  static constexpr glow_multiplier from(const real& exact) noexcept {
    constexpr uint64_t one = uint64_t{1} << 52;
    const real factor = exact.rounded_to_float();
    int e = factor.exponent + 52;  // factor = mantissa / 2^52 * 2^e
    if (factor.mantissa == 0 || e < -31) return {};
    if (e >= 30) return {highest_of<int32_t>, 0, 0};
    if (factor.mantissa == one) return e > 0 ? glow_multiplier{1 << e, 0, 0} : glow_multiplier{1, 0, static_cast<int8_t>(-e)};
    int pre = 0, post = 0;
    for (; e < -1 || (e < 8 && post < 15); ++post) ++e;
    const auto below_255 = [&] { return e < 7 || (e == 7 && factor.mantissa < 255 * (one >> 7)); };
    for (; below_255() && pre < post / 2; ++pre) ++e;
    const uint64_t scale = ((factor.mantissa >> (51 - e)) + 1) >> 1;  // nearest, ties away
    return {static_cast<int32_t>(scale), static_cast<int8_t>(pre), static_cast<int8_t>(post)};
  }
};

}  // namespace lowbits
