// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <lowbits/ref/resize.hpp>

#include "support/random_codes.hpp"

namespace lb = lowbits;
using lb::resize_shape;

namespace {

std::string text(const resize_shape& s) {
  std::string t;
  for (int v : {s.batch, s.in_h, s.in_w, s.channels, s.out_h, s.out_w}) t += std::to_string(v) + " ";
  return t + (s.align_corners ? "corners" : s.half_pixel_centers ? "centres" : "");
}

/// TFLite's float32 formula, each step rounded to float.
int nearest_in_float(int i, int in, int out, bool align_corners, bool half_pixel_centers) {
  volatile float scale = align_corners && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                                                  : static_cast<float>(in) / static_cast<float>(out);
  volatile float at = (static_cast<float>(i) + (half_pixel_centers ? 0.5f : 0.0f)) * scale;
  const int source = static_cast<int>(align_corners ? std::round(at) : std::floor(at));
  return std::max(0, std::min(source, in - 1));
}

/// Where output position i lies in the input, in real numbers.
double position(int i, int in, int out, bool align_corners, bool half_pixel_centers) {
  if (align_corners && out > 1) return static_cast<double>(i) * (in - 1) / (out - 1);
  const double scale = static_cast<double>(in) / out;
  return half_pixel_centers ? (i + 0.5) * scale - 0.5 : i * scale;
}

template <class T>
double bilinear_in_double(const resize_shape& s, const std::vector<T>& x, int b, int oh, int ow, int c) {
  const double h = std::clamp(position(oh, s.in_h, s.out_h, s.align_corners, s.half_pixel_centers), 0.0, s.in_h - 1.0);
  const double w = std::clamp(position(ow, s.in_w, s.out_w, s.align_corners, s.half_pixel_centers), 0.0, s.in_w - 1.0);
  const auto at = [&](int i, int j) {
    i = std::min(i, s.in_h - 1);
    j = std::min(j, s.in_w - 1);
    return static_cast<double>(x[static_cast<std::size_t>(((b * s.in_h + i) * s.in_w + j) * s.channels + c)]);
  };
  const int i = static_cast<int>(h), j = static_cast<int>(w);
  const double u = h - i, v = w - j;
  return (at(i, j) * (1 - v) + at(i, j + 1) * v) * (1 - u) + (at(i + 1, j) * (1 - v) + at(i + 1, j + 1) * v) * u;
}

/// TFLite's integer formula, with its four products of three factors.
template <class T>
int bilinear_tflite(const resize_shape& s, const std::vector<T>& x, int b, int oh, int ow, int c) {
  struct taps { std::int64_t at, low, high; };
  const auto find = [&](int i, int in, int out) {
    std::int64_t scale = (1024 * std::int64_t{in} + out / 2) / out;
    if (s.align_corners && out > 1) scale = (1024 * std::int64_t{in - 1} + (out - 1) / 2) / (out - 1);
    const std::int64_t at = i * scale + (s.half_pixel_centers ? scale / 2 - 512 : 0);
    return taps{at, std::max<std::int64_t>(at / 1024, 0), std::min<std::int64_t>((at + 1023) / 1024, in - 1)};
  };
  const taps h = find(oh, s.in_h, s.out_h), w = find(ow, s.in_w, s.out_w);
  const auto value = [&](std::int64_t i, std::int64_t j) {
    return std::int64_t{x[static_cast<std::size_t>(((b * s.in_h + i) * s.in_w + j) * s.channels + c)]};
  };
  const std::int64_t dh = h.at - 1024 * h.low, dw = w.at - 1024 * w.low;
  const std::int64_t sum = value(h.low, w.low) * (1024 - dh) * (1024 - dw) + value(h.high, w.low) * dh * (1024 - dw) +
                           value(h.low, w.high) * (1024 - dh) * dw + value(h.high, w.high) * dh * dw;
  return static_cast<int>((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

std::vector<resize_shape> shapes() {
  std::vector<resize_shape> all;
  random_codes::generator g{17};
  for (int mode = 0; mode < 3; ++mode) {
    const bool corners = mode == 1, centres = mode == 2;
    for (auto [in_h, in_w, out_h, out_w] : std::vector<std::array<int, 4>>{
             {1, 1, 1, 1}, {1, 1, 5, 3}, {2, 2, 4, 4}, {4, 4, 2, 2}, {3, 5, 3, 5}, {2, 3, 1, 1}, {5, 4, 7, 9}, {9, 8, 4, 3}, {1, 7, 3, 14}})
      all.push_back({2, in_h, in_w, 3, out_h, out_w, corners, centres});
    for (int i = 0; i < 40; ++i)
      all.push_back({1, g.in(1, 12), g.in(1, 12), g.in(1, 3), g.in(1, 30), g.in(1, 30), corners, centres});
    all.push_back({1, 2, 2, 1, 0, 3, corners, centres});
    all.push_back({0, 2, 2, 1, 3, 3, corners, centres});
  }
  return all;
}

template <class T>
void check_bilinear(const resize_shape& s, std::uint32_t seed, double tolerance) {
  const auto x = random_codes::fill<T>(static_cast<std::size_t>(s.batch * s.in_h * s.in_w * s.channels), seed);
  std::vector<T> y(static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.channels) + 1, T{7});
  lb::ref::resize_bilinear(s, x.data(), y.data());
  int wrong = 0, far_off = 0;
  std::size_t k = 0;
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow)
        for (int c = 0; c < s.channels; ++c, ++k) {
          if (y[k] != bilinear_tflite(s, x, b, oh, ow, c)) ++wrong;
          if (std::fabs(y[k] - bilinear_in_double(s, x, b, oh, ow, c)) > tolerance) ++far_off;
        }
  CAPTURE(text(s));
  CHECK(wrong == 0);
  CHECK(far_off == 0);
  CHECK(y[k] == T{7});
}

}  // namespace

TEST_CASE("nearest: source positions are those of TFLite's floats") {
  int wrong = 0;
  for (int in = 1; in <= 70; ++in)
    for (int out = 1; out <= 130; ++out)
      for (int mode = 0; mode < 4; ++mode)
        for (int i = 0; i < out; ++i)
          if (lb::ref::nearest_source(i, in, out, (mode & 1) != 0, (mode & 2) != 0) != nearest_in_float(i, in, out, (mode & 1) != 0, (mode & 2) != 0))
            ++wrong;
  random_codes::generator g{5};
  for (int round = 0; round < 20000; ++round) {
    const int in = g.in(1, 5000), out = g.in(1, 5000), i = g.in(0, out - 1), mode = g.in(0, 3);
    if (lb::ref::nearest_source(i, in, out, (mode & 1) != 0, (mode & 2) != 0) != nearest_in_float(i, in, out, (mode & 1) != 0, (mode & 2) != 0)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("nearest: floats differ from exact fractions somewhere, so the emulation matters") {
  int different = 0;
  for (int in = 1; in <= 200; ++in)
    for (int out = 1; out <= 200; ++out)
      for (int i = 0; i < out; ++i)
        if (lb::ref::nearest_source(i, in, out, false, false) != i * in / out) ++different;
  CHECK(different > 0);
}

TEST_CASE("nearest: whole images") {
  for (const resize_shape& s : shapes()) {
    const auto x = random_codes::fill<std::int16_t>(static_cast<std::size_t>(s.batch * s.in_h * s.in_w * s.channels), 9);
    std::vector<std::int16_t> y(static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.channels) + 1, 7);
    lb::ref::resize_nearest(s, x.data(), y.data());
    int wrong = 0;
    std::size_t k = 0;
    for (int b = 0; b < s.batch; ++b)
      for (int oh = 0; oh < s.out_h; ++oh)
        for (int ow = 0; ow < s.out_w; ++ow)
          for (int c = 0; c < s.channels; ++c, ++k) {
            const int ih = nearest_in_float(oh, s.in_h, s.out_h, s.align_corners, s.half_pixel_centers);
            const int iw = nearest_in_float(ow, s.in_w, s.out_w, s.align_corners, s.half_pixel_centers);
            if (y[k] != x[static_cast<std::size_t>(((b * s.in_h + ih) * s.in_w + iw) * s.channels + c)]) ++wrong;
          }
    CAPTURE(text(s));
    CHECK(wrong == 0);
    CHECK(y[k] == 7);
  }
}

TEST_CASE("bilinear: TFLite's integers, and close to the real interpolation") {
  std::uint32_t seed = 1;
  for (const resize_shape& s : shapes()) {
    // Positions are off by up to out / 2048 pixels from the rounded scale.
    const double slope = std::max(s.out_h, s.out_w) / 1024.0;
    check_bilinear<std::int8_t>(s, ++seed, 0.5 + 255 * slope);
    check_bilinear<std::uint8_t>(s, ++seed, 0.5 + 255 * slope);
    check_bilinear<std::int16_t>(s, ++seed, 0.5 + 65535 * slope);
  }
}

TEST_CASE("bilinear: smooth images are within one code of the real interpolation") {
  for (const resize_shape& s : shapes()) {
    std::vector<std::int8_t> x;
    for (int b = 0; b < s.batch; ++b)
      for (int h = 0; h < s.in_h; ++h)
        for (int w = 0; w < s.in_w; ++w)
          for (int c = 0; c < s.channels; ++c) x.push_back(static_cast<std::int8_t>(5 * h - 4 * w + 10 * c));
    std::vector<std::int8_t> y(static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.channels));
    lb::ref::resize_bilinear(s, x.data(), y.data());
    double most = 0;
    std::size_t k = 0;
    for (int b = 0; b < s.batch; ++b)
      for (int oh = 0; oh < s.out_h; ++oh)
        for (int ow = 0; ow < s.out_w; ++ow)
          for (int c = 0; c < s.channels; ++c, ++k) most = std::fmax(most, std::fabs(y[k] - bilinear_in_double(s, x, b, oh, ow, c)));
    CAPTURE(text(s));
    CHECK(most <= 1.0);
  }
}

TEST_CASE("bilinear: rows by hand") {
  struct { resize_shape s; std::vector<std::int8_t> x, y; } const table[] = {
      {{1, 1, 2, 1, 1, 4, false, false}, {0, 100}, {0, 50, 100, 100}},
      {{1, 1, 2, 1, 1, 4, true, false}, {0, 90}, {0, 30, 60, 90}},
      {{1, 1, 2, 1, 1, 4, false, true}, {0, 100}, {0, 25, 75, 100}},
      {{1, 1, 2, 1, 1, 4, false, true}, {-1, 1}, {-1, -1, 1, 1}},   // -0.5 and 0.5: away from zero
      {{1, 1, 4, 1, 1, 2, false, true}, {0, 10, 20, 31}, {5, 26}},  // 25.5
      {{1, 1, 3, 1, 1, 1, true, false}, {9, 8, 7}, {9}},
  };
  for (const auto& c : table) {
    std::vector<std::int8_t> y(c.y.size());
    lb::ref::resize_bilinear(c.s, c.x.data(), y.data());
    CAPTURE(text(c.s));
    CHECK(y == c.y);
  }
}

TEST_CASE("bilinear: large outputs stay inside the image") {
  const std::int8_t x[2] = {3, 5};
  std::vector<std::int8_t> y(3000);
  for (int out : {1365, 1366, 2047, 3000}) {  // rounded scales that lead past the end
    lb::ref::resize_bilinear({1, 1, 2, 1, 1, out, false, false}, x, y.data());
    for (int i = 0; i < out; ++i) REQUIRE((y[static_cast<std::size_t>(i)] >= 3 && y[static_cast<std::size_t>(i)] <= 5));
  }
}

static_assert([] {
  const lb::int8_t x[2] = {0, 100};
  lb::int8_t y[4]{}, z[4]{};
  lb::ref::resize_bilinear({1, 1, 2, 1, 1, 4, false, true}, x, y);
  lb::ref::resize_nearest({1, 1, 2, 1, 1, 4}, x, z);
  return y[1] == 25 && y[2] == 75 && z[1] == 0 && z[2] == 100;
}());

TEST_CASE("bilinear in float: neighbours by their distance, plus a half, truncated") {
  const std::uint8_t x[] = {0, 100, 200, 50};  // 2 x 2
  std::uint8_t y[16] = {};
  lb::ref::resize_bilinear_float({1, 2, 2, 1, 4, 4, false, false}, x, y);
  const std::uint8_t plain[] = {0, 50, 100, 100, 100, 88, 75, 75, 200, 125, 50, 50, 200, 125, 50, 50};
  for (int i = 0; i < 16; ++i) CHECK(int{y[i]} == int{plain[i]});
  lb::ref::resize_bilinear_float({1, 2, 2, 1, 4, 4, false, true}, x, y);
  const std::uint8_t centres[] = {0, 25, 75, 100, 50, 59, 78, 88, 150, 128, 84, 63, 200, 163, 88, 50};
  for (int i = 0; i < 16; ++i) CHECK(int{y[i]} == int{centres[i]});
  lb::ref::resize_bilinear_float({1, 2, 2, 1, 3, 3, true, false}, x, y);
  const std::uint8_t corners[] = {0, 50, 100, 100, 88, 75, 200, 125, 50};
  for (int i = 0; i < 9; ++i) CHECK(int{y[i]} == int{corners[i]});
}
