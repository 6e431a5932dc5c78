// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What every fuzz program does with a model that was imported: writes its header and, where it is small,
// packs, plans and runs it once.

#include <vector>

#include <lowbits/hosted/emit_header.hpp>
#include <lowbits/hosted/imported_model.hpp>
#include <lowbits/hosted/runtime_model.hpp>

/// Throws model_error for a graph that cannot be written down or run.
inline void run_small(const lowbits::imported_model& m) {
  const auto& g = m.graph();
  static_cast<void>(lowbits::emit_header(g));
  constexpr std::size_t most_bytes = std::size_t{1} << 20, most_nodes = 200;
  std::size_t bytes = 0;
  for (int i = 0; i < g.node_count(); ++i) bytes += g[i].out.bytes();
  if (bytes > most_bytes || static_cast<std::size_t>(g.node_count()) > most_nodes) return;
  const lowbits::runtime_model r(g);
  if (r.arena_bytes() > 4 * most_bytes || r.report().macs > most_bytes) return;
  std::vector<std::vector<unsigned char>> in;
  for (int k = 0; k < r.input_count(); ++k) {
    in.emplace_back(r.input_desc(k).bytes());
    // All zeros for the first input; codes of all sizes, or small floats, for the others.
    for (std::size_t i = 0; k > 0 && i < in.back().size(); ++i)
      in.back()[i] = r.input_desc(k).kind == lowbits::element::codes ? static_cast<unsigned char>(i * 37) : i % 4 == 3 ? 0x3f : 0;
  }
  static_cast<void>(r.run(in));
}
