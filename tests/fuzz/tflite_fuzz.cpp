// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any bytes as a .tflite file: an error in words or a graph that can be written down, never more.

#include <cstddef>
#include <cstdint>

#include <lowbits/hosted/import_tflite.hpp>

#include "run_small.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const lowbits::imported_model m = lowbits::import_tflite({data, size}, "fuzz.tflite");
    run_small(m);
  } catch (const lowbits::model_error&) {}
  return 0;
}
