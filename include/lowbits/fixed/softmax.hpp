// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What softmax needs besides its input: factors, fixed-point pieces and tables, all integers at run
// time. Equal to TFLite and CMSIS-NN for int8 and int16 (kernels/internal/reference/softmax.h).
//
//   softmax_params       inputs of up to 8 bits; gemmlowp's exp in Q0.31, the sum in Q12.19
//   wide_softmax_params  inputs of 9 to 16 bits; exp and reciprocal from tables of 513 entries

#include <bit>

#include <lowbits/fixed/activation.hpp>
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/fixed/table.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// y = clamp(nearest(2^out_bits * e^((x - max) * scale * beta) / sum) + lowest). With d = x - max:
///
///   exp(d) = 0 for d < diff_min, else gemmlowp's exp of d * factor in Q5.26
///   sum    = sum of exp(d) / 2^12, each rounded with ties away from zero, held at 2^31 - 1
///   y      = exp(d) * reciprocal(sum) / 2^exponent, rounded twice
struct softmax_params {
  fixed_multiplier factor{};  ///< scale * beta * 2^26
  int diff_min = 0;           ///< <= 0; an x further below the row's largest gives the lowest code
  int out_bits = 8;           ///< output scale 2^-out_bits, zero point `lowest`
  int lowest = -128, highest = 127;

  constexpr bool operator==(const softmax_params&) const = default;

  constexpr int32_t exp(int diff) const noexcept {
    if (diff < diff_min) return 0;
    return gemmlowp::exp_on_negative<5>(round_double_gemmlowp::apply(int32_t{diff}, factor));
  }
  /// sum with one more exp added to it.
  static constexpr int32_t add(int32_t sum, int32_t exp) noexcept {
    const int32_t part = round_double_gemmlowp::divide_by_power(exp, 12);
    return sum > highest_of<int32_t> - part ? highest_of<int32_t> : sum + part;
  }

