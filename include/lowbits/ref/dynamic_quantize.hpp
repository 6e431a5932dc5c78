// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Quantization whose parameters are found from the data itself: ONNX DynamicQuantizeLinear, for any
// type of 2 to 16 bits (the standard has u8 only). This is the definition.
//
//   low = lowest of x and 0, high = highest of x and 0
//   scale = (high - low) / (highest code - lowest code)
//   zero point = clamp(nearest_even(lowest code - low / scale))
//   q = clamp(nearest_even(x / scale) + zero point)
//
// Each float operation is rounded on its own. Where the standard is silent: a tensor without
// elements or of zeros only gets scale 1 and the zero point of low = 0; NaN and infinities take no
// part in the range (NaN becomes the zero point, infinities the ends); a range wider than the
// largest float is divided end by end.

#include <lowbits/quant/quantize.hpp>

namespace lowbits::inline LOWBITS_ABI::ref {

/// The parameters for numbers whose finite ones, and 0, end at low and high.
template <quantized_type Q = u8>
constexpr affine dynamic_parameters(float low, float high) noexcept {
  static_assert(Q::bits >= 2,
                "lowbits: dynamic_parameters: Q has 1 bit; choose a type of 2 bits or more");
  constexpr float steps = static_cast<float>(Q::highest - Q::lowest);
  const float width = fp::rounded(high - low);
  const float scale = fp::is_finite(width)
      ? fp::quotient(width, steps)
      : fp::rounded(fp::quotient(high, steps) - fp::quotient(low, steps));
  const affine p{fp::is_positive(scale) ? scale : 1.0f, 0};
  const float zero = fp::rounded(static_cast<float>(Q::lowest) - fp::quotient(low, p.scale));
  return {p.scale, clamp<int>(fp::to_nearest<fp::tie::to_even>(zero), Q::lowest, Q::highest)};
}

/// The lowest and highest finite x, or 0.
struct finite_ends {
  float low = 0, high = 0;
  constexpr finite_ends(size_t n, const float* x) noexcept {
    for (size_t i = 0; i < n; ++i) {
      if (!fp::is_finite(x[i])) continue;
      if (x[i] < low) low = x[i];
      if (x[i] > high) high = x[i];
    }
  }
};

/// The parameters for n numbers.
template <quantized_type Q = u8>
constexpr affine dynamic_parameters(size_t n, const float* x) noexcept {
  const finite_ends e(n, x);
  return dynamic_parameters<Q>(e.low, e.high);
}

/// q[i] = the code of x[i] under the parameters that are returned.
template <quantized_type Q = u8>
constexpr affine dynamic_quantize(size_t n, const float* x, typename Q::storage* q) noexcept {
  const affine p = dynamic_parameters<Q>(n, x);
  for (size_t i = 0; i < n; ++i) q[i] = quantize<Q, half_even>(x[i], p);
  return p;
}

}  // namespace lowbits::ref
