// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Functions of one number as look-up tables, made at compile time or at run time with the same
// bits.
//
//   inputs of up to 8 bits: 256 entries, one per storage byte, each the nearest output code
//   inputs of 9 to 16 bits: 513 entries of int16 and linear interpolation between them
//
// f is any constexpr function of a double that returns a double (those of fixed/functions.hpp, or a
// user's; a user's own keeps the promise of equal bits only if it rounds as they do).

#include <lowbits/fixed/functions.hpp>
#include <lowbits/fixed/requantize.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// value[b] is the storage byte of the result for the input whose storage byte is b.
struct table256 {
  uint8_t value[256]{};
  constexpr bool operator==(const table256&) const = default;
};

/// The results at 513 equally spaced inputs, see make_wide_table and interpolate.
struct table513 {
  int16_t value[513]{};
  constexpr bool operator==(const table513&) const = default;
};

namespace detail {

/// f at (steps * scale) in steps of the output, held between the ends of stage; NaN gives 0.
template <class Function>
constexpr double table_value(double steps, float scale, float out_scale, const output_stage& stage,
                             const Function& f) noexcept {
  const double v = fp::quotient(f(fp::product(steps, static_cast<double>(scale))),
                                static_cast<double>(out_scale));
  if (fp::is_nan(v)) return 0.0;
  return clamp(v, static_cast<double>(stage.lowest - stage.zero_point),
               static_cast<double>(stage.highest - stage.zero_point));
}

}  // namespace detail

/// value[b] = clamp(nearest(f((q - zero_point) * scale) / out_scale) + out_zero_point) with ties
/// away from zero and everything in double, where q is the code whose storage byte is b. in and out
/// have at most 8 bits. Bytes that are no code of a narrower input get the entry of the nearest
/// code.
template <class Function>
constexpr table256 make_table(qformat in, affine ip, qformat out, affine op, const Function& f,
                              activation fused = activation::none) noexcept {
  const output_stage stage = output_stage::of(out, op, fused);
  table256 t;
  for (int b = 0; b < 256; ++b) {
    const int q = clamp(in.is_signed && b > 127 ? b - 256 : b, in.lowest(), in.highest());
    const double v = detail::table_value(q - ip.zero_point, ip.scale, op.scale, stage, f);
    t.value[b] = static_cast<uint8_t>(stage(fp::to_nearest_away(v)));
  }
  return t;
}

/// How a code of 9 to 16 bits addresses a table513: cell (code - lowest) >> shift, and the position
/// inside it. lowest is the lowest code of the full range, also for a narrow type.
struct table_index {
  int lowest = -32768;
  int shift = 7;
  constexpr bool operator==(const table_index&) const = default;
  static constexpr table_index of(const qformat& in) noexcept {
    return {in.is_signed ? -(1 << (in.bits - 1)) : 0, in.bits - 9};
  }
};

/// value[i] is the result for the (real-numbered) input code lowest + i * 2^shift, held between the
/// output's ends, minus half of what the chord from it to its successor is off at the middle of the
/// cell: the error of interpolation is split between the ends and the middle (TFLite's LUTPopulate,
/// kernels/internal/common.h, here in double, with the cells where interpolate looks for them).
/// Ties away from zero. in has 9 to 16 bits; the codes of out must fit in int16 (q16, u15 and
/// below).
///
/// The last entry, which belongs to one code past the highest, is held like the others: in the last
/// cell a function that ends at the highest output may come out one code low.
///
/// With interpolate, the result is less than 1 + (2^shift * scale)^2 * c / (16 * out_scale) codes
/// from f's, where c is the largest curvature |f''| in the cell and its successor.
template <class Function>
constexpr table513 make_wide_table(qformat in, affine ip, qformat out, affine op, const Function& f,
                                   activation fused = activation::none) noexcept {
  const output_stage stage = output_stage::of(out, op, fused);
  const table_index index = table_index::of(in);
  const int first = index.lowest - ip.zero_point;
  const double step = static_cast<double>(1 << index.shift);
  const auto at = [&](double cell) {
    return detail::table_value(fp::sum(fp::product(cell, step), static_cast<double>(first)),
                               ip.scale, op.scale, stage, f);
  };
  table513 t;
  double value = at(0.0);
  for (int i = 0; i < 512; ++i) {
    const double next = at(static_cast<double>(i + 1));
    double entry = value;
    if (index.shift > 0) {
      const double chord = fp::product(fp::sum(value, next), 0.5);
      const double excess = fp::difference(chord, at(fp::sum(static_cast<double>(i), 0.5)));
      entry = fp::difference(value, fp::product(excess, 0.5));
    }
    t.value[i] = static_cast<int16_t>(stage(fp::to_nearest_away(entry)));
    value = next;
  }
  t.value[512] = static_cast<int16_t>(stage(fp::to_nearest_away(value)));
  return t;
}

/// The value at a code: linear between the two entries around it, rounded half up. For 16-bit codes
/// this is TFLite's LUTLookup.
constexpr int interpolate(const int16_t* table, int code, const table_index& index = {}) noexcept {
  const int u = code - index.lowest, cell = u >> index.shift;
  const int32_t slope = int32_t{table[cell + 1]} - table[cell];
  const int32_t part = u - (cell << index.shift);
  return table[cell] + static_cast<int>((slope * part + ((1 << index.shift) >> 1)) >> index.shift);
}

}  // namespace lowbits
