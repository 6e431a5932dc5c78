// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the benchmarks share: random data, aligned memory, and the control every figure is read
// against: how fast this processor multiplies when nothing but registers is involved.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include <lowbits/arch/region.hpp>
#include <lowbits/core/arch.hpp>

namespace bench {

template <class T>
std::vector<T> random_codes(size_t n) {
  std::mt19937 random(1);
  std::vector<T> v(n);
  for (auto& x : v) x = static_cast<T>(random());
  return v;
}

class aligned_bytes {
public:
  explicit aligned_bytes(size_t n) : bytes_(static_cast<unsigned char*>(std::aligned_alloc(64, (n + 127) / 64 * 64)), &std::free) {}
  unsigned char* data() const { return bytes_.get(); }

private:
  std::unique_ptr<unsigned char, decltype(&std::free)> bytes_;
};

/// Prints `operations` per iteration as operations per second (a product and a sum count as two).
inline void count_operations(benchmark::State& state, double operations) {
  state.counters["ops"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

#if LOWBITS_BUILD_X86
}  // namespace bench
LOWBITS_REGION_BEGIN("avx512f,avx512bw,avx512vnni", "icelake-server")
namespace bench {
/// 24 chains of 100 vpdpbusd on registers.
inline void multiply_zmm() {
  __m512i a[24];
#pragma GCC unroll 24
  for (int i = 0; i < 24; ++i) a[i] = _mm512_setzero_si512();
  const __m512i u = _mm512_set1_epi8(0x55), s = _mm512_set1_epi8(-0x33);
  for (int k = 0; k < 100; ++k)
#pragma GCC unroll 24
    for (int i = 0; i < 24; ++i) asm volatile("vpdpbusd %2, %1, %0" : "+v"(a[i]) : "v"(u), "v"(s));
}
}  // namespace bench
LOWBITS_REGION_END
namespace bench {
#endif
#if LOWBITS_BUILD_X86
}  // namespace bench
LOWBITS_REGION_BEGIN("avx2", "haswell")
namespace bench {
/// 12 chains of 100 vpmaddwd and vpaddd on registers.
inline void multiply_ymm() {
  __m256i a[12];
#pragma GCC unroll 12
  for (int i = 0; i < 12; ++i) a[i] = _mm256_setzero_si256();
  const __m256i x = _mm256_set1_epi16(0x55), w = _mm256_set1_epi16(-0x33);
  for (int k = 0; k < 100; ++k)
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) {
      __m256i p;
      asm volatile("vpmaddwd %2, %1, %0" : "=x"(p) : "x"(x), "x"(w));
      asm volatile("vpaddd %1, %0, %0" : "+x"(a[i]) : "x"(p));
    }
}
}  // namespace bench
LOWBITS_REGION_END
namespace bench {
#endif

/// Registers the controls this processor can run.
inline void add_controls() {
#if LOWBITS_DISPATCH
  const auto f = lowbits::cpu::detect();
#endif
#if LOWBITS_BUILD_X86 && LOWBITS_DISPATCH
  if (lowbits::arch::avx512vnni::supported(f))
    benchmark::RegisterBenchmark("control/vpdpbusd_registers", [](benchmark::State& state) {
      for (auto _ : state) multiply_zmm();
      count_operations(state, 2.0 * 24 * 100 * 64);
    });
#endif
#if LOWBITS_BUILD_X86 && LOWBITS_DISPATCH
  if (lowbits::arch::avx2::supported(f))
    benchmark::RegisterBenchmark("control/vpmaddwd_vpaddd_registers", [](benchmark::State& state) {
      for (auto _ : state) multiply_ymm();
      count_operations(state, 2.0 * 12 * 100 * 16);
    });
#endif
}

}  // namespace bench
