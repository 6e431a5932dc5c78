// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The constant data of each node's step: multipliers from scales, tables from functions, shapes.
// One variable per node, so that every constant evaluation stays small.

#include <lowbits/graph/report.hpp>
#include <lowbits/op/eltwise_steps.hpp>
#include <lowbits/op/move_steps.hpp>
#include <lowbits/op/pool_steps.hpp>
#include <lowbits/op/sample_steps.hpp>
#include <lowbits/op/softmax_steps.hpp>
#include <lowbits/op/table_steps.hpp>
#include <lowbits/op/weighted_steps.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <class T, size_t N>
struct constant_table {
  T value[N > 0 ? N : 1]{};
};

/// Node I of Model and what follows from it. Members rather than local variables: g++ 12 does not
/// accept a local constexpr reference as a template argument.
template <class Model, int I>
struct node_facts {
  static constexpr const node& n = Model::graph[I];
  static constexpr const tensor_desc& x = Model::graph[n.in[0]].out;
  static constexpr const tensor_desc& y = Model::graph[n.in[1]].out;  ///< of nodes with two inputs
  static constexpr size_t channels = static_cast<size_t>(n.out.shape.extent[n.out.shape.rank - 1]);
  using rounding_type = rounding_tag<n.policy>;
  using multiplier = typename rounding_type::multiplier;
  using bias_type = std::conditional_t<n.bias.is_wide, int64_t, int32_t>;
};

namespace detail {

/// The factor from a weighted node's accumulator to its output, for one channel.
constexpr real factor_of(const node& n, const tensor_desc& in, size_t channel) noexcept {
  const float w = n.weights.scale_of(channel);
  if (n.product == scale_product::float32)
    return scale_ratio_float_product(in.params.scale, w, n.out.params.scale);
  return scale_ratio(in.params.scale, w, n.out.params.scale);
}

constexpr output_stage stage_of(const node& n) noexcept {
  return output_stage::of(n.out.format, n.out.params, n.fused);
}

}  // namespace detail

/// The multipliers of a weighted node, one per output channel.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_factors = [] {
  using facts = node_facts<Model, I>;
  constant_table<typename facts::multiplier, facts::channels> t;
  for (size_t c = 0; c < facts::channels; ++c)
    t.value[c] = facts::multiplier::from(detail::factor_of(facts::n, facts::x, c));
  return t;
}();

/// The look-up table of a function node.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_table = [] {
  using facts = node_facts<Model, I>;
  return make_function_table<(facts::x.format.bits > 8)>(facts::x, facts::n.out, facts::n.fused,
                                                         facts::n.function, facts::n.parameter);
}();

