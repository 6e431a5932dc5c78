// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// One convolution: 16x16 image with 4 channels, 3x3 kernel, stride 2, "same" padding, ReLU, one
// weight scale per output channel. A single layer is a graph of one node.

#include <cstdint>
#include <cstdio>

#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr std::int8_t w[8 * 3 * 3 * 4] = {1, -2, 3};  // [out_c][kernel_h][kernel_w][in_c]
constexpr float w_scale[8] = {.01f, .02f, .01f, .02f, .01f, .02f, .01f, .02f};
constexpr std::int32_t bias[8] = {10, 20};  // in units of input scale * weight scale

constexpr auto make_conv() {
  lb::builder<2> g;
  const auto x =
      g.input("image", lb::tensor<lb::q8, 16, 16, 4>({.scale = 0.5f, .zero_point = -128}));
  const auto y = g.conv2d("conv", x,
                          {.out_c = 8,
                           .kernel = 3,
                           .stride = 2,
                           .pad = lb::same_padding,
                           .weights = lb::weights<lb::narrow<lb::q8>>(w, w_scale),
                           .bias = bias,
                           .out = {.scale = 0.25f, .zero_point = -128},
                           .fused = lb::activation::relu});
  return g.output(y);
}
using conv = lb::model<make_conv>;
static_assert(conv::output_desc<0>.shape == lb::tensor_shape{3, {8, 8, 8}});

int main() {
  alignas(lb::arena_alignment) static unsigned char arena[conv::arena_bytes];
  static std::int8_t x[16 * 16 * 4], y[8 * 8 * 8];
  for (int i = 0; i < 16 * 16 * 4; ++i) x[i] = static_cast<std::int8_t>(i % 256 - 128);

  if (conv::run(arena, x, y) != lb::status::ok) return 1;
  std::printf("y[0][0] = %d %d %d %d ...\n", int{y[0]}, int{y[1]}, int{y[2]}, int{y[3]});
  std::printf("%llu multiplications, %zu bytes of weights, %zu bytes of work memory\n",
              static_cast<unsigned long long>(conv::report.macs), conv::weight_bytes,
              conv::arena_bytes);
}
