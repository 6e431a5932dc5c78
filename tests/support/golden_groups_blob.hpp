#pragma once

// Written by lowbits 0.1.0: do not edit.
//
//   using net = lowbits::model<golden_groups_blob::make_net>;
//   alignas(lowbits::arena_alignment) unsigned char arena[net::arena_bytes];
//   std::int8_t x[249];  // [3][83], real = 0.02 * (q - 5)
//   float r[249];  // [3][83]
//   std::int8_t codes[63];  // [3][21], real = 20.0 * (q + 3)
//   std::int32_t sums[63];  // [3][21], real = 0.0032 * q
//   float real[63];  // [3][21]
//   float dynamic[63];  // [3][21]
//   float dynamic_bytes[63];  // [3][21]
//   const auto bound = net::bind(blob);  // std::span<const unsigned char>, aligned to lowbits::blob_alignment
//   lowbits::status s = bound.run(arena, x, r, codes, sums, real, dynamic, dynamic_bytes);

#include <cstdint>

#if !defined(LOWBITS_GROUPS)
#define LOWBITS_GROUPS  // weights have factors for groups
#endif
#include <lowbits/lowbits.hpp>
#if __has_include(<lowbits/graph/grouped_steps.hpp>)
#include <lowbits/graph/grouped_steps.hpp>
#endif

static_assert(LOWBITS_VERSION_MAJOR == 0 && LOWBITS_VERSION_MINOR == 1,
              "lowbits: golden_groups_blob: the header was written by another version of the "
              "library; emit it again");

