// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Products of signs by counting bits: binary/<rows>x<cols>x<depth>/<arch>, bits to 32-bit sums, by the public call, and
// _signs to bits. `share` is the part of the rate at which this processor counts the bits of whole vectors (vpopcntd, or where
// there are none the two pshufb that take its place) on registers, measured in the same process.

#include "support.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <lowbits/kernel/binary_gemm.hpp>

#if LOWBITS_BUILD_X86
BENCH_CHAINS(vpopcntd_zmm, "avx512f,avx512vpopcntdq", "icelake-server", __m512i, _mm512_set1_epi8(0x35), 12,
             __m512i p;
             asm volatile("vpopcntd %1, %0" : "=v"(p) : "v"(a[i]));
             static_cast<void>(x), static_cast<void>(w);)
BENCH_CHAINS(two_vpshufb_ymm, "avx2", "haswell", __m256i, _mm256_set1_epi8(0x35), 12,
             __m256i p;
             asm volatile("vpshufb %1, %2, %0" : "=x"(p) : "x"(a[i]), "x"(w));
             asm volatile("vpshufb %1, %2, %0" : "=x"(p) : "x"(x), "x"(w));)
#endif

namespace {

namespace lb = lowbits;
using namespace bench;

/// Products and sums of signs per second: 100 steps of 12 chains of `bits` bits each.
[[maybe_unused]] double rate(void (*f)(), double bits) {
  using clock = std::chrono::steady_clock;
  double best = 0;
  for (int i = 0; i < 50; ++i) {
    const auto start = clock::now();
    for (int k = 0; k < 20; ++k) f();
    const double seconds = std::chrono::duration<double>(clock::now() - start).count() / 20;
    best = std::max(best, 2 * 1200 * bits / seconds);
  }
  return best;
}
double ceiling(const std::string& arch) {
#if LOWBITS_BUILD_X86
  if (arch.find("avx512") == 0 && lb::cpu::detect().has(lb::cpu::feature::avx512vpopcntdq)) {
    static const double zmm = rate(&vpopcntd_zmm, 512);
    return zmm;
  }
  if (arch.find("avx") == 0) {
    static const double ymm = rate(&two_vpshufb_ymm, 256);
    return ymm;
  }
#endif
  return 0;
}

struct product_size {
  int rows, cols, depth;
};
constexpr product_size sizes[] = {{1, 4096, 4096}, {1, 1024, 1024}, {8, 1024, 1024}, {64, 1024, 1024}, {512, 512, 512}, {1024, 1024, 1024}, {3136, 64, 576}};

template <class Rq>
struct binary_case {
  lb::binary_gemm<Rq> product;
  std::vector<uint8_t> x, w;
  std::vector<typename Rq::output::storage> y;
  aligned_bytes packed, scratch;

  binary_case(const product_size& s, lb::arch_id arch)
      : product({.rows = s.rows, .cols = s.cols, .depth = s.depth}, arch), x(random_codes<uint8_t>(static_cast<size_t>(s.rows) * static_cast<size_t>(s.depth / 8))),
        w(random_codes<uint8_t>(static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth / 8))),
        y(static_cast<size_t>(s.rows) * static_cast<size_t>(s.cols)), packed(product.packed_bytes()), scratch(product.scratch_bytes()) {
    if (product.pack(w.data(), nullptr, packed.span()) != lb::status::ok) std::abort();
    run();
    for (size_t i = 0; i < y.size(); i += y.size() / 100 + 1) {
      const auto cols = static_cast<size_t>(s.cols), bytes = static_cast<size_t>(s.depth / 8);
      const int32_t sum = lb::ref::binary_sum(x.data() + i / cols * bytes, w.data() + i % cols * bytes, s.depth);
      bool same;
      if constexpr (lb::gives_bits<Rq>) same = (y[i / cols * (cols / 8) + i % cols / 8] >> i % 8 & 1) == (sum >= 0);
      else same = y[i] == sum;
      if (!same) std::fprintf(stderr, "wrong result %zu\n", i), std::abort();
    }
  }
  void run() {
    if (product.run(x.data(), packed.span(), {}, y.data(), scratch.span()) != lb::status::ok) std::abort();
  }
};

template <class Rq>
void add(const std::string& kind, const char* arch_name, lb::arch_id arch) {
  for (const product_size& s : sizes) {
    const std::string name = "binary/" + std::to_string(s.rows) + "x" + std::to_string(s.cols) + "x" + std::to_string(s.depth) + kind + "/" + arch_name;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      auto& c = prepared(name, [&] { return std::make_unique<binary_case<Rq>>(s, arch); });
      const double products = double{1} * s.rows * s.cols * s.depth;
      time_work(state, {2 * products, double{1} * s.cols * s.depth / 8}, ceiling(arch_name), 0, [&] { c.run(); });
    })->Unit(benchmark::kMicrosecond);
  }
}

const bool registered = [] {
  add_controls();
  [&]<class... Archs>(lb::type_list<Archs...>) {
    const auto one = [&]<class Arch>(Arch) {
      if (!lb::is_usable<Arch>()) return;
      if (!std::is_same_v<Arch, lb::arch::generic> && !lb::has_row<lb::prims::gemm_binary, Arch>) return;
      add<lb::raw_accumulator<int32_t>>("", Arch::name, lb::arch_id_of<Arch>);
      add<lb::sign_bits>("_signs", Arch::name, lb::arch_id_of<Arch>);
    };
    (one(Archs{}), ...);
  }(lb::all_archs{});
  return true;
}();

}  // namespace
