// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Positive real numbers with a double's precision, computed with integers only. Multipliers made
// from scales are therefore the same in a constant expression and at run time, on a processor
// without a floating-point unit, under -ffast-math, in any rounding mode, with denormals flushed.

#include <bit>

#include <lowbits/core/fp.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// mantissa * 2^exponent with mantissa in [2^52, 2^53), or mantissa 0. Every operation rounds once,
/// half to even, exactly as IEEE double does, but the exponent never overflows.
struct real {
  uint64_t mantissa = 0;
  int exponent = 0;

  constexpr bool operator==(const real&) const = default;

  /// x must be finite and not negative; anything else gives 0.
  static constexpr real from(float x) noexcept {
    if (!fp::is_positive(x)) return {};
    const uint32_t u = fp::to_bits(x);
    const int biased = static_cast<int>(u >> 23);
    const uint64_t m = (u & 0x007f'ffffu) | (biased != 0 ? 0x0080'0000u : 0u);
    return normalised(m, (biased != 0 ? biased : 1) - 150, false);
  }
  static constexpr real from(double x) noexcept {
    const uint64_t u = fp::to_bits(x);
    const int biased = static_cast<int>(u >> 52);
    if (biased >= 2047 || u == 0) return {};
    const uint64_t m = (u & ((uint64_t{1} << 52) - 1)) | (biased != 0 ? uint64_t{1} << 52 : 0u);
    return normalised(m, (biased != 0 ? biased : 1) - 1075, false);
  }
  static constexpr real from(uint32_t x) noexcept { return normalised(x, 0, false); }
  static constexpr real power_of_two(int exponent) noexcept { return {uint64_t{1} << 52, exponent - 52}; }

  friend constexpr real operator*(const real& a, const real& b) noexcept {
    if (a.mantissa == 0 || b.mantissa == 0) return {};
    // 53 x 53 bits in four 32-bit products.
    const uint64_t ah = a.mantissa >> 32, al = a.mantissa & 0xffff'ffffu;
    const uint64_t bh = b.mantissa >> 32, bl = b.mantissa & 0xffff'ffffu;
    const uint64_t low = al * bl;
    const uint64_t middle = ah * bl + (low >> 32) + ((al * bh) & 0xffff'ffffu);
    const uint64_t high = ah * bh + ((al * bh) >> 32) + (middle >> 32);
    const uint64_t rest = (middle << 32) | (low & 0xffff'ffffu);
    // high holds the top 40..42 bits; bring 22 more in front of the rounding point.
    const uint64_t top = (high << 22) | (rest >> 42);
    return normalised(top, a.exponent + b.exponent + 42, (rest << 22) != 0);
  }

  friend constexpr real operator/(const real& a, const real& b) noexcept {
    if (a.mantissa == 0 || b.mantissa == 0) return {};
    // Long division, eleven bits a step: a remainder below 2^53 shifted by 11 fits in 64 bits.
    uint64_t quotient = a.mantissa / b.mantissa;
    uint64_t remainder = a.mantissa % b.mantissa;
    for (int step = 0; step < 5; ++step) {
      remainder <<= 11;
      quotient = (quotient << 11) | (remainder / b.mantissa);
      remainder %= b.mantissa;
    }
    return normalised(quotient, a.exponent - b.exponent - 55, remainder != 0);
  }

  /// The value rounded to 24 bits, as a float product would be (no underflow: scales whose product
  /// is a denormal float are treated as if floats had more exponent).
  constexpr real rounded_to_float() const noexcept {
    if (mantissa == 0) return {};
    const uint64_t tail = mantissa & ((uint64_t{1} << 29) - 1), half = uint64_t{1} << 28;
    uint64_t m = mantissa >> 29;
    if (tail > half || (tail == half && (m & 1u) != 0)) ++m;
    return normalised(m, exponent + 29, false);
  }

  /// As a float, rounded half to even; below the smallest normal float 0, above the largest infinity.
  constexpr float to_float() const noexcept {
    const real r = rounded_to_float();
    if (r.mantissa == 0) return 0.0f;
    const int biased = r.exponent + 52 + 127;
    if (biased < 1) return 0.0f;
    if (biased > 254) return fp::from_bits(fp::infinity_bits);
    return fp::from_bits((static_cast<uint32_t>(biased) << 23) |
                         (static_cast<uint32_t>(r.mantissa >> 29) & 0x007f'ffffu));
  }

private:
  /// m * 2^e (plus something below one unit of m when sticky) rounded half to even to 53 bits.
  static constexpr real normalised(uint64_t m, int e, bool sticky) noexcept {
    if (m == 0) return {};
    const int width = 64 - std::countl_zero(m);
    if (width <= 53) return {m << (53 - width), e - (53 - width)};
    const int drop = width - 53;
    const uint64_t tail = m & ((uint64_t{1} << drop) - 1), half = uint64_t{1} << (drop - 1);
    uint64_t kept = m >> drop;
    if (tail > half || (tail == half && (sticky || (kept & 1u) != 0))) ++kept;
    if (kept == uint64_t{1} << 53) return {kept >> 1, e + drop + 1};
    return {kept, e + drop};
  }
};

/// in * weight / out in double arithmetic: the factor from an accumulator to an output code.
constexpr real scale_ratio(float in, float weight, float out) noexcept {
  return real::from(in) * real::from(weight) / real::from(out);
}
/// The same with the product rounded to float first. TFLite derives the factor of fully connected
/// layers this way, and that of convolutions the other (kernel_util.cc, quantization_util.cc).
constexpr real scale_ratio_float_product(float in, float weight, float out) noexcept {
  return (real::from(in) * real::from(weight)).rounded_to_float() / real::from(out);
}

}  // namespace lowbits
