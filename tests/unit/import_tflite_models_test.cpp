// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Imported .tflite files on every architecture: each layer of three networks, and single operators with
// 16-bit activations, give the bytes that TFLite Micro's reference kernels gave.

#include <doctest/doctest.h>

#include <string>

#include <lowbits/hosted/import_tflite.hpp>
#include <lowbits/hosted/runtime_model.hpp>

#include "foreign/check.hpp"
#include "foreign/json_data.hpp"
#include "support/for_each_arch.hpp"

namespace lb = lowbits;

namespace {

using bytes = std::vector<unsigned char>;

bytes read_file(const std::string& path) {
  const std::string text = foreign::read_text(path);
  return {text.begin(), text.end()};
}

/// The first difference of two tensors, or nothing.
std::string difference(const unsigned char* got, const bytes& want) {
  for (std::size_t i = 0; i < want.size(); ++i)
    if (got[i] != want[i])
      return "byte " + std::to_string(i) + " is " + std::to_string(got[i]) + " instead of " + std::to_string(want[i]);
  return "";
}

}  // namespace

TEST_CASE("import_tflite: every layer of the golden networks on every architecture") {
  if (!foreign::data_present()) return;
  const std::string golden = foreign::data_folder() + "golden/";
  for (const std::string network : {"kws", "resnet", "ad"}) {
    const std::string folder = golden + network + "/";
    const foreign::json index = foreign::read_json(folder + "index.json");
    const lb::imported_model model = lb::import_tflite(folder + index["model"].get<std::string>());
    REQUIRE(model.inputs.size() == 1);
    REQUIRE(model.origins.size() == static_cast<std::size_t>(model.graph().node_count()));
    lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& name) {
      const lb::runtime_model m(model.graph(), arch);
      for (const foreign::json& sample : index["samples"]) {
        const std::string here = folder + sample["name"].get<std::string>() + "/";
        std::size_t layers = 0;
        m.run({read_file(here + "in.bin")}, [&](const lb::node_output& o) {
          const lb::node_origin& from = model.origins[static_cast<std::size_t>(o.index)];
          if (from.operation < 0 || from.output < 0) return;
          ++layers;
          const foreign::json& op = index["ops"].at(static_cast<std::size_t>(from.operation));
          const bytes want = read_file(here + op["file"].get<std::string>());
          CAPTURE(network);
          CAPTURE(name);
          CAPTURE(std::string(o.name));
          CHECK(from.kind == op["op"].get<std::string>());
          REQUIRE(o.desc->bytes() == want.size());
          CHECK(difference(static_cast<const unsigned char*>(o.data), want) == "");
        });
        CHECK(layers == index["ops"].size());
      }
    });
  }
}

TEST_CASE("import_tflite: single operators with 16-bit activations") {
  if (!foreign::data_present()) return;
  const std::string folder = foreign::data_folder() + "models/seanet/";
  const foreign::json index = foreign::read_json(folder + "index.json");
  std::size_t ran = 0;
  for (const foreign::json& entry : index["cases"]) {
    const std::string file = entry["file"].get<std::string>(), here = folder + file.substr(0, file.find('/') + 1);
    CAPTURE(file);
    const foreign::json description = foreign::read_json(folder + file);
    const auto bytes_of = [&](const foreign::json& f) {
      const int size = description["tensors"].at(f["tensor"].get<std::size_t>())["dtype"] == "int32" ? 4 : 2;
      bytes out;
      for (const std::int64_t v : foreign::read_csv(here + f["file"].get<std::string>()))
        for (int k = 0; k < size; ++k) out.push_back(static_cast<unsigned char>(v >> (8 * k) & 255));
      return out;
    };
    try {
      const lb::imported_model model = lb::import_tflite(folder + file.substr(0, file.size() - 4) + "tflite");
      std::vector<bytes> in;
      for (const foreign::json& f : description["inputs"])
        if (!description["tensors"].at(f["tensor"].get<std::size_t>())["scale"].empty()) in.push_back(bytes_of(f));  // else a shape
      const bytes want = bytes_of(description["golden"]);
      lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& name) {
        CAPTURE(name);
        const std::vector<bytes> out = lb::runtime_model(model.graph(), arch).run(in);
        REQUIRE(out.at(0).size() == want.size());
        CHECK(difference(out[0].data(), want) == "");
      });
      ++ran;
    } catch (const lb::model_error& e) {
      FAIL_CHECK(std::string(e.what()));
    }
  }
  CHECK(ran == 40);
}
