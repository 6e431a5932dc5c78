// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operators that move elements: Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Concat, Identity. What
// they read stays codes, or floats, or a constant.

#include <lowbits/hosted/onnx/codes.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

/// The form in which v is in the graph.
inline stored& current_form(importer& m, value& v) {
  if (!v.is_float()) return code_form(m, v);
  if (v.later == nullptr && v.dynamic == nullptr && (v.codes.is_there() || v.has_codes()) && !v.reals.is_there()) return code_form(m, v);
  return real_form(m, v);
}
inline void define_moved(importer& m, const value& x, const shape_list& shape, const stored& s) {
  m.check_graph();
  value& y = m.define(0, x.type, shape);
  (m.graph().desc(s.any()).kind == element::reals ? y.reals : y.codes) = s;
  m.record(y.name, 0);
}

/// Another shape for the same elements in the same order.
inline void reshape_to(importer& m, value& x, const shape_list& shape) {
  m.require(shape.size() <= max_rank, "the new shape has more than 6 axes", "merge some");
  int64_t count = 1;
  for (const int e : shape) {
    count *= e;
    m.require(count <= highest_of<int32_t>, "the new shape has more than 2^31 - 1 elements", "export the model again");
  }
  m.require(static_cast<size_t>(count) == x.count(), joined("the shape ", text_of(shape), " does not have the ", x.count(), " elements of the input"),
            "export the model again");
  if (x.is_constant()) m.charge_numbers(x.count());
  if (x.known != nullptr) {
    constant c = *x.known;
    c.shape = shape;
    return m.define_known(0, std::move(c));
  }
  if (x.quantized != nullptr && x.quantized->is_per_tensor()) {
    quantized_constant q = *x.quantized;
    constant c = *q.codes;
    c.shape = shape;
    q.codes = std::make_shared<const constant>(std::move(c));
    m.define(0, data_type::FLOAT, shape).quantized = std::make_shared<const quantized_constant>(std::move(q));
    return;
  }
  // A dense layer may read an image as it is, with its weights in that order.
  if (is_image_shape(x.shape) && shape.size() == 2 && shape[0] == x.shape[0] && x.flattened == nullptr && x.dynamic == nullptr &&
      x.later == nullptr && !is_same_order(x.shape)) {
    const stored& there = current_form(m, x);
    if (there.plain.node < 0) {
      m.define(0, x.type, shape).flattened = &x;
      return;
    }
  }
  stored& s = current_form(m, x);
  // [n][c][1][1] and the like need not be turned first.
  const bool in_order = is_image_shape(x.shape) && s.plain.node < 0 && is_same_order(x.shape);
  const edge from = in_order ? s.image : plain_of(m, s, x.shape, x.name);
  define_moved(m, x, shape, {m.graph().reshape(m.name(), from, list_of(shape)), {}});
}

