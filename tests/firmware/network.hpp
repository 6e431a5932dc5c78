// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A network with many kinds of nodes and no meaning, for the tests of this folder: convolutions with
// 8-bit, packed 4-bit and packed 3-bit weights, depthwise, skip connection, concat, pooling, tables,
// resize, transposed convolution, dense, softmax. No node needs floating point.

#include <lowbits/lowbits.hpp>

namespace firmware {

namespace lb = lowbits;

template <std::size_t N>
struct numbers {
  std::int8_t value[N];
};
/// N weights from -highest to highest.
template <std::size_t N>
constexpr numbers<N> draw(std::uint32_t seed, int highest) {
  numbers<N> w{};
  for (auto& v : w.value) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<std::int8_t>(static_cast<int>((seed >> 16) % static_cast<unsigned>(2 * highest + 1)) - highest);
  }
  return w;
}

inline constexpr auto stem_w = draw<8 * 3 * 3 * 3>(1, 127);
inline constexpr auto depth_w = draw<3 * 3 * 8>(2, 127);
inline constexpr auto point_w = lb::make_packed<lb::q4>(draw<8 * 8>(3, 7).value);
inline constexpr auto down_w = lb::make_packed<lb::q3>(draw<12 * 3 * 3 * 8>(4, 3).value);
inline constexpr auto up_w = draw<4 * 2 * 2 * 12>(5, 127);
inline constexpr auto logits_w = draw<10 * 64>(6, 127);
inline constexpr std::int32_t stem_b[8] = {500, -300, 0, 1200, -90, 7, 40, -2000};
inline constexpr std::int32_t logits_b[10] = {100, -100, 2000, 0, 5, -5, 30, -3000, 1, 2};
inline constexpr float stem_s[8] = {.010f, .007f, .012f, .009f, .011f, .008f, .0101f, .0079f};

constexpr auto make_network() {
  constexpr lb::affine act{.scale = 0.03f, .zero_point = -20}, wide{.scale = 0.05f, .zero_point = 3};
  lb::builder<24> g;
  const auto x = g.input("picture", lb::tensor<lb::q8, 10, 10, 3>({.scale = 1 / 128.f, .zero_point = 5}));
  const auto stem = g.conv2d("stem", x, {.out_c = 8, .kernel = 3, .pad = 1, .weights = lb::weights(stem_w.value, stem_s),
                                         .bias = stem_b, .out = act, .fused = lb::activation::relu6});
  const auto depth = g.depthwise("depth", stem, {.kernel = 3, .pad = 1, .weights = lb::weights(depth_w.value, lb::symmetric{.008f}),
                                                 .out = act, .policy = lb::rounding::double_gemmlowp});
  const auto point = g.conv2d("point", depth, {.out_c = 8, .weights = lb::packed_weights(point_w, lb::symmetric{.1f}), .out = act});
  const auto skip = g.add("skip", stem, point, {.out = wide});
  const auto down = g.conv2d("down", skip, {.out_c = 12, .kernel = 3, .stride = 2, .pad = lb::same_padding,
                                            .weights = lb::packed_weights(down_w, lb::symmetric{.06f}), .out = wide});
  const auto curved = g.hard_swish("curved", down, {.out = act});
  const auto gate = g.mul("gate", curved, g.sigmoid("sigmoid", down, {.out = {.scale = 1 / 256.f, .zero_point = -128}}), {.out = act});
  const auto up = g.transposed_conv2d("up", gate, {.out_c = 4, .kernel = 2, .stride = 2,
                                                   .weights = lb::weights(up_w.value, lb::symmetric{.01f}), .out = wide});
  const auto small_map = g.average_pool("average", up, {.kernel = 3, .stride = 3, .pad = 1});
  const auto large_map = g.max_pool("largest", g.resize("resize", up, {.out_h = 8, .out_w = 8, .mode = lb::resize_mode::bilinear}), {});
  const auto both = g.concat("both", {small_map, large_map}, 2);
  const auto flat = g.reshape("flat", g.slice("middle", both, {.begin = {0, 0, 1}, .extent = {4, 4, 4}}), {64});
  const auto logits = g.dense("logits", flat, {.units = 10, .weights = lb::weights(logits_w.value, lb::symmetric{.01f}),
                                               .bias = logits_b, .out = {.scale = 0.1f}});
  return g.output(g.softmax("probabilities", logits)).output(logits);
}

/// The model of this program; others may take its place (inference.hpp).
using model = lb::model<make_network>;

}  // namespace firmware
