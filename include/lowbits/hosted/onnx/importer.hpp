// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the operators of a .onnx file are turned into nodes with: the graph so far, the value of every
// tensor, and one operator at a time.

#include <map>
#include <utility>

#include <lowbits/hosted/imported_model.hpp>
#include <lowbits/hosted/onnx/value.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct onnx_options {
  /// Refuse a model with an operator that stays float.
  bool integer_only = false;
  /// The extents that the model only names ("batch"); those that are not here are 1.
  std::map<std::string, int> extents{};
};

}  // namespace lowbits

namespace lowbits::inline LOWBITS_ABI::onnx {

class importer {
public:
  using graph_type = stored_graph::graph_type;

  importer(const model_file& file, imported_model& model, const onnx_options& options)
      : file_(file), model_(model), options_(options) {}

  graph_type& graph() noexcept { return model_.graph(); }
  imported_model& model() noexcept { return model_; }
  const model_file& file() const noexcept { return file_; }
  int64_t opset() const noexcept { return file_.opset(); }

  // ---- the operator at work

  void begin(int index);
  const std::string& kind() const noexcept { return at_.kind; }
  /// "lowbits: import_onnx: <file>: node 'conv1' (Conv): <what>; <cure>"
  [[noreturn]] void fail(std::string_view what, std::string_view cure) const { file_.fail(what, cure, at_.place); }
  void require(bool holds, std::string_view what, std::string_view cure) const {
    if (!holds) fail(what, cure);
  }

  int input_count() const noexcept { return at_.node->input_size(); }
  int output_count() const noexcept { return at_.node->output_size(); }
  bool has_input(int k) const noexcept { return k < input_count() && !at_.node->input(k).empty(); }
  bool has_output(int k) const noexcept { return k < output_count() && !at_.node->output(k).empty(); }
  void expect(int fewest_inputs, int most_inputs, int most_outputs = 1) const {
    require(input_count() >= fewest_inputs && input_count() <= most_inputs,
            joined("there are ", input_count(), " inputs"),
            joined("give ", fewest_inputs, fewest_inputs == most_inputs ? "" : joined(" to ", most_inputs)));
    require(output_count() >= 1 && output_count() <= most_outputs, joined("there are ", output_count(), " outputs"),
            joined("use up to ", most_outputs));
    for (int k = 0; k < fewest_inputs; ++k) require(has_input(k), joined("input ", k, " is missing"), "give it");
  }
  /// Valid for as long as the importer: values stay where they are.
  value& input(int k);
  value& find(const std::string& name);
  void require_floats(std::initializer_list<const value*> values) const {
    for (const value* v : values)
      if (v != nullptr && !v->is_float())
        fail(joined("'", shown(v->name), "' has the type ", type_name(v->type)), "put DequantizeLinear before it");
  }
  const std::string& output_name(int k) const { return at_.node->output(k); }

  /// The attribute of that name, which has to be of that type; null where there is none.
  const schema::AttributeProto* attribute(std::string_view name, schema::AttributeProto_AttributeType type) const;
  int64_t integer(std::string_view name, int64_t otherwise) const {
    const auto* const a = attribute(name, schema::AttributeProto_AttributeType_INT);
    return a != nullptr ? a->i() : otherwise;
  }
  float number(std::string_view name, float otherwise) const {
    const auto* const a = attribute(name, schema::AttributeProto_AttributeType_FLOAT);
    return a != nullptr ? a->f() : otherwise;
  }
  std::string text(std::string_view name, std::string otherwise) const {
    const auto* const a = attribute(name, schema::AttributeProto_AttributeType_STRING);
    return a != nullptr ? a->s() : otherwise;
  }
  /// Small integers; none where there is no such attribute.
  std::vector<int> integers(std::string_view name) const {
    const auto* const a = attribute(name, schema::AttributeProto_AttributeType_INTS);
    std::vector<int> v;
    if (a == nullptr) return v;
    require(a->ints_size() <= 64, joined("the attribute ", name, " has ", a->ints_size(), " numbers"), "export it again");
    for (const int64_t i : a->ints()) v.push_back(saturate<int32_t>(i));
    return v;
  }
  /// The numbers of a constant input of integers.
  std::vector<int> integers(int k) {
    require(has_input(k), joined("input ", k, " is missing"), "give it");
    const value& v = find(at_.node->input(k));
    require(v.known != nullptr && !is_real(v.known->type), joined("input ", k, " '", shown(v.name), "' is not a constant of integers"),
            "export the model with fixed shapes");
    require(v.known->count() <= 64, joined("input ", k, " has ", v.known->count(), " numbers"), "export the model again");
    return v.known->integers;
  }
  /// Counted from the end where negative; `end` too is allowed where an axis is put in.
  int axis_of(int64_t axis, int rank, bool with_end = false) const {
    const int top = rank + (with_end ? 1 : 0);
    require(axis >= -rank && axis < top, joined("the axis ", axis, " is outside of the ", rank, " axes"), "export the model again");
    return static_cast<int>(axis < 0 ? axis + rank : axis);
  }

