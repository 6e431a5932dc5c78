// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Gemm, MatMul and QLinearMatMul: a dense layer where the right side is a constant matrix, else a
// product of two activations.

#include <lowbits/hosted/onnx/convolution.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

/// x [.., depth] by constant weights; the file's are [depth][units], or transposed.
struct dense_layer {
  int rows = 1, depth = 1, units = 1;
  bool transposed = false;  ///< [units][depth]
  float alpha = 1, beta = 1;
  std::vector<int> axes() const { return transposed ? std::vector<int>{0, 1} : std::vector<int>{1, 0}; }
  int channel_axis() const noexcept { return transposed ? 0 : 1; }
  /// Where x is a flattened image whose channels come last: the file's weights with the axes of
  /// `image`, [n][c][..], for the depth, and the order that the layer wants.
  shape_list view_shape(const shape_list& image) const {
    shape_list s(image.begin() + 1, image.end());
    s.insert(transposed ? s.begin() : s.end(), units);
    return s;
  }
  std::vector<int> view_axes(const shape_list& image) const {
    const int rank = static_cast<int>(image.size()), first = transposed ? 1 : 0;
    std::vector<int> a{transposed ? 0 : rank - 1};
    for (int k = 1; k + 1 < rank; ++k) a.push_back(first + k);
    a.push_back(first);
    return a;
  }
};

inline edge as_rows(importer& m, edge x, int rows, int columns) {
  if (m.graph().desc(x).shape == tensor_shape{2, {rows, columns}}) return x;
  return m.graph().reshape(m.name("rows"), x, {rows, columns});
}
inline stored with_shape(importer& m, edge x, const shape_list& shape) {
  if (!(m.graph().desc(x).shape == extents_of(shape))) x = m.graph().reshape(m.name("shape"), x, list_of(shape));
  m.check_graph();
  m.record(m.output_name(0), -1);
  return {x, {}};
}

inline stored dense_codes(importer& m, edge x, const dense_layer& l, const layer_weights& w, const std::vector<int64_t>& bias, const target& t,
                          const shape_list& shape) {
  bool wide = w.needs_wide;
  const bias_data b = bias_of(m, bias, wide);
  const edge e = with_types(m, {as_rows(m, x, l.rows, l.depth)}, t, wide, true, [&](const std::vector<edge>& in, const target& inner) {
    return m.graph().dense(m.name(), in[0], {.units = l.units, .weights = w.data, .bias = b, .out = inner.params, .out_format = inner.format,
                                             .fused = inner.fused, .policy = rounding::even_float});
  });
  return with_shape(m, e, shape);
}

