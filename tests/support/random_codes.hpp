// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Tensors of deterministic codes.

#include <cstdint>
#include <string>
#include <vector>

#include <lowbits/core/shapes.hpp>

namespace random_codes {

struct generator {
  std::uint32_t state;
  constexpr int in(int lowest, int highest) {
    state = state * 1664525u + 1013904223u;
    return lowest + static_cast<int>((state >> 8) % static_cast<std::uint32_t>(highest - lowest + 1));
  }
};

/// n values over the whole range of T, both ends first.
template <class T>
std::vector<T> fill(std::size_t n, std::uint32_t seed = 1) {
  generator g{seed};
  std::vector<T> v(n);
  for (std::size_t i = 0; i < n; ++i)
    v[i] = i == 0 ? lowbits::lowest_of<T> : i == 1 ? lowbits::highest_of<T> : static_cast<T>(g.in(lowbits::lowest_of<T>, lowbits::highest_of<T>));
  return v;
}

inline std::string text(const lowbits::tensor_shape& s) {
  std::string t = "[";
  for (int a = 0; a < s.rank; ++a) t += (a ? "," : "") + std::to_string(s.extent[a]);
  return t + "]";
}

/// The index of element k of s, outermost axis first.
inline std::vector<int> unflatten(const lowbits::tensor_shape& s, std::size_t k) {
  std::vector<int> i(static_cast<std::size_t>(s.rank));
  for (int a = s.rank - 1; a >= 0; --a) {
    i[static_cast<std::size_t>(a)] = static_cast<int>(k % static_cast<std::size_t>(s.extent[a]));
    k /= static_cast<std::size_t>(s.extent[a]);
  }
  return i;
}
inline std::size_t flatten(const lowbits::tensor_shape& s, const std::vector<int>& i) {
  std::size_t k = 0;
  for (int a = 0; a < s.rank; ++a) k = k * static_cast<std::size_t>(s.extent[a]) + static_cast<std::size_t>(i[static_cast<std::size_t>(a)]);
  return k;
}

}  // namespace random_codes
