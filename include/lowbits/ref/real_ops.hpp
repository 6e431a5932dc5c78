// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operations on 32-bit floats. Shapes, windows and padding are those of the integer operations; padding
// counts as zero. Sums are taken in double, in the order of the integer definitions: a product of two
// floats is exact in double, so no result depends on contraction, and all are the same on every
// machine that computes in IEEE double.

#include <lowbits/core/shapes.hpp>
#include <lowbits/fixed/functions.hpp>
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/ref/conv2d.hpp>
#include <lowbits/ref/depthwise.hpp>
#include <lowbits/ref/matmul.hpp>
#include <lowbits/ref/pool.hpp>
#include <lowbits/ref/resize.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The reals that an activation lets through; the ends may be infinite. NaN stays.
struct real_range {
  float lowest = -__builtin_inff(), highest = __builtin_inff();

  constexpr bool operator==(const real_range&) const = default;
  static constexpr real_range of(activation fused) noexcept {
    switch (fused) {
      case activation::relu: return {0.0f, __builtin_inff()};
      case activation::relu6: return {0.0f, 6.0f};
      case activation::relu_n1_to_1: return {-1.0f, 1.0f};
      case activation::none: break;
    }
    return {};
  }
  constexpr float operator()(float x) const noexcept { return x < lowest ? lowest : x > highest ? highest : x; }
};

}  // namespace lowbits

namespace lowbits::inline LOWBITS_ABI::ref {

/// Floats as the definitions read them: as doubles.
struct widened {
  const float* p;
  constexpr double operator[](size_t i) const noexcept { return static_cast<double>(p[i]); }
};
/// A sum as the nearest float, held in a range.
struct narrowed {
  real_range range{};
  constexpr float operator()(double sum, size_t = 0) const noexcept { return range(static_cast<float>(sum)); }
};

constexpr void real_conv2d(const conv2d_shape& s, const float* x, const float* w, const float* bias,
                           const real_range& range, float* y) noexcept {
  conv2d<double>(s, widened{x}, 0, widened{w}, 0, bias, narrowed{range}, y);
}
constexpr void real_depthwise(const depthwise_shape& s, const float* x, const float* w, const float* bias,
                              const real_range& range, float* y) noexcept {
  depthwise<double>(s, widened{x}, 0, widened{w}, 0, bias, narrowed{range}, y);
}
constexpr void real_transposed_conv2d(const conv2d_shape& s, const float* x, const float* w, const float* bias,
                                      const real_range& range, float* y) noexcept {
  transposed_conv2d<double>(s, widened{x}, 0, widened{w}, 0, bias, narrowed{range}, y);
}
constexpr void real_matmul(const matmul_shape& s, const float* x, const float* w, const real_range& range,
                           float* y) noexcept {
  matmul<double>(s, widened{x}, 0, widened{w}, 0, narrowed{range}, y);
}

/// The largest element of each window, or the mean of those inside the input.
template <bool IsMax>
constexpr void real_pool(const pool2d_shape& s, const float* x, const real_range& range, float* y) noexcept {
  for_pool_outputs(s, [&](int b, int oh, int ow, int c) {
    double sum = 0;
    float best = 0;
    int count = 0;
    for_window(s, x, b, oh, ow, c, [&](float v) {
      best = count == 0 || v > best ? v : best;
      sum += static_cast<double>(v);
      ++count;
    });
    *y++ = IsMax ? range(best) : count == 0 ? range(0.0f) : narrowed{range}(sum / count);
  });
}

/// x [batch][positions][channels], y [batch][channels].
constexpr void real_mean(int batch, int positions, int channels, const float* x, const real_range& range,
                         float* y) noexcept {
  for (int b = 0; b < batch; ++b, x += ptrdiff_t{positions} * channels)
    for (int c = 0; c < channels; ++c) {
      double sum = 0;
      for (int p = 0; p < positions; ++p) sum += static_cast<double>(x[ptrdiff_t{p} * channels + c]);
      *y++ = narrowed{range}(sum / positions);
    }
}

/// Each row of `depth` numbers: exp(beta * (x - largest)) divided by the row's sum of these.
constexpr void real_softmax(int rows, int depth, float beta, const float* x, float* y) noexcept {
  for (int r = 0; r < rows; ++r, x += depth, y += depth) {
    float top = x[0];
    for (int i = 1; i < depth; ++i) top = x[i] > top ? x[i] : top;
    const auto power = [&](int i) {
      return curve::exp(fp::product(static_cast<double>(x[i]) - static_cast<double>(top), static_cast<double>(beta)));
    };
    double sum = 0;
    for (int i = 0; i < depth; ++i) sum += power(i);
    for (int i = 0; i < depth; ++i) y[i] = static_cast<float>(power(i) / sum);
  }
}

/// One axis of real_resize_bilinear: the source position of i as TFLite and ONNX define it, and its
/// neighbours held inside the image.
struct real_taps {
  int first = 0, second = 0;
  double weight = 0;  ///< of the second
};
constexpr real_taps real_source(int i, int in, int out, bool align_corners, bool half_pixel_centers) noexcept {
  const bool aligned = align_corners && out > 1;
  const double scale = static_cast<double>(aligned ? in - 1 : in) / (aligned ? out - 1 : out);
  const double at = half_pixel_centers ? (i + 0.5) * scale - 0.5 : i * scale;
  if (at <= 0) return {};
  const int first = smaller(static_cast<int>(at), in - 1);
  return {first, smaller(first + 1, in - 1), at - first};
}

/// y is the mean of the four neighbours, weighted by how near they are.
constexpr void real_resize_bilinear(const resize_shape& s, const float* x, float* y) noexcept {
  for (int b = 0; b < s.batch; ++b)
    for (int oh = 0; oh < s.out_h; ++oh)
      for (int ow = 0; ow < s.out_w; ++ow) {
        const real_taps v = real_source(oh, s.in_h, s.out_h, s.align_corners, s.half_pixel_centers);
        const real_taps h = real_source(ow, s.in_w, s.out_w, s.align_corners, s.half_pixel_centers);
        for (int c = 0; c < s.channels; ++c) {
          const auto at = [&](int row, int column) {
            return static_cast<double>(x[((ptrdiff_t{b} * s.in_h + row) * s.in_w + column) * s.channels + c]);
          };
          const auto between = [](double p, double q, double weight) {
            return fp::sum(p, fp::product(fp::sum(q, -p), weight));
          };
          *y++ = static_cast<float>(between(between(at(v.first, h.first), at(v.first, h.second), h.weight),
                                            between(at(v.second, h.first), at(v.second, h.second), h.weight), v.weight));
        }
      }
}

}  // namespace lowbits::ref
