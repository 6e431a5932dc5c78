// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Float helpers that give the same result under -ffast-math, with any rounding mode, and with
// denormals flushed: they look at the bits and never ask the floating-point unit.

#include <bit>

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI::fp {

inline constexpr uint32_t sign_mask = 0x8000'0000u;
inline constexpr uint32_t magnitude_mask = 0x7fff'ffffu;
inline constexpr uint32_t infinity_bits = 0x7f80'0000u;

/// The bits pass through a register that the optimiser cannot see into. Otherwise clang (19) turns
/// questions about bits back into comparisons of floats: "are all bits but the sign zero" becomes
/// x == 0, wrong where denormals are flushed, and "is it infinity" becomes false under -ffast-math.
constexpr uint32_t to_bits(float x) noexcept {
  auto bits = std::bit_cast<uint32_t>(x);
#if LOWBITS_GNU
  if (!std::is_constant_evaluated()) asm("" : "+r"(bits));
#endif
  return bits;
}
constexpr float from_bits(uint32_t b) noexcept { return std::bit_cast<float>(b); }
constexpr uint32_t magnitude_bits(float x) noexcept { return to_bits(x) & magnitude_mask; }

constexpr bool is_nan(float x) noexcept { return magnitude_bits(x) > infinity_bits; }
constexpr bool is_infinite(float x) noexcept { return magnitude_bits(x) == infinity_bits; }
constexpr bool is_finite(float x) noexcept { return magnitude_bits(x) < infinity_bits; }
constexpr bool is_zero(float x) noexcept { return magnitude_bits(x) == 0; }
constexpr bool is_negative(float x) noexcept { return (to_bits(x) & sign_mask) != 0; }
/// A usable scale: finite and above zero (denormals included).
constexpr bool is_positive(float x) noexcept {
  return to_bits(x) != 0 && to_bits(x) < infinity_bits;
}

/// Hands x through unchanged, in a way the optimiser cannot see into: a product passed through it
/// is rounded to float before it is used (no contraction into a fused multiply-add, no
/// reassociation under -ffast-math).
#if LOWBITS_GNU && defined(__SSE2__)
#define LOWBITS_DETAIL_FP_REGISTER "+x"
#elif LOWBITS_GNU && LOWBITS_AARCH64
#define LOWBITS_DETAIL_FP_REGISTER "+w"
#else
#define LOWBITS_DETAIL_FP_REGISTER "+m"
#endif
constexpr float rounded(float x) noexcept {
#if LOWBITS_GNU
  if (!std::is_constant_evaluated()) asm("" : LOWBITS_DETAIL_FP_REGISTER(x));
#endif
  return x;
}

/// x / divisor, one IEEE division per call: without this, -ffast-math turns a loop's divisions
/// into products with a reciprocal computed once.
constexpr float quotient(float x, float divisor) noexcept {
#if LOWBITS_GNU
  if (!std::is_constant_evaluated())
    asm("" : LOWBITS_DETAIL_FP_REGISTER(x), LOWBITS_DETAIL_FP_REGISTER(divisor));
#endif
  return rounded(x / divisor);
}
/// x * y rounded to float.
constexpr float product(float x, float y) noexcept { return rounded(x * y); }
/// x + y and x - y rounded to float.
constexpr float sum(float x, float y) noexcept { return rounded(x + y); }
constexpr float difference(float x, float y) noexcept { return rounded(x - y); }

/// How a tie is resolved when a real number becomes an integer.
enum class tie : uint8_t { to_even, away_from_zero, upward };

/// x to the nearest integer, ties as asked, held at [-2^31, 2^31 - 1]; NaN gives 0.
template <tie Tie>
constexpr int32_t to_nearest(float x) noexcept {
  const uint32_t m = magnitude_bits(x);
  const bool negative = is_negative(x);
  const int exponent = static_cast<int>(m >> 23) - 127;
  if (m > infinity_bits) return 0;
  if (exponent >= 31) return negative ? lowest_of<int32_t> : highest_of<int32_t>;
  const uint32_t mantissa = (m & 0x007f'ffffu) | 0x0080'0000u;  // value = mantissa * 2^(exponent-23)
  uint32_t whole = 0;
  if (exponent >= 23) {
    whole = mantissa << (exponent - 23);
  } else {  // no branch here: whether a number is below 1/2 is anybody's guess
    const int drop = 23 - exponent < 31 ? 23 - exponent : 31;  // from 1; from 25 on the result is 0
    whole = mantissa >> drop;
    const uint32_t rest = mantissa - (whole << drop), half = 1u << (drop - 1);
    const uint32_t tie_adds = Tie == tie::to_even ? whole & 1u : Tie == tie::away_from_zero || !negative ? 1u : 0u;
    whole += rest + tie_adds > half ? 1u : 0u;
  }
  return negative ? -static_cast<int32_t>(whole) : static_cast<int32_t>(whole);
}

// The same for double, which only the making of tables and parameters uses.

constexpr uint64_t to_bits(double x) noexcept {
  auto bits = std::bit_cast<uint64_t>(x);
#if LOWBITS_GNU
  if (!std::is_constant_evaluated()) asm("" : "+r"(bits));
#endif
  return bits;
}
constexpr double from_bits64(uint64_t b) noexcept { return std::bit_cast<double>(b); }
inline constexpr uint64_t magnitude_mask64 = 0x7fff'ffff'ffff'ffffu;
inline constexpr uint64_t infinity_bits64 = 0x7ff0'0000'0000'0000u;

constexpr bool is_nan(double x) noexcept { return (to_bits(x) & magnitude_mask64) > infinity_bits64; }
constexpr bool is_negative(double x) noexcept { return (to_bits(x) & ~magnitude_mask64) != 0; }

constexpr double rounded(double x) noexcept {
#if LOWBITS_GNU
  if (!std::is_constant_evaluated()) asm("" : LOWBITS_DETAIL_FP_REGISTER(x));
#endif
  return x;
}
constexpr double quotient(double x, double divisor) noexcept {
#if LOWBITS_GNU
  if (!std::is_constant_evaluated())
    asm("" : LOWBITS_DETAIL_FP_REGISTER(x), LOWBITS_DETAIL_FP_REGISTER(divisor));
#endif
  return rounded(x / divisor);
}
constexpr double product(double x, double y) noexcept { return rounded(x * y); }
constexpr double sum(double x, double y) noexcept { return rounded(x + y); }
constexpr double difference(double x, double y) noexcept { return rounded(x - y); }

/// x to the nearest integer, ties away from zero, held at [-2^31, 2^31 - 1]; NaN gives 0.
constexpr int32_t to_nearest_away(double x) noexcept {
  const uint64_t m = to_bits(x) & magnitude_mask64;
  const int exponent = static_cast<int>(m >> 52) - 1023;
  if (m > infinity_bits64 || exponent < -1) return 0;
  if (exponent >= 31) return is_negative(x) ? lowest_of<int32_t> : highest_of<int32_t>;
  const uint64_t mantissa = (m & ((uint64_t{1} << 52) - 1)) | (uint64_t{1} << 52);
  const uint64_t doubled = mantissa >> (51 - exponent);  // 2 * |x| without its fraction
  const auto whole = static_cast<int64_t>((doubled + 1) >> 1);
  return saturate<int32_t>(is_negative(x) ? -whole : whole);
}

}  // namespace lowbits::fp
