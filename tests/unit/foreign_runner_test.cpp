// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runner of foreign vectors itself: it must notice what is wrong, and lose nothing.
#include <doctest/doctest.h>

#include <string>

#include "foreign/ref_backend.hpp"
#include "foreign/run.hpp"

namespace lb = lowbits;

namespace {

/// One product, 3 * 5 + 1, requantized with factor 1.
foreign::test_case product_case() {
  foreign::linear_case c;
  c.shape = lb::dense_shape(1, 1, 1);
  c.x = {3};
  c.w = {5};
  c.bias = {1};
  c.out.fixed = {{1 << 30, 1}};
  return {"made up", "product", "dense", {c}, "", {{16}, {}}};
}

struct empty_backend {
  static std::string name() { return "empty"; }
};

}  // namespace

TEST_CASE("a right result is counted as run") {
  const auto t = foreign::run_all<foreign::ref_backend>({product_case()});
  CHECK(t.run == 1);
  CHECK(t.total() == 1);
  CHECK(t.summary() == "foreign cases run 1, failed 0, skipped 0, out of scope 0");
}

TEST_CASE("wrong values, wrong sizes, wrong reals and exceptions are failures") {
  auto value = product_case(), size = product_case(), real = product_case(),
       broken = product_case();
  value.expected.codes = {17};
  size.expected.codes = {16, 0};
  real.expected.numbers = {1.0f};
  std::get<foreign::linear_case>(broken.steps[0]).out.fixed.clear();
  const auto t = foreign::run_all<foreign::ref_backend>({value, size, real, broken});
  CHECK(t.run == 0);
  REQUIRE(t.failed.size() == 4);
  CHECK(t.failed[0] ==
        "made up/product (dense): element 0: 16 instead of 17; 1 of 1 differ, by up to 1; ");
  CHECK(t.failed[1].find("1 codes and 0 reals instead of 2 and 0") != std::string::npos);
  CHECK(t.failed[2].find("instead of 1 and 1") != std::string::npos);
  CHECK(t.failed[3].find("no multiplier") != std::string::npos);
  CHECK(t.summary().find("failed: made up/product") != std::string::npos);
}

TEST_CASE("reals are compared by their bits") {
  CHECK(foreign::difference({{}, {0.0f}}, {{}, {-0.0f}}) != "");
  CHECK(foreign::difference({{}, {0.5f}}, {{}, {0.5f}}) == "");
}

TEST_CASE("what a backend lacks is skipped, what the library lacks is out of scope; both by name") {
  auto missing = product_case();
  missing.steps.clear();
  missing.why = "nobody wrote it";
  const auto t = foreign::run_all<empty_backend>({product_case(), missing});
  CHECK(t.skipped == std::vector<std::string>{"made up/product (dense): backend empty lacks it"});
  CHECK(t.out_of_scope == std::vector<std::string>{"made up/product (dense): nobody wrote it"});
  CHECK(t.total() == 2);
}

TEST_CASE("a chain hands codes from step to step") {
  auto chain = product_case();
  chain.steps.push_back(chain.steps[0]);  // 16 * 5 + 1
  chain.expected.codes = {81};
  CHECK(foreign::run_all<foreign::ref_backend>({chain}).run == 1);
  CHECK(foreign::run_all<empty_backend>({chain}).skipped.size() == 1);
}
