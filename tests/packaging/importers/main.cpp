// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A user's program that imports model files and runs them.

#ifdef WITH_ncnn
#include <lowbits/hosted/import_ncnn.hpp>
#endif
#ifdef WITH_onnx
#include <lowbits/hosted/import_onnx.hpp>
#endif
#ifdef WITH_tflite
#include <lowbits/hosted/import_tflite.hpp>
#endif
#include <lowbits/hosted/runtime_model.hpp>

#include <cstdio>

namespace {

/// All bytes of an answer to zeros are there.
bool answers(const lowbits::imported_model& model) {
  const lowbits::runtime_model m(model.graph());
  std::vector<std::vector<unsigned char>> in;
  for (int k = 0; k < m.input_count(); ++k) in.emplace_back(m.input_desc(k).bytes());
  const auto out = m.run(in);
  std::printf("%s: %zu outputs, the first of %zu bytes\n", model.format.c_str(), out.size(), out[0].size());
  return out.size() == model.outputs.size() && out[0].size() == m.output_desc(0).bytes();
}

}  // namespace

int main() {
  bool good = true;
#ifdef WITH_tflite
  good = answers(lowbits::import_tflite(DATA "tflite_ops/networks/int8_residual.tflite")) && good;
#endif
#ifdef WITH_onnx
  good = answers(lowbits::import_onnx(DATA "onnx_ops/network/qoperator_uint8.onnx")) && good;
#endif
#ifdef WITH_ncnn
  good = answers(lowbits::import_ncnn(DATA "ncnn_ops/int8/network_codes.param", DATA "ncnn_ops/int8/network_codes.bin")) && good;
#endif
  return good ? 0 : 1;
}
