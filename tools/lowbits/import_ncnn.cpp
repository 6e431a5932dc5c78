// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "importers.hpp"

#include <lowbits/hosted/import_ncnn.hpp>

namespace tool {

lb::imported_model import_ncnn_file(const std::string& path, const extents_by_name& shapes) {
  return lb::import_ncnn(path, ncnn_weights_of(path), {.input_shapes = shapes});
}

std::vector<std::string> ncnn_operators() {
  std::vector<std::string> names;
  for (const auto& l : lb::ncnn::layer_importers) names.emplace_back(l.kind);
  return names;
}

}  // namespace tool
