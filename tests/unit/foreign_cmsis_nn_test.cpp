// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The single-kernel vectors of CMSIS-NN, made there with TFLite, and one whole network.
#include <doctest/doctest.h>

#include <string>

#include "foreign/check.hpp"
#include "foreign/load_cmsis_index.hpp"
#include "foreign/ref_backend.hpp"

TEST_CASE("CMSIS-NN vectors, reference") {
  if (foreign::data_present())
    foreign::check_all<foreign::ref_backend>(foreign::load_cmsis(), 124, 0);
}

// CMSIS-NN carries these tables as data; the library computes them.
TEST_CASE("the int16 tables are TFLite's") {
  if (!foreign::data_present()) return;
  const auto tables = foreign::read_json(foreign::data_folder() + "cmsis-nn/lut.json");
  const auto equal = [&](const std::string& name, const auto& ours) {
    CAPTURE(name);
    CHECK(foreign::integers(tables.at(name)) == foreign::values(std::begin(ours), std::end(ours)));
  };
  equal("sigmoid_table_uint16", lowbits::logistic_entries<>.value);
  equal("softmax_exp_lut_int16", lowbits::softmax_exp_entries<>.value);
  equal("softmax_one_over_one_plus_x_lut_int16", lowbits::softmax_reciprocal_entries<>.value);
}