  int index() const noexcept { return at_.index; }

  // ---- results

  /// Output k, without a value yet.
  value& define(int k, int type, shape_list shape);
  /// Output k in the graph; its shape has to be that of the edges.
  value& define(int k, int type, const shape_list& shape, const stored& s) {
    check_graph();
    value& v = define(k, type, shape);
    (type == data_type::FLOAT && graph().desc(s.any()).kind == element::reals ? v.reals : v.codes) = s;
    record(v.name, k);
    // The node of a deferred operator computes this output, quantized.
    node_origin& o = model_.origins[static_cast<size_t>(s.any().node)];
    if (o.output < 0) o.tensor = v.name, o.output = k;
    return v;
  }
  /// c has been charged.
  void define_known(int k, constant c) {
    value& v = define(k, is_real(c.type) ? static_cast<int>(data_type::FLOAT) : c.type, c.shape);
    v.known = std::make_shared<const constant>(std::move(c));
  }
  /// A name for a node of this operator: that of output k, with what the node is for.
  node_name name(std::string_view purpose = {}, int k = 0) {
    std::string path = k < output_count() ? output_name(k) : std::string();
    if (!purpose.empty()) path = joined(path, ".", purpose);
    return names_.make(path, joined("node", at_.index));
  }
  node_name name_like(const std::string& path, std::string_view otherwise) { return names_.make(path, otherwise); }
  /// Throws the builder's error, if there is one, as one about this operator.
  void check_graph();
  void note(std::string sentence) { model_.notes.push_back(std::move(sentence)); }
  /// Says that an operator computes with floats, or refuses it.
  void stays_float(std::string_view why);
  void record(const std::string& tensor, int output);
  /// What is computed from constants counts, before it is made: a file where thousands of nodes share one
  /// constant cannot fill the memory.
  void charge(size_t bytes) {
    kept_bytes_ += bytes;
    require(kept_bytes_ <= (size_t{64} << 20) + 64 * file_.bytes(), "the constants grow far beyond the size of the file",
            "store those that differ only");
  }
  void charge_numbers(size_t count) { charge(count * 4); }  ///< of a constant: int32_t or float
  /// As stored_graph::keep.
  template <class T>
  const T* keep(std::vector<T> elements) {
    charge(elements.size() * sizeof(T));
    return model_.keep(std::move(elements));
  }

  // ---- the model as a whole

  void read_constants();
  void add_inputs();
  void add_outputs();
  /// The constant of that name, of the model or of a Constant node, before it has a value; or null.
  const schema::TensorProto* constant_named(const std::string& name) const {
    const auto at = protos_.find(name);
    return at == protos_.end() ? nullptr : at->second;
  }
  constant decoded(const schema::TensorProto& t) const {
    return decode(t, [&](std::string_view what, std::string_view cure) {
      file_.fail(joined("constant '", shown(t.name()), "' ", what), cure, at_.place);
    });
  }

private:
  affine parameters_ahead(const std::string& name, const qformat& f, int depth) const;
  shape_list shape_of(const schema::ValueInfoProto& info);

