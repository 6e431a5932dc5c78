// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "draw.hpp"

#include <cmath>

#include <lowbits/graph/signature.hpp>
#include <lowbits/hosted/model_text.hpp>

#include "layout.hpp"
#include "text_table.hpp"
#include "tool.hpp"

namespace tool {

namespace {

constexpr double box_width = 236, box_height = 58, row_gap = 34, margin = 24, title_height = 44;

std::string escaped(const std::string& s) {
  std::string out;
  for (const char c : s) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (static_cast<unsigned char>(c) >= ' ' && static_cast<unsigned char>(c) <= '~') out += c;
    else out += '?';
  }
  return out;
}
std::string px(double v) { return std::to_string(std::lround(v)); }

struct colours {
  const char *edge, *fill;
};
colours colours_of(const lb::stored_graph::graph_type& g, int i) {
  const lb::node& n = g[i];
  using k = lb::op_kind;
  if (n.kind == k::input) return {"#37474f", "#eceff1"};
  if (n.kind == k::constant) return {"#90a4ae", "#fafafa"};
  if (lb::computes_in_floats(g, i)) return {"#c62828", "#ffebee"};
  if (lb::has_weights(n.kind) || n.kind == k::matmul) return {"#1565c0", "#e3f2fd"};
  switch (n.kind) {
    case k::max_pool:
    case k::average_pool:
    case k::global_mean: return {"#2e7d32", "#e8f5e9"};
    case k::add:
    case k::sub:
    case k::mul:
    case k::minimum:
    case k::maximum: return {"#ef6c00", "#fff3e0"};
    case k::softmax:
    case k::function:
    case k::requantize:
    case k::quantize:
    case k::dequantize: return {"#6a1b9a", "#f3e5f5"};
    default: return {"#616161", "#f5f5f5"};
  }
}

std::string text(double x, double y, const char* style, const std::string& s) {
  return lb::joined("<text x=\"", px(x), "\" y=\"", px(y), "\" ", style, ">", escaped(s), "</text>\n");
}

}  // namespace

std::string draw_svg(const loaded_model& m) {
  const auto& g = m.graph();
  const int count = g.node_count();
  std::vector<std::pair<int, int>> edges;
  std::vector<bool> near(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    near[static_cast<size_t>(i)] = g[i].kind == lb::op_kind::constant;
    for (int k = 0; k < g[i].in_count; ++k) edges.emplace_back(g[i].in[k], i);
  }
  const placed_graph p = place_graph(count, edges, near, box_width, 6, 26);
  const auto left = [&](double x) { return margin + x; };
  const auto top = [&](int row) { return margin + title_height + row * (box_height + row_gap); };
  const double width = p.width + 2 * margin, height = top(static_cast<int>(p.rows.size())) - row_gap + margin;

  std::string out = lb::joined(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", px(width), "\" height=\"", px(height), "\" viewBox=\"0 0 ",
      px(width), " ", px(height), "\" font-family=\"Helvetica, Arial, sans-serif\">\n",
      "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
      "orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#546e7a\"/></marker></defs>\n",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
  out += text(margin, margin + 14, "font-size=\"15\" font-weight=\"bold\" fill=\"#263238\"", shortened(file_name(m.path), 34));
  out += text(margin, margin + 30, "font-size=\"11\" fill=\"#546e7a\"",
              lb::joined(m.model.format, ", ", count, " nodes"));

  out += "<g fill=\"none\" stroke=\"#546e7a\" stroke-width=\"1.4\">\n";
  for (const std::vector<int>& path : p.edges) {
    std::string d;
    double x = 0, y = 0;
    for (size_t k = 0; k < path.size(); ++k) {
      const placed_graph::spot& s = p.spots[static_cast<size_t>(path[k])];
      const double sx = left(s.x), sy = top(s.row);
      if (k == 0) {
        d = lb::joined("M", px(sx), ",", px(sy + box_height));
      } else {
        const double middle = (y + sy) / 2;
        d += lb::joined(" C", px(x), ",", px(middle), " ", px(sx), ",", px(middle), " ", px(sx), ",", px(sy));
        if (k + 1 < path.size()) d += lb::joined(" V", px(sy + box_height));
      }
      x = sx;
      y = sy + box_height;
    }
    out += lb::joined("<path d=\"", d, "\" marker-end=\"url(#arrow)\"/>\n");
  }
  out += "</g>\n";

  for (int i = 0; i < count; ++i) {
    const lb::node& n = g[i];
    const placed_graph::spot& s = p.spots[static_cast<size_t>(i)];
    const double x = left(s.x) - box_width / 2, y = top(s.row), middle = left(s.x);
    bool is_output = false;
    for (int k = 0; k < g.output_count(); ++k) is_output = is_output || g.output_node(k) == i;
    const colours c = colours_of(g, i);
    const std::string details = lb::details_text(n);
    const std::string title = lb::joined(m.operator_name(i), details.empty() ? "" : "  ", details);
    out += lb::joined("<g><title>", escaped(m.model.origins[static_cast<size_t>(i)].tensor), "</title>\n",
                      "<rect x=\"", px(x), "\" y=\"", px(y), "\" width=\"", px(box_width), "\" height=\"",
                      px(box_height), "\" rx=\"7\" fill=\"", c.fill, "\" stroke=\"", c.edge, "\" stroke-width=\"",
                      is_output ? "3" : "1.3", "\"/>\n");
    out += text(middle, y + 19, lb::joined("text-anchor=\"middle\" font-size=\"12\" font-weight=\"bold\" fill=\"", c.edge, "\"").c_str(),
                shortened(title, 34));
    out += text(middle, y + 34, "text-anchor=\"middle\" font-size=\"11\" fill=\"#263238\"", shortened(n.name.c_str(), 35));
    out += text(middle, y + 49, "text-anchor=\"middle\" font-size=\"11\" fill=\"#607d8b\"",
                lb::joined(lb::shape_text(n.out.shape), " ", lb::type_text(n.out)));
    out += "</g>\n";
  }
  return out + "</svg>\n";
}

}  // namespace tool
