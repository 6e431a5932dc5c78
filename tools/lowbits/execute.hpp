// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs a loaded model and keeps what the commands print.

#include <string>
#include <vector>

#include "load_model.hpp"
#include "tool.hpp"

namespace tool {

struct layer_output {
  int node = 0;
  lb::tensor_desc desc{};
  bytes elements{};
};

struct execution {
  std::vector<bytes> outputs{};
  std::vector<layer_output> layers{};  ///< inputs included, constants not
  std::string arch{};
  double median_us = 0, best_us = 0;  ///< of `repeat` further runs
  size_t arena_bytes = 0, prepared_bytes = 0;
};

/// arch: a name, or "" for the best one.
execution execute(std::string_view command, const loaded_model& m, const std::vector<bytes>& inputs, const std::string& arch,
                  int repeat);

/// The architectures that this processor and build have: "generic, avx2".
std::string arch_names();

}  // namespace tool