  const model_file& file_;
  imported_model& model_;
  const onnx_options& options_;
  node_names names_{};
  std::map<std::string, value> values_{};
  std::map<std::string, const schema::TensorProto*> protos_{};
  struct position {
    const schema::NodeProto* node = nullptr;
    int index = -1;
    std::string kind{}, place{};
  };
  friend class visit;
  position at_{};
  size_t kept_bytes_ = 0;
};

inline void importer::begin(int index) {
  at_.index = index;
  at_.node = &file_.graph().node(index);
  at_.kind = shown(at_.node->op_type());
  const std::string& called = !at_.node->name().empty() ? at_.node->name() : at_.node->output_size() > 0 ? at_.node->output(0) : at_.kind;
  at_.place = joined("node '", shown(called), "' (", at_.kind, ")");
  require(model_file::is_standard(at_.node->domain()), joined("the operator is of the domain '", shown(at_.node->domain()), "'"),
          "use standard operators only");
  require(at_.node->input_size() <= 1000 && at_.node->output_size() <= 1000, "it has more than 1000 inputs or outputs", "split it");
  for (const auto& a : at_.node->attribute()) {
    require(a.ref_attr_name().empty(), "an attribute belongs to a function", "inline the functions");
    require(!a.has_g(), "it contains a graph of its own", "export the model without control flow");
  }
}

inline value& importer::find(const std::string& name) {
  const auto at = values_.find(name);
  if (at != values_.end()) return at->second;
  const schema::TensorProto* const proto = constant_named(name);
  require(proto != nullptr, joined("'", shown(name), "' is neither a constant nor an input of the model nor made by a node before this one"),
          "order the nodes so that they can be run one after the other");
  constant c = decoded(*proto);
  value& v = values_[name];
  v.name = name;
  v.type = is_real(c.type) ? static_cast<int>(data_type::FLOAT) : c.type;
  v.shape = c.shape;
  v.known = std::make_shared<const constant>(std::move(c));
  return v;
}
inline value& importer::input(int k) {
  require(has_input(k), joined("input ", k, " is missing"), "give it");
  value& v = find(at_.node->input(k));
  require(v.count() != 0, joined("input ", k, " '", shown(v.name), "' has no elements"), "give it extents from 1 on");
  return v;
}

inline const schema::AttributeProto* importer::attribute(std::string_view name, schema::AttributeProto_AttributeType type) const {
  const schema::AttributeProto* found = nullptr;
  for (const auto& a : at_.node->attribute()) {
    if (a.name() != name) continue;
    require(found == nullptr, joined("the attribute ", name, " is there twice"), "export the model again");
    found = &a;
  }
  if (found != nullptr)
    // Files of IR version 1 do not name the type.
    require(found->type() == type || (found->type() == schema::AttributeProto_AttributeType_UNDEFINED && file_.ir_version() < 2),
            joined("the attribute ", name, " has the type ", schema::AttributeProto_AttributeType_Name(found->type())),
            joined("give it as ", schema::AttributeProto_AttributeType_Name(type)));
  return found;
}

inline value& importer::define(int k, int type, shape_list shape) {
  require(has_output(k), joined("output ", k, " has no name"), "export the model again");
  const std::string& called = output_name(k);
  require(values_.find(called) == values_.end() && constant_named(called) == nullptr,
          joined("'", shown(called), "' has a value already"), "give every tensor a name of its own");
  int64_t count = 1;
  for (const int e : shape) {
    count *= e;
    require(count <= highest_of<int32_t>, joined("'", shown(called), "' has more than 2^31 - 1 elements"), "split it");
  }
  value& v = values_[called];
  v.name = called;
  v.type = type;
  v.shape = std::move(shape);
  return v;
}

inline void importer::check_graph() {
  const graph_error e = graph().error();
  if (e.code == graph_errc::ok) return;
  const builder_sentence s(e);
  fail(s.what, s.cure);
}

inline void importer::stays_float(std::string_view why) {
  require(!options_.integer_only, joined("it would compute with floats: ", why), "quantize the model around it, or allow floats");
  note(joined(at_.place, " computes with floats: ", why));
}

inline void importer::record(const std::string& tensor, int output) {
  const auto nodes = static_cast<size_t>(graph().node_count());
  if (model_.origins.size() >= nodes) return;
  while (model_.origins.size() < nodes) model_.origins.push_back({at_.index, at_.index < 0 ? "" : at_.kind, tensor, -1});
  model_.origins.back().output = output;
}

/// While it lives, another node is the one at work: a deferred operator's nodes are named after it.
class visit {
public:
  visit(importer& m, int index) : m_(m), back_(m.at_) { m.begin(index); }
  visit(const visit&) = delete;
  ~visit() { m_.at_ = back_; }

private:
  importer& m_;
  importer::position back_;
};

}  // namespace lowbits::onnx
