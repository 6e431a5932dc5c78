// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Codes drawn from known distributions, for the tests and figures of coded storage.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <lowbits/quant/qtype.hpp>

#include "number_cases.hpp"

namespace coded_samples {

/// One probability for each code of a format, the lowest first.
struct distribution {
  std::string name{};
  lowbits::qformat format{};
  std::vector<double> p{};

  /// Bits for one code.
  double entropy() const {
    double bits = 0;
    for (const double x : p)
      if (x > 0) bits -= x * std::log2(x);
    return bits;
  }
  std::vector<int> draw(std::size_t n, std::uint64_t seed) const {
    std::vector<double> sum;
    double s = 0;
    for (const double x : p) sum.push_back(s += x);
    number_cases::random_numbers random(seed);
    std::vector<int> codes(n);
    for (int& c : codes) {
      const double u = static_cast<double>(random.next() >> 11) * 0x1p-53 * s;
      const auto at = std::upper_bound(sum.begin(), sum.end(), u) - sum.begin();
      c = format.lowest() + static_cast<int>(std::min<std::ptrdiff_t>(at, static_cast<std::ptrdiff_t>(p.size()) - 1));
    }
    return codes;
  }
};

/// density(code) need not sum to 1.
template <class Density>
distribution made(std::string name, lowbits::qformat f, Density density) {
  distribution d{std::move(name), f, {}};
  double sum = 0;
  for (int c = f.lowest(); c <= f.highest(); ++c) d.p.push_back(f.is_binary() && c == 0 ? 0 : density(c)), sum += d.p.back();
  for (double& x : d.p) x /= sum;
  return d;
}

/// sigma in steps; signed formats.
inline distribution normal(int bits, double sigma) {
  return made("normal", {static_cast<std::uint8_t>(bits), true}, [&](int c) { return std::exp(-0.5 * c * c / (sigma * sigma)); });
}
inline distribution laplace(int bits, double sigma) {
  return made("Laplace", {static_cast<std::uint8_t>(bits), true}, [&](int c) { return std::exp(-std::sqrt(2.0) * std::abs(c) / sigma); });
}
inline distribution uniform(lowbits::qformat f) {
  return made("uniform", f, [](int) { return 1.0; });
}
/// Zeros but for a share of `density`.
inline distribution sparse(lowbits::qformat f, double density) {
  return made("sparse", f, [&](int c) { return c == 0 ? 1 - density : density / (f.highest() - f.lowest()); });
}
/// Every sixteenth code only.
inline distribution comb(int bits) {
  return made("comb", {static_cast<std::uint8_t>(bits), true}, [&](int c) { return c % 16 == 0 ? 1.0 : 0.0; });
}
/// Narrow, but for rare codes everywhere.
inline distribution outliers(int bits, double sigma) {
  return made("outliers", {static_cast<std::uint8_t>(bits), true}, [&](int c) {
    return std::exp(-0.5 * c * c / (sigma * sigma)) + 1e-3 * sigma / (1 << bits);
  });
}

}  // namespace coded_samples
