// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Models whose weights alone are quantized: the codes stay codes, and results are the bits of the definition on every
// architecture.

#include <doctest/doctest.h>

#include <bit>
#include <string>

#include <lowbits/ref/weight_only_conv2d.hpp>

#include "support/for_each_arch.hpp"
#include "support/onnx_net.hpp"

namespace lb = lowbits;

namespace {

using onnx_net::net;
using onnx_net::numbers;
using type = lb::onnx_file::TensorProto;

std::vector<int> codes(int n, int lowest, int highest) {
  std::vector<int> v;
  std::uint32_t seed = 7;
  for (int i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    v.push_back(lowest + static_cast<int>((seed >> 16) % static_cast<std::uint32_t>(highest - lowest + 1)));
  }
  return v;
}
numbers some_reals(std::size_t n) {
  numbers v;
  for (std::size_t i = 0; i < n; ++i) v.push_back(static_cast<float>(static_cast<int>(i * 31 % 97) - 48) * 0.043f);
  return v;
}

/// The model's only layer multiplies codes of that many bits, and its output has the expected bits.
void check(const net& n, const numbers& x, const numbers& expected, int bits) {
  const lb::imported_model m = n.imported();
  int layers = 0;
  for (int i = 0; i < m.graph().node_count(); ++i) {
    const lb::node& nd = m.graph()[i];
    if (!lb::has_weights(nd.kind)) continue;
    ++layers;
    CHECK(nd.dynamic == lb::dynamic_definition::weight_only);
    CHECK(static_cast<int>(nd.weights.format.bits) == bits);
  }
  CHECK(layers == 1);
  std::vector<unsigned char> in(x.size() * sizeof(float));
  std::memcpy(in.data(), x.data(), in.size());
  lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& name) {
    CAPTURE(name);
    const auto out = lb::runtime_model(m.graph(), arch).run({in});
    REQUIRE(out[0].size() == expected.size() * sizeof(float));
    numbers y(expected.size());
    std::memcpy(y.data(), out[0].data(), out[0].size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      CAPTURE(i);
      REQUIRE(std::bit_cast<std::uint32_t>(y[i]) == std::bit_cast<std::uint32_t>(expected[i]));
    }
  });
}

}  // namespace

TEST_CASE("import_onnx: a MatMul by 8-bit codes with a scale and a zero point per column") {
  const std::vector<int> w = codes(70 * 6, -128, 127);  // [70][6]
  const numbers scales = {.1f, .2f, .3f, .4f, .5f, .6f}, x = some_reals(3 * 70);
  net n({3, 70});
  auto& d = n.node("DequantizeLinear", {n.constant(type::INT8, w, {70, 6}), n.reals(scales, {6}), n.constant(type::INT8, {1, 1, 1, 1, 1, 1}, {6})}, "w");
  net::set(d, "axis", std::int64_t{1});
  n.node("MatMul", {"x", "w"}, "y");
  std::vector<int> turned(w.size());
  for (std::size_t k = 0; k < 70; ++k)
    for (std::size_t c = 0; c < 6; ++c) turned[c * 70 + k] = w[k * 6 + c];
  numbers y(18);
  const std::int32_t one = 1;
  lb::ref::weight_only_gemm({.rows = 3, .cols = 6, .depth = 70}, 0, x.data(), turned, {scales, {&one, 1}}, y.data());
  check(n, x, y, 8);
}

TEST_CASE("import_onnx: a Gemm by 4-bit codes, with a bias") {
  const std::vector<int> w = codes(5 * 64, -8, 7);  // [5][64]
  std::vector<int> bytes;
  for (std::size_t i = 0; i < w.size(); i += 2) bytes.push_back((w[i] & 15) | (w[i + 1] & 15) << 4);
  const numbers bias = {1, 2, 3, 4, 5}, x = some_reals(10 * 64);
  net n({10, 64}, type::FLOAT, 21);
  n.node("DequantizeLinear", {n.constant(type::INT4, bytes, {5, 64}), n.real(.05f)}, "w");
  net::set(n.node("Gemm", {"x", "w", n.reals(bias, {5})}, "y"), "transB", std::int64_t{1});
  numbers y(50);
  const float scale = .05f;
  lb::ref::weight_only_gemm({.rows = 10, .cols = 5, .depth = 64}, 0, x.data(), w, {{&scale, 1}, {}, bias.data()}, y.data());
  check(n, x, y, 4);
}

TEST_CASE("import_onnx: a Conv by 8-bit codes with groups and padding") {
  const std::vector<int> w = codes(6 * 2 * 3 * 3, -127, 127);  // [6][2][3][3]
  const numbers scales = {.1f, .2f, .3f, .4f, .5f, .6f}, x = some_reals(4 * 5 * 5);
  net n({1, 4, 5, 5});
  net::set(n.node("DequantizeLinear", {n.constant(type::INT8, w, {6, 2, 3, 3}), n.reals(scales, {6})}, "w"), "axis", std::int64_t{0});
  auto& conv = n.node("Conv", {"x", "w"}, "y");
  net::set(conv, "group", std::int64_t{2});
  auto& pads = *conv.add_attribute();
  pads.set_name("pads");
  pads.set_type(lb::onnx_file::AttributeProto_AttributeType_INTS);
  for (int i = 0; i < 4; ++i) pads.add_ints(1);
  numbers image(x.size()), by_rows(6 * 25), y(6 * 25);
  std::vector<int> turned(w.size());
  for (std::size_t i = 0; i < x.size(); ++i) image[i % 25 * 4 + i / 25] = x[i];
  for (std::size_t c = 0; c < 6; ++c)
    for (std::size_t d = 0; d < 2; ++d)
      for (std::size_t t = 0; t < 9; ++t) turned[(c * 9 + t) * 2 + d] = w[(c * 2 + d) * 9 + t];
  const lb::conv2d_shape s{.in_h = 5, .in_w = 5, .in_c = 4, .out_h = 5, .out_w = 5, .out_c = 6,
                           .window = {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}, .groups = 2};
  lb::ref::weight_only_conv2d(s, image.data(), turned, 0, [&](int c) { return scales[static_cast<std::size_t>(c)]; }, nullptr, by_rows.data());
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = by_rows[i % 25 * 6 + i / 25];
  check(n, x, y, 8);
}
