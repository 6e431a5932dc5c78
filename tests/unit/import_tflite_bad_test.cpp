// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Damaged and hostile .tflite files: every one is refused with one sentence, or is a model that runs.

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <string>

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

namespace {

/// A model whose constants are all in one buffer.
class shared_buffer {
public:
  explicit shared_buffer(const bytes& data) {
    buffers_ = {schema::CreateBuffer(b_), schema::CreateBuffer(b_, b_.CreateVector(data))};
    for (const auto code : {schema::BuiltinOperator::DEQUANTIZE, schema::BuiltinOperator::BATCH_MATMUL}) {
      schema::OperatorCodeBuilder c(b_);
      c.add_deprecated_builtin_code(static_cast<std::int8_t>(code));
      c.add_builtin_code(code);
      codes_.push_back(c.Finish());
    }
  }
  int constant(const std::vector<int>& shape, schema::TensorType type, float scale, std::int64_t zero = 0) {
    const auto q = schema::CreateQuantizationParameters(b_, 0, 0, b_.CreateVector(std::vector<float>{scale}),
                                                        b_.CreateVector(std::vector<std::int64_t>{zero}));
    return tensor(shape, type, 1, q);
  }
  int reals(const std::vector<int>& shape) { return tensor(shape, schema::TensorType::FLOAT32, 0, {}); }
  /// The result is an output of the model.
  void dequantize(int x, int y) { add(0, {x}, y, schema::BuiltinOptions::NONE, 0); }
  void batch_matmul(int x, int w, int y) {
    inputs_.push_back(x);
    add(1, {x, w}, y, schema::BuiltinOptions::BatchMatMulOptions, schema::CreateBatchMatMulOptions(b_).Union());
  }
  bytes file() {
    const auto tensors = b_.CreateVector(tensors_);
    const auto in = b_.CreateVector(inputs_), out = b_.CreateVector(outputs_);
    const auto operators = b_.CreateVector(operators_);
    schema::SubGraphBuilder g(b_);
    g.add_tensors(tensors);
    g.add_inputs(in);
    g.add_outputs(out);
    g.add_operators(operators);
    const auto graphs = b_.CreateVector(std::vector{g.Finish()});
    const auto codes = b_.CreateVector(codes_);
    const auto buffers = b_.CreateVector(buffers_);
    schema::ModelBuilder m(b_);
    m.add_version(3);
    m.add_operator_codes(codes);
    m.add_subgraphs(graphs);
    m.add_buffers(buffers);
    schema::FinishModelBuffer(b_, m.Finish());
    return {b_.GetBufferPointer(), b_.GetBufferPointer() + b_.GetSize()};
  }

private:
  int tensor(const std::vector<int>& shape, schema::TensorType type, unsigned buffer,
             flatbuffers::Offset<schema::QuantizationParameters> q) {
    const auto extents = b_.CreateVector(shape);
    schema::TensorBuilder t(b_);
    t.add_shape(extents);
    t.add_type(type);
    t.add_buffer(buffer);
    if (!q.IsNull()) t.add_quantization(q);
    tensors_.push_back(t.Finish());
    return static_cast<int>(tensors_.size()) - 1;
  }
  void add(unsigned code, const std::vector<int>& in, int y, schema::BuiltinOptions type, flatbuffers::Offset<void> options) {
    const auto inputs = b_.CreateVector(in), outputs = b_.CreateVector(std::vector<int>{y});
    schema::OperatorBuilder o(b_);
    o.add_opcode_index(code);
    o.add_inputs(inputs);
    o.add_outputs(outputs);
    o.add_builtin_options_type(type);
    o.add_builtin_options(options);
    operators_.push_back(o.Finish());
    outputs_.push_back(y);
  }

