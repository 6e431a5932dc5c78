// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the operators of a .tflite file are turned into nodes with: the graph so far, the edge of
// every tensor that is computed, the arrays of constants, and one operator at a time.

#include <map>
#include <tuple>
#include <utility>

#include <lowbits/hosted/imported_model.hpp>
#include <lowbits/hosted/tflite/tensor.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

/// What is made of the data of a constant. From as_floats on, scales or shape matter too.
enum use : int { as_is, less_128, low_nibbles, as_floats, first_matrix };

class importer {
public:
  using graph_type = stored_graph::graph_type;

  importer(const model_file& file, imported_model& model) : file_(file), model_(model) {
    edges_.assign(file.graph().tensors()->size(), edge{});
  }

  const model_file& file() const noexcept { return file_; }
  imported_model& model() noexcept { return model_; }
  graph_type& graph() noexcept { return model_.graph(); }

  // ---- the operator at work

  void begin(int index, const schema::Operator& o);
  const schema::Operator& current() const noexcept { return *operator_; }
  const std::string& kind() const noexcept { return kind_; }
  int code() const noexcept { return code_; }

  /// "lowbits: import_tflite: <file>: operator 7 (CONV_2D): <what>; <cure>"
  [[noreturn]] void fail(std::string_view what, std::string_view cure) const {
    file_.fail(what, cure, place());
  }
  void require(bool holds, std::string_view what, std::string_view cure) const {
    if (!holds) fail(what, cure);
  }
  std::string place() const {
    return index_ < 0 ? std::string("model") : joined("operator ", index_, " (", kind_, ")");
  }

  int input_count() const noexcept { return count(operator_->inputs()); }
  int output_count() const noexcept { return count(operator_->outputs()); }
  bool has_input(int k) const noexcept {
    return k < input_count() && operator_->inputs()->Get(static_cast<uint32_t>(k)) != -1;
  }
  tensor input(int k) const {
    require(has_input(k), joined("input ", k, " is missing"), "export the model again");
    return read_tensor(file_, operator_->inputs()->Get(static_cast<uint32_t>(k)), place());
  }
  tensor output(int k = 0) const {
    require(k < output_count(), joined("output ", k, " is missing"), "export the model again");
    return read_tensor(file_, operator_->outputs()->Get(static_cast<uint32_t>(k)), place());
  }
  /// The operator's options; those of another operator, or none, are refused.
  template <class Options>
  const Options& options() const {
    const Options* const o = operator_->builtin_options_as<Options>();
    require(o != nullptr, "the options are missing", "export the model again");
    return *o;
  }
  /// The same, or null where the operator has none.
  template <class Options>
  const Options* options_or_null() const {
    return operator_->builtin_options_as<Options>();
  }

  /// Input k as an edge: computed before, or an input of the model.
  edge x(int k) {
    const tensor t = input(k);
    require_width(t);
    const edge e = edges_[static_cast<size_t>(t.index)];
    if (e.node >= 0) return e;
    require(!t.is_variable, joined("input ", k, " '", t.name, "' is a state that is kept between runs"),
            "export a model without state");
    require(t.is_constant(),
            joined("input ", k, " '", t.name,
                   "' is neither a constant nor computed by an operator before this one"),
            "order the operators so that they can be run one after the other");
    return constant(t);
  }
  /// A constant as a node; each tensor becomes one once.
  edge constant(const tensor& t);
  /// What kind of tensor an activation is. States the parameters of codes.
  tensor_desc desc_of(const tensor& t) const;

  /// A name for a node of this operator: that of output k, with what the node is for.
  node_name name(std::string_view purpose = {}, int k = 0) {
    std::string path = k < output_count() ? output(k).name : std::string();
    if (const size_t end = path.find(';'); end != path.npos) path.erase(end);
    if (!purpose.empty()) path = joined(path, ".", purpose);
    return names_.make(path, joined("op", index_));
  }
  /// e is output k. Checks what the file states about it.
  void define(edge e, int k = 0);
  /// The same for operators that copy codes whatever their parameters say.
  void define_copied(edge e, int k = 0) {
    check_graph();
    const tensor_desc stated = desc_of(output(k)), &made = graph().desc(e);
    if (made.kind == element::codes && stated.kind == made.kind && made.format == stated.format &&
        !(made.params == stated.params)) {
      note(joined(place(), ": the output has another scale or zero point than the input; codes are copied"));
      e = graph().relabel(name("relabel"), e, stated.params);
    }
    define(e, k);
  }
  /// Throws the builder's error, if there is one, as one about this operator.
  void check_graph();

  // ---- constants

