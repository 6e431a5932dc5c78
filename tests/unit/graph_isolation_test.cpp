// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A run makes no system call, allocates nothing, and may happen in several threads at once.

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include <lowbits/lowbits.hpp>

#if defined(__linux__)
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

namespace lb = lowbits;

namespace {

constexpr std::int8_t w1[16 * 3 * 3 * 3] = {5, -3, 2, 7, 1}, w2[3 * 3 * 16] = {1, 2, 3, 4},
                                      w3[10 * 16] = {9, 8, -7};
constexpr lb::affine q{.scale = 0.05f, .zero_point = -20};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 9, 9, 3>({.scale = 0.02f}));
  const auto a = g.conv2d("conv", x,
                          {.out_c = 16,
                           .kernel = 3,
                           .pad = 1,
                           .weights = lb::weights(w1, lb::symmetric{.05f}),
                           .out = q});
  const auto b = g.depthwise(
      "depthwise", a,
      {.kernel = 3, .pad = 1, .weights = lb::weights(w2, lb::symmetric{.1f}), .out = q});
  const auto m = g.global_mean("mean", g.add("skip", a, b, {.out = q}), {.out = q});
  return g.output(g.dense(
      "dense", m, {.units = 10, .weights = lb::weights(w3, lb::symmetric{.02f}), .out = q}));
}
using net = lb::model<make_net>;

struct job {
  alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];
  std::int8_t x[9 * 9 * 3], y[10];
  explicit job(int seed) {
    for (std::size_t i = 0; i < sizeof x; ++i)
      x[i] = static_cast<std::int8_t>((i * 37 + static_cast<std::size_t>(seed) * 11) % 256);
  }
};
alignas(lb::packed_alignment) unsigned char packed[net::prepared_bytes];

}  // namespace

#if defined(__linux__) && !defined(SANITIZED)
TEST_CASE("graph isolation: a prepared model runs where every system call is forbidden") {
  const auto ready = net::prepare(packed);
  REQUIRE(ready.error() == lb::status::ok);
  static job j(1), want(1);
  REQUIRE(ready.run(want.arena, want.x, want.y) == lb::status::ok);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Strict mode: anything but read, write and exit kills the process.
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(77);
    const bool ok =
        ready.run(j.arena, j.x, j.y) == lb::status::ok && std::memcmp(j.y, want.y, sizeof j.y) == 0;
    syscall(SYS_exit, ok ? 0 : 1);
  }
  int how = 0;
  waitpid(child, &how, 0);
  REQUIRE_MESSAGE(WIFEXITED(how), "killed by signal ", WTERMSIG(how));
  if (WEXITSTATUS(how) == 77) MESSAGE("seccomp is not available here");
  else CHECK(WEXITSTATUS(how) == 0);
}
#endif

TEST_CASE("graph isolation: run and prepare are noexcept and a model holds no state") {
  job j(1);
  static_assert(noexcept(net::run(j.arena, j.x, j.y)));
  static_assert(noexcept(net::prepare(packed)));
  static_assert(noexcept(net::prepare(packed).run(j.arena, j.x, j.y)));
  static_assert(std::is_empty_v<net>);
}

TEST_CASE("graph isolation: concurrent runs with separate arenas give the same bytes") {
  const auto ready = net::prepare(packed);
  REQUIRE(ready.error() == lb::status::ok);
  constexpr int threads = 4, rounds = 50;
  std::vector<job> want;
  for (int s = 0; s < threads; ++s) {
    want.emplace_back(s);
    REQUIRE(net::run(want.back().arena, want.back().x, want.back().y) == lb::status::ok);
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> pool;
  for (int s = 0; s < threads; ++s) {
    pool.emplace_back([&, s] {
      for (int r = 0; r < rounds; ++r) {
        job j(s);
        const lb::status done =
            r % 2 == 0 ? ready.run(j.arena, j.x, j.y) : net::run(j.arena, j.x, j.y);
        if (done != lb::status::ok ||
            std::memcmp(j.y, want[static_cast<std::size_t>(s)].y, sizeof j.y) != 0)
          ++wrong;
      }
    });
  }
  for (std::thread& t : pool) t.join();
  CHECK(wrong == 0);
}
