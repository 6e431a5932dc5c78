// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A .onnx file in memory, parsed: what is a message is one. What the messages mean is checked by those
// who read them. Needs protobuf and the code that protoc makes of tools/schemas/onnx.proto (CMake
// target lowbits::onnx).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lowbits/hosted/import_common.hpp>
#include <lowbits/hosted/stored_graph.hpp>
#include <lowbits_schema/onnx.pb.h>

namespace lowbits::inline LOWBITS_ABI::onnx {

namespace schema = ::lowbits::onnx_file;

/// A name from the file as messages show it: printable, not long.
inline std::string shown(std::string_view name) {
  std::string s(name.substr(0, 80));
  for (char& c : s)
    if (c < ' ' || c > '~') c = '?';
  return s;
}

class model_file {
public:
  static constexpr size_t largest_file = (size_t{1} << 31) - 1;  ///< protobuf's own limit
  static constexpr int64_t newest_opset = 26;

  model_file(std::span<const unsigned char> bytes, std::string_view file_name) : name_(file_name), bytes_(bytes.size()) {
    if (bytes.empty()) fail("the file is empty", "give a .onnx file");
    if (bytes.size() > largest_file) fail("the file has 2^31 bytes or more", "split the model");
    if (!model_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      fail("the file is damaged, or not a .onnx file", "copy it again");
    if (!model_.has_graph()) fail("the model has no graph", "give a .onnx file");
    if (model_.functions_size() != 0) fail("the model has functions of its own", "inline them (onnx.inliner)");
    for (const auto& o : model_.opset_import()) {
      if (!is_standard(o.domain())) continue;
      if (opset_ != 0) fail("the model names two versions of the standard operators", "export it again");
      opset_ = o.version();
      if (opset_ < 1 || opset_ > newest_opset)
        fail(joined("the version of the operators is ", opset_), joined("use 1 to ", newest_opset));
    }
    if (opset_ == 0) fail("the model names no version of the standard operators", "export it again");
    if (graph().sparse_initializer_size() != 0) fail("the model has sparse constants", "make them dense");
    if (graph().output_size() == 0) fail("the model has no output", "export it again");
    if (static_cast<size_t>(graph().node_size()) > stored_graph::capacity)
      fail(joined("the model has ", graph().node_size(), " nodes"),
           joined("split it into parts of up to ", stored_graph::capacity));
  }

  static bool is_standard(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }
  const schema::GraphProto& graph() const noexcept { return model_.graph(); }
  int64_t opset() const noexcept { return opset_; }
  size_t bytes() const noexcept { return bytes_; }
  int64_t ir_version() const noexcept { return model_.ir_version(); }

  /// "lowbits: import_onnx: <file>: <where>: <what>; <cure>"
  [[noreturn]] void fail(std::string_view what, std::string_view cure, std::string_view where = {}) const {
    refuse(where.empty() ? joined("import_onnx: ", name_) : joined("import_onnx: ", name_, ": ", where), what, cure);
  }

private:
  std::string name_{};
  size_t bytes_ = 0;
  schema::ModelProto model_{};
  int64_t opset_ = 0;
};

}  // namespace lowbits::onnx
