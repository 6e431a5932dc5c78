// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// All cases of the CMSIS-NN folder, and its one network.

#include <string>

#include "foreign/load_cmsis_recurrent.hpp"

namespace foreign {
namespace cmsis {

/// ds_cnn_s: a convolution, four pairs of depthwise and pointwise ones, pooling, a fully connected
/// layer and softmax. Only the ends are given.
inline std::vector<operation> ds_cnn(const json& root) {
  const auto names = [](const std::string& layer, const char* op) {
    const std::string base = "layer_" + layer + "_" + op + "_";
    return std::array<std::string, 4>{base + "weights", base + "bias", base + "output_mult",
                                      base + "output_shift"};
  };
  std::vector<operation> steps;
  for (int n = 1; n <= 9; ++n) {
    const std::string layer = std::to_string(n);
    const bool is_depthwise = n % 2 == 0;
    const auto list = names(layer, is_depthwise ? "depthwise_conv_2d" : "conv_2d");
    const std::string arrays[4] = {list[0], list[1], list[2], list[3]};
    const cmsis_file f{root, (is_depthwise ? "DEPTHWISE_CONV_2D_" : "CONV_2D_") + layer + "_"};
    steps.emplace_back(is_depthwise ? depthwise(f, arrays)
                                    : conv(f, linear_case::kind::conv2d, arrays));
  }
  const cmsis_file p{root, "AVERAGE_POOL_2D_10_"};
  steps.emplace_back(pool_case{false,
                               {1, p.param("INPUT_H"), p.param("INPUT_W"), p.param("IN_CH"),
                                p.param("OUTPUT_H"), p.param("OUTPUT_W"), window(p)},
                               p.format(),
                               {p.param("OUT_ACTIVATION_MIN"), p.param("OUT_ACTIVATION_MAX")},
                               {}});
  const cmsis_file d{root, "FULLY_CONNECTED_12_"};
  const std::string arrays[4] = {"layer_12_fully_connected_weights",
                                 "layer_12_fully_connected_bias", "", ""};
  linear_case dense = linear(d, 0, arrays);
  const int out_c = static_cast<int>(dense.bias.size());
  dense.shape = lb::dense_shape(1, static_cast<int>(dense.w.size()) / out_c, out_c);
  steps.emplace_back(dense);
  const cmsis_file s{root, "SOFTMAX_13_"};
  steps.emplace_back(softmax_case{s.param("NUM_ROWS"),
                                  s.param("ROW_SIZE"),
                                  s.format(),
                                  multiplier(s, "MULT", "SHIFT"),
                                  s.param("DIFF_MIN"),
                                  0.0f,
                                  {}});
  return steps;
}

inline std::vector<operation> operations(const cmsis_file& f, const std::string& op) {
  using kind = linear_case::kind;
  if (op == "conv") return {conv(f, kind::conv2d)};
  if (op == "transpose_conv") return {conv(f, kind::transposed_conv2d)};
  if (op == "depthwise_conv") return {depthwise(f)};
  if (op == "fully_connected") return {fully_connected(f)};
  if (op == "batch_matmul") return {batch_matmul(f)};
  if (op == "avgpool") return {pool(f, false)};
  if (op == "maxpool") return {pool(f, true)};
  if (op == "softmax") return {softmax(f)};
  if (op == "add") return {add(f)};
  if (op == "mul") return {mul(f)};
  if (op == "min_max") return {min_max(f)};
  if (op == "pad") return {pad(f)};
  if (op == "transpose") return {transpose(f)};
  if (op == "lstm") return {lstm(f)};
  if (op == "svdf") return {svdf(f)};
  if (op == "network") return ds_cnn(f.root);
  return {};
}

}  // namespace cmsis

inline std::vector<test_case> load_cmsis() {
  const std::string folder = data_folder() + "cmsis-nn/";
  std::vector<test_case> cases;
  const json index = read_json(folder + "index.json");
  for (const json& entry : index["cases"]) {
    const cmsis_file f{read_json(folder + entry["file"].get<std::string>())};
    test_case c{"cmsis-nn", f.text("case"), f.text("op"), cmsis::operations(f, f.text("op")), "",
                {}};
    if (c.steps.empty()) c.why = "the library has no " + c.op;
    c.op += " ";
    c.op += f.text("dtype");
    c.expected.codes = f.array("output");
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace foreign
