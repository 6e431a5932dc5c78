// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the benchmarks share: random data, aligned memory, counters, and a case that is set up once
// however often its benchmark is started.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "ceilings.hpp"

namespace bench {

template <class T>
std::vector<T> random_codes(size_t n) {
  std::mt19937 random(1);
  std::vector<T> v(n);
  for (auto& x : v) x = static_cast<T>(random());
  return v;
}
/// Reals in [-1, 1).
inline std::vector<float> random_reals(size_t n) {
  std::mt19937 random(1);
  std::vector<float> v(n);
  for (auto& x : v) x = static_cast<float>(random() >> 8) / 8388608.0f - 1.0f;
  return v;
}

class aligned_bytes {
public:
  explicit aligned_bytes(size_t n)
      : bytes_(static_cast<unsigned char*>(std::aligned_alloc(64, (n + 127) / 64 * 64)), &std::free), size_(n) {}
  unsigned char* data() const { return bytes_.get(); }
  std::span<unsigned char> span() const { return {data(), size_}; }

private:
  std::unique_ptr<unsigned char, decltype(&std::free)> bytes_;
  size_t size_;
};

/// Prints `operations` per iteration as operations per second (a product and a sum count as two).
inline void count_operations(benchmark::State& state, double operations) {
  state.counters["ops"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

/// What one iteration does: operations, and bytes when every operand and result is touched once.
struct work {
  double operations, bytes;
};

/// Times f and prints GOPS, GB/s, and as `share` its part of the ceiling, which is in operations or
/// bytes per second (0: not known).
template <class Function>
void time_work(benchmark::State& state, const work& w, double operations_ceiling, double bytes_ceiling, Function f) {
  using clock = std::chrono::steady_clock;
  const auto start = clock::now();
  for (auto _ : state) {
    f();
    benchmark::ClobberMemory();
  }
  const double seconds = std::chrono::duration<double>(clock::now() - start).count() / static_cast<double>(state.iterations());
  state.counters["GOPS"] = w.operations / seconds * 1e-9;
  state.counters["GB/s"] = w.bytes / seconds * 1e-9;
  if (operations_ceiling > 0) state.counters["share"] = w.operations / seconds / operations_ceiling;
  else if (bytes_ceiling > 0) state.counters["share"] = w.bytes / seconds / bytes_ceiling;
}

/// The Case that make() builds, kept until another name asks: repetitions of a benchmark pay for its
/// data and its check once.
template <class Make>
auto& prepared(const std::string& name, Make make) {
  using made = std::decay_t<decltype(*make())>;
  static std::string kept_name;
  static std::unique_ptr<made> kept;
  if (kept_name != name || !kept) {
    kept.reset();
    kept = make();
    kept_name = name;
  }
  return *kept;
}

}  // namespace bench
