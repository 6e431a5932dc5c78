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

inline void import_operator(importer& m) {
  using op = schema::BuiltinOperator;
  switch (op{m.code()}) {
    case op::CONV_2D: return conv2d(m);
    case op::DEPTHWISE_CONV_2D: return depthwise_conv2d(m);
    case op::TRANSPOSE_CONV: return transposed_conv2d(m);
    case op::FULLY_CONNECTED: return fully_connected(m);
    case op::ADD: return sum<schema::AddOptions>(m, false);
    case op::SUB: return sum<schema::SubOptions>(m, true);
    case op::MUL: return mul(m);
    case op::MINIMUM: return extremum(m, false);
    case op::MAXIMUM: return extremum(m, true);
    case op::AVERAGE_POOL_2D: return pool2d(m, false);
    case op::MAX_POOL_2D: return pool2d(m, true);
    case op::SOFTMAX: return softmax(m);
    case op::MEAN: return mean(m);
    case op::LOGISTIC: return tabulated(m, functions::sigmoid, [](double x) { return curve::logistic(x); });
    case op::TANH: return tabulated(m, functions::tanh, [](double x) { return curve::tanh(x); });
    case op::RELU: return rescaled(m, activation::relu, 1.0f, true);
    case op::RELU6: return rescaled(m, activation::relu6, 1.0f, true);
    case op::RELU_N1_TO_1: return rescaled(m, activation::relu_n1_to_1, 1.0f, true);
    case op::LEAKY_RELU: return leaky_relu(m);
    case op::HARD_SWISH: return hard_swish(m);
    case op::QUANTIZE: return quantize(m);
    case op::DEQUANTIZE: return dequantize(m);
    case op::BATCH_MATMUL: return batch_matmul(m);
    case op::RESHAPE: return reshape(m);
    case op::SQUEEZE:
    case op::EXPAND_DIMS: return reshape_ones(m);
    case op::TRANSPOSE: return transpose(m);
    case op::SLICE: return slice(m);
    case op::STRIDED_SLICE: return strided_slice(m);
    case op::SPLIT: return split(m);
    case op::PAD: return pad(m, false);
    case op::PADV2: return pad(m, true);
    case op::CONCATENATION: return concatenation(m);
    case op::RESIZE_NEAREST_NEIGHBOR:
      return resize<schema::ResizeNearestNeighborOptions>(m, resize_mode::nearest);
    case op::RESIZE_BILINEAR:
      return resize<schema::ResizeBilinearOptions>(m, resize_mode::bilinear);
    case op::LSTM:
    case op::RNN:
    case op::SVDF:
    case op::UNIDIRECTIONAL_SEQUENCE_RNN:
    case op::UNIDIRECTIONAL_SEQUENCE_LSTM:
    case op::BIDIRECTIONAL_SEQUENCE_RNN:
    case op::BIDIRECTIONAL_SEQUENCE_LSTM:
      m.fail("recurrent operators are not there yet", "unroll the model, or leave the operator out");
    default:
      m.fail("the operator is not supported", "replace it; docs/importing.md lists what there is");
  }
}

}  // namespace tflite

/// The model in `bytes`, which are only read during the call; file_name is for messages.
inline imported_model import_tflite(std::span<const unsigned char> bytes,
                                    std::string_view file_name) {
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
}

inline imported_model import_tflite(const std::string& path) {
  return import_tflite(tflite::read_bytes(path), path);
}

}  // namespace lowbits
