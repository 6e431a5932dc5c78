// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Convolutions and fully connected layers on every architecture give the reference's bytes, and
// touch nothing outside their buffers.

#include "support/kernel_archs.hpp"

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/ref/conv2d.hpp>

#include "support/layer_check.hpp"

namespace {

using namespace kernel_operands;

/// Fully connected shapes around every tile width and depth.
std::vector<lb::conv2d_shape> dense_shapes() {
  std::vector<lb::conv2d_shape> all;
  for (int rows : {0, 1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 23, 25})
    for (int depth : {1, 3, 4, 17, 64}) all.push_back(lb::dense_shape(rows, depth, 33));
  for (int out : {1, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 47, 48, 49, 63, 64, 65})
    for (int depth : {2, 5, 31}) all.push_back(lb::dense_shape(13, depth, out));
  for (int depth : {0, 6, 7, 8, 9, 15, 16, 18, 19, 20, 21, 63, 65, 127, 129, 512, 1024})
    all.push_back(lb::dense_shape(7, depth, 19));
  all.push_back(lb::dense_shape(200, 700, 40));  // several blocks of rows
  return all;
}

/// Convolutions with channels around the widths of vectors.
std::vector<lb::conv2d_shape> wide_shapes() {
  std::vector<lb::conv2d_shape> all;
  for (int in_c : {1, 3, 8, 16, 17, 64})
    for (int out_c : {5, 16, 31, 64})
      all.push_back({.batch = 2, .in_h = 5, .in_w = 6, .in_c = in_c, .out_h = 5, .out_w = 3, .out_c = out_c,
                     .window = {.kernel_h = 3, .kernel_w = 3, .stride_w = 2, .pad_top = 1, .pad_left = 1}});
  all.push_back({.in_h = 9, .in_w = 9, .in_c = 34, .out_h = 5, .out_w = 5, .out_c = 66,
                 .window = {.kernel_h = 3, .kernel_w = 3, .dilation_h = 2, .dilation_w = 2}, .groups = 2});
  all.push_back({.in_h = 5, .in_w = 7, .in_c = 67, .out_h = 5, .out_w = 7, .out_c = 65,  // deep, and several tiles
                 .window = {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}});
  return all;
}

std::vector<lb::conv2d_shape> all_shapes() {
  std::vector<lb::conv2d_shape> all;
  for (const auto& some : {conv_cases::edges(), conv_cases::grid(), conv_cases::drawn(60, 5), dense_shapes(), wide_shapes()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

template <class X, class Weights, class Rq>
void check_all(uint64_t first_seed) {
  check_on_archs(all_shapes(), first_seed, []<class Arch>(Arch, const lb::conv2d_shape& s, buffers& memory, uint64_t seed) {
    using kernel = lb::kernel::conv2d<Arch, X, typename Weights::reader, int32_t, typename Rq::requantizer>;
    naive::random_numbers random(seed);
    const layer_operands<X, Weights, int32_t, Rq> operands(s, random);
    return check_layer<kernel>(s, count(s.batch, s.out_h, s.out_w, s.out_c), conv_cases::text(s), operands, memory,
                               [](const auto&... a) { lb::ref::conv2d<int32_t>(a...); });
  });
}

}  // namespace

TEST_CASE("conv2d: s8, s8 weights, rounded once, factors per channel") {
  check_all<int8_t, plain_weights, by_channel<lb::q8, lb::round_single>>(1);
}
TEST_CASE("conv2d: u8, s8 weights, rounded once, one factor") {
  check_all<uint8_t, plain_weights, by_tensor<lb::u8, lb::round_single>>(2);
}
TEST_CASE("conv2d: s8, 4-bit weights, rounded twice") {
  check_all<int8_t, packed_weights<lb::q4>, by_channel<lb::q8, lb::round_double_gemmlowp>>(3);
}
TEST_CASE("conv2d: u8, ternary weights, accumulators") {
  check_all<uint8_t, packed_weights<lb::ternary>, not_at_all>(4);
}
TEST_CASE("conv2d: s8, 7-bit unsigned weights, float policy, 16-bit output") {
  check_all<int8_t, packed_weights<lb::u7>, by_channel<lb::q16, lb::round_even_float>>(5);
}
TEST_CASE("conv2d: u8, u8 weights, rounded twice") {
  check_all<uint8_t, element_weights<uint8_t>, by_tensor<lb::u8, lb::round_double_gemmlowp>>(7);
}
TEST_CASE("conv2d: u8, binary weights, 4-bit output") {
  check_all<uint8_t, packed_weights<lb::q1>, by_tensor<lb::q4, lb::round_single>>(6);
}

TEST_CASE("conv2d: weights that are not prepared run through the reference") {
  kernel_archs::for_each([&]<class Arch>(Arch) {
    using rq = lb::raw_accumulator<int32_t>;
    const lb::conv2d_shape s = lb::dense_shape(2, 3, 4);
    const int8_t x[6] = {1, -2, 3, 4, 5, -128}, w[12] = {1, 2, 3, -4, 5, 6, 7, 8, 9, -128, 127, 0};
    int32_t y[8], expected[8];
    using kernel = lb::kernel::conv2d<Arch, int8_t, const int8_t*, int32_t, rq>;
    kernel::run(s, x, 3, w, 7, static_cast<const int32_t*>(nullptr), nullptr, rq{}, y, nullptr);
    lb::ref::conv2d<int32_t>(s, x, 3, w, 7, static_cast<const int32_t*>(nullptr), rq{}, expected);
    for (int i = 0; i < 8; ++i) CHECK(y[i] == expected[i]);
  });
}
