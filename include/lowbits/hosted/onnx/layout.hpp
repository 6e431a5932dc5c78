// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The forms of a tensor: axes as in the file or as images of the graph, floats or codes, constants as
// nodes. What is asked for and not there yet is made, once.
//
// Codes of UINT16 are INT16 in the graph, less 32768, since its layers know signed 16-bit activations
// only; inputs and outputs of the model keep their type.

#include <lowbits/hosted/onnx/importer.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

/// A number without axes has one of extent 1 in the graph.
inline tensor_shape extents_of(const shape_list& shape) noexcept {
  if (shape.empty()) return {1, {1}};
  tensor_shape s;
  for (const int e : shape) s.extent[s.rank++] = e;
  return s;
}
inline axis_list list_of(const shape_list& shape) noexcept {
  axis_list l;
  for (const int e : shape) l.value[l.count++] = e;
  if (shape.empty()) l.value[l.count++] = 1;
  return l;
}

/// Elements of shape `shape` in the order of axes `axes`.
template <class T>
std::vector<T> permuted(const std::vector<T>& x, const shape_list& shape, const std::vector<int>& axes) {
  std::vector<size_t> step(shape.size(), 1);
  for (size_t a = shape.size() - 1; a-- > 0;) step[a] = step[a + 1] * static_cast<size_t>(shape[a + 1]);
  std::vector<size_t> at(axes.size(), 0);
  std::vector<T> y;
  y.reserve(x.size());
  size_t from = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    y.push_back(x[from]);
    for (size_t a = axes.size(); a-- > 0;) {
      const auto axis = static_cast<size_t>(axes[a]);
      from += step[axis];
      if (++at[a] < static_cast<size_t>(shape[axis])) break;
      from -= at[a] * step[axis];
      at[a] = 0;
    }
  }
  return y;
}

/// True where the tensor can be an image: [n][c][h][w] or [n][c][l].
inline bool is_image_shape(const shape_list& s) noexcept { return s.size() == 4 || s.size() == 3; }
inline shape_list image_shape(const shape_list& s) {
  return s.size() == 4 ? shape_list{s[0], s[2], s[3], s[1]} : shape_list{s[0], 1, s[2], s[1]};
}
/// Where an axis of the file's tensor is in the image.
inline int image_axis(int axis, int rank) noexcept {
  if (rank == 4) return axis == 0 ? 0 : axis == 1 ? 3 : axis - 1;
  return axis == 0 ? 0 : axis == 1 ? 3 : 2;
}
/// True where both forms have the elements in the same order.
inline bool is_same_order(const shape_list& s) noexcept {
  return s[1] == 1 || (s[2] == 1 && (s.size() == 3 || s[3] == 1));
}

inline edge to_image(importer& m, edge plain, const shape_list& s, const std::string& name) {
  auto& g = m.graph();
  const shape_list image = image_shape(s);
  if (is_same_order(s)) return g.reshape(m.name_like(name + ".nhwc", "nhwc"), plain, list_of(image));
  if (s.size() == 4) return g.transpose(m.name_like(name + ".nhwc", "nhwc"), plain, {0, 2, 3, 1});
  return g.reshape(m.name_like(name + ".image", "image"), g.transpose(m.name_like(name + ".nhwc", "nhwc"), plain, {0, 2, 1}),
                   list_of(image));
}
inline edge to_plain(importer& m, edge image, const shape_list& s, const std::string& name) {
  auto& g = m.graph();
  if (is_same_order(s)) return g.reshape(m.name_like(name + ".nchw", "nchw"), image, list_of(s));
  if (s.size() == 4) return g.transpose(m.name_like(name + ".nchw", "nchw"), image, {0, 3, 1, 2});
  const edge rows = g.reshape(m.name_like(name + ".rows", "rows"), image, {s[0], s[2], s[1]});
  return g.transpose(m.name_like(name + ".nchw", "nchw"), rows, {0, 2, 1});
}

inline edge plain_of(importer& m, stored& s, const shape_list& shape, const std::string& name) {
  if (s.plain.node < 0) s.plain = to_plain(m, s.image, shape, name);
  m.check_graph();
  return s.plain;
}
inline edge image_of(importer& m, stored& s, const shape_list& shape, const std::string& name) {
  if (s.image.node < 0) s.image = to_image(m, s.plain, shape, name);
  m.check_graph();
  return s.image;
}

// ---- formats of codes

inline qformat inner_format(int type) noexcept {
  return type == data_type::UINT16 ? qformat{16, true} : format_of(type);
}
inline int inner_offset(int type) noexcept { return type == data_type::UINT16 ? -32768 : 0; }

/// From an input of the model, and to an output.
inline stored within(importer& m, const stored& s, const shape_list&, const std::string& name) {
  const tensor_desc& d = m.graph().desc(s.plain);
  if (d.format.bits <= 8 || d.format.is_signed) return s;
  return {m.graph().requantize(m.name_like(name + ".signed", "signed"), s.plain,
                               {.out = {d.params.scale, d.params.zero_point - 32768}, .out_format = {16, true}}), {}};
}
inline edge without(importer& m, edge e, int type, const std::string& name) {
  if (type != data_type::UINT16) return e;
  const affine p = m.graph().desc(e).params;
  return m.graph().requantize(m.name_like(name + ".unsigned", "unsigned"), e,
                              {.out = {p.scale, p.zero_point + 32768}, .out_format = {16, false}});
}

// ---- constants as nodes