inline void reshape(importer& m) {
  m.expect(1, 2);
  value& x = m.input(0);
  const std::vector<int> wanted = m.opset() < 5 ? m.integers("shape") : m.integers(1);
  const bool zero_is_extent = m.integer("allowzero", 0) != 0;
  shape_list shape = wanted;
  int64_t known = 1;
  int unknown = -1;
  for (size_t a = 0; a < shape.size(); ++a) {
    if (shape[a] == -1) {
      m.require(unknown < 0, "the new shape has -1 twice", "export the model again");
      unknown = static_cast<int>(a);
      continue;
    }
    if (shape[a] == 0 && !zero_is_extent) {
      m.require(a < x.shape.size(), joined("the new shape keeps axis ", a, ", which the input does not have"), "export the model again");
      shape[a] = x.shape[a];
    }
    m.require(shape[a] >= 1, joined("the new shape has an extent of ", shape[a]), "give extents from 1 on");
    known *= shape[a];
    m.require(known <= highest_of<int32_t>, "the new shape has more than 2^31 - 1 elements", "export the model again");
  }
  if (unknown >= 0) {
    m.require(x.count() % static_cast<size_t>(known) == 0, joined("the input's ", x.count(), " elements are no multiple of ", known), "export the model again");
    shape[static_cast<size_t>(unknown)] = static_cast<int>(x.count() / static_cast<size_t>(known));
  }
  reshape_to(m, x, shape);
}
inline void flatten(importer& m) {
  m.expect(1, 1);
  value& x = m.input(0);
  const int axis = m.axis_of(m.integer("axis", 1), x.rank(), true);
  int rows = 1, columns = 1;
  for (int a = 0; a < x.rank(); ++a) (a < axis ? rows : columns) *= x.extent(a);
  reshape_to(m, x, {rows, columns});
}
/// Axes of extent 1 go or come.
inline std::vector<int> named_axes(importer& m, int rank) {
  std::vector<int> axes = m.opset() < 13 ? m.integers("axes") : m.has_input(1) ? m.integers(1) : std::vector<int>{};
  for (int& a : axes) a = m.axis_of(a, rank);
  return axes;
}
inline void squeeze(importer& m) {
  m.expect(1, 2);
  value& x = m.input(0);
  const std::vector<int> axes = named_axes(m, x.rank());
  shape_list shape;
  for (int a = 0; a < x.rank(); ++a) {
    bool goes = axes.empty() && x.extent(a) == 1;
    for (const int n : axes) goes = goes || n == a;
    m.require(!goes || x.extent(a) == 1, joined("axis ", a, " has an extent of ", x.extent(a)), "remove axes of extent 1 only");
    if (!goes) shape.push_back(x.extent(a));
  }
  reshape_to(m, x, shape);
}
inline void unsqueeze(importer& m) {
  m.expect(1, 2);
  value& x = m.input(0);
  const size_t given = (m.opset() < 13 ? m.integers("axes") : m.integers(1)).size();
  const int rank = x.rank() + static_cast<int>(given);
  m.require(rank <= max_rank, "the output has more than 6 axes", "merge some");
  const std::vector<int> axes = named_axes(m, rank);
  shape_list shape;
  for (int a = 0, from = 0; a < rank; ++a) {
    int is_new = 0;
    for (const int n : axes) is_new += n == a ? 1 : 0;
    m.require(is_new <= 1, joined("axis ", a, " is there twice"), "name every axis once");
    m.require(is_new == 1 || from < x.rank(), "the axes do not fit", "export the model again");
    shape.push_back(is_new == 1 ? 1 : x.extent(from++));
  }
  reshape_to(m, x, shape);
}
inline void identity(importer& m) {
  m.expect(1, 3);  // Dropout, which does nothing here, has two inputs more
  const value x = m.input(0);
  m.require(!m.has_output(1), "its second output is used", "export the model for inference");
  const std::string called = m.output_name(0);
  if (x.later != nullptr) {
    value& source = m.input(0);
    const stored s = real_form(m, source);
    return define_moved(m, source, source.shape, s);
  }
  value& y = m.define(0, x.type, x.shape);
  y = x;
  y.name = called;
}

inline void transpose(importer& m) {
  m.expect(1, 1);
  value& x = m.input(0);
  std::vector<int> axes = m.integers("perm");
  const int rank = x.rank();
  if (axes.empty())
    for (int a = rank; a-- > 0;) axes.push_back(a);
  std::vector<bool> seen(static_cast<size_t>(rank), false);
  m.require(axes.size() == static_cast<size_t>(rank), joined("perm has ", axes.size(), " axes, the input ", rank), "export the model again");
  shape_list shape;
  for (const int a : axes) {
    m.require(a >= 0 && a < rank && !seen[static_cast<size_t>(a)], "perm is not a permutation of the axes", "name every axis once");
    seen[static_cast<size_t>(a)] = true;
    shape.push_back(x.extent(a));
  }
  if (x.is_constant()) m.charge_numbers(x.count());
  if (x.known != nullptr && rank >= 1) {
    constant c{.type = x.known->type, .shape = shape};
    if (is_real(c.type)) c.reals = permuted(x.known->reals, x.shape, axes);
    else c.integers = permuted(x.known->integers, x.shape, axes);
    return m.define_known(0, std::move(c));
  }
  if (x.quantized != nullptr && rank >= 1 && x.quantized->block == 0) {
    quantized_constant q = *x.quantized;
    q.codes = std::make_shared<const constant>(
        constant{.type = q.codes->type, .shape = shape, .integers = permuted(q.codes->integers, x.shape, axes)});
    for (size_t a = 0; a < axes.size(); ++a)
      if (axes[a] == x.quantized->axis) q.axis = static_cast<int>(a);
    m.define(0, data_type::FLOAT, shape).quantized = std::make_shared<const quantized_constant>(std::move(q));
    return;
  }
  stored& s = current_form(m, x);
  // From and to the order of images there may be nothing to do.
  if (rank == 4 && axes == std::vector<int>{0, 2, 3, 1} && s.image.node >= 0) return define_moved(m, x, shape, {s.image, {}});
  if (rank == 4 && axes == std::vector<int>{0, 3, 1, 2} && s.plain.node >= 0) return define_moved(m, x, shape, {{}, s.plain});
  const edge from = plain_of(m, s, x.shape, x.name);
  if (rank == 0) return define_moved(m, x, shape, {from, {}});
  define_moved(m, x, shape, {m.graph().transpose(m.name(), from, list_of(axes)), {}});
}

