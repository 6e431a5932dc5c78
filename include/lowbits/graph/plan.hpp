// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Where buffers with known lifetimes lie in one arena. Greedy: the largest buffer first, each at
// the lowest offset where it meets no buffer that lives at the same time.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// A buffer that must keep its bytes during the steps first..last. Size 0 takes no room.
struct buffer_life {
  size_t size = 0;
  int first = 0;
  int last = 0;
};

template <size_t N>
struct memory_plan {
  size_t offset[N > 0 ? N : 1]{};
  size_t arena_bytes = 0;
};

/// Writes the offsets of `count` buffers, multiples of alignment (a power of two), and gives the arena's
/// bytes. order and placed have room for `count` numbers. Plain loops over plain arrays: clang counts
/// every step of a constant expression.
constexpr size_t plan_buffers(const buffer_life* buffers, size_t count, size_t alignment, size_t* offset,
                              size_t* order, size_t* placed) noexcept {
  size_t used = 0, placed_count = 0, arena_bytes = 0;
  for (size_t i = 0; i < count; ++i)
    if (buffers[i].size != 0) order[used++] = i;

  // Largest first; equal sizes in the order of their first step (Shell sort).
  const auto before = [&](size_t a, size_t b) {
    return buffers[a].size != buffers[b].size ? buffers[a].size > buffers[b].size : a < b;
  };
  for (size_t gap = used / 2; gap != 0; gap /= 2) {
    for (size_t i = gap; i < used; ++i) {
      const size_t moved = order[i];
      size_t k = i;
      for (; k >= gap && before(moved, order[k - gap]); k -= gap) order[k] = order[k - gap];
      order[k] = moved;
    }
  }

  for (size_t s = 0; s < used; ++s) {
    const size_t b = order[s];
    const size_t size = buffers[b].size;
    const int first = buffers[b].first, last = buffers[b].last;
    size_t at = 0;
    for (size_t q = 0; q < placed_count; ++q) {  // placed is kept sorted by offset
      const size_t j = placed[q];
      if (buffers[j].last < first || last < buffers[j].first) continue;
      if (offset[j] >= at + size) break;
      at = larger(at, (offset[j] + buffers[j].size + alignment - 1) & ~(alignment - 1));
    }
    offset[b] = at;
    size_t k = placed_count++;
    for (; k != 0 && offset[placed[k - 1]] > at; --k) placed[k] = placed[k - 1];
    placed[k] = b;
    arena_bytes = larger(arena_bytes, at + size);
  }
  return arena_bytes;
}

template <size_t N>
constexpr memory_plan<N> plan_memory(const buffer_life (&buffers)[N], size_t alignment) noexcept {
  memory_plan<N> plan;
  size_t order[N]{}, placed[N]{};
  plan.arena_bytes = plan_buffers(buffers, N, alignment, plan.offset, order, placed);
  return plan;
}

}  // namespace lowbits
