// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The constant data of each node's step: multipliers from scales, tables from functions, shapes.
// One variable per node, so that every constant evaluation stays small.

#include <lowbits/graph/report.hpp>
#include <lowbits/op/eltwise_steps.hpp>
#include <lowbits/op/move_steps.hpp>
#include <lowbits/op/pool_steps.hpp>
#include <lowbits/op/weighted_steps.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <class T, size_t N>
struct constant_table {
  T value[N > 0 ? N : 1]{};
};

namespace detail {

template <class Model, int I>
constexpr size_t channels_of() noexcept {
  constexpr const tensor_shape& s = Model::graph[I].out.shape;
  return static_cast<size_t>(s.extent[s.rank - 1]);
}

/// The factor from a weighted node's accumulator to its output, for one channel.
constexpr real factor_of(const node& n, const tensor_desc& in, size_t channel) noexcept {
  const float w = n.weights.scale_of(n.weights.scale_count == 1 ? 0 : channel);
  if (n.product == scale_product::float32) return scale_ratio_float_product(in.params.scale, w, n.out.params.scale);
  return scale_ratio(in.params.scale, w, n.out.params.scale);
}

constexpr output_stage stage_of(const node& n) noexcept { return output_stage::of(n.out.format, n.out.params, n.fused); }

}  // namespace detail

/// The multipliers of a weighted node, one per output channel.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_factors = [] {
  constexpr const node& n = Model::graph[I];
  using multiplier = typename rounding_tag<n.policy>::multiplier;
  constexpr size_t channels = detail::channels_of<Model, I>();
  constant_table<multiplier, channels> t;
  for (size_t c = 0; c < channels; ++c) t.value[c] = multiplier::from(detail::factor_of(n, Model::graph[n.in[0]].out, c));
  return t;
}();

/// The look-up table of a function node.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_table = [] {
  constexpr const node& n = Model::graph[I];
  constexpr const tensor_desc& in = Model::graph[n.in[0]].out;
  return make_function_table<(in.format.bits > 8)>(in, n.out, detail::stage_of(n), n.function, n.parameter);
}();

namespace detail {

/// What the kernels index for the weights of node n.
template <class Model, int I>
constexpr auto weights_of() noexcept {
  constexpr const weight_data& w = Model::graph[I].weights;
  if constexpr (w.s8 != nullptr) return w.s8;
  else if constexpr (w.u8 != nullptr) return w.u8;
  else if constexpr (w.s16 != nullptr) return w.s16;
  else return packed_view<qtype<w.format.bits, w.format.is_signed ? sign::yes : sign::no>>{w.packed, w.length * 8 / w.format.bits};
}

template <class Model, int I, class Shape>
constexpr auto make_weighted(const Shape& shape) noexcept {
  constexpr const node& n = Model::graph[I];
  using weights_type = decltype(weights_of<Model, I>());
  using bias_type = std::conditional_t<n.bias.s64 != nullptr, int64_t, int32_t>;
  weighted_data<Shape, weights_type, bias_type, rounding_tag<n.policy>> d;
  d.shape = shape;
  d.weights = weights_of<Model, I>();
  if constexpr (n.bias.s64 != nullptr) d.bias = n.bias.s64;
  else d.bias = n.bias.s32;
  d.factors = node_factors<Model, I>.value;
  d.stage = stage_of(n);
  d.x_zero = Model::graph[n.in[0]].out.params.zero_point;
  d.w_zero = n.weights.zero_point;
  return d;
}

template <class Model, int I>
constexpr auto make_node_data() noexcept {
  constexpr const auto& g = Model::graph;
  constexpr const node& n = g[I];
  constexpr const tensor_desc& x = g[n.in[0]].out;
  constexpr const tensor_desc& y = g[n.in[1]].out;
  if constexpr (n.kind == op_kind::conv2d || n.kind == op_kind::transposed_conv2d) {
    const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
    return make_weighted<Model, I>(conv2d_shape{a.batch, a.h, a.w, a.c, b.h, b.w, b.c, n.window, n.groups});
  } else if constexpr (n.kind == op_kind::depthwise) {
    const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
    return make_weighted<Model, I>(depthwise_shape{a.batch, a.h, a.w, a.c, b.h, b.w, n.groups, n.window});
  } else if constexpr (n.kind == op_kind::dense) {
    const row_extents rows = row_extents::of(x);
    return make_weighted<Model, I>(dense_shape(rows.rows, rows.columns, n.out.shape.extent[n.out.shape.rank - 1]));
  } else if constexpr (n.kind == op_kind::matmul) {
    return make_matmul_data<rounding_tag<n.policy>>(n, x, y);
  } else if constexpr (n.kind == op_kind::max_pool || n.kind == op_kind::average_pool) {
    const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
    const output_stage s = stage_of(n);
    return pool_data{{a.batch, a.h, a.w, a.c, b.h, b.w, n.window}, {s.lowest, s.highest}};
  } else if constexpr (n.kind == op_kind::global_mean) {
    return make_mean_data(n, x);
  } else if constexpr (n.kind == op_kind::add || n.kind == op_kind::sub) {
    if constexpr (n.sum == sum_definition::tflite)
      return make_binary(x, y, n.out, make_tflite_sum(x.format, x.params, y.format, y.params, n.out.format, n.out.params, n.fused, n.kind == op_kind::sub));
    else
      return make_binary(x, y, n.out, make_sum(x.format, x.params, y.format, y.params, n.out.format, n.out.params, n.fused, n.kind == op_kind::sub));
  } else if constexpr (n.kind == op_kind::mul) {
    return make_binary(x, y, n.out, make_product<rounding_tag<n.policy>>(x.format, x.params, y.format, y.params, n.out.format, n.out.params, n.fused));
  } else if constexpr (n.kind == op_kind::minimum || n.kind == op_kind::maximum) {
    return make_binary(x, y, n.out, make_extremum(x.format, x.params, y.format, y.params, n.out.format, n.out.params, n.fused, n.kind == op_kind::maximum));
  } else if constexpr (n.kind == op_kind::requantize) {
    return rescale_data{n.out.count(), make_rescale(x.format, x.params, n.out.format, n.out.params, n.fused)};
  } else if constexpr (n.kind == op_kind::function) {
    return table_data{n.out.count(), node_table<Model, I>.value};
  } else if constexpr (n.kind == op_kind::softmax) {
    return make_softmax_data(n, x);
  } else if constexpr (n.kind == op_kind::quantize || n.kind == op_kind::dequantize) {
    return conversion_data{n.out.count(), n.kind == op_kind::quantize ? n.out.params : x.params, n.kind == op_kind::quantize ? stage_of(n) : output_stage{}};
  } else if constexpr (n.kind == op_kind::custom) {
    custom_data d{n.custom.run, n.custom.user, n.custom.scratch_bytes, n.out, {}};
    for (int k = 0; k < n.in_count; ++k) d.in[k] = g[n.in[k]].out;
    return d;
  } else if constexpr (n.kind == op_kind::input) {
    return 0;
  } else {
    return make_move_data(g, n);
  }
}

}  // namespace detail

/// The constant operands of node I's step; its type follows from the node's kind.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_data = detail::make_node_data<Model, I>();

}  // namespace lowbits
