// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Small graphs, one per kind of operation, with their weights.

#include <array>

#include <lowbits/lowbits.hpp>

namespace op_graphs {

namespace lb = lowbits;

constexpr lb::affine px{.scale = 0.05f, .zero_point = -7}, py{.scale = 0.11f, .zero_point = 4},
    po{.scale = 0.09f, .zero_point = -3};

template <std::size_t N>
constexpr std::array<std::int8_t, N> codes(std::uint32_t seed) {
  std::array<std::int8_t, N> a{};
  for (auto& v : a) v = static_cast<std::int8_t>((seed = seed * 1664525u + 1013904223u) >> 24);
  return a;
}
template <std::size_t N>
struct weights_of {  // a C array inside a constant, as generated headers have it
  std::int8_t value[N];
};
template <std::size_t N>
constexpr weights_of<N> make_weights(std::uint32_t seed) {
  weights_of<N> w{};
  const auto c = codes<N>(seed);
  for (std::size_t i = 0; i < N; ++i) w.value[i] = c[i];
  return w;
}

constexpr auto w_conv = make_weights<6 * 3 * 2 * 4>(11);
constexpr auto w_group = make_weights<6 * 3 * 3 * 2>(12);
constexpr auto w_dw = make_weights<3 * 3 * 8>(13);
constexpr auto w_up = make_weights<5 * 2 * 3 * 4>(14);
constexpr auto w_dense = make_weights<7 * 60>(15);
constexpr float s_six[6] = {.010f, .020f, .015f, .011f, .009f, .030f};
constexpr std::int32_t b_six[6] = {100, -200, 300, 0, 5, -6}, b_five[5] = {1, 2, 3, 4, 500},
                       b_eight[8] = {9, 8, 7, 6, 5, 4, 3, 2000};
constexpr std::int64_t b_wide[6] = {100000, -200000, 300000, 0, 5, -6};

template <class Function>
constexpr auto with_input(Function f) {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 2, 5, 6, 4>(px));
  return g.output(f(g, x));
}
constexpr auto make_conv() {
  return with_input([](auto& g, lb::edge x) {
    return g.conv2d("c", x,
                    {.out_c = 6,
                     .kernel = {3, 2},
                     .stride = {2, 1},
                     .dilation = {1, 2},
                     .pad = {1, 1, 0, 2},
                     .weights = lb::weights(w_conv.value, s_six),
                     .bias = b_six,
                     .out = po,
                     .fused = lb::activation::relu6});
  });
}
constexpr auto make_group() {
  return with_input([](auto& g, lb::edge x) {
    return g.conv2d("c", x,
                    {.out_c = 6,
                     .kernel = 3,
                     .pad = lb::same_padding,
                     .groups = 2,
                     .weights = lb::weights(w_group.value, lb::symmetric{.02f}),
                     .out = po,
                     .policy = lb::rounding::double_gemmlowp});
  });
}
constexpr auto make_depthwise() {
  return with_input([](auto& g, lb::edge x) {
    return g.depthwise("d", x,
                       {.kernel = 3,
                        .stride = 2,
                        .pad = 1,
                        .multiplier = 2,
                        .weights = lb::weights(w_dw.value, lb::symmetric{.02f}),
                        .bias = b_eight,
                        .out = po});
  });
}
constexpr auto make_up() {
  return with_input([](auto& g, lb::edge x) {
    return g.transposed_conv2d("u", x,
                               {.out_c = 5,
                                .kernel = {2, 3},
                                .stride = 2,
                                .pad = {0, 1, 1, 0},
                                .weights = lb::weights(w_up.value, lb::symmetric{.02f}),
                                .bias = b_five,
                                .out = po});
  });
}
constexpr auto make_dense() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::u8, 3, 60>({.scale = .03f, .zero_point = 120}));
  return g.output(g.dense("d", x,
                          {.units = 7,
                           .weights = lb::weights(w_dense.value, lb::affine{.02f, 3}),
                           .out = po,
                           .out_format = lb::qformat::of<lb::q8>(),
                           .product = lb::scale_product::float32}));
}
constexpr auto make_wide() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q16, 5, 6, 4>({.scale = .001f}));
  return g.output(g.conv2d("c", x,
                           {.out_c = 6,
                            .kernel = {3, 2},
                            .weights = lb::weights(w_conv.value, s_six),
                            .bias = b_wide,
                            .out = {.scale = .002f},
                            .policy = lb::rounding::tflite_int64}));
}
constexpr auto make_matmul() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 2, 3, 5>(px));
  const auto y = g.input("y", lb::tensor<lb::q8, 1, 7, 5>(py));
  return g.output(
      g.matmul("m", x, y, {.w_transposed = true, .out = po, .fused = lb::activation::relu}));
}
constexpr auto make_elementwise() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 3, 4, 5>(px));
  const auto y = g.input("y", lb::tensor<lb::q8, 3, 4, 5>(py));
  const auto z = g.input("z", lb::tensor<lb::q8, 5>(py));
  g.output(g.add("add", x, y, {.out = po}))
      .output(g.sub("sub", x, z, {.out = po, .fused = lb::activation::relu}));
  g.output(g.add("tflite", x, y, {.out = po, .definition = lb::sum_definition::tflite}));
  g.output(g.mul("mul", x, y, {.out = po, .policy = lb::rounding::double_gemmlowp}));
  return g.output(g.minimum("lo", x, y, {.out = po})).output(g.maximum("hi", x, z, {.out = po}));
}
constexpr auto make_pools() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 2, 7, 6, 3>(px));
  g.output(g.max_pool("largest", x,
                      {.kernel = 3, .stride = 2, .pad = 1, .fused = lb::activation::relu}));
  g.output(
      g.average_pool("average", x, {.kernel = {2, 3}, .stride = {2, 1}, .pad = lb::same_padding}));
  return g.output(g.global_mean("mean", x, {.out = po}));
}
constexpr auto make_floats() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::real_tensor<9>());
  return g.output(g.dequantize("out", g.quantize("in", x, {.out = px})));
}
constexpr auto make_moves() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 2, 3, 4>(px));
  const auto parts = g.split<2>("half", x, 2);
  const auto t = g.transpose("turned", g.concat("swapped", {parts[1], parts[0]}, 2), {2, 0, 1});
  const auto p = g.pad("padded", t, {.before = {1, 0, 0}, .after = {0, 0, 2}});
  const auto s =
      g.slice("backwards", p, {.begin = {4, 0, 2}, .extent = {4, 2, 3}, .step = {-1, 1, -1}});
  return g.output(g.sigmoid("sigmoid", s, {.out = {.scale = 1 / 256.f, .zero_point = -128}}));
}


