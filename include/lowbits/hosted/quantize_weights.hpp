// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Float weights to integer codes with one scale per output channel, symmetric and without the lowest
// code. From 8 bits on the largest weight becomes the highest code. Below, clipping a few large
// weights may pay: the scale is the one with the least squared error among a row of clipping points,
// each improved by least squares until it stays. 2 bits are -1, 0 and 1. One bit is the weight's
// sign, -1 or 1, and the scale that has the least squared error the mean of the magnitudes.
//
// Every product here is of two floats in double, hence exact: the result does not depend on whether
// the compiler fuses multiplications and additions.

#include <vector>

#include <lowbits/hosted/observer.hpp>
#include <lowbits/quant/quantize.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The codes of one tensor of weights.
struct quantized_weights {
  qformat format{};
  std::vector<int16_t> codes{};  ///< in the order of the floats
  std::vector<float> scales{};   ///< per output channel; 0 where all weights are zero
  std::vector<size_t> dead{};    ///< channels whose weights are all zero
  std::vector<size_t> raised{};  ///< channels whose scale is the floor that was asked for
  size_t clipped = 0;            ///< weights beyond the highest code by more than half a step
  double signal = 0, noise = 0;  ///< sums of squares of the weights and of their errors
};

namespace weight_search {

/// The code nearest to w, ties to even, held at +-top; for top = 0 the sign, which 0 has too.
inline int code_of(float w, float scale, int top) noexcept {
  if (top == 0) return fp::is_negative(w) ? -1 : 1;
  return clamp(fp::to_nearest<fp::tie::to_even>(fp::quotient(w, scale)), -top, top);
}
inline double square(float x) noexcept { return static_cast<double>(x) * static_cast<double>(x); }

struct fit {
  float scale = 0;
  double error = 0;  ///< sum of squares
};

/// The error of a scale for the weights of a channel, and the scale that suits its codes best.
inline fit try_scale(std::span<const float> w, float scale, int top, float& better) {
  double error = 0, product = 0, power = 0;
  for (float x : w) {
    const double q = code_of(x, scale, top);
    error += square(static_cast<float>(static_cast<double>(x) - q * static_cast<double>(scale)));
    product += q * static_cast<double>(x);
    power += q * q;
  }
  better = power > 0 ? static_cast<float>(product / power) : scale;
  return {scale, error};
}

/// The scale for one channel; 0 when all its weights are zero.
inline float best_scale(std::span<const float> w, int bits) {
  float peak = 0;
  double sum = 0;
  for (float x : w) {
    const float magnitude = fp::from_bits(fp::magnitude_bits(x));
    peak = larger(peak, magnitude);
    sum += static_cast<double>(magnitude);
  }
  if (bits == 1) return peak > 0 ? static_cast<float>(sum / static_cast<double>(w.size())) : 0.0f;
  const int top = (1 << (bits - 1)) - 1;
  const float widest = fp::quotient(peak, static_cast<float>(top));
  if (bits >= 8 || !fp::is_positive(widest)) return fp::is_positive(widest) ? widest : 0.0f;

  // The highest code stands for 40/128 to 140/128 of the largest weight.
  constexpr int steps = 128, first_step = 140, last_step = 40;
  fit best{0, -1};
  for (int step = first_step; step >= last_step; --step) {
    float scale = fp::product(widest, static_cast<float>(step) / steps);
    for (int round = 0; round < 4 && fp::is_positive(scale); ++round) {
      float better = scale;
      const fit f = try_scale(w, scale, top, better);
      if (best.error < 0 || f.error < best.error) best = f;
      if (fp::to_bits(better) == fp::to_bits(scale)) break;
      scale = better;
    }
  }
  return best.scale;
}

}  // namespace weight_search

/// The weights of n in `bits` bits, 1 to 16. No scale of a living channel is below its floor (none
/// are given, or one per channel).
inline quantized_weights quantize_weights(const float_node& n, int bits,
                                          std::span<const float> floors = {}) {
  if (bits < 1 || bits > 16)
    refuse("quantize_weights", joined("node '", n.name, "' is to get weights of ", bits, " bits"),
           "choose 1 to 16");
  const weight_axis axis = weight_axis::of(n);
  const qformat format{
      .bits = static_cast<uint8_t>(bits), .is_signed = true, .is_narrow = bits > 1};
  const int top = (1 << (bits - 1)) - 1;
  quantized_weights q{.format = format,
                      .codes = std::vector<int16_t>(n.weights.size()),
                      .scales = std::vector<float>(axis.channels)};
  std::vector<float> channel(axis.depth);
  for (size_t c = 0; c < axis.channels; ++c) {
    for (size_t k = 0; k < axis.depth; ++k) channel[k] = n.weights[axis.at(c, k)];
    float scale = weight_search::best_scale(channel, bits);
    if (!fp::is_positive(scale)) {
      if (format.is_binary())
        refuse("quantize_weights",
               joined("node '", n.name, "' has channels of zeros, which 1 bit cannot be"),
               "choose 2 bits");
      q.dead.push_back(c);
      continue;
    }
    if (c < floors.size() && scale < floors[c]) {
      scale = floors[c];
      q.raised.push_back(c);
    }
    q.scales[c] = scale;
    for (size_t k = 0; k < axis.depth; ++k) {
      const int code = weight_search::code_of(channel[k], scale, top);
      const double w = static_cast<double>(channel[k]),
                   limit = (format.highest() + 0.5) * static_cast<double>(scale);
      q.codes[axis.at(c, k)] = static_cast<int16_t>(code);
      q.clipped += top > 0 && (w > limit || w < -limit) ? 1u : 0u;
      q.signal += weight_search::square(channel[k]);
      q.noise += weight_search::square(static_cast<float>(w - code * static_cast<double>(scale)));
    }
  }
  return q;
}

}  // namespace lowbits
