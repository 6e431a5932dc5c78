// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <lowbits/ref/pool.hpp>

#include "support/random_codes.hpp"

namespace lb = lowbits;
using lb::pool2d_shape;

namespace {

std::string text(const pool2d_shape& s) {
  std::string t;
  for (int v : {s.batch, s.in_h, s.in_w, s.channels, s.out_h, s.out_w, s.window.kernel_h, s.window.kernel_w, s.window.stride_h,
                s.window.stride_w, s.window.dilation_h, s.window.dilation_w, s.window.pad_top, s.window.pad_left})
    t += std::to_string(v) + " ";
  return t;
}

std::vector<pool2d_shape> shapes() {
  std::vector<pool2d_shape> all = {
      {},
      {2, 4, 6, 3, 2, 3, {2, 2, 2, 2}},
      {1, 5, 5, 2, 5, 5, {3, 3, 1, 1, 1, 1, 1, 1}},                    // same padding
      {1, 7, 8, 1, 3, 3, {3, 2, 2, 3, 1, 2, 1, 0}},                    // uneven, dilated
      {1, 3, 3, 2, 3, 3, {1, 1, 3, 3, 1, 1, 3, 3}},                    // windows wholly outside
      {1, 6, 6, 4, 1, 1, {6, 6}},                                      // the whole image
      {1, 4, 4, 1, 1, 1, {3, 3, 1, 1, 1, 1, -1, -1}},                  // cropped
      {0, 4, 4, 1, 2, 2, {2, 2, 2, 2}},
      {1, 4, 4, 0, 2, 2, {2, 2, 2, 2}},
  };
  random_codes::generator g{11};
  for (int i = 0; i < 60; ++i)
    all.push_back({g.in(1, 2), g.in(1, 9), g.in(1, 9), g.in(1, 5), g.in(1, 5), g.in(1, 5),
                   {g.in(1, 4), g.in(1, 4), g.in(1, 3), g.in(1, 3), g.in(1, 2), g.in(1, 2), g.in(0, 3), g.in(0, 3)}});
  return all;
}

/// Every input is offered to every output; those whose distance fits a tap of the window are taken.
template <class T>
std::vector<std::vector<int>> windows(const pool2d_shape& s, const std::vector<T>& x) {
  std::vector<std::vector<int>> all(static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.channels));
  const auto taps = [](int distance, int dilation, int kernel) {
    return distance >= 0 && distance % dilation == 0 && distance / dilation < kernel;
  };
  const lb::window2d& t = s.window;
  std::size_t from = 0;
  for (int b = 0; b < s.batch; ++b)
    for (int h = 0; h < s.in_h; ++h)
      for (int w = 0; w < s.in_w; ++w)
        for (int c = 0; c < s.channels; ++c, ++from)
          for (int oh = 0; oh < s.out_h; ++oh)
            for (int ow = 0; ow < s.out_w; ++ow)
              if (taps(h + t.pad_top - oh * t.stride_h, t.dilation_h, t.kernel_h) &&
                  taps(w + t.pad_left - ow * t.stride_w, t.dilation_w, t.kernel_w))
                all[static_cast<std::size_t>(((b * s.out_h + oh) * s.out_w + ow) * s.channels + c)].push_back(x[from]);
  return all;
}

template <class T>
void check(const pool2d_shape& s, lb::code_range range, std::uint32_t seed) {
  const auto x = random_codes::fill<T>(static_cast<std::size_t>(s.batch * s.in_h * s.in_w * s.channels), seed);
  const auto taken = windows(s, x);
  std::vector<T> largest(taken.size() + 1, T{77}), mean(taken.size() + 1, T{77});
  lb::ref::max_pool(s, x.data(), range, largest.data());
  lb::ref::average_pool(s, x.data(), range, mean.data());
  int wrong_max = 0, wrong_mean = 0;
  for (std::size_t k = 0; k < taken.size(); ++k) {
    const std::vector<int>& v = taken[k];
    const int top = v.empty() ? range.lowest : *std::max_element(v.begin(), v.end());
    double sum = 0;
    for (int value : v) sum += value;
    // Half the count is rounded down, so an odd count needs a little more than a half to round up.
    const double n = static_cast<double>(v.size());
    const int rounded = v.empty() ? 0 : static_cast<int>(std::trunc((sum + std::copysign(std::floor(n / 2), sum)) / n));
    if (largest[k] != std::clamp(top, range.lowest, range.highest)) ++wrong_max;
    if (mean[k] != std::clamp(rounded, range.lowest, range.highest)) ++wrong_mean;
    if (!v.empty() && std::fabs(rounded - sum / n) > 0.5 + 1e-12) ++wrong_mean;
  }
  CAPTURE(text(s));
  CHECK(wrong_max == 0);
  CHECK(wrong_mean == 0);
  CHECK(largest.back() == T{77});
  CHECK(mean.back() == T{77});
}

}  // namespace

