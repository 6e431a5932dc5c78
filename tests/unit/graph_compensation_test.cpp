// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Layers with error compensation in a graph: the exact forms give the bits of the 16-bit layers, three
// products those of the definition; with prepared weights and without, on every architecture.

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include <lowbits/lowbits.hpp>

#include "support/for_each_arch.hpp"
#include "support/graph_oracle.hpp"

namespace lb = lowbits;
using how = lb::error_compensation;

namespace {

template <class T, std::size_t N>
struct numbers {
  T value[N];
};
template <class T, std::size_t N>
constexpr numbers<T, N> make_numbers(std::uint32_t seed) {
  numbers<T, N> a{};
  for (T& v : a.value) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<T>(seed >> 13);
  }
  return a;
}
constexpr auto conv_w = make_numbers<std::int16_t, 20 * 9 * 3>(1);
constexpr auto up_w = make_numbers<std::int16_t, 6 * 4 * 20>(2);
constexpr auto byte_w = make_numbers<std::int8_t, 20 * 20>(3);
constexpr auto bits_w = [] {
  auto a = make_numbers<std::int16_t, 5 * 6>(4);
  for (auto& v : a.value) v = static_cast<std::int16_t>(v >> 4);
  return a;
}();
constexpr auto packed_w = lb::make_packed<lb::q12>(bits_w.value);
constexpr auto scales = [] {
  numbers<float, 20> a{};
  float s = 1e-5f;
  for (float& v : a.value) v = s += 3e-6f;
  return a;
}();
constexpr std::int32_t bias[20] = {100000, -50000, 3};
constexpr std::int64_t wide_bias[6] = {1ll << 33, -5, 7};
constexpr lb::affine act{.scale = 0.001f}, out{.scale = 0.01f};

template <how How, how OneSided>
constexpr auto make_net() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q16, 9, 8, 3>(act));
  const auto c = g.conv2d("c", x, {.out_c = 20, .kernel = 3, .stride = 2, .pad = 1, .weights = lb::weights(conv_w.value, scales.value),
                                   .bias = bias, .out = out, .ec = How});
  const auto b = g.conv2d("b", c, {.out_c = 20, .weights = lb::weights(byte_w.value, lb::symmetric{.004f}), .out = out, .ec = OneSided});
  const auto u = g.transposed_conv2d("u", b, {.out_c = 6, .kernel = 2, .stride = 2, .weights = lb::weights(up_w.value, lb::symmetric{2e-5f}),
                                              .bias = wide_bias, .out = out, .ec = How});
  const auto r = g.reshape("r", u, {80, 6});
  const auto d = g.dense("d", r, {.units = 5, .weights = lb::packed_weights<lb::q12>(packed_w, lb::symmetric{1e-3f}), .out = {.scale = .05f}, .ec = How});
  const auto m = g.matmul("m", d, r, {.x_transposed = true, .out = {.scale = 0.5f}, .ec = How});
  return g.output(m).output(d);
}

template <class T>
std::vector<T> codes(std::size_t n, std::uint32_t seed) {
  std::vector<T> v(n);
  for (T& c : v) {
    seed = seed * 1664525u + 1013904223u;
    c = static_cast<T>(seed >> 14);
  }
  return v;
}

struct record {
  std::vector<std::vector<std::int16_t>>* all;
  void operator()(const lb::node_output& o) const {
    const auto* p = static_cast<const std::int16_t*>(o.data);
    all->emplace_back(p, p + o.desc->count());
  }
};

