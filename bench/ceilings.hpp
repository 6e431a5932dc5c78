// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The controls every figure is read against, measured in the same process: how fast this processor
// multiplies when nothing but registers is involved, and how fast it reads each level of its memory.

// Every architecture is measured, also those that a program has to ask for.
#define LOWBITS_ARCHS amx, avx512vnni, avxvnni, avx512bw, avx2, sse41, vector, generic

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <lowbits/arch/region.hpp>
#include <lowbits/kernel/select.hpp>

#if LOWBITS_BUILD_X86
// `chains` independent chains of 100 steps on registers; the last argument is a step of chain i.
#define BENCH_CHAINS(name, features, tune, vector, zero, chains, ...)     \
  LOWBITS_REGION_BEGIN(features, tune)                                    \
  namespace bench {                                                       \
  inline void name() {                                                    \
    vector a[chains];                                                     \
    _Pragma("GCC unroll 24") for (int i = 0; i < chains; ++i) a[i] = zero; \
    const vector x = a[0], w = a[0];                                      \
    for (int k = 0; k < 100; ++k)                                         \
      _Pragma("GCC unroll 24") for (int i = 0; i < chains; ++i) { __VA_ARGS__ } \
  }                                                                       \
  }                                                                       \
  LOWBITS_REGION_END

BENCH_CHAINS(vpdpbusd_zmm, "avx512f,avx512bw,avx512vnni", "icelake-server", __m512i, _mm512_set1_epi8(0x35), 24,
             asm volatile("vpdpbusd %2, %1, %0" : "+v"(a[i]) : "v"(x), "v"(w));)
BENCH_CHAINS(vpmaddwd_zmm, "avx512f,avx512bw", "skylake-avx512", __m512i, _mm512_set1_epi16(0x35), 12,
             __m512i p;
             asm volatile("vpmaddwd %2, %1, %0" : "=v"(p) : "v"(x), "v"(w));
             asm volatile("vpaddd %1, %0, %0" : "+v"(a[i]) : "v"(p));)
BENCH_CHAINS(vpdpbusd_ymm, "avx2", "haswell", __m256i, _mm256_set1_epi8(0x35), 12,
             asm volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(a[i]) : "x"(x), "x"(w));)
BENCH_CHAINS(vpmaddwd_ymm, "avx2", "haswell", __m256i, _mm256_set1_epi16(0x35), 12,
             __m256i p;
             asm volatile("vpmaddwd %2, %1, %0" : "=x"(p) : "x"(x), "x"(w));
             asm volatile("vpaddd %1, %0, %0" : "+x"(a[i]) : "x"(p));)
BENCH_CHAINS(pmaddwd_xmm, "sse4.1", "nehalem", __m128i, _mm_set1_epi16(0x35), 12,
             __m128i p = x;
             asm volatile("pmaddwd %1, %0" : "+x"(p) : "x"(w));
             asm volatile("paddd %1, %0" : "+x"(a[i]) : "x"(p));)
BENCH_CHAINS(vmulps_zmm, "avx512f", "skylake-avx512", __m512, _mm512_set1_ps(0.5f), 12,
             __m512 p;
             asm volatile("vmulps %2, %1, %0" : "=v"(p) : "v"(x), "v"(w));
             asm volatile("vaddps %1, %0, %0" : "+v"(a[i]) : "v"(p));)
BENCH_CHAINS(vfmadd_zmm, "avx512f", "skylake-avx512", __m512, _mm512_set1_ps(0.5f), 12,
             asm volatile("vfmadd231ps %2, %1, %0" : "+v"(a[i]) : "v"(x), "v"(w));)
BENCH_CHAINS(vmulps_ymm, "avx2", "haswell", __m256, _mm256_set1_ps(0.5f), 12,
             __m256 p;
             asm volatile("vmulps %2, %1, %0" : "=x"(p) : "x"(x), "x"(w));
             asm volatile("vaddps %1, %0, %0" : "+x"(a[i]) : "x"(p));)

LOWBITS_REGION_AVX512VNNI
namespace bench {
/// Four chains of 100 products of tiles.
inline void tdpbusd_tiles() {
  using namespace lowbits::detail::amx;
  const tile_scope tiles(16);
  for (int k = 0; k < 100; ++k) {
    multiply<0, 4, 5>();
    multiply<1, 4, 6>();
    multiply<2, 4, 7>();
    multiply<3, 4, 5>();
  }
}
}  // namespace bench
LOWBITS_REGION_END

LOWBITS_REGION_BEGIN("avx2", "haswell")
namespace bench {
/// Reads n bytes, a multiple of 512, with 256-bit loads.
inline void read_all(const unsigned char* p, size_t n) {
  __m256i a[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) a[i] = _mm256_setzero_si256();
  for (size_t k = 0; k < n; k += 512)
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      asm volatile("vpor %1, %0, %0" : "+x"(a[i]) : "m"(*reinterpret_cast<const __m256i*>(p + k + 32 * static_cast<size_t>(i))));
}
}  // namespace bench
LOWBITS_REGION_END
#endif  // LOWBITS_BUILD_X86

