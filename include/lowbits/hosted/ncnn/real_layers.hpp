// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers that work on floats, as nodes of their own: sums in double or 64-bit integers, then ncnn's
// float operations one by one (ncnn, src/layer/fused_activation.h and the layers' .cpp files).

#include <cmath>

#include <lowbits/fixed/functions.hpp>
#include <lowbits/op/node.hpp>
#include <lowbits/ref/conv2d.hpp>
#include <lowbits/ref/eltwise.hpp>
#include <lowbits/ref/pool.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// A function of one float; the first seven are those that layers can have inside.
enum class curve_kind : uint8_t {
  none, relu, leaky, clip, sigmoid, mish, hard_swish,
  tanh, swish, hard_sigmoid, elu, add, rsub, mul, div, rdiv, power, rpower
};

struct real_curve {
  curve_kind kind = curve_kind::none;
  float a = 0, b = 0;

  float operator()(float v) const noexcept {
    switch (kind) {
      case curve_kind::none: return v;
      case curve_kind::relu: return v > 0 ? v : 0;
      case curve_kind::leaky: return v > 0 ? v : fp::product(v, a);
      case curve_kind::clip: return v < a ? a : v > b ? b : v;
      case curve_kind::sigmoid: return static_cast<float>(curve::logistic(static_cast<double>(v)));
      case curve_kind::mish:
        return static_cast<float>(static_cast<double>(v) * curve::tanh(std::log1p(curve::exp(static_cast<double>(v)))));
      case curve_kind::hard_swish:
      case curve_kind::hard_sigmoid: {
        const float lower = fp::quotient(-b, a), upper = fp::sum(fp::quotient(1.0f, a), lower);
        const bool times_v = kind == curve_kind::hard_swish;
        if (v < lower) return 0;
        if (v > upper) return times_v ? v : 1.0f;
        const float inside = fp::sum(fp::product(v, a), b);
        return times_v ? fp::product(v, inside) : inside;
      }
      case curve_kind::tanh: return static_cast<float>(curve::tanh(static_cast<double>(v)));
      case curve_kind::swish:
        return static_cast<float>(static_cast<double>(v) * curve::logistic(static_cast<double>(v)));
      case curve_kind::elu: return static_cast<float>(curve::elu(static_cast<double>(v), static_cast<double>(a)));
      case curve_kind::add: return fp::sum(v, a);
      case curve_kind::rsub: return fp::difference(a, v);
      case curve_kind::mul: return fp::product(v, a);
      case curve_kind::div: return fp::quotient(v, a);
      case curve_kind::rdiv: return fp::quotient(a, v);
      case curve_kind::power: return std::pow(v, a);
      case curve_kind::rpower: return std::pow(a, v);
    }
    return v;
  }
};

/// ncnn's code for a float: halves away from zero, -127 to 127.
inline int8_t narrow_code(float v) noexcept {
  return static_cast<int8_t>(clamp<int32_t>(fp::to_nearest<fp::tie::away_from_zero>(v), -127, 127));
}

/// y = curve(x * mul[c] + add[c]), as a float or as the code of y * out[c]; c = (i / block) % channels.
struct channel_map {
  size_t count = 0, block = 1, channels = 1;
  const float* mul = nullptr;  ///< null: 1
  const float* add = nullptr;  ///< null: 0
  const float* out = nullptr;  ///< null: the result is a float
  real_curve curve{};

  static void run(const custom_call& call) noexcept {
    const channel_map& d = *static_cast<const channel_map*>(call.user);
    const auto* const x = static_cast<const float*>(call.in[0]);
    for (size_t i = 0; i < d.count; ++i) {
      const size_t c = i / d.block % d.channels;
      float v = x[i];
      if (d.mul != nullptr) v = fp::product(v, d.mul[c]);
      if (d.add != nullptr) v = fp::sum(v, d.add[c]);
      v = d.curve(v);
      if (d.out != nullptr) static_cast<int8_t*>(call.out)[i] = narrow_code(fp::product(v, d.out[c]));
      else static_cast<float*>(call.out)[i] = v;
    }
  }
};

/// Floats as ref/ reads them: as doubles, whose products are exact.
struct widened {
  const float* p;
  double operator[](size_t i) const noexcept { return static_cast<double>(p[i]); }
};

/// A convolution, dense layer or transposed convolution on floats.
struct real_product {
  conv2d_shape shape{};
  const float* weights = nullptr;
  const float* bias = nullptr;
  real_curve curve{};
  bool is_transposed = false;

  float operator()(double sum, size_t) const noexcept { return curve(static_cast<float>(sum)); }
  static void run(const custom_call& call) noexcept {
    const real_product& d = *static_cast<const real_product*>(call.user);
    const widened x{static_cast<const float*>(call.in[0])}, w{d.weights};
    auto* const y = static_cast<float*>(call.out);
    if (d.is_transposed) ref::transposed_conv2d<double>(d.shape, x, 0, w, 0, d.bias, d, y);
    else ref::conv2d<double>(d.shape, x, 0, w, 0, d.bias, d, y);
  }
};

