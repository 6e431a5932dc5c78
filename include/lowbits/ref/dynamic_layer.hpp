// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How floats become 8-bit codes in front of a layer whose weights are codes and whose activations are
// floats: by parameters found from the activations of each run. Three definitions, all with signed
// codes; where a tensor is all zeros the scale is 1 and every code the zero point.
//
//   symmetric    scale = largest |x| / 127, zero point 0, ties away from zero, codes in -127..127
//                (TFLite's SymmetricQuantizeFloats)
//   asymmetric   range with 0 in it / 255, the zero point where it fits best, ties away from zero
//                (TFLite's AsymmetricQuantizeFloats)
//   onnx         DynamicQuantizeLinear (dynamic_quantize.hpp) with 128 taken off codes and zero point
//
// Or not at all: weight_only, where floats are multiplied by the codes (weight_only_gemm.hpp).

#include <lowbits/ref/dynamic_quantize.hpp>

namespace lowbits::inline LOWBITS_ABI {

enum class dynamic_definition : uint8_t { symmetric, asymmetric, onnx, weight_only };

}  // namespace lowbits

namespace lowbits::inline LOWBITS_ABI::ref {

constexpr affine symmetric_codes(size_t n, const float* x, int8_t* q) noexcept {
  const finite_ends e(n, x);
  const float largest = larger(e.high, -e.low);
  const bool is_zero = !(largest > 0);
  const float inverse = is_zero ? 0.0f : fp::quotient(127.0f, largest);
  for (size_t i = 0; i < n; ++i)
    q[i] = static_cast<int8_t>(clamp<int>(fp::to_nearest<fp::tie::away_from_zero>(fp::product(x[i], inverse)), -127, 127));
  return {is_zero ? 1.0f : fp::quotient(largest, 127.0f), 0};
}

constexpr affine asymmetric_codes(size_t n, const float* x, int8_t* q) noexcept {
  const finite_ends e(n, x);
  if (e.low == e.high) {
    for (size_t i = 0; i < n; ++i) q[i] = 0;
    return {1.0f, 0};
  }
  const double low = static_cast<double>(e.low), high = static_cast<double>(e.high);
  const double scale = fp::quotient(fp::sum(high, -low), 255.0);
  const double below = fp::quotient(low, scale), above = fp::quotient(high, scale);
  const double from_low = fp::sum(-128.0, -below), from_high = fp::sum(127.0, -above);
  const double low_error = fp::sum(128.0, below < 0 ? -below : below), high_error = fp::sum(127.0, above < 0 ? -above : above);
  const double best = low_error < high_error ? from_low : from_high;
  const int zero = best <= -128.0 ? -128 : best >= 127.0 ? 127 : static_cast<int>(fp::to_nearest_away(best));
  const float inverse = static_cast<float>(fp::quotient(1.0, scale));
  for (size_t i = 0; i < n; ++i) {
    const float at = fp::sum(static_cast<float>(zero), fp::product(x[i], inverse));
    q[i] = static_cast<int8_t>(clamp<int>(fp::to_nearest<fp::tie::away_from_zero>(at), -128, 127));
  }
  return {static_cast<float>(scale), zero};
}

/// q[i] = the code of x[i] under the parameters that are returned.
constexpr affine dynamic_codes(dynamic_definition definition, size_t n, const float* x, int8_t* q) noexcept {
  switch (definition) {
    case dynamic_definition::symmetric: return symmetric_codes(n, x, q);
    case dynamic_definition::asymmetric: return asymmetric_codes(n, x, q);
    case dynamic_definition::onnx:
    case dynamic_definition::weight_only: break;
  }
  const affine p = dynamic_parameters<u8>(n, x);
  for (size_t i = 0; i < n; ++i) q[i] = static_cast<int8_t>(int{quantize<u8, half_even>(x[i], p)} - 128);
  return {p.scale, p.zero_point - 128};
}

}  // namespace lowbits::ref