  flatbuffers::FlatBufferBuilder b_{};
  std::vector<flatbuffers::Offset<schema::Buffer>> buffers_{};
  std::vector<flatbuffers::Offset<schema::OperatorCode>> codes_{};
  std::vector<flatbuffers::Offset<schema::Tensor>> tensors_{};
  std::vector<flatbuffers::Offset<schema::Operator>> operators_{};
  std::vector<int> inputs_{}, outputs_{};
};

std::vector<float> output_of(const lb::imported_model& m, std::size_t k) {
  const lb::runtime_model r(m.graph());
  std::vector<bytes> in;
  const float one = 1.0f;
  for (int i = 0; i < r.input_count(); ++i) {
    in.emplace_back(r.input_desc(i).bytes());
    for (std::size_t at = 0; at < in.back().size(); at += sizeof one) std::memcpy(&in.back()[at], &one, sizeof one);
  }
  const bytes out = r.run(in)[k];
  std::vector<float> numbers(out.size() / sizeof one);
  std::memcpy(numbers.data(), out.data(), out.size());
  return numbers;
}

}  // namespace

TEST_CASE("import_tflite: constants that share a buffer, but not scale, type or shape") {
  using type = schema::TensorType;
  using numbers = std::vector<float>;
  shared_buffer s({1, 2, 3, 4});
  s.dequantize(s.constant({4}, type::INT8, 1.0f), s.reals({4}));
  s.dequantize(s.constant({4}, type::INT8, 2.0f), s.reals({4}));
  s.dequantize(s.constant({8}, type::INT4, 2.0f), s.reals({8}));
  s.dequantize(s.constant({7}, type::INT4, 1.0f), s.reals({7}));
  s.dequantize(s.constant({2}, type::INT16, 1.0f), s.reals({2}));
  const lb::imported_model m = lb::import_tflite(s.file(), "shared.tflite");
  CHECK(output_of(m, 0) == numbers{1, 2, 3, 4});
  CHECK(output_of(m, 1) == numbers{2, 4, 6, 8});
  CHECK(output_of(m, 2) == numbers{2, 0, 4, 0, 6, 0, 8, 0});
  CHECK(output_of(m, 3) == numbers{1, 0, 2, 0, 3, 0, 4});
  CHECK(output_of(m, 4) == numbers{513, 1027});

  bytes codes;
  for (int i = 0; i < 48; ++i) codes.push_back(static_cast<unsigned char>(i));
  shared_buffer w(codes);
  const int two = w.constant({2, 4, 6}, type::INT8, 1.0f), one = w.constant({4, 12}, type::INT8, 1.0f);
  w.batch_matmul(w.reals({2, 3, 4}), two, w.reals({2, 3, 6}));
  w.batch_matmul(w.reals({3, 4}), one, w.reals({3, 12}));
  const lb::imported_model p = lb::import_tflite(w.file(), "shared.tflite");
  const numbers first = output_of(p, 0), second = output_of(p, 1);
  REQUIRE(first.size() == 36);
  REQUIRE(second.size() == 36);
  for (int i = 0; i < 36; ++i) {  // sums of four codes of a column
    CHECK(first[static_cast<std::size_t>(i)] == doctest::Approx(i / 18 * 96 + i % 6 * 4 + 36));
    CHECK(second[static_cast<std::size_t>(i)] == doctest::Approx(i % 12 * 4 + 72));
  }
}

TEST_CASE("import_tflite: a file where all tensors share a buffer does not grow without end") {
  shared_buffer s(bytes(1 << 16, 1));
  for (int i = 0; i < 300; ++i) s.dequantize(s.constant({1 << 17}, schema::TensorType::INT4, 1.0f), s.reals({1 << 17}));
  const std::string v = verdict(s.file());
  CHECK_MESSAGE(v.find("the constants grow far beyond the size of the file; store those that differ only") != v.npos, v);
}

TEST_CASE("import_tflite: zero points that no type has") {
  for (const std::int64_t zero : {lb::lowest_of<std::int64_t>, lb::highest_of<std::int64_t>, std::int64_t{128}, std::int64_t{-129}}) {
    shared_buffer s({1, 2, 3, 4});
    s.dequantize(s.constant({4}, schema::TensorType::INT8, 1.0f, zero), s.reals({4}));
    const std::string v = verdict(s.file());
    CHECK_MESSAGE(v.find("has a zero point outside of its type; quantize the model again") != v.npos, v);
  }
}

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
