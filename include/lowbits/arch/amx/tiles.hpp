// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Tile registers: eight of up to 16 rows of 64 bytes. Each has one role here, since the rows of sums and
// codes follow the rows of the product and those of the weights do not:
//   0-3  sums of 16 columns each     4  codes, 64 deep     5-7  weights, 64 deep, 16 columns
//
// Own assembler: GCC's intrinsics do not tell the compiler that memory is read and written. Rules of
// the instructions: Intel SDM volume 1, chapter 18, and volume 2.

#include <lowbits/arch/avx512vnni/common.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI::detail::amx {

struct alignas(64) tile_config {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};

/// Sets the tiles up for products of 1 to 16 rows, and gives them back. Nothing is expected to survive
/// between two of these: the caller, or another library in the thread, may use tiles as well.
class tile_scope {
public:
  LOWBITS_REGION_INLINE explicit tile_scope(int rows) {
    tile_config c{};
    c.palette = 1;
    for (int t = 0; t < 8; ++t) {
      c.row_bytes[t] = 64;
      c.rows[t] = static_cast<uint8_t>(t < 5 ? rows : 16);
    }
    asm volatile("ldtilecfg %0" : : "m"(c) : "memory");
  }
  tile_scope(const tile_scope&) = delete;
  tile_scope& operator=(const tile_scope&) = delete;
  LOWBITS_REGION_INLINE ~tile_scope() { asm volatile("tilerelease" : : : "memory"); }
};

template <int T>
LOWBITS_REGION_INLINE void load(const void* p, ptrdiff_t row_step) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(row_step), "i"(T) : "memory");
}
/// For data that need not stay in the L1 cache.
template <int T>
LOWBITS_REGION_INLINE void load_passing(const void* p, ptrdiff_t row_step) {
  asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(row_step), "i"(T) : "memory");
}
template <int T>
LOWBITS_REGION_INLINE void store(void* p, ptrdiff_t row_step) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(p), "r"(row_step), "i"(T) : "memory");
}
template <int T>
LOWBITS_REGION_INLINE void zero() {
  asm volatile("tilezero %%tmm%c0" : : "i"(T) : "memory");
}
/// Sums += codes (unsigned) times weights (signed), four products to each, wrapping.
template <int Sums, int Codes, int Weights>
LOWBITS_REGION_INLINE void multiply(void) {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sums), "i"(Codes), "i"(Weights) : "memory");
}

// ---- the first `tiles` of the four tiles of sums
LOWBITS_REGION_INLINE void zero_sums(int tiles) {
  zero<0>();
  if (tiles > 1) zero<1>();
  if (tiles > 2) zero<2>();
  if (tiles > 3) zero<3>();
}
/// Tile t at p + t * step bytes.
LOWBITS_REGION_INLINE void load_sums(int tiles, const void* p, ptrdiff_t step, ptrdiff_t row_step) {
  const char* at = static_cast<const char*>(p);
  load<0>(at, row_step);
  if (tiles > 1) load<1>(at + step, row_step);
  if (tiles > 2) load<2>(at + 2 * step, row_step);
  if (tiles > 3) load<3>(at + 3 * step, row_step);
}
LOWBITS_REGION_INLINE void store_sums(int tiles, void* p, ptrdiff_t step, ptrdiff_t row_step) {
  char* at = static_cast<char*>(p);
  store<0>(at, row_step);
  if (tiles > 1) store<1>(at + step, row_step);
  if (tiles > 2) store<2>(at + 2 * step, row_step);
  if (tiles > 3) store<3>(at + 3 * step, row_step);
}

/// Adds the product of `blocks` times 64 codes of each row and the weights of a panel of 16 * tiles columns
/// to the sums, and calls between() twice for each block, for vector work that runs meanwhile.
template <class Between>
LOWBITS_REGION_INLINE void multiply_blocks(int tiles, int blocks, const uint8_t* x, ptrdiff_t stride, const int8_t* w,
                                           Between&& between) {
  const ptrdiff_t w_step = 64 * tiles;
  for (; blocks > 0; --blocks, x += 64, w += 16 * w_step) {
    load_passing<4>(x, stride);
    load<5>(w, w_step);
    multiply<0, 4, 5>();
    between();
    if (tiles > 1) {
      load<6>(w + 64, w_step);
      multiply<1, 4, 6>();
    }
    if (tiles > 2) {
      load<7>(w + 128, w_step);
      multiply<2, 4, 7>();
    }
    between();
    if (tiles > 3) {
      load<5>(w + 192, w_step);
      multiply<3, 4, 5>();
    }
  }
}

/// A depth cut into equal parts of at most nine blocks of 64, so that a part of a panel, 36 KiB, stays in
/// the L1 cache while the rows pass by.
struct depth_parts {
  int blocks, count;
  LOWBITS_REGION_INLINE explicit depth_parts(int steps) : blocks((steps + 15) / 16), count((blocks + 8) / 9) {}
  /// The first block of part i.
  LOWBITS_REGION_INLINE int first(int i) const { return static_cast<int>(int64_t{blocks} * i / count); }
};

/// The fewest tiles that hold m rows, all as high as each other.
LOWBITS_REGION_INLINE int tile_rows(int m) {
  const int count = (m + 15) / 16;
  return (m + count - 1) / count;
}

}  // namespace lowbits::detail::amx
LOWBITS_REGION_END
