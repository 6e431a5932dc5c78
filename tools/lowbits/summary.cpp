// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "summary.hpp"

#include <CLI/CLI.hpp>

#include <lowbits/hosted/model_text.hpp>
#include <lowbits/hosted/runtime_model.hpp>

namespace tool {

size_t node_constant_bytes(const lb::stored_graph::graph_type& g, int i) {
  const lb::node& n = g[i];
  size_t weights = 0;
  if (lb::has_weights(n.kind))
    weights = static_cast<size_t>(lb::node_depth(g, i)) * static_cast<size_t>(n.out.shape.extent[n.out.shape.rank - 1]);
  return lb::constant_bytes(n, weights);
}

std::string float_nodes_text(const loaded_model& m) {
  const auto& g = m.graph();
  std::string names;
  int count = 0, computing = 0;
  for (int i = 0; i < g.node_count(); ++i) {
    if (!lb::is_float_node(g[i])) continue;
    ++count;
    if (g[i].kind == lb::op_kind::input || g[i].kind == lb::op_kind::constant) continue;
    if (++computing <= 3) names += lb::joined(computing == 1 ? "'" : ", '", g[i].name, "'");
  }
  if (count == 0) return "";
  if (computing == 0) return "the model has inputs of floats";
  return lb::joined(computing, computing == 1 ? " node computes" : " nodes compute", " with floats: ", names,
                    computing > 3 ? ", .." : "");
}

model_summary summarize(const loaded_model& m) {
  model_summary s;
  s.notes = m.model.notes;
  const std::string floats = float_nodes_text(m);
  if (!floats.empty()) s.notes.push_back(lb::joined(floats, "; targets without floating point refuse the model"));
  try {
    const lb::runtime_model model(m.graph());
    s.report = model.report();
    s.arena_bytes = model.arena_bytes();
  } catch (const lb::model_error& e) {
    s.error = e.what();
    s.report = lb::make_report(m.graph(), m.graph().node_count(), 0, 0);
    s.notes.push_back(s.error);
  }
  if (s.report.wide_accumulators != 0)
    s.notes.push_back(lb::joined(s.report.wide_accumulators, s.report.wide_accumulators == 1 ? " layer sums" : " layers sum",
                                 " in 64 bits, which is slower: the sums may not fit in 32"));
  return s;
}

void add_load_options(CLI::App& command, load_options& options) {
  command
      .add_option("--shape", options.shapes,
                  "extents that the file leaves open, NAME=N or NAME=N,N,..: an axis of an ONNX model, "
                  "or an input of an ncnn model; may be repeated")
      ->allow_extra_args(false);
}

}  // namespace tool
