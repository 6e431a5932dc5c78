// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The parameters of element-wise operations, and what each does with one pair of codes. They are
// made from scales without floating point; calling them uses integers only.
//
//   sum_params          x + y and x - y, one rounding; our default
//   tflite_sum_params   the same as TFLite, TFLM and CMSIS-NN compute it, three roundings
//   product_params      x * y with any rounding policy
//   rescale_params      codes of one scale to codes of another
//   slope_params        the same with another factor for numbers below zero, any rounding policy
//   extremum_params     the smaller or the larger of two numbers
//   mean_params         a sum of many codes to the code of their mean
//
// Every result is an output code in [out.lowest, out.highest].

#include <lowbits/fixed/requantize.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace detail {

/// factor * 2^shift to the nearest integer, ties away from zero, held at highest.
constexpr int32_t scaled_factor(const real& factor, int shift, int32_t highest) noexcept {
  const int drop = -(factor.exponent + shift);
  if (factor.mantissa == 0 || drop > 54) return 0;
  if (drop <= 21) return highest;
  const uint64_t nearest = (factor.mantissa + (uint64_t{1} << (drop - 1))) >> drop;
  return nearest < static_cast<uint64_t>(highest) ? static_cast<int32_t>(nearest) : highest;
}

/// The shift with which the larger factor fills `bits` bits, at most highest_shift.
constexpr int common_shift(const real& a, const real& b, int bits, int highest_shift) noexcept {
  const bool a_is_larger = b.mantissa == 0 ||
      (a.mantissa != 0 &&
       (a.exponent > b.exponent || (a.exponent == b.exponent && a.mantissa >= b.mantissa)));
  const real& r = a_is_larger ? a : b;
  if (r.mantissa == 0) return 1;
  const bool carries = ((r.mantissa + (uint64_t{1} << (52 - bits))) >> (53 - bits)) >> bits != 0;
  return smaller(bits - 53 - r.exponent - (carries ? 1 : 0), highest_shift);
}

}  // namespace detail

/// code = out((x - x_zero) * x_factor + (y - y_zero) * y_factor, rounded half up after >> shift).
struct sum_params {
  int x_zero = 0, y_zero = 0;
  int32_t x_factor = 0, y_factor = 0;  ///< y_factor is negative in a subtraction
  int shift = 1;                       ///< at least 1
  output_stage out{};

  constexpr bool operator==(const sum_params&) const = default;
  /// int32_t is enough when both inputs have at most 8 bits, and gives the same code.
  template <class Acc = int64_t>
  constexpr int operator()(int x, int y) const noexcept {
    const Acc sum = static_cast<Acc>(x - x_zero) * static_cast<Acc>(x_factor) +
        static_cast<Acc>(y - y_zero) * static_cast<Acc>(y_factor);
    return out(saturate<int32_t>(static_cast<Acc>((sum + (Acc{1} << (shift - 1))) >> shift)));
  }
};

/// Both factors are scale_in / scale_out * 2^shift, nearest. The larger one fills 15 bits when both
/// inputs have at most 8 bits (shift <= 31, every sum below 2^31), else 30 bits (shift <= 50). When
/// the larger ratio is 2^14 (2^29) or more, both are made smaller by the same power of two: one
/// step of such an input moves an output of the same width by more than its range.
constexpr sum_params make_sum(qformat xf, affine xp, qformat yf, affine yp, qformat of, affine op,
                              activation fused = activation::none, bool subtract = false) noexcept {
  const bool is_short = xf.bits <= 8 && yf.bits <= 8;
  const int bits = is_short ? 15 : 30;
  const int32_t highest = (1 << bits) - 1;
  const real x = real::from(xp.scale) / real::from(op.scale);
  const real y = real::from(yp.scale) / real::from(op.scale);
  const int shift = detail::common_shift(x, y, bits, is_short ? 31 : 50);
  const int32_t y_factor = detail::scaled_factor(y, shift, highest);
  return {xp.zero_point,
          yp.zero_point,
          detail::scaled_factor(x, shift, highest),
          subtract ? -y_factor : y_factor,
          larger(shift, 1),
          output_stage::of(of, op, fused)};
}

