// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "importers.hpp"

#include <lowbits/hosted/import_tflite.hpp>

namespace tool {

lb::imported_model import_tflite_file(const std::string& path, const extents_by_name& shapes) {
  if (!shapes.empty())
    lb::refuse(lb::joined("import_tflite: ", path), "a .tflite file states all its shapes", "leave out --shape");
  return lb::import_tflite(path);
}

std::vector<std::string> tflite_operators() {
  std::vector<std::string> names;
  for (const auto& o : lb::tflite::operators) names.push_back(lb::tflite::operator_name(static_cast<int>(o.code)));
  return names;
}

}  // namespace tool
