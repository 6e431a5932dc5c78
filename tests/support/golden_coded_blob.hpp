#pragma once

// Written by lowbits 0.1.0: do not edit.
//
//   using net = lowbits::model<golden_coded_blob::make_net>;
//   alignas(lowbits::arena_alignment) unsigned char arena[net::arena_bytes];
//   std::int8_t x[147];  // [7][7][3], real = 0.0625 * (q - 3)
//   float dynamic[6];  // [6]
//   float asymmetric[6];  // [6]
//   const auto bound = net::bind(blob);  // std::span<const unsigned char>, aligned to lowbits::blob_alignment
//   alignas(lowbits::packed_alignment) unsigned char packed[net::prepared_bytes];
//   const auto ready = bound.prepare(packed);
//   lowbits::status s = ready.run(arena, x, dynamic, asymmetric);

#include <cstdint>

#include <lowbits/lowbits.hpp>

static_assert(LOWBITS_VERSION_MAJOR == 0 && LOWBITS_VERSION_MINOR == 1,
              "lowbits: golden_coded_blob: the header was written by another version of the "
              "library; emit it again");

namespace golden_coded_blob {

namespace lb = lowbits;

// clang-format off
// stem: [24][3][3][3] (output, height, width, input), 4 bits, coded, in the blob

// deep: [3][3][24] (height, width, channel), 8 bits, in the blob

// shifted: [3][3][24] (height, width, channel), 8 bits, in the blob

// point: [24][1][1][24] (output, height, width, input), 8 bits, coded, in the blob

// up: [4][2][2][24] (output, height, width, input), 2 bits, coded, in the blob

// head: [10][196] (output, input), 10 bits, coded, in the blob

// wide: [10][10] (output, input), 12 bits, coded, in the blob

// dynamic: [6][10] (output, input), 7 bits, packed, lowest bits first, in the blob

// asymmetric: [6][10] (output, input), 7 bits, packed, lowest bits first, in the blob

constexpr auto make_net() {
  lb::builder<11> g;
  const auto x_y = g.input("x", lb::tensor<lb::q8, 7, 7, 3>({.scale = 0.0625f, .zero_point = 3}));
  const auto stem_y = g.conv2d("stem", x_y, {.out_c = 24, .kernel = 3, .pad = 1,
      .weights = lb::external_coded_weights<lb::q4>(648, 241, 64, lb::symmetric{0.02f}),
      .out = {.scale = 0.05f}});
  const auto deep_y = g.depthwise("deep", stem_y, {.kernel = 3, .pad = 1,
      .weights = lb::external_weights<lb::q8>(216, 320, lb::symmetric{0.002f}),
      .out = {.scale = 0.05f}});
  const auto shifted_y = g.depthwise("shifted", deep_y, {.kernel = 3, .pad = 1,
      .weights = lb::external_weights<lb::q8>(216, 544, lb::affine{0.002f, 5}),
      .out = {.scale = 0.05f}});
  const auto point_y = g.conv2d("point", shifted_y, {.out_c = 24,
      .weights = lb::external_coded_weights<lb::u8>(576, 534, 768, lb::affine{0.002f, 128}),
      .out = {.scale = 0.05f}});
  const auto up_y = g.transposed_conv2d("up", point_y, {.out_c = 4, .kernel = 2,
      .pad = {0, 1, 0, 1},
      .weights = lb::external_coded_weights<lb::narrow<lb::q2>>(384, 18, 1312, lb::symmetric{0.1f}),
      .out = {.scale = 0.05f}});
  const auto head_y = g.dense("head", up_y, {.units = 10,
      .weights = lb::external_coded_weights<lb::u10>(1960, 2200, 1344, lb::affine{1e-04f, 512}),
      .out = {.scale = 0.1f}});
  const auto wide_y = g.dense("wide", head_y, {.units = 10,
      .weights = lb::external_coded_weights<lb::q12>(100, 162, 3552, lb::symmetric{1e-04f}),
      .out = {.scale = 0.1f}});
  const auto reals_y = g.dequantize("reals", wide_y);
  const auto dynamic_y = g.dense("dynamic", reals_y, {.units = 6,
      .weights = lb::external_packed_weights<lb::q7>(53, 3728, lb::symmetric{0.01f})});
  const auto asymmetric_y = g.dense("asymmetric", reals_y, {.units = 6,
      .weights = lb::external_packed_weights<lb::q7>(53, 3792, lb::symmetric{0.01f}),
      .dynamic = lb::dynamic_definition::asymmetric});
  g.output(dynamic_y);
  return g.output(asymmetric_y);
}
// clang-format on

}  // namespace golden_coded_blob
