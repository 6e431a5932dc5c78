// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The builder's layers whose sums of products need proof: convolutions, dense, matmul. Included by
// builder.hpp.

#include <lowbits/graph/builder.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <size_t Capacity>
constexpr edge builder<Capacity>::conv2d(const node_name& name, edge x, const conv2d_options& o) {
  infer::verdict v;
  node n = weighted(op_kind::conv2d, name, x, o);
  n.groups = o.groups;
  const tensor_desc& in = desc(x);
  if (v.require(image_extents::fits(in), graph_errc::image_rank)) {
    image_extents e =
        infer::fit_image(image_extents::of(in), o.kernel, o.stride, o.dilation, o.pad, n.window, v);
    v.require(o.out_c >= 1, graph_errc::channels, 1, o.out_c);
    if (v.ok() &&
        v.require(o.groups >= 1 && e.c % o.groups == 0 && o.out_c % o.groups == 0,
                  graph_errc::groups)) {
      const int64_t depth = int64_t{n.window.taps()} * (e.c / o.groups);
      infer::check_weights(n, in, depth * o.out_c, o.out_c, depth, v);
      infer::check_compensation(n, in, in.format.bits, n.weights.format.bits, depth, v);
    }
    e.c = o.out_c;
    n.out.shape = e.shape_like(in);
  }
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::depthwise(const node_name& name, edge x, const depthwise_options& o) {
  infer::verdict v;
  node n = weighted(op_kind::depthwise, name, x, o);
  n.groups = o.multiplier;
  const tensor_desc& in = desc(x);
  if (v.require(image_extents::fits(in), graph_errc::image_rank)) {
    image_extents e =
        infer::fit_image(image_extents::of(in), o.kernel, o.stride, o.dilation, o.pad, n.window, v);
    if (v.require(infer::is_small(o.multiplier, 1) && e.c <= highest_of<int32_t> / o.multiplier,
                  graph_errc::channels, 1, o.multiplier)) {
      e.c *= o.multiplier;
      infer::check_weights(n, in, int64_t{n.window.taps()} * e.c, e.c,
                           n.window.taps(), v);
    }
    n.out.shape = e.shape_like(in);
  }
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::transposed_conv2d(const node_name& name, edge x,
                                                    const transposed_conv2d_options& o) {
  infer::verdict v;
  node n = weighted(op_kind::transposed_conv2d, name, x, o);
  const tensor_desc& in = desc(x);
  if (v.require(image_extents::fits(in), graph_errc::image_rank)) {
    image_extents e =
        infer::fit_transposed(image_extents::of(in), o.kernel, o.stride, o.pad, n.window, v);
    v.require(o.out_c >= 1, graph_errc::channels, 1, o.out_c);
    const int64_t depth = int64_t{n.window.taps()} * e.c;
    if (v.ok()) infer::check_weights(n, in, depth * o.out_c, o.out_c, depth, v);
    infer::check_compensation(n, in, in.format.bits, n.weights.format.bits, depth, v);
    e.c = o.out_c;
    n.out.shape = e.shape_like(in);
  }
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::dense(const node_name& name, edge x, const dense_options& o) {
  infer::verdict v;
  node n = weighted(op_kind::dense, name, x, o);
  const row_extents rows = row_extents::of(desc(x));
  if (v.require(o.units >= 1, graph_errc::channels, 1, o.units)) {
    infer::check_weights(n, desc(x), int64_t{rows.columns} * o.units, o.units,
                         rows.columns, v);
    infer::check_compensation(n, desc(x), desc(x).format.bits, n.weights.format.bits, rows.columns, v);
    n.out.shape = row_extents::is_single(desc(x)) ? tensor_shape{1, {o.units}}
                                                  : tensor_shape{2, {rows.rows, o.units}};
  }
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::matmul(const node_name& name, edge x, edge w, const matmul_options& o) {
  infer::verdict v;
  node n = with_output(op_kind::matmul, name, {x, w}, o.out, o.out_format, o.fused, o.policy);
  n.flag[0] = o.x_transposed;
  n.flag[1] = o.w_transposed;
  n.product = o.product;
  n.ec = o.ec;
  v.require(desc(x).kind == desc(w).kind, graph_errc::element);
  const matmul_shape m = infer::matmul_extents(desc(x), desc(w), o, n.out.shape, v);
  infer::check_compensation(n, desc(x), desc(x).format.bits, desc(w).format.bits, m.depth, v);
  if (n.out.kind == element::reals) return push(n, v);
  const int64_t product = infer::largest_value(desc(x)) * infer::largest_value(desc(w));
  v.require(product == 0 || m.depth <= highest_of<int64_t> / product, graph_errc::accumulator);
  if (n.out.is_wide()) {
    give_sums(n, desc(x).params.scale, desc(w).params.scale);
    if (!desc(x).is_wide() && !desc(w).is_wide())
      v.require(product == 0 || m.depth <= highest_of<int32_t> / product, graph_errc::sums);
  }
  return push(n, v);
}

}  // namespace lowbits
