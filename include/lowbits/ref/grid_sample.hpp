// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// An image read at positions that another tensor gives (ONNX GridSample, torch grid_sample). Input
// and output have the same scale and zero point. Integers only; this is the definition.
//
// A grid code g stands for the real r = (g - grid_zero) * grid_scale, where -1 and 1 are the
// image's ends along that axis: the centres of its outermost pixels with align_corners, else its
// edges. The position in pixels of an axis of extent n is
//
//   r * (n - 1) / 2 + (n - 1) / 2   with align_corners
//   r *  n      / 2 + (n - 1) / 2   without
//
// and is held with `fraction` bits, 10 for images of up to 8 bits per code, 15 for wider ones:
//
//   round_single((g - grid_zero) * factor) + (n - 1) * 2^(fraction - 1)
//   factor = grid_scale * (n - 1 or n) * 2^(fraction - 1)

#include <lowbits/fixed/eltwise.hpp>
#include <lowbits/ref/resize.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// x [batch][in_h][in_w][channels], grid [batch][out_h][out_w][2] (first the position along the
/// width), y [batch][out_h][out_w][channels]. Input extents of 1 to 32768.
struct grid_sample_shape {
  int batch = 1, in_h = 1, in_w = 1, channels = 1;
  int out_h = 1, out_w = 1;

  constexpr bool operator==(const grid_sample_shape&) const = default;
};

struct grid_sample_params {
  int x_zero = 0;  ///< what lies outside the image, unless border is set
  int grid_zero = 0;
  fixed_multiplier along_h{}, along_w{};
  int fraction = 10;
  bool border = false;  ///< positions outside are moved to the nearest pixel

  constexpr bool operator==(const grid_sample_params&) const = default;
};

/// xf and xp describe the image, gp the grid (codes of up to 16 bits).
constexpr grid_sample_params make_grid_sample(const grid_sample_shape& s, qformat xf, affine xp,
                                              affine gp, bool align_corners, bool border) noexcept {
  const int fraction = xf.bits <= 8 ? 10 : 15;
  const auto factor = [&](int extent) {
    const real pixels = real::from(static_cast<uint32_t>(align_corners ? extent - 1 : extent));
    return fixed_multiplier::from(real::from(gp.scale) * pixels * real::power_of_two(fraction - 1));
  };
  return {xp.zero_point, gp.zero_point, factor(s.in_h), factor(s.in_w), fraction, border};
}

namespace ref {

/// The position along an axis of extent n, in 2^-fraction pixels.
constexpr int64_t grid_position(int g, const grid_sample_params& p, const fixed_multiplier& factor,
                                int n) noexcept {
  const int64_t offset = round_single::apply(int32_t{g - p.grid_zero}, factor);
  const int64_t centre = int64_t{n - 1} << (p.fraction - 1);
  return p.border ? clamp<int64_t>(offset + centre, 0, 2 * centre) : offset + centre;
}

/// Image b of x, read at (h, w): the zero point outside.
template <class T>
struct grid_image {
  const grid_sample_shape& s;
  const T* x;
  int b;
  int x_zero;

  constexpr int operator()(int64_t h, int64_t w, int c) const noexcept {
    if (h < 0 || h >= s.in_h || w < 0 || w >= s.in_w) return x_zero;
    const int64_t row = int64_t{b} * s.in_h + h;
    return x[static_cast<ptrdiff_t>((row * s.in_w + w) * s.channels + c)];
  }
};

/// Calls f(image, position along h, position along w) for each output position in order.
template <class T, class Grid, class Function>
constexpr void for_grid(const grid_sample_shape& s, const grid_sample_params& p, const T* x,
                        const Grid* grid, Function&& f) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (ptrdiff_t i = 0; i < ptrdiff_t{s.out_h} * s.out_w; ++i, grid += 2)
      f(grid_image<T>{s, x, b, p.x_zero}, grid_position(grid[1], p, p.along_h, s.in_h),
        grid_position(grid[0], p, p.along_w, s.in_w));
}

/// The nearest pixel, ties to the even index.
template <class T, class Grid>
constexpr void grid_sample_nearest(const grid_sample_shape& s, const grid_sample_params& p,
                                   const T* x, const Grid* grid, T* y) noexcept {
  const auto nearest = [&](int64_t at) {
    const int64_t below_half = (int64_t{1} << (p.fraction - 1)) - 1;
    return (at + below_half + ((at >> p.fraction) & 1)) >> p.fraction;
  };
  for_grid(s, p, x, grid, [&](const grid_image<T>& image, int64_t h, int64_t w) {
    for (int c = 0; c < s.channels; ++c) *y++ = static_cast<T>(image(nearest(h), nearest(w), c));
  });
}

/// The four pixels around the position, weighted with its fractions; the sum of codes (zero point
/// included) is divided by 2^(2 fraction), ties away from zero.
template <class T, class Grid>
constexpr void grid_sample_bilinear(const grid_sample_shape& s, const grid_sample_params& p,
                                    const T* x, const Grid* grid, T* y) noexcept {
  using acc = std::conditional_t<sizeof(T) == 1, int32_t, int64_t>;
  const int64_t one = int64_t{1} << p.fraction;
  for_grid(s, p, x, grid, [&](const grid_image<T>& image, int64_t h, int64_t w) {
    const int64_t h0 = h >> p.fraction, w0 = w >> p.fraction;
    const acc down = static_cast<acc>(h - h0 * one), right = static_cast<acc>(w - w0 * one);
    const acc up = static_cast<acc>(one) - down, left = static_cast<acc>(one) - right;
    for (int c = 0; c < s.channels; ++c) {
      const acc above = image(h0, w0, c) * left + image(h0, w0 + 1, c) * right;
      const acc below = image(h0 + 1, w0, c) * left + image(h0 + 1, w0 + 1, c) * right;
      *y++ = static_cast<T>(divide_half_away<acc>(above * up + below * down, 2 * p.fraction));
    }
  });
}

}  // namespace ref

}  // namespace lowbits
