// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Exponential, logistic function and tanh in fixed point, as TFLite's int8 softmax and integer
// LSTMs use them, bit for bit.
//
//   gemmlowp::        Taylor and Newton steps on int32 or int16 (its fixedpoint/fixedpoint.h).
//                     Raw with IntegerBits integer bits m stands for raw / 2^(width - 1 - m).
//   lut_logistic, lut_tanh   int16 to Q0.15 by a table of 256 entries (TFLite Micro and CMSIS-NN,
//                            kernels/internal/reference/integer_ops/logistic.h, tanh.h)

#include <lowbits/fixed/functions.hpp>
#include <lowbits/fixed/rounding.hpp>

namespace lowbits::inline LOWBITS_ABI::gemmlowp {

template <class Raw>
inline constexpr int width = static_cast<int>(sizeof(Raw)) * 8;

/// a * b / 2^(width - 1), rounded half up; the one overflow is held at the end.
template <class Raw>
constexpr Raw high_product(Raw a, Raw b) noexcept {
  if constexpr (sizeof(Raw) == 4) {
    return round_double_gemmlowp::high_product(a, b);
  } else {
    if (a == b && a == lowest_of<Raw>) return highest_of<Raw>;
    return static_cast<Raw>((int32_t{a} * b + (1 << 14)) >> 15);
  }
}

/// a with Bits integer bits fewer: a * 2^Bits, held at the ends.
template <int Bits, class Raw>
constexpr Raw fewer_integer_bits(Raw a) noexcept {
  return saturate<Raw>(int64_t{a} * (int64_t{1} << Bits));
}

/// A constant given with 31 fractional bits, rounded to the width of Raw.
template <class Raw>
constexpr Raw constant(int32_t q31) noexcept {
  return static_cast<Raw>(round_double_gemmlowp::divide_by_power(q31, 32 - width<Raw>));
}

/// (a + b) / 2, ties away from zero.
template <class Raw>
constexpr Raw half_sum(Raw a, Raw b) noexcept {
  const int64_t sum = int64_t{a} + b;
  return static_cast<Raw>((sum + (sum >= 0 ? 1 : -1)) / 2);
}

namespace detail {

/// e^a for a in [-1/4, 0), no integer bits: the Taylor polynomial of degree 4 around -1/8.
template <class Raw>
constexpr Raw exp_on_quarter(Raw a) noexcept {
  const auto divided = [](Raw v, int n) {
    return static_cast<Raw>(round_double_gemmlowp::divide_by_power(v, n));
  };
  const Raw centre = constant<Raw>(1895147668), third = constant<Raw>(715827883);  // e^(-1/8), 1/3
  const Raw x = static_cast<Raw>(a + (Raw{1} << (width<Raw> - 4)));
  const Raw x2 = high_product(x, x), x3 = high_product(x2, x), x4 = high_product(x2, x2);
  const Raw upper = high_product(static_cast<Raw>(divided(x4, 2) + x3), third);
  const Raw tail = divided(static_cast<Raw>(upper + x2), 1);
  return saturate<Raw>(int64_t{centre} + high_product(centre, static_cast<Raw>(x + tail)));
}

/// 2 / (1 + a) in two integer bits for a in [0, 1): Newton's iteration for the reciprocal of
/// (1 + a) / 2, three steps from 48/17 - 32/17 * (1 + a) / 2.
template <class Raw>
constexpr Raw two_over_one_plus(Raw a) noexcept {
  const Raw half = half_sum(a, highest_of<Raw>);
  Raw x =
      static_cast<Raw>(constant<Raw>(1515870810) + high_product(half, constant<Raw>(-1010580540)));
  for (int i = 0; i < 3; ++i) {
    const Raw rest = static_cast<Raw>((Raw{1} << (width<Raw> - 3)) - high_product(half, x));
    x = static_cast<Raw>(x + fewer_integer_bits<2>(high_product(x, rest)));
  }
  return x;
}

}  // namespace detail

/// e^a for a <= 0 with IntegerBits integer bits; the result has none and 1 is the highest value.
template <int IntegerBits, class Raw>
constexpr Raw exp_on_negative(Raw a) noexcept {
  constexpr int fraction = width<Raw> - 1 - IntegerBits;
  constexpr int32_t quarter = int32_t{1} << (fraction - 2);
  if (a == 0) return highest_of<Raw>;
  if constexpr (IntegerBits > 5)
    if (a < constant<Raw>(-(int32_t{1} << (36 - IntegerBits)))) return 0;  // below -32
  const auto within = static_cast<Raw>((a & (quarter - 1)) - quarter);
  Raw y = detail::exp_on_quarter(fewer_integer_bits<IntegerBits>(within));
  const int32_t rest = int32_t{within} - a;  // the multiple of 1/4 that is left
  constexpr int32_t powers[7] = {1672461947, 1302514674, 790015084, 290630308,
                                 39332535,   720401,     242};
  constexpr int end = smaller(IntegerBits, 5);
  for (int e = -2; e < end; ++e)  // e^(-2^e)
    if ((rest >> (fraction + e) & 1) != 0) y = high_product(y, constant<Raw>(powers[e + 2]));
  return y;
}

/// 1 / (1 + a) for a in [0, 1), both without integer bits.
template <class Raw>
constexpr Raw one_over_one_plus_x(Raw a) noexcept {
  return fewer_integer_bits<1>(detail::two_over_one_plus(a));
}

/// 1 / (1 + e^-a); the result has no integer bits. TFLite's LSTM: logistic<3>(int16_t).
template <int IntegerBits, class Raw>
constexpr Raw logistic(Raw a) noexcept {
  if (a == 0) return constant<Raw>(1 << 30);
  const Raw y = one_over_one_plus_x(exp_on_negative<IntegerBits>(a > 0 ? static_cast<Raw>(-a) : a));
  return a > 0 ? y : static_cast<Raw>(highest_of<Raw> - y);
}

/// tanh a = (1 - e^-2a) / (1 + e^-2a); the result has no integer bits. TFLite's LSTM:
/// tanh<3>(int16_t), and tanh<15 + cell_scale>(int16_t) for the cell state.
template <int IntegerBits, class Raw>
constexpr Raw tanh(Raw a) noexcept {
  if (a == 0) return 0;
  const Raw e = exp_on_negative<IntegerBits + 1>(a > 0 ? static_cast<Raw>(-a) : a);
  const auto above_one =
      static_cast<Raw>(detail::two_over_one_plus(e) - (Raw{1} << (width<Raw> - 3)));
  const Raw y = fewer_integer_bits<2>(above_one);
  return a > 0 ? y : static_cast<Raw>(-y);
}

}  // namespace lowbits::gemmlowp