/// The same on codes: y = curve(float(sum) * factor[c] + bias[c]), as a float or as the code of y * out.
struct code_product {
  conv2d_shape shape{};
  const int8_t* weights = nullptr;
  const float* factors = nullptr;
  const float* bias = nullptr;
  real_curve curve{};
  float out = 0;  ///< 0: the result is a float

  float real(int64_t sum, size_t c) const noexcept {
    const float v = fp::product(static_cast<float>(sum), factors[c]);
    return curve(bias != nullptr ? fp::sum(v, bias[c]) : v);
  }
  static void run(const custom_call& call) noexcept {
    const code_product& d = *static_cast<const code_product*>(call.user);
    const auto* const x = static_cast<const int8_t*>(call.in[0]);
    const int64_t* const none = nullptr;
    if (fp::is_zero(d.out))
      ref::conv2d<int64_t>(d.shape, x, 0, d.weights, 0, none, [&](int64_t s, size_t c) { return d.real(s, c); },
                           static_cast<float*>(call.out));
    else
      ref::conv2d<int64_t>(d.shape, x, 0, d.weights, 0, none,
                           [&](int64_t s, size_t c) { return narrow_code(fp::product(d.real(s, c), d.out)); },
                           static_cast<int8_t*>(call.out));
  }
};

enum class pair_kind : uint8_t { add, sub, mul, div, maximum, minimum, power };

/// Two inputs of one rank; extents of 1 are repeated.
struct real_pair {
  pair_kind kind = pair_kind::add;

  float operator()(float u, float v) const noexcept {
    switch (kind) {
      case pair_kind::add: return fp::sum(u, v);
      case pair_kind::sub: return fp::difference(u, v);
      case pair_kind::mul: return fp::product(u, v);
      case pair_kind::div: return fp::quotient(u, v);
      case pair_kind::maximum: return larger(u, v);
      case pair_kind::minimum: return smaller(u, v);
      case pair_kind::power: return std::pow(u, v);
    }
    return 0;
  }
  static void run(const custom_call& call) noexcept {
    ref::binary(call.in_desc[0].shape, call.in_desc[1].shape, static_cast<const float*>(call.in[0]),
                static_cast<const float*>(call.in[1]), *static_cast<const real_pair*>(call.user),
                static_cast<float*>(call.out));
  }
};

/// x [rows][columns][channels]. The mean's divisor is the number of positions inside the image, or of
/// all in the window.
struct real_pool {
  pool2d_shape shape{};
  bool is_max = true, counts_padding = false;
  bool is_adaptive = false;  ///< windows from floor(in * i / out) to ceil(in * (i + 1) / out)

  struct tally {
    double sum = 0;
    float best = 0;
    int count = 0;
    void operator()(float v) noexcept {
      best = count == 0 || v > best ? v : best;
      sum += static_cast<double>(v);
      ++count;
    }
  };
  static void run(const custom_call& call) noexcept {
    const real_pool& d = *static_cast<const real_pool*>(call.user);
    const pool2d_shape& s = d.shape;
    const auto* const x = static_cast<const float*>(call.in[0]);
    auto* y = static_cast<float*>(call.out);
    ref::for_pool_outputs(s, [&](int batch, int oh, int ow, int c) {
      tally t;
      if (d.is_adaptive) {
        const auto from = [](int in, int i, int out) { return static_cast<int>(int64_t{in} * i / out); };
        const auto to = [](int in, int i, int out) { return static_cast<int>((int64_t{in} * (i + 1) + out - 1) / out); };
        for (int ih = from(s.in_h, oh, s.out_h); ih < to(s.in_h, oh, s.out_h); ++ih)
          for (int iw = from(s.in_w, ow, s.out_w); iw < to(s.in_w, ow, s.out_w); ++iw)
            t(x[(ptrdiff_t{ih} * s.in_w + iw) * s.channels + c]);
      } else {
        ref::for_window(s, x, batch, oh, ow, c, t);
      }
      const int divisor = d.counts_padding ? s.window.taps() : larger(t.count, 1);
      *y++ = d.is_max ? t.best : static_cast<float>(t.sum / divisor);
    });
  }
};

/// Softmax over the middle one of three axes.
struct real_softmax {
  size_t outer = 1, depth = 1, inner = 1;

  static void run(const custom_call& call) noexcept {
    const real_softmax& d = *static_cast<const real_softmax*>(call.user);
    for (size_t o = 0; o < d.outer; ++o)
      for (size_t i = 0; i < d.inner; ++i) {
        const size_t first = o * d.depth * d.inner + i;
        const auto* const x = static_cast<const float*>(call.in[0]) + first;
        auto* const y = static_cast<float*>(call.out) + first;
        float top = x[0];
        for (size_t k = 1; k < d.depth; ++k) top = larger(top, x[k * d.inner]);
        double sum = 0;
        for (size_t k = 0; k < d.depth; ++k) {
          y[k * d.inner] = static_cast<float>(curve::exp(static_cast<double>(fp::difference(x[k * d.inner], top))));
          sum += static_cast<double>(y[k * d.inner]);
        }
        for (size_t k = 0; k < d.depth; ++k)
          y[k * d.inner] = static_cast<float>(static_cast<double>(y[k * d.inner]) / sum);
      }
  }
};

}  // namespace lowbits::ncnn