inline std::shared_ptr<deferred> later_dense(importer& m, value& x, value& w, const value* b, const dense_layer& l, const shape_list& shape,
                                             bool x_transposed, int index) {
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  d->channel_axis = static_cast<int>(shape.size()) - 1;
  const auto turned = [&m, x_transposed](edge e) { return x_transposed ? m.graph().transpose(m.name("turned"), e, {1, 0}) : e; };
  const auto as_image = [&x, x_transposed] {
    return x.flattened != nullptr && !x.codes.is_there() && !x.reals.is_there() && !x_transposed;
  };
  d->as_codes = [&m, &x, &w, b, l, shape, index, turned, as_image](const target& t) -> stored {
    if (!x.has_codes() || w.quantized == nullptr || !can_be_weights(*w.quantized, l.channel_axis()) || !fp::is_positive(l.alpha)) return {};
    const visit here(m, index);
    edge in;
    layer_weights weights;
    if (as_image()) {
      const shape_list& image = x.flattened->shape;
      in = image_codes(m, *x.flattened);
      const quantized_constant q = with_view(*w.quantized, l.view_shape(image), l.transposed ? 0 : static_cast<int>(image.size()) - 1);
      weights = weights_of(m, q, l.view_axes(image), l.alpha);
    } else {
      in = turned(plain_codes(m, x));
      weights = weights_of(m, *w.quantized, l.axes(), l.alpha);
    }
    std::vector<int64_t> bias;
    if (b != nullptr) bias = bias_codes(m, *b, weights.data, m.graph().desc(in).params.scale, l.beta, l.units);
    return dense_codes(m, in, l, weights, bias, t, shape);
  };
  d->as_reals = [&m, &x, &w, b, l, shape, index, turned, as_image]() -> stored {
    const visit here(m, index);
    m.stays_float(w.quantized != nullptr ? "only its weights are quantized" : "what reads or makes its tensors is not quantized");
    const bool image = as_image();
    const edge in = image ? image_reals(m, *x.flattened) : turned(plain_reals(m, x));
    const shape_list shape_in = image ? l.view_shape(x.flattened->shape) : w.shape;
    const std::vector<int> axes = image ? l.view_axes(x.flattened->shape) : l.axes();
    const bool stay_codes = can_stay_codes(w, l.channel_axis(), l.alpha);
    const int axis = image && !l.transposed ? static_cast<int>(x.flattened->shape.size()) - 1 : l.channel_axis();
    const weight_data weights = stay_codes ? weights_of(m, with_view(*w.quantized, shape_in, axis), axes, l.alpha).data
                                           : real_weights(m, w, shape_in, axes, l.alpha);
    const edge e = m.graph().dense(m.name(), as_rows(m, in, l.rows, l.depth),
                                   {.units = l.units, .weights = weights, .bias = real_bias(m, b, l.beta, l.units),
                                    .dynamic = stay_codes ? dynamic_definition::weight_only : dynamic_definition::symmetric});
    return with_shape(m, e, shape);
  };
  if (b == nullptr)
    d->with_bias = [&m, &x, &w, l, shape, x_transposed, index](const value& bias) {
      return later_dense(m, x, w, &bias, l, shape, x_transposed, index);
    };
  return d;
}

/// Extents of a product by numpy's rules; vectors become matrices and lose the axis again.
struct matmul_form {
  shape_list x{}, y{}, out{};  ///< with at least two axes
  shape_list result{};         ///< the output's
};
inline matmul_form read_matmul(importer& m, const value& x, const value& y) {
  m.require(x.rank() >= 1 && y.rank() >= 1, "an input has no axes", "use Mul");
  matmul_form f{x.shape, y.shape, {}, {}};
  if (x.rank() == 1) f.x.insert(f.x.begin(), 1);
  if (y.rank() == 1) f.y.push_back(1);
  const size_t rx = f.x.size(), ry = f.y.size(), rank = larger(rx, ry);
  m.require(f.x[rx - 1] == f.y[ry - 2], joined("the inputs ", text_of(x.shape), " and ", text_of(y.shape), " have different depths"),
            "export the model again");
  for (size_t a = 0; a + 2 < rank; ++a) {
    const int ex = a + rx >= rank ? f.x[a + rx - rank] : 1, ey = a + ry >= rank ? f.y[a + ry - rank] : 1;
    m.require(ex == ey || ex == 1 || ey == 1, joined("the inputs ", text_of(x.shape), " and ", text_of(y.shape), " do not broadcast"),
              "export the model again");
    f.out.push_back(larger(ex, ey));
  }
  f.result = f.out;
  f.out.push_back(f.x[rx - 2]);
  f.out.push_back(f.y[ry - 1]);
  if (x.rank() != 1) f.result.push_back(f.x[rx - 2]);
  if (y.rank() != 1) f.result.push_back(f.y[ry - 1]);
  m.require(f.result.size() <= max_rank, "the output has more than 6 axes", "merge some");
  return f;
}

