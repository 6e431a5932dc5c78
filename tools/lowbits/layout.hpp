// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Places the nodes of a directed graph without cycles in rows, edges pointing down: rows by the
// longest path (Sugiyama, Tagawa, Toda 1981), order in a row by the mean position of the neighbours,
// and positions that are the best fit to those means which keeps order and distance.

#include <cstddef>
#include <utility>
#include <vector>

namespace tool {

struct placed_graph {
  /// A node, or the passage of an edge through a row.
  struct spot {
    int node = -1;  ///< -1 for a passage
    int row = 0;
    double x = 0;                     ///< of its middle
    std::vector<int> above{}, below{};  ///< neighbouring spots
  };
  std::vector<spot> spots{};             ///< the first ones are the nodes, in their order
  std::vector<std::vector<int>> rows{};  ///< spots from left to right
  /// For every edge given to place_graph, the spots it visits.
  std::vector<std::vector<int>> edges{};
  double width = 0;
};

/// Each takes memory and a place in the drawing.
inline constexpr std::size_t most_passages = 200000;

/// edges: from, to. A node in `near` sits one row above the first node that reads it. Throws a model_error
/// where there would be more than most_passages.
placed_graph place_graph(int nodes, const std::vector<std::pair<int, int>>& edges, const std::vector<bool>& near,
                         double node_width, double passage_width, double gap);

}  // namespace tool
