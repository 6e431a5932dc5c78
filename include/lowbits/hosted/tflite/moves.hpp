// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operators that move elements: RESHAPE, SQUEEZE, EXPAND_DIMS, TRANSPOSE, SLICE, SPLIT, PAD, PADV2,
// CONCATENATION, RESIZE_*. STRIDED_SLICE is in strided_slice.hpp.

#include <lowbits/hosted/tflite/activations.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

inline axis_list list_of(const tensor_shape& s) noexcept {
  axis_list l;
  for (int a = 0; a < s.rank; ++a) l.value[l.count++] = s.extent[a];
  return l;
}
inline axis_list list_of(const importer& m, const std::vector<int>& v) {
  m.require(v.size() <= max_rank, "a list has more than 6 axes", "use tensors of up to 6 axes");
  axis_list l;
  for (const int i : v) l.value[l.count++] = i;
  return l;
}
/// Counted from the end where negative.
inline int axis_of(const importer& m, int axis, int rank) {
  m.require(axis >= -rank && axis < rank, joined("the axis ", axis, " is outside of the ", rank, " axes"),
            "export the model again");
  return axis < 0 ? axis + rank : axis;
}

/// The output's shape as the file states it; what the operator says about it has to agree.
inline void reshape(importer& m) {
  const tensor y = m.output();
  std::vector<int> wanted = y.shape;
  if (m.has_input(1)) {
    if (const tensor t = m.input(1); t.is_constant()) wanted = m.integers(t);
  } else if (const auto* const f = m.options_or_null<schema::ReshapeOptions>()) {
    if (f->new_shape() != nullptr && f->new_shape()->size() <= max_rank)
      wanted.assign(f->new_shape()->begin(), f->new_shape()->end());
  }
  // An old converter writes a scalar as one extent of 0.
  if (wanted.size() == 1 && wanted[0] == 0) wanted.clear();
  bool agrees = wanted.size() == y.shape.size();
  for (size_t a = 0; agrees && a < wanted.size(); ++a)
    agrees = wanted[a] == -1 || wanted[a] == y.shape[a];
  m.require(agrees, "the new shape is another one than the output's",
            "export the model again with fixed shapes");
  const edge x = m.x(0);
  m.define_copied(m.graph().reshape(m.name(), x, list_of(shape_of(y.shape))));
}
/// SQUEEZE, EXPAND_DIMS: axes of extent 1 go or come.
inline void reshape_ones(importer& m) {
  const tensor x = m.input(0), y = m.output();
  const auto others = [](const std::vector<int>& shape) {
    std::vector<int> v;
    for (const int e : shape)
      if (e != 1) v.push_back(e);
    return v;
  };
  m.require(others(x.shape) == others(y.shape), "an extent other than 1 is dropped or added",
            "export the model again");
  const edge in = m.x(0);
  m.define_copied(m.graph().reshape(m.name(), in, list_of(shape_of(y.shape))));
}

inline void transpose(importer& m) {
  axis_list axes = list_of(m, m.integers(m.input(1)));
  for (int a = 0; a < axes.count; ++a) axes.value[a] = axis_of(m, axes.value[a], axes.count);
  const edge x = m.x(0);
  m.define_copied(m.graph().transpose(m.name(), x, axes));
}

inline void slice(importer& m) {
  const std::vector<int> begin = m.integers(m.input(1)), size = m.integers(m.input(2));
  const edge x = m.x(0);
  const tensor_shape s = m.graph().desc(x).shape;
  m.require(begin.size() == static_cast<size_t>(s.rank) && size.size() == begin.size(),
            "begin and size have another length than the input has axes", "export the model again");
  slice_options o{.begin = list_of(m, begin), .extent = list_of(m, size)};
  for (int a = 0; a < s.rank; ++a)
    if (o.extent.value[a] == -1)
      o.extent.value[a] = saturate<int32_t>(int64_t{s.extent[a]} - o.begin.value[a]);
  m.define_copied(m.graph().slice(m.name(), x, o));
}

/// Input 0 is the axis, input 1 the tensor.
inline void split(importer& m) {
  const std::vector<int> axes = m.integers(m.input(0), 1);
  const edge x = m.x(1);
  const tensor_shape s = m.graph().desc(x).shape;
  m.require(axes.size() == 1, "the axis is not one number", "export the model again");
  const int axis = axis_of(m, axes[0], s.rank), parts = m.output_count();
  m.require(parts >= 1 && s.extent[axis] % parts == 0,
            joined("the axis of extent ", s.extent[axis], " does not divide into ", parts, " equal parts"),
            "export the model again");
  slice_options o{.extent = list_of(s)};
  o.begin.count = s.rank;
  o.extent.value[axis] = s.extent[axis] / parts;
  for (int k = 0; k < parts; ++k) {
    o.begin.value[axis] = k * o.extent.value[axis];
    m.define_copied(m.graph().slice(m.name({}, k), x, o), k);
  }
}

