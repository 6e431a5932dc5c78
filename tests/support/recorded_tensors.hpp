// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Tensors of tests/data/*/*.json, and how far a result is from one of them.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace lowbits_test {

using bytes = std::vector<unsigned char>;

/// "data": hexadecimal, little-endian, row-major.
inline bytes bytes_of(const nlohmann::json& tensor) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  const std::string hex = tensor["data"].get<std::string>();
  bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<unsigned char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  return out;
}
template <class T>
std::vector<T> elements_of(const bytes& b) {
  std::vector<T> v(b.size() / sizeof(T));
  if (!v.empty()) std::memcpy(v.data(), b.data(), v.size() * sizeof(T));
  return v;
}
template <class T>
bytes bytes_from(const std::vector<T>& v) {
  bytes b(v.size() * sizeof(T));
  if (!b.empty()) std::memcpy(b.data(), v.data(), b.size());
  return b;
}

/// Nothing where every element is within the tolerance, which counts relative to numbers above 1;
/// else the element that is furthest off.
template <class T>
std::string difference_of(const bytes& got, const bytes& want, double tolerance) {
  const std::vector<T> g = elements_of<T>(got), w = elements_of<T>(want);
  double furthest = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double a = static_cast<double>(g[i]), b = static_cast<double>(w[i]);
    double d = std::fabs(a - b) / (tolerance > 0 ? std::max(1.0, std::fabs(b)) : 1.0);
    if (std::isnan(a) != std::isnan(b)) d = std::numeric_limits<double>::infinity();
    if (d > furthest) furthest = d, at = i;
  }
  if (furthest <= tolerance) return "";
  return "element " + std::to_string(at) + " of " + std::to_string(w.size()) + " is " + std::to_string(g[at]) +
      " instead of " + std::to_string(w[at]);
}
inline std::string difference(const std::string& dtype, const bytes& got, const bytes& want, double tolerance) {
  if (got.size() != want.size())
    return std::to_string(got.size()) + " bytes instead of " + std::to_string(want.size());
  if (dtype == "float32") return difference_of<float>(got, want, tolerance);
  if (dtype == "int8") return difference_of<std::int8_t>(got, want, 0);
  return got == want ? "" : "the bytes differ";
}

}  // namespace lowbits_test
