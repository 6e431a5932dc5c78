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
  m.define(m.graph().quantize(m.name(), x, {.out = out.params, .out_format = out.format}));
}

inline void dequantize(importer& m) {
  const edge x = m.x(0);
  m.define(m.graph().dequantize(m.name(), x));
}

}  // namespace lowbits::tflite
