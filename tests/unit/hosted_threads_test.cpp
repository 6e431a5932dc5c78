// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The thread pool calls every part once, whatever is asked of it, and a product's bytes do not depend
// on the number of threads.

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include <lowbits/hosted/openmp.hpp>
#include <lowbits/hosted/thread_pool.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>

namespace lb = lowbits;

TEST_CASE("thread_pool: every part once, pools of 1 to 4 threads") {
  for (const int threads : {1, 2, 3, 4}) {
    lb::thread_pool pool(threads);
    CHECK(pool.size() == threads);
    for (const int n : {0, 1, 2, 3, 7, 100})
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<std::atomic<int>> calls(100);
        pool(n, [&](int i) { ++calls[static_cast<std::size_t>(i)]; });
        for (int i = 0; i < 100; ++i)
          if (calls[static_cast<std::size_t>(i)] != (i < n ? 1 : 0)) FAIL_CHECK(threads, " threads, ", n, " parts: part ", i);
      }
  }
}

TEST_CASE("thread_pool: threads that fell asleep wake up") {
  lb::thread_pool pool(2);
  std::atomic<int> calls{0};
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pool(8, [&](int) { ++calls; });
  }
  CHECK(calls == 24);
}

TEST_CASE("thread_pool: calls from within a part and from several threads") {
  lb::thread_pool pool(3);
  std::atomic<int> calls{0};
  pool(4, [&](int) { pool(5, [&](int) { ++calls; }); });
  CHECK(calls == 20);
  std::vector<std::thread> users;
  for (int u = 0; u < 3; ++u)
    users.emplace_back([&] {
      for (int k = 0; k < 100; ++k) pool(3, [&](int) { ++calls; });
    });
  for (auto& u : users) u.join();
  CHECK(calls == 20 + 900);
}

TEST_CASE("gemm: the same bytes for any number of threads and parts") {
  std::vector<int8_t> w(70 * 90), x(50 * 90);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<int8_t>(i * 37 % 251);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int8_t>(i * 91 % 253);
  for (const int rows : {1, 2, 50}) {
    const lb::gemm<int8_t, lb::raw_accumulator<int32_t>> product({.rows = rows, .cols = 70, .depth = 90});
    alignas(64) static unsigned char packed[64 * 1024];
    REQUIRE(product.packed_bytes() <= sizeof packed);
    REQUIRE(product.pack(w.data(), 2, nullptr, 5, packed) == lb::status::ok);
    const auto run = [&](auto&& executor, int parts) {
      std::vector<unsigned char> scratch(product.scratch_bytes(parts));
      std::vector<int32_t> y(static_cast<std::size_t>(rows * 70));
      CHECK(product.run(x.data(), packed, {}, y.data(), scratch, {}, executor, parts) == lb::status::ok);
      return y;
    };
    const auto expected = run(lb::in_turn{}, 1);
    for (const int parts : {1, 2, 3, 8, 200}) {
      lb::thread_pool pool(3);
      CHECK(run(pool, parts) == expected);
      CHECK(run(lb::openmp_threads{}, parts) == expected);
    }
  }
}
