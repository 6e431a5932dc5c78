// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <lowbits/fixed/requantize.hpp>
#include <lowbits/ref/depthwise.hpp>

#include "support/conv_cases.hpp"

namespace lb = lowbits;
using conv_cases::tagged_result;
using naive::wide;

namespace {

lb::depthwise_shape depthwise_of(const lb::conv2d_shape& s, int multiplier) {
  return {s.batch, s.in_h, s.in_w, s.in_c, s.out_h, s.out_w, multiplier, s.window};
}

template <class Acc, class X, class W>
void check(const lb::depthwise_shape& s, naive::random_numbers& random, bool zeros,
           bool with_bias) {
  const wide xs =
      conv_cases::fill<X>(static_cast<std::size_t>(s.batch * s.in_h * s.in_w * s.in_c), random);
  const wide ws =
      conv_cases::fill<W>(static_cast<std::size_t>(s.window.taps() * s.out_c()), random);
  const wide biases = with_bias ? conv_cases::fill_bias(s.out_c(), random) : wide{};
  const int x_zero = zeros ? random.in(X::lowest, X::highest) : 0;
  const int w_zero = zeros ? random.in(W::lowest, W::highest) : 0;
  const auto expected =
      conv_cases::tagged(naive::depthwise(s, xs, x_zero, ws, w_zero, biases), s.out_c());
  const auto x = conv_cases::cast<typename X::storage>(xs);
  const conv_cases::coded<W> w(ws);
  const auto bias = conv_cases::cast<Acc>(biases);
  std::vector<tagged_result> y(expected.size() + 1, {-7, 77});
  lb::ref::depthwise<Acc>(s, x.data(), x_zero, w.begin(), w_zero, with_bias ? bias.data() : nullptr,
                          conv_cases::tagging_requantizer{}, y.data());
  CAPTURE(conv_cases::text(s.window));
  CAPTURE(s.batch);
  CAPTURE(s.in_c);
  CAPTURE(s.multiplier);
  CAPTURE(W::bits);
  CHECK(y.back() == tagged_result{-7, 77});
  y.pop_back();
  CHECK(y == expected);
}

template <class... W>
void check_widths(const lb::depthwise_shape& s, naive::random_numbers& random) {
  (check<std::int32_t, lb::q8, W>(s, random, true, true), ...);
  (check<std::int32_t, W, W>(s, random, false, false), ...);
  (check<std::int64_t, lb::q16, W>(s, random, true, true), ...);
}

}  // namespace

TEST_CASE("depthwise equals a convolution with a diagonal of weights") {
  naive::random_numbers random(11);
  for (const auto& s : conv_cases::edges())
    for (int multiplier : {0, 1, 3})
      check<std::int32_t, lb::q8, lb::q8>(depthwise_of(s, multiplier), random, true, true);
  for (const auto& s : conv_cases::grid())
    for (int multiplier : {1, 2})
      check<std::int32_t, lb::u8, lb::q8>(depthwise_of(s, multiplier), random, true, true);
  for (const auto& s : conv_cases::drawn(250, 12))
    check<std::int32_t, lb::q8, lb::q8>(depthwise_of(s, random.in(1, 4)), random, true, true);
  for (const auto& s : conv_cases::drawn(60, 13))
    check<std::int64_t, lb::q16, lb::q16>(depthwise_of(s, random.in(1, 4)), random, true, false);
}

TEST_CASE("depthwise takes weights of every width, read through their codes") {
  naive::random_numbers random(14);
  for (const auto& s : conv_cases::drawn(12, 15)) {
    const auto d = depthwise_of(s, random.in(1, 3));
    check_widths<lb::q1, lb::q2, lb::q3, lb::q4, lb::q5, lb::q6, lb::q7, lb::q8, lb::ternary>(
        d, random);
    check_widths<lb::u1, lb::u2, lb::u3, lb::u4, lb::u5, lb::u6, lb::u7, lb::u8>(d, random);
  }
}

TEST_CASE("depthwise: output channel c * multiplier + m reads input channel c") {
  const std::int8_t x[] = {1, 10}, w[] = {1, 2, 3, 4};
  std::int32_t y[4];
  lb::ref::depthwise<std::int32_t>({.in_c = 2, .multiplier = 2}, x, 0, w, 0,
                                   static_cast<const std::int32_t*>(nullptr),
                                   lb::raw_accumulator<std::int32_t>{}, y);
  CHECK(y[0] == 1);
  CHECK(y[1] == 2);
  CHECK(y[2] == 30);
  CHECK(y[3] == 40);
}
