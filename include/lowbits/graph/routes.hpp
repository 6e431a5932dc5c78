// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Where the operands of every step lie, once nodes are placed and the arena is planned.

#include <lowbits/graph/placement.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Where a tensor's elements begin.
struct location {
  uint32_t offset = 0;
  memory where = memory::arena;
  uint16_t index = 0;
};

/// One node's operands: its output, its scratch, and where its inputs stand in the list of all.
struct route {
  location out{};
  uint32_t scratch = 0;
  uint16_t first_in = 0;
  uint8_t in_count = 0;
};

/// A model output that no node writes in place: an input or constant given out, one node given out twice.
struct late_copy {
  location from{};
  size_t bytes = 0;
  uint8_t output = 0;
};

/// The element of node i; offset holds the roots' places in the arena.
template <size_t N>
constexpr location locate(const placement<N>& p, const size_t* offset, int i) noexcept {
  const int r = p.root[i];
  const size_t base = p.where[r] == memory::arena ? offset[r] : 0;
  return {static_cast<uint32_t>(base + p.offset[i]), p.where[r], static_cast<uint16_t>(p.index[r])};
}

/// Fills one route per node, and the list of all inputs. scratch holds the places of the steps' work
/// memory.
template <class Graph, size_t N>
constexpr void make_routes(const Graph& g, int n, const placement<N>& p, const size_t* offset, const size_t* scratch,
                           route* routes, location* inputs) noexcept {
  size_t next = 0;
  for (int i = 0; i < n; ++i) {
    routes[i] = {locate(p, offset, i), static_cast<uint32_t>(scratch[i]), static_cast<uint16_t>(next),
                 static_cast<uint8_t>(g[i].in_count)};
    for (int k = 0; k < g[i].in_count; ++k) inputs[next++] = locate(p, offset, g[i].in[k]);
  }
}

/// Fills at most one copy per output; gives their number.
template <class Graph, size_t N>
constexpr int make_late_copies(const Graph& g, const placement<N>& p, const size_t* offset, late_copy* copies) noexcept {
  int count = 0;
  for (int k = 0; k < g.output_count(); ++k) {
    const int node = g.output_node(k);
    const location at = locate(p, offset, node);
    if (at.where == memory::model_output && at.index == k) continue;
    copies[count++] = {at, g[node].out.bytes(), static_cast<uint8_t>(k)};
  }
  return count;
}

}  // namespace lowbits
