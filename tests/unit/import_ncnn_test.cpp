// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every recorded case of tests/data/ncnn_ops on every architecture: codes are ncnn's, floats within a
// tolerance, from text and binary files; damaged files are refused in one sentence.

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <string>

#include <lowbits/hosted/emit_header.hpp>
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
/// ncnn's mish takes the logarithm of 1 + exp(x), which it has rounded to float.
double tolerance_of(const json& c) { return c["name"] == "mish" ? 5e-6 : tolerance; }

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
  CHECK_NOTHROW(lb::emit_header(model.graph()));
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
      CHECK(lowbits_test::difference(dtype, out[k], lowbits_test::bytes_of(outputs[k]), tolerance_of(c)) == "");
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
  CHECK(ran == 206);
  CHECK(binary >= 20);
}

TEST_CASE("import_ncnn: a layer with outputs that it does not make") {
  for (const std::string text : {"Eltwise e 2 2 x x p q 0=1\nReLU r 1 1 q y\n", "Eltwise e 2 2 x x p q 0=1\nReLU r 1 1 p y\n"}) {
    const std::string param = "7767517\n3 4\nInput in 0 1 x 0=4\n" + text;
    CHECK_THROWS_WITH_AS(lb::import_ncnn(bytes(param.begin(), param.end()), {}, "m.param"), doctest::Contains("there is not one output"),
                         lb::model_error);
  }
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

namespace {

std::span<const unsigned char> bytes_in(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}
/// A model in text without weights.
lb::imported_model import_text(const std::string& text, const lb::ncnn_options& options = {}) {
  return lb::import_ncnn(bytes_in(text), {}, "text", options);
}
/// What is said about it, or nothing.
template <class Function>
std::string message_of(const Function& f) {
  try {
    f();
  } catch (const lb::model_error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("import_ncnn: cut and changed files") {
  const std::string network = folder + "int8/network_codes";
  const bytes text = read_file(network + ".param"), binary = read_file(network + ".param.bin"),
              weights = read_file(network + ".bin");
  const auto refused = [](const bytes& param, const bytes& bin) {
    return !message_of([&] { lb::import_ncnn(param, bin, "cut"); }).empty();
  };
  const auto first = [](const bytes& b, std::size_t n) { return bytes(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(n)); };
  // The last characters of the text are a number that can be shorter.
  for (std::size_t n = 0; n + 8 < text.size(); n += 3) CHECK(refused(first(text, n), weights));
  for (std::size_t n = 0; n < binary.size(); n += 3) CHECK(refused(first(binary, n), weights));
  for (std::size_t n = 0; n < weights.size(); n += 13) CHECK(refused(text, first(weights, n)));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < binary.size(); ++i)
    for (const int change : {0x01, 0x80, 0xff}) {
      bytes changed = binary;
      changed[i] = static_cast<unsigned char>(changed[i] ^ change);
      wrong += refused(changed, weights) ? 1 : 0;
    }
  CHECK(wrong > binary.size());
}

TEST_CASE("import_ncnn: shapes that the file leaves open") {
  const std::string text = "7767517\n2 2\nInput in 0 1 data\nReLU r 1 1 data y\n";
  CHECK(message_of([&] { import_text(text); }) ==
        "lowbits: import_ncnn: text: layer 'in' (Input): the extents of input 'data' are not stated; give them in "
        "ncnn_options::input_shapes[\"data\"]");
  const lb::imported_model m = import_text(text, {.input_shapes = {{"data", {3, 2, 4}}}});
  CHECK(m.inputs.at(0).name == "data");
  CHECK(m.outputs.at(0).name == "y");
  CHECK(shape_of(m.outputs[0].desc) == "[3,2,4]");
  CHECK(message_of([&] { import_text(text, {.input_shapes = {{"data", {3, 0, 4}}}}); }) != "");
  CHECK(message_of([&] { import_text(text, {.input_shapes = {{"data", {1, 2, 3, 4}}}}); }) != "");
}

TEST_CASE("import_ncnn: what computes in floats is reported, and refused where integers are asked for") {
  const std::string codes = folder + "int8/network_codes", one = folder + "int8/depthwise_term_101";
  const lb::imported_model m = lb::import_ncnn(codes + ".param", codes + ".bin");
  CHECK(m.format == "ncnn");
  REQUIRE(m.notes.size() == 2);  // the pooling and the softmax
  CHECK(m.notes[0] == "layer 'pooling_4' (Pooling): computes in floats");
  std::map<lb::op_kind, int> on_codes;
  for (int i = 0; i < m.graph().node_count(); ++i) {
    const lb::node& n = m.graph()[i];
    CHECK(n.kind != lb::op_kind::custom);
    if (n.weights.is_bound()) {
      CHECK(n.weights.storage == lb::weight_storage::s8);
      CHECK(m.graph()[n.in[0]].out.kind == lb::element::codes);
      ++on_codes[n.kind];
    }
  }
  CHECK(on_codes[lb::op_kind::conv2d] == 2);
  CHECK(on_codes[lb::op_kind::depthwise] == 1);
  CHECK(on_codes[lb::op_kind::dense] == 1);
  CHECK(message_of([&] { lb::import_ncnn(codes + ".param", codes + ".bin", {.integer_only = true}); })
            .find("layer 'convolution_3' (Convolution): floats come out of the layer; ") != std::string::npos);
  CHECK(message_of([&] { import_text("7767517\n2 2\nInput in 0 1 x 0=4\nReLU r 1 1 x y\n", {.integer_only = true}); }) ==
        "lowbits: import_ncnn: text: layer 'r' (ReLU): the layer computes in floats; quantize the model with int8 layers "
        "throughout, or leave integer_only off");
  CHECK(message_of([&] { lb::import_ncnn(one + ".param", one + ".bin", {.integer_only = true}); }) == "");
}
