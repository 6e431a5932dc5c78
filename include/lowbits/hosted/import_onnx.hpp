// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reads a .onnx model: float, with QuantizeLinear and DequantizeLinear around its operators, or of
// integer operators. Needs protobuf: link the CMake target lowbits::onnx. Inputs and outputs keep the
// shapes of the file. Any error is a model_error whose one sentence names the file, the node and the
// cure; no file, however damaged, does more harm.

#include <lowbits/hosted/onnx/elementwise.hpp>
#include <lowbits/hosted/onnx/ends.hpp>
#include <lowbits/hosted/onnx/functions.hpp>
#include <lowbits/hosted/onnx/moves.hpp>
#include <lowbits/hosted/onnx/pooling.hpp>
#include <lowbits/hosted/onnx/slices.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace onnx {

inline void constant_node(importer& m) {
  m.expect(0, 0);
  m.require(m.constant_named(m.output_name(0)) != nullptr, "the constant is not a tensor", "give the attribute 'value'");
  m.find(m.output_name(0));
}

struct operator_entry {
  const char* name;
  void (*import)(importer&);
};
inline constexpr operator_entry operators[] = {
    {"Add", [](importer& m) { elementwise(m, op_kind::add); }},
    {"AveragePool", average_pool},
    {"Cast", cast},
    {"Clip", clip},
    {"Concat", concat},
    {"Constant", constant_node},
    {"Conv", conv},
    {"ConvInteger", [](importer& m) { integer_product(m, true); }},
    {"DequantizeLinear", dequantize_linear},
    {"Dropout", identity},
    {"DynamicQuantizeLinear", dynamic_quantize_linear},
    {"Elu", elu},
    {"Flatten", flatten},
    {"Gather", gather},
    {"Gemm", gemm},
    {"GlobalAveragePool", global_average_pool},
    {"HardSwish", hard_swish},
    {"Identity", identity},
    {"LeakyRelu", leaky_relu},
    {"MatMul", matmul},
    {"MatMulInteger", [](importer& m) { integer_product(m, false); }},
    {"Max", [](importer& m) { elementwise(m, op_kind::maximum); }},
    {"MaxPool", max_pool},
    {"Min", [](importer& m) { elementwise(m, op_kind::minimum); }},
    {"Mul", [](importer& m) { elementwise(m, op_kind::mul); }},
    {"Pad", onnx::pad},
    {"QLinearConv", qlinear_conv},
    {"QLinearMatMul", qlinear_matmul},
    {"QuantizeLinear", quantize_linear},
    {"Relu", relu},
    {"Reshape", reshape},
    {"Shape", shape},
    {"Sigmoid", sigmoid},
    {"Slice", onnx::slice},
    {"Softmax", softmax},
    {"Split", split},
    {"Squeeze", squeeze},
    {"Sub", [](importer& m) { elementwise(m, op_kind::sub); }},
    {"Tanh", onnx::tanh},
    {"Transpose", transpose},
    {"Unsqueeze", unsqueeze},
};

inline void import_operator(importer& m) {
  for (const operator_entry& o : operators)
    if (m.kind() == o.name) return o.import(m);
  m.fail("the operator is not supported", "replace it; docs/importing.md lists what there is");
}

}  // namespace onnx

/// The model in `bytes`, which are only read during the call; file_name is for messages.
inline imported_model import_onnx(std::span<const unsigned char> bytes, std::string_view file_name, const onnx_options& options = {}) try {
  const onnx::model_file file(bytes, file_name);
  imported_model model;
  model.format = "ONNX";
  onnx::importer m(file, model, options);
  m.read_constants();
  m.add_inputs();
  for (int i = 0; i < file.graph().node_size(); ++i) {
    m.begin(i);
    onnx::import_operator(m);
  }
  m.add_outputs();
  return model;
} catch (const std::bad_alloc&) {
  refuse(joined("import_onnx: ", file_name), "there is not enough memory for the model", "give a smaller one");
}

inline imported_model import_onnx(const std::string& path, const onnx_options& options = {}) {
  return import_onnx(read_model_file("import_onnx", path), path, options);
}

}  // namespace lowbits
