// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <lowbits/ref/grid_sample.hpp>

#include "support/random_codes.hpp"

namespace lb = lowbits;
using lb::grid_sample_shape;

namespace {

constexpr lb::qformat q8{8, true, false}, u8{8, false, false}, q16{16, true, false};

struct options {
  bool align_corners, border, nearest;
};
const options all_options[] = {{false, false, false}, {false, false, true}, {false, true, false}, {false, true, true},
                               {true, false, false},  {true, false, true},  {true, true, false},  {true, true, true}};

std::string text(const grid_sample_shape& s, const options& o) {
  std::string t;
  for (int v : {s.batch, s.in_h, s.in_w, s.channels, s.out_h, s.out_w}) t += std::to_string(v) + " ";
  return t + (o.align_corners ? "corners " : "edges ") + (o.border ? "border " : "zeros ") + (o.nearest ? "nearest" : "bilinear");
}

/// One image channel, read in real coordinates.
template <class T>
struct real_image {
  const grid_sample_shape& s;
  const std::vector<T>& x;
  double zero;
  int b, c;

  double pixel(double h, double w) const {
    if (h < 0 || w < 0 || h > s.in_h - 1 || w > s.in_w - 1) return zero;
    const int i = static_cast<int>(h), j = static_cast<int>(w);
    return static_cast<double>(x[static_cast<std::size_t>(((b * s.in_h + i) * s.in_w + j) * s.channels + c)]);
  }
  double bilinear(double h, double w) const {
    const double i = std::floor(h), j = std::floor(w), u = h - i, v = w - j;
    return (pixel(i, j) * (1 - v) + pixel(i, j + 1) * v) * (1 - u) + (pixel(i + 1, j) * (1 - v) + pixel(i + 1, j + 1) * v) * u;
  }
};

/// The position as ONNX and torch define it: denormalised, then held for border.
double real_position(double g, int n, const options& o) {
  const double at = o.align_corners ? (g + 1) / 2 * (n - 1) : ((g + 1) * n - 1) / 2;
  return o.border ? std::clamp(at, 0.0, n - 1.0) : at;
}
/// The same in 2^-fraction pixels from the parameters, exact in double.
double fixed_position(int g, const lb::grid_sample_params& p, const lb::fixed_multiplier& m, int n) {
  const double offset = std::floor(std::ldexp(static_cast<double>(g - p.grid_zero) * m.mantissa, m.exponent - 31) + 0.5);
  const double at = offset + std::ldexp(n - 1.0, p.fraction - 1);
  return p.border ? std::clamp(at, 0.0, std::ldexp(n - 1.0, p.fraction)) : at;
}

struct mistakes {
  int differ = 0;        ///< not the definition's code
  int far_off = 0;       ///< not near the real-valued operation
};

template <class T, class Grid>
mistakes compare(const grid_sample_shape& s, const options& o, const lb::qformat& xf, lb::affine xp, lb::affine gp, std::uint32_t seed) {
  const auto x = random_codes::fill<T>(static_cast<std::size_t>(s.batch * s.in_h * s.in_w * s.channels), seed);
  const auto grid = random_codes::fill<Grid>(static_cast<std::size_t>(s.batch * s.out_h * s.out_w * 2), seed + 1);
  const auto p = lb::make_grid_sample(s, xf, xp, gp, o.align_corners, o.border);
  std::vector<T> y(static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.channels) + 1, T{7});
  if (o.nearest) lb::ref::grid_sample_nearest(s, p, x.data(), grid.data(), y.data());
  else lb::ref::grid_sample_bilinear(s, p, x.data(), grid.data(), y.data());
  mistakes m;
  std::size_t k = 0;
  for (int b = 0; b < s.batch; ++b)
    for (int i = 0; i < s.out_h * s.out_w; ++i) {
      const std::size_t g = static_cast<std::size_t>(b * s.out_h * s.out_w + i) * 2;
      const double h = real_position((grid[g + 1] - gp.zero_point) * double{gp.scale}, s.in_h, o);
      const double w = real_position((grid[g] - gp.zero_point) * double{gp.scale}, s.in_w, o);
      const double fh = std::ldexp(fixed_position(grid[g + 1], p, p.along_h, s.in_h), -p.fraction);
      const double fw = std::ldexp(fixed_position(grid[g], p, p.along_w, s.in_w), -p.fraction);
      const double unit = std::ldexp(1.0, -p.fraction);
      if (std::fabs(h - fh) > unit || std::fabs(w - fw) > unit) ++m.far_off;
      for (int c = 0; c < s.channels; ++c, ++k) {
        const real_image<T> image{s, x, static_cast<double>(xp.zero_point), b, c};
        if (o.nearest) {
          if (y[k] != image.pixel(std::nearbyint(fh), std::nearbyint(fw))) ++m.differ;
          const auto near_tie = [&](double at) { return std::fabs(at - std::floor(at) - 0.5) <= unit; };
          if (!near_tie(h) && !near_tie(w) && y[k] != image.pixel(std::nearbyint(h), std::nearbyint(w))) ++m.far_off;
        } else {
          if (y[k] != std::round(image.bilinear(fh, fw))) ++m.differ;
          const double range = xf.highest() - xf.lowest();
          if (std::fabs(y[k] - image.bilinear(h, w)) > 0.5 + 2 * range * unit) ++m.far_off;
        }
      }
    }
  if (y[k] != T{7}) ++m.differ;
  return m;
}

}  // namespace

