// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Which nodes share a buffer, and how long each buffer lives. A reshape is its input; an
// element-wise node may overwrite an input nobody reads again; the inputs of a concatenation along
// the outermost axis are written straight into the result. Model inputs and outputs are the
// caller's buffers and take no room in the arena; constants are where they are.

#include <lowbits/graph/plan.hpp>
#include <lowbits/op/node.hpp>

namespace lowbits::inline LOWBITS_ABI {

enum class memory : uint8_t { arena, model_input, model_output, constant };

template <size_t N>
struct placement {
  int root[N]{};          ///< the node whose buffer holds this node's elements
  size_t offset[N]{};     ///< bytes from the start of that buffer
  memory where[N]{};      ///< of roots
  int index[N]{};         ///< of roots: which model input, output or constant
  buffer_life life[N]{};  ///< of roots in the arena; size 0 for all others
};

namespace detail {

constexpr bool may_overwrite_input(const node& n) noexcept {
  switch (n.kind) {
    case op_kind::add:
    case op_kind::sub:
    case op_kind::mul:
    case op_kind::minimum:
    case op_kind::maximum:
    case op_kind::requantize:
    case op_kind::function: return true;
    case op_kind::custom: return n.custom.in_place;
    default: return false;
  }
}

/// True when concatenating along axis puts each input's elements into one run of the output.
constexpr bool is_outermost(const tensor_shape& s, int axis) noexcept {
  for (int a = 0; a < axis; ++a)
    if (s.extent[a] != 1) return false;
  return true;
}

}  // namespace detail

/// Graph is a builder without errors that has n nodes, at most N.
template <size_t N, class Graph>
constexpr placement<N> place_nodes(const Graph& g, int n = static_cast<int>(N)) noexcept {
  placement<N> p;
  int last_use[N]{};
  for (int i = 0; i < n; ++i) {
    p.root[i] = last_use[i] = i;
    for (int k = 0; k < g[i].in_count; ++k) last_use[g[i].in[k]] = i;
  }
  for (int k = 0; k < g.input_count(); ++k) {
    p.where[g.input_node(k)] = memory::model_input;
    p.index[g.input_node(k)] = k;
  }
  for (int i = 0, constants = 0; i < n; ++i) {
    if (g[i].kind != op_kind::constant) continue;
    p.where[i] = memory::constant;
    p.index[i] = constants++;
  }
  for (int k = 0; k < g.output_count(); ++k) {
    const int node = g.output_node(k);
    last_use[node] = n;
    if (p.where[node] != memory::arena)
      continue;  // an input, a constant, or given out twice: copied at the end
    p.where[node] = memory::model_output;
    p.index[node] = k;
  }
  int group_last[N]{};  // of roots: the last step that reads any node of the group
  for (int i = 0; i < n; ++i) group_last[i] = last_use[i];
  const auto join = [&](int i, int root, size_t offset) {
    p.root[i] = root;
    p.offset[i] = offset;
    group_last[root] = larger(group_last[root], last_use[i]);
  };
  const auto owns_buffer = [&](int r, const tensor_desc& d) {
    return p.where[r] == memory::arena && g[r].out.bytes() == d.bytes();
  };

  const auto holds_cells = [&](int j, const tensor_desc& d) {
    return p.offset[j] == 0 && g[j].out.count() == d.count() && g[j].out.element_bytes() == d.element_bytes();
  };
  // True when another input is in input k's buffer, but not cell for cell the same: as one part of a
  // concatenation, whose numbers are read again after they would be overwritten.
  const auto is_mixed = [&](const node& nd, int k) {
    for (int j = 0; j < nd.in_count; ++j)
      if (j != k && p.root[nd.in[j]] == p.root[nd.in[k]] &&
          (nd.kind == op_kind::custom || !holds_cells(nd.in[j], nd.out)))
        return true;
    return false;
  };

  for (int i = 0; i < n; ++i) {
    const node& nd = g[i];
    if (nd.kind == op_kind::reshape && p.where[i] == memory::arena) {
      join(i, p.root[nd.in[0]], p.offset[nd.in[0]]);
    } else if (detail::may_overwrite_input(nd) && p.where[i] == memory::arena) {
      const int candidates = nd.kind == op_kind::custom ? smaller(nd.in_count, 1) : nd.in_count;
      for (int k = 0; k < candidates; ++k) {
        const int r = p.root[nd.in[k]];
        if (!holds_cells(nd.in[k], nd.out) || !owns_buffer(r, nd.out) || group_last[r] != i || is_mixed(nd, k))
          continue;
        join(i, r, 0);
        break;
      }
    } else if (nd.kind == op_kind::concat && detail::is_outermost(nd.out.shape, nd.axis)) {
      size_t at = 0;
      for (int k = 0; k < nd.in_count; ++k) {
        const tensor_desc& d = g[nd.in[k]].out;
        const int r = p.root[nd.in[k]];
        if (r != i && owns_buffer(r, d) && p.offset[nd.in[k]] == 0) {
          for (int j = 0; j < i; ++j)
            if (p.root[j] == r) join(j, i, p.offset[j] + at);
        }
        at += d.bytes();
      }
    }
  }
  for (int i = 0; i < n; ++i) {
    const int r = p.root[i];
    if (p.where[r] != memory::arena) continue;
    if (p.life[r].size == 0) p.life[r] = {g[r].out.bytes(), i, group_last[r]};
    p.life[r].first = smaller(p.life[r].first, i);
  }
  return p;
}

}  // namespace lowbits
