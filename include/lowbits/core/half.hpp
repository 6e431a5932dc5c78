// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Half precision (IEEE 754 binary16) as storage: 16 bits that become a float exactly, whatever the processor offers.

#include <lowbits/core/fp.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// 1 sign, 5 exponent and 10 mantissa bits.
struct half {
  uint16_t bits = 0;

  constexpr bool operator==(const half&) const = default;
  constexpr bool is_finite() const noexcept { return (bits & 0x7c00u) != 0x7c00u; }

  /// Exact; made from bits alone, so that neither flags nor flushed denormals matter.
  constexpr float value() const noexcept {
    const uint32_t sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7fffu;
    if (magnitude >= 0x7c00u) return fp::from_bits(sign | fp::infinity_bits | (magnitude & 0x3ffu) << 13);
    if (magnitude >= 0x400u) return fp::from_bits(sign | ((magnitude << 13) + (112u << 23)));
    if (magnitude == 0) return fp::from_bits(sign);
    const int up = std::countl_zero(magnitude) - 21;  // brings the leading one to bit 10
    return fp::from_bits(sign | static_cast<uint32_t>(113 - up) << 23 | ((magnitude << up & 0x3ffu) << 13));
  }

  /// The nearest half, ties to even; what is too large becomes infinity.
  static constexpr half nearest(float x) noexcept {
    const uint32_t all = fp::to_bits(x), magnitude = all & fp::magnitude_mask;
    const auto sign = static_cast<uint16_t>(all >> 16 & 0x8000u);
    if (magnitude > fp::infinity_bits) return {static_cast<uint16_t>(sign | 0x7e00u)};
    const int exponent = static_cast<int>(magnitude >> 23) - 112;  // of the half
    if (exponent > 30) return {static_cast<uint16_t>(sign | 0x7c00u)};
    if (exponent < -10) return {sign};
    const uint32_t mantissa = (magnitude & 0x7f'ffffu) | 0x80'0000u;
    const int drop = exponent > 0 ? 13 : 14 - exponent;
    const uint32_t rest = mantissa & ((1u << drop) - 1u), middle = 1u << (drop - 1);
    uint32_t kept = mantissa >> drop;
    if (rest > middle || (rest == middle && (kept & 1u) != 0)) ++kept;
    if (exponent > 0) kept += static_cast<uint32_t>(exponent - 1) << 10;  // the leading one is in kept
    return {static_cast<uint16_t>(sign | kept)};
  }
};

}  // namespace lowbits
