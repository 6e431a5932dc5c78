// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Dense layers whose weights have a factor for each group along the depth, of every kind. Needs LOWBITS_GROUPS.

#include <lowbits/lowbits.hpp>

namespace group_network {

namespace lb = lowbits;

constexpr int depth = 83, units = 21, rows = 3, groups = 3, small_groups = 6;
template <class T, std::size_t N>
struct made {
  T value[N]{};
};
/// Numbers in [from, from + range).
template <class T, std::size_t N>
constexpr made<T, N> numbers(int from, int range, unsigned seed) {
  made<T, N> m;
  for (auto& v : m.value) seed = seed * 1664525u + 1013904223u, v = static_cast<T>(from + static_cast<int>((seed >> 8) % static_cast<unsigned>(range)));
  return m;
}
template <std::size_t N>
constexpr made<float, N> scales(unsigned seed) {
  const auto n = numbers<int, N>(1, 200, seed);
  made<float, N> m;
  for (std::size_t i = 0; i < N; ++i) m.value[i] = static_cast<float>(n.value[i]) * 0.001f;
  return m;
}
template <std::size_t N>
constexpr made<lb::half, N> halves(unsigned seed) {
  const auto n = scales<N>(seed);
  made<lb::half, N> m;
  for (std::size_t i = 0; i < N; ++i) m.value[i] = lb::half::nearest(n.value[i]);
  return m;
}
constexpr auto w4 = numbers<std::uint8_t, (depth * units + 1) / 2>(0, 256, 1);
constexpr auto w8 = numbers<std::int8_t, depth * units>(-128, 256, 2);
constexpr auto bytes = numbers<std::uint8_t, groups * units>(1, 255, 3);
constexpr auto small_bytes = numbers<std::uint8_t, small_groups * units>(0, 100, 4);
constexpr auto reals = scales<groups * units>(5);
constexpr auto half_reals = halves<small_groups * units>(6);
constexpr auto unit_scales = scales<units>(7);
constexpr auto bias = numbers<std::int32_t, units>(-100000, 200000, 8);
constexpr auto real_bias = scales<units>(9);
constexpr lb::weight_groups by_bytes(32, bytes.value), by_small_bytes(16, small_bytes.value, 4), by_reals(32, reals.value), by_halves(16, half_reals.value);

constexpr auto make_net() {
  lb::builder<12> g;
  const auto x = g.input("x", lb::tensor<lb::q8, rows, depth>({.scale = 0.02f, .zero_point = 5}));
  const auto r = g.input("r", lb::real_tensor<rows, depth>());
  const auto packed = lb::packed_weights<lb::q4>(w4.value, unit_scales.value);
  g.output(g.dense("codes", x, {.units = units, .weights = packed.in_groups(by_bytes), .bias = bias.value, .out = {.scale = 20.f, .zero_point = -3}, .fused = lb::activation::relu}));
  g.output(g.dense("sums", x, {.units = units, .weights = lb::weights(w8.value, lb::affine{.01f, 2}).in_groups(by_small_bytes), .out_format = lb::as_sums}));
  g.output(g.dense("real", x, {.units = units, .weights = packed.in_groups(by_halves), .bias = real_bias.value, .out_format = lb::as_reals}));
  g.output(g.dense("dynamic", r, {.units = units, .weights = packed.in_groups(by_reals), .bias = real_bias.value, .fused = lb::activation::relu6}));
  return g.output(g.dense("dynamic bytes", r, {.units = units, .weights = lb::weights(w8.value, lb::symmetric{.01f}).in_groups(by_small_bytes)}));
}

}  // namespace group_network
