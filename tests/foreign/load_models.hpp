// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Cases made of .tflite models: the single-operation models of seanet, and every layer of the four
// networks with golden intermediate tensors.

#include <string>

#include "foreign/load_tflite.hpp"

namespace foreign {

inline std::vector<test_case> load_seanet() {
  const std::string folder = data_folder() + "models/seanet/";
  std::vector<test_case> cases;
  const json index = read_json(folder + "index.json");
  for (const json& entry : index["cases"]) {
    const std::string file = entry["file"].get<std::string>(),
                      here = folder + file.substr(0, file.find('/') + 1);
    const json model = read_json(folder + file);
    const json& op = model["ops"].at(0);
    std::vector<tflite::tensor> tensors;
    for (const json& t : model["tensors"]) tensors.push_back(tflite::read_tensor(t));
    for (const json& in : model["inputs"])
      tensors.at(in["tensor"].get<std::size_t>()).data =
          read_csv(here + in["file"].get<std::string>());
    tflite::node n{op, {}, tensors.at(op["output_tensor"].get<std::size_t>())};
    for (const json& in : op["inputs"])
      n.inputs.emplace_back(in["role"].get<std::string>(),
                            tensors.at(in["tensor"].get<std::size_t>()));
    const std::string name = op["op"].get<std::string>();
    test_case c{"seanet", entry["case"].get<std::string>(), name, tflite::operations(n, name), "",
                {}};
    if (c.steps.empty()) c.why = "the library has no " + name;
    c.expected.codes = read_csv(here + model["golden"]["file"].get<std::string>());
    cases.push_back(std::move(c));
  }
  return cases;
}

/// Every layer of one network, once for each sample, on the golden output of the layers before.
inline std::vector<test_case> load_golden(const std::string& network) {
  const std::string folder = data_folder() + "golden/" + network + "/";
  const json index = read_json(folder + "index.json");
  std::vector<tflite::tensor> constants;
  for (const json& t : index["tensors"]) {
    constants.push_back(tflite::read_tensor(t));
    tflite::tensor& last = constants.back();
    if (t.contains("file"))
      last.data = read_raw(folder + t["file"].get<std::string>(),
                           static_cast<std::size_t>(last.bits() / 8));
  }
  std::vector<test_case> cases;
  for (const json& sample : index["samples"]) {
    const std::string here = folder + sample["name"].get<std::string>() + "/";
    std::vector<tflite::tensor> tensors = constants;
    for (const json& in : index["inputs"])
      tensors.at(in["tensor"].get<std::size_t>()).data =
          read_raw(here + in["file"].get<std::string>(), 1);
    for (const json& op : index["ops"]) {
      tflite::tensor& out = tensors.at(op["output_tensor"].get<std::size_t>());
      tflite::node n{op, {}, out};
      for (const json& in : op["inputs"])
        n.inputs.emplace_back(in["role"].get<std::string>(),
                              tensors.at(in["tensor"].get<std::size_t>()));
      const std::string name = op["op"].get<std::string>();
      test_case c{
          network,
          sample["name"].get<std::string>() + "/op" + std::to_string(op["op_index"].get<int>()),
          name,
          tflite::operations(n, name),
          "",
          {}};
      if (c.steps.empty()) c.why = "the library has no " + name;
      out.data = c.expected.codes =
          read_raw(here + op["file"].get<std::string>(), static_cast<std::size_t>(out.bits() / 8));
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

}  // namespace foreign