  /// f(t) as an array that lives as long as the model; made once for tensors with the same data, where
  /// nothing else matters.
  template <class T, class Function>
  const T* keep(const tensor& t, int use, const Function& f) {
    const void*& at = kept_[{t.bytes.data(), t.bytes.size(), t.count, t.type, use, use < as_floats ? -1 : t.index}];
    if (at == nullptr) {
      charge(t.count * sizeof(T));
      at = model_.keep(f(t));
    }
    return static_cast<const T*>(at);
  }
  /// The floats of a constant tensor, or of one that a constant node computes; null for others.
  const float* constant_reals(const tensor& t) {
    if (t.is_constant()) return keep<float>(t, as_is, elements_of<float>);
    const int i = edges_[static_cast<size_t>(t.index)].node;
    if (i < 0 || graph()[i].kind != op_kind::constant || graph()[i].constant.length != t.count) return nullptr;
    return static_cast<const float*>(graph()[i].constant.data);
  }
  const float* keep_scales(const tensor& t) {
    const float*& at = kept_scales_[t.index];
    if (at == nullptr) {
      charge(t.scales.size() * sizeof(float));
      at = model_.keep(t.scales);
    }
    return at;
  }
  /// The elements of a small constant of type INT32 or INT64, as axes and shapes are.
  std::vector<int> integers(const tensor& t, size_t largest_count = 64) const;

  // ---- the model as a whole

  void add_inputs();
  void add_outputs();
  void note(std::string text) { model_.notes.push_back(std::move(text)); }

private:
  /// A file where thousands of tensors share one buffer cannot fill the memory.
  void charge(size_t bytes) {
    kept_bytes_ += bytes;
    require(kept_bytes_ <= (size_t{64} << 20) + 64 * file_.bytes(), "the constants grow far beyond the size of the file",
            "store those that differ only");
  }
  /// 32-bit activations are for QUANTIZE, and for operators that move elements.
  void require_width(const tensor& t) const;
  static int count(const flatbuffers::Vector<int32_t>* v) noexcept {
    return v == nullptr ? 0 : static_cast<int>(v->size());
  }
  void record(const std::string& tensor_name, int output);

  const model_file& file_;
  imported_model& model_;
  node_names names_{};
  std::vector<edge> edges_{};  ///< of each tensor; node -1: not computed
  std::map<std::tuple<const unsigned char*, size_t, size_t, TensorType, int, int>, const void*> kept_{};
  std::map<int, const float*> kept_scales_{};
  const schema::Operator* operator_ = nullptr;
  int index_ = -1, code_ = 0;
  size_t kept_bytes_ = 0;
  std::string kind_{};
};

inline void importer::begin(int index, const schema::Operator& o) {
  index_ = index;
  operator_ = &o;
  const auto* const codes = file_.model().operator_codes();
  if (codes == nullptr || o.opcode_index() >= codes->size())
    file_.fail(joined("operator code ", o.opcode_index(), " does not exist"), "export the model again",
               joined("operator ", index));
  const schema::OperatorCode& c = *codes->Get(o.opcode_index());
  // Old files know the first only; its numbers end at 127.
  code_ = larger<int>(c.deprecated_builtin_code(), static_cast<int>(c.builtin_code()));
  kind_ = operator_name(code_);
  if (c.custom_code() != nullptr && code_ == static_cast<int>(schema::BuiltinOperator::CUSTOM))
    kind_ += " " + c.custom_code()->str().substr(0, 60);
}

inline void importer::require_width(const tensor& t) const {
  using op = schema::BuiltinOperator;
  if (t.type != TensorType::INT32 || index_ < 0) return;
  for (const op o : {op::QUANTIZE, op::RESHAPE, op::SQUEEZE, op::EXPAND_DIMS, op::TRANSPOSE, op::SLICE, op::STRIDED_SLICE, op::SPLIT,
                     op::PAD, op::PADV2, op::CONCATENATION})
    if (code_ == static_cast<int>(o)) return;
  fail(joined("tensor '", t.name, "' has the type INT32, which activations cannot have here"), "quantize it to int16 first");
}

inline tensor_desc importer::desc_of(const tensor& t) const {
  tensor_desc d{.shape = shape_of(t.shape)};
  const std::string subject = joined("tensor '", t.name, "'");
  if (t.is_float()) {
    d.kind = element::reals;
    return d;
  }
  if (t.type == TensorType::INT8) d.format = {8, true};
  else if (t.type == TensorType::UINT8) d.format = {8, false};
  else if (t.type == TensorType::INT16) d.format = {16, true};
  else if (t.type == TensorType::INT32) require_width(t), d.format = {32, true};
  else
    fail(joined(subject, " has the type ", t.type_name(), ", which activations cannot have here"),
         "use int8, uint8, int16, int32 behind QUANTIZE, or float32");
  require(t.is_quantized(), joined(subject, " has no scale"), "quantize the model");
  require(t.scales.size() == 1, joined(subject, " has a scale per channel"),
          "give activations one scale");
  const int64_t zero = t.zero_points.empty() ? 0 : t.zero_points[0];
  require(zero >= d.format.lowest() && zero <= d.format.highest(),
          joined(subject, " has a zero point outside of its type"), "quantize the model again");
  require(d.format.bits == 8 || zero == 0 || (zero == -32768 && code_ == static_cast<int>(schema::BuiltinOperator::SOFTMAX)),
          joined(subject, " has ", int{d.format.bits}, " bits and a zero point"),
          "quantize it symmetrically");
  d.params = {t.scales[0], static_cast<int>(zero)};
  return d;
}

