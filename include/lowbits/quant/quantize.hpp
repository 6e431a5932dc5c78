// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Real numbers to codes and back, one element at a time; and the parameters of a range.
//
//   quantize:   q = clamp(nearest(x / scale) + zero_point)      one float division
//   dequantize: x = (q - zero_point) * scale                    one float product
//
// NaN becomes the zero point, infinities the ends of the range. The quotient and the product are
// rounded to float once; nothing is contracted or reassociated.

#include <span>

#include <lowbits/core/fp.hpp>
#include <lowbits/core/status.hpp>
#include <lowbits/quant/granularity.hpp>
#include <lowbits/quant/qparams.hpp>
#include <lowbits/quant/qtype.hpp>

namespace lowbits::inline LOWBITS_ABI {

// How a value halfway between two codes is rounded.
struct half_even {   ///< to the even code: ONNX, and the processor's own conversion
  static constexpr fp::tie tie = fp::tie::to_even;
};
struct half_away {   ///< away from zero: C's round(), TFLite, ncnn
  static constexpr fp::tie tie = fp::tie::away_from_zero;
};
struct half_up {     ///< towards plus infinity: floor(x + 1/2)
  static constexpr fp::tie tie = fp::tie::upward;
};

/// The code of x. Binary types take the sign: -1 below zero, +1 from zero on (NaN: +1).
template <quantized_type Q, class Rounding = half_even>
constexpr typename Q::storage quantize(float x, const affine& p) noexcept {
  if constexpr (Q::is_binary) {
    return static_cast<typename Q::storage>(fp::is_negative(x) && !fp::is_zero(x) && !fp::is_nan(x) ? -1 : 1);
  } else {
    if (fp::is_nan(x)) return Q::saturate(p.zero_point);
    const int32_t nearest = fp::to_nearest<Rounding::tie>(fp::quotient(x, p.scale));
    return Q::saturate(int64_t{nearest} + p.zero_point);
  }
}

/// The real number that code q of type Q stands for.
template <quantized_type Q>
constexpr float dequantize(int q, const affine& p) noexcept {
  return fp::product(static_cast<float>(q - p.zero_point), p.scale);
}

/// x as it would come back from quantize and dequantize; -0.0f becomes 0.0f, NaN becomes 0.
template <quantized_type Q, class Rounding = half_even>
constexpr float fake_quantize(float x, const affine& p) noexcept {
  return dequantize<Q>(quantize<Q, Rounding>(x, p), p);
}

/// Whole tensors, parameters per Granularity (params has Granularity::count(shape) entries).
template <quantized_type Q, class Granularity = per_tensor, class Rounding = half_even>
constexpr status quantize(std::span<const float> x, shape_view shape, std::span<const affine> params,
                          std::span<typename Q::storage> q) noexcept {
  const size_t n = element_count(shape);
  if (x.size() != n || q.size() != n || params.size() != Granularity::count(shape)) return status::wrong_size;
  for (const affine& p : params)
    if (!is_valid(p, qformat::of<Q>())) return status::bad_value;
  for (size_t i = 0; i < n; ++i) q[i] = quantize<Q, Rounding>(x[i], params[Granularity::index(shape, i)]);
  return status::ok;
}
template <quantized_type Q, class Granularity = per_tensor>
constexpr status dequantize(std::span<const typename Q::storage> q, shape_view shape,
                            std::span<const affine> params, std::span<float> x) noexcept {
  const size_t n = element_count(shape);
  if (x.size() != n || q.size() != n || params.size() != Granularity::count(shape)) return status::wrong_size;
  for (const affine& p : params)
    if (!is_valid(p, qformat::of<Q>())) return status::bad_value;
  for (size_t i = 0; i < n; ++i) x[i] = dequantize<Q>(q[i], params[Granularity::index(shape, i)]);
  return status::ok;
}

namespace detail {

/// A scale held between 2^-126 and the largest float: no later division sees a denormal, which
/// a processor may be set to flush to zero.
constexpr float held_scale(float scale) noexcept {
  return fp::from_bits(clamp<uint32_t>(fp::magnitude_bits(scale), 0x0080'0000u, fp::infinity_bits - 1));
}

}  // namespace detail

/// Parameters that cover [lowest, highest], widened to hold zero, which is always exactly
/// representable; both ends come within half a step. An empty range, and one with NaN or infinite
/// ends, gives scale 1. No scale is below 2^-126.
template <quantized_type Q>
constexpr affine affine_from_range(float lowest, float highest) noexcept {
  const int zero = Q::is_signed && !Q::is_binary ? clamp(0, Q::lowest, Q::highest) : 0;
  if (!fp::is_finite(lowest) || !fp::is_finite(highest)) return {1.0f, zero};
  const float low = fp::is_negative(lowest) ? lowest : 0.0f;
  const float high = fp::is_negative(highest) ? 0.0f : highest;
  if (fp::is_zero(low) && fp::is_zero(high)) return {1.0f, zero};
  constexpr float steps = static_cast<float>(Q::highest - Q::lowest);
  // Each end is divided on its own: the difference of two large ends could overflow.
  const float scale = detail::held_scale(fp::difference(fp::quotient(high, steps), fp::quotient(low, steps)));
  const int64_t zero_point = int64_t{Q::lowest} - fp::to_nearest<fp::tie::away_from_zero>(fp::quotient(low, scale));
  return {scale, static_cast<int>(clamp<int64_t>(zero_point, Q::lowest, Q::highest))};
}

/// The scale whose code `steps` above zero stands for the largest magnitude. Zero and non-finite
/// magnitudes give 1; no scale is below 2^-126.
constexpr float scale_from_magnitude(float largest, int steps) noexcept {
  const float size = fp::from_bits(fp::magnitude_bits(largest));
  if (!fp::is_positive(size)) return 1.0f;
  return detail::held_scale(fp::quotient(size, static_cast<float>(steps)));
}

/// Symmetric parameters whose highest code stands for the largest magnitude (zero point 0, or the
/// middle code of an unsigned type).
template <quantized_type Q>
constexpr affine symmetric_from_magnitude(float largest) noexcept {
  constexpr int zero = Q::is_signed ? 0 : (Q::highest + 1) / 2;
  return {scale_from_magnitude(largest, larger(Q::highest - zero, 1)), zero};
}

/// The scale with zero point 0 whose highest code stands for the largest magnitude.
template <quantized_type Q>
constexpr float scale_from_magnitude(float largest) noexcept { return scale_from_magnitude(largest, Q::highest); }

/// The smallest power-of-two scale, from 2^-126 to 2^127, whose highest code covers the largest
/// magnitude. Zero and non-finite magnitudes give scale 1.
template <quantized_type Q>
constexpr pow2 pow2_from_magnitude(float largest) noexcept {
  const uint32_t u = fp::to_bits(scale_from_magnitude<Q>(largest));
  const int floor_log2 = static_cast<int>(u >> 23) - 127;
  const bool exact = (u & 0x007f'ffffu) == 0;
  return {clamp(exact ? floor_log2 : floor_log2 + 1, -126, 127)};
}

}  // namespace lowbits
