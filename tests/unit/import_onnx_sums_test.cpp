// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// 32-bit sums in models made here: what MatMulInteger and ConvInteger give outside of dynamic layers, what
// takes it, and what is refused.

#include <doctest/doctest.h>

#include <string>

#include "support/for_each_arch.hpp"
#include "support/onnx_net.hpp"

namespace lb = lowbits;

namespace {

using onnx_net::net;
using type = lb::onnx_file::TensorProto;
using bytes = std::vector<unsigned char>;

template <class T>
bytes bytes_of(const std::vector<T>& v) {
  bytes b(v.size() * sizeof(T));
  std::memcpy(b.data(), v.data(), b.size());
  return b;
}
template <class T>
std::vector<T> elements_of(const bytes& b) {
  std::vector<T> v(b.size() / sizeof(T));
  std::memcpy(v.data(), b.data(), b.size());
  return v;
}

/// The same outputs on every architecture.
std::vector<bytes> run(const net& n, const std::vector<bytes>& in) {
  const lb::imported_model m = n.imported();
  std::vector<bytes> out;
  lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& name) {
    CAPTURE(name);
    const auto got = lb::runtime_model(m.graph(), arch).run(in);
    if (out.empty()) out = got;
    CHECK(got == out);
  });
  return out;
}

std::vector<int> codes(int n, int lowest, int highest, std::uint32_t seed) {
  std::vector<int> v;
  for (int i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    v.push_back(lowest + static_cast<int>((seed >> 16) % static_cast<std::uint32_t>(highest - lowest + 1)));
  }
  return v;
}
bytes as_bytes(const std::vector<int>& v) {
  bytes b;
  for (const int i : v) b.push_back(static_cast<unsigned char>(i & 255));
  return b;
}

/// x [3][7] of uint8 times w [7][5] of int8, both less their zero points.
const std::vector<int> x21 = codes(21, 0, 255, 1), w35 = codes(35, -128, 127, 2);
int product(int r, int c, int x_zero, int w_zero) {
  int sum = 0;
  for (int k = 0; k < 7; ++k)
    sum += (x21[static_cast<std::size_t>(r * 7 + k)] - x_zero) * (w35[static_cast<std::size_t>(k * 5 + c)] - w_zero);
  return sum;
}

std::string refusal(const net& n) {
  try {
    static_cast<void>(n.imported());
  } catch (const lb::model_error& e) { return e.what(); }
  return "accepted";
}

}  // namespace

TEST_CASE("import_onnx: sums that become floats step by step, and leave the model as well") {
  net n({3, 7}, type::UINT8);
  n.node("MatMulInteger", {"x", n.constant(type::INT8, w35, {7, 5}), n.constant(type::UINT8, {9}, {}), n.constant(type::INT8, {-3}, {})}, "sums");
  net::set(n.node("Cast", {"sums"}, "real"), "to", std::int64_t{type::FLOAT});
  n.node("Mul", {"real", n.real(0.125f)}, "scaled");
  n.node("Sub", {"scaled", n.real(2.0f)}, "y");
  n.output("sums");
  const auto out = run(n, {as_bytes(x21)});
  const auto y = elements_of<float>(out.at(0));
  const auto sums = elements_of<std::int32_t>(out.at(1));
  for (int i = 0; i < 15; ++i) {
    const int want = product(i / 5, i % 5, 9, -3);
    CHECK(sums[static_cast<std::size_t>(i)] == want);
    CHECK(y[static_cast<std::size_t>(i)] == static_cast<float>(want) * 0.125f - 2.0f);
  }
}

TEST_CASE("import_onnx: sums of a constant left side, and of one code read with two zero points") {
  net n({7, 5}, type::INT8);
  const auto left = n.constant(type::UINT8, x21, {3, 7});
  n.node("MatMulInteger", {left, "x", n.constant(type::UINT8, {9}, {}), n.constant(type::INT8, {-3}, {})}, "y");
  n.node("MatMulInteger", {left, "x"}, "plain");
  n.output("plain");
  const auto out = run(n, {as_bytes(w35)});
  const auto y = elements_of<std::int32_t>(out.at(0)), plain = elements_of<std::int32_t>(out.at(1));
  for (int i = 0; i < 15; ++i) {
    CHECK(y[static_cast<std::size_t>(i)] == product(i / 5, i % 5, 9, -3));
    CHECK(plain[static_cast<std::size_t>(i)] == product(i / 5, i % 5, 0, 0));
  }
}