  /// 1 / sum = scale / 2^31 / 2^(exponent + out_bits - 31).
  struct reciprocal {
    int32_t scale;
    int exponent;
  };
  /// sum is above zero (that of a row is at least 2^19).
  constexpr reciprocal invert(int32_t sum) const noexcept {
    const int free = std::countl_zero(static_cast<uint32_t>(sum));
    const auto above_one =
        static_cast<int32_t>((static_cast<uint32_t>(sum) << free) - 0x8000'0000u);
    return {gemmlowp::one_over_one_plus_x(above_one), 12 - free + 31 - out_bits};
  }
  constexpr int code(int32_t exp, const reciprocal& r) const noexcept {
    if (r.exponent > 31) return lowest;
    const int32_t y =
        round_double_gemmlowp::divide_by_power(gemmlowp::high_product(exp, r.scale), r.exponent);
    return clamp<int>(static_cast<int>(y) + lowest, lowest, highest);
  }
};

/// in has at most 8 bits. The output is fixed: scale 2^-bits, zero point out.lowest() (int8: 1/256
/// and -128; uint8: 1/256 and 0; int16: 1/65536 and -32768). beta is above zero.
constexpr softmax_params make_softmax(qformat /*in*/, affine ip, float beta, qformat out) noexcept {
  fixed_multiplier factor =
      fixed_multiplier::from(real::from(beta) * real::from(ip.scale) * real::power_of_two(26));
  const int left = larger<int>(factor.exponent, 0);
  const auto radius = static_cast<int>((int64_t{31} << 26) >> left);
  return {factor, -radius, out.bits, out.lowest(), out.highest()};
}

/// exp(-d) for every difference d that 8-bit codes can have, for kernels.
struct softmax_table {
  int32_t value[256]{};
  constexpr bool operator==(const softmax_table&) const = default;
};
constexpr softmax_table make_softmax_table(const softmax_params& p) noexcept {
  softmax_table t;
  for (int d = 0; d < 256; ++d) t.value[d] = p.exp(-d);
  return t;
}

namespace detail {

/// TFLite's table of f for int16 codes with the given scales and input zero point, in float as it
/// is made there (LUTPopulate, kernels/internal/common.h).
template <class Function>
constexpr table513 tflite_table(float in_scale, int in_zero, float out_scale,
                                const Function& f) noexcept {
  const auto nearest = [](float x) {
    return static_cast<float>(fp::to_nearest<fp::tie::away_from_zero>(x));
  };
  const float first = fp::product(in_scale, static_cast<float>(-32768 - in_zero));
  const float last = fp::product(in_scale, static_cast<float>(32767 - in_zero));
  const float step = fp::quotient(fp::difference(last, first), 512.0f),
              half_step = fp::quotient(step, 2.0f);
  const float range =
      fp::difference(fp::product(out_scale, 32767.0f), fp::product(out_scale, -32768.0f));
  const float unit = fp::quotient(65536.0f, range);
  const auto at = [&](int i) { return fp::sum(first, fp::product(static_cast<float>(i), step)); };
  table513 t;
  float value = f(at(0));
  for (int i = 0; i < 512; ++i) {
    const float next = f(at(i + 1)), middle = f(fp::sum(at(i), half_step));
    const float sample = nearest(fp::product(value, unit));
    const float chord = nearest(fp::quotient(fp::sum(fp::product(next, unit), sample), 2.0f));
    const float excess = fp::difference(chord, nearest(fp::product(middle, unit)));
    t.value[i] = saturate<int16_t>(
        static_cast<int32_t>(fp::difference(sample, nearest(fp::quotient(excess, 2.0f)))));
    value = next;
  }
  t.value[512] = saturate<int16_t>(static_cast<int32_t>(nearest(fp::product(f(last), unit))));
  return t;
}

}  // namespace detail

/// e^x for x in [-10, 0] in Q0.15, and 1 / (1 + x) for x in [0, 1] in Q0.15. They and what reads them
/// are templates so that the compiler computes them only for programs that use them.
template <class = void>
LOWBITS_FLASH inline constexpr table513 softmax_exp_entries =
    detail::tflite_table(10.0f / 65535.0f, 32767, 2.0f / 65535.0f, [](float x) {
      return static_cast<float>(curve::exp(static_cast<double>(x)));
    });
template <class = void>
LOWBITS_FLASH inline constexpr table513 softmax_reciprocal_entries =
    detail::tflite_table(1.0f / 65535.0f, -32768, 2.0f / 65535.0f,
                         [](float x) { return fp::quotient(1.0f, fp::sum(1.0f, x)); });

/// y = e^((x - max) * scale * beta) / sum in Q0.15 (scale 1/32768, zero point 0). Differences
/// beyond -10 / (scale * beta) count as that one; the sum is held at 2^31 - 1 (65536 largest
/// elements).
struct wide_softmax_params {
  fixed_multiplier factor{};  ///< scale * beta * 65535 / 10

  constexpr bool operator==(const wide_softmax_params&) const = default;

  template <class Unused = void>
  constexpr int32_t exp(int diff) const noexcept {
    const int64_t position = int64_t{round_double_gemmlowp::apply(int32_t{diff}, factor)} + 32767;
    return interpolate(softmax_exp_entries<Unused>.value, saturate<int16_t>(position));
  }
  static constexpr int32_t add(int32_t sum, int32_t exp) noexcept {
    return sum > highest_of<int32_t> - exp ? highest_of<int32_t> : sum + exp;
  }

  struct reciprocal {
    int32_t scale;  ///< Q0.15
    int shift;
  };
  template <class Unused = void>
  constexpr reciprocal invert(int32_t sum) const noexcept {
    const int free = std::countl_zero(static_cast<uint32_t>(sum));
    const int64_t normal = ((int64_t{sum} << (free - 1)) + (1 << 13)) >> 14;  // [2^16, 2^17]
    const int position = saturate<int16_t>(normal - (1 << 15) - (1 << 16));
    return {interpolate(softmax_reciprocal_entries<Unused>.value, position), 31 - free};
  }
  constexpr int code(int32_t exp, const reciprocal& r) const noexcept {
    return clamp<int>(
        static_cast<int>((int64_t{exp} * r.scale + (int64_t{1} << (r.shift - 1))) >> r.shift), 0,
        32767);
  }
};

/// For inputs of 9 to 16 bits, any zero point.
constexpr wide_softmax_params make_wide_softmax(affine ip, float beta) noexcept {
  const real unit = real::from(uint32_t{10}) / real::from(uint32_t{65535});
  return {fixed_multiplier::from(real::from(ip.scale) * real::from(beta) / unit)};
}

}  // namespace lowbits
