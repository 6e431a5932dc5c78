// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How an accumulator is multiplied by a real factor and rounded to an integer. Each policy is a tag
// with its multiplier type and its formula; it is named after what it reproduces. Results that no
// longer fit in 32 bits are held at the ends.
//
//   round_single             floor(x * m / 2^s + 1/2), one rounding; our default
//   round_double_gemmlowp    rounds the high product, then the shift: TFLite, TFLM, CMSIS-NN int8
//   round_tflite_int64       16-bit multiplier: TFLite int16 activations with int64 accumulators
//   round_even_float         float product, ties to even: ONNX Runtime, XNNPACK style
//   round_away_float         float product, ties away from zero
//   round_away_bias          the same with a bias between two float products: ncnn
//   round_shift_glow         pre-shift, product, post-shift, all in 32 bits: Glow

#include <concepts>

#include <lowbits/fixed/multiplier.hpp>

namespace lowbits::inline LOWBITS_ABI {

enum class rounding : uint8_t {
  single, double_gemmlowp, tflite_int64, even_float, away_float, shift_glow, away_bias
};

namespace detail {

/// floor((x * m + 2^(shift-1)) / 2^shift) without losing bits, 0 <= m < 2^31, 1 <= shift <= 62.
constexpr int64_t scaled_half_up(int64_t x, int32_t m, int shift) noexcept {
  const int64_t low = static_cast<int64_t>(static_cast<uint64_t>(x) & 0xffff'ffffu) * m;
  int64_t high = (x >> 32) * m + (low >> 32);   // x * m = high * 2^32 + rest
  uint64_t rest = static_cast<uint64_t>(low) & 0xffff'ffffu;
  if (shift <= 32) {
    rest += uint64_t{1} << (shift - 1);
    high += static_cast<int64_t>(rest >> 32);
    rest &= 0xffff'ffffu;
    const int64_t limit = int64_t{1} << (31 + shift - 1);
    if (high >= limit) return highest_of<int64_t>;
    if (high < -limit) return lowest_of<int64_t>;
    return static_cast<int64_t>((static_cast<uint64_t>(high) << (32 - shift)) | (rest >> shift));
  }
  return (high + (int64_t{1} << (shift - 33))) >> (shift - 32);
}

/// x * 2^n held at the ends of int32.
constexpr int32_t shifted_left(int32_t x, int n) noexcept {
  return saturate<int32_t>(static_cast<int64_t>(static_cast<uint64_t>(int64_t{x}) << n));
}

}  // namespace detail

struct round_single {
  static constexpr rounding policy = rounding::single;
  using multiplier = fixed_multiplier;

  static constexpr int32_t apply(int32_t x, const multiplier& m) noexcept {
    const int shift = 31 - m.exponent;
    return saturate<int32_t>((int64_t{x} * m.mantissa + (int64_t{1} << (shift - 1))) >> shift);
  }
  static constexpr int32_t apply(int64_t x, const multiplier& m) noexcept {
    return saturate<int32_t>(detail::scaled_half_up(x, m.mantissa, 31 - m.exponent));
  }
};

/// gemmlowp's SaturatingRoundingDoublingHighMul followed by RoundingDivideByPOT (fixedpoint.h).
struct round_double_gemmlowp {
  static constexpr rounding policy = rounding::double_gemmlowp;
  using multiplier = fixed_multiplier;

  /// floor((x * mantissa + 2^30) / 2^31): rounds half up, for both signs.
  static constexpr int32_t high_product(int32_t x, int32_t mantissa) noexcept {
    if (x == mantissa && x == lowest_of<int32_t>) return highest_of<int32_t>;
    return static_cast<int32_t>((int64_t{x} * mantissa + (int64_t{1} << 30)) >> 31);
  }
  /// x / 2^n, ties away from zero.
  static constexpr int32_t divide_by_power(int32_t x, int n) noexcept {
    const int32_t mask = static_cast<int32_t>((int64_t{1} << n) - 1);
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> n) + ((x & mask) > threshold ? 1 : 0);
  }
  static constexpr int32_t apply(int32_t x, const multiplier& m) noexcept {
    const int left = larger<int>(m.exponent, 0), right = larger<int>(-m.exponent, 0);
    return divide_by_power(high_product(detail::shifted_left(x, left), m.mantissa), right);
  }
  static constexpr int32_t apply(int64_t x, const multiplier& m) noexcept {
    return apply(saturate<int32_t>(x), m);
  }
};

/// TFLite's MultiplyByQuantizedMultiplier for int64 accumulators (kernels/internal/common.h).
struct round_tflite_int64 {
  static constexpr rounding policy = rounding::tflite_int64;
  using multiplier = fixed_multiplier;

