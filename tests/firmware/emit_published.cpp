// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Prepares the test of a published model on every target: imports the .tflite file that an index of
// recorded layers belongs to, and writes
//   <name>.hpp           the emitted header
//   <name>_samples.hpp   the recorded inputs, and which nodes have recorded outputs
//   <name>.golden.txt    what published.cpp has to print: digests of the recorded layers
//
// usage: emit_published FOLDER NAME OUTPUT_FOLDER      FOLDER/NAME/index.json is the index

#include <fstream>
#include <iostream>
#include <string>

#include <lowbits/hosted/emit_header.hpp>
#include <lowbits/hosted/import_tflite.hpp>

#include "foreign/json_data.hpp"
#include "support/program.hpp"

namespace lb = lowbits;

void firmware::print(const char*) {}

namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error(path + " cannot be written");
}

std::string hex(std::uint32_t v) {
  std::string s(8, '0');
  for (std::size_t i = 0; i < 8; ++i) s[7 - i] = "0123456789abcdef"[v >> (4 * i) & 15u];
  return s;
}

void prepare(const std::string& shared, const std::string& name, const std::string& out) {
  const std::string folder = shared + "/" + name + "/";
  const foreign::json index = foreign::read_json(folder + "index.json");
  const lb::imported_model model = lb::import_tflite(folder + index["model"].get<std::string>());
  write(out + "/" + name + ".hpp", lb::emit_header(model.graph(), {.space = "published"}));

  std::vector<std::int8_t> inputs;
  std::vector<int> layers;
  std::string golden;
  for (const foreign::json& sample : index["samples"]) {
    const std::string here = folder + sample["name"].get<std::string>() + "/";
    for (const char c : foreign::read_text(here + "in.bin")) inputs.push_back(static_cast<std::int8_t>(c));
    layers.clear();
    for (std::size_t i = 0; i < model.origins.size(); ++i) {
      const lb::node_origin& from = model.origins[i];
      if (from.operation < 0 || from.output < 0) continue;
      firmware::digest d;
      const foreign::json& op = index["ops"].at(static_cast<std::size_t>(from.operation));
      for (const char c : foreign::read_text(here + op["file"].get<std::string>())) d.add(static_cast<std::int8_t>(c));
      layers.push_back(static_cast<int>(i));
      golden += std::to_string(i) + " " + hex(d.value()) + "\n";
    }
  }
  write(out + "/" + name + ".golden.txt", golden);
  namespace emit = lb::emit;
  write(out + "/" + name + "_samples.hpp",
        "#pragma once\n#include <cstdint>\n#define LOWBITS_FLASH\nnamespace samples {\n" +
            emit::number_array("std::int8_t", "inputs", std::span<const std::int8_t>(inputs), 4) +
            emit::number_array("int", "layers", std::span<const int>(layers), 4) + "}\n#undef LOWBITS_FLASH\n");
}

}  // namespace

int main(int count, char** argument) {
  if (count != 4) return 2;
  try {
    prepare(argument[1], argument[2], argument[3]);
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
  return 0;
}