inline edge real_constant(importer& m, std::vector<float> values, const shape_list& shape, const std::string& name) {
  const size_t n = values.size();
  return m.graph().constant(m.name_like(name, "constant"), {.shape = extents_of(shape), .kind = element::reals, .format = {}, .params = {}},
                            {number_type::real, m.keep(std::move(values)), n});
}
inline edge code_constant(importer& m, const std::vector<int32_t>& codes, int type, const affine& p, const shape_list& shape,
                          const std::string& name) {
  const tensor_desc d{.shape = extents_of(shape), .format = inner_format(type),
                      .params = {p.scale, p.zero_point + inner_offset(type)}};
  const int offset = inner_offset(type);
  const void* at = nullptr;
  if (d.is_wide()) {
    at = m.keep(codes);
  } else if (d.format.bits > 8) {
    std::vector<int16_t> v;
    for (const int32_t q : codes) v.push_back(static_cast<int16_t>(q + offset));
    at = m.keep(std::move(v));
  } else {
    std::vector<uint8_t> v;
    for (const int32_t q : codes) v.push_back(static_cast<uint8_t>(q));
    at = m.keep(std::move(v));
  }
  return m.graph().constant(m.name_like(name, "constant"), d, {number_type_of(d), at, codes.size()});
}

// ---- values

void make_dynamic(importer& m, value& v);  // dynamic.hpp
edge plain_reals(importer& m, value& v);
edge plain_codes(importer& m, value& v);

/// Floats that do not leave [lowest, highest].
inline stored bounded(importer& m, const stored& s, float lowest, float highest, const std::string& name) {
  auto& g = m.graph();
  edge e = s.any();
  if (lowest == 0.0f && !fp::is_finite(highest)) {
    e = g.relu(m.name_like(name, "relu"), e);
  } else {
    const auto limit = [&](float bound) { return real_constant(m, {bound}, {}, name + ".bound"); };
    if (fp::is_finite(lowest)) e = g.maximum(m.name_like(name, "clip"), e, limit(lowest), {});
    if (fp::is_finite(highest)) e = g.minimum(m.name_like(name, "clip"), e, limit(highest), {});
  }
  m.check_graph();
  return s.plain.node >= 0 ? stored{e, {}} : stored{{}, e};
}

/// Sees to it that v is in the graph as floats.
inline stored& real_form(importer& m, value& v) {
  m.require(v.is_float(), joined("'", shown(v.name), "' has the type ", type_name(v.type), ", and floats are needed"),
            "put DequantizeLinear before it");
  if (v.reals.is_there()) return v.reals;
  if (v.flattened != nullptr) {
    v.reals.plain = m.graph().reshape(m.name_like(v.name, "flat"), plain_reals(m, *v.flattened), list_of(v.shape));
    m.check_graph();
    return v.reals;
  }
  if (v.dynamic != nullptr) {
    make_dynamic(m, v);
  } else if (v.later != nullptr) {
    const auto later = v.later;
    v.reals = later->as_reals();
    if (fp::is_finite(later->lowest) || fp::is_finite(later->highest))
      v.reals = bounded(m, v.reals, later->lowest, later->highest, v.name);
    v.later = nullptr;
  } else if (v.codes.is_there()) {
    const bool is_plain = v.codes.plain.node >= 0;
    const edge e = m.graph().dequantize(m.name_like(v.name, "real"), v.codes.any());
    (is_plain ? v.reals.plain : v.reals.image) = e;
  } else {
    m.require(v.is_constant(), joined("'", shown(v.name), "' has no value"), "export the model again");
    m.require(v.count() != 0, joined("'", shown(v.name), "' has no elements"), "give it extents from 1 on");
    v.reals.plain = real_constant(m, reals_of(v), v.shape, v.name);
  }
  m.check_graph();
  return v.reals;
}
/// The codes of a float tensor that has them (value::has_codes), or of a tensor of codes.
inline stored& code_form(importer& m, value& v, const affine& otherwise = {1.0f, 0}) {
  if (v.codes.is_there()) return v.codes;
  if (v.flattened != nullptr) {
    v.codes.plain = m.graph().reshape(m.name_like(v.name, "flat"), plain_codes(m, *v.flattened), list_of(v.shape));
    m.check_graph();
    return v.codes;
  }
  if (v.dynamic != nullptr) {
    make_dynamic(m, v);
    return v.codes;
  }
  m.require(v.is_constant() && v.count() != 0, joined("'", shown(v.name), "' has no value"), "export the model again");
  if (v.quantized != nullptr) {
    const quantized_constant& q = *v.quantized;
    v.codes.plain = code_constant(m, q.codes->integers, q.codes->type, {q.scales[0], q.zeros[0]}, v.shape, v.name);
  } else {
    m.require(is_code(v.known->type) || v.known->type == data_type::INT32, joined("'", shown(v.name), "' has the type ", type_name(v.known->type)), "use int32 or a type of 2 to 16 bits");
    v.codes.plain = code_constant(m, v.known->integers, v.known->type, otherwise, v.shape, v.name);
  }
  m.check_graph();
  return v.codes;
}
/// An operator that cannot be made one with those before it: what it reads is made now, so that chains of
/// deferred operators stay short.
inline void settle(importer& m, value& v) {
  if (v.later != nullptr) real_form(m, v);
}
inline edge plain_reals(importer& m, value& v) {
  // Codes are smaller: they are turned before they become floats.
  if (!v.reals.is_there() && v.later == nullptr && v.codes.is_there()) plain_of(m, v.codes, v.shape, v.name);
  return plain_of(m, real_form(m, v), v.shape, v.name);
}
inline edge image_reals(importer& m, value& v) { return image_of(m, real_form(m, v), v.shape, v.name); }
inline edge plain_codes(importer& m, value& v) { return plain_of(m, code_form(m, v), v.shape, v.name); }
inline edge image_codes(importer& m, value& v) { return image_of(m, code_form(m, v), v.shape, v.name); }

}  // namespace lowbits::onnx
