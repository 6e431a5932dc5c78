// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Small .onnx models of every operator and form, and networks of them, on every architecture: codes equal
// those that ONNX Runtime gave, floats within a tolerance. What is not supported is listed with the
// reason, and has to be refused; damaged files are refused too.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>

#include <lowbits/hosted/emit_header.hpp>
#include <lowbits/hosted/import_onnx.hpp>
#include <lowbits/hosted/runtime_model.hpp>

#include "foreign/json_data.hpp"
#include "support/for_each_arch.hpp"

namespace lb = lowbits;

namespace {

using bytes = std::vector<unsigned char>;
using foreign::json;

const std::string folder = LOWBITS_TEST_DATA "/onnx_ops/";

bytes read_file(const std::string& path) {
  const std::string text = foreign::read_text(path);
  return {text.begin(), text.end()};
}
bytes from_hex(const std::string& hex) {
  bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) out.push_back(static_cast<unsigned char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return out;
}

/// The first difference between a tensor and what it should be, or nothing.
std::string difference(const bytes& got, const json& want, const lb::tensor_desc& d, float allowed) {
  const bytes expected = from_hex(want["data"]);
  const std::string type = want["dtype"];
  if (got.size() != expected.size() && type == "float32") return "another number of bytes";
  if (type == "float32") {
    if (d.kind != lb::element::reals) return "codes instead of floats";
    for (std::size_t i = 0; i < got.size(); i += 4) {
      float a, b;
      std::memcpy(&a, &got[i], 4);
      std::memcpy(&b, &expected[i], 4);
      if (!(std::fabs(a - b) <= allowed + 2e-6f * std::fmax(1.0f, std::fabs(b))))
        return "element " + std::to_string(i / 4) + " is " + std::to_string(a) + " instead of " + std::to_string(b);
    }
    return "";
  }
  if (got.size() != expected.size()) return "another number of bytes";
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] != expected[i]) return "byte " + std::to_string(i) + " is " + std::to_string(got[i]) + " instead of " + std::to_string(expected[i]);
  return "";
}

/// The extents that a model names are those of the recorded inputs.
lb::onnx_options options_of(const json& c) {
  lb::onnx_options o;
  if (!c["inputs"].empty() && !c["inputs"][0]["shape"].empty()) {
    const int first = c["inputs"][0]["shape"][0];
    o.extents = {{"batch", first}, {"n", first}, {"N", first}};
  }
  return o;
}

/// Cases that are refused, by the start of their name, and why.
struct unsupported {
  const char* name;
  const char* why;
};
const unsupported not_there[] = {
    {"quantize/q_float16", "the graph has no 16-bit floats"},
    {"quantize/dq_float16", "the same"},
    {"quantize/q_empty", "the graph has no tensors without elements"},
    {"float/reshape_allow_zero", "the same"},
};
const char* reason(const std::string& path) {
  for (const unsupported& u : not_there)
    if (path.rfind(u.name, 0) == 0) return u.why;
  return nullptr;
}

/// Outputs that may be some steps of their last quantization away.
struct near_case {
  const char* path;
  int steps;
  float step;
  const char* why;
};
const near_case not_exact[] = {
    {"network/qdq_uint8_opset13", 1, 0.003922f, "softmax is in 16 bits before its result becomes 8"},
    {"network/qdq_int16_opset21", 1, 1.526e-05f, "the 16-bit softmax is one of tables"},
    {"qdq/averagepool_same", 1, 0.01569f, "means half way between two codes; see the data's README"},
};
float allowance(const std::string& path) {
  for (const near_case& n : not_exact)
    if (path == n.path) return n.step * (static_cast<float>(n.steps) + 0.01f);
  return 0;
}

/// `cases` and `unread` are how many have to run and to be refused.
void run_group(const std::string& group, std::size_t cases, std::size_t unread) {
  const json index = foreign::read_json(folder + group + ".json");
  std::size_t ran = 0, refused = 0;
  for (const json& c : index["cases"]) {
    const std::string name = c["name"];
    const std::string path = folder + group + "/" + name + ".onnx";
    CAPTURE(group);
    CAPTURE(name);
    if (reason(group + "/" + name) != nullptr) {
      ++refused;
      CHECK_THROWS_AS(lb::import_onnx(path, options_of(c)), lb::model_error);
      continue;
    }
    ++ran;
    try {
      const lb::imported_model model = lb::import_onnx(path, options_of(c));
      CHECK(model.origins.size() == static_cast<std::size_t>(model.graph().node_count()));
      CHECK_NOTHROW(lb::emit_header(model.graph()));
      std::vector<bytes> in;
      for (const json& x : c["inputs"]) in.push_back(from_hex(x["data"]));
      lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& arch_name) {
        CAPTURE(arch_name);
        const lb::runtime_model m(model.graph(), arch);
        const std::vector<bytes> out = m.run(in);
        std::string least = "no outputs are recorded";
        for (const json& r : c["results"]) {
          if (!r.contains("outputs")) continue;
          std::string text;
          REQUIRE(out.size() == r["outputs"].size());
          for (std::size_t k = 0; k < out.size() && text.empty(); ++k) {
            text = difference(out[k], r["outputs"][k], m.output_desc(static_cast<int>(k)), allowance(group + "/" + name));
          }
          least = text;
          if (text.empty()) break;
        }
        CHECK(least == "");
      });
    } catch (const std::exception& e) {
      FAIL_CHECK(std::string(e.what()));
    }
  }
  CHECK(ran == cases);
  CHECK(refused == unread);
}

}  // namespace

TEST_CASE("import_onnx: QLinearConv, QLinearMatMul, and codes as they are") { run_group("integer", 76, 0); }
TEST_CASE("import_onnx: QuantizeLinear and DequantizeLinear") { run_group("quantize", 107, 3); }
TEST_CASE("import_onnx: operators between DequantizeLinear and QuantizeLinear") { run_group("qdq", 94, 0); }
TEST_CASE("import_onnx: float operators") { run_group("float", 105, 1); }
TEST_CASE("import_onnx: networks") { run_group("network", 18, 0); }

TEST_CASE("import_onnx: damaged and foreign files are refused with a sentence") {
  const json index = foreign::read_json(folder + "refused.json");
  CHECK(index["cases"].size() == 69);
  for (const json& c : index["cases"]) {
    const std::string name = c["name"];
    CAPTURE(name);
    try {
      const lb::imported_model m = lb::import_onnx(read_file(folder + "refused/" + name + ".onnx"), name + ".onnx");
      FAIL_CHECK("accepted");
    } catch (const lb::model_error& e) {
      const std::string text = e.what();
      CHECK(text.rfind("lowbits: import_onnx: " + name + ".onnx: ", 0) == 0);
      CHECK(text.find("; ") != text.npos);
    }
  }
}

TEST_CASE("import_onnx: every operator is in the documentation") {
  const std::string page = foreign::read_text(LOWBITS_TEST_DATA "/../../docs/importing.md");
  for (const auto& o : lb::onnx::operators) {
    CAPTURE(std::string(o.name));
    CHECK(page.find(o.name) != page.npos);
  }
}
