// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What a model costs, known before it runs.

#include <lowbits/op/infer.hpp>
#include <lowbits/op/node.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct model_report {
  uint64_t macs = 0;        ///< multiply-accumulates of one run
  size_t weight_bytes = 0;  ///< weights, biases, constants and given tables, as stored
  size_t arena_bytes = 0;
  size_t prepared_bytes = 0;  ///< for the architecture that needs most
  int peak_node = 0;          ///< the node with the largest sum of input and output bytes
  size_t peak_bytes = 0;      ///< that sum
  int wide_accumulators = 0;  ///< layers whose sums are proven only in 64 bits
};

/// Multiply-accumulates of one node.
template <class Graph>
constexpr uint64_t node_macs(const Graph& g, int i) noexcept {
  const node& n = g[i];
  const uint64_t outputs = n.out.count();
  switch (n.kind) {
    case op_kind::conv2d:
      return outputs * static_cast<uint64_t>(n.window.taps()) *
          static_cast<uint64_t>(image_extents::of(g[n.in[0]].out).c / n.groups);
    case op_kind::depthwise: return outputs * static_cast<uint64_t>(n.window.taps());
    case op_kind::transposed_conv2d:
      return g[n.in[0]].out.count() * static_cast<uint64_t>(n.window.taps()) *
          static_cast<uint64_t>(image_extents::of(n.out).c);
    case op_kind::dense:
      return outputs * static_cast<uint64_t>(row_extents::of(g[n.in[0]].out).columns);
    case op_kind::matmul: {
      const tensor_shape& x = g[n.in[0]].out.shape;
      return outputs * static_cast<uint64_t>(x.extent[x.rank - (n.flag[0] ? 2 : 1)]);
    }
    case op_kind::custom: return n.custom.macs;
    default: return 0;
  }
}

/// Products that one accumulator of a weighted node sums up.
template <class Graph>
constexpr int64_t node_depth(const Graph& g, int i) noexcept {
  const node& n = g[i];
  const tensor_desc& in = g[n.in[0]].out;
  switch (n.kind) {
    case op_kind::conv2d: return int64_t{n.window.taps()} * (image_extents::of(in).c / n.groups);
    case op_kind::depthwise: return n.window.taps();
    case op_kind::transposed_conv2d: return int64_t{n.window.taps()} * image_extents::of(in).c;
    case op_kind::dense: return row_extents::of(in).columns;
    default: return 0;
  }
}

/// True when the sums of a weighted node are proven to fit in 32 bits.
template <class Graph>
constexpr bool fits_int32(const Graph& g, int i) noexcept {
  const node& n = g[i];
  if (g[n.in[0]].out.kind == element::reals || n.weights.is_grouped) return true;
  return infer::accumulator_holds(g[n.in[0]].out, n.weights, n.bias, node_depth(g, i),
                                  highest_of<int32_t>);
}

/// True for a layer without requantization whose sums are proven by the values of its weights, so that these
/// have to be where the compiler sees them.
template <class Graph>
constexpr bool needs_values(const Graph& g, int i) noexcept {
  return has_weights(g[i].kind) && g[i].out.is_wide() && !fits_int32(g, i);
}

constexpr size_t constant_bytes(const node& n, size_t weight_count) noexcept {
  if (n.kind == op_kind::custom) return n.custom.user_bytes;
  if (n.kind == op_kind::constant) return n.out.bytes();
  if (n.kind == op_kind::function && n.table.is_bound) return n.out.format.bits > 8 ? sizeof(int16_t) * 513 : 256;
  if (!has_weights(n.kind)) return 0;
  const size_t weights = n.weights.is_coded() ? n.weights.coded_bytes : n.weights.bytes(weight_count);
  const size_t factors = n.weights.is_grouped ? n.weights.groups->count * n.weights.groups->factor_bytes() : 0;
  return weights + factors + n.bias.length * (n.bias.is_wide ? 8 : 4);
}

template <class Graph>
constexpr model_report make_report(const Graph& g, int node_count, size_t arena_bytes,
                                   size_t prepared_bytes) noexcept {
  model_report r{.arena_bytes = arena_bytes, .prepared_bytes = prepared_bytes};
  for (int i = 0; i < node_count; ++i) {
    const node& n = g[i];
    size_t live = n.out.bytes();
    for (int k = 0; k < n.in_count; ++k) live += g[n.in[k]].out.bytes();
    if (live > r.peak_bytes) r.peak_node = i, r.peak_bytes = live;
    r.macs += node_macs(g, i);
    size_t weights = 0;
    if (has_weights(n.kind)) {
      const int out_c = n.out.shape.extent[n.out.shape.rank - 1];
      weights = static_cast<size_t>(node_depth(g, i)) * static_cast<size_t>(out_c);
      r.wide_accumulators += n.out.is_wide() || fits_int32(g, i) ? 0 : 1;
    }
    r.weight_bytes += constant_bytes(n, weights);
  }
  return r;
}

}  // namespace lowbits
