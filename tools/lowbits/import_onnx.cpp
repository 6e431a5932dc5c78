// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "importers.hpp"

#include <lowbits/hosted/import_onnx.hpp>

namespace tool {

lb::imported_model import_onnx_file(const std::string& path, const extents_by_name& shapes) {
  lb::onnx_options options;
  for (const auto& [name, extents] : shapes) {
    if (extents.size() != 1)
      lb::refuse(lb::joined("import_onnx: ", path), lb::joined("--shape ", name, " has ", extents.size(), " extents"),
                 "give one number for each axis that the model only names");
    options.extents[name] = extents.front();
  }
  return lb::import_onnx(path, options);
}

std::vector<std::string> onnx_operators() {
  std::vector<std::string> names;
  for (const auto& o : lb::onnx::operators) names.emplace_back(o.name);
  return names;
}

}  // namespace tool
