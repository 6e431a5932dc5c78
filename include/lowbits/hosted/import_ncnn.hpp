// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reads a model of ncnn: a .param file (text or binary) and its .bin file. Needs no library. Codes
// that come out of int8 layers are ncnn's. Any error is a model_error whose one sentence names the
// file, the layer and the cure; no file, however damaged, does more harm.
//
//   lb::imported_model m = lb::import_ncnn("net.param", "net.bin", {.input_shapes = {{"data", {3, 224, 224}}}});


#include <lowbits/hosted/ncnn/deconvolution.hpp>
#include <lowbits/hosted/ncnn/moves.hpp>
#include <lowbits/hosted/ncnn/pairs.hpp>
#include <lowbits/hosted/ncnn/pooling.hpp>
#include <lowbits/hosted/ncnn/products.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace ncnn {

struct layer_importer {
  std::string_view kind;
  void (*run)(importer&);
};
inline constexpr layer_importer layer_importers[] = {
    {"BatchNorm", batch_norm},
    {"BinaryOp", binary_op},
    {"Clip", clip},
    {"Concat", concat},
    {"Convolution", convolution},
    {"Convolution1D", convolution1d},
    {"ConvolutionDepthWise", convolution},
    {"Deconvolution", deconvolution},
    {"DeconvolutionDepthWise", deconvolution},
    {"Dequantize", dequantize},
    {"Dropout", dropout},
    {"ELU", elu},
    {"Eltwise", eltwise},
    {"Flatten", flatten},
    {"HardSigmoid", [](importer& m) { hard_curve(m, curve_kind::hard_sigmoid); }},
    {"HardSwish", [](importer& m) { hard_curve(m, curve_kind::hard_swish); }},
    {"InnerProduct", inner_product},
    {"Input", [](importer& m) { m.add_input(); }},
    {"Interp", interp},
    {"Mish", [](importer& m) { curve_layer(m, {curve_kind::mish}); }},
    {"Noop", alias},
    {"PReLU", prelu},
    {"Padding", pad},
    {"Permute", permute},
    {"Pooling", pooling},
    {"Quantize", quantize},
    {"ReLU", relu},
    {"Requantize", requantize},
    {"Reshape", reshape},
    {"Scale", scale},
    {"ShuffleChannel", shuffle_channel},
    {"Sigmoid", [](importer& m) { curve_layer(m, {curve_kind::sigmoid}); }},
    {"Slice", slice},
    {"Softmax", softmax},
    {"Split", alias},
    {"Swish", [](importer& m) { curve_layer(m, {curve_kind::swish}); }},
    {"TanH", [](importer& m) { curve_layer(m, {curve_kind::tanh}); }},
};

inline void import_layer(importer& m) {
  for (const layer_importer& l : layer_importers)
    if (m.current().kind == l.kind) return l.run(m);
  m.fail("the layer is not supported", "replace it; docs/importing.md lists what there is");
}

}  // namespace ncnn

/// The model in the bytes of a .param and a .bin file, which are only read during the call; file_name
/// is for messages. A model without weights has no bytes of the second.
inline imported_model import_ncnn(std::span<const unsigned char> param, std::span<const unsigned char> bin,
                                  std::string_view file_name, const ncnn_options& options = {}) try {
  const ncnn::reporter report(file_name);
  const ncnn::network net = ncnn::read_param(report, param);
  ncnn::weight_file weights(report, bin);
  imported_model model;
  model.format = "ncnn";
  ncnn::importer m(report, net, weights, options, model);
  for (size_t i = 0; i < net.layers.size(); ++i) {
    m.begin(static_cast<int>(i));
    ncnn::import_layer(m);
  }
  m.add_outputs();
  if (weights.bytes_left() != 0)
    model.notes.push_back(joined("the .bin file has ", weights.bytes_left(), " bytes behind the last layer's weights"));
  return model;
} catch (const std::bad_alloc&) {
  refuse(joined("import_ncnn: ", file_name), "there is not enough memory for the model", "give a smaller one");
}

inline imported_model import_ncnn(const std::string& param_path, const std::string& bin_path,
                                  const ncnn_options& options = {}) {
  return import_ncnn(read_model_file("import_ncnn", param_path), read_model_file("import_ncnn", bin_path), param_path, options);
}

}  // namespace lowbits
