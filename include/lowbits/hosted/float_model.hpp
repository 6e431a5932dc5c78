// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A trained network in floats, put together at run time with the calls and options of builder: the
// source of a quantized model and the reference it is compared with.
//
//   lb::float_model m;
//   auto x = m.input("image", {8, 8, 1});
//   auto a = m.conv2d("stem", x, {.out_c = 16, .kernel = 3, .weights = stem_w, .bias = stem_b});
//   m.output(m.dense("logits", a, {.units = 10, .weights = logits_w}));
//
// Layouts and shape rules are those of op/options.hpp and op/infer.hpp. A mistake throws model_error.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <lowbits/graph/builder.hpp>
#include <lowbits/hosted/model_error.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct float_conv2d_options {
  int out_c = 0;
  extent2d kernel = 1;
  extent2d stride = 1;
  extent2d dilation = 1;
  padding pad{};
  int groups = 1;
  std::span<const float> weights{};  ///< [out_c][kernel.h][kernel.w][in_c / groups]
  std::span<const float> bias{};     ///< [out_c], or empty
  activation fused = activation::none;
};

struct float_depthwise_options {
  extent2d kernel = 1;
  extent2d stride = 1;
  extent2d dilation = 1;
  padding pad{};
  int multiplier = 1;                ///< output channels per input channel
  std::span<const float> weights{};  ///< [kernel.h][kernel.w][in_c * multiplier]
  std::span<const float> bias{};     ///< [in_c * multiplier], or empty
  activation fused = activation::none;
};

struct float_dense_options {
  int units = 0;
  std::span<const float> weights{};  ///< [units][inputs]
  std::span<const float> bias{};     ///< [units], or empty
  activation fused = activation::none;
};

/// One operation; which attributes count depends on the kind, as in node.
struct float_node {
  op_kind kind = op_kind::input;
  std::string name{};
  std::vector<int> in{};
  tensor_desc out{.kind = element::reals};
  window2d window{};
  int groups = 1;  ///< conv2d: groups; depthwise: multiplier
  std::vector<float> weights{};
  std::vector<float> bias{};
  activation fused = activation::none;
  int axis = 0;       ///< concat
  float beta = 1.0f;  ///< softmax
};

/// Output channels of a node with weights, or of any tensor: its last extent.
inline int channels_of(const float_node& n) { return n.out.shape.extent[n.out.shape.rank - 1]; }

class float_model {
public:
  edge input(std::string name, const axis_list& extents) {
    infer::verdict v;
    float_node n{.kind = op_kind::input, .name = std::move(name)};
    n.out.shape = shape_of(extents, v);
    const edge e = push(std::move(n), v);
    inputs_.push_back(e.node);
    return e;
  }
  float_model& output(edge e) {
    static_cast<void>(desc(e));
    outputs_.push_back(e.node);
    return *this;
  }

  edge conv2d(std::string name, edge x, const float_conv2d_options& o) {
    infer::verdict v;
    float_node n = over(op_kind::conv2d, std::move(name), {x}, o.fused);
    n.groups = o.groups;
    image_extents e = slide(n, desc(x), o.kernel, o.stride, o.dilation, o.pad, v);
    v.require(o.out_c >= 1, graph_errc::channels, 1, o.out_c);
    v.require(o.groups >= 1 && o.out_c % larger(o.groups, 1) == 0 && e.c % larger(o.groups, 1) == 0,
              graph_errc::groups);
    if (v.ok())
      bind(n, o.weights, o.bias, int64_t{o.out_c} * n.window.taps() * (e.c / o.groups), o.out_c, v);
    e.c = o.out_c;
    n.out.shape = e.shape_like(desc(x));
    return push(std::move(n), v);
  }
  edge depthwise(std::string name, edge x, const float_depthwise_options& o) {
    infer::verdict v;
    float_node n = over(op_kind::depthwise, std::move(name), {x}, o.fused);
    n.groups = o.multiplier;
    image_extents e = slide(n, desc(x), o.kernel, o.stride, o.dilation, o.pad, v);
    if (v.require(o.multiplier >= 1 && e.c <= highest_of<int32_t> / larger(o.multiplier, 1),
                  graph_errc::channels, 1, o.multiplier))
      e.c *= o.multiplier;
    if (v.ok()) bind(n, o.weights, o.bias, int64_t{n.window.taps()} * e.c, e.c, v);
    n.out.shape = e.shape_like(desc(x));
    return push(std::move(n), v);
  }
  edge dense(std::string name, edge x, const float_dense_options& o) {
    infer::verdict v;
    float_node n = over(op_kind::dense, std::move(name), {x}, o.fused);
    const row_extents rows = row_extents::of(desc(x));
    v.require(o.units >= 1, graph_errc::channels, 1, o.units);
    if (v.ok()) bind(n, o.weights, o.bias, int64_t{rows.columns} * o.units, o.units, v);
    n.out.shape = row_extents::is_single(desc(x)) ? tensor_shape{1, {o.units}}
                                                  : tensor_shape{2, {rows.rows, o.units}};
    return push(std::move(n), v);
  }

