// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The recurrent layers of CMSIS-NN. Rules, signs of zero points among them: data/cmsis-nn/README.md.

#include <string>

#include "foreign/load_cmsis.hpp"

namespace foreign::cmsis {

inline void append(values& to, const values& more) { to.insert(to.end(), more.begin(), more.end()); }

inline lstm_case lstm(const cmsis_file& f) {
  lstm_case c;
  c.shape = {f.param("BATCH_SIZE"), f.param("TIME_STEPS"), f.param("INPUT_SIZE"), f.param("HIDDEN_SIZE"),
             f.root["params"]["TIME_MAJOR"].get<bool>()};
  c.format = f.format();
  c.params = lb::lstm_params::from({1.0f, -f.param("INPUT_ZERO_POINT")}, {1.0f, f.param("OUTPUT_ZERO_POINT")}, f.param("CELL_SCALE_POWER"));
  c.params.forget = multiplier(f, "FORGET_TO_CELL_MULTIPLIER", "FORGET_TO_CELL_SHIFT");
  c.params.input = multiplier(f, "INPUT_TO_CELL_MULTIPLIER", "INPUT_TO_CELL_SHIFT");
  c.params.output = multiplier(f, "OUTPUT_MULTIPLIER", "OUTPUT_SHIFT");
  c.params.cell_limit = f.param("CELL_CLIP");
  c.x = f.array("input");
  for (const std::string gate : {"input", "forget", "cell", "output"}) {
    append(c.x_weights, f.array(gate + "_gate_input_weights"));
    append(c.h_weights, f.array(gate + "_gate_hidden_weights"));
    append(c.bias, f.array(gate + "_gate_bias"));
    std::string upper = gate;
    for (char& letter : upper) letter = static_cast<char>(letter - 'a' + 'A');
    const auto units = static_cast<std::size_t>(c.shape.units);
    const auto factor = [&](const std::string& which) { return multiplier(f, upper + "_GATE_" + which + "_MULTIPLIER", upper + "_GATE_" + which + "_SHIFT"); };
    c.x_factors.insert(c.x_factors.end(), units, factor("INPUT"));
    c.h_factors.insert(c.h_factors.end(), units, factor("HIDDEN"));
  }
  return c;
}

inline svdf_case svdf(const cmsis_file& f) {
  svdf_case c;
  const int rank = f.param("RANK");
  c.shape = {f.param("INPUT_BATCHES"), f.param("INPUT_SIZE"), f.param("FEATURE_BATCHES") / rank, rank, f.param("TIME_BATCHES")};
  c.state_format = f.format();
  c.params = {f.param("INPUT_OFFSET"), multiplier(f, "MULTIPLIER_IN", "SHIFT_1"), multiplier(f, "MULTIPLIER_OUT", "SHIFT_2"), stage(f)};
  c.x = f.array("input_sequence");
  c.steps = static_cast<int>(c.x.size()) / (c.shape.batch * c.shape.inputs);
  c.feature_weights = f.array("weights_feature");
  c.time_weights = f.array("weights_time");
  c.bias = f.array("bias");
  c.state = f.array("state");
  return c;
}

}  // namespace foreign::cmsis
