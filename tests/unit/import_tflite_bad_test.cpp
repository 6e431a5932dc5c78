// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Damaged and hostile .tflite files: every one is refused with one sentence, or is a model that runs.

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>

#include <lowbits/hosted/import_tflite.hpp>
#include <lowbits/hosted/runtime_model.hpp>

#include "foreign/json_data.hpp"

namespace lb = lowbits;
namespace schema = lowbits::tflite_schema;

namespace {

using bytes = std::vector<unsigned char>;

bytes read_case(const std::string& name) {
  const std::string text = foreign::read_text(LOWBITS_TEST_DATA "/tflite_ops/" + name + ".tflite");
  return {text.begin(), text.end()};
}

/// What is wrong with the file, or "" where it is a model; those that are small also run.
std::string verdict(const bytes& file) {
  try {
    const lb::imported_model model = lb::import_tflite(file, "bad.tflite");
    const lb::runtime_model m(model.graph());
    if (m.arena_bytes() < (1u << 20) && m.report().macs < (1u << 20)) {
      std::vector<bytes> in;
      for (int k = 0; k < m.input_count(); ++k) in.emplace_back(m.input_desc(k).bytes());
      static_cast<void>(m.run(in));
    }
    return "";
  } catch (const lb::model_error& e) { return e.what(); }
}
bool is_sentence(const std::string& s) {
  return s.empty() || ((s.rfind("lowbits: import_tflite: bad.tflite: ", 0) == 0 || s.rfind("lowbits: runtime_model: ", 0) == 0) &&
                       s.find("; ") != s.npos);
}

const char* const small_models[] = {"fully_connected/int8_plain", "conv_2d/int8_3x3_same", "networks/int8_residual",
                                    "strided_slice/int8_shrink", "concatenation/int8_channels"};

std::vector<bytes> models() {
  std::vector<bytes> all;
  for (const char* name : small_models)
    if (std::filesystem::exists(std::string(LOWBITS_TEST_DATA "/tflite_ops/") + name + ".tflite"))
      all.push_back(read_case(name));
  return all;
}

}  // namespace

TEST_CASE("import_tflite: files cut off anywhere") {
  const std::vector<bytes> all = models();
  REQUIRE(all.size() >= 3);
  for (const bytes& whole : all)
    for (std::size_t n = 0; n < whole.size(); n += n < 400 ? 1 : 7) {
      const bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
      const std::string v = verdict(cut);
      CAPTURE(n);
      CHECK_MESSAGE(is_sentence(v), v);
    }
}

TEST_CASE("import_tflite: files with a wrong byte anywhere") {
  std::size_t refused = 0;
  for (const bytes& whole : models())
    for (std::size_t i = 0; i < whole.size(); ++i)
      for (const int change : {0xff, 0x80, 0x01}) {
        bytes file = whole;
        file[i] = static_cast<unsigned char>(file[i] ^ change);
        const std::string v = verdict(file);
        refused += v.empty() ? 0 : 1;
        CAPTURE(i);
        CHECK_MESSAGE(is_sentence(v), v);
      }
  CHECK(refused > 1000);
}

namespace {

/// A file whose tables can be changed in place.
struct editor {
  bytes file;

  const schema::Model* model() { return schema::GetModel(file.data()); }
  const schema::SubGraph* graph() { return model()->subgraphs()->Get(0); }
  const schema::Tensor* tensor(unsigned i) { return graph()->tensors()->Get(i); }
  const schema::Operator* op() { return graph()->operators()->Get(0); }
  template <class T>
  static void set(const flatbuffers::Vector<T>* v, unsigned i, T value) {
    REQUIRE(i < v->size());
    std::memcpy(const_cast<unsigned char*>(v->Data()) + i * sizeof(T), &value, sizeof value);
  }
};

}  // namespace

TEST_CASE("import_tflite: what is wrong is said in one sentence") {
  const float nan = __builtin_nanf("");
  const struct {
    const char* said;
    void (*change)(editor& e, float nan);
    const char* model = "fully_connected/int8_per_tensor_plain";
  } cases[] = {
      {"model inputs: tensor 0 'input' has a scale (number 0) that is zero, negative, infinite or NaN; quantize the model again",
       [](editor& e, float) { e.set(e.tensor(0)->quantization()->scale(), 0, 0.0f); }},
      {"has a scale (number 0) that is zero", [](editor& e, float x) { e.set(e.tensor(1)->quantization()->scale(), 0, x); }},
      {"has a scale (number 0) that is zero", [](editor& e, float) { e.set(e.tensor(1)->quantization()->scale(), 0, -1.0f); }},
      {"has a zero point outside of its type",
       [](editor& e, float) { e.set(e.tensor(0)->quantization()->zero_point(), 0, std::int64_t{300}); }},
      {"has an extent of 0", [](editor& e, float) { e.set(e.tensor(0)->shape(), 1, 0); }},
      {"has an extent of -5", [](editor& e, float) { e.set(e.tensor(0)->shape(), 1, -5); }},
      {"has more than 2^31 - 1 elements",
       [](editor& e, float) { e.set(e.tensor(0)->shape(), 0, 0x7fffffff), e.set(e.tensor(0)->shape(), 1, 3); }},
      {"bytes of data instead of", [](editor& e, float) { e.set(e.tensor(1)->shape(), 0, 5); }},
      {"operator 0 (FULLY_CONNECTED): tensor 99 does not exist; export the model again",
       [](editor& e, float) { e.set(e.op()->inputs(), 0, 99); }},
      {"tensor -7 does not exist", [](editor& e, float) { e.set(e.op()->inputs(), 1, -7); }},
      {"is neither a constant nor computed by an operator before this one",
       [](editor& e, float) { e.set(e.op()->inputs(), 0, e.op()->outputs()->Get(0)); },
       "add/int8_same_shape"},
      {"has a value already", [](editor& e, float) { e.set(e.op()->outputs(), 0, e.op()->inputs()->Get(0)); },
       "add/int8_same_shape"},
      {"model outputs: tensor 'weights' is not computed by any operator", [](editor& e, float) { e.set(e.graph()->outputs(), 0, 1); }},
      {"model inputs: tensor 77 does not exist", [](editor& e, float) { e.set(e.graph()->inputs(), 0, 77); }},
      {"the bytes 4 to 7 are not 'TFL3'", [](editor& e, float) { e.file[5] = 'X'; }},
      {"the file is damaged", [](editor& e, float) { e.file[0] = 0xf0; }},
      {"the file has 3 bytes", [](editor& e, float) { e.file.resize(3); }},
  };
  for (const auto& c : cases) {
    editor e{read_case(c.model)};
    REQUIRE(verdict(e.file) == "");
    c.change(e, nan);
    CAPTURE(std::string(c.said));
    const std::string v = verdict(e.file);
    CHECK_MESSAGE(v.find(c.said) != v.npos, v);
    CHECK_MESSAGE(is_sentence(v), v);
  }
  CHECK_THROWS_WITH_AS(lb::import_tflite(std::string("/nowhere/x.tflite")),
                       "lowbits: import_tflite: /nowhere/x.tflite: the file cannot be opened; check the path", lb::model_error);
}