  static constexpr int32_t apply(int64_t x, const multiplier& m) noexcept {
    const int32_t reduced = m.mantissa < 0x7fff'0000 ? (m.mantissa + (1 << 15)) >> 16 : 0x7fff;
    const int shift = 15 - m.exponent;
    if (shift <= 0) return saturate<int32_t>(saturate<int32_t>(x) * int64_t{reduced} * (int64_t{1} << -shift));
    return saturate<int32_t>(detail::scaled_half_up(x, reduced, shift));
  }
  static constexpr int32_t apply(int32_t x, const multiplier& m) noexcept {
    return apply(int64_t{x}, m);
  }
};

/// nearest(float(x) * factor); the accumulator and the product are each rounded to float.
template <fp::tie Tie, rounding Policy>
struct round_float {
  static constexpr rounding policy = Policy;
  struct multiplier {
    float factor = 0.0f;
    constexpr bool operator==(const multiplier&) const = default;
    static constexpr multiplier from(const real& r) noexcept { return {r.to_float()}; }
  };
  template <class Acc>
  static constexpr int32_t apply(Acc x, const multiplier& m) noexcept {
    return fp::to_nearest<Tie>(fp::product(static_cast<float>(x), m.factor));
  }
};
using round_even_float = round_float<fp::tie::to_even, rounding::even_float>;
using round_away_float = round_float<fp::tie::away_from_zero, rounding::away_float>;

/// nearest((float(x) * factor + bias) * steps), ties away from zero: the real number first, then its
/// code, with a bias in real numbers. Each operation is rounded to float.
struct round_away_bias {
  static constexpr rounding policy = rounding::away_bias;
  struct multiplier {
    float factor = 0.0f, bias = 0.0f, steps = 1.0f;
    constexpr bool operator==(const multiplier&) const = default;
    static constexpr multiplier from(const real& r) noexcept { return {r.to_float(), 0.0f, 1.0f}; }
  };
  template <class Acc>
  static constexpr int32_t apply(Acc x, const multiplier& m) noexcept {
    const float y = fp::sum(fp::product(static_cast<float>(x), m.factor), m.bias);
    return fp::to_nearest<fp::tie::away_from_zero>(fp::product(y, m.steps));
  }
};

struct round_shift_glow {
  static constexpr rounding policy = rounding::shift_glow;
  using multiplier = glow_multiplier;

  static constexpr int32_t apply(int64_t x, const multiplier& m) noexcept {
    const int64_t product = (saturate<int32_t>(x) >> m.pre) * int64_t{m.scale};
    const int64_t half = m.post > 0 ? int64_t{1} << (m.post - 1) : 0;
    return saturate<int32_t>((product + half) >> m.post);
  }
  static constexpr int32_t apply(int32_t x, const multiplier& m) noexcept { return apply(int64_t{x}, m); }
};

template <class Policy>
concept rounding_policy = requires(int32_t x, const typename Policy::multiplier& m) {
  { Policy::apply(x, m) } -> std::same_as<int32_t>;
  { Policy::policy } -> std::convertible_to<rounding>;
};

/// Calls f with the tag of a policy that is known only as a value.
template <class Function>
constexpr decltype(auto) with_rounding(rounding policy, Function&& f) {
  switch (policy) {
    case rounding::double_gemmlowp: return f(round_double_gemmlowp{});
    case rounding::tflite_int64: return f(round_tflite_int64{});
    case rounding::even_float: return f(round_even_float{});
    case rounding::away_float: return f(round_away_float{});
    case rounding::shift_glow: return f(round_shift_glow{});
    case rounding::away_bias: return f(round_away_bias{});
    case rounding::single: break;
  }
  return f(round_single{});
}

}  // namespace lowbits