TEST_CASE("grid_sample equals its definition and is close to the real operation") {
  std::vector<grid_sample_shape> shapes = {{1, 1, 1, 1, 4, 4}, {2, 5, 7, 3, 6, 5}, {1, 1, 9, 2, 3, 3}, {1, 12, 1, 1, 8, 8}, {1, 4, 4, 1, 0, 3}, {0, 4, 4, 1, 2, 2}};
  random_codes::generator g{23};
  for (int i = 0; i < 12; ++i) shapes.push_back({g.in(1, 2), g.in(1, 40), g.in(1, 40), g.in(1, 3), g.in(1, 9), g.in(1, 9)});
  std::uint32_t seed = 1;
  for (const grid_sample_shape& s : shapes)
    for (const options& o : all_options) {
      CAPTURE(text(s, o));
      const auto none = [](mistakes m) {
        CHECK(m.differ == 0);
        CHECK(m.far_off == 0);
      };
      none(compare<std::int8_t, std::int8_t>(s, o, q8, {0.1f, -5}, {1 / 128.f, 0}, ++seed));
      none(compare<std::int8_t, std::int8_t>(s, o, q8, {0.1f, 17}, {0.0131f, -20}, ++seed));     // leaves [-1, 1]
      none(compare<std::uint8_t, std::uint8_t>(s, o, u8, {0.1f, 128}, {1 / 100.f, 128}, ++seed));
      none(compare<std::int8_t, std::int16_t>(s, o, q8, {0.1f, 0}, {1 / 32768.f, 0}, ++seed));
      none(compare<std::int16_t, std::int16_t>(s, o, q16, {0.1f, 0}, {1 / 30000.f, 111}, ++seed));
      none(compare<std::int16_t, std::int8_t>(s, o, q16, {0.1f, -300}, {1 / 128.f, 0}, ++seed));
    }
}

TEST_CASE("grid_sample by hand") {
  const std::int8_t x[6] = {0, 10, 20, 30, 40, 51};  // two rows of three
  const grid_sample_shape s{1, 2, 3, 1, 1, 1};
  struct { int gx, gy; options o; int expected; } const table[] = {
      {0, 0, {true, false, false}, 25},          // the middle: (10 + 40) / 2
      {-64, -64, {true, false, false}, 0},       // the corners
      {64, -64, {true, false, false}, 20},
      {64, 64, {true, false, false}, 51},
      {32, 64, {true, false, false}, 46},        // (40 + 51) / 2 = 45.5
      {32, 64, {true, false, true}, 51},         // 1.5 goes to 2
      {-32, 64, {true, false, true}, 30},        // 0.5 goes to 0
      {-64, -64, {false, false, false}, 3},      // edges: 3/4 outside, zero point 4: (3 * 4 + 0) / 4
      {-64, -64, {false, true, false}, 0},
      {64, 64, {false, true, false}, 51},
      {127, 0, {true, false, false}, 4},         // w = 2.98: nearly all from outside, 4.49
      {127, 127, {true, true, true}, 51},
      {127, 127, {true, false, true}, 4},
  };
  for (const auto& c : table) {
    const std::int8_t grid[2] = {static_cast<std::int8_t>(c.gx), static_cast<std::int8_t>(c.gy)};
    const auto p = lb::make_grid_sample(s, q8, {1.0f, 4}, {1 / 64.f, 0}, c.o.align_corners, c.o.border);
    std::int8_t y[1];
    if (c.o.nearest) lb::ref::grid_sample_nearest(s, p, x, grid, y);
    else lb::ref::grid_sample_bilinear(s, p, x, grid, y);
    CAPTURE(c.gx);
    CAPTURE(c.gy);
    CAPTURE(text(s, c.o));
    CHECK(y[0] == c.expected);
  }
}

TEST_CASE("positions have 10 bits for narrow codes and 15 for wide ones") {
  const grid_sample_shape s{1, 64, 3, 1, 1, 1};
  const auto narrow = lb::make_grid_sample(s, q8, {1.0f, 4}, {1 / 64.f, 9}, true, false);
  CHECK(narrow == lb::grid_sample_params{4, 9, lb::fixed_multiplier::from(63 * 512 / 64.0), lb::fixed_multiplier::from(2 * 512 / 64.0), 10, false});
  const auto wide = lb::make_grid_sample(s, q16, {1.0f, 4}, {1 / 64.f, 9}, false, true);
  CHECK(wide == lb::grid_sample_params{4, 9, lb::fixed_multiplier::from(16384.0), lb::fixed_multiplier::from(3 * 16384 / 64.0), 15, true});
}

TEST_CASE("grid_sample far outside") {
  const std::int16_t x[1] = {9};
  const grid_sample_shape s{1, 1, 1, 1, 1, 1};
  const std::int16_t grid[2] = {32767, -32768};
  std::int16_t y[1];
  for (float scale : {1.0f, 1e10f, 1e30f}) {
    lb::ref::grid_sample_bilinear(s, lb::make_grid_sample(s, q16, {1.0f, -3}, {scale, 0}, false, false), x, grid, y);
    CHECK(y[0] == -3);
    lb::ref::grid_sample_bilinear(s, lb::make_grid_sample(s, q16, {1.0f, -3}, {scale, 0}, false, true), x, grid, y);
    CHECK(y[0] == 9);
  }
}

static_assert([] {
  const lb::int8_t x[4] = {0, 10, 20, 30}, grid[2] = {0, 0};
  lb::int8_t y[2]{};
  const grid_sample_shape s{1, 2, 2, 1, 1, 1};
  const auto p = lb::make_grid_sample(s, q8, {1.0f, 0}, {1 / 128.f, 0}, true, false);
  lb::ref::grid_sample_bilinear(s, p, x, grid, y);
  lb::ref::grid_sample_nearest(s, p, x, grid, y + 1);
  return y[0] == 15 && y[1] == 0;
}());