constexpr float real_conv_w[3 * 2 * 2 * 2] = {.5f, -.25f, 1.f, 2.f, -1.f, .125f, .75f, -.5f, .3f, .1f, -.7f, .9f,
                                              -.2f, .4f, .6f, -.8f, 1.5f, -1.25f, .05f, .01f, -.03f, .07f, .11f, -.13f},
                real_dw_w[2 * 2 * 3] = {.5f, -.25f, 1.f, 2.f, -1.f, .125f, .75f, -.5f, .3f, .1f, -.7f, .9f},
                real_up_w[2 * 2 * 2 * 3] = {.5f, -.25f, 1.f, 2.f, -1.f, .125f, .75f, -.5f, .3f, .1f, -.7f, .9f,
                                            -.2f, .4f, .6f, -.8f, 1.5f, -1.25f, .05f, .01f, -.03f, .07f, .11f, -.13f},
                real_dense_w[2 * 6] = {.5f, -.25f, 1.f, 2.f, -1.f, .125f, .75f, -.5f, .3f, .1f, -.7f, .9f},
                real_b[3] = {.1f, -.2f, .3f};

constexpr float real_six[6] = {.1f, -.2f, .3f, 0.f, 5.f, -.6f};
constexpr std::uint8_t packed_dense[60] = {0x21, 0x43, 0xf8, 0x79, 0x80, 0x17, 0x3c, 0xd2};

