// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Functions of one float, as layers and inside of layers: which nodes they become (ncnn,
// src/layer/fused_activation.h).

#include <lowbits/graph/functions.hpp>
#include <lowbits/hosted/ncnn/importer.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// The first seven are those that layers can have inside, in ncnn's order.
enum class curve_kind : uint8_t { none, relu, leaky, clip, sigmoid, mish, hard_swish, hard_sigmoid, tanh, swish, elu };

struct real_curve {
  curve_kind kind = curve_kind::none;
  float a = 0, b = 0;
};

inline constexpr float largest_float = fp::from_bits(fp::infinity_bits - 1);

/// What the curve is as part of the layer before it; none where it has to follow as nodes.
inline activation fused_of(const real_curve& c) noexcept {
  if (c.kind == curve_kind::relu) return activation::relu;
  if (c.kind != curve_kind::clip) return activation::none;
  if (c.a == 0 && c.b == 6) return activation::relu6;
  if (c.a == 0 && c.b >= largest_float) return activation::relu;
  return c.a == -1 && c.b == 1 ? activation::relu_n1_to_1 : activation::none;
}

/// Nodes with one constant operand.
inline edge with_constant(importer& m, std::string_view purpose, edge x, float b,
                          edge (importer::graph_type::*pair)(const node_name&, edge, edge, const output_options&)) {
  const edge c = m.constant("limit", {1, {1}}, {b});
  return m.checked((m.graph().*pair)(m.name(purpose), x, c, {}));
}
inline edge times(importer& m, std::string_view purpose, edge x, edge y) {
  return m.checked(m.graph().mul(m.name(purpose), x, y, {}));
}
inline edge plus(importer& m, std::string_view purpose, edge x, edge y, activation fused = activation::none) {
  return m.checked(m.graph().add(m.name(purpose), x, y, {.fused = fused}));
}
inline edge times(importer& m, std::string_view purpose, edge x, float b) {
  return times(m, purpose, x, m.constant("factor", {1, {1}}, {b}));
}
inline edge plus(importer& m, std::string_view purpose, edge x, float b, activation fused = activation::none) {
  return plus(m, purpose, x, m.constant("addend", {1, {1}}, {b}), fused);
}
inline edge at_most(importer& m, std::string_view purpose, edge x, float b) {
  return with_constant(m, purpose, x, b, &importer::graph_type::minimum);
}
inline edge at_least(importer& m, std::string_view purpose, edge x, float b) {
  return with_constant(m, purpose, x, b, &importer::graph_type::maximum);
}

/// The nodes of a curve over e; `last` is what the last one is for.
inline edge curve_nodes(importer& m, edge e, const real_curve& c, std::string_view last = {}) {
  const auto function = [&](real_function f, double parameter = 0) {
    return m.checked(m.graph().function(m.name(last), e, f, {}, parameter));
  };
  if (const activation fused = fused_of(c); fused != activation::none)
    return m.checked(m.graph().requantize(m.name(last), e, {.fused = fused}));
  switch (c.kind) {
    case curve_kind::none:
    case curve_kind::relu: break;
    case curve_kind::leaky: return function(functions::leaky_relu, static_cast<double>(c.a));
    case curve_kind::clip: {
      if (c.a > -largest_float) e = at_least(m, c.b < largest_float ? "least" : last, e, c.a);
      return c.b < largest_float ? at_most(m, last, e, c.b) : e;
    }
    case curve_kind::sigmoid: return function(functions::sigmoid);
    case curve_kind::mish: return function(functions::mish);
    case curve_kind::hard_swish:
    case curve_kind::hard_sigmoid: {  // held in 0 to 1, which is what the ends of ncnn's formula do
      const bool is_factor = c.kind == curve_kind::hard_swish;
      const edge line = plus(m, "line", times(m, "slope", e, c.a), c.b, activation::relu);
      const edge held = at_most(m, is_factor ? "gate" : last, line, 1.0f);
      return is_factor ? times(m, last, e, held) : held;
    }
    case curve_kind::tanh: return function(functions::tanh);
    case curve_kind::swish: return function(functions::silu);
    case curve_kind::elu: return function(functions::elu, static_cast<double>(c.a));
  }
  return e;
}

/// The activation inside a layer: its kind and its numbers are parameters of the layer.
inline real_curve inner_curve(const importer& m, int kind_number, int list_number) {
  const int kind = m.integer(kind_number, 0);
  const std::vector<float> numbers = m.reals(list_number);
  m.require(kind >= 0 && kind <= 6, joined("activation ", kind, " is unknown"), "use one of 0 to 6");
  const size_t needed = kind == 2 ? 1 : kind == 3 || kind == 6 ? 2 : 0;
  m.require(numbers.size() >= needed, joined("activation ", kind, " lacks its ", needed, " numbers"));
  real_curve c{.kind = static_cast<curve_kind>(kind)};
  if (needed >= 1) c.a = numbers[0];
  if (needed >= 2) c.b = numbers[1];
  return c;
}

/// Defines the layer's output as f of its input, which is taken in the order that is there.
template <class Function>
void define_map(importer& m, const Function& f) {
  m.require_counts(1, 1);
  value& x = m.x();
  m.require_reals(x);
  m.is_real();
  m.define(importer::like(x, f(importer::any(x))));
}
inline void curve_layer(importer& m, const real_curve& c) {
  define_map(m, [&](edge e) { return curve_nodes(m, e, c); });
}

inline void relu(importer& m) {
  const float slope = m.real(0, 0);
  curve_layer(m, fp::is_zero(slope) ? real_curve{curve_kind::relu} : real_curve{curve_kind::leaky, slope});
}
inline void clip(importer& m) { curve_layer(m, {curve_kind::clip, m.real(0, -largest_float), m.real(1, largest_float)}); }
inline void hard_curve(importer& m, curve_kind kind) { curve_layer(m, {kind, m.real(0, 0.2f), m.real(1, 0.5f)}); }
inline void elu(importer& m) { curve_layer(m, {curve_kind::elu, m.real(0, 0.1f)}); }

}  // namespace lowbits::ncnn
