// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Convolutions of ResNet-50 and depthwise convolutions of MobileNet, on every architecture this
// processor can run: conv/<types>_<layer>/<arch>. All of them have zero points, a bias and one factor per
// channel.

#include <string>

#include "weighted.hpp"

namespace {

using namespace bench;

/// A square layer; `in` channels to `out`.
struct layer {
  const char* name;
  int in, out, size, kernel, stride;  ///< of a depthwise one `out` is a multiple of `in`
};
constexpr layer convolutions[] = {
    {"rn_7x7s2_3_64_224", 3, 64, 224, 7, 2}, {"rn_3x3_64_56", 64, 64, 56, 3, 1}, {"rn_1x1_256_64_56", 256, 64, 56, 1, 1},
    {"rn_1x1_64_256_56", 64, 256, 56, 1, 1}, {"rn_3x3_128_28", 128, 128, 28, 3, 1}, {"rn_3x3_256_14", 256, 256, 14, 3, 1},
    {"rn_3x3_512_7", 512, 512, 7, 3, 1}, {"small_3x3_16_8", 16, 16, 8, 3, 1}};
constexpr layer depthwise_convolutions[] = {
    {"dw_32_112", 32, 32, 112, 3, 1}, {"dw_64_112s2", 64, 64, 112, 3, 2}, {"dw_144_56", 144, 144, 56, 3, 1},
    {"dw_192_28", 192, 192, 28, 3, 1}, {"dw_384_14", 384, 384, 14, 3, 1}, {"dw_960_7", 960, 960, 7, 3, 1},
    {"dw5x5_192_28", 192, 192, 28, 5, 1}, {"dw5x5_192_28s2", 192, 192, 28, 5, 2}, {"dw_96_28_multiplier2", 96, 192, 28, 3, 1}};

constexpr int out_size(const layer& l) { return (l.size + l.kernel / 2 * 2 - l.kernel) / l.stride + 1; }
constexpr lb::window2d window(const layer& l) {
  return {.kernel_h = l.kernel, .kernel_w = l.kernel, .stride_h = l.stride, .stride_w = l.stride,
          .pad_top = l.kernel / 2, .pad_left = l.kernel / 2};
}
constexpr lb::conv2d_shape conv_shape(const layer& l) {
  return {.in_h = l.size, .in_w = l.size, .in_c = l.in, .out_h = out_size(l), .out_w = out_size(l), .out_c = l.out,
          .window = window(l)};
}
constexpr lb::depthwise_shape depthwise_shape(const layer& l) {
  return {.in_h = l.size, .in_w = l.size, .in_c = l.in, .out_h = out_size(l), .out_w = out_size(l),
          .multiplier = l.out / l.in, .window = window(l)};
}

template <class Arch, class X, class Rq>
void add_layers(const std::string& types) {
  for (const layer& l : convolutions)
    add_kernel<lb::kernel::conv2d, Arch, X, Rq>("conv/" + types + "_" + l.name, conv_shape(l));
  for (const layer& l : depthwise_convolutions)
    add_kernel<lb::kernel::depthwise, Arch, X, Rq>("conv/" + types + "_" + l.name, depthwise_shape(l));
}

const bool registered = [] {
  add_controls();
  for_usable_archs([]<class Arch>(Arch) {
    add_layers<Arch, int8_t, s8_codes>("s8s8s8q");
    add_layers<Arch, uint8_t, u8_codes>("u8s8u8q");
  });
  return true;
}();

}  // namespace
