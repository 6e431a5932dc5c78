// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every recorded case of tests/data/ncnn_ops on every architecture: codes are ncnn's, floats within a
// tolerance, from text and binary files; damaged files are refused in one sentence.

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include <lowbits/hosted/import_ncnn.hpp>
#include <lowbits/hosted/runtime_model.hpp>

#include "foreign/json_data.hpp"
#include "support/for_each_arch.hpp"
#include "support/recorded_tensors.hpp"

namespace lb = lowbits;
using foreign::json;
using lowbits_test::bytes;

namespace {

const std::string folder = LOWBITS_TEST_DATA "/ncnn_ops/";

/// Sums are exact in the recorded cases. What is left: divisions and functions of a C library, and that
/// ncnn's build contracts sum * scale + bias.
constexpr double tolerance = 1e-6;

bytes read_file(const std::string& path) {
  const std::string text = foreign::read_text(path);
  return {text.begin(), text.end()};
}

/// Sums of 32 bits go in as floats.
bytes input_of(const json& tensor) {
  const bytes b = lowbits_test::bytes_of(tensor);
  if (tensor["dtype"] != "int32") return b;
  std::vector<float> reals;
  for (const std::int32_t v : lowbits_test::elements_of<std::int32_t>(b)) reals.push_back(static_cast<float>(v));
  return lowbits_test::bytes_from(reals);
}

std::string shape_of(const lb::tensor_desc& d) {
  json s = json::array();
  for (int a = 0; a < d.shape.rank; ++a) s.push_back(d.shape.extent[a]);
  return s.dump();
}

void check_case(const json& c, const lb::imported_model& model) {
  const json &inputs = c["inputs"], &outputs = c["results"].at(0)["outputs"];
  REQUIRE(model.inputs.size() == inputs.size());
  REQUIRE(model.outputs.size() == outputs.size());
  REQUIRE(model.origins.size() == static_cast<std::size_t>(model.graph().node_count()));
  std::vector<bytes> in;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    CHECK(shape_of(model.inputs[k].desc) == inputs[k]["shape"].dump());
    in.push_back(input_of(inputs[k]));
  }
  lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& name) {
    CAPTURE(name);
    const std::vector<bytes> out = lb::runtime_model(model.graph(), arch).run(in);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const std::string dtype = outputs[k]["dtype"].get<std::string>();
      CHECK(shape_of(model.outputs[k].desc) == outputs[k]["shape"].dump());
      CHECK((model.outputs[k].desc.kind == lb::element::reals) == (dtype == "float32"));
      CHECK(lowbits_test::difference(dtype, out[k], lowbits_test::bytes_of(outputs[k]), tolerance) == "");
    }
  });
}

}  // namespace

TEST_CASE("import_ncnn: every recorded case on every architecture") {
  std::size_t ran = 0, binary = 0;
  for (const std::string group : {"layers", "int8"}) {
    const json cases = foreign::read_json(folder + group + ".json");
    for (const json& c : cases["cases"]) {
      const std::string name = group + "/" + c["name"].get<std::string>();
      CAPTURE(name);
      const bytes weights = read_file(folder + name + ".bin");
      for (const std::string end : {".param", ".param.bin"}) {
        if (!std::filesystem::exists(folder + name + end)) continue;
        CAPTURE(end);
        check_case(c, lb::import_ncnn(read_file(folder + name + end), weights, name + end));
        ++(end == ".param" ? ran : binary);
      }
    }
  }
  CHECK(ran == 148);
  CHECK(binary >= 20);
}

TEST_CASE("import_ncnn: damaged files are refused") {
  const json cases = foreign::read_json(folder + "refused.json");
  std::size_t refused = 0;
  for (const json& c : cases["cases"]) {
    const std::string path = folder + "refused/" + c["name"].get<std::string>();
    CAPTURE(path);
    const std::string param = path + (std::filesystem::exists(path + ".param") ? ".param" : ".param.bin");
    try {
      lb::import_ncnn(param, path + ".bin");
      FAIL_CHECK("was read");
    } catch (const lb::model_error& e) {
      const std::string text = e.what();
      CHECK(text.rfind("lowbits: import_ncnn: " + param + ": ", 0) == 0);
      CHECK(text.find("; ") != text.npos);
      ++refused;
    }
  }
  CHECK(refused == 56);
}
