// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Relu, Clip, Sigmoid, Tanh, Softmax.

#include <limits>

#include <lowbits/hosted/onnx/codes.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

/// The operators that take one number to one.
struct unary {
  real_map map{};
  bool is_bound = false;        ///< Relu and Clip
  float lowest = -std::numeric_limits<float>::infinity(), highest = std::numeric_limits<float>::infinity();
  real_function function = nullptr;  ///< of the graph, where it has one; else `reals`
  double parameter = 0;
  std::function<edge(edge)> reals{};
};

/// A result of the same shape, from the codes or floats of x; later, if it may become codes.
inline void define_unary(importer& m, value& x, const unary& u) {
  m.require_floats({&x});
  constexpr size_t longest_chain = 16;
  if (x.later != nullptr && (x.later->chain.size() >= longest_chain || (x.later->chain.empty() && !u.is_bound))) settle(m, x);
  const int index = m.index();
  value& y = m.define(0, data_type::FLOAT, x.shape);
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  if (x.later != nullptr && u.is_bound && x.later->chain.empty()) {
    *d = *x.later;  // bounds behind bounds
    d->with_bias = nullptr;
    d->lowest = clamp(x.later->lowest, u.lowest, u.highest);
    d->highest = clamp(x.later->highest, u.lowest, u.highest);
    y.later = d;
    return;
  }
  const bool is_chain = x.later != nullptr && !x.later->chain.empty();
  if (is_chain) {
    d->chain = x.later->chain;
    d->base = x.later->base;
  } else if (x.later == nullptr && x.has_codes()) {
    d->base = code_form(m, x);
  }
  d->as_reals = [&m, &x, u, index]() -> stored {
    const visit here(m, index);
    const stored from = real_form(m, x);
    if (u.is_bound) return bounded(m, from, u.lowest, u.highest, m.output_name(0));
    m.stays_float("what reads or makes its tensors is not quantized");
    const edge e = u.function != nullptr ? m.graph().function(m.name(), from.any(), u.function, {}, u.parameter) : u.reals(from.any());
    m.check_graph();
    m.record(m.output_name(0), 0);
    return from.plain.node >= 0 ? stored{e, {}} : stored{{}, e};
  };
  if (d->base.is_there()) {
    d->chain.push_back(u.map);
    const std::vector<real_map> chain = d->chain;
    const stored base = d->base;
    d->as_codes = [&m, chain, base, u, index, is_chain](const target& t) -> stored {
      const visit here(m, index);
      const edge x0 = base.any();
      const qformat f = m.graph().desc(x0).format;
      edge e;
      if (is_byte(f) && is_byte(t.format)) {
        e = mapped(m, x0, t, [&](float v) {
          for (const real_map& map : chain) v = map(v);
          return v;
        });
      } else if (is_chain) {
        return {};
      } else if (u.is_bound) {
        deferred bound;
        bound.lowest = u.lowest;
        bound.highest = u.highest;
        bound.as_codes = [&](const target& inner) {
          const tensor_desc d0 = m.graph().desc(x0);
          if (d0.format == inner.format && d0.params == inner.params && inner.fused == activation::none) return stored{x0, {}};
          return stored{m.graph().requantize(m.name("bound"), x0, {.out = inner.params, .out_format = inner.format, .fused = inner.fused}), {}};
        };
        e = codes_of(m, bound, t).any();
      } else if (u.function != nullptr && f.bits == 16 && t.format.bits == 16) {
        e = m.graph().function(m.name(), x0, u.function, {.out = t.params, .out_format = t.format}, u.parameter);
      } else {
        return {};
      }
      m.check_graph();
      m.record(m.output_name(0), -1);
      return base.plain.node >= 0 ? stored{e, {}} : stored{{}, e};
    };
  }
  y.later = d;
}

inline unary bounds(float lowest, float highest) {
  return {.map = [=](float v) { return clamp(v, lowest, highest); }, .is_bound = true, .lowest = lowest, .highest = highest};
}

/// Relu and Clip of codes that nobody dequantizes compare the codes themselves.
inline void bound_codes(importer& m, value& x, int lowest, int highest) {
  m.require(is_byte(inner_format(x.type)), joined("'", shown(x.name), "' has the type ", type_name(x.type)),
            "use floats or 8-bit codes");
  const stored& s = code_form(m, x);
  const tensor_desc d = m.graph().desc(s.any());
  std::vector<uint8_t> bytes;
  for (int b = 0; b < 256; ++b)
    bytes.push_back(static_cast<uint8_t>(clamp<int>(d.format.is_signed ? static_cast<int8_t>(b) : b, lowest, highest)));
  const edge e = table_node(m, s.any(), bytes, d.format, d.params, {});
  m.define(0, x.type, x.shape, s.plain.node >= 0 ? stored{e, {}} : stored{{}, e});
}

