// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Builds a graph as a constexpr value. Every call appends one node and returns the edge of its
// output; the first mistake is kept, and model<> turns it into one sentence.

#include <lowbits/graph/functions.hpp>
#include <lowbits/op/infer.hpp>
#include <lowbits/op/node.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The output of a node. Only the builder that returned it understands it.
struct edge {
  int node = -1;
};

/// A list of edges, written {a, b, c}. More than max_inputs are counted, and refused later.
struct edge_list {
  int count = 0;
  edge value[max_inputs]{};
  template <class... Edges>
  constexpr edge_list(Edges... e) noexcept {  // NOLINT: a list is an argument
    ((value[count < max_inputs ? count : 0] = e, ++count), ...);
  }
  constexpr bool fits() const noexcept { return count <= max_inputs; }
};

template <size_t Capacity = 64>
class builder {
public:
  // ---- ends of the graph

  /// An input of the model, for example g.input("image", tensor<q8, 32, 32, 3>({.scale = 1 / 128.f})).
  constexpr edge input(const node_name& name, const tensor_desc& desc) {
    infer::verdict v;
    infer::check_tensor(desc, v);
    if (v.require(input_count_ < max_inputs, graph_errc::ends)) input_[input_count_++] = count_;
    return push({.kind = op_kind::input, .name = name, .out = desc}, v);
  }
  /// A tensor that never changes, for example an operand of add. The array outlives the model.
  constexpr edge constant(const node_name& name, const tensor_desc& desc, const constant_data& data) {
    infer::verdict v;
    infer::check_tensor(desc, v);
    v.require(data.type == number_type_of(desc), graph_errc::constant_type);
    if (v.ok())
      v.require(data.length == desc.count(), graph_errc::constant_count, static_cast<int64_t>(desc.count()),
                static_cast<int64_t>(data.length));
    return push({.kind = op_kind::constant, .name = name, .out = desc, .constant = data}, v);
  }
  /// Marks e as an output of the model; outputs are numbered in the order of the calls.
  constexpr builder& output(edge e) {
    if (!owns(e)) fail({.code = graph_errc::edge});
    else if (output_count_ < max_inputs) output_[output_count_++] = e.node;
    else fail({.code = graph_errc::ends});
    return *this;
  }

  // ---- layers with weights

  /// Image [h][w][c] or [n][h][w][c]; weights [out_c][kernel.h][kernel.w][in_c / groups].
  constexpr edge conv2d(const node_name& name, edge x, const conv2d_options& o);
  /// Every channel on its own; weights [kernel.h][kernel.w][in_c * multiplier].
  constexpr edge depthwise(const node_name& name, edge x, const depthwise_options& o);
  /// Spreads every input over a window; weights [out_c][kernel.h][kernel.w][in_c].
  constexpr edge transposed_conv2d(const node_name& name, edge x, const transposed_conv2d_options& o);

  /// Ranks 1 and 3 are one vector, otherwise the first axis counts rows; see row_extents.
  constexpr edge dense(const node_name& name, edge x, const dense_options& o);

  // ---- two activations

  /// x [.., rows, depth] times w [.., depth, cols]; batch axes broadcast.
  constexpr edge matmul(const node_name& name, edge x, edge w, const matmul_options& o);
  constexpr edge add(const node_name& name, edge x, edge y, const sum_options& o) {
    return sum(op_kind::add, name, x, y, o);
  }
  constexpr edge sub(const node_name& name, edge x, edge y, const sum_options& o) {
    return sum(op_kind::sub, name, x, y, o);
  }
  constexpr edge mul(const node_name& name, edge x, edge y, const product_options& o) {
    return elementwise(op_kind::mul, name, x, y, o);
  }
  constexpr edge minimum(const node_name& name, edge x, edge y, const output_options& o) {
    return elementwise(op_kind::minimum, name, x, y, o);
  }
  constexpr edge maximum(const node_name& name, edge x, edge y, const output_options& o) {
    return elementwise(op_kind::maximum, name, x, y, o);
  }

  // ---- pooling

