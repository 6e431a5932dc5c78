// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the layers of an ncnn model are turned into nodes with: the graph so far, the value of every
// blob, and one layer at a time.
//
// ncnn's images are [channels][rows][columns], those of the graph [rows][columns][channels]. A blob of
// three axes is held in one of the orders or in both; it is transposed when a layer first asks for the
// other one. Inputs and outputs of the model have ncnn's order.

#include <optional>
#include <utility>

#include <lowbits/hosted/imported_model.hpp>
#include <lowbits/hosted/ncnn/read_param.hpp>
#include <lowbits/hosted/ncnn/weight_file.hpp>
#include <lowbits/op/imported_ops.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct ncnn_options {
  /// Extents of inputs whose layer does not state them: {channels, rows, columns}, {rows, columns} or
  /// {columns}.
  std::map<std::string, std::vector<int>> input_shapes{};
  /// Refuse models with layers that compute in floats.
  bool integer_only = false;
};

}  // namespace lowbits

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// A blob: extents in ncnn's order, and the edges that hold its elements.
struct value {
  tensor_shape shape{};  ///< {columns}, {rows, columns} or {channels, rows, columns}
  edge planar{};         ///< in the order of shape
  edge image{};          ///< {rows, columns, channels}, where shape has three axes

  bool is_image() const noexcept { return shape.rank == 3; }
};

constexpr tensor_shape image_shape(const tensor_shape& s) noexcept {
  return {3, {s.extent[1], s.extent[2], s.extent[0]}};
}
inline axis_list list_of(const tensor_shape& s) noexcept {
  axis_list l;
  for (int a = 0; a < s.rank; ++a) l.value[l.count++] = s.extent[a];
  return l;
}
inline std::string text_of(const tensor_shape& s) {
  std::string text = "[";
  for (int a = 0; a < s.rank; ++a) text += joined(a != 0 ? ", " : "", s.extent[a]);
  return text + "]";
}

class importer {
public:
  using graph_type = stored_graph::graph_type;

  importer(const reporter& report, const network& net, weight_file& weights, const ncnn_options& options,
           imported_model& model)
      : report_(report), net_(net), weights_(weights), options_(options), model_(model), values_(net.blobs.size()) {}

  graph_type& graph() noexcept { return model_.graph(); }
  const ncnn_options& options() const noexcept { return options_; }
  const tensor_desc& desc(edge e) const noexcept { return model_.graph().desc(e); }

  // ---- the layer at work

  void begin(int index) {
    index_ = index;
    layer_ = &net_.layers[static_cast<size_t>(index)];
    place_ = place_of(*layer_);
  }
  const layer& current() const noexcept { return *layer_; }
  [[noreturn]] void fail(std::string_view what, std::string_view cure) const { report_.fail(place_, what, cure); }
  void require(bool holds, std::string_view what, std::string_view cure = export_again) const {
    report_.require(holds, place_, what, cure);
  }
  void note(std::string_view text) { model_.notes.push_back(joined(place_, ": ", text)); }
  /// The layer computes in floats.
  void is_real() {
    require(!options_.integer_only, "the layer computes in floats",
            "quantize the model with int8 layers throughout, or leave integer_only off");
    if (last_real_ != index_) note("computes in floats");
    last_real_ = index_;
  }

  /// The layer computes in integers, but floats come out.
  void gives_reals() {
    require(!options_.integer_only, "floats come out of the layer",
            "quantize the layers so that codes stay between them (int8 terms above 100), or leave integer_only off");
  }

  int integer(int number, int otherwise) const {
    const param* const p = find(number);
    if (p == nullptr) return otherwise;
    require(!p->is_array && (p->what == param::form::integer || p->what == param::form::either),
            joined("parameter ", number, " is not an integer"));
    return static_cast<int>(p->words[0]);
  }
  float real(int number, float otherwise) const {
    const param* const p = find(number);
    if (p == nullptr) return otherwise;
    require(!p->is_array, joined("parameter ", number, " is a list instead of a number"));
    return real_at(*p, number, 0);
  }
  std::vector<float> reals(int number) const {
    std::vector<float> v;
    const param* const p = find(number);
    if (p == nullptr) return v;
    require(p->is_array, joined("parameter ", number, " is not a list"));
    for (size_t i = 0; i < p->words.size(); ++i) v.push_back(real_at(*p, number, i));
    return v;
  }
  std::vector<int> integers(int number) const {
    std::vector<int> v;
    const param* const p = find(number);
    if (p == nullptr) return v;
    require(p->is_array && p->what != param::form::real && p->what != param::form::text,
            joined("parameter ", number, " is not a list of integers"));
    for (const uint32_t w : p->words) v.push_back(static_cast<int>(w));
    return v;
  }
  bool has(int number) const { return find(number) != nullptr; }

  std::vector<float> floats(int64_t count, std::string_view what) { return weights_.floats(count, place_, what); }
  stored_weights tagged(int64_t count) { return weights_.tagged(count, place_); }