TEST_CASE("max and average pooling take the valid elements of each window") {
  std::uint32_t seed = 1;
  for (const pool2d_shape& s : shapes()) {
    check<std::int8_t>(s, {-128, 127}, ++seed);
    check<std::int8_t>(s, {-20, 33}, ++seed);
    check<std::uint8_t>(s, {0, 255}, ++seed);
    check<std::int16_t>(s, {-32768, 32767}, ++seed);
    check<std::uint16_t>(s, {100, 60000}, ++seed);
  }
}

TEST_CASE("average pooling: ties go away from zero, sums do not overflow") {
  struct { std::vector<std::int8_t> x; int expected; } const table[] = {
      {{1, 2}, 2}, {{-1, -2}, -2}, {{0, 1}, 1}, {{0, -1}, -1}, {{-3, 3}, 0}, {{1, 1, 2}, 1}, {{-1, -1, -2}, -1},
      {{127, 127, 127, 126}, 127}, {{-128, -128, -127}, -128}, {{5}, 5}};
  for (const auto& c : table) {
    const pool2d_shape s{1, 1, static_cast<int>(c.x.size()), 1, 1, 1, {1, static_cast<int>(c.x.size())}};
    std::int8_t y[1];
    lb::ref::average_pool(s, c.x.data(), {-128, 127}, y);
    CAPTURE(c.x.size());
    CHECK(y[0] == c.expected);
  }
  const std::vector<std::int16_t> high(300 * 300, 32767);
  std::int16_t y[1];
  lb::ref::average_pool({1, 300, 300, 1, 1, 1, {300, 300}}, high.data(), {-32768, 32767}, y);
  CHECK(y[0] == 32767);
}

TEST_CASE("global mean equals the nearest code of the exact mean") {
  constexpr lb::qformat q8{8, true, false}, q16{16, true, false};
  for (int positions : {1, 2, 7, 49, 1000}) {
    const int batch = 2, channels = 3;
    const auto x = random_codes::fill<std::int8_t>(static_cast<std::size_t>(batch * positions * channels), 21);
    const lb::affine in{0.07f, -9}, out{0.011f, 20};
    const auto p = lb::make_mean(q8, in, q16, out, positions);
    std::vector<std::int16_t> y(6);
    lb::ref::global_mean(batch, positions, channels, x.data(), p, y.data());
    for (int b = 0; b < batch; ++b)
      for (int c = 0; c < channels; ++c) {
        double sum = 0;
        for (int i = 0; i < positions; ++i) sum += x[static_cast<std::size_t>((b * positions + i) * channels + c)] + 9;
        CAPTURE(positions);
        CHECK(std::fabs(y[static_cast<std::size_t>(b * channels + c)] - (sum / positions * (double{0.07f} / double{0.011f}) + 20)) <= 0.5001);
      }
  }
  const std::vector<std::int16_t> low(40000, -32768);
  std::int8_t y[1];
  lb::ref::global_mean(1, 40000, 1, low.data(), lb::make_mean(q16, {1.0f, 32767}, q8, {1024.0f, 0}, 40000), y);
  CHECK(y[0] == -64);
  lb::ref::global_mean(1, 0, 1, low.data(), lb::make_mean(q16, {1.0f, 0}, q8, {1.0f, -4}, 0), y);
  CHECK(y[0] == -4);
}

static_assert([] {
  const lb::int8_t x[4] = {1, -2, 7, 3};
  lb::int8_t y[3]{};
  lb::ref::max_pool({1, 2, 2, 1, 1, 1, {2, 2}}, x, {-128, 127}, y);
  lb::ref::average_pool({1, 2, 2, 1, 1, 1, {2, 2}}, x, {-128, 127}, y + 1);
  lb::ref::global_mean(1, 4, 1, x, lb::make_mean({8, true, false}, {1.0f, 0}, {8, true, false}, {1.0f, 0}, 4), y + 2);
  return y[0] == 7 && y[1] == 2 && y[2] == 2;
}());