TEST_CASE("import_onnx: sums of images are moved") {
  net n({1, 2, 4, 3}, type::UINT8);
  const std::vector<int> x = codes(24, 0, 255, 3), w = codes(6, -128, 127, 4);
  n.node("ConvInteger", {"x", n.constant(type::INT8, w, {3, 2, 1, 1}), n.constant(type::UINT8, {100}, {})}, "sums");
  n.node("Slice", {"sums", n.integers({1}), n.integers({3}), n.integers({1})}, "part");
  net::set(n.node("Concat", {"part", "sums"}, "five"), "axis", std::int64_t{1});
  n.node("Reshape", {"five", n.integers({5, 12})}, "rows");
  n.node("Transpose", {"rows"}, "turned");
  n.node("Identity", {"turned"}, "y");
  const auto y = elements_of<std::int32_t>(run(n, {as_bytes(x)}).at(0));
  REQUIRE(y.size() == 60);
  for (int p = 0; p < 12; ++p)
    for (int c = 0; c < 5; ++c) {
      const int channel = c < 2 ? c + 1 : c - 2;
      int want = 0;
      for (int k = 0; k < 2; ++k)
        want += (x[static_cast<std::size_t>(k * 12 + p)] - 100) * w[static_cast<std::size_t>(channel * 2 + k)];
      CHECK(y[static_cast<std::size_t>(p * 5 + c)] == want);
    }
}

TEST_CASE("import_onnx: inputs and constants of 32 bits") {
  net n({2, 3}, type::INT32);
  const std::vector<std::int32_t> x{-2147483647 - 1, 2147483647, -7, 0, 5, 1000};
  n.node("DequantizeLinear", {"x", n.real(0.25f)}, "real");
  n.node("QuantizeLinear", {"real", n.real(2.0f), n.code(1)}, "y");
  net::set(n.node("Concat", {"x", n.constant(type::INT32, {11, 12, 13}, {1, 3})}, "more"), "axis", std::int64_t{0});
  n.output("real");
  n.output("more");
  n.node("QuantizeLinear", {"x", n.real(4.0f), n.code(-1)}, "direct");
  n.output("direct");
  const auto out = run(n, {bytes_of(x)});
  const auto y = elements_of<std::int8_t>(out.at(0)), direct = elements_of<std::int8_t>(out.at(3));
  const auto real = elements_of<float>(out.at(1));
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(real[i] == static_cast<float>(x[i]) * 0.25f);
  CHECK(y == std::vector<std::int8_t>{-128, 127, 0, 1, 2, 126});         // -0.875, 0.625, 125: to the nearest, plus 1
  CHECK(direct == std::vector<std::int8_t>{-128, 127, -3, -1, 0, 127});  // -1.75, 1.25, 250: less 1
  CHECK(elements_of<std::int32_t>(out.at(2)) ==
        std::vector<std::int32_t>{-2147483647 - 1, 2147483647, -7, 0, 5, 1000, 11, 12, 13});
}

TEST_CASE("import_onnx: what is not computed with 32-bit sums") {
  const auto product_net = [](const char* behind) {
    net n({3, 7}, type::UINT8);
    n.node("MatMulInteger", {"x", n.constant(type::INT8, w35, {7, 5})}, "sums");
    n.node(behind, {"sums", "sums"}, "y");
    return n;
  };
  CHECK(refusal(product_net("Add")).find("INT32") != std::string::npos);
  CHECK(refusal(product_net("Mul")).find("INT32") != std::string::npos);
  net relu({3, 7}, type::INT32);
  relu.node("Relu", {"x"}, "y");
  CHECK(refusal(relu).find("INT32") != std::string::npos);
  net pool({1, 2, 4, 4}, type::INT32);
  pool.node("MaxPool", {"x"}, "y");
  CHECK(refusal(pool) != "accepted");

  net rows({3, 7}, type::UINT8);
  rows.node("MatMulInteger", {"x", rows.constant(type::INT8, w35, {7, 5}), rows.constant(type::UINT8, {1, 2, 3}, {3})}, "y");
  CHECK(refusal(rows).find("does not fit") != std::string::npos);
  net computed({3, 7}, type::UINT8);
  computed.input("zero", type::UINT8, {});
  computed.node("MatMulInteger", {"x", computed.constant(type::INT8, w35, {7, 5}), "zero"}, "y");
  CHECK(refusal(computed).find("not a constant") != std::string::npos);
  net words({3, 7}, type::INT16);
  words.node("MatMulInteger", {"x", words.constant(type::INT8, w35, {7, 5})}, "y");
  CHECK(refusal(words).find("INT16") != std::string::npos);
  net dynamic({3, 7});
  dynamic.node("DynamicQuantizeLinear", {"x"}, "codes").add_output("scale");
  dynamic.node("MatMulInteger", {"codes", dynamic.constant(type::INT8, w35, {7, 5})}, "y");
  CHECK(refusal(dynamic) != "accepted");
  net zero({2}, type::INT32);
  zero.node("DequantizeLinear", {"x", zero.real(1.0f), zero.constant(type::INT32, {1}, {})}, "y");
  CHECK(refusal(zero).find("zero point") != std::string::npos);
}
