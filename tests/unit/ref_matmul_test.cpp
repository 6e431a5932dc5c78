// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <string>

#include <lowbits/fixed/requantize.hpp>
#include <lowbits/ref/matmul.hpp>

#include "support/conv_cases.hpp"

namespace lb = lowbits;
using conv_cases::tagged_result;
using naive::wide;

namespace {

std::string text(const lb::matmul_shape& s) {
  std::ostringstream out;
  out << s.x_batch[0] << "," << s.x_batch[1] << " x " << s.w_batch[0] << "," << s.w_batch[1]
      << " of " << s.rows << "x" << s.depth << "x" << s.cols << (s.x_transposed ? " x^T" : "")
      << (s.w_transposed ? " w^T" : "");
  return out.str();
}

/// Matrices made explicit: broadcast and transposition are undone before the sums, 64 bits, outer
/// products.
wide expand(const wide& v, const int (&have)[2], const int (&want)[2], int rows, int cols,
            bool transposed, int zero) {
  wide out;
  for (int a = 0; a < want[0]; ++a)
    for (int b = 0; b < want[1]; ++b) {
      const int matrix = (have[0] == 1 ? 0 : a) * have[1] + (have[1] == 1 ? 0 : b);
      for (int r = 0; r < rows; ++r)
        for (int c = 0; c < cols; ++c)
          out.push_back(v[static_cast<std::size_t>(matrix * rows * cols +
                                                   (transposed ? c * rows + r : r * cols + c))] -
                        zero);
    }
  return out;
}

wide naive_matmul(const lb::matmul_shape& s, const wide& x, int x_zero, const wide& w, int w_zero) {
  const int want[2] = {s.batch(0), s.batch(1)};
  const wide a = expand(x, s.x_batch, want, s.rows, s.depth, s.x_transposed, x_zero);
  const wide b = expand(w, s.w_batch, want, s.depth, s.cols, s.w_transposed, w_zero);
  wide y(static_cast<std::size_t>(want[0] * want[1] * s.rows * s.cols));
  for (int m = 0; m < want[0] * want[1]; ++m)
    for (int k = 0; k < s.depth; ++k)
      for (int c = 0; c < s.cols; ++c)
        for (int r = 0; r < s.rows; ++r)
          y[static_cast<std::size_t>((m * s.rows + r) * s.cols + c)] +=
              a[static_cast<std::size_t>((m * s.rows + r) * s.depth + k)] *
              b[static_cast<std::size_t>((m * s.depth + k) * s.cols + c)];
  return y;
}

template <class Acc, class X, class W>
void check(const lb::matmul_shape& s, naive::random_numbers& random) {
  const wide xs = conv_cases::fill<X>(
      static_cast<std::size_t>(s.x_batch[0] * s.x_batch[1] * s.rows * s.depth), random);
  const wide ws = conv_cases::fill<W>(
      static_cast<std::size_t>(s.w_batch[0] * s.w_batch[1] * s.depth * s.cols), random);
  const int x_zero = random.in(X::lowest, X::highest), w_zero = random.in(W::lowest, W::highest);
  const auto expected = conv_cases::tagged(naive_matmul(s, xs, x_zero, ws, w_zero), s.cols);
  const auto x = conv_cases::cast<typename X::storage>(xs);
  const conv_cases::coded<W> w(ws);
  std::vector<tagged_result> y(expected.size() + 1, {-7, 77});
  lb::ref::matmul<Acc>(s, x.data(), x_zero, w.begin(), w_zero, conv_cases::tagging_requantizer{},
                       y.data());
  CAPTURE(text(s));
  CAPTURE(W::bits);
  CHECK(y.back() == tagged_result{-7, 77});
  y.pop_back();
  CHECK(y == expected);
}

}  // namespace

TEST_CASE("matmul broadcasts both batch axes and takes either operand transposed") {
  naive::random_numbers random(31);
  struct batches {
    int x[2], w[2];
  };
  const batches table[] = {{{1, 1}, {1, 1}}, {{3, 2}, {3, 2}}, {{1, 1}, {3, 2}}, {{3, 2}, {1, 1}},
                           {{3, 1}, {1, 2}}, {{1, 2}, {3, 1}}, {{1, 3}, {1, 3}}, {{0, 2}, {0, 2}},
                           {{0, 1}, {1, 2}}, {{2, 0}, {1, 1}}};
  struct extents {
    int rows, depth, cols;
  };
  const extents sizes[] = {{1, 1, 1}, {3, 5, 7}, {1, 17, 4}, {8, 2, 1},
                           {0, 3, 2}, {2, 0, 3}, {3, 4, 0},  {5, 33, 6}};
  for (const auto& b : table)
    for (const auto& e : sizes)
      for (int transposed = 0; transposed < 4; ++transposed) {
        const lb::matmul_shape s{
            {b.x[0], b.x[1]},      {b.w[0], b.w[1]},     e.rows, e.depth, e.cols,
            (transposed & 1) != 0, (transposed & 2) != 0};
        check<std::int32_t, lb::q8, lb::q8>(s, random);
        check<std::int32_t, lb::u8, lb::q4>(s, random);
        check<std::int64_t, lb::q16, lb::q16>(s, random);
      }
}

TEST_CASE("matmul takes operands of every width") {
  naive::random_numbers random(32);
  const auto each = [&]<class... W>(const lb::matmul_shape& s, lb::type_list<W...>) {
    (check<std::int32_t, lb::q8, W>(s, random), ...);
    (check<std::int32_t, W, W>(s, random), ...);
    (check<std::int64_t, lb::q16, W>(s, random), ...);
  };
  const lb::matmul_shape s{.x_batch = {2, 1},
                           .w_batch = {1, 3},
                           .rows = 5,
                           .depth = 11,
                           .cols = 3,
                           .w_transposed = true};
  each(
      s,
      lb::type_list<lb::q1, lb::q2, lb::q3, lb::q4, lb::q5, lb::q6, lb::q7, lb::q8, lb::ternary>{});
  each(s, lb::type_list<lb::u1, lb::u2, lb::u3, lb::u4, lb::u5, lb::u6, lb::u7, lb::u8>{});
}

TEST_CASE("matmul requantizes by column") {
  const std::int8_t x[] = {1, 2, 3, 4}, w[] = {10, 20, 30, 40};
  const lb::fixed_multiplier factors[] = {{1 << 30, 1}, {1 << 30, 0}};
  const lb::channel_requantizer<lb::q16> rq{factors, {.lowest = -32768, .highest = 32767}};
  std::int16_t y[4];
  lb::ref::matmul<std::int32_t>({.rows = 2, .depth = 2, .cols = 2}, x, 0, w, 0, rq, y);
  CHECK(y[0] == 70);
  CHECK(y[1] == 50);
  CHECK(y[2] == 150);
  CHECK(y[3] == 110);
}

namespace {
constexpr std::int64_t at_compile_time() {
  const std::int16_t x[] = {32767, 32767}, w[] = {32767, 32767};
  std::int64_t y = 0;
  lb::ref::matmul<std::int64_t>({.depth = 2}, x, -32768, w, -32768,
                                lb::raw_accumulator<std::int64_t>{}, &y);
  return y;
}
}  // namespace

TEST_CASE("matmul is usable in constant expressions") {
  static_assert(at_compile_time() == 2 * std::int64_t{65535} * 65535);
  CHECK(at_compile_time() == 2 * std::int64_t{65535} * 65535);
}
