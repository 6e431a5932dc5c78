// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The memory plan of a graph that is only known at run time.

#include <lowbits/graph/routes.hpp>
#include <lowbits/graph/layout.hpp>
#include <lowbits/hosted/model_error.hpp>
#include <lowbits/hosted/runtime_graph.hpp>
#include <lowbits/hosted/stored_graph.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct runtime_plan {
  size_t arena_bytes = 0;
  std::vector<route> routes{};
  std::vector<location> inputs{};
  std::vector<late_copy> late{};
  std::vector<const void*> constants{};  ///< in the order of the nodes
};

/// work: bytes of scratch of each step.
inline runtime_plan plan_runtime(const runtime_graph& g, const std::vector<size_t>& work) {
  constexpr size_t most = stored_graph::capacity;
  const auto n = static_cast<size_t>(g.node_count());
  if (n > most)
    refuse("runtime_model", joined("the graph has ", n, " nodes, and at most ", most, " are planned"), "split it");
  const auto placed = std::make_unique<placement<most>>(place_nodes<most>(g, g.node_count()));
  std::vector<buffer_life> buffers(placed->life, placed->life + n);
  size_t operands = 0;
  for (size_t i = 0; i < n; ++i) {
    buffers.push_back({work[i], static_cast<int>(i), static_cast<int>(i)});
    operands += static_cast<size_t>(g[static_cast<int>(i)].in_count);
  }
  std::vector<size_t> offset(2 * n), order(2 * n), sorted(2 * n);
  runtime_plan p{.routes = std::vector<route>(n), .inputs = std::vector<location>(operands + 1), .late = std::vector<late_copy>(max_inputs)};
  p.arena_bytes = larger(plan_buffers(buffers.data(), 2 * n, arena_alignment, offset.data(), order.data(), sorted.data()),
                         arena_alignment);
  if (p.arena_bytes >= uint64_t{1} << 32) refuse("runtime_model", "the arena would need 4 GiB or more", "split the graph");
  make_routes(g, g.node_count(), *placed, offset.data(), offset.data() + n, p.routes.data(), p.inputs.data());
  for (size_t i = 0; i < n; ++i)
    if (g[static_cast<int>(i)].kind == op_kind::constant) p.constants.push_back(g[static_cast<int>(i)].constant.data);
  p.late.resize(static_cast<size_t>(make_late_copies(g, *placed, offset.data(), p.late.data())));
  return p;
}

}  // namespace lowbits
