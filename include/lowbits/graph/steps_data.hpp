// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The constant data of a node's step: shapes, zero points, output stages, and pointers to multipliers
// and tables. Its type follows from the node's signature.

#include <lowbits/graph/functions.hpp>
#include <lowbits/graph/signature.hpp>
#include <lowbits/op/dynamic_steps.hpp>
#include <lowbits/op/eltwise_steps.hpp>
#include <lowbits/op/move_steps.hpp>
#include <lowbits/op/pool_steps.hpp>
#include <lowbits/op/real_steps.hpp>
#include <lowbits/op/sample_steps.hpp>
#include <lowbits/op/softmax_steps.hpp>
#include <lowbits/op/table_steps.hpp>
#include <lowbits/op/weighted_steps.hpp>

namespace lowbits::inline LOWBITS_ABI::detail {

/// The factor from a weighted node's accumulator to its output, for one channel.
constexpr real factor_of(const node& n, const tensor_desc& in, size_t channel) noexcept {
  const float w = n.weights.sum_scale(channel);
  if (n.product == scale_product::float32)
    return scale_ratio_float_product(in.params.scale, w, n.out.params.scale);
  return scale_ratio(in.params.scale, w, n.out.params.scale);
}

constexpr size_t channels_of(const node& n) noexcept {
  return static_cast<size_t>(n.out.shape.extent[n.out.shape.rank - 1]);
}

/// Multipliers of a weighted node: one per output channel, or one for all on processors without vectors.
constexpr size_t factor_count(const node& n) noexcept {
  constexpr bool one_suffices = LOWBITS_DISPATCH == 0 && std::is_same_v<arch::native, arch::generic>;
  const bool is_plain = n.out.kind == element::codes && n.policy != rounding::away_bias;
  return one_suffices && is_plain && n.weights.scale_count <= 1 ? 1 : channels_of(n);
}
/// What a multiplier of a weighted node is that has outputs and rounding of this kind.
template <number_type Out, rounding Policy>
using multiplier_of = std::conditional_t<Out == number_type::real, float, typename rounding_tag<Policy>::multiplier>;

template <class Multiplier>
constexpr void fill_factors(const node& n, const tensor_desc& in, Multiplier* to) noexcept {
  for (size_t c = 0; c < factor_count(n); ++c) {
    if constexpr (std::is_same_v<Multiplier, float>) {
      to[c] = fp::product(in.params.scale, n.weights.sum_scale(c));
    } else if constexpr (std::is_same_v<Multiplier, round_away_bias::multiplier>) {
      to[c] = {fp::product(in.params.scale, n.weights.sum_scale(c)), n.bias.is_bound() ? n.bias.f32[c] : 0.0f,
               fp::quotient(1.0f, n.out.params.scale)};
    } else {
      const bool is_repeated = c > 0 && n.weights.sum_scale(c) == n.weights.sum_scale(c - 1);
      to[c] = is_repeated ? to[c - 1] : Multiplier::from(factor_of(n, in, c));
    }
  }
}

constexpr output_stage stage_of(const node& n) noexcept {
  return output_stage::of(n.out.format, n.out.params, n.fused);
}

/// What the kernels index for weights.
template <step_signature S>
constexpr auto weights_of(const weight_data& w) noexcept {
  using packed_type = qtype<S.packed.bits, S.packed.is_signed ? sign::yes : sign::no>;
  const size_t offset = w.is_coded() ? 0 : w.offset;  // coded ones have a place of their own
  if constexpr (S.is_external && S.weights == weight_storage::s8) return external_codes<int8_t>{offset};
  else if constexpr (S.is_external && S.weights == weight_storage::u8) return external_codes<uint8_t>{offset};
  else if constexpr (S.is_external && S.weights == weight_storage::s16) return external_codes<int16_t>{offset};
  else if constexpr (S.is_external) return external_stream<packed_type>{offset, w.length * 8 / S.packed.bits};
  else if constexpr (S.weights == weight_storage::s8) return w.s8;
  else if constexpr (S.weights == weight_storage::u8) return w.u8;
  else if constexpr (S.weights == weight_storage::s16) return w.s16;
  else
    return packed_view<packed_type>{w.packed, w.length * 8 / S.packed.bits};
}

template <step_signature S, class Shape, class Multiplier>
constexpr auto make_weighted(const node& n, const tensor_desc& x, const Shape& shape, const Multiplier* factors) noexcept {
  weighted_data<Shape, decltype(weights_of<S>(n.weights)), std::conditional_t<S.has_wide_bias, int64_t, int32_t>,
                rounding_tag<S.policy>>
      d;
  d.shape = shape;
  d.weights = weights_of<S>(n.weights);
  if constexpr (S.has_wide_bias) d.bias = n.bias.s64;
  else d.bias = n.bias.s32;
  d.factors = factors;
  d.stage = stage_of(n);
  d.factor_mask = factor_count(n) == 1 ? 0 : ~size_t{0};
  d.x_zero = x.params.zero_point;
  d.w_zero = n.weights.zero_point;
  return d;
}

template <step_signature S, class Shape>
constexpr auto make_scaled(const node& n, const tensor_desc& x, const Shape& shape, const float* scales) noexcept {
  return scaled_data<Shape, decltype(weights_of<S>(n.weights))>{shape, weights_of<S>(n.weights), scales, n.bias.f32,
                                                                real_range::of(n.fused), n.out.count(),
                                                                x.params.zero_point, n.weights.zero_point};
}

/// The data of a layer without requantization.
template <step_signature S, class Shape>
constexpr auto make_sums(const node& n, const tensor_desc& x, const Shape& shape) noexcept {
  return sums_data<Shape, decltype(weights_of<S>(n.weights))>{shape, weights_of<S>(n.weights), n.bias.s32,
                                                              x.params.zero_point, n.weights.zero_point};
}

/// The table that a function node was given.
template <step_signature S>
constexpr auto bound_table(const function_table& t) noexcept {
  if constexpr (S.x == number_type::q16) return t.words;
  else return t.bytes;
}

constexpr conv2d_shape conv2d_shape_of(const node& n, const tensor_desc& x) noexcept {
  if (n.kind == op_kind::dense) {
    const row_extents rows = row_extents::of(x);
    return dense_shape(rows.rows, rows.columns, static_cast<int>(channels_of(n)));
  }
  const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
  return {a.batch, a.h, a.w, a.c, b.h, b.w, b.c, n.window, n.groups};
}

constexpr depthwise_shape depthwise_shape_of(const node& n, const tensor_desc& x) noexcept {
  const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
  return {a.batch, a.h, a.w, a.c, b.h, b.w, n.groups, n.window};
}
constexpr pool2d_shape pool_shape_of(const node& n, const tensor_desc& x) noexcept {
  const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
  return {a.batch, a.h, a.w, a.c, b.h, b.w, n.window};
}
constexpr bool is_binary(op_kind k) noexcept {
  return k == op_kind::add || k == op_kind::sub || k == op_kind::mul || k == op_kind::minimum || k == op_kind::maximum;
}

/// One image, or one row of a dense layer.
constexpr conv2d_shape one_image(conv2d_shape s) noexcept { return s.batch = 1, s; }
constexpr depthwise_shape one_image(depthwise_shape s) noexcept { return s.batch = 1, s; }

template <step_signature S, class Shape>
constexpr auto make_dynamic_data(const node& n, const tensor_desc& x, const Shape& shape) noexcept {
  const auto batch = static_cast<size_t>(shape.batch);
  return dynamic_data<Shape, decltype(weights_of<S>(n.weights))>{one_image(shape), shape.batch, x.count() / batch,
                                                                 n.out.count() / batch, static_cast<int>(channels_of(n)),
                                                                 weights_of<S>(n.weights), n.weights, n.bias.f32,
                                                                 real_range::of(n.fused), n.dynamic};
}

/// The data of operations on floats.
template <step_signature S>
constexpr auto make_real_data(const node& n, const tensor_desc& x, const tensor_desc& y) noexcept {
  const real_range range = real_range::of(n.fused);
  if constexpr (S.is_weight_only) {
    const auto w = weights_of<S>(n.weights);
    return weight_only_data<std::remove_const_t<decltype(w)>>{conv2d_shape_of(n, x), w, n.weights, n.bias.f32, range, n.out.count()};
  } else if constexpr (S.kind == op_kind::depthwise && S.weights != weight_storage::f32) {
    return make_dynamic_data<S>(n, x, depthwise_shape_of(n, x));
  } else if constexpr (has_weights(S.kind) && S.weights != weight_storage::f32) {
    return make_dynamic_data<S>(n, x, conv2d_shape_of(n, x));
  } else if constexpr (S.kind == op_kind::depthwise) {
    return real_weighted_data<depthwise_shape>{depthwise_shape_of(n, x), n.weights.f32, n.bias.f32, range};
  } else if constexpr (has_weights(S.kind)) {
    return real_weighted_data<conv2d_shape>{conv2d_shape_of(n, x), n.weights.f32, n.bias.f32, range};
  } else if constexpr (S.kind == op_kind::matmul) {
    return make_real_matmul(n, x, y);
  } else if constexpr (S.kind == op_kind::max_pool || S.kind == op_kind::average_pool) {
    return real_pool_data{pool_shape_of(n, x), range};
  } else if constexpr (S.kind == op_kind::global_mean) {
    const image_extents e = image_extents::of(x);
    return real_mean_data{e.batch, e.h * e.w, e.c, range};
  } else if constexpr (is_binary(S.kind)) {
    return real_binary_data{x.shape, y.shape, range};
  } else if constexpr (S.kind == op_kind::softmax) {
    const int depth = x.shape.extent[x.shape.rank - 1];
    return real_softmax_data{static_cast<int>(x.count()) / depth, depth, static_cast<float>(n.parameter)};
  } else {
    return real_function_data{x.count(), n.function, n.parameter, range};
  }
}

/// The data and the step of layers with factors for groups: graph/grouped_steps.hpp has them.
template <step_signature S>
struct grouped_layer {
  static_assert(S.factors == group_factor_kind::none,
                "lowbits: model: the graph has weights with factors for groups; include <lowbits/graph/grouped_steps.hpp>, or define LOWBITS_GROUPS in "
                "front of lowbits.hpp");
};

/// Constants are what does not fit in the data itself: multipliers of weighted nodes, tables of
/// functions.
template <step_signature S, class Graph, class Constant>
constexpr auto make_node_data(const Graph& g, int i, const Constant* constants) noexcept {
  using rounding_type = rounding_tag<S.policy>;
  const node& n = g[i];
  const tensor_desc &x = g[n.in[0]].out, &y = g[n.in[1]].out;
  if constexpr (S.factors != group_factor_kind::none) {
    return grouped_layer<S>::make(n, x, constants);
  } else if constexpr (is_real_operation(S)) {
    return make_real_data<S>(n, x, y);
  } else if constexpr (gives_sums(S)) {
    if constexpr (S.kind == op_kind::matmul) return make_matmul_data<round_single>(n, x, y);
    else if constexpr (S.kind == op_kind::depthwise) return make_sums<S>(n, x, depthwise_shape_of(n, x));
    else return make_sums<S>(n, x, conv2d_shape_of(n, x));
  } else if constexpr (has_weights(S.kind) && S.out == number_type::real) {
    if constexpr (S.kind == op_kind::depthwise) return make_scaled<S>(n, x, depthwise_shape_of(n, x), constants);
    else return make_scaled<S>(n, x, conv2d_shape_of(n, x), constants);
  } else if constexpr (S.kind == op_kind::conv2d || S.kind == op_kind::transposed_conv2d) {
    return make_weighted<S>(n, x, conv2d_shape_of(n, x), constants);
  } else if constexpr (S.kind == op_kind::depthwise) {
    return make_weighted<S>(n, x, depthwise_shape_of(n, x), constants);
  } else if constexpr (S.kind == op_kind::matmul) {
    return make_matmul_data<rounding_type>(n, x, y);
  } else if constexpr (S.kind == op_kind::max_pool || S.kind == op_kind::average_pool) {
    const output_stage s = stage_of(n);
    return pool_data{pool_shape_of(n, x), {s.lowest, s.highest}};
  } else if constexpr (S.kind == op_kind::global_mean) {
    return make_mean_data<S.policy>(n, x);
  } else if constexpr (S.kind == op_kind::add || S.kind == op_kind::sub) {
    constexpr bool subtract = S.kind == op_kind::sub;
    if constexpr (S.sum == sum_definition::tflite)
      return make_binary(x, y, n.out,
                         make_tflite_sum(x.format, x.params, y.format, y.params, n.out.format,
                                         n.out.params, n.fused, subtract));
    else
      return make_binary(x, y, n.out,
                         make_sum(x.format, x.params, y.format, y.params, n.out.format,
                                  n.out.params, n.fused, subtract));
  } else if constexpr (S.kind == op_kind::mul) {
    return make_binary(x, y, n.out,
                       make_product<rounding_type>(x.format, x.params, y.format, y.params, n.out.format, n.out.params,
                                                   n.fused, n.product == scale_product::float_quotient));
  } else if constexpr (S.kind == op_kind::minimum || S.kind == op_kind::maximum) {
    return make_binary(x, y, n.out,
                       make_extremum(x.format, x.params, y.format, y.params, n.out.format,
                                     n.out.params, n.fused, S.kind == op_kind::maximum));
  } else if constexpr (S.kind == op_kind::requantize) {
    return make_rescale_data<S.policy, rounding_type>(n, x);
  } else if constexpr (S.kind == op_kind::function && S.policy != rounding::single) {
    return make_curve_data(x, n.function == functions::tanh);
  } else if constexpr (S.kind == op_kind::function) {
    return make_table_data(x, constants);
  } else if constexpr (S.kind == op_kind::softmax) {
    return make_softmax_data<is_word(S.x)>(n, x);
  } else if constexpr (S.kind == op_kind::quantize || S.kind == op_kind::dequantize) {
    constexpr bool to_codes = S.kind == op_kind::quantize;
    return conversion_data{n.out.count(), to_codes ? n.out.params : x.params,
                           to_codes ? stage_of(n) : output_stage{}, static_cast<float>(n.parameter)};
  } else if constexpr (S.kind == op_kind::custom) {
    custom_data d{n.custom.run, n.custom.user, n.custom.scratch_bytes, n.out, {}};
    for (int k = 0; k < n.in_count; ++k) d.in[k] = g[n.in[k]].out;
    return d;
  } else if constexpr (S.kind == op_kind::reshape) {
    return copy_data{n.out.bytes()};
  } else if constexpr (S.kind == op_kind::concat) {
    return make_concat_data(g, n);
  } else if constexpr (S.kind == op_kind::resize) {
    return make_resize_data(n, x);
  } else if constexpr (S.kind == op_kind::grid_sample) {
    return make_grid_sample_data(n, x, y);
  } else if constexpr (S.kind == op_kind::input || S.kind == op_kind::constant) {
    return 0;
  } else {
    return make_move_data(n, x);
  }
}

}  // namespace lowbits::detail
