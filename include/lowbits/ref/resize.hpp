// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Images made larger or smaller. Input and output have the same scale and zero point; integers
// only.
//
//   resize_nearest    the source position is that of TFLite's float32 formula, found without
//                     floating point, bit for bit (reference/resize_nearest_neighbor.h)
//   resize_bilinear   positions and weights in 1/1024ths of a pixel (ResizeBilinearInteger of
//                     TFLite's reference/resize_bilinear.h)
//   resize_bilinear_float   the same in float, which TFLite does for uint8 (ResizeBilinear there)

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/real.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// x [batch][in_h][in_w][channels], y [batch][out_h][out_w][channels], input extents of 1 or more.
/// At most one of the two flags is set: align_corners maps the centres of the corner pixels onto
/// each other, half_pixel_centers the corners of the images.
struct resize_shape {
  int batch = 1, in_h = 1, in_w = 1, channels = 1;
  int out_h = 1, out_w = 1;
  bool align_corners = false;
  bool half_pixel_centers = false;

  constexpr bool operator==(const resize_shape&) const = default;
};

}  // namespace lowbits

namespace lowbits::inline LOWBITS_ABI::ref {

/// One axis of resize_nearest: the source of output position i, in [0, in).
///   scale = float(in) / float(out), or (in - 1) / (out - 1) for align_corners with out > 1
///   nearest(i * scale) for align_corners (ties up), else floor((i + 0 or 1/2) * scale)
/// where the product is rounded to float. Extents below 2^23.
constexpr int nearest_source(int i, int in, int out, bool align_corners,
                             bool half_pixel_centers) noexcept {
  const bool aligned = align_corners && out > 1;
  const real scale = (real::from(static_cast<uint32_t>(aligned ? in - 1 : in)) /
                      real::from(static_cast<uint32_t>(aligned ? out - 1 : out)))
                         .rounded_to_float();
  const auto doubled = static_cast<uint32_t>(2 * i + (half_pixel_centers ? 1 : 0));
  const real twice = (real::from(doubled) * scale).rounded_to_float();  // two times the position
  const int drop = -twice.exponent;
  if (twice.mantissa == 0 || drop > 54) return 0;
  const auto whole = static_cast<int64_t>(twice.mantissa >> drop);  // floor(2 * position)
  const int64_t at = align_corners ? (whole + 1) >> 1 : whole >> 1;
  return static_cast<int>(smaller<int64_t>(at, in - 1));
}

/// y[b][oh][ow] = x[b][source of oh][source of ow], all channels.
template <class T>
constexpr void resize_nearest(const resize_shape& s, const T* x, T* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh) {
      const int ih = nearest_source(oh, s.in_h, s.out_h, s.align_corners, s.half_pixel_centers);
      for (int ow = 0; ow < s.out_w; ++ow) {
        const int iw = nearest_source(ow, s.in_w, s.out_w, s.align_corners, s.half_pixel_centers);
        const T* from = x + ((ptrdiff_t{b} * s.in_h + ih) * s.in_w + iw) * s.channels;
        for (int c = 0; c < s.channels; ++c) *y++ = from[c];
      }
    }
}

/// Two neighbouring source positions and the weights of each, which add up to 1 << fraction.
struct linear_taps {
  int first = 0, second = 0;
  int32_t first_weight = 0, second_weight = 0;
};

/// One axis of resize_bilinear. With scale = nearest(1024 in / out), or 1024 (in - 1) / (out - 1)
/// for align_corners with out > 1, the position of i is i * scale, plus scale / 2 - 512 for
/// half_pixel_centers; its neighbours are held inside the image. (A scale that was rounded up can
/// lead past the end when out is large; TFLite reads outside then, this does not.)
constexpr linear_taps linear_source(int i, int in, int out, bool align_corners,
                                    bool half_pixel_centers) noexcept {
  const bool aligned = align_corners && out > 1;
  const int64_t from = aligned ? in - 1 : in, to = aligned ? out - 1 : out;
  const int64_t scale = (1024 * from + to / 2) / to;
  const int64_t at = i * scale + (half_pixel_centers ? scale / 2 - 512 : 0);
  const int64_t first = clamp<int64_t>(at / 1024, 0, in - 1);
  const int64_t second = clamp<int64_t>((at + 1023) / 1024, 0, in - 1);
  if (first == second) return {static_cast<int>(first), static_cast<int>(second), 1024, 0};
  const auto weight = static_cast<int32_t>(at - 1024 * first);
  return {static_cast<int>(first), static_cast<int>(second), 1024 - weight, weight};
}

