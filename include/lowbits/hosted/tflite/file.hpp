// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A .tflite file in memory, verified: every table, vector and string lies inside the file. What the
// numbers in them mean is checked by those who read them. Needs flatbuffers and the header that
// flatc makes of tools/schemas/tflite.fbs (CMake target lowbits::tflite).

#include <flatbuffers/flatbuffers.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lowbits/hosted/import_common.hpp>
#include <lowbits_schema/tflite_generated.h>

namespace lowbits::inline LOWBITS_ABI::tflite {

namespace schema = ::lowbits::tflite_schema;

/// Verified; the tables point into the bytes, which must outlive it.
class model_file {
public:
  static constexpr size_t largest_file = (size_t{1} << 31) - 1;

  model_file(std::span<const unsigned char> bytes, std::string_view file_name)
      : bytes_(bytes), name_(file_name) {
    if (bytes.size() < 8)
      fail("the file has " + std::to_string(bytes.size()) + " bytes", "give a .tflite file");
    if (bytes.size() > largest_file) fail("the file has 2^31 bytes or more", "split the model");
    if (!schema::ModelBufferHasIdentifier(bytes.data()))
      fail("the bytes 4 to 7 are not 'TFL3'", "give a .tflite file of schema version 3");
    if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(word) != 0) {
      aligned_.resize((bytes.size() + sizeof(word) - 1) / sizeof(word));
      std::memcpy(aligned_.data(), bytes.data(), bytes.size());
      bytes = {reinterpret_cast<const unsigned char*>(aligned_.data()), bytes.size()};
      bytes_ = bytes;
    }
    flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 32, 4000000);
    if (!schema::VerifyModelBuffer(verifier))
      fail("the file is damaged: an offset is misaligned or leads outside of it", "copy it again");
    model_ = schema::GetModel(bytes.data());
    if (model_->version() != 3)
      fail(joined("the schema version is ", model_->version()), "convert the model to version 3");
    if (model_->subgraphs() == nullptr || model_->subgraphs()->size() == 0)
      fail("the model has no subgraph", "export it again");
    if (model_->subgraphs()->size() > 1)
      fail(joined("the model has ", model_->subgraphs()->size(), " subgraphs"),
           "export one without control flow");
    graph_ = model_->subgraphs()->Get(0);
    if (graph_->tensors() == nullptr || graph_->operators() == nullptr ||
        graph_->inputs() == nullptr || graph_->outputs() == nullptr)
      fail("the subgraph lacks tensors, operators, inputs or outputs", "export it again");
  }

  model_file(const model_file&) = delete;
  model_file& operator=(const model_file&) = delete;

  const schema::Model& model() const noexcept { return *model_; }
  const schema::SubGraph& graph() const noexcept { return *graph_; }
  const std::string& name() const noexcept { return name_; }
  size_t bytes() const noexcept { return bytes_.size(); }

  /// The bytes of buffer i; none where the buffer is empty.
  std::span<const unsigned char> buffer(uint32_t i) const {
    const auto* const all = model_->buffers();
    if (all == nullptr || i >= all->size())
      fail(joined("buffer ", i, " does not exist"), "export the model again");
    const schema::Buffer* const b = all->Get(i);
    if (b->data() != nullptr && b->data()->size() != 0) return {b->data()->data(), b->data()->size()};
    if (b->offset() <= 1) return {};
    if (b->offset() > bytes_.size() || b->size() > bytes_.size() - b->offset())
      fail(joined("buffer ", i, " leads outside of the file"), "copy the file again");
    return bytes_.subspan(static_cast<size_t>(b->offset()), static_cast<size_t>(b->size()));
  }

  [[noreturn]] void fail(std::string_view what, std::string_view cure,
                         std::string_view where = {}) const {
    refuse(where.empty() ? joined("import_tflite: ", name_)
                         : joined("import_tflite: ", name_, ": ", where),
           what, cure);
  }

private:
  struct alignas(16) word {
    unsigned char bytes[16];
  };
  std::vector<word> aligned_{};  ///< a copy, where the bytes are not aligned
  std::span<const unsigned char> bytes_{};
  std::string name_{};
  const schema::Model* model_ = nullptr;
  const schema::SubGraph* graph_ = nullptr;
};

/// The operator's name in the format's documentation.
inline std::string operator_name(int code) {
  const char* const known = schema::EnumNameBuiltinOperator(schema::BuiltinOperator{code});
  return known[0] != '\0' ? known : joined("operator code ", code);
}

}  // namespace lowbits::tflite
