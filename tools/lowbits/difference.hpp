// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How far two tensors of real numbers are apart.

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace tool {

struct difference {
  double largest = 0, mean = 0, rmse = 0;
  double cosine = 1;
  double sqnr = std::numeric_limits<double>::infinity();  ///< signal to noise in dB; a is the signal
  bool equal = true;
};

/// a and b have the same length. A NaN on one side only makes every figure NaN.
inline difference difference_of(const std::vector<float>& a, const std::vector<float>& b) {
  difference d;
  double noise = 0, sum = 0, aa = 0, bb = 0, ab = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i], e = std::isnan(x) && std::isnan(y) ? 0 : x == y ? 0 : std::fabs(x - y);
    d.equal = d.equal && e == 0;
    d.largest = e > d.largest || std::isnan(e) ? e : d.largest;
    sum += e;
    noise += e * e;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const double n = a.empty() ? 1 : static_cast<double>(a.size());
  d.mean = sum / n;
  d.rmse = std::sqrt(noise / n);
  // Two tensors of zeros point the same way.
  d.cosine = aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : aa == bb ? 1 : 0;
  if (!d.equal) d.sqnr = 10 * std::log10(aa / noise);
  return d;
}

}  // namespace tool