/// TFLite's quantized ADD and SUB (kernels/internal/reference/add.h, sub.h): both inputs go to a
/// common finer scale, 2 * max(x_scale, y_scale) / 2^left_shift, and their sum to the output's.
/// Every step is rounded as in round_double_gemmlowp; a step that leaves 32 bits is held at the
/// end.
struct tflite_sum_params {
  int x_zero = 0, y_zero = 0;
  int left_shift = 20;
  fixed_multiplier x{}, y{}, out{};
  output_stage stage{};
  bool subtract = false;

  constexpr bool operator==(const tflite_sum_params&) const = default;
  constexpr int operator()(int a, int b) const noexcept {
    const int32_t sa =
        round_double_gemmlowp::apply(detail::shifted_left(a - x_zero, left_shift), x);
    const int32_t sb =
        round_double_gemmlowp::apply(detail::shifted_left(b - y_zero, left_shift), y);
    const int64_t sum = subtract ? int64_t{sa} - sb : int64_t{sa} + sb;
    return stage(round_double_gemmlowp::apply(saturate<int32_t>(sum), out));
  }
};

/// left_shift is 20 for inputs of up to 8 bits and 15 for wider ones, as in TFLite's int8 and int16
/// kernels.
constexpr tflite_sum_params make_tflite_sum(qformat xf, affine xp, qformat yf, affine yp,
                                            qformat of, affine op,
                                            activation fused = activation::none,
                                            bool subtract = false) noexcept {
  const int left_shift = xf.bits <= 8 && yf.bits <= 8 ? 20 : 15;
  const real larger_scale =
      real::from(fp::to_bits(xp.scale) > fp::to_bits(yp.scale) ? xp.scale : yp.scale);
  const real twice = larger_scale * real::power_of_two(1);
  return {xp.zero_point,
          yp.zero_point,
          left_shift,
          fixed_multiplier::from(real::from(xp.scale) / twice),
          fixed_multiplier::from(real::from(yp.scale) / twice),
          fixed_multiplier::from(twice / (real::power_of_two(left_shift) * real::from(op.scale))),
          output_stage::of(of, op, fused),
          subtract};
}

/// code = out(R((x - x_zero) * (y - y_zero) * x_scale * y_scale / out_scale)).
template <rounding_policy R = round_single>
struct product_params {
  int x_zero = 0, y_zero = 0;
  typename R::multiplier factor{};
  output_stage out{};

  constexpr bool operator==(const product_params&) const = default;
  /// int32_t is enough, and gives the same code, when both inputs have at most 15 bits or zero
  /// points of zero.
  template <class Acc = int64_t>
  constexpr int operator()(int x, int y) const noexcept {
    return out(R::apply(
        static_cast<Acc>(static_cast<Acc>(x - x_zero) * static_cast<Acc>(y - y_zero)), factor));
  }
};

/// in_float: the factor is a quotient of floats, as in TFLite's MUL.
template <rounding_policy R = round_single>
constexpr product_params<R> make_product(qformat /*xf*/, affine xp, qformat /*yf*/, affine yp,
                                         qformat of, affine op, activation fused = activation::none,
                                         bool in_float = false) noexcept {
  const real factor = in_float ? real::from(fp::quotient(fp::product(xp.scale, yp.scale), op.scale))
                               : scale_ratio(xp.scale, yp.scale, op.scale);
  return {xp.zero_point, yp.zero_point, R::multiplier::from(factor),
          output_stage::of(of, op, fused)};
}

/// code = out(round_single((x - zero) * in_scale / out_scale)).
struct rescale_params {
  int zero = 0;
  fixed_multiplier factor{};
  bool identity = false;  ///< equal scales and zero points: the code is only clamped
  output_stage out{};

  constexpr bool operator==(const rescale_params&) const = default;
  constexpr int operator()(int x) const noexcept {
    if (identity) return clamp(x, out.lowest, out.highest);
    return out(round_single::apply(int32_t{x - zero}, factor));
  }
};

constexpr rescale_params make_rescale(qformat /*xf*/, affine xp, qformat of, affine op,
                                      activation fused = activation::none) noexcept {
  return {xp.zero_point, fixed_multiplier::from(real::from(xp.scale) / real::from(op.scale)),
          fp::to_bits(xp.scale) == fp::to_bits(op.scale) && xp.zero_point == op.zero_point,
          output_stage::of(of, op, fused)};
}