inline edge importer::constant(const tensor& t) {
  const tensor_desc d = desc_of(t);
  constant_data data(number_type_of(d), nullptr, t.count);
  switch (data.type) {
    case number_type::q8: data.data = keep<int8_t>(t, as_is, elements_of<int8_t>); break;
    case number_type::u8: data.data = keep<uint8_t>(t, as_is, elements_of<uint8_t>); break;
    case number_type::q16: data.data = keep<int16_t>(t, as_is, elements_of<int16_t>); break;
    case number_type::q32: data.data = keep<int32_t>(t, as_is, elements_of<int32_t>); break;
    default: data.data = keep<float>(t, as_is, elements_of<float>); break;
  }
  const edge e = graph().constant(names_.make(t.name, joined("constant", t.index)), d, data);
  check_graph();
  record(t.name, -1);
  edges_[static_cast<size_t>(t.index)] = e;
  return e;
}

inline void importer::check_graph() {
  const graph_error e = graph().error();
  if (e.code == graph_errc::ok) return;
  const builder_sentence s(e);
  fail(s.what, s.cure);
}

inline void importer::record(const std::string& tensor_name, int output) {
  while (model_.origins.size() < static_cast<size_t>(graph().node_count()))
    model_.origins.push_back({index_, index_ < 0 ? "" : kind_, tensor_name, -1});
  if (!model_.origins.empty()) model_.origins.back().output = output;
}

inline void importer::define(edge e, int k) {
  check_graph();
  const tensor t = output(k);
  const tensor_desc stated = desc_of(t), &made = graph().desc(e);
  const std::string subject = joined("output '", t.name, "'");
  require(made.kind == stated.kind && (made.kind == element::reals || made.format == stated.format),
          joined(subject, " has the type ", t.type_name(), ", which does not follow from the inputs"),
          "export the model again");
  if (!(made.shape == stated.shape)) {
    std::string shape = "[";
    for (int a = 0; a < made.shape.rank; ++a) shape += joined(a ? ", " : "", made.shape.extent[a]);
    fail(joined(subject, " has another shape than the operator gives, which is ", shape, "]"),
         "export the model again with fixed shapes");
  }
  require(made.same_numbers(stated),
          joined(subject, " is quantized differently than the operator computes it"),
          "quantize the model again; this operator does not change scale or zero point");
  edge& at = edges_[static_cast<size_t>(t.index)];
  require(at.node < 0 && !t.is_constant(), joined(subject, " has a value already"),
          "export the model again");
  at = e;
  record(t.name, k);
}

inline std::vector<int> importer::integers(const tensor& t, size_t largest_count) const {
  const std::string subject = joined("tensor '", t.name, "'");
  require(t.is_constant(), joined(subject, " is not a constant"), "export a model with fixed shapes");
  require(t.count <= largest_count, joined(subject, " has ", t.count, " elements"),
          "export the model again");
  std::vector<int> out;
  if (t.type == TensorType::INT32) out = elements_of<int>(t);
  else if (t.type == TensorType::INT64)
    for (const int64_t v : elements_of<int64_t>(t))
      out.push_back(saturate<int32_t>(v));
  else fail(joined(subject, " has the type ", t.type_name()), "use INT32 or INT64");
  return out;
}

inline void importer::add_inputs() {
  for (const int i : *file_.graph().inputs()) {
    const tensor t = read_tensor(file_, i, "model inputs");
    if ((t.type == TensorType::INT32 && !t.is_quantized()) || t.type == TensorType::INT64) {
      note(joined("input '", t.name, "' of type ", t.type_name(),
                  " is left out: it can only be a shape, and shapes are fixed"));
      continue;
    }
    edge& at = edges_[static_cast<size_t>(i)];
    if (at.node >= 0 || t.is_constant())
      file_.fail(joined("tensor '", t.name, "' is an input twice, or a constant"),
                 "export the model again", "model inputs");
    at = graph().input(names_.make(t.name, joined("input", model_.inputs.size())), desc_of(t));
    check_graph();
    record(t.name, 0);
    model_.inputs.push_back({t.name, at.node, graph().desc(at)});
  }
}

inline void importer::add_outputs() {
  index_ = -1;
  for (const int i : *file_.graph().outputs()) {
    const tensor t = read_tensor(file_, i, "model outputs");
    const edge e = edges_[static_cast<size_t>(i)];
    if (e.node < 0)
      file_.fail(joined("tensor '", t.name, "' is not computed by any operator"),
                 "export the model again", "model outputs");
    graph().output(e);
    check_graph();
    model_.outputs.push_back({t.name, e.node, graph().desc(e)});
  }
  require(!model_.outputs.empty(), "the model has no output", "export it again");
}

}  // namespace lowbits::tflite