inline void relu(importer& m) {
  m.expect(1, 1);
  value& x = m.input(0);
  if (!x.is_float()) return bound_codes(m, x, 0, 255);
  define_unary(m, x, bounds(0.0f, std::numeric_limits<float>::infinity()));
}

inline void clip(importer& m) {
  m.expect(1, 3);
  value& x = m.input(0);
  const float infinity = std::numeric_limits<float>::infinity();
  float lowest = -infinity, highest = infinity;
  int lowest_code = -128, highest_code = 255;
  if (m.opset() < 11) {
    lowest = m.number("min", lowest);
    highest = m.number("max", highest);
  } else {
    const auto bound = [&](int k, float& real, int& code) {
      if (!m.has_input(k)) return;
      const value& b = m.input(k);
      m.require(b.known != nullptr && b.known->count() == 1, joined("the bound '", shown(b.name), "' is not a constant number"),
                "give it as a constant");
      m.require(is_real(b.known->type) == x.is_float(), joined("the bound '", shown(b.name), "' has another type than the input"),
                "give it in the input's type");
      if (x.is_float()) real = b.known->reals[0];
      else code = b.known->integers[0];
    };
    bound(1, lowest, lowest_code);
    bound(2, highest, highest_code);
  }
  m.require(!fp::is_nan(lowest) && !fp::is_nan(highest), "a bound is NaN", "give a number");
  // Where the bounds cross, the upper one wins.
  if (!x.is_float()) return bound_codes(m, x, smaller(lowest_code, highest_code), highest_code);
  if (highest < lowest) lowest = highest;
  define_unary(m, x, bounds(lowest, highest));
}

/// Functions that the graph knows; in double, as it computes them.
inline void function(importer& m, real_function f, double parameter = 0) {
  m.expect(1, 1);
  const auto map = [=](float v) { return static_cast<float>(f(static_cast<double>(v), parameter)); };
  define_unary(m, m.input(0), {.map = map, .function = f, .parameter = parameter});
}
inline void sigmoid(importer& m) { function(m, functions::sigmoid); }
inline void tanh(importer& m) { function(m, functions::tanh); }
inline void leaky_relu(importer& m) { function(m, functions::leaky_relu, static_cast<double>(m.number("alpha", 0.01f))); }
inline void elu(importer& m) { function(m, functions::elu, static_cast<double>(m.number("alpha", 1.0f))); }
inline void hard_swish(importer& m) { function(m, functions::hard_swish); }

/// Until set 13 over the axis and all behind it, since then over the axis alone.
inline void softmax(importer& m) {
  m.expect(1, 1);
  value& x = m.input(0);
  m.require_floats({&x});
  const int rank = larger(x.rank(), 1);
  const bool is_old = m.opset() < 13;
  const int axis = m.axis_of(m.integer("axis", is_old ? 1 : -1), rank, is_old);
  shape_list wanted = x.shape, axes, back;
  bool turns = false;
  if (is_old) {
    int rows = 1, columns = 1;
    for (int a = 0; a < x.rank(); ++a) (a < axis ? rows : columns) *= x.extent(a);
    wanted = {rows, columns};
  } else if (axis + 1 < x.rank()) {
    turns = true;
    for (int a = 0; a < x.rank(); ++a)
      if (a != axis) axes.push_back(a);
    axes.push_back(axis);
    back.assign(axes.size(), 0);
    for (size_t a = 0; a < axes.size(); ++a) back[static_cast<size_t>(axes[a])] = static_cast<int>(a);
  }
  settle(m, x);
  const int index = m.index();
  value& y = m.define(0, data_type::FLOAT, x.shape);
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  // f(edge) between what brings the axis to the end and what brings it back.
  const auto around = [&m, wanted, axes, back, turns, is_old, shape = x.shape](edge e, const auto& f) {
    auto& g = m.graph();
    if (is_old) e = g.reshape(m.name("rows"), e, list_of(wanted));
    if (turns) e = g.transpose(m.name("turned"), e, list_of(axes));
    e = f(e);
    if (turns) e = g.transpose(m.name("back"), e, list_of(back));
    if (is_old) e = g.reshape(m.name("shape"), e, list_of(shape));
    m.check_graph();
    m.record(m.output_name(0), -1);
    return stored{e, {}};
  };
  d->as_reals = [&m, &x, around, index]() -> stored {
    const visit here(m, index);
    m.stays_float("what reads or makes its tensors is not quantized");
    return around(plain_reals(m, x), [&](edge e) { return m.graph().softmax(m.name(), e); });
  };
  // In 16 bits, so that the one rounding that counts is the last.
  if (x.later == nullptr && x.has_codes())
    d->as_codes = [&m, &x, around, index](const target& t) -> stored {
      const visit here(m, index);
      return around(plain_codes(m, x), [&](edge e) {
        const edge s = m.graph().softmax(m.name("wide"), widened(m, e));
        return m.graph().requantize(m.name(), s, {.out = t.params, .out_format = t.format, .fused = t.fused});
      });
    };
  y.later = d;
}

}  // namespace lowbits::onnx
