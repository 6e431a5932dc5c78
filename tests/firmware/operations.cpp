// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Digests of the reference operations, with 32-bit and 64-bit sums, over shapes with padding,
// strides, dilation and groups.
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/ref/conv2d.hpp>
#include <lowbits/ref/depthwise.hpp>
#include <lowbits/ref/matmul.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

#include "support/program.hpp"

namespace lb = lowbits;
using firmware::digest;
using firmware::random_numbers;

namespace {

constexpr std::size_t most = 700;  // elements of any operand here
constexpr int channels = 6;

/// Operands of one width, filled with the same numbers everywhere.
template <class Q, class Acc>
struct operands {
  typename Q::storage x[most], w[most], y[most];
  Acc bias[channels];
  lb::fixed_multiplier factors[channels];

  explicit operands(random_numbers& random) {
    for (auto& v : x) v = static_cast<typename Q::storage>(random.in(Q::lowest, Q::highest));
    for (auto& v : w) v = static_cast<typename Q::storage>(random.in(Q::lowest, Q::highest));
    for (auto& v : bias) v = random.in(-5000, 5000);
    for (auto& f : factors) f = {random.in(1 << 30, 0x7fff'ffff), -1 - Q::bits};
  }
  lb::channel_requantizer<Q> requantizer() const {
    return {factors, {.zero_point = 3, .lowest = Q::lowest, .highest = Q::highest - 1}};
  }
};

template <class Q, class Acc>
void convolutions(digest& d, operands<Q, Acc>& o) {
  const lb::conv2d_shape shapes[] = {
      {.in_h = 7, .in_w = 6, .in_c = 4, .out_h = 7, .out_w = 6, .out_c = channels,
       .window = {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}},
      {.batch = 2, .in_h = 5, .in_w = 7, .in_c = 6, .out_h = 3, .out_w = 4, .out_c = channels,
       .window = {.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1}, .groups = 3},
      {.in_h = 9, .in_w = 9, .in_c = 2, .out_h = 5, .out_w = 5, .out_c = channels,
       .window = {.kernel_h = 3, .kernel_w = 3, .dilation_h = 2, .dilation_w = 2}},
      lb::dense_shape(4, 97, channels),
  };
  for (const auto& s : shapes) {
    lb::ref::conv2d<Acc>(s, o.x, -3, o.w, 1, o.bias, o.requantizer(), o.y);
    d.add(o.y, static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.out_c));
  }
  const lb::conv2d_shape up{.in_h = 3, .in_w = 4, .in_c = 5, .out_h = 7, .out_w = 9, .out_c = channels,
                            .window = {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_top = 1}};
  lb::ref::transposed_conv2d<Acc>(up, o.x, 2, o.w, 0, o.bias, o.requantizer(), o.y);
  d.add(o.y, 7 * 9 * channels);
}

template <class Q, class Acc>
void depthwise(digest& d, operands<Q, Acc>& o) {
  const lb::depthwise_shape s{.in_h = 9, .in_w = 8, .in_c = 3, .out_h = 5, .out_w = 4, .multiplier = 2,
                              .window = {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2,
                                         .pad_top = 1, .pad_left = 1}};
  lb::ref::depthwise<Acc>(s, o.x, -1, o.w, 0, o.bias, o.requantizer(), o.y);
  d.add(o.y, 5 * 4 * channels);
}

template <class Q, class Acc>
void products(digest& d, operands<Q, Acc>& o) {
  for (int transposed = 0; transposed < 4; ++transposed) {
    const lb::matmul_shape s{.x_batch = {2, 1}, .w_batch = {1, 3}, .rows = 5, .depth = 17, .cols = channels,
                             .x_transposed = transposed % 2 != 0, .w_transposed = transposed >= 2};
    lb::ref::matmul<Acc>(s, o.x, 2, o.w, -1, o.requantizer(), o.y);
    d.add(o.y, 6 * 5 * channels);
  }
}

template <class Q, class Acc>
void operations(const char* convolution, const char* depth, const char* product) {
  random_numbers random(Q::bits);
  static operands<Q, Acc> o(random);
  digest c, w, p;
  convolutions(c, o);
  depthwise(w, o);
  products(p, o);
  c.report(convolution);
  w.report(depth);
  p.report(product);
}

}  // namespace

int firmware::run() {
  operations<lb::q8, std::int32_t>("conv2d.8x8", "depthwise.8x8", "matmul.8x8");
  operations<lb::q16, std::int64_t>("conv2d.16x16", "depthwise.16x16", "matmul.16x16");
  return 0;
}