namespace golden_groups_blob {

namespace lb = lowbits;

// clang-format off
// codes: [21][83] (output, input), 4 bits, packed, lowest bits first, in the blob
LOWBITS_FLASH inline constexpr float codes_scale[21] = {
          0.078f,         0.074f,   0.105000004f,    0.16900001f,         0.008f,         0.066f,
          0.126f,         0.177f,  0.0050000004f,   0.124000005f,    0.16100001f,    0.11000001f,
    0.113000005f,   0.020000001f,   0.020000001f,    0.09900001f,         0.081f,    0.17500001f,
          0.013f,    0.19600001f,         0.136f
};
LOWBITS_FLASH inline constexpr std::uint8_t codes_factor[63] = {
   30, 198, 159,  57,  13,   2, 108,  57, 237,  86, 224,  51, 140,  65, 242, 105,  76,  69, 251,
   56, 216,   5, 157,  20, 210,   6, 239, 118, 118, 236,   9,  82,  59,  44,   6, 135, 202, 114,
  251,  79, 222,  76, 163, 195, 211, 208, 151, 221,  18,  86,  98, 151, 156, 104, 219,  19,  74,
  145, 118, 230, 150, 187, 122
};
inline constexpr lb::weight_groups codes_groups(32, codes_factor);
LOWBITS_FLASH inline constexpr std::int32_t codes_b[21] = {
       -87421,      -29586,       86187,       73199,      -90745,       24956,      -12073,
       -38528,      -11172,       -5667,       55997,      -75066,       92708,       82853,
        81505,      -14538,      -47419,      -30807,       63624,       97091,       -1566
};

// sums: [21][83] (output, input), 8 bits, in the blob
LOWBITS_FLASH inline constexpr std::uint8_t sums_factor[126] = {
   71,   3,  41,  73,  94,  77,  37,  36,  65,  46,  16,  16,  24,  18,  77,  73,  76,  17,  92,
   91,  20,  80,  34,  83,  56,  74,   6,  32,  41,  99,   4,  26,  77,  55,  44,  38,  82,  83,
   10,  90,  99,  65,  59,  32,  93,  63,  66,  43,  34,  85,  95,  72,  24,  69,  91,  54,   2,
   61,  69,  33,  17,  88,  45,  17,  27,  35,  63,  22,   2,  64,  32,  85,  81,  21,  14,  17,
   41,  41,  35,  10,  48,  48,  43,  65,  76,  19,   8,  76,  36,  33,  36,  49,  93,  38,   6,
   23,  61,  58,  50,  71,  86,  34,  65,  44,  59,  65,  65,  70,  77,  63,  40,  57,  43,  72,
    2,  37,  12,  49,  49,  59,  95,  24,  11,  94,  17,  40
};
inline constexpr lb::weight_groups sums_groups(16, sums_factor, 4);

// real: [21][83] (output, input), 4 bits, packed, lowest bits first, in the blob
LOWBITS_FLASH inline constexpr float real_scale[21] = {
          0.078f,         0.074f,   0.105000004f,    0.16900001f,         0.008f,         0.066f,
          0.126f,         0.177f,  0.0050000004f,   0.124000005f,    0.16100001f,    0.11000001f,
    0.113000005f,   0.020000001f,   0.020000001f,    0.09900001f,         0.081f,    0.17500001f,
          0.013f,    0.19600001f,         0.136f
};
LOWBITS_FLASH inline constexpr lb::half real_factor[126] = {
  {12706}, {12173},  {9699}, {12386}, {12706}, {12567}, {12419}, {11829}, {12878}, {11846}, {11993},
  {11616}, {12157}, {12796}, {12362}, {12173}, {12739}, {12542},  {5145}, {11878}, {10396}, {11338},
  {11813}, {12517}, {12665}, {12861}, {12632}, {11436}, {11354}, {12444}, {11862}, {12640}, {12468},
  {11518}, {11665},  {9961},  {9568}, {10592}, {12501}, {12878}, {10953},  {7979}, {11682}, {11321},
  {12698}, {11084},  {7193}, {10461}, {11272}, {11370}, {12714}, {12173}, {12845}, {12354}, {12853},
  {11747}, {10592}, {12059}, {11485}, {11649}, {12419}, {10158}, {12517}, {11944}, {12558}, {12501},
  {12501}, {12009}, {11321}, {11764}, {12452}, {12206},  {8741}, {12542}, {12804}, {11534}, {12378},
  {12313}, {12788}, {11911}, {11846}, {12747}, {12780},  {9699}, {11403}, {12206}, {12607}, {12640},
  {10559}, {10920}, {12378}, {12870}, {10158}, {11633}, {12829}, {12370}, {12722}, {12771},  {7979},
   {9003}, {11403}, {12304}, {12861}, {12739},  {9437}, {12313}, {12509}, {11370}, {11567}, {12820},
   {9765}, {10093}, {11764}, {12427}, {12583}, {10297},  {9503}, {12796}, {12820}, {10920},  {8217},
  {12222}, {11485}, {11321}, {11534}, {12607}
};
inline constexpr lb::weight_groups real_groups(16, real_factor);
LOWBITS_FLASH inline constexpr float real_b[21] = {
          0.082f,         0.172f,   0.087000005f,         0.016f,         0.089f,         0.048f,
    0.113000005f,    0.15300001f,   0.036000002f,    0.16000001f,   0.051000003f,         0.177f,
    0.105000004f,    0.08800001f,    0.17600001f,         0.043f,         0.068f,         0.013f,
    0.020000001f,         0.187f,    0.15100001f
};

// dynamic: [21][83] (output, input), 4 bits, packed, lowest bits first, in the blob
LOWBITS_FLASH inline constexpr float dynamic_scale[21] = {
          0.078f,         0.074f,   0.105000004f,    0.16900001f,         0.008f,         0.066f,
          0.126f,         0.177f,  0.0050000004f,   0.124000005f,    0.16100001f,    0.11000001f,
    0.113000005f,   0.020000001f,   0.020000001f,    0.09900001f,         0.081f,    0.17500001f,
          0.013f,    0.19600001f,         0.136f
};
LOWBITS_FLASH inline constexpr float dynamic_factor[63] = {
          0.074f,    0.16100001f,   0.124000005f,   0.106000006f,         0.143f,   0.069000006f,
           0.14f,         0.017f,    0.17400001f,    0.07300001f,         0.054f,   0.042000003f,
     0.12100001f,    0.15300001f,         0.048f,    0.15400001f,         0.078f,    0.13700001f,
   0.0050000004f,    0.18800001f,    0.13700001f,    0.16600001f,    0.07300001f,         0.068f,
          0.164f,         0.035f,    0.14500001f,    0.10300001f,  0.0050000004f,         0.164f,
     0.14400001f,         0.048f,         0.063f,   0.117000006f,         0.074f,   0.083000004f,
     0.11000001f,         0.163f,    0.13100001f,   0.044000003f,         0.134f,    0.13700001f,
          0.016f,         0.007f,   0.076000005f,   0.011000001f,         0.028f,         0.033f,
     0.10700001f,   0.069000006f,         0.179f,         0.045f,    0.15900001f,         0.052f,
          0.185f,   0.031000001f,    0.17300001f,         0.179f,         0.123f,         0.068f,
          0.079f,    0.11800001f,    0.09900001f
};
inline constexpr lb::weight_groups dynamic_groups(32, dynamic_factor);
LOWBITS_FLASH inline constexpr float dynamic_b[21] = {
          0.082f,         0.172f,   0.087000005f,         0.016f,         0.089f,         0.048f,
    0.113000005f,    0.15300001f,   0.036000002f,    0.16000001f,   0.051000003f,         0.177f,
    0.105000004f,    0.08800001f,    0.17600001f,         0.043f,         0.068f,         0.013f,
    0.020000001f,         0.187f,    0.15100001f
};

// dynamic bytes: [21][83] (output, input), 8 bits, in the blob
LOWBITS_FLASH inline constexpr std::uint8_t dynamic_bytes_factor[126] = {
   71,   3,  41,  73,  94,  77,  37,  36,  65,  46,  16,  16,  24,  18,  77,  73,  76,  17,  92,
   91,  20,  80,  34,  83,  56,  74,   6,  32,  41,  99,   4,  26,  77,  55,  44,  38,  82,  83,
   10,  90,  99,  65,  59,  32,  93,  63,  66,  43,  34,  85,  95,  72,  24,  69,  91,  54,   2,
   61,  69,  33,  17,  88,  45,  17,  27,  35,  63,  22,   2,  64,  32,  85,  81,  21,  14,  17,
   41,  41,  35,  10,  48,  48,  43,  65,  76,  19,   8,  76,  36,  33,  36,  49,  93,  38,   6,
   23,  61,  58,  50,  71,  86,  34,  65,  44,  59,  65,  65,  70,  77,  63,  40,  57,  43,  72,
    2,  37,  12,  49,  49,  59,  95,  24,  11,  94,  17,  40
};
inline constexpr lb::weight_groups dynamic_bytes_groups(16, dynamic_bytes_factor, 4);

constexpr auto make_net() {
  lb::builder<7> g;
  const auto x_y = g.input("x", lb::tensor<lb::q8, 3, 83>({.scale = 0.02f, .zero_point = 5}));
  const auto r_y = g.input("r", lb::real_tensor<3, 83>());
  const auto codes_y = g.dense("codes", x_y, {.units = 21,
      .weights = lb::external_packed_weights<lb::q4>(872, 64, codes_scale).in_groups(codes_groups),
      .bias = codes_b, .out = {.scale = 20.0f, .zero_point = -3}, .fused = lb::activation::relu});
  const auto sums_y = g.dense("sums", x_y, {.units = 21,
      .weights = lb::external_weights<lb::q8>(1743, 944,
      lb::affine{0.01f, 2}).in_groups(sums_groups), .out = {.scale = 0.0032f},
      .out_format = lb::as_sums});
  const auto real_y = g.dense("real", x_y, {.units = 21,
      .weights = lb::external_packed_weights<lb::q4>(872, 2688, real_scale).in_groups(real_groups),
      .bias = real_b, .out_format = lb::as_reals});
  const auto dynamic_y = g.dense("dynamic", r_y, {.units = 21,
      .weights = lb::external_packed_weights<lb::q4>(872, 3568,
      dynamic_scale).in_groups(dynamic_groups), .bias = dynamic_b, .fused = lb::activation::relu6});
  const auto dynamic_bytes_y = g.dense("dynamic bytes", r_y, {.units = 21,
      .weights = lb::external_weights<lb::q8>(1743, 4448,
      lb::symmetric{0.01f}).in_groups(dynamic_bytes_groups)});
  g.output(codes_y);
  g.output(sums_y);
  g.output(real_y);
  g.output(dynamic_y);
  return g.output(dynamic_bytes_y);
}
// clang-format on

}  // namespace golden_groups_blob
