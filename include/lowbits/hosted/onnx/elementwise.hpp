// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Add, Sub, Mul, Min, Max of two tensors. A constant for each channel behind Conv, Gemm or MatMul is
// their bias.

#include <lowbits/hosted/onnx/dynamic.hpp>
#include <lowbits/hosted/onnx/functions.hpp>
#include <lowbits/hosted/onnx/product.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

/// Numpy's rule: axes are aligned at the end, an extent of 1 is repeated.
inline shape_list broadcast(importer& m, const value& x, const value& y) {
  shape_list out(larger(x.shape.size(), y.shape.size()), 1);
  for (const value* v : {&x, &y})
    for (size_t a = 0; a < v->shape.size(); ++a) {
      int& e = out[a + out.size() - v->shape.size()];
      m.require(v->shape[a] == e || v->shape[a] == 1 || e == 1,
                joined("the inputs ", text_of(x.shape), " and ", text_of(y.shape), " do not broadcast"), "export the model again");
      e = larger(e, v->shape[a]);
    }
  int64_t count = 1;
  for (const int e : out) {
    count *= e;
    m.require(count <= highest_of<int32_t>, "the output has more than 2^31 - 1 elements", "split it");
  }
  return out;
}

/// v in the form of images of `rank` axes, those in front of its own being 1.
inline edge image_operand(importer& m, value& v, const stored& s, size_t rank) {
  if (v.shape.size() == rank) {
    stored& own = &s == &v.reals ? v.reals : v.codes;
    return image_of(m, own, v.shape, v.name);
  }
  shape_list full(rank - v.shape.size(), 1);
  full.insert(full.end(), v.shape.begin(), v.shape.end());
  const edge e = with_extents(m, s.plain, full);
  return to_image(m, e, full, v.name);
}

/// f(edge of x, edge of y), in the form of images where one of them is an image already.
template <class Function>
stored on_both(importer& m, value& x, const stored& sx, value& y, const stored& sy, const shape_list& out, const Function& f) {
  const auto is_image = [&](const value& v, const stored& s) { return s.plain.node < 0 && v.shape.size() == out.size(); };
  edge e;
  const bool as_image = is_image_shape(out) && (is_image(x, sx) || is_image(y, sy)) && (sx.plain.node >= 0 || is_image(x, sx)) &&
      (sy.plain.node >= 0 || is_image(y, sy));
  if (as_image) {
    const edge a = image_operand(m, x, sx, out.size());
    e = f(a, image_operand(m, y, sy, out.size()));
  } else {
    stored &px = &sx == &x.reals ? x.reals : x.codes, &py = &sy == &y.reals ? y.reals : y.codes;
    const edge a = plain_of(m, px, x.shape, x.name);
    e = f(a, plain_of(m, py, y.shape, y.name));
  }
  m.check_graph();
  m.record(m.output_name(0), -1);
  return as_image ? stored{{}, e} : stored{e, {}};
}