  constexpr edge max_pool(const node_name& name, edge x, const pool_options& o) {
    return pool(op_kind::max_pool, name, x, o);
  }
  constexpr edge average_pool(const node_name& name, edge x, const pool_options& o) {
    return pool(op_kind::average_pool, name, x, o);
  }
  /// The mean over both spatial axes: HWC -> C, NHWC -> NC.
  /// policy double_gemmlowp: TFLite's multiplier and rounding.
  constexpr edge global_mean(const node_name& name, edge x, const product_options& o) {
    infer::verdict v;
    node n = with_output(op_kind::global_mean, name, {x}, o.out, o.out_format, o.fused, o.policy);
    v.require(o.policy == rounding::single || (o.policy == rounding::double_gemmlowp && n.out.kind == element::codes),
              graph_errc::policy);
    if (v.require(image_extents::fits(desc(x)), graph_errc::image_rank)) {
      const image_extents e = image_extents::of(desc(x));
      infer::check_sum(desc(x), int64_t{e.h} * e.w, v);
      n.out.shape =
          desc(x).shape.rank == 4 ? tensor_shape{2, {e.batch, e.c}} : tensor_shape{1, {e.c}};
    }
    return push(n, v);
  }

  // ---- one activation, element by element

  /// The same numbers with other parameters; also relu and the other clamps.
  constexpr edge requantize(const node_name& name, edge x, const rescale_options& o) {
    infer::verdict v;
    node n = with_output(op_kind::requantize, name, {x}, o.out, o.out_format, o.fused, o.policy);
    n.product = o.product;
    n.parameter = static_cast<double>(o.negative_slope);
    const bool is_plain = n.product == scale_product::exact && n.parameter == 1.0;
    v.require(o.policy == rounding::single ? is_plain
                  : n.out.kind == element::codes &&
                      (o.policy == rounding::double_gemmlowp || o.policy == rounding::away_float),
              graph_errc::policy);
    v.require(n.parameter > -1e9 && n.parameter < 1e9, graph_errc::slope);
    return push(n, v);
  }
  constexpr edge relu(const node_name& name, edge x) { return clamped(name, x, activation::relu); }
  constexpr edge relu6(const node_name& name, edge x) { return clamped(name, x, activation::relu6); }
  constexpr edge leaky_relu(const node_name& name, edge x, double slope, const product_options& o) {
    return function(name, x, functions::leaky_relu, o, slope);
  }
  constexpr edge hard_swish(const node_name& name, edge x, const product_options& o) {
    return function(name, x, functions::hard_swish, o);
  }
  /// policy tflite_int64: TFLite's int16 kernels, which have a table of 256 entries; to scale 1/32768.
  constexpr edge sigmoid(const node_name& name, edge x, const product_options& o) {
    return function(name, x, functions::sigmoid, o);
  }
  constexpr edge tanh(const node_name& name, edge x, const product_options& o) {
    return function(name, x, functions::tanh, o);
  }
  /// Any function of one number, tabulated at compile time: f(x, parameter) in real numbers.
  constexpr edge function(const node_name& name, edge x, real_function f, const product_options& o,
                          double parameter = 0) {
    infer::verdict v;
    node n = with_output(op_kind::function, name, {x}, o.out, o.out_format, o.fused, o.policy);
    check_curve(n, f, desc(x), v);
    n.function = f;
    n.parameter = parameter;
    check_function(n, desc(x), v);
    return push(n, v);
  }
  /// A function given by its results: table[b] is the storage byte for the code whose storage byte is b.
  constexpr edge table(const node_name& name, edge x, const function_table& t, const output_options& o) {
    infer::verdict v;
    node n = with_output(op_kind::function, name, {x}, o.out, o.out_format, o.fused);
    n.table = t;
    check_function(n, desc(x), v);
    v.require(t.is_bound && (desc(x).format.bits > 8) == (t.bytes == nullptr), graph_errc::table_size);
    v.require(o.fused == activation::none, graph_errc::table_size);
    return push(n, v);
  }
  /// Over the last axis. The output is scale 1/256, zero point -128 (or 0 for unsigned codes); the
  /// 16-bit form has scale 1/32768.
  constexpr edge softmax(const node_name& name, edge x, const softmax_options& o = {}) {
    infer::verdict v;
    const tensor_desc& in = desc(x);
    node n = with_output(op_kind::softmax, name, {x}, in.params, o.out_format, activation::none,
                         rounding::single);
    n.parameter = static_cast<double>(o.beta);
    v.require(fp::is_positive(o.beta), graph_errc::scale);
    if (in.kind == element::reals) return push(n, v);
    v.require(!in.format.is_narrow &&
                  (in.format.bits == 8 || (in.format.bits == 16 && in.format.is_signed)),
              graph_errc::softmax_format);
    v.require(n.out.format == in.format || (in.format.bits == 8 && n.out.format == qformat{16, true}),
              graph_errc::softmax_format);
    n.out.params = in.format.bits == 16 ? affine{1.0f / 32768, 0}
        : n.out.format.bits == 16       ? affine{1.0f / 65536, -32768}
                                        : affine{1.0f / 256, in.format.is_signed ? -128 : 0};
    return push(n, v);
  }
  /// Floats to codes, ties to even; policy away_float: ties away from zero.
  constexpr edge quantize(const node_name& name, edge x, const quantize_options& o) {
    infer::verdict v;
    node n = with_output(op_kind::quantize, name, {x}, o.out, o.out_format, o.fused, o.policy);
    n.out = infer::codes_like(desc(x), o.out, o.out_format == same_as_input ? qformat{} : o.out_format);
    n.parameter = static_cast<double>(o.multiplier);
    v.require(o.policy == rounding::single || o.policy == rounding::away_float, graph_errc::policy);
    v.require(fp::is_zero(o.multiplier) || o.policy == rounding::away_float, graph_errc::policy);
    v.require(fp::is_zero(o.multiplier) || fp::is_positive(o.multiplier), graph_errc::scale);
    v.require(desc(x).kind == element::reals, graph_errc::element);
    return push(n, v);
  }
  constexpr edge dequantize(const node_name& name, edge x) {
    infer::verdict v;
    node n = with_output(op_kind::dequantize, name, {x}, affine{}, same_as_input, activation::none,
                         rounding::single);
    n.out.kind = element::reals;
    n.out.format = qformat{};
    v.require(desc(x).kind == element::codes, graph_errc::element);
    return push(n, v);
  }