inline edge with_extents(importer& m, edge e, const shape_list& shape) {
  if (m.graph().desc(e).shape == extents_of(shape)) return e;
  return m.graph().reshape(m.name("shape"), e, list_of(shape));
}
inline stored matmul_codes(importer& m, edge x, edge y, const matmul_form& f, bool x_transposed, bool y_transposed, const target& t) {
  const edge a = with_extents(m, x, f.x), b = with_extents(m, y, f.y);
  const edge e = with_types(m, {a, b}, t, false, false, [&](const std::vector<edge>& in, const target& inner) {
    return m.graph().matmul(m.name(), in[0], in[1], {.x_transposed = x_transposed, .w_transposed = y_transposed, .out = inner.params,
                                                     .out_format = inner.format, .fused = inner.fused, .policy = rounding::even_float});
  });
  m.check_graph();
  return with_shape(m, e, f.result);
}
inline std::shared_ptr<deferred> later_matmul(importer& m, value& x, value& y, const matmul_form& f, bool x_transposed, bool y_transposed, int index) {
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  d->as_codes = [&m, &x, &y, f, x_transposed, y_transposed, index](const target& t) -> stored {
    if (!x.has_codes() || !y.has_codes()) return {};
    const visit here(m, index);
    return matmul_codes(m, plain_codes(m, x), plain_codes(m, y), f, x_transposed, y_transposed, t);
  };
  d->as_reals = [&m, &x, &y, f, x_transposed, y_transposed, index]() -> stored {
    const visit here(m, index);
    m.stays_float("what reads or makes its tensors is not quantized");
    const edge a = with_extents(m, plain_reals(m, x), f.x), b = with_extents(m, plain_reals(m, y), f.y);
    return with_shape(m, m.graph().matmul(m.name(), a, b, {.x_transposed = x_transposed, .w_transposed = y_transposed}), f.result);
  };
  return d;
}

/// A constant matrix on the right, that is no batch of them.
inline bool is_matrix(const value& w) noexcept { return w.is_constant() && w.rank() == 2; }

inline void matmul(importer& m) {
  m.expect(2, 2);
  value &x = m.input(0), &y = m.input(1);
  m.require_floats({&x, &y});
  const matmul_form f = read_matmul(m, x, y);
  settle(m, x);
  settle(m, y);
  std::shared_ptr<deferred> d;
  if (is_matrix(y) && !x.is_constant()) {
    const int depth = y.extent(0);
    const dense_layer l{static_cast<int>(x.count() / static_cast<size_t>(depth)), depth, y.extent(1)};
    d = later_dense(m, x, y, nullptr, l, f.result, false, m.index());
  } else {
    d = later_matmul(m, x, y, f, false, false, m.index());
  }
  m.define(0, data_type::FLOAT, f.result).later = std::move(d);
}

