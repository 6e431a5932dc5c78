// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// QUANTIZE and DEQUANTIZE.

#include <lowbits/hosted/tflite/activations.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

/// From floats, or from codes to codes of another scale or type.
inline void quantize(importer& m) {
  if (!m.input(0).is_float()) return rescaled(m, activation::none, 1.0f, false);
  const edge x = m.x(0);
  const tensor_desc out = m.desc_of(m.output());
  m.require(out.kind == element::codes, "the output is float", "export the model again");
  m.define(m.graph().quantize(m.name(), x, {.out = out.params, .out_format = out.format, .policy = rounding::away_float}));
}

/// The numbers of a constant, which may have a scale per channel, or be of float16.
inline std::vector<float> reals_of(const importer& m, const tensor& t) {
  std::vector<float> out(t.count);
  if (t.type == TensorType::FLOAT16) {
    const auto half = elements_of<uint16_t>(t);
    for (size_t i = 0; i < t.count; ++i) out[i] = half_to_float(half[i]);
    return out;
  }
  m.require(t.is_quantized(), joined("tensor '", t.name, "' has no scale"), "quantize the model");
  std::vector<int> codes(t.count);
  const auto copy = [&]<class T>(T) {
    const std::vector<T> v = elements_of<T>(t);
    codes.assign(v.begin(), v.end());
  };
  if (t.type == TensorType::INT8) copy(int8_t{});
  else if (t.type == TensorType::UINT8) copy(uint8_t{});
  else if (t.type == TensorType::INT16) copy(int16_t{});
  else if (t.type == TensorType::INT4)
    for (size_t i = 0; i < t.count; ++i) codes[i] = static_cast<int8_t>((t.bytes[i / 2] >> (i % 2 * 4)) << 4) >> 4;
  else m.fail(joined("tensor '", t.name, "' has the type ", t.type_name()), "use int4, int8, uint8, int16 or float16");
  const int bits = bits_of(t.type), lowest = t.type == TensorType::UINT8 ? 0 : -(1 << (bits - 1));
  for (const int64_t z : t.zero_points)
    m.require(z >= lowest && z < lowest + (1 << bits), joined("tensor '", t.name, "' has a zero point outside of its type"),
              "quantize the model again");
  size_t inner = 1;
  for (int a = t.rank() - 1; a > t.axis && t.scales.size() > 1; --a) inner *= static_cast<size_t>(t.extent(a));
  for (size_t i = 0; i < t.count; ++i) {
    const size_t channel = t.scales.size() > 1 ? i / inner % t.scales.size() : 0;
    const int64_t zero = t.zero_points.empty() ? 0 : t.zero_points[t.zero_points.size() > 1 ? channel : 0];
    out[i] = fp::product(static_cast<float>(codes[i] - zero), t.scales[channel]);
  }
  return out;
}
inline void dequantize_constant(importer& m, const tensor& t) {
  const tensor_desc out = m.desc_of(m.output());
  m.require(out.kind == element::reals, "the output is not float32", "export the model again");
  const float* const at = m.keep<float>(t, as_floats, [&](const tensor& c) { return reals_of(m, c); });
  tensor_desc d = out;
  d.shape = shape_of(t.shape);
  m.define(m.graph().constant(m.name(), d, {number_type::real, at, t.count}));
}

inline void dequantize(importer& m) {
  const tensor t = m.input(0);
  if (t.is_constant()) return dequantize_constant(m, t);
  const edge x = m.x(0);
  m.define(m.graph().dequantize(m.name(), x));
}

}  // namespace lowbits::tflite
