// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Single-operation int16 models with golden output, and every layer of four int8 networks for every
// sample, as the TFLite Micro reference kernels compute them.
#include <doctest/doctest.h>

#include <string>

#include "foreign/check.hpp"
#include "foreign/load_models.hpp"
#include "foreign/ref_backend.hpp"

TEST_CASE("seanet models, reference") {
  if (foreign::data_present())
    foreign::check_all<foreign::ref_backend>(foreign::load_seanet(), 40, 0);
}

TEST_CASE("networks layer by layer, reference") {
  if (!foreign::data_present()) return;
  struct network {
    std::string name;
    std::size_t cases;  // layers times samples
  };
  for (const network& n : {network{"kws", 13 * 2}, network{"resnet", 16 * 2},
                           network{"ad", 10 * 3}, network{"mnist_lstm", 4 * 6}}) {
    CAPTURE(n.name);
    foreign::check_all<foreign::ref_backend>(foreign::load_golden(n.name), n.cases, 0);
  }
}