  // ---- moving elements

  /// Joins up to 8 tensors with equal parameters along an axis.
  constexpr edge concat(const node_name& name, const edge_list& x, int axis);
  /// `parts` equal pieces along an axis; each is a slice node named name.0, name.1, ...
  template <size_t Parts>
  constexpr std::array<edge, Parts> split(const node_name& name, edge x, int axis);
  constexpr edge pad(const node_name& name, edge x, const pad_options& o);
  constexpr edge reshape(const node_name& name, edge x, const axis_list& extents);
  /// The same codes with another meaning.
  constexpr edge relabel(const node_name& name, edge x, const affine& params);
  /// Output axis i is input axis axes[i].
  constexpr edge transpose(const node_name& name, edge x, const axis_list& axes);
  constexpr edge slice(const node_name& name, edge x, const slice_options& o);
  constexpr edge resize(const node_name& name, edge x, const resize_options& o);
  /// Samples x at the positions in grid: codes of shape [out_h][out_w][2] (x, y in -1..1).
  constexpr edge grid_sample(const node_name& name, edge x, edge grid, const grid_sample_options& o);

  // ---- operations of the user's own

  constexpr edge custom(const node_name& name, const edge_list& x, const custom_options& o) {
    infer::verdict v;
    node n{.kind = op_kind::custom, .name = name, .out = o.out, .custom = o};
    v.require(x.fits(), graph_errc::input_count);
    n.in_count = smaller(x.count, max_inputs);
    for (int i = 0; i < n.in_count; ++i) n.in[i] = x.value[i].node;
    v.require(!o.refused, graph_errc::custom_error);
    v.require(o.run != nullptr && o.out.shape.rank >= 1, graph_errc::custom);
    if (v.ok()) infer::check_tensor(o.out, v);
    return push(n, v);
  }

  // ---- what was built

