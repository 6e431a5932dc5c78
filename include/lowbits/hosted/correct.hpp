// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What rounding does to the outputs of a layer on average, and how its scales and biases make up for
// it. Both corrections compare, per output channel and in front of the activation, the layer's
// outputs on samples: `exact` from the float network, `rounded` from the rounded weights on the
// rounded outputs of the layers before. Sums are of exact products, so results do not depend on how
// a compiler contracts them.

#include <cmath>

#include <lowbits/hosted/float_executor.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// One tensor per sample.
using sample_outputs = std::vector<float_tensor>;

/// The slope of exact over rounded outputs, by least squares: the factor for each weight scale.
/// 1 where there is nothing to learn from, and never outside 1/2 to 2.
inline std::vector<double> output_gain(size_t channels, const sample_outputs& exact,
                                       const sample_outputs& rounded) {
  struct sums {
    double x = 0, y = 0, xx = 0, xy = 0;
  };
  std::vector<sums> sum(channels);
  size_t total = 0;
  for (size_t s = 0; s < rounded.size(); ++s) {
    total += rounded[s].size();
    for (size_t k = 0; k < rounded[s].size(); ++k) {
      const auto x = static_cast<double>(rounded[s][k]), y = static_cast<double>(exact[s][k]);
      sums& c = sum[k % channels];
      c.x += x;
      c.y += y;
      c.xx += x * x;
      c.xy += x * y;
    }
  }
  std::vector<double> gain(channels, 1.0);
  const auto n = static_cast<double>(total / channels);
  for (size_t c = 0; c < channels && total != 0; ++c) {
    const double mean = sum[c].x / n;
    const double variance = std::fma(-mean, mean, sum[c].xx / n),
                 covariance = std::fma(-mean, sum[c].y / n, sum[c].xy / n);
    if (variance > 0 && covariance > 0) gain[c] = clamp(covariance / variance, 0.5, 2.0);
  }
  return gain;
}

/// How far to move the bias of each channel: by that share of the mean error, in eighths, which
/// leaves the least squared error behind the activation. The whole of it is not always best: where
/// most of an image is blank, a layer of few bits is exact there as it is.
inline std::vector<double> bias_shift(activation fused, size_t channels,
                                      const sample_outputs& exact, const sample_outputs& rounded) {
  std::vector<double> mean(channels);
  size_t total = 0;
  for (size_t s = 0; s < rounded.size(); ++s) {
    total += rounded[s].size();
    for (size_t k = 0; k < rounded[s].size(); ++k)
      mean[k % channels] += static_cast<double>(exact[s][k]) - static_cast<double>(rounded[s][k]);
  }
  for (double& m : mean) m /= static_cast<double>(larger<size_t>(total / channels, 1));

  const real_range range = real_range::of(fused);
  constexpr int shares = 8;
  std::vector<double> best(channels), least(channels, -1.0), error(channels), shift(channels);
  for (int share = 0; share <= shares; ++share) {
    for (size_t c = 0; c < channels; ++c) {
      shift[c] = mean[c] * share / shares;
      error[c] = 0;
    }
    for (size_t s = 0; s < rounded.size(); ++s)
      for (size_t k = 0; k < rounded[s].size(); ++k) {
        const auto moved =
            static_cast<float>(static_cast<double>(rounded[s][k]) + shift[k % channels]);
        const auto e = static_cast<double>(range(exact[s][k]) - range(moved));
        error[k % channels] += e * e;
      }
    for (size_t c = 0; c < channels; ++c)
      if (least[c] < 0 || error[c] < least[c]) {
        least[c] = error[c];
        best[c] = shift[c];
      }
  }
  return best;
}

}  // namespace lowbits
