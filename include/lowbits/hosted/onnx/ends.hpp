// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Constants, inputs and outputs of the model.

#include <lowbits/hosted/onnx/layout.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

inline void importer::read_constants() {
  for (const auto& t : file_.graph().initializer())
    if (!protos_.emplace(t.name(), &t).second)
      file_.fail(joined("the constant '", shown(t.name()), "' is there twice"), "export the model again");
  for (const auto& n : file_.graph().node()) {
    if (n.op_type() != "Constant" || n.output_size() != 1) continue;
    for (const auto& a : n.attribute())
      if (a.name() == "value" && a.has_t() && !protos_.emplace(n.output(0), &a.t()).second)
        file_.fail(joined("'", shown(n.output(0)), "' is made twice"), "export the model again");
  }
}

/// The scale and zero point of a tensor of codes, by what reads it; 1 and 0 where nothing says so.
inline affine importer::parameters_ahead(const std::string& name, const qformat& f, int depth) const {
  const auto pair = [&](const schema::NodeProto& n, int scale, int zero) {  // scale -1: there is none
    affine p{1.0f, 0};
    const auto constant_at = [&](int k) {
      return k >= 0 && n.input_size() > k && !n.input(k).empty() ? constant_named(n.input(k)) : nullptr;
    };
    const schema::TensorProto *const s = constant_at(scale), *const z = constant_at(zero);
    if (scale >= 0) {
      if (s == nullptr) return p;
      const constant sc = decoded(*s);
      if (sc.reals.size() != 1 || !fp::is_positive(sc.reals[0])) return p;
      p.scale = sc.reals[0];
    }
    if (z != nullptr) {
      const constant zc = decoded(*z);
      if (zc.integers.size() == 1 && zc.integers[0] >= f.lowest() && zc.integers[0] <= f.highest()) p.zero_point = zc.integers[0];
    }
    return p;
  };
  for (const auto& n : file_.graph().node()) {
    const auto reads = [&](int k) { return n.input_size() > k && n.input(k) == name; };
    const std::string& op = n.op_type();
    if (op == "DequantizeLinear" && reads(0)) return pair(n, 1, 2);
    if ((op == "QLinearConv" || op == "QLinearMatMul") && reads(0)) return pair(n, 1, 2);
    if ((op == "ConvInteger" || op == "MatMulInteger") && reads(0)) return pair(n, -1, 2);
    if (op == "MatMulInteger" && reads(1)) return pair(n, -1, 3);
    if (op == "QLinearMatMul" && reads(3)) return pair(n, 4, 5);
    const bool moves = op == "MaxPool" || op == "Reshape" || op == "Transpose" || op == "Flatten" || op == "Squeeze" ||
        op == "Unsqueeze" || op == "Slice" || op == "Identity";
    if (moves && reads(0) && n.output_size() == 1 && depth < 8) return parameters_ahead(n.output(0), f, depth + 1);
  }
  return {1.0f, 0};
}

inline shape_list importer::shape_of(const schema::ValueInfoProto& info) {
  const auto fail_here = [&](std::string_view what, std::string_view cure) {
    file_.fail(joined("input '", shown(info.name()), "' ", what), cure, at_.place);
  };
  const auto& type = info.type();
  if (!info.has_type() || !type.has_tensor_type()) fail_here("is not a tensor", "use tensors as inputs");
  if (!type.tensor_type().has_shape()) fail_here("has no shape", "export the model with fixed shapes");
  std::vector<int64_t> extents;
  for (const auto& d : type.tensor_type().shape().dim()) {
    if (d.has_dim_value()) {
      extents.push_back(d.dim_value());
      continue;
    }
    const auto at = options_.extents.find(d.dim_param());
    extents.push_back(at != options_.extents.end() ? at->second : 1);
    if (at == options_.extents.end())
      note(joined("input '", shown(info.name()), "': the extent '", shown(d.dim_param()), "' is taken as 1"));
    if (extents.size() > 64) break;
  }
  return checked_shape(extents, fail_here);
}

inline void importer::add_inputs() {
  for (const auto& info : file_.graph().input()) {
    if (constant_named(info.name()) != nullptr) continue;  // a default value, which stays
    at_.place = "model inputs";
    shape_list shape = shape_of(info);
    const int type = info.type().tensor_type().elem_type();
    require(values_.find(info.name()) == values_.end(), joined("'", shown(info.name()), "' is there twice"), "export the model again");
    require(type == data_type::FLOAT || is_code(type) || type == data_type::INT32,
            joined("'", shown(info.name()), "' has the type ", type_name(type)), "use float32, int32 or a type of 2 to 16 bits");
    value v{.name = info.name(), .type = type, .shape = shape};
    tensor_desc d{.shape = extents_of(shape)};
    if (type == data_type::FLOAT) {
      d.kind = element::reals;
    } else {
      d.format = format_of(type);
      d.params = parameters_ahead(info.name(), d.format, 0);
    }
    const edge e = graph().input(names_.make(info.name(), joined("input", model_.inputs.size())), d);
    check_graph();
    (v.is_float() ? v.reals : v.codes).plain = e;
    if (!v.is_float()) v.codes = within(*this, v.codes, v.shape, info.name());
    record(info.name(), 0);
    values_.emplace(info.name(), std::move(v));
    model_.inputs.push_back({info.name(), e.node, d});
  }
}

inline void importer::add_outputs() {
  for (const auto& info : file_.graph().output()) {
    at_.index = -1;
    at_.place = "model outputs";
    value& v = find(info.name());
    at_.kind = "output";
    edge e = v.is_float() ? plain_reals(*this, v) : plain_codes(*this, v);
    if (!v.is_float()) e = without(*this, e, v.type, v.name);
    graph().output(e);
    check_graph();
    record(v.name, 0);
    model_.outputs.push_back({v.name, e.node, graph().desc(e)});
  }
}

}  // namespace lowbits::onnx