namespace lowbits::inline LOWBITS_ABI {

/// value[i] = 65536 / (1 + e^(-i / 24)), corrected by a sixteenth of its second difference so that
/// linear interpolation is off by the same at the entries and between them; nearest. The last entry
/// is the highest value. Equal to TFLite's sigmoid_table_uint16 (kernels/internal/common.h).
struct logistic_table {
  uint16_t value[256]{};
  static constexpr logistic_table make() noexcept {
    logistic_table t;
    const auto at = [](int i) {
      return fp::product(65536.0, curve::logistic(fp::quotient(static_cast<double>(i), 24.0)));
    };
    double before = at(-1), here = at(0);
    for (int i = 0; i < 255; ++i) {
      const double behind = at(i + 1);
      const double bend = fp::difference(fp::sum(before, behind), fp::sum(here, here));
      t.value[i] = static_cast<uint16_t>(
          fp::to_nearest_away(fp::difference(here, fp::product(bend, 0.0625))));
      before = here;
      here = behind;
    }
    t.value[255] = 65535;
    return t;
  }
};
/// A template, as what reads it, so that the compiler computes it only for programs that use it.
template <class = void>
LOWBITS_FLASH inline constexpr logistic_table logistic_entries = logistic_table::make();

/// From an int16 code to the tables' position, in 3 * 4096ths: (x * multiplier + half) >> shift.
struct lut_input {
  int32_t multiplier = 3;  ///< at most 32767
  int shift = 0;           ///< at most 31
  constexpr bool operator==(const lut_input&) const = default;

  /// For codes of any scale (TFLite's rule): the multiplier has 15 bits and is truncated. Scales of
  /// 8/3 and above are held at the largest multiplier. 2^-12 (Q3.12) gives the default.
  static constexpr lut_input from(float scale) noexcept {
    const real factor = real::from(scale) * real::from(uint32_t{12288});
    const int exponent = factor.exponent + 52;  // factor in [2^exponent, 2^(exponent + 1))
    if (factor.mantissa == 0) return {0, 0};
    if (exponent > 14) return {32767, 0};
    const int shift = smaller(13 - exponent + (is_half_or_less(factor) ? 1 : 0), 31);
    const int drop = -(factor.exponent + larger(shift, 0));
    return {drop > 63 ? 0 : static_cast<int32_t>(factor.mantissa >> drop), larger(shift, 0)};
  }
  constexpr int32_t operator()(int16_t x) const noexcept {
    const int32_t half = shift > 0 ? int32_t{1} << (shift - 1) : 0;
    return (int32_t{x} * multiplier + half) >> shift;
  }

private:
  /// factor, brought to [2^13, 2^14), is not above 32767 / 2.
  static constexpr bool is_half_or_less(const real& factor) noexcept {
    return factor.mantissa <= uint64_t{32767} << 38;
  }
};

namespace detail {

/// The table at |d| with Bits bits between two entries, times 2^Bits; behind it, last.
template <int Bits, class Unused>
constexpr int32_t logistic_at(int32_t d, int32_t last) noexcept {
  const uint32_t m = magnitude(d), cell = m >> Bits;
  if (cell >= 255) return last;
  const uint16_t* t = logistic_entries<Unused>.value + cell;
  const auto part = static_cast<int32_t>(m & ((1u << Bits) - 1u));
  return (int32_t{t[0]} << Bits) + part * (int32_t{t[1]} - t[0]);
}

}  // namespace detail

/// logistic(x) in Q0.15 from an int16 code.
template <class Unused = void>
constexpr int16_t lut_logistic(int16_t x, const lut_input& input = {}) noexcept {
  const int32_t d = input(x), r = detail::logistic_at<9, Unused>(d, 0x7fff << 10);
  return static_cast<int16_t>((d >= 0 ? r + (1 << 9) : (1 << 25) - r + (1 << 9) - 1) >> 10);
}

/// tanh(x) = 2 logistic(2x) - 1 in Q0.15 from an int16 code.
template <class Unused = void>
constexpr int16_t lut_tanh(int16_t x, const lut_input& input = {}) noexcept {
  const int32_t d = input(x), r = detail::logistic_at<8, Unused>(d, 0xffff << 8);
  return static_cast<int16_t>((d >= 0 ? r - (1 << 23) + (1 << 7) : -r + (1 << 23) + (1 << 7) - 1) >>
                              8);
}

}  // namespace lowbits