namespace detail {

/// What the kernels index for the weights of node I.
template <class Model, int I>
constexpr auto weights_of() noexcept {
  using facts = node_facts<Model, I>;
  if constexpr (facts::n.weights.storage == weight_storage::s8) return facts::n.weights.s8;
  else if constexpr (facts::n.weights.storage == weight_storage::u8) return facts::n.weights.u8;
  else if constexpr (facts::n.weights.storage == weight_storage::s16) return facts::n.weights.s16;
  else {
    constexpr qformat f = facts::n.weights.format;
    return packed_view<qtype<f.bits, f.is_signed ? sign::yes : sign::no>>{
        facts::n.weights.packed, facts::n.weights.length * 8 / f.bits};
  }
}

template <class Model, int I, class Shape>
constexpr auto make_weighted(const Shape& shape) noexcept {
  using facts = node_facts<Model, I>;
  weighted_data<Shape, decltype(weights_of<Model, I>()), typename facts::bias_type,
                typename facts::rounding_type>
      d;
  d.shape = shape;
  d.weights = weights_of<Model, I>();
  if constexpr (facts::n.bias.is_wide) d.bias = facts::n.bias.s64;
  else d.bias = facts::n.bias.s32;
  d.factors = node_factors<Model, I>.value;
  d.stage = stage_of(facts::n);
  d.x_zero = facts::x.params.zero_point;
  d.w_zero = facts::n.weights.zero_point;
  return d;
}

template <class Model, int I>
constexpr auto make_node_data() noexcept {
  using facts = node_facts<Model, I>;
  using rounding_type = typename facts::rounding_type;
  constexpr op_kind kind = facts::n.kind;
  const node& n = facts::n;
  const tensor_desc &x = facts::x, &y = facts::y;
  if constexpr (kind == op_kind::conv2d || kind == op_kind::transposed_conv2d) {
    const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
    return make_weighted<Model, I>(
        conv2d_shape{a.batch, a.h, a.w, a.c, b.h, b.w, b.c, n.window, n.groups});
  } else if constexpr (kind == op_kind::depthwise) {
    const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
    return make_weighted<Model, I>(
        depthwise_shape{a.batch, a.h, a.w, a.c, b.h, b.w, n.groups, n.window});
  } else if constexpr (kind == op_kind::dense) {
    const row_extents rows = row_extents::of(x);
    return make_weighted<Model, I>(
        dense_shape(rows.rows, rows.columns, static_cast<int>(facts::channels)));
  } else if constexpr (kind == op_kind::matmul) {
    return make_matmul_data<rounding_type>(n, x, y);
  } else if constexpr (kind == op_kind::max_pool || kind == op_kind::average_pool) {
    const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
    const output_stage s = stage_of(n);
    return pool_data{{a.batch, a.h, a.w, a.c, b.h, b.w, n.window}, {s.lowest, s.highest}};
  } else if constexpr (kind == op_kind::global_mean) {
    return make_mean_data(n, x);
  } else if constexpr (kind == op_kind::add || kind == op_kind::sub) {
    constexpr bool subtract = kind == op_kind::sub;
    if constexpr (facts::n.sum == sum_definition::tflite)
      return make_binary(x, y, n.out,
                         make_tflite_sum(x.format, x.params, y.format, y.params, n.out.format,
                                         n.out.params, n.fused, subtract));
    else
      return make_binary(x, y, n.out,
                         make_sum(x.format, x.params, y.format, y.params, n.out.format,
                                  n.out.params, n.fused, subtract));
  } else if constexpr (kind == op_kind::mul) {
    return make_binary(x, y, n.out,
                       make_product<rounding_type>(x.format, x.params, y.format, y.params,
                                                   n.out.format, n.out.params, n.fused));
  } else if constexpr (kind == op_kind::minimum || kind == op_kind::maximum) {
    return make_binary(x, y, n.out,
                       make_extremum(x.format, x.params, y.format, y.params, n.out.format,
                                     n.out.params, n.fused, kind == op_kind::maximum));
  } else if constexpr (kind == op_kind::requantize) {
    return rescale_data{n.out.count(),
                        make_rescale(x.format, x.params, n.out.format, n.out.params, n.fused)};
  } else if constexpr (kind == op_kind::function) {
    return make_table_data(x, node_table<Model, I>.value);
  } else if constexpr (kind == op_kind::softmax) {
    return make_softmax_data<(facts::x.format.bits > 8)>(n, x);
  } else if constexpr (kind == op_kind::quantize || kind == op_kind::dequantize) {
    constexpr bool to_codes = kind == op_kind::quantize;
    return conversion_data{n.out.count(), to_codes ? n.out.params : x.params,
                           to_codes ? stage_of(n) : output_stage{}};
  } else if constexpr (kind == op_kind::custom) {
    custom_data d{n.custom.run, n.custom.user, n.custom.scratch_bytes, n.out, {}};
    for (int k = 0; k < n.in_count; ++k) d.in[k] = Model::graph[n.in[k]].out;
    return d;
  } else if constexpr (kind == op_kind::reshape) {
    return copy_data{n.out.bytes()};
  } else if constexpr (kind == op_kind::concat) {
    return make_concat_data(Model::graph, n);
  } else if constexpr (kind == op_kind::resize) {
    return make_resize_data(n, x);
  } else if constexpr (kind == op_kind::grid_sample) {
    return make_grid_sample_data(n, x, y);
  } else if constexpr (kind == op_kind::input) {
    return 0;
  } else {
    return make_move_data(n, x);
  }
}

}  // namespace detail

/// The constant operands of node I's step; its type follows from the node's kind.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_data = detail::make_node_data<Model, I>();

}  // namespace lowbits