  edge add(std::string name, edge x, edge y, activation fused = activation::none) {
    return binary(op_kind::add, std::move(name), x, y, fused);
  }
  edge sub(std::string name, edge x, edge y, activation fused = activation::none) {
    return binary(op_kind::sub, std::move(name), x, y, fused);
  }
  edge mul(std::string name, edge x, edge y, activation fused = activation::none) {
    return binary(op_kind::mul, std::move(name), x, y, fused);
  }
  edge minimum(std::string name, edge x, edge y) {
    return binary(op_kind::minimum, std::move(name), x, y, activation::none);
  }
  edge maximum(std::string name, edge x, edge y) {
    return binary(op_kind::maximum, std::move(name), x, y, activation::none);
  }

  edge max_pool(std::string name, edge x, const pool_options& o) {
    return pool(op_kind::max_pool, std::move(name), x, o);
  }
  edge average_pool(std::string name, edge x, const pool_options& o) {
    return pool(op_kind::average_pool, std::move(name), x, o);
  }
  /// The mean over both spatial axes: HWC -> C, NHWC -> NC.
  edge global_mean(std::string name, edge x, activation fused = activation::none) {
    infer::verdict v;
    float_node n = over(op_kind::global_mean, std::move(name), {x}, fused);
    if (v.require(image_extents::fits(desc(x)), graph_errc::image_rank)) {
      const image_extents e = image_extents::of(desc(x));
      n.out.shape =
          desc(x).shape.rank == 4 ? tensor_shape{2, {e.batch, e.c}} : tensor_shape{1, {e.c}};
    }
    return push(std::move(n), v);
  }

  /// An activation that nothing could be fused with.
  edge clamped(std::string name, edge x, activation fused) {
    return push(over(op_kind::requantize, std::move(name), {x}, fused), {});
  }
  edge reshape(std::string name, edge x, const axis_list& extents) {
    infer::verdict v;
    float_node n = over(op_kind::reshape, std::move(name), {x}, activation::none);
    n.out.shape = shape_of(extents, v);
    infer::check_tensor(n.out, v);
    v.require(!v.ok() || n.out.count() == desc(x).count(), graph_errc::element_count,
              static_cast<int64_t>(desc(x).count()), static_cast<int64_t>(n.out.count()));
    return push(std::move(n), v);
  }
  edge concat(std::string name, const std::vector<edge>& x, int axis) {
    infer::verdict v;
    v.require(!x.empty() && x.size() <= max_inputs, graph_errc::input_count);
    if (!v.ok()) return push({.kind = op_kind::concat, .name = std::move(name)}, v);
    float_node n = over(op_kind::concat, std::move(name), x, activation::none);
    n.axis = axis;
    const tensor_shape first = desc(x[0]).shape;
    v.require(axis >= 0 && axis < first.rank, graph_errc::axis, first.rank - 1, axis);
    int total = 0;
    for (edge e : x) {
      tensor_shape s = desc(e).shape;
      if (!v.ok() || !v.require(s.rank == first.rank, graph_errc::shapes)) break;
      total += s.extent[axis];
      s.extent[axis] = first.extent[axis];
      v.require(s == first, graph_errc::shapes);
    }
    if (v.ok()) n.out.shape.extent[axis] = total;
    return push(std::move(n), v);
  }
  /// Over the last axis.
  edge softmax(std::string name, edge x, const softmax_options& o = {}) {
    infer::verdict v;
    float_node n = over(op_kind::softmax, std::move(name), {x}, activation::none);
    n.beta = o.beta;
    v.require(fp::is_positive(o.beta), graph_errc::scale);
    return push(std::move(n), v);
  }

