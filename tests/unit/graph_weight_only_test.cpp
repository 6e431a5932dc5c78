// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Layers whose weights alone are quantized: the reference's bits from compiled graphs, with prepared weights and without, on
// every architecture; what such layers refuse.

#define LOWBITS_WEIGHT_ONLY
#include "support/every_arch.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <string>
#include <vector>

#include <lowbits/lowbits.hpp>

#include "support/for_each_arch.hpp"

namespace {

namespace lb = lowbits;
constexpr lb::dynamic_definition only = lb::dynamic_definition::weight_only;

constexpr auto stem_codes = [] {
  lb::packed_array<lb::u4, 8 * 3 * 3 * 3> w;
  for (std::size_t i = 0; i < 8 * 27; ++i) w[i] = static_cast<int>(i * 7 % 16);
  return w;
}();
struct codes {
  std::int8_t mixed[12 * 3 * 2 * 4];
  std::int16_t head[10 * 12];
};
constexpr codes some = [] {
  codes c{};
  for (int i = 0; i < 12 * 3 * 2 * 4; ++i) c.mixed[i] = static_cast<std::int8_t>(i * 37 % 256 - 128);
  for (int i = 0; i < 10 * 12; ++i) c.head[i] = static_cast<std::int16_t>(i * 2027 % 65536 - 32768);
  return c;
}();
constexpr float stem_scale[8] = {.1f, .2f, .3f, .4f, .5f, .6f, .7f, .8f}, stem_b[8] = {1, -2, 3, -4, 5, -6, 7, -8}, head_b[10] = {1, 2, 3};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("image", lb::real_tensor<2, 7, 6, 3>());
  const auto a = g.conv2d("stem", x, {.out_c = 8, .kernel = 3, .stride = 2, .pad = 1, .weights = lb::packed_weights<lb::u4>(stem_codes, {stem_scale, 5}),
                                      .bias = stem_b, .dynamic = only, .fused = lb::activation::relu});
  const auto b = g.conv2d("mixed", a, {.out_c = 12, .kernel = {3, 2}, .dilation = {1, 2}, .pad = 1, .groups = 2,
                                       .weights = lb::weights(some.mixed, lb::symmetric{.01f}), .dynamic = only});
  const auto m = g.global_mean("mean", b, {});
  return g.output(b).output(g.dense("head", m, {.units = 10, .weights = lb::weights(some.head, lb::affine{.001f, -3}), .bias = head_b, .dynamic = only}));
}
using net = lb::model<make_net>;

struct outputs {
  std::vector<float> b = std::vector<float>(2 * 4 * 4 * 12), y = std::vector<float>(20);
};

/// By the reference. mean: what the graph's mean of b is.
outputs expected(const std::vector<float>& x) {
  std::vector<float> a(2 * 4 * 3 * 8), mean(24);
  outputs o;
  const auto& g = net::graph;
  lb::ref::weight_only_conv2d(lb::detail::conv2d_shape_of(g[1], g[0].out), x.data(), lb::packed_view<lb::u4>(stem_codes.bytes, 8 * 27), 5,
                              [](int c) { return stem_scale[c]; }, stem_b, a.data());
  for (float& v : a) v = v < 0 ? 0 : v;
  const lb::conv2d_shape mixed = lb::detail::conv2d_shape_of(g[2], g[1].out);
  o.b.resize(g[2].out.count());
  lb::ref::weight_only_conv2d(mixed, a.data(), some.mixed, 0, [](int) { return .01f; }, nullptr, o.b.data());
  lb::ref::real_mean(2, mixed.out_h * mixed.out_w, 12, o.b.data(), {}, mean.data());
  lb::ref::weight_only_gemm({.rows = 2, .cols = 10, .depth = 12}, 0, mean.data(), some.head,
                            {std::span<const float>(std::initializer_list<float>{.001f}), std::span<const std::int32_t>(std::initializer_list<std::int32_t>{-3}), head_b}, o.y.data());
  return o;
}

void compare(const std::vector<float>& got, const std::vector<float>& wanted, const std::string& what) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    if (std::bit_cast<std::uint32_t>(got[i]) != std::bit_cast<std::uint32_t>(wanted[i])) {
      FAIL_CHECK(what, ": element ", i, " is ", got[i], ", not ", wanted[i]);
      return;
    }
}

constexpr auto make_depthwise() {
  lb::builder<4> g;
  const auto x = g.input("image", lb::real_tensor<4, 4, 2>());
  constexpr auto& w = some.mixed;
  return g.output(g.depthwise("depthwise", x, {.kernel = {12, 12}, .pad = 5, .weights = lb::weights(w, lb::symmetric{1}), .dynamic = only}));
}

}  // namespace

TEST_CASE("weight-only layers: the reference's bits") {
  std::vector<float> x(2 * 7 * 6 * 3);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(static_cast<int>(i * 29 % 101) - 50) * 0.037f;
  const outputs wanted = expected(x);
  std::vector<unsigned char> memory(net::arena_bytes + 64), packed_memory(net::prepared_bytes + 64);
  const auto aligned = [](std::vector<unsigned char>& v, std::size_t n) {
    const auto at = reinterpret_cast<std::uintptr_t>(v.data());
    return std::span<unsigned char>(v.data() + (lb::round_up(at, std::uintptr_t{64}) - at), n);
  };
  const auto arena = aligned(memory, net::arena_bytes), packed = aligned(packed_memory, net::prepared_bytes);
  outputs got;
  got.b.resize(wanted.b.size());
  REQUIRE(net::run(arena, x, got.b, got.y) == lb::status::ok);
  compare(got.b, wanted.b, "not prepared");
  compare(got.y, wanted.y, "not prepared, head");
  lowbits_test::for_each_arch([&](lb::arch_id, const std::string& name) {
    if (LOWBITS_DISPATCH != 0) REQUIRE(lb::set_max_arch(name.c_str()) == lb::status::ok);
    const auto ready = net::prepare(packed);
    REQUIRE(ready.error() == lb::status::ok);
    got.b.assign(got.b.size(), 7);
    got.y.assign(got.y.size(), 7);
    REQUIRE(ready.run(arena, x, got.b, got.y) == lb::status::ok);
    compare(got.b, wanted.b, name);
    compare(got.y, wanted.y, name + ", head");
    static_cast<void>(lb::set_max_arch(""));
  });
}

TEST_CASE("weight-only layers: depthwise ones are refused") {
  CHECK(make_depthwise().error().code != lb::graph_errc::ok);
}