/// sum / 2^shift, ties away from zero.
template <class Acc>
constexpr Acc divide_half_away(Acc sum, int shift) noexcept {
  const Acc half = Acc{1} << (shift - 1);
  return static_cast<Acc>((sum > 0 ? sum + half : sum - half) / (Acc{1} << shift));
}

/// y is the sum of the four neighbours' codes (zero point included) times their weights, divided by
/// 2^20, ties away from zero.
template <class T>
constexpr void resize_bilinear(const resize_shape& s, const T* x, T* y) noexcept {
  using acc = std::conditional_t<sizeof(T) == 1, int32_t, int64_t>;
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh) {
      const linear_taps v =
          linear_source(oh, s.in_h, s.out_h, s.align_corners, s.half_pixel_centers);
      const T* upper = x + (ptrdiff_t{b} * s.in_h + v.first) * s.in_w * s.channels;
      const T* lower = x + (ptrdiff_t{b} * s.in_h + v.second) * s.in_w * s.channels;
      for (int ow = 0; ow < s.out_w; ++ow) {
        const linear_taps h =
            linear_source(ow, s.in_w, s.out_w, s.align_corners, s.half_pixel_centers);
        const ptrdiff_t left = ptrdiff_t{h.first} * s.channels,
                        right = ptrdiff_t{h.second} * s.channels;
        for (int c = 0; c < s.channels; ++c) {
          const acc above =
              acc{upper[left + c]} * h.first_weight + acc{upper[right + c]} * h.second_weight;
          const acc below =
              acc{lower[left + c]} * h.first_weight + acc{lower[right + c]} * h.second_weight;
          *y++ = static_cast<T>(
              divide_half_away<acc>(above * v.first_weight + below * v.second_weight, 20));
        }
      }
    }
}

/// One axis of resize_bilinear_float: with scale = in / out, or (in - 1) / (out - 1) for align_corners
/// with out > 1, the position of i is i * scale, or (i + 1/2) * scale - 1/2 for half_pixel_centers.
struct float_taps {
  int first = 0, second = 0;
  float first_weight = 1, second_weight = 0;
};
constexpr float_taps float_source(int i, int in, int out, bool align_corners,
                                  bool half_pixel_centers) noexcept {
  const bool aligned = align_corners && out > 1;
  const float scale = fp::quotient(static_cast<float>(aligned ? in - 1 : in),
                                   static_cast<float>(aligned ? out - 1 : out));
  const auto index = static_cast<float>(i);
  const float at = half_pixel_centers
      ? fp::difference(fp::product(fp::sum(index, 0.5f), scale), 0.5f)
      : fp::product(index, scale);
  const int whole = static_cast<int>(at), below = static_cast<float>(whole) > at ? whole - 1 : whole;
  const int above = static_cast<float>(below) < at ? below + 1 : below;
  const int first = larger(below, 0);
  const float behind = fp::difference(at, static_cast<float>(first));
  return {first, smaller(above, in - 1), fp::difference(1.0f, behind), behind};
}

/// y is the sum of the four neighbours' codes times both weights, plus 1/2, truncated.
template <class T>
constexpr void resize_bilinear_float(const resize_shape& s, const T* x, T* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow) {
        const float_taps v = float_source(oh, s.in_h, s.out_h, s.align_corners, s.half_pixel_centers),
                         h = float_source(ow, s.in_w, s.out_w, s.align_corners, s.half_pixel_centers);
        const T* upper = x + (ptrdiff_t{b} * s.in_h + v.first) * s.in_w * s.channels;
        const T* lower = x + (ptrdiff_t{b} * s.in_h + v.second) * s.in_w * s.channels;
        const ptrdiff_t left = ptrdiff_t{h.first} * s.channels, right = ptrdiff_t{h.second} * s.channels;
        const auto part = [](T code, float vertical, float horizontal) {
          return fp::product(fp::product(static_cast<float>(code), vertical), horizontal);
        };
        for (int c = 0; c < s.channels; ++c) {
          const float sum = fp::sum(
              fp::sum(fp::sum(part(upper[left + c], v.first_weight, h.first_weight),
                              part(lower[left + c], v.second_weight, h.first_weight)),
                      part(upper[right + c], v.first_weight, h.second_weight)),
              part(lower[right + c], v.second_weight, h.second_weight));
          if constexpr (std::is_same_v<T, float>) *y++ = sum;
          else *y++ = static_cast<T>(static_cast<int>(fp::sum(sum, 0.5f)));
        }
      }
}

}  // namespace lowbits::ref
