// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The importers, one translation unit each; CMake compiles those whose library is there.

#include "load_model.hpp"

namespace tool {

lb::imported_model import_tflite_file(const std::string& path, const extents_by_name& shapes);
std::vector<std::string> tflite_operators();
lb::imported_model import_onnx_file(const std::string& path, const extents_by_name& shapes);
std::vector<std::string> onnx_operators();
lb::imported_model import_ncnn_file(const std::string& path, const extents_by_name& shapes);
std::vector<std::string> ncnn_operators();
/// The weights of net.param and of net.param.bin: net.bin.
std::string ncnn_weights_of(const std::string& path);

}  // namespace tool