  void require_counts(size_t bottoms, size_t tops) const {
    require(layer_->bottoms.size() == bottoms && layer_->tops.size() == tops,
            joined("the layer has ", layer_->bottoms.size(), " inputs and ", layer_->tops.size(), " outputs instead of ",
                   bottoms, " and ", tops));
  }
  size_t bottom_count() const noexcept { return layer_->bottoms.size(); }
  size_t top_count() const noexcept { return layer_->tops.size(); }

  // ---- blobs

  /// Input k of the layer. A reference: edges made from it are kept.
  value& x(size_t k = 0) {
    require(k < layer_->bottoms.size(), joined("input ", k, " is missing"));
    const int blob = layer_->bottoms[k];
    std::optional<value>& v = values_[static_cast<size_t>(blob)];
    require(v.has_value(), joined("input ", k, " '", shown(blob_name(blob)), "' has no value"));
    return *v;
  }
  const tensor_desc& desc_of(const value& v) const noexcept { return desc(any(v)); }
  bool are_codes(const value& v) const noexcept { return desc_of(v).kind == element::codes; }
  void require_reals(const value& v) const {
    require(!are_codes(v), "the input is codes, which this layer cannot take",
            "leave the layer before it in floats (an int8 term below 100)");
  }

  edge planar(value& v) {
    if (v.planar.node < 0) v.planar = transposed(v.image, v.shape, {2, 0, 1}, "chw");
    return v.planar;
  }
  /// [rows][columns][channels]; a blob of two axes is one channel.
  edge image(value& v) {
    require(v.is_image() || v.shape.rank == 2, joined("the input has the shape ", text_of(v.shape), ", which is no image"),
            "give an input of three axes");
    if (v.shape.rank == 2) return reshaped(v.planar, {3, {v.shape.extent[0], v.shape.extent[1], 1}}, "hwc");
    if (v.image.node < 0) v.image = transposed(v.planar, image_shape(v.shape), {1, 2, 0}, "hwc");
    return v.image;
  }
  edge reshaped(edge e, const tensor_shape& s, std::string_view purpose) {
    if (desc(e).shape == s) return e;
    return checked(graph().reshape(name(purpose), e, list_of(s)));
  }
  /// e with its axes in another order; a reshape where only extents of 1 move.
  edge transposed(edge e, const tensor_shape& to, const axis_list& axes, std::string_view purpose) {
    int last = -1;
    bool moves = false;
    for (int a = 0; a < axes.count; ++a) {
      if (desc(e).shape.extent[axes.value[a]] == 1) continue;
      moves = moves || axes.value[a] < last;
      last = axes.value[a];
    }
    return moves ? checked(graph().transpose(name(purpose), e, axes)) : reshaped(e, to, purpose);
  }

  /// The edge of v that is there already, and a value of the same shape made from it.
  static edge any(const value& v) noexcept { return v.image.node >= 0 ? v.image : v.planar; }
  static value like(const value& v, edge e) noexcept {
    return v.image.node >= 0 ? value{.shape = v.shape, .image = e} : planar_value(v.shape, e);
  }
  static value planar_value(const tensor_shape& s, edge e) { return {.shape = s, .planar = e}; }
  /// e is [rows][columns][channels].
  value image_value(edge e) const {
    const tensor_shape& s = desc(e).shape;
    return {.shape = {3, {s.extent[2], s.extent[0], s.extent[1]}}, .image = e};
  }

  /// v is output k of the layer.
  void define(value v, size_t k = 0) {
    check_graph();
    require(k < layer_->tops.size(), joined("output ", k, " is missing"));
    const int blob = layer_->tops[k];
    values_[static_cast<size_t>(blob)] = v;
    const edge e = any(v);
    record();
    node_origin& from = model_.origins[static_cast<size_t>(e.node)];
    if (from.operation == index_ && from.output < 0) from.tensor = blob_name(blob), from.output = static_cast<int>(k);
  }

  // ---- nodes

  /// A name for a node of this layer: that of output k, with what the node is for.
  node_name name(std::string_view purpose = {}, size_t k = 0) {
    std::string path = k < layer_->tops.size() ? blob_name(layer_->tops[k]) : layer_->name;
    if (!purpose.empty()) path = joined(path, ".", purpose);
    return names_.make(path, joined("layer", index_));
  }
  edge checked(edge e) {
    check_graph();
    record();
    return e;
  }
  /// A node that the builder has no call for.
  edge custom(std::string_view purpose, const edge_list& x, const tensor_desc& out, custom_run run) {
    return checked(graph().custom(name(purpose), x, {.run = run, .out = out}));
  }
  /// Floats that never change.
  edge constant(std::string_view purpose, const tensor_shape& s, std::vector<float> values) {
    const size_t n = values.size();
    const float* const at = keep(std::move(values));
    return checked(graph().constant(name(purpose), {.shape = s, .kind = element::reals}, {number_type::real, at, n}));
  }
  template <class T>
  const T* keep(std::vector<T> elements) {
    return model_.keep(std::move(elements));
  }
  /// The codes of e, floats, for a scale that multiplies; made once for each pair.
  edge& codes_of(edge e, float scale) { return codes_[{e.node, fp::to_bits(scale)}]; }
  /// Whether count * each numbers may be kept that the file does not have. They are few in all, so that a
  /// small file cannot fill the memory.
  bool may_add(int64_t count, int64_t each) noexcept {
    if (count > added_left_ / each) return false;
    added_left_ -= count * each;
    return true;
  }
  void check(const infer::verdict& v) const {
    if (!v.ok()) fail_as({.code = v.code, .expected = v.expected, .found = v.found});
  }