inline void gemm(importer& m) {
  m.expect(2, 3);
  value &x = m.input(0), &w = m.input(1);
  m.require(x.rank() == 2 && w.rank() == 2, "an input is not a matrix", "use MatMul");
  const bool tx = m.integer("transA", 0) != 0, tw = m.integer("transB", 0) != 0;
  const int rows = x.extent(tx ? 1 : 0), depth = x.extent(tx ? 0 : 1), units = w.extent(tw ? 0 : 1);
  m.require(depth == w.extent(tw ? 1 : 0), joined("the inputs ", text_of(x.shape), " and ", text_of(w.shape), " have different depths"),
            "export the model again");
  const float alpha = m.number("alpha", 1.0f), beta = m.number("beta", 1.0f);
  m.require(fp::is_finite(alpha) && fp::is_finite(beta), "alpha or beta is not finite", "export the model again");
  const shape_list out{rows, units};
  value* const b = m.has_input(2) ? &m.input(2) : nullptr;
  m.require_floats({&x, &w, b});
  if (b != nullptr) {
    bool fits = b->rank() <= 2;
    for (int a = 0; fits && a < b->rank(); ++a) {
      const int e = b->extent(a), wanted = out[static_cast<size_t>(a + 2 - b->rank())];
      fits = e == 1 || e == wanted;
    }
    m.require(fits, joined("C of shape ", text_of(b->shape), " does not broadcast to ", text_of(out)), "export the model again");
  }
  settle(m, x);
  settle(m, w);
  if (b != nullptr) settle(m, *b);
  const bool as_bias = b != nullptr && is_per_channel(*b, out, 1);
  const bool is_dense = is_matrix(w) && !x.is_constant();
  const dense_layer l{rows, depth, units, tw, alpha, beta};
  std::shared_ptr<deferred> d;
  const int index = m.index();
  if (is_dense && (b == nullptr || as_bias)) {
    d = later_dense(m, x, w, b, l, out, tx, index);
    d->with_bias = nullptr;
  } else {
    // alpha * product + beta * C, step by step, as floats.
    const matmul_form f{x.shape, w.shape, out, out};
    auto inner = is_dense ? later_dense(m, x, w, nullptr, l, out, tx, index) : later_matmul(m, x, w, f, tx, tw, index);
    d = std::make_shared<deferred>();
    d->kind = m.kind();
    if (b == nullptr && alpha == 1.0f) d->as_codes = inner->as_codes;
    const float factor = is_dense ? 1.0f : alpha;
    d->as_reals = [&m, b, beta, factor, inner, index, name = m.output_name(0)]() -> stored {
      edge e = inner->as_reals().plain;
      const visit here(m, index);
      if (factor != 1.0f) e = m.graph().mul(m.name("scaled"), e, real_constant(m, {factor}, {}, name + ".alpha"), {});
      if (b != nullptr) {
        edge c = plain_reals(m, *b);
        if (beta != 1.0f) c = m.graph().mul(m.name("scaled"), c, real_constant(m, {beta}, {}, name + ".beta"), {});
        e = m.graph().add(m.name("sum"), e, c, {});
      }
      m.check_graph();
      m.record(name, 0);
      return {e, {}};
    };
  }
  m.define(0, data_type::FLOAT, out).later = std::move(d);
}

inline void qlinear_matmul(importer& m) {
  m.expect(8, 8);
  value &x = m.input(0), &w = m.input(3);
  const matmul_form f = read_matmul(m, x, w);
  const target in = one_scale(m, 1, x.type);
  const int out_type = m.input(7).type;
  const target out = one_scale(m, 6, out_type);
  if (is_matrix(w) && x.known == nullptr) {
    const std::vector<float> scales = read_scales(m, 4);
    const dense_layer l{static_cast<int>(x.count() / static_cast<size_t>(w.extent(0))), w.extent(0), w.extent(1)};
    m.require(scales.size() == 1 || scales.size() == static_cast<size_t>(l.units),
              joined("there are ", scales.size(), " scales for ", l.units, " columns"), "give one for each column");
    const quantized_constant q{w.known, scales, read_zeros(m, 5, w.type, m.input(4).shape, scales.size()), 1, 0};
    m.require(is_code(w.type), "the weights are no codes", "export the model again");
    if (x.flattened != nullptr && !x.codes.is_there()) {
      const shape_list& image = x.flattened->shape;
      const edge e = with_params(m, image_codes(m, *x.flattened), in.params);
      const layer_weights v = weights_of(m, with_view(q, l.view_shape(image), static_cast<int>(image.size()) - 1), l.view_axes(image));
      m.define(0, out_type, f.result, dense_codes(m, e, l, v, {}, out, f.result));
      return;
    }
    const edge e = with_params(m, plain_codes(m, x), in.params);
    m.define(0, out_type, f.result, dense_codes(m, e, l, weights_of(m, q, l.axes()), {}, out, f.result));
    return;
  }
  const target other = one_scale(m, 4, w.type);
  const edge a = with_params(m, plain_of(m, code_form(m, x, in.params), x.shape, x.name), in.params);
  const edge b = with_params(m, plain_of(m, code_form(m, w, other.params), w.shape, w.name), other.params);
  m.define(0, out_type, f.result, matmul_codes(m, a, b, f, false, false, out));
}

}  // namespace lowbits::onnx
