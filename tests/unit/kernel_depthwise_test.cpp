// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Depthwise convolutions on every architecture give the reference's bytes, and touch nothing outside
// their buffers.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/kernel/depthwise.hpp>
#include <lowbits/ref/depthwise.hpp>

#include "support/layer_check.hpp"

namespace {

using namespace kernel_operands;

std::string text(const lb::depthwise_shape& s) {
  return conv_cases::text(lb::conv2d_shape{s.batch, s.in_h, s.in_w, s.in_c, s.out_h, s.out_w, s.out_c(), s.window, s.in_c});
}

lb::depthwise_shape from(const lb::conv2d_shape& s, int channels, int multiplier) {
  return {s.batch, s.in_h, s.in_w, channels, s.out_h, s.out_w, multiplier, s.window};
}

std::vector<lb::depthwise_shape> all_shapes() {
  std::vector<lb::depthwise_shape> all;
  for (const auto& some : {conv_cases::edges(), conv_cases::drawn(60, 9)})
    for (const auto& s : some) all.push_back(from(s, s.in_c, 1));
  for (const auto& s : conv_cases::grid()) all.push_back(from(s, 19, 1));
  for (int multiplier : {2, 3, 8})
    for (const auto& s : conv_cases::drawn(12, 3)) all.push_back(from(s, s.in_c + 7 * multiplier, multiplier));
  const lb::conv2d_shape same{.in_h = 4, .in_w = 11, .out_h = 4, .out_w = 11,
                              .window = {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}};
  for (int channels : {1, 2, 5, 6, 7, 11, 12, 13, 15, 16, 17, 23, 31, 32, 33, 47, 48, 49, 63, 64, 65, 100})
    all.push_back(from(same, channels, 1));
  all.push_back(from(same, 4200, 1));  // one position at a time
  const auto add = [&](int h, int w, int channels, int multiplier, lb::window2d t) {
    all.push_back({.in_h = h, .in_w = w, .in_c = channels, .out_h = conv_cases::positions(h, t.pad_top, t.pad_top, t.reach_h(), t.stride_h),
                   .out_w = conv_cases::positions(w, t.pad_left, t.pad_left, t.reach_w(), t.stride_w), .multiplier = multiplier, .window = t});
  };
  // The layers of mobile networks, smaller; windows of all kinds; rows and columns that come alone.
  for (int stride : {1, 2})
    for (int kernel : {2, 3, 4, 5, 7, 9})
      for (int dilation : {1, 2, 3})
        for (int multiplier : {1, 2, 3}) {
          const int pad = kernel / 2 * dilation;
          const lb::window2d square{kernel, kernel, stride, stride, dilation, dilation, pad, pad};
          add(dilation == 1 ? 7 : 6, 7 + kernel, 37, multiplier, square);
          add(1, 13, 33, multiplier, square);
          add(9, 1, 34, multiplier, square);
          add(1, 29, 35, multiplier, {1, kernel, 1, stride, 1, dilation, 0, pad});
          add(29, 1, 36, multiplier, {kernel, 1, stride, 1, dilation, 1, pad, 0});
        }
  add(5, 300, 32, 1, {3, 3, 1, 1, 1, 1, 1, 1});  // several strips
  add(5, 301, 16, 1, {3, 3, 2, 2, 1, 1, 1, 1});
  add(3, 200, 17, 2, {3, 3, 1, 1, 1, 70, 1, 70});
  add(3, 250, 17, 1, {1, 3, 1, 1, 1, 60, 0, 60});
  add(7, 7, 48, 1, {7, 7, 1, 1, 1, 1, 0, 0});
  // Padding only.
  for (const auto& [h, w] : {std::array{3, 0}, {0, 3}})
    all.push_back({.in_h = h, .in_w = w, .in_c = 48, .out_h = 3, .out_w = 2, .multiplier = 1, .window = {3, 3, 1, 1, 1, 1, 1, 1}});
  for (int width : {1, 2, 3, 4, 5, 8, 16, 17, 35}) {
    lb::conv2d_shape s = same;
    s.in_w = s.out_w = width;
    all.push_back(from(s, 33, 1));
  }
  return all;
}

template <class X, class Weights, class Rq>
void check_all(uint64_t first_seed) {
  check_on_archs(all_shapes(), first_seed, []<class Arch>(Arch, const lb::depthwise_shape& s, buffers& memory, uint64_t seed) {
    using kernel = lb::kernel::depthwise<Arch, X, typename Weights::reader, int32_t, typename Rq::requantizer>;
    naive::random_numbers random(seed);
    layer_operands<X, Weights, int32_t, Rq> operands(count(s.batch, s.in_h, s.in_w, s.in_c),
                                                     count(s.window.kernel_h, s.window.kernel_w, s.in_c, s.multiplier), s.out_c(),
                                                     s.window.taps(), random);
    operands.w_zero = 0;
    return check_layer<kernel>(s, count(s.batch, s.out_h, s.out_w, s.out_c()), text(s), operands, memory,
                               [](const auto&... a) { lb::ref::depthwise<int32_t>(a...); });
  });
}

}  // namespace

TEST_CASE("depthwise: s8, s8 weights, rounded once, factors per channel") {
  check_all<int8_t, plain_weights, by_channel<lb::q8, lb::round_single>>(1);
}
TEST_CASE("depthwise: u8, 4-bit weights, rounded twice, one factor") {
  check_all<uint8_t, packed_weights<lb::q4>, by_tensor<lb::u8, lb::round_double_gemmlowp>>(2);
}
TEST_CASE("depthwise: u8, s8 weights, accumulators") { check_all<uint8_t, plain_weights, not_at_all>(3); }

TEST_CASE("depthwise: s8, rounded as floats") {
  check_all<int8_t, plain_weights, by_channel<lb::q8, lb::round_even_float>>(4);
}

TEST_CASE("depthwise: prepared weights are used") {
  lb::depthwise_shape s{.in_c = 8, .multiplier = 1, .window = {.kernel_h = 3, .kernel_w = 3}};
  kernel_archs::for_each([&]<class Arch>(Arch) {
    using kernel = lb::kernel::depthwise<Arch, int8_t, const int8_t*, int32_t, lb::raw_accumulator<int32_t>>;
    for (s.multiplier = 1; s.multiplier < 4; ++s.multiplier) {
      CHECK((kernel::packed_bytes(s) != 0) == lb::has_prim<lb::prims::depthwise, Arch>);
      CHECK((kernel::scratch_bytes(s) != 0) == lb::has_prim<lb::prims::depthwise, Arch>);
    }
  });
}
