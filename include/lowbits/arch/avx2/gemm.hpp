// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product tiles with AVX2. Codes are widened to 16 bits once per row, weights as they are
// loaded; vpmaddwd then adds two products per lane exactly (vpmaddubsw would saturate).

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::gemm, arch::avx2> {
  static constexpr int rows = 6, cols = 16, col_step = 8, depth_step = 2;
  using element = int16_t;
  template <class Code>
  static constexpr int shift = 0;

  template <class Code>
  static void fetch(int rows, int n, const Code* x, ptrdiff_t x_step, element* to, ptrdiff_t to_step) noexcept {
    using namespace detail::avx2;
    for (; rows > 0; --rows, x += x_step, to += to_step) {
      int i = 0;
      for (; i + 16 <= n; i += 16)
        store(to + i, widen<Code>(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i))));
      if (i == n) continue;
      if (n >= 16) {  // the last sixteen, some of them again
        store(to + n - 16, widen<Code>(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + n - 16))));
      } else {
        for (; i < n; ++i) to[i] = x[i];
      }
    }
  }

  static int32_t sum(const element* x, int n) noexcept {
    using namespace detail::avx2;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i s = _mm256_setzero_si256();
    for (; n >= 16; n -= 16, x += 16) s = _mm256_add_epi32(s, _mm256_madd_epi16(load(x), ones));
    alignas(32) int32_t lanes[8];
    store(lanes, s);
    uint32_t all = 0;
    for (const int32_t l : lanes) all += static_cast<uint32_t>(l);
    for (; n > 0; --n) all += static_cast<uint32_t>(*x++);
    return static_cast<int32_t>(all);
  }

  static void run(int m, int n, int steps, const element* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
                  int32_t* acc) noexcept {
    if (n == 16) run_width<2>(m, steps, x, stride, w, start, acc);
    else run_width<1>(m, steps, x, stride, w, start, acc);
  }

private:
  template <int V>
  LOWBITS_REGION_INLINE static void run_width(int m, int steps, const element* x, ptrdiff_t stride, const int8_t* w,
                                              const int32_t* start, int32_t* acc) {
    for (int r = 0; r < m;) {
      const element* at = x + r * stride;
      int32_t* to = acc + r * V * 8;
      if (m - r >= 6) r += tile<6, V>(steps, at, stride, w, start, to);
      else if (m - r >= 4) r += tile<4, V>(steps, at, stride, w, start, to);
      else if (m - r >= 2) r += tile<2, V>(steps, at, stride, w, start, to);
      else r += tile<1, V>(steps, at, stride, w, start, to);
    }
  }

  /// M rows by 8 * V columns.
  template <int M, int V>
  static int tile(int steps, const element* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
                  int32_t* acc) noexcept {
    using namespace detail::avx2;
    __m256i a[M][V];
#pragma GCC unroll 6
    for (int r = 0; r < M; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) a[r][v] = load(start + 8 * v);

    // Three rows share a pointer: base, base + stride, base + 2 * stride.
    constexpr int bases = (M + 2) / 3;
    const element* at[bases];
#pragma GCC unroll 2
    for (int b = 0; b < bases; ++b) at[b] = x + 3 * b * stride;

    for (int k = 0; k < steps; ++k) {
      __m256i weights[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v)
        weights[v] = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 16 * v)));
      w += 16 * V;
#pragma GCC unroll 6
      for (int r = 0; r < M; ++r) {
        int32_t two;
        __builtin_memcpy(&two, at[r / 3] + r % 3 * stride, 4);
        const __m256i codes = _mm256_set1_epi32(two);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) a[r][v] = _mm256_add_epi32(a[r][v], _mm256_madd_epi16(codes, weights[v]));
      }
#pragma GCC unroll 2
      for (int b = 0; b < bases; ++b) at[b] += 2;
    }

#pragma GCC unroll 6
    for (int r = 0; r < M; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) store(acc + (r * V + v) * 8, a[r][v]);
    return M;
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
