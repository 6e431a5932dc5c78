// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What a model costs, and what a user should know about it.

#include <string>
#include <vector>

#include <lowbits/graph/report.hpp>

#include "load_model.hpp"

namespace CLI {
class App;
}

namespace tool {

struct model_summary {
  lb::model_report report{};
  size_t arena_bytes = 0;
  std::vector<std::string> notes{};
  std::string error{};  ///< why the model cannot run here
};
model_summary summarize(const loaded_model& m);

/// Bytes of weights, bias or constant of one node, as stored.
size_t node_constant_bytes(const lb::stored_graph::graph_type& g, int i);

/// Sentences about nodes that compute with floats, which some targets refuse `subject` for, and about inputs and
/// outputs of floats; none for a model without both.
std::vector<std::string> float_notes(const loaded_model& m, const std::string& subject);

void add_load_options(CLI::App& command, load_options& options);

}  // namespace tool
