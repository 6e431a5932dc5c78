// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What every importer returns: the graph with its arrays, where each node is from, and what the
// importer has to say about the model.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <lowbits/hosted/stored_graph.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// An input or output of a model.
struct model_port {
  std::string name{};  ///< as the file has it
  int node = 0;        ///< of the graph
  tensor_desc desc{};
};

/// The operation of the file that a node of the graph belongs to.
struct node_origin {
  int operation = -1;       ///< its index in the file; -1 for inputs and constants
  std::string kind{};       ///< its name in the file's format: CONV_2D
  std::string tensor{};     ///< full name of the tensor that the node computes
  int output = -1;          ///< which of the operation's outputs the node is; -1 for a node on the way
};

class imported_model : public stored_graph {
public:
  std::string format{};  ///< "TFLite"
  std::vector<model_port> inputs{}, outputs{};
  std::vector<node_origin> origins{};  ///< one for each node of the graph
  std::vector<std::string> notes{};    ///< what a user should know, one sentence each
};

/// Names for nodes: short, printable, each one once.
class node_names {
public:
  /// From the last parts of a path; what is too long loses its front.
  node_name make(std::string_view path, std::string_view otherwise) {
    if (const size_t end = path.find(';'); end != path.npos) path = path.substr(0, end);
    std::string text(path);
    for (char& c : text)
      if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '?') c = '_';
    size_t from = text.rfind('/');
    if (from != text.npos && from != 0) from = text.rfind('/', from - 1);
    if (from != text.npos) text.erase(0, from + 1);
    if (text.size() > longest) text.erase(0, text.size() - longest);
    if (text.empty()) text = otherwise;
    std::string name = text;
    if (const auto at = used_.find(text); at != used_.end()) do {
        const std::string end = "_" + std::to_string(++at->second);
        name = text.substr(0, longest - end.size()) + end;
      } while (used_.find(name) != used_.end());
    used_.emplace(name, 1);
    return node_name(name.c_str());
  }

private:
  static constexpr size_t longest = sizeof(node_name::text) - 2;
  std::map<std::string, int> used_{};  ///< with the last number that was put behind each
};

}  // namespace lowbits