/// Everything that takes floats. x is an image of 4 x 5 x 2, y a vector of 2.
constexpr auto make_reals() {
  lb::builder<40> g;
  const auto x = g.input("x", lb::real_tensor<1, 4, 5, 2>());
  const auto y = g.input("y", lb::real_tensor<2>());
  const auto c = g.conv2d("conv", x, {.out_c = 3, .kernel = 2, .stride = {1, 2}, .pad = {1, 0, 0, 1},
                                      .weights = lb::weights(real_conv_w), .bias = real_b, .fused = lb::activation::relu6});
  const auto d = g.depthwise("depthwise", c, {.kernel = 2, .weights = lb::weights(real_dw_w)});
  const auto u = g.transposed_conv2d("up", d, {.out_c = 2, .kernel = 2, .stride = 2, .weights = lb::weights(real_up_w)});
  g.output(g.resize("resized", u, {.out_h = 5, .out_w = 3, .mode = lb::resize_mode::bilinear, .half_pixel_centers = true}));
  const auto m = g.max_pool("max", x, {.kernel = 2, .stride = 2, .fused = lb::activation::relu});
  const auto a = g.average_pool("average", x, {.kernel = {2, 3}, .stride = 1, .pad = lb::same_padding});
  const auto s = g.add("add", a, y, {.fused = lb::activation::relu_n1_to_1});
  const auto t = g.mul("mul", g.sub("sub", s, x, {}), g.minimum("lo", x, g.maximum("hi", y, x, {}), {}), {});
  g.output(g.softmax("softmax", t, {.beta = .5f})).output(g.global_mean("mean", t, {}));
  g.output(g.dense("dense", g.reshape("rows", g.slice("part", m, {.begin = {0, 0, 0, 0}, .extent = {1, 2, 1, 2}}), {1, 4}),
                   {.units = 3, .weights = lb::weights(real_dw_w), .bias = real_b}));
  const auto p = g.transpose("turned", g.reshape("matrix", x, {4, 5, 2}), {0, 2, 1});
  g.output(g.matmul("matmul", p, g.reshape("matrix again", x, {4, 5, 2}), {.fused = lb::activation::relu}));
  g.output(g.hard_swish("swish", g.relu("relu", g.sigmoid("sigmoid", x, {})), {}));
  return g.output(g.quantize("codes", g.concat("both", {x, t}, 3), {.out = px}));
}

/// Floats around integer weights, by each definition; x is an image of 4 x 5 x 4, twice.
constexpr auto make_dynamic() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::real_tensor<2, 4, 5, 4>());
  g.output(g.conv2d("conv", x, {.out_c = 6, .kernel = {3, 2}, .pad = 1, .weights = lb::weights(w_conv.value, s_six),
                                .bias = real_six, .fused = lb::activation::relu}));
  g.output(g.conv2d("conv asymmetric", x, {.out_c = 6, .kernel = {3, 2}, .stride = 2, .pad = {1, 0, 0, 1},
                                           .weights = lb::weights(w_conv.value, s_six),
                                           .dynamic = lb::dynamic_definition::asymmetric}));
  g.output(g.depthwise("depthwise", x, {.kernel = 3, .pad = lb::same_padding, .multiplier = 2,
                                        .weights = lb::weights(w_dw.value, lb::symmetric{.02f})}));
  const auto rows = g.reshape("rows", x, {8, 20});
  g.output(g.dense("dense", rows, {.units = 6, .weights = lb::packed_weights<lb::q4>(packed_dense, s_six), .bias = real_six,
                                   .dynamic = lb::dynamic_definition::onnx}));
  return g.output(g.transposed_conv2d("up", x, {.out_c = 5, .kernel = {2, 3}, .stride = 2,
                                                .weights = lb::weights(w_up.value, lb::symmetric{.02f})}));
}

