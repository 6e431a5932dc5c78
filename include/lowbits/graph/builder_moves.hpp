// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The builder's operations that move elements without changing them: concat, split, pad, reshape,
// transpose, slice, resize, grid_sample. Included by builder.hpp.

#include <array>

#include <lowbits/graph/builder.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <size_t Capacity>
constexpr edge builder<Capacity>::concat(const node_name& name, const edge_list& x, int axis) {
  infer::verdict v;
  const tensor_desc first = desc(x.value[0]);
  node n{.kind = op_kind::concat, .name = name, .out = first, .axis = axis};
  n.in_count = smaller(x.count, max_inputs);
  v.require(x.count >= 1 && x.fits(), graph_errc::input_count, max_inputs, x.count);
  v.require(axis >= 0 && axis < first.shape.rank, graph_errc::axis, first.shape.rank - 1, axis);
  int64_t total = 0;
  for (int i = 0; i < n.in_count && v.ok(); ++i) {
    const tensor_desc& d = desc(x.value[i]);
    n.in[i] = x.value[i].node;
    v.require(d.same_numbers(first), graph_errc::parameters);
    v.require(d.shape.rank == first.shape.rank, graph_errc::shapes);
    for (int a = 0; a < first.shape.rank; ++a)
      v.require(a == axis || d.shape.extent[a] == first.shape.extent[a], graph_errc::shapes,
                first.shape.extent[a], d.shape.extent[a]);
    if (v.ok()) total += d.shape.extent[axis];
  }
  if (v.require(total <= highest_of<int32_t>, graph_errc::tensor))
    n.out.shape.extent[v.ok() ? axis : 0] = static_cast<int>(total);
  return push(n, v);
}

template <size_t Capacity>
template <size_t Parts>
constexpr std::array<edge, Parts> builder<Capacity>::split(const node_name& name, edge x, int axis) {
  static_assert(Parts >= 1 && Parts <= 99,
                "lowbits: split: Parts is outside 1..99; split in two steps");
  std::array<edge, Parts> parts{};
  const tensor_shape s = desc(x).shape;
  const int n = static_cast<int>(Parts);
  if (axis < 0 || axis >= s.rank || s.extent[axis] % n != 0) {
    fail({.code = axis < 0 || axis >= s.rank ? graph_errc::axis : graph_errc::split_parts,
          .node = name,
          .left = nodes_[owns(x) ? x.node : 0].name});
    return parts;
  }
  slice_options o;
  o.begin.count = o.extent.count = s.rank;
  for (int a = 0; a < s.rank; ++a) o.extent.value[a] = s.extent[a];
  o.extent.value[axis] = s.extent[axis] / n;
  for (int p = 0; p < n; ++p) {
    o.begin.value[axis] = p * o.extent.value[axis];
    node_name part = name;
    size_t at = smaller<size_t>(name.length(), sizeof part.text - 4);
    part.text[at++] = '.';
    if (p >= 10) part.text[at++] = static_cast<char>('0' + p / 10);
    part.text[at++] = static_cast<char>('0' + p % 10);
    part.text[at] = '\0';
    parts[static_cast<size_t>(p)] = slice(part, x, o);
  }
  return parts;
}