namespace bench {

/// A loop of one multiply instruction.
struct control {
  const char* arch;         ///< whose products it bounds
  const char* instruction;
  void (*run)();
  double operations;        ///< per run
};

inline constexpr control controls[] = {
#if LOWBITS_BUILD_X86
    {"amx", "tdpbusd_tiles", tdpbusd_tiles, 2.0 * 4 * 100 * 16 * 16 * 64},
    {"avx512vnni", "vpdpbusd_zmm", vpdpbusd_zmm, 2.0 * 24 * 100 * 64},
    {"avx512bw", "vpmaddwd_vpaddd_zmm", vpmaddwd_zmm, 2.0 * 12 * 100 * 32},
    {"avxvnni", "vpdpbusd_ymm", vpdpbusd_ymm, 2.0 * 12 * 100 * 32},
    {"avx2", "vpmaddwd_vpaddd_ymm", vpmaddwd_ymm, 2.0 * 12 * 100 * 16},
    {"sse41", "pmaddwd_paddd_xmm", pmaddwd_xmm, 2.0 * 12 * 100 * 8},
    {"avx512bw, floats", "vmulps_vaddps_zmm", vmulps_zmm, 2.0 * 12 * 100 * 16},
    {"avx512bw, fused", "vfmadd_zmm", vfmadd_zmm, 2.0 * 12 * 100 * 16},
    {"avx2, floats", "vmulps_vaddps_ymm", vmulps_ymm, 2.0 * 12 * 100 * 8},
#endif
    {"", "", nullptr, 0}};

/// Runs per second of f: the best of 20 windows of about a millisecond.
template <class Function>
double best_rate(Function f) {
  using clock = std::chrono::steady_clock;
  double best = 0;
  int runs = 1;
  for (int window = 0; window < 20;) {
    const auto start = clock::now();
    for (int i = 0; i < runs; ++i) f();
    const double seconds = std::chrono::duration<double>(clock::now() - start).count();
    if (seconds < 1e-3 && runs < 1 << 20) {
      runs *= 2;
      continue;
    }
    best = best > runs / seconds ? best : runs / seconds;
    ++window;
  }
  return best;
}

/// Operations per second of the control with that name; 0: there is none.
inline double ceiling_of(std::string_view name) {
  for (const control& c : controls)
    if (c.run != nullptr && c.arch == name) return c.operations * best_rate(c.run);
  return 0.0;
}
/// The same of the multiply instruction Arch's products are made of.
template <class Arch>
double multiply_ceiling() {
  static const double found = ceiling_of(Arch::name);
  return found;
}

/// Memory of `bytes` that is really there.
inline std::vector<unsigned char> touched(size_t bytes) { return std::vector<unsigned char>(bytes, 1); }

/// Sizes that stay in the L1, L2 and L3 cache of most processors, and one that does not.
struct memory_level {
  const char* name;
  size_t bytes;
};
inline constexpr memory_level memory_levels[] = {
    {"L1", size_t{16} << 10}, {"L2", size_t{256} << 10}, {"L3", size_t{6} << 20}, {"memory", size_t{256} << 20}};

/// Bytes per second read from the cache that holds `working_set` bytes; 0: not known.
inline double read_ceiling([[maybe_unused]] size_t working_set) {
#if LOWBITS_BUILD_X86
  static double found[4] = {};
  if (!lowbits::is_usable<lowbits::arch::avx2>()) return 0;
  const size_t level = working_set <= 24 << 10 ? 0 : working_set <= 900 << 10 ? 1 : working_set <= 16 << 20 ? 2 : 3;
  if (found[level] <= 0) {
    const auto data = touched(memory_levels[level].bytes);
    found[level] = static_cast<double>(data.size()) * best_rate([&] { read_all(data.data(), data.size()); });
  }
  return found[level];
#else
  return 0;
#endif
}

/// Registers the controls this processor can run.
inline void add_controls() {
  const auto add = [](const control& c) {
    benchmark::RegisterBenchmark((std::string("control/") + c.instruction + "/" + c.arch).c_str(),
                                 [c](benchmark::State& state) {
      for (auto _ : state) c.run();
      state.counters["GOPS"] = benchmark::Counter(c.operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
    });
  };
  [&]<class... Archs>(lowbits::type_list<Archs...>) {
    for (const control& c : controls)
      if (((std::string_view(c.arch) == Archs::name && lowbits::is_usable<Archs>()) || ...)) add(c);
  }(lowbits::all_archs{});
#if LOWBITS_BUILD_X86
  if (!lowbits::is_usable<lowbits::arch::avx2>()) return;
  for (const memory_level& level : memory_levels)
    benchmark::RegisterBenchmark((std::string("control/read_") + level.name + "/avx2").c_str(),
                                 [level](benchmark::State& state) {
      const auto data = touched(level.bytes);
      for (auto _ : state) read_all(data.data(), data.size());
      state.counters["GB/s"] = benchmark::Counter(static_cast<double>(data.size()) * 1e-9,
                                                  benchmark::Counter::kIsIterationInvariantRate);
    });
#endif
}

}  // namespace bench
