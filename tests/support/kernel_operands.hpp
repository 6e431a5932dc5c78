// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operands of kernel tests: codes over their whole range, requantizers of every kind, and the
// comparison of a kernel's output with the reference's.

#include <string>
#include <vector>

#include <lowbits/fixed/raw_accumulator.hpp>
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/pack/packed_view.hpp>

#include "support/naive_conv.hpp"

namespace kernel_operands {

namespace lb = lowbits;

template <class T>
std::vector<T> codes(std::size_t n, naive::random_numbers& random) {
  std::vector<T> v(n);
  for (std::size_t i = 0; i < n; ++i) {
    const int draw = random.in(0, 15);  // the ends often: their products are the largest
    v[i] = draw == 0 ? lb::lowest_of<T> : draw == 1 ? lb::highest_of<T>
                                                    : static_cast<T>(random.in(lb::lowest_of<T>, lb::highest_of<T>));
  }
  return v;
}

/// Weights as whole elements in memory between protected pages.
template <class T>
struct element_weights {
  using reader = const T*;
  static constexpr int lowest = lb::lowest_of<T>, highest = lb::highest_of<T>;
  std::vector<T> values;
  element_weights(std::size_t n, naive::random_numbers& random) : values(codes<T>(n, random)) {}
  reader read(guarded::memory& m, guarded::place where) const { return m.copy(values, where); }
};
using plain_weights = element_weights<int8_t>;
/// Weights of type Q, packed.
template <class Q>
struct packed_weights {
  using reader = lb::packed_view<Q>;
  static constexpr int lowest = Q::lowest, highest = Q::highest;
  std::vector<uint8_t> bytes;
  std::size_t count;
  packed_weights(std::size_t n, naive::random_numbers& random) : bytes(lb::bytes_for<Q>(n)), count(n) {
    const lb::packed_span<Q> span(bytes.data(), n);
    for (std::size_t i = 0; i < n; ++i) span[i] = Q::is_binary ? random.in(0, 1) * 2 - 1 : random.in(Q::lowest, Q::highest);
  }
  reader read(guarded::memory& m, guarded::place where) const { return {m.copy(bytes, where), count}; }
};

/// A zero point of weights, 0 as often as not.
template <class Weights>
int zero_point(naive::random_numbers& random) {
  return random.in(0, 1) == 0 ? 0 : random.in(Weights::lowest, Weights::highest);
}

/// A factor that brings sums of `depth` products into the range of codes most of the time.
template <class Rounding>
typename Rounding::multiplier factor(int depth, naive::random_numbers& random) {
  const double spread = static_cast<double>(random.in(1, 1000)) * 1e-5 / (1 + depth % 64);
  auto m = Rounding::multiplier::from(lb::real::from(spread));
  if constexpr (requires { m.exponent; }) {
    if (random.in(0, 7) == 0) m.exponent = random.in(-31, 3);
  }
  return m;
}
inline lb::output_stage stage(const lb::qformat& q, naive::random_numbers& random) {
  const int a = random.in(q.lowest(), q.highest()), b = random.in(q.lowest(), q.highest());
  lb::output_stage s{random.in(q.lowest(), q.highest()), q.lowest(), q.highest()};
  if (random.in(0, 2) == 0) s.lowest = a < b ? a : b, s.highest = a < b ? b : a;
  return s;
}

/// One factor per channel, or one entry that serves all of them.
template <class Out, class Rounding>
struct by_channel {
  using requantizer = lb::channel_requantizer<Out, Rounding>;
  std::vector<typename Rounding::multiplier> factors;
  lb::output_stage out;
  std::size_t mask;
  by_channel(int channels, int depth, naive::random_numbers& random)
      : out(stage(lb::qformat::of<Out>(), random)), mask(random.in(0, 3) == 0 ? 0 : ~std::size_t{0}) {
    for (int c = 0; c < (mask == 0 ? 1 : channels); ++c) factors.push_back(factor<Rounding>(depth, random));
  }
  requantizer get(guarded::memory& m, guarded::place where) const { return {m.copy(factors, where), out, mask}; }
};
/// One factor for all.
template <class Out, class Rounding>
struct by_tensor {
  using requantizer = lb::requantizer<Out, Rounding>;
  requantizer rq;
  by_tensor(int, int depth, naive::random_numbers& random)
      : rq{factor<Rounding>(depth, random), stage(lb::qformat::of<Out>(), random)} {}
  requantizer get(guarded::memory&, guarded::place) const { return rq; }
};
/// The accumulators themselves.
struct not_at_all {
  using requantizer = lb::raw_accumulator<int32_t>;
  not_at_all(int, int, naive::random_numbers&) {}
  requantizer get(guarded::memory&, guarded::place) const { return {}; }
};

/// Where two arrays differ first, or "".
template <class T>
std::string difference(const T* got, const std::vector<T>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (got[i] != expected[i])
      return "element " + std::to_string(i) + " of " + std::to_string(expected.size()) + " is " +
             std::to_string(got[i]) + ", not " + std::to_string(expected[i]);
  return "";
}

/// The buffers of one kernel call.
struct buffers {
  guarded::memory x, w, bias, factors, packed, scratch, y;
};

}  // namespace kernel_operands
