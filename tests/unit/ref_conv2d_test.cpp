// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <lowbits/fixed/requantize.hpp>
#include <lowbits/ref/conv2d.hpp>

#include "support/conv_cases.hpp"

namespace lb = lowbits;
using conv_cases::tagged_result;
using naive::wide;

namespace {

/// The operands of one shape, X and W being quantized types.
template <class X, class W>
struct operands {
  wide x, w, bias;
  int x_zero, w_zero;
  operands(const lb::conv2d_shape& s, naive::random_numbers& random, bool zeros, bool with_bias)
      : x(conv_cases::fill<X>(static_cast<std::size_t>(s.batch * s.in_h * s.in_w * s.in_c),
                              random)),
        w(conv_cases::fill<W>(static_cast<std::size_t>(s.out_c * s.window.taps() * s.group_in()),
                              random)),
        bias(with_bias ? conv_cases::fill_bias(s.out_c, random) : wide{}),
        x_zero(zeros ? random.in(X::lowest, X::highest) : 0),
        w_zero(zeros ? random.in(W::lowest, W::highest) : 0) {}
};

template <class Acc, class X, class W>
void check(const lb::conv2d_shape& s, naive::random_numbers& random, bool zeros, bool with_bias) {
  const operands<X, W> o(s, random, zeros, with_bias);
  const auto expected =
      conv_cases::tagged(naive::conv2d(s, o.x, o.x_zero, o.w, o.w_zero, o.bias), s.out_c);
  const auto x = conv_cases::cast<typename X::storage>(o.x);
  const conv_cases::coded<W> w(o.w);
  const auto bias = conv_cases::cast<Acc>(o.bias);
  std::vector<tagged_result> y(expected.size() + 1, {-7, 77});
  lb::ref::conv2d<Acc>(s, x.data(), o.x_zero, w.begin(), o.w_zero,
                       with_bias ? bias.data() : nullptr, conv_cases::tagging_requantizer{},
                       y.data());
  CAPTURE(conv_cases::text(s));
  CAPTURE(X::bits);
  CAPTURE(W::bits);
  CHECK(y.back() == tagged_result{-7, 77});  // nothing written behind the output
  y.pop_back();
  CHECK(y == expected);
}

template <class... W>
void check_widths(const lb::conv2d_shape& s, naive::random_numbers& random) {
  (check<std::int32_t, lb::q8, W>(s, random, true, true), ...);
  (check<std::int32_t, W, W>(s, random, false, false), ...);
  (check<std::int64_t, lb::q16, W>(s, random, true, true), ...);
}

}  // namespace

TEST_CASE("conv2d equals the bordered 64-bit convolution") {
  naive::random_numbers random(1);
  for (const auto& s : conv_cases::edges())
    check<std::int32_t, lb::q8, lb::q8>(s, random, true, true);
  for (const auto& s : conv_cases::edges())
    check<std::int32_t, lb::u8, lb::u8>(s, random, true, false);
  for (const auto& s : conv_cases::grid())
    check<std::int32_t, lb::q8, lb::q8>(s, random, true, true);
  for (const auto& s : conv_cases::drawn(300, 2))
    check<std::int32_t, lb::q8, lb::q8>(s, random, true, true);
  for (const auto& s : conv_cases::drawn(60, 3))
    check<std::int64_t, lb::q16, lb::q16>(s, random, true, false);
}

TEST_CASE("conv2d takes weights of every width, read through their codes") {
  naive::random_numbers random(4);
  std::vector<lb::conv2d_shape> shapes = conv_cases::drawn(12, 5);
  shapes.push_back(lb::dense_shape(2, 67, 3));
  for (const auto& s : shapes) {
    check_widths<lb::q1, lb::q2, lb::q3, lb::q4, lb::q5, lb::q6, lb::q7, lb::q8, lb::ternary>(
        s, random);
    check_widths<lb::u1, lb::u2, lb::u3, lb::u4, lb::u5, lb::u6, lb::u7, lb::u8>(s, random);
    check<std::int64_t, lb::q12, lb::q16>(s, random, true, true);
    check<std::int64_t, lb::u16, lb::u16>(s, random, true, true);
  }
}

TEST_CASE("conv2d with int64 sums exceeds 32 bits without loss") {
  const auto s = lb::dense_shape(1, 4096, 1);
  const std::vector<std::int16_t> x(4096, -32768), w(4096, -32768);
  const std::int64_t bias = std::int64_t{1} << 40;
  std::int64_t y = 0;
  lb::ref::conv2d<std::int64_t>(s, x.data(), 32767, w.data(), 32767, &bias,
                                lb::raw_accumulator<std::int64_t>{}, &y);
  CHECK(y == 4096 * std::int64_t{65535} * 65535 + bias);
}

TEST_CASE("conv2d hands the accumulator and the channel to the requantizer") {
  const std::int8_t x[] = {10, 20}, w[] = {1, 2, 3, 4, -5, 6};
  const std::int32_t bias[] = {100, -1000, 5};
  std::int32_t raw[3];
  lb::ref::conv2d<std::int32_t>(lb::dense_shape(1, 2, 3), x, 0, w, 0, bias,
                                lb::raw_accumulator<std::int32_t>{}, raw);
  CHECK(raw[0] == 150);
  CHECK(raw[1] == -890);
  CHECK(raw[2] == 75);
  const lb::fixed_multiplier half{1 << 30, 0}, eighth{1 << 30, -2};
  const lb::fixed_multiplier factors[] = {half, eighth, half};
  const lb::channel_requantizer<lb::q8> rq{factors,
                                           {.zero_point = 3, .lowest = -100, .highest = 41}};
  std::int8_t y[3];
  lb::ref::conv2d<std::int32_t>(lb::dense_shape(1, 2, 3), x, 0, w, 0, bias, rq, y);
  CHECK(y[0] == 41);    // 75 + 3, held
  CHECK(y[1] == -100);  // -111 + 3, held
  CHECK(y[2] == 41);    // round(37.5) + 3 = 41
}

namespace {
constexpr int at_compile_time() {
  const std::int8_t x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, w[] = {1, 0, 0, -1};
  std::int8_t y[4]{};
  lb::ref::conv2d<std::int32_t>(
      {.in_h = 3, .in_w = 3, .out_h = 2, .out_w = 2, .window = {.kernel_h = 2, .kernel_w = 2}}, x,
      0, w, 0, static_cast<const std::int32_t*>(nullptr), lb::requantizer<lb::q8>{{1 << 30, 1}, {}},
      y);
  return y[0] + y[1] + y[2] + y[3];
}
}  // namespace

TEST_CASE("conv2d is usable in constant expressions") {
  static_assert(at_compile_time() == -16);
  CHECK(at_compile_time() == -16);
}
