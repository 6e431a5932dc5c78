// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A product shared by the threads of a pool: threads/<rows>x<cols>x<depth>/<threads>. `speedup` is the
// time of one thread, measured in turns with the shared runs, over the shared time; threads/ceiling
// runs the multiply instruction on registers of as many processors, which is what sharing can give.

#include "support.hpp"

#include <algorithm>
#include <string>
#include <thread>

#include <lowbits/fixed/requantize.hpp>
#include <lowbits/hosted/thread_pool.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>

namespace {

namespace lb = lowbits;
using namespace bench;
using clock_type = std::chrono::steady_clock;

template <class Function>
double seconds(Function f) {
  const auto start = clock_type::now();
  f();
  return std::chrono::duration<double>(clock_type::now() - start).count();
}
double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

/// Times alone() and shared() in turns; a run before the timed one wakes the pool's threads.
template <class Alone, class Shared>
void compare(benchmark::State& state, double operations, Alone alone, Shared shared) {
  std::vector<double> one, all;
  alone(), shared();
  for (auto _ : state) {
    one.push_back(seconds(alone));
    shared();
    all.push_back(seconds(shared));
  }
  state.counters["GOPS"] = operations / median(all) * 1e-9;
  state.counters["us"] = median(all) * 1e6;
  state.counters["speedup"] = median(one) / median(all);
}

using rq_type = lb::channel_requantizer<lb::q8>;

void product(benchmark::State& state, int rows, int cols, int depth, int threads) {
  const lb::gemm<int8_t, rq_type> p({.rows = rows, .cols = cols, .depth = depth});
  const auto area = [](int a, int b) { return static_cast<size_t>(a) * static_cast<size_t>(b); };
  const auto x = random_codes<int8_t>(area(rows, depth)), w = random_codes<int8_t>(area(cols, depth));
  const std::vector<lb::fixed_multiplier> factors(static_cast<size_t>(cols), lb::fixed_multiplier::from(0.0004));
  std::vector<int8_t> y(area(rows, cols));
  aligned_bytes packed(p.packed_bytes()), scratch(p.scratch_bytes(threads));
  if (p.pack(w.data(), 0, nullptr, 3, packed.span()) != lb::status::ok) return state.SkipWithError("refused");
  lb::thread_pool pool(threads);
  const auto run = [&](auto&& executor, int parts) {
    static_cast<void>(p.run(x.data(), packed.span(), {factors.data(), {}}, y.data(), scratch.span(), {}, executor, parts));
  };
  compare(state, 2.0 * rows * cols * depth, [&] { run(lb::in_turn{}, 1); }, [&] { run(pool, threads); });
}

void ceiling(benchmark::State& state, int threads) {
  lb::thread_pool pool(threads);
  for (const control& c : controls)
    if (lb::select_arch() == lb::arch_id_from(c.arch))
      return compare(state, c.operations * 1000 * threads,
                     [&] { for (int i = 0; i < 1000 * threads; ++i) c.run(); },
                     [&] { pool(threads, [&](int) { for (int i = 0; i < 1000; ++i) c.run(); }); });
  state.SkipWithError("no control for this architecture");
}

const bool registered = [] {
  const int threads = std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
  const std::string suffix = "/" + std::to_string(threads);
  benchmark::RegisterBenchmark(("threads/ceiling" + suffix).c_str(), [=](benchmark::State& s) { ceiling(s, threads); })->Unit(benchmark::kMicrosecond);
  for (const auto& [m, n, k] : {std::array{1024, 1024, 1024}, std::array{1, 4096, 4096}, std::array{256, 256, 256}, std::array{64, 1024, 1024}})
    benchmark::RegisterBenchmark(
        ("threads/" + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) + suffix).c_str(),
        [=, rows = m, cols = n, depth = k](benchmark::State& s) { product(s, rows, cols, depth, threads); })->Unit(benchmark::kMicrosecond);
  return true;
}();

}  // namespace