/// Every node's output; with prepared weights the same.
template <class Net>
std::vector<std::vector<std::int16_t>> run(const std::vector<std::int16_t>& x) {
  alignas(lb::arena_alignment) static unsigned char arena[Net::arena_bytes];
  alignas(lb::packed_alignment) static unsigned char packed[Net::prepared_bytes + 1];
  std::vector<std::vector<std::int16_t>> nodes;
  std::vector<std::int16_t> y(6 * 5), d(80 * 5);
  REQUIRE(Net::observe(record{&nodes}, arena, x, y, d) == lb::status::ok);
  lowbits_test::for_each_arch([&](lb::arch_id id, const std::string& name) {
    INFO(name);
    std::vector<std::vector<std::int16_t>> again;
    const auto prepared = Net::prepare_for(id, std::span<unsigned char>(packed, Net::prepared_bytes));
    REQUIRE(prepared.observe(record{&again}, arena, x, y, d) == lb::status::ok);
    CHECK(again == nodes);
  });
  return nodes;
}

constexpr auto make_plain() { return make_net<how::none, how::none>(); }
constexpr auto make_exact() { return make_net<how::exact, how::exact>(); }
constexpr auto make_three() { return make_net<how::three_products, how::exact>(); }

}  // namespace

TEST_CASE("graph compensation: exact layers are the 16-bit layers") {
  const auto x = codes<std::int16_t>(9 * 8 * 3, 99);
  CHECK(run<lb::model<make_exact>>(x) == run<lb::model<make_plain>>(x));
}

TEST_CASE("graph compensation: three products are the definition, close to four") {
  const auto x = codes<std::int16_t>(9 * 8 * 3, 98);
  using net = lb::model<make_three>;
  const auto got = run<net>(x);
  std::vector<lb::fixed_multiplier> f;
  for (float s : scales.value) f.push_back(lb::fixed_multiplier::from(lb::scale_ratio(act.scale, s, out.scale)));
  const lb::channel_requantizer<lb::q16> rq{f.data(), lb::output_stage::of(lb::qformat::of<lb::q16>(), out)};
  std::vector<std::int16_t> want(5 * 4 * 20);
  lb::ref::three_product_conv2d(lb::conv2d_shape{1, 9, 8, 3, 5, 4, 20, {3, 3, 2, 2, 1, 1, 1, 1}, 1}, x.data(), 0, +conv_w.value, 0, bias, rq, want.data());
  CHECK(got[1] == want);

  const auto exact = run<lb::model<make_exact>>(x);
  double noise = 0, power = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double difference = got[1][i] - exact[1][i];
    noise += difference * difference;
    power += static_cast<double>(exact[1][i]) * exact[1][i];
  }
  CHECK(noise > 0);
  CHECK(noise < power * 1e-4);  // codes over the whole range; those above 32639 are held
}

TEST_CASE("graph compensation: weights that are prepared are two bytes, and starts") {
  using net = lb::model<make_exact>;
  CHECK(net::weight_bytes == lb::model<make_plain>::weight_bytes);
  CHECK(net::report.macs == lb::model<make_plain>::report.macs);
}

TEST_CASE("graph compensation: what is refused") {
  const auto verdict = [](auto&& add) {
    lb::builder<4> g;
    const auto x = g.input("x", lb::tensor<lb::q16, 20, 1, 20>(act));
    g.output(add(g, x));
    return g.verdict().code;
  };
  const auto bytes = lb::weights(byte_w.value, lb::symmetric{1.0f});
  CHECK(verdict([&](auto& g, auto x) { return g.conv2d("c", x, {.out_c = 20, .weights = bytes, .out = out, .ec = how::exact}); }) ==
        lb::graph_errc::ok);
  CHECK(verdict([&](auto& g, auto x) { return g.conv2d("c", x, {.out_c = 20, .weights = bytes, .out = out, .ec = how::three_products}); }) ==
        lb::graph_errc::compensation);
  CHECK(verdict([&](auto& g, auto x) {
          return g.conv2d("c", x, {.out_c = 20, .weights = bytes, .out_format = lb::as_sums, .ec = how::exact});
        }) != lb::graph_errc::ok);
  CHECK(verdict([&](auto& g, auto x) {
          const auto y = g.requantize("y", x, {.out = out, .out_format = lb::qformat::of<lb::q8>()});
          return g.matmul("m", y, y, {.x_transposed = true, .out = out, .ec = how::exact});
        }) == lb::graph_errc::compensation);
}