template <size_t Capacity>
constexpr edge builder<Capacity>::pad(const node_name& name, edge x, const pad_options& o) {
  infer::verdict v;
  node n{.kind = op_kind::pad, .name = name, .in_count = 1, .in = {x.node}, .out = desc(x)};
  const int rank = n.out.shape.rank;
  v.require(o.before.count <= rank && o.after.count <= rank, graph_errc::axis, rank,
            larger(o.before.count, o.after.count));
  for (int a = 0; a < rank && v.ok(); ++a) {
    const int64_t extent = int64_t{n.out.shape.extent[a]} + o.before.value[a] + o.after.value[a];
    v.require(o.before.value[a] >= 0 && o.after.value[a] >= 0, graph_errc::window);
    if (!v.require(extent <= highest_of<int32_t>, graph_errc::tensor)) break;
    n.list[0][a] = o.before.value[a];
    n.out.shape.extent[a] = static_cast<int>(extent);
  }
  n.has_fill = o.value.is_given;
  n.fill = o.value.code;
  n.parameter = static_cast<double>(o.value.real);
  const qformat& f = n.out.format;
  v.require(!n.has_fill || n.out.kind == element::reals || (n.fill >= f.lowest() && n.fill <= f.highest()),
            graph_errc::pad_value);
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::reshape(const node_name& name, edge x, const axis_list& extents) {
  infer::verdict v;
  node n{.kind = op_kind::reshape, .name = name, .in_count = 1, .in = {x.node}, .out = desc(x)};
  n.out.shape = {};
  v.require(extents.fits(), graph_errc::rank, max_rank, extents.count);
  n.out.shape.rank = smaller(extents.count, max_rank);
  for (int a = 0; a < n.out.shape.rank; ++a) n.out.shape.extent[a] = extents.value[a];
  infer::check_tensor(n.out, v);
  if (v.ok())
    v.require(n.out.count() == desc(x).count(), graph_errc::element_count,
              static_cast<int64_t>(desc(x).count()), static_cast<int64_t>(n.out.count()));
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::relabel(const node_name& name, edge x, const affine& params) {
  infer::verdict v;
  node n{.kind = op_kind::reshape, .name = name, .in_count = 1, .in = {x.node}, .out = desc(x)};
  n.out.params = params;
  v.require(n.out.kind == element::codes, graph_errc::element);
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::transpose(const node_name& name, edge x, const axis_list& axes) {
  infer::verdict v;
  node n{.kind = op_kind::transpose, .name = name, .in_count = 1, .in = {x.node}, .out = desc(x)};
  const tensor_shape in = desc(x).shape;
  bool seen[max_rank]{};
  v.require(axes.count == in.rank, graph_errc::permutation, in.rank, axes.count);
  for (int a = 0; a < in.rank && v.ok(); ++a) {
    const int from = axes.value[a];
    if (!v.require(from >= 0 && from < in.rank && !seen[from], graph_errc::permutation)) break;
    seen[from] = true;
    n.list[0][a] = from;
    n.out.shape.extent[a] = in.extent[from];
  }
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::slice(const node_name& name, edge x, const slice_options& o) {
  infer::verdict v;
  node n{.kind = op_kind::slice, .name = name, .in_count = 1, .in = {x.node}, .out = desc(x)};
  const tensor_shape in = desc(x).shape;
  v.require(o.begin.count <= in.rank && o.extent.count == in.rank && o.step.count <= in.rank,
            graph_errc::axis, in.rank, o.extent.count);
  for (int a = 0; a < in.rank && v.ok(); ++a) {
    const int step = a < o.step.count ? o.step.value[a] : 1;
    const int64_t begin = o.begin.value[a], last = begin + (int64_t{o.extent.value[a]} - 1) * step;
    v.require(step != 0 && o.extent.value[a] >= 1 && begin >= 0 && begin < in.extent[a] &&
                  last >= 0 && last < in.extent[a],
              graph_errc::slice_range);
    n.list[0][a] = o.begin.value[a];
    n.list[1][a] = o.extent.value[a];
    n.list[2][a] = o.extent.value[a] == 1 ? 1 : step;
    n.out.shape.extent[a] = o.extent.value[a];
  }
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::resize(const node_name& name, edge x, const resize_options& o) {
  infer::verdict v;
  node n{.kind = op_kind::resize, .name = name, .in_count = 1, .in = {x.node}, .out = desc(x)};
  n.flag[0] = o.align_corners;
  n.flag[1] = o.half_pixel_centers;
  n.mode = o.mode;
  v.require(o.out_h >= 1 && o.out_w >= 1, graph_errc::resize_size);
  v.require(!(o.align_corners && o.half_pixel_centers) || o.mode == resize_mode::nearest, graph_errc::resize_mode);
  if (v.require(image_extents::fits(n.out), graph_errc::image_rank)) {
    const image_extents e = image_extents::of(n.out);
    v.require(larger(larger(e.h, e.w), larger(o.out_h, o.out_w)) < (1 << 20), graph_errc::tensor);
    n.out.shape = image_extents{e.batch, o.out_h, o.out_w, e.c}.shape_like(n.out);
  }
  return push(n, v);
}

template <size_t Capacity>
constexpr edge builder<Capacity>::grid_sample(const node_name& name, edge x, edge grid,
                                              const grid_sample_options& o) {
  infer::verdict v;
  node n{.kind = op_kind::grid_sample,
         .name = name,
         .in_count = 2,
         .in = {x.node, grid.node},
         .out = desc(x)};
  n.flag[0] = o.align_corners;
  n.mode = o.mode;
  n.outside = o.outside;
  const tensor_desc& g = desc(grid);
  v.require(n.out.kind == element::codes, graph_errc::element);
  if (v.require(image_extents::fits(n.out), graph_errc::image_rank)) {
    const image_extents e = image_extents::of(n.out),
                        ge = image_extents::fits(g) ? image_extents::of(g) : image_extents{};
    v.require(image_extents::fits(g) && g.kind == element::codes && g.format.is_signed &&
                  ge.c == 2 && ge.batch == e.batch,
              graph_errc::grid);
    v.require(e.h <= 32768 && e.w <= 32768, graph_errc::tensor);
    n.out.shape = image_extents{e.batch, ge.h, ge.w, e.c}.shape_like(n.out);
  }
  return push(n, v);
}

}  // namespace lowbits
