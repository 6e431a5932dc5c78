// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <lowbits/ref/conv2d.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

#include "support/conv_cases.hpp"

namespace lb = lowbits;
using conv_cases::tagged_result;
using naive::wide;

namespace {

std::size_t in_count(const lb::conv2d_shape& s) {
  return static_cast<std::size_t>(s.batch * s.in_h * s.in_w * s.in_c);
}
std::size_t out_count(const lb::conv2d_shape& s) {
  return static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.out_c);
}
std::size_t weight_count(const lb::conv2d_shape& s) {
  return static_cast<std::size_t>(s.out_c * s.window.taps() * s.group_in());
}

/// The operation that undoes the direction of s: inputs and outputs change places.
lb::conv2d_shape reversed(const lb::conv2d_shape& s) {
  return {s.batch, s.out_h, s.out_w, s.out_c, s.in_h, s.in_w, s.in_c, s.window, s.groups};
}

template <class Acc, class X, class W>
void check(const lb::conv2d_shape& s, naive::random_numbers& random, bool zeros, bool with_bias) {
  const wide xs = conv_cases::fill<X>(in_count(s), random),
             ws = conv_cases::fill<W>(weight_count(s), random);
  const wide biases = with_bias ? conv_cases::fill_bias(s.out_c, random) : wide{};
  const int x_zero = zeros ? random.in(X::lowest, X::highest) : 0;
  const int w_zero = zeros ? random.in(W::lowest, W::highest) : 0;
  const auto expected =
      conv_cases::tagged(naive::transposed_conv2d(s, xs, x_zero, ws, w_zero, biases), s.out_c);
  const auto x = conv_cases::cast<typename X::storage>(xs);
  const conv_cases::coded<W> w(ws);
  const auto bias = conv_cases::cast<Acc>(biases);
  std::vector<tagged_result> y(expected.size() + 1, {-7, 77});
  lb::ref::transposed_conv2d<Acc>(s, x.data(), x_zero, w.begin(), w_zero,
                                  with_bias ? bias.data() : nullptr,
                                  conv_cases::tagging_requantizer{}, y.data());
  CAPTURE(conv_cases::text(s));
  CAPTURE(W::bits);
  CHECK(y.back() == tagged_result{-7, 77});
  y.pop_back();
  CHECK(y == expected);
}

/// Weights of the adjoint: [out_c][kh][kw][in_c / g] becomes [in_c][kh][kw][out_c / g].
wide adjoint_weights(const lb::conv2d_shape& s, const wide& w) {
  const int taps = s.window.taps(), in = s.group_in(), out = s.group_out();
  wide turned(w.size());
  for (int c = 0; c < s.out_c; ++c)
    for (int t = 0; t < taps; ++t)
      for (int k = 0; k < in; ++k)
        turned[static_cast<std::size_t>(((c / out * in + k) * taps + t) * out + c % out)] =
            w[static_cast<std::size_t>((c * taps + t) * in + k)];
  return turned;
}

std::int64_t inner(const wide& a, const wide& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

TEST_CASE("transposed_conv2d equals scattering every input into the output") {
  naive::random_numbers random(21);
  std::vector<lb::conv2d_shape> shapes = conv_cases::edges();
  for (const auto& s : conv_cases::grid()) shapes.push_back(reversed(s));
  for (const auto& s : conv_cases::drawn(250, 22)) shapes.push_back(reversed(s));
  for (const auto& s : conv_cases::drawn(50, 23))
    shapes.push_back(s);  // output smaller than the reach
  for (const auto& s : shapes) check<std::int32_t, lb::q8, lb::q8>(s, random, true, true);
  for (const auto& s : conv_cases::drawn(60, 24))
    check<std::int64_t, lb::q16, lb::q8>(reversed(s), random, true, false);
}

TEST_CASE("transposed_conv2d takes weights of every width") {
  naive::random_numbers random(25);
  const auto each = [&]<class... W>(const lb::conv2d_shape& s, lb::type_list<W...>) {
    (check<std::int32_t, lb::q8, W>(s, random, true, true), ...);
  };
  for (const auto& s : conv_cases::drawn(12, 26))
    each(reversed(s),
         lb::type_list<lb::q1, lb::q2, lb::q3, lb::q4, lb::q5, lb::q6, lb::q7, lb::ternary, lb::u4,
                       lb::u8>{});
}

TEST_CASE("transposed_conv2d is the adjoint of conv2d") {
  naive::random_numbers random(27);
  for (const auto& s : conv_cases::drawn(200, 28)) {
    const wide x = conv_cases::fill<lb::q8>(in_count(s), random),
               y = conv_cases::fill<lb::q8>(out_count(s), random);
    const wide w = conv_cases::fill<lb::q8>(weight_count(s), random),
               turned = adjoint_weights(s, w);
    wide forward(out_count(s)), backward(in_count(s));
    const lb::raw_accumulator<std::int64_t> raw;
    const std::int64_t* none = nullptr;
    lb::ref::conv2d<std::int64_t>(s, conv_cases::cast<std::int8_t>(x).data(), 0,
                                  conv_cases::cast<std::int8_t>(w).data(), 0, none, raw,
                                  forward.data());
    lb::ref::transposed_conv2d<std::int64_t>(reversed(s), conv_cases::cast<std::int8_t>(y).data(),
                                             0, conv_cases::cast<std::int8_t>(turned).data(), 0,
                                             none, raw, backward.data());
    CAPTURE(conv_cases::text(s));
    CHECK(inner(forward, y) == inner(x, backward));
  }
}

TEST_CASE("transposed_conv2d: out = in * stride - pad + tap * dilation") {
  const std::int8_t x[] = {1, 2}, w[] = {1, 10, 100};
  std::int32_t y[4];
  const lb::conv2d_shape s{
      .in_w = 2, .out_w = 4, .window = {.kernel_w = 3, .stride_w = 2, .pad_left = 1}};
  lb::ref::transposed_conv2d<std::int32_t>(s, x, 0, w, 0, static_cast<const std::int32_t*>(nullptr),
                                           lb::raw_accumulator<std::int32_t>{}, y);
  CHECK(y[0] == 10);  // the tap at -1 is cut off
  CHECK(y[1] == 100 + 2);
  CHECK(y[2] == 20);
  CHECK(y[3] == 200);
}
