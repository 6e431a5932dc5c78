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

std::vector<std::string> float_notes(const loaded_model& m, const std::string& subject) {
  const auto& g = m.graph();
  struct list {
    std::string names{};
    int count = 0;
    void add(const lb::node& n) {
      if (++count <= 3) names += lb::joined(count == 1 ? "'" : ", '", n.name, "'");
      if (count == 4) names += ", ..";
    }
  } computing, ends;
  for (int i = 0; i < g.node_count(); ++i)
    if (lb::computes_in_floats(g, i)) computing.add(g[i]);
  const auto add_end = [&](int i) {
    if (g[i].out.kind == lb::element::reals) ends.add(g[i]);
  };
  for (int k = 0; k < g.input_count(); ++k) add_end(g.input_node(k));
  for (int k = 0; k < g.output_count(); ++k) add_end(g.output_node(k));
  std::vector<std::string> notes;
  if (computing.count != 0)
    notes.push_back(lb::joined(computing.count, computing.count == 1 ? " node computes" : " nodes compute", " with floats: ",
                               computing.names, "; targets without floating point refuse ", subject));
  if (ends.count != 0) notes.push_back(lb::joined("floats at the ends: ", ends.names));
  return notes;
}

model_summary summarize(const loaded_model& m) {
  model_summary s;
  s.notes = m.model.notes;
  for (const std::string& note : float_notes(m, "the model")) s.notes.push_back(note);
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