/// Layers on codes whose sums become real numbers before anything else, as ncnn's int8 layers.
constexpr auto make_scaled() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::real_tensor<4, 5, 4>());
  const auto q = g.quantize("codes", x, {.out = {.05f, 0}, .policy = lb::rounding::away_float, .multiplier = 20.0f});
  g.output(g.conv2d("conv", q, {.out_c = 6, .kernel = {3, 2}, .pad = 1, .weights = lb::weights(w_conv.value, s_six),
                                .bias = real_six, .out_format = lb::as_reals, .fused = lb::activation::relu}));
  g.output(g.depthwise("depthwise", q, {.kernel = 3, .pad = lb::same_padding, .multiplier = 2,
                                        .weights = lb::weights(w_dw.value, lb::symmetric{.02f}),
                                        .out_format = lb::as_reals}));
  g.output(g.transposed_conv2d("up", q, {.out_c = 5, .kernel = {2, 3}, .stride = 2,
                                         .weights = lb::weights(w_up.value, lb::symmetric{.02f}),
                                         .out_format = lb::as_reals}));
  g.output(g.conv2d("chained", q, {.out_c = 6, .kernel = {3, 2}, .pad = 1, .weights = lb::weights(w_conv.value, s_six),
                                   .bias = real_six, .out = {.25f, 0}, .fused = lb::activation::relu,
                                   .policy = lb::rounding::away_bias}));
  return g.output(g.quantize("divided", x, {.out = {.25f, 3}, .out_format = lb::qformat::of<lb::u8>(),
                                            .policy = lb::rounding::away_float}));
}

constexpr std::int16_t sums_words[] = {-30000, 20000, 0, 1, -5, 700};
constexpr std::int32_t sums_constant[] = {2147483647, -2147483647 - 1, 0, 7, -9};

/// Layers and matmul without requantization, and what takes their 32-bit codes.
constexpr auto make_sums() {
  lb::builder<32> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 4, 5, 4>(px));
  const auto bytes = g.input("bytes", lb::tensor<lb::u8, 3, 60>({.scale = .04f, .zero_point = 130}));
  const auto words = g.input("words", lb::tensor<lb::q16, 2, 6>({.scale = .001f}));
  const auto wide = g.input("wide", lb::tensor<lb::q32, 5, 2, 3>({.scale = 2e-6f}));
  const auto conv = g.conv2d("conv", x, {.out_c = 6, .kernel = {3, 2}, .pad = 1, .weights = lb::weights(w_conv.value, s_six),
                                         .bias = b_six, .out = {.scale = .001f}, .out_format = lb::as_sums});
  const auto dw = g.depthwise("depthwise", x, {.kernel = 3, .pad = lb::same_padding, .multiplier = 2,
                                               .weights = lb::weights(w_dw.value, lb::symmetric{.02f}), .bias = b_eight,
                                               .out_format = lb::as_sums});
  const auto up = g.transposed_conv2d("up", x, {.out_c = 5, .kernel = {2, 3}, .stride = 2,
                                                .weights = lb::weights(w_up.value, lb::symmetric{.02f}),
                                                .out_format = lb::as_sums});
  const auto dense = g.dense("dense", bytes, {.units = 7, .weights = lb::weights(w_dense.value, lb::affine{.02f, 9}),
                                              .out_format = lb::as_sums});
  const auto deep = g.dense("dense of words", words, {.units = 1, .weights = lb::weights(sums_words, lb::symmetric{.01f}),
                                                      .out_format = lb::as_sums});
  const auto rows = g.reshape("rows", x, {4, 20});
  const auto product = g.matmul("product", rows, rows, {.w_transposed = true, .out_format = lb::as_sums});
  g.output(conv).output(g.dequantize("reals", dw)).output(up).output(dense).output(deep);
  g.output(g.requantize("narrow", conv, {.out = {.scale = .2f, .zero_point = 3}, .out_format = lb::qformat::of<lb::q8>(),
                                         .fused = lb::activation::relu}));
  g.output(g.requantize("words again", product, {.out = {.scale = .01f}, .out_format = lb::qformat::of<lb::q16>(),
                                                 .policy = lb::rounding::double_gemmlowp}));
  const auto finer = g.requantize("finer", g.slice("part", rows, {.begin = {0, 0}, .extent = {4, 5}}),
                                  {.out = {.scale = 2e-6f}, .out_format = lb::qformat::of<lb::q32>(), .policy = lb::rounding::double_gemmlowp});
  const auto turned = g.transpose("turned", wide, {1, 2, 0});
  const auto padded = g.pad("padded", g.reshape("flat", turned, {6, 5}), {.before = {1, 0}, .value = -2000000000});
  const auto c = g.constant("constant", lb::tensor<lb::q32, 1, 5>({.scale = 2e-6f}), sums_constant);
  return g.output(g.concat("moved", {padded, c, finer, g.relu("positive", padded)}, 0));
}

