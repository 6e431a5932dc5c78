// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// ADD, SUB, MUL, MINIMUM, MAXIMUM on quantized activations, as TFLite's reference kernels compute
// them (kernels/internal/reference/add.h, mul.h, maximum_minimum.h).

#include <lowbits/hosted/tflite/linear.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

/// The output of an operator whose inputs and output are all codes.
inline affine codes_out(const importer& m) {
  const tensor_desc out = m.desc_of(m.output());
  m.require(out.kind == element::codes, "the activations are floats", "quantize the model");
  return out.params;
}

template <class Options>
void sum(importer& m, bool subtract) {
  const Options* const f = m.options_or_null<Options>();
  sum_options o{.out = codes_out(m), .definition = sum_definition::tflite};
  if (f != nullptr) o.fused = fused_of(m, f->fused_activation_function());
  const edge x = m.x(0), y = m.x(1);
  m.define(subtract ? m.graph().sub(m.name(), x, y, o) : m.graph().add(m.name(), x, y, o));
}

inline void mul(importer& m) {
  const auto* const f = m.options_or_null<schema::MulOptions>();
  product_options o{.out = codes_out(m), .policy = rounding::double_gemmlowp};
  if (f != nullptr) o.fused = fused_of(m, f->fused_activation_function());
  const edge x = m.x(0), y = m.x(1);
  m.define(m.graph().mul(m.name(), x, y, o));
}

inline void extremum(importer& m, bool take_larger) {
  const output_options o{.out = codes_out(m)};
  const edge x = m.x(0), y = m.x(1);
  for (const edge e : {x, y})
    m.require(m.graph().desc(e).params == o.out, "inputs and output are quantized differently",
              "quantize them alike; this operator does not change scale or zero point");
  m.define(take_larger ? m.graph().maximum(m.name(), x, y, o) : m.graph().minimum(m.name(), x, y, o));
}

}  // namespace lowbits::tflite