  // ---- the model as a whole

  void add_input();
  void add_outputs();

private:
  const param* find(int number) const {
    const auto at = layer_->params.find(number);
    if (at == layer_->params.end()) return nullptr;
    require(at->second.what != param::form::text, joined("parameter ", number, " is a text"),
            "use layers without expressions");
    return &at->second;
  }
  float real_at(const param& p, int number, size_t i) const {
    // ncnn takes the bits of an integer for those of a float, which nobody means.
    require(p.what != param::form::integer || p.words[i] == 0, joined("parameter ", number, " is an integer"),
            "write it as a float: 1.0");
    const float f = fp::from_bits(p.words[i]);
    require(!fp::is_nan(f), joined("parameter ", number, " is NaN"));
    return f;
  }
  std::string blob_name(int i) const { return net_.blobs[static_cast<size_t>(i)]; }
  void record() {
    while (model_.origins.size() < static_cast<size_t>(graph().node_count()))
      model_.origins.push_back({index_, layer_->kind, layer_->name, -1});
  }
  void check_graph() {
    if (graph().error().code != graph_errc::ok) fail_as(graph().error());
  }
  /// "lowbits: builder: what; cure" becomes what and cure of this layer.
  [[noreturn]] void fail_as(const graph_error& e) const {
    const builder_sentence s(e);
    fail(s.what, s.cure);
  }

  const reporter& report_;
  const network& net_;
  weight_file& weights_;
  const ncnn_options& options_;
  imported_model& model_;
  node_names names_{};
  std::vector<std::optional<value>> values_{};  ///< of each blob that has been made
  std::map<std::pair<int, uint32_t>, edge> codes_{};
  const layer* layer_ = nullptr;
  int index_ = -1, last_real_ = -1;
  int64_t added_left_ = int64_t{1} << 25;
  std::string place_{};
};

/// Parameters 0, 1, 2: columns, rows, channels; 0 where they are not known.
inline void importer::add_input() {
  require(bottom_count() == 0, "an input of the model has an input");
  require(!has(11) || integer(11, 0) <= 1, "the input has four axes", "use images of up to three");
  tensor_shape stated;
  for (const int number : {2, 1, 0})
    if (const int extent = integer(number, 0); extent != 0 || stated.rank != 0)
      stated.extent[stated.rank++] = extent;
  for (size_t k = 0; k < top_count(); ++k) {
    const std::string blob = blob_name(current().tops[k]);
    tensor_shape s = stated;
    if (const auto at = options_.input_shapes.find(blob); at != options_.input_shapes.end()) {
      s = {};
      require(!at->second.empty() && at->second.size() <= 3, joined("the shape given for input '", shown(blob),
                                                                   "' has ", at->second.size(), " axes"),
              "give one to three extents");
      for (const int e : at->second) s.extent[s.rank++] = e;
    }
    require(s.rank != 0, joined("the extents of input '", shown(blob), "' are not stated"),
            joined("give them in ncnn_options::input_shapes[\"", shown(blob), "\"]"));
    const edge e = graph().input(name({}, k), {.shape = s, .kind = element::reals});
    define(planar_value(s, e), k);
    model_.inputs.push_back({blob, e.node, desc(e)});
  }
}

/// What no layer reads is an output of the model.
inline void importer::add_outputs() {
  std::vector<bool> is_read(net_.blobs.size());
  for (const layer& l : net_.layers)
    for (const int b : l.bottoms) is_read[static_cast<size_t>(b)] = true;
  for (size_t i = 0; i < net_.layers.size(); ++i) {
    begin(static_cast<int>(i));
    for (size_t k = 0; k < current().tops.size(); ++k) {
      const int b = current().tops[k];
      if (is_read[static_cast<size_t>(b)]) continue;
      require(values_[static_cast<size_t>(b)].has_value(), joined("output ", k, " has no value"));
      const edge e = planar(*values_[static_cast<size_t>(b)]);
      graph().output(e);
      check_graph();
      model_.outputs.push_back({blob_name(b), e.node, desc(e)});
    }
  }
  report_.require(!model_.outputs.empty(), "", "every blob is read by a layer, so that there is no output", export_again);
}

}  // namespace lowbits::ncnn
