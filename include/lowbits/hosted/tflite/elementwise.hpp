// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// ADD, SUB, MUL, MINIMUM, MAXIMUM on quantized activations, as TFLite's reference kernels compute
// them (kernels/internal/reference/add.h, mul.h, maximum_minimum.h).

#include <lowbits/hosted/tflite/linear.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

/// The parameters of the output; floats have none.
inline affine params_out(const importer& m) {
  const tensor_desc out = m.desc_of(m.output());
  return out.kind == element::codes ? out.params : affine{};
}

/// An older way for 16 bits: where all scales are powers of two, one input has the output's scale and
/// the other one is shifted to it, ties away from zero; the sum is exact.
inline void shifted_inputs(importer& m, edge& x, edge& y, sum_options& o) {
  const auto exponent = [](const affine& p) { return static_cast<int>(fp::to_bits(p.scale) >> 23); };
  for (const edge e : {x, y}) {
    const tensor_desc& d = m.graph().desc(e);
    if (d.kind != element::codes || d.format.bits <= 8 || (fp::to_bits(d.params.scale) & 0x7fffff) != 0) return;
  }
  if ((fp::to_bits(o.out.scale) & 0x7fffff) != 0) return;
  const int dx = exponent(m.graph().desc(x).params) - exponent(o.out), dy = exponent(m.graph().desc(y).params) - exponent(o.out);
  m.require((dx == 0 || dy == 0) && dx <= 0 && dy <= 0, "no input has the output's scale, or one is coarser",
            "quantize the model again");
  o.definition = sum_definition::single;
  if (dx != 0) x = m.graph().requantize(m.name("x"), x, {.out = o.out, .policy = rounding::away_float});
  if (dy != 0) y = m.graph().requantize(m.name("y"), y, {.out = o.out, .policy = rounding::away_float});
  m.check_graph();
}

template <class Options>
void sum(importer& m, bool subtract) {
  const Options* const f = m.options_or_null<Options>();
  sum_options o{.out = params_out(m), .definition = sum_definition::tflite};
  if (f != nullptr) o.fused = fused_of(m, f->fused_activation_function());
  edge x = m.x(0), y = m.x(1);
  if (f == nullptr || f->pot_scale_int16()) shifted_inputs(m, x, y, o);
  m.define(subtract ? m.graph().sub(m.name(), x, y, o) : m.graph().add(m.name(), x, y, o));
}

inline void mul(importer& m) {
  const auto* const f = m.options_or_null<schema::MulOptions>();
  product_options o{.out = params_out(m), .policy = rounding::double_gemmlowp, .product = scale_product::float_quotient};
  if (f != nullptr) o.fused = fused_of(m, f->fused_activation_function());
  const edge x = m.x(0), y = m.x(1);
  m.define(m.graph().mul(m.name(), x, y, o));
}

inline void extremum(importer& m, bool take_larger) {
  const output_options o{.out = params_out(m)};
  edge x = m.x(0), y = m.x(1);
  // Codes are compared, whatever their scales say.
  for (edge* const e : {&x, &y})
    if (m.graph().desc(*e).kind == element::codes && !(m.graph().desc(*e).params == o.out)) {
      m.note(joined(m.place(), ": inputs and output have different scales or zero points; codes are compared"));
      *e = m.graph().relabel(m.name("relabel"), *e, o.out);
      m.check_graph();
    }
  m.define(take_larger ? m.graph().maximum(m.name(), x, y, o) : m.graph().minimum(m.name(), x, y, o));
}

}  // namespace lowbits::tflite
