// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A network with weights of many widths, coded or plain.

#include <vector>

#include <lowbits/lowbits.hpp>

#include "random_codes.hpp"

namespace coded_network {

namespace lb = lowbits;

template <class T, std::size_t N, int Lowest, int Highest>
struct numbers {
  T v[N]{};
  constexpr numbers() {
    random_codes::generator g{N};
    for (T& x : v) {
      int sum = 0;
      for (int k = 0; k < 8; ++k) sum += g.in(Lowest, Highest);
      x = static_cast<T>(sum / 8);
    }
  }
  constexpr T operator[](std::size_t i) const { return v[i]; }
  static constexpr std::size_t size() { return N; }
};
inline constexpr numbers<lb::int8_t, 24 * 9 * 3, -8, 7> stem;
inline constexpr numbers<lb::int8_t, 9 * 24, -100, 100> deep;
inline constexpr numbers<lb::uint8_t, 24 * 24, 0, 255> point;
inline constexpr numbers<lb::int8_t, 4 * 4 * 24, -1, 1> up;
inline constexpr numbers<lb::uint16_t, 10 * 7 * 7 * 4, 0, 1023> head;
inline constexpr numbers<lb::int16_t, 10 * 10, -2000, 2000> wide;
inline constexpr numbers<lb::int8_t, 10 * 6, -50, 50> last, very_last;

template <bool Coded, class Q, const auto& Values>
constexpr lb::weight_data bound(const lb::weight_scales& s) {
  if constexpr (Coded) return lb::coded_weights(lb::coded<Q, Values>, s);
  else if constexpr (Q::bits < 8 || Q::bits == 10) return lb::packed_weights<Q>(lb::packed<Q, Values>, s);
  else return lb::weights<Q>(Values.v, s);
}

/// A convolution, depthwise ones with and without a zero point, unsigned weights, ternary ones, words, and
/// floats around codes by two rules.
template <bool Coded>
constexpr auto make_net() {
  lb::builder<14> g;
  auto x = g.input("x", lb::tensor<lb::q8, 7, 7, 3>({.scale = 1 / 16.f, .zero_point = 3}));
  auto a = g.conv2d("stem", x, {.out_c = 24, .kernel = 3, .pad = 1, .weights = bound<Coded, lb::q4, stem>(lb::symmetric{.02f}), .out = {.scale = .05f}});
  auto b = g.depthwise("deep", a, {.kernel = 3, .pad = 1, .weights = bound<Coded, lb::q8, deep>(lb::symmetric{.002f}), .out = {.scale = .05f}});
  auto c = g.depthwise("shifted", b, {.kernel = 3, .pad = 1, .weights = bound<Coded, lb::q8, deep>(lb::affine{.002f, 5}), .out = {.scale = .05f}});
  auto d = g.conv2d("point", c, {.out_c = 24, .weights = bound<Coded, lb::u8, point>(lb::affine{.002f, 128}), .out = {.scale = .05f}});
  auto e = g.transposed_conv2d("up", d, {.out_c = 4, .kernel = 2, .stride = 1, .pad = lb::same_padding, .weights = bound<Coded, lb::ternary, up>(lb::symmetric{.1f}), .out = {.scale = .05f}});
  auto f = g.dense("head", e, {.units = 10, .weights = bound<Coded, lb::u10, head>(lb::affine{.0001f, 512}), .out = {.scale = .1f}});
  auto w = g.dense("wide", f, {.units = 10, .weights = bound<Coded, lb::q12, wide>(lb::symmetric{.0001f}), .out = {.scale = .1f}});
  auto r = g.dequantize("reals", w);
  auto h = g.dense("dynamic", r, {.units = 6, .weights = bound<Coded, lb::q7, last>(lb::symmetric{.01f})});
  auto i = g.dense("asymmetric", r, {.units = 6, .weights = bound<Coded, lb::q7, very_last>(lb::symmetric{.01f}), .dynamic = lb::dynamic_definition::asymmetric});
  g.output(h);
  return g.output(i);
}

/// Every node's bytes, from something that has observe().
struct answer {
  lb::status status{};
  std::vector<unsigned char> bytes{};
};
template <class Net>
answer run(const Net& n, int seed) {
  using net = lb::model<make_net<true>>;
  using plain_net = lb::model<make_net<false>>;
  alignas(64) static unsigned char arena[lb::larger(net::arena_bytes, plain_net::arena_bytes)];
  const auto x = random_codes::fill<lb::int8_t>(7 * 7 * 3, static_cast<std::uint32_t>(seed));
  float y[6]{}, z[6]{};
  answer a;
  a.status = n.observe(
      [&](const lb::node_output& o) {
        const auto* p = static_cast<const unsigned char*>(o.data);
        a.bytes.insert(a.bytes.end(), p, p + o.desc->bytes());
      },
      arena, x, y, z);
  return a;
}

}  // namespace coded_network