/// code = out(R((x - zero) * factor)), where the factor depends on the sign of x - zero.
template <rounding_policy R>
struct slope_params {
  int zero = 0;
  typename R::multiplier positive{}, negative{};
  output_stage out{};

  constexpr bool operator==(const slope_params&) const = default;
  constexpr int operator()(int x) const noexcept {
    const int32_t v = x - zero;
    return out(R::apply(v, v < 0 ? negative : positive));
  }
};

/// Factors are x's scale / out's scale; in_float: that quotient as a float. With a slope other than 1
/// the negative one is the float quotient of the float product scale * slope.
template <rounding_policy R>
constexpr slope_params<R> make_slope(affine xp, qformat of, affine op, activation fused, float slope,
                                     bool in_float) noexcept {
  using multiplier = typename R::multiplier;
  const float a = xp.scale, b = op.scale;
  const auto positive =
      multiplier::from(in_float ? real::from(fp::quotient(a, b)) : real::from(a) / real::from(b));
  if (slope == 1.0f) return {xp.zero_point, positive, positive, output_stage::of(of, op, fused)};
  auto negative = multiplier::from(real::from(fp::quotient(fp::product(a, slope < 0.0f ? -slope : slope), b)));
  if (slope < 0.0f) {
    if constexpr (requires { negative.mantissa; }) negative.mantissa = -negative.mantissa;
    else negative.factor = -negative.factor;
  }
  return {xp.zero_point, positive, negative, output_stage::of(of, op, fused)};
}

/// The smaller or larger of two numbers, each first rescaled to the output.
struct extremum_params {
  rescale_params x{}, y{};
  bool take_larger = false;

  constexpr bool operator==(const extremum_params&) const = default;
  constexpr int operator()(int a, int b) const noexcept {
    const int sa = x(a), sb = y(b);
    return take_larger ? larger(sa, sb) : smaller(sa, sb);
  }
};

constexpr extremum_params make_extremum(qformat xf, affine xp, qformat yf, affine yp, qformat of,
                                        affine op, activation fused, bool take_larger) noexcept {
  return {make_rescale(xf, xp, of, op, fused), make_rescale(yf, yp, of, op, fused), take_larger};
}

/// code = out(round_single(sum * in_scale / (count * out_scale))), where sum is that of (x - zero)
/// over count codes. int32_t holds the sum of up to 2^23 codes of 8 bits, or 2^15 of 16 bits.
struct mean_params {
  int zero = 0;
  fixed_multiplier factor{};
  output_stage out{};

  constexpr bool operator==(const mean_params&) const = default;
  template <class Acc>
  constexpr int operator()(Acc sum) const noexcept {
    return out(round_single::apply(sum, factor));
  }
};

/// TFLite's quantized MEAN (kernels/internal/reference/reduce.h): the multiplier of in_scale /
/// out_scale is divided by the count, dropping the rest, and the product is rounded as in
/// round_double_gemmlowp.
struct tflite_mean_params {
  int zero = 0;
  fixed_multiplier factor{};
  output_stage out{};

  constexpr bool operator==(const tflite_mean_params&) const = default;
  template <class Acc>
  constexpr int operator()(Acc sum) const noexcept {
    return out(round_double_gemmlowp::apply(sum, factor));
  }
};
constexpr tflite_mean_params make_tflite_mean(affine xp, qformat of, affine op, int count,
                                              activation fused = activation::none) noexcept {
  fixed_multiplier m = fixed_multiplier::from(real::from(xp.scale) / real::from(op.scale));
  int shift = 0;
  while (count >> (shift + 1) != 0) ++shift;
  shift = smaller(shift, static_cast<int>(31 + m.exponent));
  m.mantissa = static_cast<int32_t>((int64_t{m.mantissa} << shift) / larger(count, 1));
  m.exponent -= shift;
  return {xp.zero_point, m, output_stage::of(of, op, fused)};
}

/// A mean of no codes (count 0) is the output's zero point.
constexpr mean_params make_mean(qformat /*xf*/, affine xp, qformat of, affine op, int count,
                                activation fused = activation::none) noexcept {
  const real divisor = real::from(static_cast<uint32_t>(count)) * real::from(op.scale);
  return {xp.zero_point, fixed_multiplier::from(real::from(xp.scale) / divisor),
          output_stage::of(of, op, fused)};
}

}  // namespace lowbits