  size_t size() const noexcept { return nodes_.size(); }
  const float_node& operator[](int i) const { return nodes_[static_cast<size_t>(i)]; }
  /// For tools that change weights; the number of elements stays.
  float_node& operator[](int i) { return nodes_[static_cast<size_t>(i)]; }
  const std::vector<int>& inputs() const noexcept { return inputs_; }
  const std::vector<int>& outputs() const noexcept { return outputs_; }
  const tensor_desc& desc(edge e) const {
    if (e.node < 0 || e.node >= static_cast<int>(nodes_.size()))
      require_ok({.code = graph_errc::edge});
    return nodes_[static_cast<size_t>(e.node)].out;
  }

private:
  static tensor_shape shape_of(const axis_list& extents, infer::verdict& v) {
    tensor_shape s;
    v.require(extents.fits(), graph_errc::rank, max_rank, extents.count);
    s.rank = smaller(extents.count, max_rank);
    for (int a = 0; a < s.rank; ++a) s.extent[a] = extents.value[a];
    return s;
  }
  float_node over(op_kind kind, std::string name, const std::vector<edge>& x,
                  activation fused) const {
    float_node n{.kind = kind, .name = std::move(name), .out = desc(x[0]), .fused = fused};
    for (edge e : x) n.in.push_back((static_cast<void>(desc(e)), e.node));
    return n;
  }
  static image_extents slide(float_node& n, const tensor_desc& in, const extent2d& kernel,
                             const extent2d& stride, const extent2d& dilation, const padding& pad,
                             infer::verdict& v) {
    if (!v.require(image_extents::fits(in), graph_errc::image_rank)) return {};
    return infer::fit_image(image_extents::of(in), kernel, stride, dilation, pad, n.window, v);
  }
  static void bind(float_node& n, std::span<const float> weights, std::span<const float> bias,
                   int64_t count, int64_t channels, infer::verdict& v) {
    v.require(!weights.empty(), graph_errc::no_weights);
    v.require(static_cast<int64_t>(weights.size()) == count, graph_errc::weight_count, count,
              static_cast<int64_t>(weights.size()));
    v.require(bias.empty() || static_cast<int64_t>(bias.size()) == channels, graph_errc::bias_count,
              channels, static_cast<int64_t>(bias.size()));
    n.weights.assign(weights.begin(), weights.end());
    n.bias.assign(bias.begin(), bias.end());
    check_finite(n.name, "weight", n.weights);
    check_finite(n.name, "bias", n.bias);
  }
  static void check_finite(const std::string& name, const char* what,
                           const std::vector<float>& values) {
    for (size_t i = 0; i < values.size(); ++i)
      if (!fp::is_finite(values[i]))
        refuse("float_model", joined(what, " ", i, " of node '", name, "' is NaN or infinite"),
               "train or export the layer again");
  }
  edge binary(op_kind kind, std::string name, edge x, edge y, activation fused) {
    infer::verdict v;
    float_node n = over(kind, std::move(name), {x, y}, fused);
    n.out.shape = infer::broadcast(desc(x).shape, desc(y).shape, v);
    return push(std::move(n), v);
  }
  edge pool(op_kind kind, std::string name, edge x, const pool_options& o) {
    infer::verdict v;
    float_node n = over(kind, std::move(name), {x}, o.fused);
    const image_extents e = slide(n, desc(x), o.kernel, o.stride, 1, o.pad, v);
    n.out.shape = e.shape_like(desc(x));
    return push(std::move(n), v);
  }

  edge push(float_node n, infer::verdict v) {
    for (const float_node& other : nodes_) v.require(other.name != n.name, graph_errc::name);
    v.require(!n.name.empty(), graph_errc::name);
    if (v.ok()) infer::check_tensor(n.out, v);
    if (!v.ok()) {
      graph_error e{
          .code = v.code, .node = n.name.c_str(), .expected = v.expected, .found = v.found};
      if (!n.in.empty()) e.left = (*this)[n.in[0]].name.c_str();
      if (n.in.size() > 1) e.right = (*this)[n.in[1]].name.c_str();
      require_ok(e);
    }
    nodes_.push_back(std::move(n));
    return {static_cast<int>(nodes_.size()) - 1};
  }

  std::vector<float_node> nodes_;
  std::vector<int> inputs_, outputs_;
};

}  // namespace lowbits
