// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// ADD, SUB, MUL, MINIMUM, MAXIMUM on quantized activations, as TFLite's reference kernels compute
// them (kernels/internal/reference/add.h, mul.h, maximum_minimum.h).

#include <cmath>

#include <lowbits/hosted/tflite/linear.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

/// The parameters of the output; floats have none.
inline affine params_out(const importer& m) {
  const tensor_desc out = m.desc_of(m.output());
  return out.kind == element::codes ? out.params : affine{};
}

/// The exponent e of a scale that is 2^e, or as near to it as add.cc and sub.cc of TFLite ask for: 0.001 in
/// the logarithm.
struct power_of_two {
  bool is_one = false;
  int exponent = 0;

  explicit power_of_two(float scale) noexcept {
    const uint32_t bits = fp::to_bits(scale);
    exponent = static_cast<int>(bits >> 23) - 127;
    const float mantissa = fp::from_bits((bits & 0x7fffff) | 0x3f800000);
    if (mantissa > 1.9986142f) ++exponent;
    is_one = mantissa < 1.0006934f || mantissa > 1.9986142f;
  }
};

/// An older way for 16 bits: where all scales are powers of two, one input has the output's scale and
/// the other one is shifted to it, ties away from zero; the sum is exact.
inline void shifted_inputs(importer& m, edge& x, edge& y, sum_options& o) {
  const power_of_two out(o.out.scale);
  edge* const sides[] = {&x, &y};
  int shift[2]{};
  for (int k = 0; k < 2; ++k) {
    const tensor_desc& d = m.graph().desc(*sides[k]);
    const power_of_two in(d.params.scale);
    if (d.kind != element::codes || d.format.bits != 16 || !in.is_one || !out.is_one) return;
    shift[k] = out.exponent - in.exponent;
  }
  m.require((shift[0] == 0 || shift[1] == 0) && shift[0] >= 0 && shift[1] >= 0, "no input has the output's scale, or one is coarser",
            "quantize the model again");
  o.definition = sum_definition::single;
  for (int k = 0; k < 2; ++k) {
    edge& e = *sides[k];
    // A scale that is a power of two but for rounding counts as the one that shifts.
    const affine exact{std::ldexp(o.out.scale, -shift[k])};
    if (!(m.graph().desc(e).params == exact)) e = m.graph().relabel(m.name(k == 0 ? "x_scale" : "y_scale"), e, exact);
    if (shift[k] != 0) e = m.graph().requantize(m.name(k == 0 ? "x" : "y"), e, {.out = o.out, .policy = rounding::away_float});
    m.check_graph();
  }
}

template <class Options>
void sum(importer& m, bool subtract) {
  const Options* const f = m.options_or_null<Options>();
  sum_options o{.out = params_out(m), .definition = sum_definition::tflite};
  if (f != nullptr) o.fused = fused_of(m, f->fused_activation_function());
  edge x = m.x(0), y = m.x(1);
  if (f != nullptr && f->pot_scale_int16()) shifted_inputs(m, x, y, o);
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