/// Up to 8 tensors in one node, more in groups.
inline edge concat_node(importer& m, std::vector<edge> parts, int axis) {
  return concat_in_groups(std::move(parts), [&](const edge_list& list, bool is_last) {
    const edge e = m.graph().concat(is_last ? m.name() : m.name("part"), list, axis);
    m.check_graph();
    return e;
  });
}
/// Side by side, in the form of images where all can be had so.
template <class Form, class Change>
stored joined_parts(importer& m, const std::vector<value*>& x, int axis, const Form& form, const Change& change) {
  bool all_images = true, any_image = false;
  for (value* v : x) {
    const stored& s = form(*v);
    all_images = all_images && is_image_shape(v->shape);
    any_image = any_image || s.plain.node < 0;
  }
  const bool as_image = all_images && any_image;
  std::vector<edge> parts;
  for (value* v : x) {
    stored& s = form(*v);
    parts.push_back(change(as_image ? image_of(m, s, v->shape, v->name) : plain_of(m, s, v->shape, v->name)));
    m.check_graph();
  }
  const edge e = concat_node(m, parts, as_image ? image_axis(axis, x[0]->rank()) : axis);
  m.check_graph();
  m.record(m.output_name(0), -1);
  return as_image ? stored{{}, e} : stored{e, {}};
}

inline void concat(importer& m) {
  m.expect(1, 256);
  std::vector<value*> x;
  for (int k = 0; k < m.input_count(); ++k) x.push_back(&m.input(k));
  const int axis = m.axis_of(m.integer("axis", 1), x[0]->rank());
  shape_list shape = x[0]->shape;
  int64_t total = 0;
  bool all_codes = true, all_known = true;
  for (const value* v : x) {
    m.require(v->type == x[0]->type, "the inputs have different types", "export the model again");
    bool fits = v->rank() == x[0]->rank();
    for (int a = 0; fits && a < v->rank(); ++a) fits = a == axis || v->extent(a) == x[0]->extent(a);
    m.require(fits, joined("the inputs ", text_of(x[0]->shape), " and ", text_of(v->shape), " do not fit together along axis ", axis),
              "export the model again");
    total += v->extent(axis);
    all_codes = all_codes && (!v->is_float() || (v->later == nullptr && v->has_codes()));
    all_known = all_known && v->known != nullptr;
  }
  m.require(total <= highest_of<int32_t>, "the output is too large", "split it");
  shape[static_cast<size_t>(axis)] = static_cast<int>(total);
  if (all_known && x[0]->rank() == 1 && !is_real(x[0]->known->type)) {
    m.charge_numbers(static_cast<size_t>(total));
    constant c{.type = x[0]->known->type, .shape = shape};
    for (const value* v : x) c.integers.insert(c.integers.end(), v->known->integers.begin(), v->known->integers.end());
    return m.define_known(0, std::move(c));
  }
  const auto codes = [&m](value& v) -> stored& { return code_form(m, v); };
  if (all_codes) {
    const tensor_desc first = m.graph().desc(code_form(m, *x[0]).any());
    bool alike = true;
    for (value* v : x) alike = alike && m.graph().desc(code_form(m, *v).any()).same_numbers(first);
    if (alike || !x[0]->is_float()) {
      const stored s = joined_parts(m, x, axis, codes, [&](edge e) { return relabelled(m, e, first.params); });
      value& y = m.define(0, x[0]->type, shape);
      y.codes = s;
      return m.record(y.name, 0);
    }
  }
  for (value* v : x) settle(m, *v);
  const int index = m.index();
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  if (all_codes)
    d->as_codes = [&m, x, axis, codes, index](const target& t) -> stored {
      const visit here(m, index);
      const target each{t.format, t.params};
      const stored s = joined_parts(m, x, axis, codes, [&](edge e) { return recoded(m, e, each, "recoded"); });
      if (t.fused == activation::none) return s;
      const edge e = m.graph().requantize(m.name("bound"), s.any(), {.out = t.params, .out_format = t.format, .fused = t.fused});
      return s.plain.node >= 0 ? stored{e, {}} : stored{{}, e};
    };
  d->as_reals = [&m, x, axis, index]() -> stored {
    const visit here(m, index);
    m.stays_float("what reads or makes its tensors is not quantized");
    return joined_parts(m, x, axis, [&m](value& v) -> stored& { return real_form(m, v); }, [](edge e) { return e; });
  };
  m.define(0, data_type::FLOAT, shape).later = std::move(d);
}

}  // namespace lowbits::onnx
