// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Written by lowbits 0.1.0: do not edit.
// Every kind of node.
//
// A line that ends in \.
//
//   using net = lowbits::model<golden::make_net>;
//   alignas(lowbits::arena_alignment) unsigned char arena[net::arena_bytes];
//   std::int8_t image[48];  // [4][6][2], real = 0.5 * (q + 3)
//   float real_part[6];  // [2][3]
//   std::int8_t a_name_with_as_many_characters_as_a_buil[1];  // [1][1][1], real = 0.5 * (q + 3)
//   std::int8_t grid[8];  // [2][2][2], real = 0.007874016 * q
//   std::int16_t head[1];  // [1][1], real = 1.0 * q
//   std::int8_t raised[48];  // [4][6][2], real = 0.5 * (q + 3)
//   float real_rows[4];  // [4]
//   std::uint8_t looked_up[48];  // [4][6][2], real = 0.25 * q
//   std::int16_t wide_table[1];  // [1][1], real = 0.25 * q
//   float reals[6];  // [2][3]
//   std::int8_t n9_up[288];  // [8][12][3], real = 0.25 * q
//   std::int8_t up_same[96];  // [8][12][1], real = 0.25 * q
//   lowbits::status s = net::run(arena, image, real_part, a_name_with_as_many_characters_as_a_buil,
//       grid, head, raised, real_rows, looked_up, wide_table, reals, n9_up, up_same);

#include <cstdint>

#include <lowbits/lowbits.hpp>

static_assert(LOWBITS_VERSION_MAJOR == 0 && LOWBITS_VERSION_MINOR == 1,
              "lowbits: golden: the header was written by another version of the "
              "library; emit it again");

