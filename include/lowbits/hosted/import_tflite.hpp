// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reads a .tflite model. The nodes compute what TFLite's reference kernels compute, bit for bit.
// Needs flatbuffers: link the CMake target lowbits::tflite. Any error is a model_error whose one
// sentence names the file, the operator and the cure; no file, however damaged, does more harm.

#include <lowbits/hosted/tflite/activations.hpp>
#include <lowbits/hosted/tflite/convert.hpp>
#include <lowbits/hosted/tflite/elementwise.hpp>
#include <lowbits/hosted/tflite/linear.hpp>
#include <lowbits/hosted/tflite/mean.hpp>
#include <lowbits/hosted/tflite/moves.hpp>
#include <lowbits/hosted/tflite/pooling.hpp>
#include <lowbits/hosted/tflite/strided_slice.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace tflite {

struct operator_entry {
  schema::BuiltinOperator code;
  void (*import)(importer&);
};
using op = schema::BuiltinOperator;
inline constexpr operator_entry operators[] = {
    {op::ADD, [](importer& m) { sum<schema::AddOptions>(m, false); }},
    {op::AVERAGE_POOL_2D, [](importer& m) { pool2d(m, false); }},
    {op::BATCH_MATMUL, batch_matmul},
    {op::CONCATENATION, concatenation},
    {op::CONV_2D, conv2d},
    {op::DEPTHWISE_CONV_2D, depthwise_conv2d},
    {op::DEQUANTIZE, dequantize},
    {op::EXPAND_DIMS, reshape_ones},
    {op::FULLY_CONNECTED, fully_connected},
    {op::HARD_SWISH, hard_swish},
    {op::LEAKY_RELU, leaky_relu},
    {op::LOGISTIC, [](importer& m) { tabulated(m, functions::sigmoid, [](double x) { return curve::logistic(x); }); }},
    {op::MAXIMUM, [](importer& m) { extremum(m, true); }},
    {op::MAX_POOL_2D, [](importer& m) { pool2d(m, true); }},
    {op::MEAN, mean},
    {op::MINIMUM, [](importer& m) { extremum(m, false); }},
    {op::MUL, mul},
    {op::PAD, [](importer& m) { pad(m, false); }},
    {op::PADV2, [](importer& m) { pad(m, true); }},
    {op::QUANTIZE, quantize},
    {op::RELU, [](importer& m) { rescaled(m, activation::relu, 1.0f, true); }},
    {op::RELU6, [](importer& m) { rescaled(m, activation::relu6, 1.0f, true); }},
    {op::RELU_N1_TO_1, [](importer& m) { rescaled(m, activation::relu_n1_to_1, 1.0f, true); }},
    {op::RESHAPE, reshape},
    {op::RESIZE_BILINEAR, [](importer& m) { resize<schema::ResizeBilinearOptions>(m, resize_mode::bilinear); }},
    {op::RESIZE_NEAREST_NEIGHBOR, [](importer& m) { resize<schema::ResizeNearestNeighborOptions>(m, resize_mode::nearest); }},
    {op::SLICE, slice},
    {op::SOFTMAX, softmax},
    {op::SPLIT, split},
    {op::SQUEEZE, reshape_ones},
    {op::STRIDED_SLICE, strided_slice},
    {op::SUB, [](importer& m) { sum<schema::SubOptions>(m, true); }},
    {op::TANH, [](importer& m) { tabulated(m, functions::tanh, [](double x) { return curve::tanh(x); }); }},
    {op::TRANSPOSE, transpose},
    {op::TRANSPOSE_CONV, transposed_conv2d},
};

inline void import_operator(importer& m) {
  for (const operator_entry& o : operators)
    if (static_cast<int>(o.code) == m.code()) return o.import(m);
  for (const op recurrent : {op::LSTM, op::RNN, op::SVDF, op::UNIDIRECTIONAL_SEQUENCE_RNN, op::UNIDIRECTIONAL_SEQUENCE_LSTM,
                             op::BIDIRECTIONAL_SEQUENCE_RNN, op::BIDIRECTIONAL_SEQUENCE_LSTM})
    if (static_cast<int>(recurrent) == m.code())
      m.fail("recurrent operators are not there yet", "unroll the model, or leave the operator out");
  m.fail("the operator is not supported", "replace it; docs/importing.md lists what there is");
}

}  // namespace tflite

/// The model in `bytes`, which are only read during the call; file_name is for messages.
inline imported_model import_tflite(std::span<const unsigned char> bytes,
                                    std::string_view file_name) try {
  const tflite::model_file file(bytes, file_name);
  imported_model model;
  model.format = "TFLite";
  tflite::importer m(file, model);
  m.add_inputs();
  const auto& operators = *file.graph().operators();
  for (uint32_t i = 0; i < operators.size(); ++i) {
    m.begin(static_cast<int>(i), *operators.Get(i));
    tflite::import_operator(m);
  }
  m.add_outputs();
  return model;
} catch (const std::bad_alloc&) {
  refuse(joined("import_tflite: ", file_name), "there is not enough memory for the model", "give a smaller one");
}

inline imported_model import_tflite(const std::string& path) {
  return import_tflite(read_model_file("import_tflite", path), path);
}

}  // namespace lowbits