  constexpr const graph_error& error() const noexcept { return error_; }
  constexpr int node_count() const noexcept { return count_; }
  constexpr const node& operator[](int i) const noexcept { return nodes_[i]; }
  constexpr int input_count() const noexcept { return input_count_; }
  constexpr int output_count() const noexcept { return output_count_; }
  constexpr int input_node(int i) const noexcept { return input_[i]; }
  constexpr int output_node(int i) const noexcept { return output_[i]; }
  /// Called once by model<>: the graph as a whole.
  constexpr graph_error verdict() const noexcept {
    if (error_.code != graph_errc::ok) return error_;
    return output_count_ == 0 ? graph_error{.code = graph_errc::no_output} : graph_error{};
  }
  constexpr const tensor_desc& desc(edge e) const noexcept {
    return nodes_[owns(e) ? e.node : 0].out;
  }

private:
  constexpr bool owns(edge e) const noexcept { return e.node >= 0 && e.node < count_; }
  constexpr void fail(const graph_error& e) noexcept {
    if (error_.code == graph_errc::ok) error_ = e;
  }
  static constexpr uint32_t hash(const node_name& name) noexcept {
    uint32_t h = 2166136261u;
    for (size_t i = 0; name.text[i] != '\0'; ++i)
      h = (h ^ static_cast<uint8_t>(name.text[i])) * 16777619u;
    return h;
  }

  /// Appends n, or keeps the reason why not.
  constexpr edge push(const node& n, infer::verdict v) {
    if (error_.code != graph_errc::ok) return {count_ > 0 ? count_ - 1 : 0};
    for (int i = 0; i < n.in_count; ++i)
      v.require(n.in[i] >= 0 && n.in[i] < count_, graph_errc::edge);
    bool wide_in = false;
    for (int i = 0; i < n.in_count && v.ok(); ++i) wide_in = wide_in || nodes_[n.in[i]].out.is_wide();
    infer::check_wide(n, wide_in, v);
    if (v.ok()) infer::check_tensor(n.out, v);
    infer::check_numbers(n.out, v);
    v.require(count_ < static_cast<int>(Capacity), graph_errc::capacity);
    const uint32_t h = hash(n.name);
    for (int i = 0; i < count_ && v.ok(); ++i)
      v.require(hashes_[i] != h || nodes_[i].name != n.name, graph_errc::name);
    v.require(n.name.text[0] != '\0', graph_errc::name);
    v.require(n.name.text[sizeof n.name.text - 2] == '\0', graph_errc::name_length);
    if (!v.ok()) {
      graph_error e{.code = v.code, .node = n.name, .expected = v.expected, .found = v.found};
      if (n.in_count > 0 && owns({n.in[0]}))
        e.left = nodes_[n.in[0]].name, e.left_scale = nodes_[n.in[0]].out.params.scale;
      if (n.in_count > 1 && owns({n.in[1]}))
        e.right = nodes_[n.in[1]].name, e.right_scale = nodes_[n.in[1]].out.params.scale;
      fail(e);
      return {count_ > 0 ? count_ - 1 : 0};
    }
    hashes_[count_] = h;
    nodes_[count_] = n;
    return {count_++};
  }