inline void pad(importer& m, bool has_value) {
  const tensor t = m.input(1);
  const std::vector<int> paddings = m.integers(t);
  const edge x = m.x(0);
  const tensor_desc d = m.graph().desc(x);
  m.require(paddings.size() == 2 * static_cast<size_t>(d.shape.rank),
            "the paddings are not two numbers for each axis", "export the model again");
  pad_options o;
  if (has_value && m.has_input(2)) {
    const tensor v = m.input(2);
    const tensor_desc vd = m.desc_of(v);
    m.require(v.is_constant() && v.count == 1, "the value to pad with is not one constant",
              "export the model again");
    m.require(vd.same_numbers(d), "the value to pad with is quantized differently than the input",
              "export the model again");
    if (d.kind == element::reals) o.value = elements_of<float>(v)[0];
    else if (d.is_wide()) o.value = elements_of<int32_t>(v)[0];
    else if (d.format.bits > 8) o.value = elements_of<int16_t>(v)[0];
    else if (d.format.is_signed) o.value = elements_of<int8_t>(v)[0];
    else o.value = elements_of<uint8_t>(v)[0];
  }
  for (size_t a = 0; a < paddings.size(); a += 2) {
    o.before.value[o.before.count++] = paddings[a];
    o.after.value[o.after.count++] = paddings[a + 1];
  }
  m.define_copied(m.graph().pad(m.name(), x, o));
}

/// An input of a concatenation with the output's parameters: uint8 is rescaled (in float, see
/// kernels/internal/reference/concatenation.h), other codes are taken as they are.
inline edge with_parameters(importer& m, edge x, const tensor_desc& out) {
  const tensor_desc in = m.graph().desc(x);
  if (in.kind != element::codes || out.kind != element::codes || in.format != out.format || in.params == out.params)
    return x;
  if (in.format.is_signed) {
    m.require(in.format.bits > 8, "an input has another scale or zero point than the output", "quantize them alike");
    return m.graph().relabel(m.name("relabel"), x, out.params);
  }
  const float scale = fp::product(in.params.scale, fp::quotient(1.0f, out.params.scale));
  const float bias = fp::product(static_cast<float>(-in.params.zero_point), scale);
  return table_node(m, m.name("rescale"), x, out, [&](int q) {
    return int64_t{fp::to_nearest<fp::tie::away_from_zero>(fp::sum(fp::product(static_cast<float>(q), scale), bias))} +
        out.params.zero_point;
  });
}

/// More inputs than a node can have are joined in groups first.
inline void concatenation(importer& m) {
  const auto& f = m.options<schema::ConcatenationOptions>();
  m.require(f.fused_activation_function() == schema::ActivationFunctionType::NONE,
            "a concatenation has a fused activation", "export it as an operator of its own");
  m.require(m.input_count() >= 1, "there is no input", "export the model again");
  std::vector<edge> parts;
  const tensor_desc out = m.desc_of(m.output());
  for (int k = 0; k < m.input_count(); ++k) parts.push_back(with_parameters(m, m.x(k), out));
  const int axis = axis_of(m, f.axis(), m.graph().desc(parts[0]).shape.rank);
  m.define_copied(concat_in_groups(parts, [&](const edge_list& list, bool is_last) {
    const edge e = m.graph().concat(is_last ? m.name() : m.name("part"), list, axis);
    m.check_graph();
    return e;
  }));
}

template <class Options>
void resize(importer& m, resize_mode mode) {
  const Options* const f = m.options_or_null<Options>();
  const std::vector<int> size = m.integers(m.input(1), 2);
  m.require(size.size() == 2, "the size is not two numbers", "export the model again");
  resize_options o{.out_h = size[0], .out_w = size[1], .mode = mode};
  if (mode == resize_mode::bilinear && m.input(0).type == TensorType::UINT8) o.mode = resize_mode::bilinear_float;
  if (f != nullptr) {
    o.align_corners = f->align_corners();
    o.half_pixel_centers = f->half_pixel_centers();
  }
  const edge x = m.x(0);
  m.define_copied(m.graph().resize(m.name(), x, o));
}

}  // namespace lowbits::tflite
