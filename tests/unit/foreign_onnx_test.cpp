// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ONNX standard's node tests of quantized operators.
#include <doctest/doctest.h>

#include <string>

#include "foreign/check.hpp"
#include "foreign/load_onnx.hpp"
#include "foreign/ref_backend.hpp"

namespace {

struct every_policy_backend : foreign::ref_backend {
  static constexpr bool every_policy = true;
};

/// The result of a QLinear case under another rounding policy.
std::string difference_under(lowbits::rounding policy, foreign::test_case c) {
  std::visit(
      [&](auto& step) {
        if constexpr (requires { step.out.policy; }) step.out.policy = policy;
        else throw std::runtime_error("not a QLinear case");
      },
      c.steps.at(0));
  return foreign::difference(foreign::run<every_policy_backend>(c).value(), c.expected);
}

}  // namespace

TEST_CASE("ONNX node tests") {
  if (foreign::data_present())
    foreign::check_all<foreign::ref_backend>(foreign::load_onnx(), 29, 0);
}

// The standard asks for the float product with ties to even; that is what the cases above run with.
// Its published vectors do not tell the policies apart.
TEST_CASE("QLinearConv and QLinearMatMul come out equal under every policy") {
  if (!foreign::data_present()) return;
  int count = 0;
  for (const auto& c : foreign::load_onnx()) {
    if (c.op != "QLinearConv" && c.op != "QLinearMatMul") continue;
    ++count;
    for (const auto policy : {lowbits::rounding::even_float, lowbits::rounding::away_float,
                              lowbits::rounding::single, lowbits::rounding::double_gemmlowp,
                              lowbits::rounding::tflite_int64, lowbits::rounding::shift_glow}) {
      CAPTURE(c.name);
      CAPTURE(static_cast<int>(policy));
      CHECK(difference_under(policy, c) == "");
    }
  }
  CHECK(count == 6);
}