  constexpr node with_output(op_kind kind, const node_name& name, const edge_list& x, const affine& out,
                             const qformat& format, activation fused,
                             rounding policy = rounding::single) const {
    node n{.kind = kind,
           .name = name,
           .out = desc(x.value[0]).kind == element::reals || (has_weights(kind) && format == as_reals)
                      ? infer::reals_like(desc(x.value[0]))
                      : infer::codes_like(desc(x.value[0]), out, format),
           .fused = fused,
           .policy = policy};
    n.in_count = x.count;
    for (int i = 0; i < x.count; ++i) n.in[i] = x.value[i].node;
    return n;
  }
  template <class Options>
  constexpr node weighted(op_kind kind, const node_name& name, edge x, const Options& o) const {
    node n = with_output(kind, name, {x}, o.out, o.out_format, o.fused, o.policy);
    n.weights = o.weights;
    n.bias = o.bias;
    n.dynamic = o.dynamic;
    n.product = o.product;
    if (n.out.is_wide()) give_sums(n, desc(x).params.scale, o.weights.scale_count <= 1 ? o.weights.sum_scale(0) : 0.0f);
    if constexpr (requires { o.ec; }) n.ec = o.ec;
    return n;
  }
  /// n gives its sums: nothing is rounded, and one step of them stands for the product of two scales.
  static constexpr void give_sums(node& n, float x, float w) noexcept {
    n.policy = rounding::single;
    n.product = scale_product::exact;
    if (n.out.params == not_stated) n.out.params.scale = fp::product(x, w);
  }
  template <class Options>
  constexpr edge elementwise(op_kind kind, const node_name& name, edge x, edge y, const Options& o) {
    infer::verdict v;
    node n = with_output(kind, name, {x, y}, o.out, o.out_format, o.fused);
    if constexpr (requires { o.policy; }) n.policy = o.policy, n.product = o.product;
    v.require(desc(x).kind == desc(y).kind, graph_errc::element);
    n.out.shape = infer::broadcast(desc(x).shape, desc(y).shape, v);
    return push(n, v);
  }
  constexpr edge sum(op_kind kind, const node_name& name, edge x, edge y, const sum_options& o) {
    infer::verdict v;
    node n = with_output(kind, name, {x, y}, o.out, o.out_format, o.fused, rounding::single);
    n.sum = o.definition;
    v.require(desc(x).kind == desc(y).kind, graph_errc::element);
    infer::check_numbers(n.out, v);
    for (edge e : {x, y})
      if (v.ok() && n.out.kind == element::codes)
        v.require(fp::quotient(desc(e).params.scale, o.out.scale) <= 4096.0f,
                  graph_errc::scale_range);
    n.out.shape = infer::broadcast(desc(x).shape, desc(y).shape, v);
    return push(n, v);
  }
  static constexpr void check_function(const node& n, const tensor_desc& x, infer::verdict& v) noexcept {
    if (x.kind == element::reals) return void(v.require(!n.table.is_bound, graph_errc::element));
    const bool wide = x.format.bits > 8;
    v.require(wide == (n.out.format.bits > 8) && (!wide || (n.out.format.is_signed && x.format.is_signed)),
              graph_errc::table_width);
  }
  /// Functions with another table than ours: logistic and tanh of int16 as TFLite has them.
  static constexpr void check_curve(const node& n, real_function f, const tensor_desc& x, infer::verdict& v) noexcept {
    if (n.policy == rounding::single) return;
    const bool is_known = f == functions::sigmoid || f == functions::tanh;
    v.require(n.policy == rounding::tflite_int64 && is_known && x.format == qformat{16, true} && x.params.zero_point == 0 &&
                  n.out.params == affine{1.0f / 32768, 0} && n.fused == activation::none,
              graph_errc::policy);
  }
  constexpr edge clamped(const node_name& name, edge x, activation fused) {
    return requantize(name, x, {.out = desc(x).params, .fused = fused});
  }
  constexpr edge pool(op_kind kind, const node_name& name, edge x, const pool_options& o) {
    infer::verdict v;
    node n = with_output(kind, name, {x}, desc(x).params, same_as_input, o.fused, rounding::single);
    if (v.require(image_extents::fits(desc(x)), graph_errc::image_rank)) {
      const image_extents in = image_extents::of(desc(x));
      const image_extents e = infer::fit_image(in, o.kernel, o.stride, 1, o.pad, n.window, v);
      n.out.shape = e.shape_like(desc(x));
      const window2d& w = n.window;
      if (kind == op_kind::average_pool) infer::check_sum(desc(x), w.taps(), v);
      v.require(w.pad_top < w.kernel_h && w.pad_left < w.kernel_w &&
                    int64_t{e.h - 1} * w.stride_h - w.pad_top < in.h &&
                    int64_t{e.w - 1} * w.stride_w - w.pad_left < in.w,
                graph_errc::pool_padding);
    }
    return push(n, v);
  }

  node nodes_[Capacity]{};
  uint32_t hashes_[Capacity]{};
  int count_ = 0;
  int input_[max_inputs]{}, output_[max_inputs]{};
  int input_count_ = 0, output_count_ = 0;
  graph_error error_{};
};

}  // namespace lowbits

#include <lowbits/graph/builder_layers.hpp>
#include <lowbits/graph/builder_moves.hpp>