struct table_values {
  std::uint8_t byte[256];
  std::int16_t word[513];
};
constexpr table_values tables = [] {
  table_values t{};
  for (int i = 0; i < 256; ++i) t.byte[i] = static_cast<std::uint8_t>(i * 7 + 3);
  for (int i = 0; i < 513; ++i) t.word[i] = static_cast<std::int16_t>((i - 256) * (i % 2 == 0 ? 100 : -90));
  return t;
}();
constexpr std::int8_t constant_codes[] = {-128, 127, 0, 5, -9};
constexpr float constant_reals[] = {-1.5f, 0.25f, 3.0f};

/// Outputs: x + constant, the constant, x by a table, a 16-bit table, x padded with 100, floats.
constexpr auto make_constants() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 3, 4, 5>(px));
  const auto wide = g.input("wide", lb::tensor<lb::q16, 7>({.scale = .001f}));
  const auto c = g.constant("c", lb::tensor<lb::q8, 5>(py), constant_codes);
  g.output(g.add("sum", x, c, {.out = po})).output(g.reshape("c again", c, {5, 1}));
  g.output(g.table("bytes", x, tables.byte, {.out = {.scale = .09f}, .out_format = lb::qformat::of<lb::u8>()}));
  g.output(g.table("words", wide, tables.word, {.out = {.scale = .002f}}));
  g.output(g.pad("padded", x, {.before = {1, 0, 0}, .after = {0, 0, 2}, .value = 100}));
  const auto reals = g.constant("reals", lb::real_tensor<3>(), constant_reals);
  return g.output(g.pad("real pad", reals, {.before = {1}, .after = {1}, .value = -0.5f}));
}

/// What models of TFLite need besides.
constexpr auto make_tflite_bytes() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 2, 3, 4, 5>(px));
  const auto u = g.input("u", lb::tensor<lb::u8, 2, 3, 4, 5>({.scale = .05f, .zero_point = 120}));
  const auto f = g.input("f", lb::real_tensor<7>());
  g.output(g.global_mean("mean", x, {.out = po, .policy = lb::rounding::double_gemmlowp}));
  g.output(g.mul("mul", x, g.relabel("again", x, py),
                 {.out = po, .policy = lb::rounding::double_gemmlowp, .product = lb::scale_product::float_quotient}));
  g.output(g.resize("larger", u, {.out_h = 7, .out_w = 5, .mode = lb::resize_mode::bilinear_float}));
  g.output(g.softmax("fine", x, {.beta = .5f, .out_format = lb::qformat::of<lb::q16>()}));
  return g.output(g.quantize("away", f, {.out = po, .policy = lb::rounding::away_float}));
}
constexpr auto make_tflite_words() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q16, 40>({.scale = .001f}));
  const lb::affine unit{.scale = 1.0f / 32768};
  g.output(g.sigmoid("sigmoid", x, {.out = unit, .policy = lb::rounding::tflite_int64}));
  g.output(g.tanh("tanh", x, {.out = unit, .policy = lb::rounding::tflite_int64}));
  g.output(g.requantize("slope", x,
                        {.out = {.scale = .0013f},
                         .policy = lb::rounding::double_gemmlowp,
                         .product = lb::scale_product::float_quotient,
                         .negative_slope = .3f}));
  g.output(g.requantize("shift", x, {.out = {.scale = .004f}, .policy = lb::rounding::away_float}));
  return g.output(g.requantize("bytes", x,
                               {.out = po,
                                .out_format = lb::qformat::of<lb::q8>(),
                                .fused = lb::activation::relu,
                                .policy = lb::rounding::double_gemmlowp}));
}

}  // namespace op_graphs
