// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "layout.hpp"

#include <algorithm>
#include <limits>

#include "tool.hpp"

namespace tool {

namespace {

class placer {
public:
  placer(double node_width, double passage_width, double gap)
      : node_width_(node_width), passage_width_(passage_width), gap_(gap) {}

  placed_graph g{};

  void choose_rows(int nodes, const std::vector<std::pair<int, int>>& edges, const std::vector<bool>& near) {
    g.spots.resize(static_cast<size_t>(nodes));
    for (int i = 0; i < nodes; ++i) at(i).node = i;
    // Edges come in the order of the nodes they lead to, and lead from earlier nodes.
    for (const auto& [from, to] : edges) at(to).row = std::max(at(to).row, at(from).row + 1);
    std::vector<int> last(static_cast<size_t>(nodes), std::numeric_limits<int>::max());
    for (const auto& [from, to] : edges) {
      int& row = last[static_cast<size_t>(from)];
      row = std::min(row, at(to).row - 1);
    }
    for (int i = 0; i < nodes; ++i)
      if (near[static_cast<size_t>(i)] && last[static_cast<size_t>(i)] != std::numeric_limits<int>::max())
        at(i).row = last[static_cast<size_t>(i)];
  }

  /// The spots that the edges need between their ends.
  size_t passages(const std::vector<std::pair<int, int>>& edges) {
    size_t count = 0;
    for (const auto& [from, to] : edges) count += static_cast<size_t>(std::max(at(to).row - at(from).row - 1, 0));
    return count;
  }

  void route(const std::vector<std::pair<int, int>>& edges) {
    for (const auto& [from, to] : edges) {
      std::vector<int> path{from};
      for (int row = at(from).row + 1; row < at(to).row; ++row) {
        path.push_back(static_cast<int>(g.spots.size()));
        g.spots.push_back({.row = row});
      }
      path.push_back(to);
      for (size_t k = 0; k + 1 < path.size(); ++k) {
        at(path[k]).below.push_back(path[k + 1]);
        at(path[k + 1]).above.push_back(path[k]);
      }
      g.edges.push_back(std::move(path));
    }
    for (size_t s = 0; s < g.spots.size(); ++s) {
      const auto row = static_cast<size_t>(g.spots[s].row);
      if (g.rows.size() <= row) g.rows.resize(row + 1);
      g.rows[row].push_back(static_cast<int>(s));
    }
  }

  void order() {
    for (auto& row : g.rows) spread(row);
    for (int sweep = 0; sweep < 12; ++sweep)
      visit(sweep % 2 == 0, [&](std::vector<int>& row, bool down) {
        std::vector<std::pair<std::pair<double, size_t>, int>> keys;  // equal wishes keep their order
        for (size_t k = 0; k < row.size(); ++k) keys.push_back({{wish(row[k], down), k}, row[k]});
        std::sort(keys.begin(), keys.end());
        for (size_t k = 0; k < row.size(); ++k) row[k] = keys[k].second;
        spread(row);
      });
  }

  void settle() {
    for (int sweep = 0; sweep < 40; ++sweep)
      visit(sweep % 2 == 0, [&](std::vector<int>& row, bool down) { fit(row, down); });
    double left = std::numeric_limits<double>::max(), right = std::numeric_limits<double>::lowest();
    for (size_t s = 0; s < g.spots.size(); ++s) {
      left = std::min(left, g.spots[s].x - half(static_cast<int>(s)));
      right = std::max(right, g.spots[s].x + half(static_cast<int>(s)));
    }
    for (auto& s : g.spots) s.x -= left;
    g.width = right - left;
  }

private:
  placed_graph::spot& at(int i) { return g.spots[static_cast<size_t>(i)]; }
  double half(int s) { return (at(s).node >= 0 ? node_width_ : passage_width_) / 2; }
  double distance(int left, int right) { return half(left) + gap_ + half(right); }

  template <class Visit>
  void visit(bool down, Visit f) {
    for (size_t k = 0; k < g.rows.size(); ++k) f(g.rows[down ? k : g.rows.size() - 1 - k], down);
  }
  /// Side by side, the row's middle at 0.
  void spread(std::vector<int>& row) {
    double x = 0;
    for (size_t k = 0; k < row.size(); ++k) {
      if (k != 0) x += distance(row[k - 1], row[k]);
      at(row[k]).x = x;
    }
    for (const int s : row) at(s).x -= x / 2;
  }
  double wish(int s, bool down) {
    const std::vector<int>& seen = down ? at(s).above : at(s).below;
    if (seen.empty()) return at(s).x;
    double sum = 0;
    for (const int n : seen) sum += at(n).x;
    return sum / static_cast<double>(seen.size());
  }
  /// Least squares under "in this order, so far apart": distances are taken out, then neighbours that
  /// would swap are merged and share their mean.
  void fit(std::vector<int>& row, bool down) {
    struct block {
      double sum = 0;
      size_t count = 0;
      double mean() const { return sum / static_cast<double>(count); }
    };
    std::vector<block> blocks;
    std::vector<double> offset(row.size());
    for (size_t k = 0; k < row.size(); ++k) {
      if (k != 0) offset[k] = offset[k - 1] + distance(row[k - 1], row[k]);
      // Half of the wish comes from the other side, so that the sweeps settle.
      const double wished = (wish(row[k], down) + wish(row[k], !down)) / 2;
      blocks.push_back({wished - offset[k], 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
        const block last = blocks.back();
        blocks.pop_back();
        blocks.back().sum += last.sum;
        blocks.back().count += last.count;
      }
    }
    size_t k = 0;
    for (const block& b : blocks)
      for (size_t n = 0; n < b.count; ++n, ++k) at(row[k]).x = b.mean() + offset[k];
  }

  double node_width_, passage_width_, gap_;
};

}  // namespace

placed_graph place_graph(int nodes, const std::vector<std::pair<int, int>>& edges, const std::vector<bool>& near,
                         double node_width, double passage_width, double gap) {
  placer p(node_width, passage_width, gap);
  p.choose_rows(nodes, edges, near);
  if (p.passages(edges) > most_passages)
    fail("inspect", "--svg", lb::joined("the graph's edges pass more than ", most_passages, " rows, which nobody could follow in a drawing"),
         "leave --svg out");
  p.route(edges);
  p.order();
  p.settle();
  return std::move(p.g);
}

}  // namespace tool
