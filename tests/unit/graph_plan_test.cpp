// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The memory planner: no two buffers that live at the same time share a byte, and the arena stays
// close to the largest sum of live bytes.

#include <doctest/doctest.h>

#include <cstdint>

#include <lowbits/graph/plan.hpp>

namespace lb = lowbits;

namespace {

std::uint32_t next(std::uint32_t& state) { return state = state * 1664525u + 1013904223u; }

template <std::size_t N>
std::size_t live_bound(const lb::buffer_life (&b)[N], int steps) {
  std::size_t bound = 0;
  for (int t = 0; t <= steps; ++t) {
    std::size_t live = 0;
    for (const lb::buffer_life& x : b)
      if (x.first <= t && t <= x.last) live += x.size;
    bound = live > bound ? live : bound;
  }
  return bound;
}

template <std::size_t N>
bool overlaps(const lb::buffer_life (&b)[N], const lb::memory_plan<N>& p, std::size_t alignment) {
  for (std::size_t i = 0; i < N; ++i) {
    if (b[i].size == 0) continue;
    if (p.offset[i] % alignment != 0 || p.offset[i] + b[i].size > p.arena_bytes) return true;
    for (std::size_t j = 0; j < i; ++j) {
      if (b[j].size == 0 || b[i].last < b[j].first || b[j].last < b[i].first) continue;
      if (p.offset[i] < p.offset[j] + b[j].size && p.offset[j] < p.offset[i] + b[i].size)
        return true;
    }
  }
  return false;
}

constexpr lb::buffer_life chain[] = {{100, 0, 1}, {200, 1, 2}, {100, 2, 3}, {50, 3, 4}};
constexpr auto chain_plan = lb::plan_memory(chain, 16);
static_assert(chain_plan.arena_bytes == 308, "100 rounded up to 112 above 200 rounded up to 208");

}  // namespace

TEST_CASE("graph plan: buffers that live together never overlap, 3,000 random graphs") {
  constexpr std::size_t n = 24;
  std::uint32_t state = 7;
  double ratio_sum = 0;
  int cases = 0;
  for (int round = 0; round < 3000; ++round) {
    lb::buffer_life b[n];
    for (std::size_t i = 0; i < n; ++i) {
      const int first = static_cast<int>(i), length = static_cast<int>(next(state) >> 29);
      b[i] = {(next(state) >> 20) % 5 == 0 ? 0 : 16 * ((next(state) >> 24) + 1), first,
              first + length};
    }
    const auto p = lb::plan_memory(b, 16);
    REQUIRE_MESSAGE(!overlaps(b, p, 16), "round ", round);
    const std::size_t bound = live_bound(b, static_cast<int>(n) + 8);
    REQUIRE(p.arena_bytes >= bound);
    ratio_sum += static_cast<double>(p.arena_bytes) / static_cast<double>(bound);
    ++cases;
  }
  MESSAGE("mean arena / lower bound = ", ratio_sum / cases);
  CHECK(ratio_sum / cases < 1.10);
}

TEST_CASE("graph plan: a planner that ignored lifetimes would be caught") {
  lb::buffer_life b[] = {{64, 0, 5}, {64, 1, 2}, {64, 3, 4}};
  auto p = lb::plan_memory(b, 16);
  CHECK(p.arena_bytes == 128);
  CHECK(p.offset[1] == p.offset[2]);
  p.offset[1] = p.offset[0];
  CHECK(overlaps(b, p, 16));
}

TEST_CASE("graph plan: empty buffers take no room") {
  const lb::buffer_life b[] = {{0, 0, 3}, {0, 1, 2}};
  CHECK(lb::plan_memory(b, 16).arena_bytes == 0);
}
