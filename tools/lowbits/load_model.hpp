// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A model from a file: the importer is chosen by the file's extension.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <lowbits/hosted/imported_model.hpp>

namespace tool {

namespace lb = lowbits;

/// What the user says about a model besides its file.
struct load_options {
  /// "NAME=2,3": extents that the file leaves open.
  std::vector<std::string> shapes{};
};
using extents_by_name = std::map<std::string, std::vector<int>>;

struct loaded_model {
  lb::imported_model model{};
  std::string path{};
  size_t file_bytes = 0;  ///< of all its files
  const lb::stored_graph::graph_type& graph() const noexcept { return model.graph(); }
  /// The operation that node i belongs to, as its format calls it, and the node's own kind where that
  /// operation is several nodes.
  std::string operator_name(int i) const;
};

/// One kind of model file.
struct model_format {
  const char* name;
  const char* extension;
  const char* needs;  ///< packages that its importer needs
  lb::imported_model (*import)(const std::string& path, const extents_by_name& shapes);  ///< null: not built
  std::vector<std::string> (*operators)();  ///< what it imports; null: not built
};
/// All of them, also those this build lacks.
const std::vector<model_format>& model_formats();

loaded_model load_model(std::string_view command, const std::string& path, const load_options& options = {});

}  // namespace tool
