// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Images of 16-bit codes that are held as two images of bytes (quant/compensation.hpp), read between
// their pixels: each part is interpolated on its own, the sums are joined before they are rounded. That
// gives the codes that the 16-bit image gives.
//
//   code = 256 * main + residual + centre      centre: 0 for a centred split, 128 for an exact one

#include <lowbits/quant/compensation.hpp>
#include <lowbits/ref/grid_sample.hpp>
#include <lowbits/ref/resize.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct byte_images {
  const int8_t* main = nullptr;
  const int8_t* residual = nullptr;
  int centre = 0;
};

namespace ref {

/// y[b][oh][ow] has the code of the pixel that resize_nearest takes.
constexpr void resize_nearest(const resize_shape& s, const byte_images& x, int16_t* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh) {
      const int ih = nearest_source(oh, s.in_h, s.out_h, s.align_corners, s.half_pixel_centers);
      for (int ow = 0; ow < s.out_w; ++ow) {
        const int iw = nearest_source(ow, s.in_w, s.out_w, s.align_corners, s.half_pixel_centers);
        const ptrdiff_t from = ((ptrdiff_t{b} * s.in_h + ih) * s.in_w + iw) * s.channels;
        for (int c = 0; c < s.channels; ++c)
          *y++ = static_cast<int16_t>(x.main[from + c] * residual_steps + x.residual[from + c] + x.centre);
      }
    }
}

/// As resize_bilinear: the sums of each part fit in 32 bits.
constexpr void resize_bilinear(const resize_shape& s, const byte_images& x, int16_t* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh) {
      const linear_taps v = linear_source(oh, s.in_h, s.out_h, s.align_corners, s.half_pixel_centers);
      const ptrdiff_t upper = (ptrdiff_t{b} * s.in_h + v.first) * s.in_w * s.channels;
      const ptrdiff_t lower = (ptrdiff_t{b} * s.in_h + v.second) * s.in_w * s.channels;
      for (int ow = 0; ow < s.out_w; ++ow) {
        const linear_taps h = linear_source(ow, s.in_w, s.out_w, s.align_corners, s.half_pixel_centers);
        const ptrdiff_t left = ptrdiff_t{h.first} * s.channels, right = ptrdiff_t{h.second} * s.channels;
        const auto sum = [&](const int8_t* part, ptrdiff_t c) {
          const int32_t above = part[upper + left + c] * h.first_weight + part[upper + right + c] * h.second_weight;
          const int32_t below = part[lower + left + c] * h.first_weight + part[lower + right + c] * h.second_weight;
          return above * v.first_weight + below * v.second_weight;
        };
        for (int c = 0; c < s.channels; ++c) {
          const int64_t joined = int64_t{sum(x.main, c)} * residual_steps + sum(x.residual, c) + int64_t{x.centre} * (1 << 20);
          *y++ = static_cast<int16_t>(divide_half_away<int64_t>(joined, 20));
        }
      }
    }
}

/// As grid_sample_bilinear. What lies outside the image is p.x_zero, a code of 16 bits, in both parts.
template <class Grid>
constexpr void grid_sample_bilinear(const grid_sample_shape& s, const grid_sample_params& p, const byte_images& x,
                                    const Grid* grid, int16_t* y) noexcept {
  const int64_t one = int64_t{1} << p.fraction;
  const byte_parts zero = x.centre == 0 ? split_centred(p.x_zero) : split_exact(p.x_zero);
  for (int b = 0; b < s.batch; ++b)
    for (ptrdiff_t i = 0; i < ptrdiff_t{s.out_h} * s.out_w; ++i, grid += 2) {
      const int64_t h = grid_position(grid[1], p, p.along_h, s.in_h), w = grid_position(grid[0], p, p.along_w, s.in_w);
      const int64_t h0 = h >> p.fraction, w0 = w >> p.fraction;
      const int64_t down = h - h0 * one, right = w - w0 * one, up = one - down, left = one - right;
      const auto sum = [&](const int8_t* part, int outside, int c) {
        const grid_image<int8_t> image{s, part, b, outside};
        const int64_t above = image(h0, w0, c) * left + image(h0, w0 + 1, c) * right;
        const int64_t below = image(h0 + 1, w0, c) * left + image(h0 + 1, w0 + 1, c) * right;
        return above * up + below * down;
      };
      for (int c = 0; c < s.channels; ++c) {
        const int64_t joined = sum(x.main, zero.main, c) * residual_steps + sum(x.residual, zero.residual, c) + x.centre * one * one;
        *y++ = static_cast<int16_t>(divide_half_away<int64_t>(joined, 2 * p.fraction));
      }
    }
}

}  // namespace ref

}  // namespace lowbits