inline void pair(importer& m, op_kind kind, value& x, value& y, const shape_list& shape) {
  if (kind == op_kind::add)
    for (auto [a, b] : {std::pair(&x, &y), std::pair(&y, &x)})
      if (a->later != nullptr && a->later->with_bias && shape == a->shape && !fp::is_finite(a->later->lowest) &&
          !fp::is_finite(a->later->highest) && is_per_channel(*b, shape, a->later->channel_axis)) {
        auto d = a->later->with_bias(*b);
        m.define(0, data_type::FLOAT, shape).later = std::move(d);
        return;
      }
  settle(m, x);
  settle(m, y);
  const int index = m.index();
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  const auto node = [&m, kind](edge a, edge b, const target& t) {
    auto& g = m.graph();
    const node_name n = m.name();
    const output_options plain{.out = t.params, .out_format = t.format, .fused = t.fused};
    switch (kind) {
      case op_kind::add: return g.add(n, a, b, {.out = t.params, .out_format = t.format, .fused = t.fused});
      case op_kind::sub: return g.sub(n, a, b, {.out = t.params, .out_format = t.format, .fused = t.fused});
      case op_kind::mul: return g.mul(n, a, b, {.out = t.params, .out_format = t.format, .fused = t.fused, .policy = rounding::even_float});
      case op_kind::minimum: return g.minimum(n, a, b, plain);
      default: return g.maximum(n, a, b, plain);
    }
  };
  d->as_codes = [&m, &x, &y, kind, shape, index, node](const target& t) -> stored {
    if (x.later != nullptr || y.later != nullptr || !x.has_codes() || !y.has_codes()) return {};
    const visit here(m, index);
    const stored &sx = code_form(m, x), &sy = code_form(m, y);
    // What the graph's sums cannot scale is left to floats.
    for (const stored& s : {sx, sy})
      if (kind != op_kind::mul && fp::quotient(m.graph().desc(s.any()).params.scale, t.params.scale) > 4096.0f) return {};
    return on_both(m, x, sx, y, sy, shape, [&](edge a, edge b) {
      return with_types(m, {a, b}, t, false, false,
                        [&](const std::vector<edge>& in, const target& inner) { return node(in[0], in[1], inner); });
    });
  };
  d->as_reals = [&m, &x, &y, shape, index, node]() -> stored {
    const visit here(m, index);
    m.stays_float("what reads or makes its tensors is not quantized");
    const stored &sx = real_form(m, x), &sy = real_form(m, y);
    return on_both(m, x, sx, y, sy, shape, [&](edge a, edge b) { return node(a, b, {}); });
  };
  m.define(0, data_type::FLOAT, shape).later = std::move(d);
}

/// With one number, which is a function of the other side; Max and Min are bounds of it.
inline bool with_number(importer& m, op_kind kind, value& x, value& y, const shape_list& shape) {
  for (const bool swapped : {false, true}) {
    value &v = swapped ? y : x, &c = swapped ? x : y;
    if (c.known == nullptr || c.count() != 1 || !is_real(c.known->type) || v.is_constant() || shape != v.shape) continue;
    const float number = c.known->reals[0];
    const float infinity = std::numeric_limits<float>::infinity();
    if (fp::is_nan(number)) return false;
    if (kind == op_kind::maximum) return define_unary(m, v, bounds(number, infinity)), true;
    if (kind == op_kind::minimum) return define_unary(m, v, bounds(-infinity, number)), true;
    if (v.later != nullptr ? v.later->chain.empty() : !v.has_codes()) return false;
    unary u;
    u.map = [=](float a) {
      if (kind == op_kind::add) return fp::sum(a, number);
      if (kind == op_kind::mul) return fp::product(a, number);
      return swapped ? fp::difference(number, a) : fp::difference(a, number);
    };
    u.reals = [&m, kind, swapped, number](edge e) {
      auto& g = m.graph();
      const edge n = real_constant(m, {number}, {}, m.output_name(0) + ".number");
      if (kind == op_kind::add) return g.add(m.name(), e, n, {});
      if (kind == op_kind::mul) return g.mul(m.name(), e, n, {});
      return swapped ? g.sub(m.name(), n, e, {}) : g.sub(m.name(), e, n, {});
    };
    define_unary(m, v, u);
    return true;
  }
  return false;
}

inline void elementwise(importer& m, op_kind kind) {
  m.expect(2, 2);
  m.require(m.opset() >= 7 || m.integer("broadcast", 0) == 0, "it broadcasts as sets before 7 did", "convert the model to set 13");
  value &x = m.input(0), &y = m.input(1);
  const shape_list shape = broadcast(m, x, y);
  if (dynamic_pair(m, kind, x, y, shape)) return;
  m.require_floats({&x, &y});
  if (!with_number(m, kind, x, y, shape)) pair(m, kind, x, y, shape);
}

}  // namespace lowbits::onnx
