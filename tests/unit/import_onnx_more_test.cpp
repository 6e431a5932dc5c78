// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Operators that the recorded cases do not have, in models made here, against plain definitions; as floats
// and between DequantizeLinear and QuantizeLinear, of tensors in both orders of axes.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>

#include "support/onnx_net.hpp"

namespace {

namespace schema = lowbits::onnx_file;
using onnx_net::net;
using onnx_net::numbers;

/// Multiples of 1/16, which pass the pairs unchanged.
numbers ramp(std::size_t n) {
  numbers x;
  for (std::size_t i = 0; i < n; ++i) x.push_back(static_cast<float>(static_cast<int>(i * 7 % 61) - 30) / 16.0f);
  return x;
}

/// Builds the operator between "a" and "y" as floats, between pairs, and behind a pool that makes images.
void check(const std::vector<int>& shape, const std::function<void(net&)>& build, const numbers& want) {
  std::size_t n = 1;
  for (const int e : shape) n *= static_cast<std::size_t>(e);
  for (const bool is_quantized : {false, true})
    for (const bool is_image : {false, true}) {
      if (is_image && shape.size() != 4) continue;
      CAPTURE(is_quantized);
      CAPTURE(is_image);
      net m(shape);
      std::string at = is_quantized ? m.quantized("x", "q") : "x";
      if (is_image) {
        auto& pool = m.node("MaxPool", {at}, "pooled");
        auto& k = *pool.add_attribute();
        k.set_name("kernel_shape");
        k.set_type(schema::AttributeProto_AttributeType_INTS);
        k.add_ints(1);
        k.add_ints(1);
        at = "pooled";
      }
      m.node("Identity", {at}, "a");
      build(m);
      if (is_quantized) m.quantized("b", "y");
      else m.node("Identity", {"b"}, "y");
      const numbers y = m.run(ramp(n));
      REQUIRE(y.size() == want.size());
      const float tolerance = is_quantized ? 0.032f : 1e-6f;
      for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::fabs(y[i] - want[i]) <= tolerance);
    }
}

numbers mapped(std::size_t n, const std::function<float(float)>& f) {
  numbers y = ramp(n);
  for (float& v : y) v = f(v);
  return y;
}

}  // namespace

TEST_CASE("import_onnx: LeakyRelu, Elu, HardSwish") {
  check({3, 20}, [](net& m) { net::set(m.node("LeakyRelu", {"a"}, "b"), "alpha", 0.25f); }, mapped(60, [](float v) { return v < 0 ? v * 0.25f : v; }));
  check({3, 20}, [](net& m) { net::set(m.node("Elu", {"a"}, "b"), "alpha", 0.5f); },
        mapped(60, [](float v) { return v < 0 ? 0.5f * std::expm1(v) : v; }));
  check({1, 3, 4, 5}, [](net& m) { m.node("HardSwish", {"a"}, "b"); },
        mapped(60, [](float v) { return v * std::fmin(std::fmax(v + 3.0f, 0.0f), 6.0f) / 6.0f; }));
}

TEST_CASE("import_onnx: Add, Mul, Sub, Max, Min with a number") {
  check({2, 30}, [](net& m) { m.node("Mul", {"a", m.real(0.5f)}, "b"); }, mapped(60, [](float v) { return v * 0.5f; }));
  check({2, 30}, [](net& m) { m.node("Sub", {m.real(1.0f), "a"}, "b"); }, mapped(60, [](float v) { return 1.0f - v; }));
  check({1, 3, 4, 5}, [](net& m) { m.node("Add", {"a", m.real(-0.25f)}, "b"); }, mapped(60, [](float v) { return v - 0.25f; }));
  check({2, 30}, [](net& m) { m.node("Max", {"a", m.real(-0.5f)}, "b"); }, mapped(60, [](float v) { return std::fmax(v, -0.5f); }));
  check({2, 30}, [](net& m) { m.node("Min", {"a", m.real(0.5f)}, "b"); }, mapped(60, [](float v) { return std::fmin(v, 0.5f); }));
}

TEST_CASE("import_onnx: Slice, Split, Pad") {
  const numbers x = ramp(2 * 3 * 4 * 5);
  const auto at = [&](int n, int c, int h, int w) { return x[static_cast<std::size_t>(((n * 3 + c) * 4 + h) * 5 + w)]; };
  numbers sliced, second, padded;
  for (int n = 0; n < 2; ++n)
    for (int c = 1; c < 3; ++c)
      for (int h = 0; h < 4; ++h)
        for (int w = 4; w >= 0; w -= 2) sliced.push_back(at(n, c, h, w));
  check({2, 3, 4, 5}, [](net& m) {
    m.node("Slice", {"a", m.integers({1, -1}), m.integers({9223372036854775807LL, -9223372036854775807LL - 1}), m.integers({1, -1}), m.integers({1, -2})}, "b");
  }, sliced);
  for (int n = 0; n < 2; ++n)
    for (int h = 0; h < 4; ++h)
      for (int w = 0; w < 5; ++w) second.push_back(at(n, 2, h, w));
  check({2, 3, 4, 5}, [](net& m) {
    auto& s = m.node("Split", {"a", m.integers({2, 1})}, "first");
    s.add_output("b");
    net::set(s, "axis", std::int64_t{1});
  }, second);
  for (int n = 0; n < 2; ++n)
    for (int c = 0; c < 4; ++c)
      for (int h = -1; h < 4; ++h)
        for (int w = 0; w < 7; ++w) padded.push_back(c < 3 && h >= 0 && w < 5 ? at(n, c, h, w) : 0.5f);
  check({2, 3, 4, 5}, [](net& m) { m.node("Pad", {"a", m.integers({0, 0, 1, 0, 0, 1, 0, 2}), m.real(0.5f)}, "b"); }, padded);
}

TEST_CASE("import_onnx: shapes that are computed") {
  check({2, 3, 4, 5}, [](net& m) {
    m.node("Shape", {"a"}, "shape");
    m.node("Gather", {"shape", m.integers({0})}, "batch");
    m.node("Slice", {"shape", m.integers({3}), m.integers({4})}, "last");
    net::set(m.node("Concat", {"batch", m.integers({-1}), "last"}, "wanted"), "axis", std::int64_t{0});
    m.node("Reshape", {"a", "wanted"}, "b");
  }, ramp(120));
}
