// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product to sums with AMX. Codes and weights lie as for AVX512-VNNI, in panels twice as wide, so
// that its tiles can take what is too little for AMX.

#include <lowbits/arch/amx/tiles.hpp>
#include <lowbits/arch/avx512vnni/gemm.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::gemm, arch::amx> : prim<prims::gemm, arch::avx512vnni> {
  static constexpr int rows = 128, cols = 64, depth_pad = 64;
  static constexpr size_t row_bytes = 512 * 1024;  // of an L2 cache of 2 MiB
  using narrow = prim<prims::gemm, arch::avx512vnni>;

  /// Whether vectors are faster: a tile row costs the same whether it holds codes or not, and setting tiles
  /// up costs about as much as 256 vector products.
  static constexpr bool suits_vectors(int m, int n, int steps) noexcept {
    return m < 3 || int64_t{m} * n * steps <= 256 * 16;
  }

  static constexpr int most_code_rows = 2;  // never tiles, which load codes as they are

  static void run(int m, int n, int steps, const element* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
                  int32_t* acc, int flip = 0) noexcept {
    if (suits_vectors(m, n, steps)) return narrow::run(m, n, steps, x, stride, w, start, acc, flip);
    const int high = detail::amx::tile_rows(m), whole = m / high * high;
    equal_tiles(whole, high, n, steps, x, stride, w, start, acc);
    if (m > whole) equal_tiles(m - whole, m - whole, n, steps, x + whole * stride, stride, w, start, acc + whole * n);
  }

private:
  static void equal_tiles(int m, int high, int n, int steps, const element* x, ptrdiff_t stride, const int8_t* w,
                          const int32_t* start, int32_t* acc) noexcept {
    using namespace detail::amx;
    const int tiles = n / 16;
    const ptrdiff_t acc_step = 4 * ptrdiff_t{n};
    const depth_parts parts(steps);
    const tile_scope scope(high);
    for (int p = 0; p < parts.count; ++p) {
      const int k = parts.first(p), blocks = parts.first(p + 1) - k;
      for (int r = 0; r < m; r += high) {
        int32_t* const to = acc + r * n;
        if (p == 0) load_sums(tiles, start, 64, 0);  // each row the same
        else load_sums(tiles, to, 64, acc_step);
        multiply_blocks(tiles, blocks, x + r * stride + 64 * k, stride, w + ptrdiff_t{64} * n * k,
                        []() __attribute__((always_inline)) {});
        store_sums(tiles, to, 64, acc_step);
      }
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
