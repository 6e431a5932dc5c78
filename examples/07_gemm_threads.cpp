// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A matrix product without a graph, on two threads: the weights are packed once for this processor,
// and any executor may run the parts. The bytes are the same for any number of threads.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <lowbits/hosted/thread_pool.hpp>
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

/// Memory that starts at a multiple of 64 bytes.
struct aligned_buffer {
  explicit aligned_buffer(std::size_t n) : bytes(n + 63), size(n) {}
  std::span<unsigned char> span() {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    return {bytes.data() + (lb::round_up<std::uintptr_t>(address, 64) - address), size};
  }
  std::vector<unsigned char> bytes;
  std::size_t size;
};

int main() {
  constexpr int rows = 512, cols = 512, depth = 512;
  std::vector<std::int8_t> x(rows * depth), w(cols * depth), one(rows * cols), two(rows * cols);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::int8_t>(i * 7919 % 255);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<std::int8_t>(i * 104729 % 253);

  // y = x * w / 40000, rounded; input zero point 3.
  const lb::requantizer<lb::q8> rq{lb::fixed_multiplier::from(1.0 / 40000), {.zero_point = -1}};
  const lb::gemm<std::int8_t, lb::requantizer<lb::q8>> product({.rows = rows, .cols = cols, .depth = depth});
  aligned_buffer packed(product.packed_bytes()), scratch(product.scratch_bytes(2));
  if (product.pack(w.data(), 0, nullptr, 3, packed.span()) != lb::status::ok) return 1;

  lb::thread_pool pool(2);
  const auto time = [&](auto&& run) {
    auto best = std::chrono::nanoseconds::max();
    for (int i = 0; i < 20; ++i) {
      const auto start = std::chrono::steady_clock::now();
      if (run() != lb::status::ok) return -1.0;
      best = std::min(best, std::chrono::nanoseconds(std::chrono::steady_clock::now() - start));
    }
    return static_cast<double>(best.count()) * 1e-3;
  };
  const double alone = time([&] { return product.run(x.data(), packed.span(), rq, one.data(), scratch.span()); });
  const double shared =
      time([&] { return product.run(x.data(), packed.span(), rq, two.data(), scratch.span(), {}, pool, pool.size()); });

  std::printf("%dx%dx%d on %s: %.0f us alone, %.0f us on %d threads\n", rows, cols, depth, lb::arch_name(product.arch()),
              alone, shared, pool.size());
  return alone > 0 && shared > 0 && one == two ? 0 : 1;
}