namespace golden {

namespace lb = lowbits;

// clang-format off
// conv 3x3: [2][3][3][1] (output, height, width, input), 8 bits
LOWBITS_FLASH inline constexpr std::int8_t conv_3x3_w[18] = {
     1, -128,  127,    0,   -1,    2,   -3,    4,   -5,    6,   -7,    8,   -9,   10,  -11,   12,
   -13,   14
};
LOWBITS_FLASH inline constexpr float conv_3x3_scale[2] = {
            0.1f,         1e-06f
};
LOWBITS_FLASH inline constexpr std::int32_t conv_3x3_b[2] = {
  -2147483647,  2147483647
};

// conv-3x3: [1][2][2] (height, width, channel), 2 bits, packed, lowest bits first
LOWBITS_FLASH inline constexpr std::uint8_t conv_3x3_2_w[1] = {
  0xe4
};

// 9 up: [3][2][2][2] (output, height, width, input), 8 bits
LOWBITS_FLASH inline constexpr std::uint8_t n9_up_w[24] = {
     0,  255,  128,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0
};

// up same: [1][1][1][2] (output, height, width, input), 4 bits, packed, lowest bits first
LOWBITS_FLASH inline constexpr std::uint8_t up_same_w[1] = {
  0xe4
};

// dense: [1][15] (output, input), 1 bits, packed, lowest bits first
LOWBITS_FLASH inline constexpr std::uint8_t dense_w[2] = {
  0xe4, 0x1b
};

// head: [1][4] (output, input), 16 bits
LOWBITS_FLASH inline constexpr std::int16_t head_w[4] = {
  -32768,  32767,      0,      1
};
LOWBITS_FLASH inline constexpr float head_scale[1] = {
  1.1754944e-38f
};
LOWBITS_FLASH inline constexpr std::int64_t head_b[1] = {
  -4000000000000000000
};

// two scales: [2][2] (output, input), 8 bits
LOWBITS_FLASH inline constexpr std::uint8_t two_scales_w[4] = {
     1,  255,    0,  128
};
LOWBITS_FLASH inline constexpr float two_scales_scale[2] = {
            0.1f,         1e-06f
};

// another name, also of sixty-two letters; identifiers are short: [1][1][1][1] (output, height,
//   width, input), 6 bits, packed, lowest bits first
LOWBITS_FLASH inline constexpr std::uint8_t another_name_also_of_sixty_two_letters_i_w[1] = {
  0xe4
};
LOWBITS_FLASH inline constexpr float another_name_also_of_sixty_two_letters_i_scale[1] = {
  1.1754944e-38f
};

// offsets: [1][1][2], real = 0.25 * q
LOWBITS_FLASH inline constexpr std::int8_t offsets_c[2] = {
  -128,  127
};

// real dense: [1][3] (output, input), floats
LOWBITS_FLASH inline constexpr float real_dense_w[3] = {
           -1.5f,           0.1f,         1e+30f
};
LOWBITS_FLASH inline constexpr float real_dense_b[1] = {
           0.25f
};

// three: [3]
LOWBITS_FLASH inline constexpr float three_c[3] = {
           -1.5f,           0.1f,         1e+30f
};

// looked up: results, one for each code of the input
LOWBITS_FLASH inline constexpr std::uint8_t looked_up_c[256] = {
     1,    2,  255,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0
};

// wide table: results, one for each code of the input
LOWBITS_FLASH inline constexpr std::int16_t wide_table_c[513] = {
  -32768,  32767,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,
       0,      0,      0,      0,      0,      0,      0,      0,      0
};

// per axis: one scale for each index of an axis
LOWBITS_FLASH inline constexpr float per_axis_scale[3] = {
            0.5f,          0.25f,           1.0f
};
LOWBITS_FLASH inline constexpr std::int32_t per_axis_zero[3] = {
            0,          -3,         127
};
inline constexpr lb::imported::axis_scales per_axis_c{per_axis_scale, per_axis_zero, 3, {1, 3, 0}};

// back: one scale for each index of an axis
LOWBITS_FLASH inline constexpr float back_scale[3] = {
            0.5f,          0.25f,           1.0f
};
LOWBITS_FLASH inline constexpr std::int32_t back_zero[3] = {
            0,          -3,         127
};
inline constexpr lb::imported::axis_scales back_c{back_scale, back_zero, 3, {1, 3, 0}};

// sums: [1][48] (output, input), 8 bits
LOWBITS_FLASH inline constexpr std::int8_t sums_w[48] = {
     1,   -1,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0
};

// ends: [1][2], real = 0.25 * q
LOWBITS_FLASH inline constexpr std::int32_t ends_c[2] = {
  -2147483648,  2147483647
};

constexpr auto make_net() {
  lb::builder<59> g;
  const auto image_y = g.input("image",
      lb::tensor<lb::q8, 4, 6, 2>({.scale = 0.5f, .zero_point = -3}));
  const auto real_part_y = g.input("real part", lb::real_tensor<2, 3>());
  const auto conv_3x3_y = g.conv2d("conv 3x3", image_y, {.out_c = 2, .kernel = 3, .stride = {2, 1},
      .pad = 1, .groups = 2, .weights = lb::weights<lb::q8>(conv_3x3_w, conv_3x3_scale),
      .bias = conv_3x3_b, .out = {.scale = 0.5f, .zero_point = -3},
      .fused = lb::activation::relu6});
  const auto conv_3x3_2_y = g.depthwise("conv-3x3", conv_3x3_y, {.kernel = {1, 2},
      .dilation = {1, 3}, .pad = {0, 1, 2, 0},
      .weights = lb::packed_weights<lb::narrow<lb::q2>>(conv_3x3_2_w, lb::symmetric{0.125f}),
      .out = {.scale = 0.25f}, .policy = lb::rounding::double_gemmlowp});
  const auto n9_up_y = g.transposed_conv2d("9 up", image_y, {.out_c = 3, .kernel = 2, .stride = 2,
      .weights = lb::weights<lb::u8>(n9_up_w, lb::affine{0.5f, 128}), .out = {.scale = 0.25f}});
  const auto up_same_y = g.transposed_conv2d("up same", image_y, {.out_c = 1, .kernel = 1,
      .stride = 2, .pad = lb::same_padding,
      .weights = lb::packed_weights<lb::q4>(up_same_w, lb::symmetric{0.5f}),
      .out = {.scale = 0.25f}});
  const auto flat_y = g.reshape("flat", conv_3x3_2_y, {2, 15});
  const auto dense_y = g.dense("dense", flat_y, {.units = 1,
      .weights = lb::packed_weights<lb::q1>(dense_w, lb::symmetric{0.5f}),
      .out = {.scale = 0.25f}});
  const auto four_y = g.slice("four", dense_y, {.begin = {0, 0}, .extent = {1, 1}, .step = {1, 1}});
  const auto wide_y = g.requantize("wide", four_y, {.out = {.scale = 0.01f},
      .out_format = lb::qformat::of<lb::q16>()});
  const auto all_four_y = g.concat("all four", {wide_y, wide_y, wide_y, wide_y}, 1);
  const auto head_y = g.dense("head", all_four_y, {.units = 1,
      .weights = lb::weights<lb::q16>(head_w, head_scale), .bias = head_b, .out = {.scale = 1.0f},
      .product = lb::scale_product::float32});
  const auto max_y = g.max_pool("max", image_y, {.kernel = 2, .stride = 2,
      .fused = lb::activation::relu});
  const auto mean_y = g.average_pool("mean", image_y, {.kernel = 3, .stride = 1, .pad = 1});
  const auto all_y = g.global_mean("all", mean_y, {.out = {.scale = 0.25f}});
  g.dense("two scales", all_y, {.units = 2,
      .weights = lb::weights<lb::u8>(two_scales_w, {two_scales_scale, 3}),
      .out = {.scale = 0.25f}});
  const auto sum_y = g.add("sum", image_y, mean_y, {.out = {.scale = 0.25f},
      .definition = lb::sum_definition::tflite});
  g.sub("difference", sum_y, image_y, {.out = {.scale = 0.5f, .zero_point = -3},
      .fused = lb::activation::relu_n1_to_1});
  g.mul("product", sum_y, image_y, {.out = {.scale = 0.5f, .zero_point = -3},
      .policy = lb::rounding::even_float});
  g.minimum("low", sum_y, image_y, {.out = {.scale = 0.5f, .zero_point = -3}});
  g.maximum("high", sum_y, image_y, {.out = {.scale = 0.5f, .zero_point = -3}});
  const auto matrix_y = g.reshape("matrix", image_y, {6, 8});
  g.matmul("squares", matrix_y, matrix_y, {.x_transposed = true, .out = {.scale = 0.25f}});
  const auto a_name_with_as_many_characters_as_a_buil_y = g.input(
      "a name with as many characters as a builder takes for one node",
      lb::tensor<lb::q8, 1, 1, 1>({.scale = 0.5f, .zero_point = -3}));
  g.transposed_conv2d("another name, also of sixty-two letters; identifiers are short",
      a_name_with_as_many_characters_as_a_buil_y, {.out_c = 1, .kernel = 1,
      .weights = lb::packed_weights<lb::narrow<lb::q6>>(another_name_also_of_sixty_two_letters_i_w,
      another_name_also_of_sixty_two_letters_i_scale), .out = {.scale = 0.25f}});
  g.softmax("soft", max_y, {.beta = 0.5f});
  g.function("sigmoid", max_y, lb::functions::sigmoid,
      {.out = {.scale = 0.00390625f, .zero_point = -128}});
  g.function("leaky", max_y, lb::functions::leaky_relu, {.out = {.scale = 0.5f, .zero_point = -3}},
      0.1);
  g.transpose("turned", image_y, {2, 0, 1});
  g.pad("framed", image_y, {.before = {1, 0, 0}, .after = {0, 2, 0}});
  g.pad("walled", image_y, {.before = {0, 0, 0}, .after = {0, 0, 1}, .value = -128});
  g.pad("real frame", real_part_y, {.before = {0, 1}, .after = {0, 0}, .value = 0.5f});
  const auto offsets_y = g.constant("offsets", lb::tensor<lb::q8, 1, 1, 2>({.scale = 0.25f}),
      offsets_c);
  const auto raised_y = g.add("raised", image_y, offsets_y,
      {.out = {.scale = 0.5f, .zero_point = -3}});
  const auto real_dense_y = g.dense("real dense", real_part_y, {.units = 1,
      .weights = lb::weights(real_dense_w), .bias = real_dense_b});
  const auto sure_y = g.softmax("sure", real_dense_y, {});
  const auto curve_y = g.function("curve", sure_y, lb::functions::sigmoid, {});
  const auto flat_six_y = g.requantize("flat six", curve_y, {.fused = lb::activation::relu6});
  g.maximum("most", sure_y, flat_six_y, {.fused = lb::activation::relu});
  const auto three_y = g.constant("three", lb::real_tensor<3>(), three_c);
  const auto real_rows_y = g.pad("real rows", three_y, {.before = {0}, .after = {1}});
  const auto looked_up_y = g.table("looked up", image_y, looked_up_c, {.out = {.scale = 0.25f},
      .out_format = lb::qformat::of<lb::u8>()});
  const auto wide_table_y = g.table("wide table", wide_y, wide_table_c, {.out = {.scale = 0.25f}});
  g.resize("larger", image_y, {.out_h = 8, .out_w = 9, .mode = lb::resize_mode::bilinear,
      .half_pixel_centers = true});
  const auto grid_y = g.input("grid", lb::tensor<lb::q8, 2, 2, 2>({.scale = 0.007874016f}));
  g.grid_sample("sampled", image_y, grid_y, {.mode = lb::resize_mode::bilinear,
      .outside = lb::grid_padding::border});
  g.requantize("plain relu", image_y, {.out = {.scale = 0.5f, .zero_point = -3},
      .fused = lb::activation::relu});
  const auto codes_y = g.quantize("codes", real_part_y, {.out = {.scale = 0.1f},
      .out_format = lb::qformat::of<lb::u4>()});
  const auto reals_y = g.dequantize("reals", codes_y);
  const auto per_axis_y = g.custom("per axis", {real_part_y},
      {.run = lb::imported::quantize_per_axis, .out = lb::tensor<lb::q8, 2, 3>({.scale = 1.0f}),
      .user = &per_axis_c, .user_bytes = 24});
  const auto back_y = g.custom("back", {per_axis_y}, {.run = lb::imported::dequantize_per_axis,
      .out = lb::real_tensor<2, 3>(), .user = &back_c, .user_bytes = 24});
  g.custom("power", {back_y, real_part_y}, {.run = lb::imported::power,
      .out = lb::real_tensor<2, 3>()});
  const auto image_row_y = g.reshape("image row", image_y, {1, 48});
  const auto sums_y = g.dense("sums", image_row_y, {.units = 1,
      .weights = lb::weights<lb::q8>(sums_w, lb::symmetric{0.5f}), .out = {.scale = 0.25f},
      .out_format = lb::as_sums});
  const auto ends_y = g.constant("ends", lb::tensor<lb::q32, 1, 2>({.scale = 0.25f}), ends_c);
  const auto n32_bits_y = g.concat("32 bits", {sums_y, ends_y}, 1);
  const auto lowest_y = g.pad("lowest", n32_bits_y, {.before = {1, 0}, .after = {0, 0},
      .value = -2147483647 - 1});
  g.requantize("rounded", lowest_y, {.out = {.scale = 0.5f, .zero_point = -3},
      .out_format = lb::qformat::of<lb::q8>()});
  g.matmul("products", matrix_y, matrix_y, {.x_transposed = true, .out = {.scale = 0.25f},
      .out_format = lb::as_sums});
  g.output(head_y);
  g.output(raised_y);
  g.output(real_rows_y);
  g.output(looked_up_y);
  g.output(wide_table_y);
  g.output(reals_y);
  g.output(n9_up_y);
  return g.output(up_same_y);
}
// clang-format on

static_assert(lb::model<make_net>::arena_bytes_on<lb::arch::generic> <= 100000,
              "lowbits: golden: the network needs a larger arena than when it was emitted; "
              "emit it again");

}  // namespace golden
