// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Odd shapes for convolutions, and operands of every width.

#include <sstream>
#include <string>
#include <vector>

#include <lowbits/core/shapes.hpp>
#include <lowbits/quant/qtype.hpp>

#include "support/naive_conv.hpp"

namespace conv_cases {

using lowbits::conv2d_shape;
using lowbits::window2d;

inline std::string text(const window2d& t) {
  std::ostringstream out;
  out << "k" << t.kernel_h << "x" << t.kernel_w << " s" << t.stride_h << "x" << t.stride_w << " d"
      << t.dilation_h << "x" << t.dilation_w << " p" << t.pad_top << "," << t.pad_left;
  return out.str();
}
inline std::string text(const conv2d_shape& s) {
  std::ostringstream out;
  out << s.batch << "x" << s.in_h << "x" << s.in_w << "x" << s.in_c << " -> " << s.out_h << "x"
      << s.out_w << "x" << s.out_c << " " << text(s.window) << " g" << s.groups;
  return out.str();
}

/// Positions of a window of `reach` over `in` elements plus padding, never below zero.
inline int positions(int in, int pad_before, int pad_after, int reach, int stride) {
  const int room = in + pad_before + pad_after - reach;
  return room < 0 ? 0 : room / stride + 1;
}

/// Shapes chosen by hand for what they contain.
inline std::vector<conv2d_shape> edges() {
  return {
      {},  // one product
      {.batch = 0, .in_h = 3, .in_w = 3, .in_c = 2, .out_h = 3, .out_w = 3, .out_c = 2},
      {.in_h = 2,
       .in_w = 2,
       .in_c = 3,
       .out_h = 0,
       .out_w = 0,
       .out_c = 2,
       .window = {.kernel_h = 5, .kernel_w = 5}},
      {.in_h = 4, .in_w = 3, .in_c = 2, .out_h = 4, .out_w = 3, .out_c = 0},
      {.in_h = 3, .in_w = 3, .in_c = 0, .out_h = 3, .out_w = 3, .out_c = 2},  // bias only
      {.in_h = 0,
       .in_w = 0,
       .in_c = 2,
       .out_h = 2,
       .out_w = 2,
       .out_c = 2,
       .window = {.kernel_h = 2, .kernel_w = 2, .pad_top = 1, .pad_left = 1}},  // padding only
      {.in_h = 1,
       .in_w = 1,
       .in_c = 1,
       .out_h = 5,
       .out_w = 5,
       .out_c = 1,
       .window = {.kernel_h = 5, .kernel_w = 5, .pad_top = 4, .pad_left = 4}},
      {.in_h = 6,
       .in_w = 5,
       .in_c = 1,
       .out_h = 2,
       .out_w = 2,
       .out_c = 1,  // cropping instead of padding
       .window = {.kernel_h = 2, .kernel_w = 2, .pad_top = -2, .pad_left = -1}},
      {.in_h = 3,
       .in_w = 3,
       .in_c = 1,
       .out_h = 4,
       .out_w = 7,
       .out_c = 1,  // whole windows outside
       .window = {.kernel_h = 1,
                  .kernel_w = 1,
                  .stride_h = 3,
                  .stride_w = 2,
                  .pad_top = 5,
                  .pad_left = 3}},
      {.in_h = 7,
       .in_w = 1,
       .in_c = 6,
       .out_h = 3,
       .out_w = 1,
       .out_c = 9,
       .window = {.kernel_h = 5},
       .groups = 3},
      {.batch = 3,
       .in_h = 1,
       .in_w = 7,
       .in_c = 4,
       .out_h = 1,
       .out_w = 3,
       .out_c = 4,
       .window = {.kernel_w = 3, .stride_w = 2},
       .groups = 4},
      {.batch = 2,
       .in_h = 9,
       .in_w = 9,
       .in_c = 2,
       .out_h = 3,
       .out_w = 1,
       .out_c = 2,
       .window = {.kernel_h = 3, .kernel_w = 5, .stride_h = 2, .dilation_h = 2, .dilation_w = 2}},
      lowbits::dense_shape(3, 37, 5),
  };
}

/// `count` shapes drawn from kernels 1..5, strides and dilations 1..3, uneven paddings, batches 0..3
/// and groups 1..3.
inline std::vector<conv2d_shape> drawn(int count, std::uint64_t seed) {
  naive::random_numbers random(seed);
  std::vector<conv2d_shape> all;
  for (int i = 0; i < count; ++i) {
    const window2d t{random.in(1, 5), random.in(1, 5), random.in(1, 3), random.in(1, 3),
                     random.in(1, 3), random.in(1, 3), random.in(0, 4), random.in(0, 4)};
    const int groups = random.in(1, 3), in_h = random.in(1, 9), in_w = random.in(1, 9);
    all.push_back({.batch = random.in(0, 3),
                   .in_h = in_h,
                   .in_w = in_w,
                   .in_c = groups * random.in(1, 4),
                   .out_h = positions(in_h, t.pad_top, random.in(0, 4), t.reach_h(), t.stride_h),
                   .out_w = positions(in_w, t.pad_left, random.in(0, 4), t.reach_w(), t.stride_w),
                   .out_c = groups * random.in(1, 3),
                   .window = t,
                   .groups = groups});
  }
  return all;
}

/// Every kernel size 1..5 with every stride 1..3 and dilation 1..2, on one input.
inline std::vector<conv2d_shape> grid() {
  std::vector<conv2d_shape> all;
  for (int kernel = 1; kernel <= 5; ++kernel)
    for (int stride = 1; stride <= 3; ++stride)
      for (int dilation = 1; dilation <= 2; ++dilation) {
        const window2d t{kernel,   6 - kernel,   stride,     4 - stride,
                         dilation, 3 - dilation, kernel / 2, 1};
        all.push_back({.batch = 1,
                       .in_h = 11,
                       .in_w = 10,
                       .in_c = 3,
                       .out_h = positions(11, t.pad_top, 2, t.reach_h(), t.stride_h),
                       .out_w = positions(10, t.pad_left, 0, t.reach_w(), t.stride_w),
                       .out_c = 2,
                       .window = t});
      }
  return all;
}

/// Values of Q, read the way a packed buffer is: through the code.
template <class Q>
struct coded {
  std::vector<std::uint32_t> codes;
  explicit coded(const naive::wide& values) {
    for (std::int64_t v : values) codes.push_back(Q::encode(static_cast<int>(v)));
  }
  struct reader {
    const std::uint32_t* code;
    int operator[](std::size_t i) const { return Q::decode(code[i]); }
  };
  reader begin() const { return {codes.data()}; }
};

/// n values over the whole range of Q, both ends included early.
template <class Q>
naive::wide fill(std::size_t n, naive::random_numbers& random) {
  naive::wide v(n);
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = i == 1 ? Q::lowest : i == 2 ? Q::highest : random.in(Q::lowest, Q::highest);
    if (Q::is_binary && v[i] == 0) v[i] = 1;
  }
  return v;
}

/// Bias values of moderate size.
inline naive::wide fill_bias(int n, naive::random_numbers& random) {
  naive::wide v(static_cast<std::size_t>(n));
  for (auto& b : v) b = random.in(-1'000'000, 1'000'000);
  return v;
}

template <class T>
std::vector<T> cast(const naive::wide& v) {
  std::vector<T> out;
  for (std::int64_t x : v) out.push_back(static_cast<T>(x));
  return out;
}

/// Keeps the channel that a requantizer was called with next to the accumulator.
struct tagged_result {
  std::int64_t acc;
  std::size_t channel;
  bool operator==(const tagged_result&) const = default;
};
struct tagging_requantizer {
  template <class Acc>
  constexpr tagged_result operator()(Acc acc, std::size_t channel) const {
    return {static_cast<std::int64_t>(acc), channel};
  }
};
inline std::vector<tagged_result> tagged(const naive::wide& acc, int channels) {
  std::vector<tagged_result> out;
  for (std::size_t i = 0; i < acc.size(); ++i)
    out.push_back({acc[i], i % static_cast<std::size_t>(channels)});
  return out;
}

}  // namespace conv_cases
