// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product tiles with the 256-bit vpdpbusd of AVX-VNNI. Elements and packed weights are as for
// AVX512-VNNI, only narrower: unsigned bytes, four products to 32 bits.

#include <lowbits/arch/avx2/common.hpp>

#define LOWBITS_REGION_AVXVNNI LOWBITS_REGION_BEGIN("avx2,avxvnni", "alderlake")

LOWBITS_REGION_AVXVNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avxvnni {

/// acc += four products of unsigned bytes u and signed bytes s. {vex}: an assembler that knows
/// AVX-512 would take its encoding.
LOWBITS_REGION_INLINE void dot(__m256i& acc, __m256i u, __m256i s) {
#if defined(__clang__)
  acc = _mm256_dpbusd_avx_epi32(acc, u, s);
#else
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(u), "x"(s));
#endif
}

}  // namespace detail::avxvnni

template <>
struct prim<prims::gemm, arch::avxvnni> {
  static constexpr int rows = 6, cols = 16, col_step = 8, depth_step = 4;
  using element = uint8_t;
  template <class Code>
  static constexpr int shift = Code(-1) < Code(0) ? 128 : 0;

  template <class Code>
  static void fetch(int rows, int n, const Code* x, ptrdiff_t x_step, element* to, ptrdiff_t to_step) noexcept {
    using namespace detail::avx2;
    const __m256i flip = _mm256_set1_epi8(static_cast<char>(shift<Code>));
    const __m128i half = _mm256_castsi256_si128(flip);
    for (; rows > 0; --rows, x += x_step, to += to_step) {
      int i = 0;
      for (; i + 32 <= n; i += 32) store(to + i, _mm256_xor_si256(load(x + i), flip));
      for (; i < n; i += 16) {
        const int from = n - i < 16 && n >= 16 ? n - 16 : i;  // the last ones, some of them again
        store_bytes(to + from, _mm_xor_si128(load_bytes(x + from, n - from), half), n - from);
      }
    }
  }

  static int32_t sum(const element* x, int n) noexcept {
    using namespace detail::avx2;
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i s = _mm256_setzero_si256();
    for (; n >= 32; n -= 32, x += 32) detail::avxvnni::dot(s, load(x), ones);
    for (; n > 0; n -= 16, x += 16) detail::avxvnni::dot(s, _mm256_zextsi128_si256(load_bytes(x, n)), ones);
    int32_t each[8];
    store(each, s);
    uint32_t all = 0;
    for (const int32_t e : each) all += static_cast<uint32_t>(e);
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
      if (m - r >= 6) r += tile<6, V, 1>(steps, at, stride, w, start, to);
      else if (m - r >= 4) r += tile<4, V, 1>(steps, at, stride, w, start, to);
      else if (m - r >= 2) r += tile<2, V, 2>(steps, at, stride, w, start, to);
      else r += tile<1, V, 4>(steps, at, stride, w, start, to);
    }
  }

  /// M rows by 8 * V columns; Chains sums along the depth hide the latency of narrow tiles.
  template <int M, int V, int Chains>
  static int tile(int steps, const element* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
                  int32_t* acc) noexcept {
    using namespace detail::avx2;
    __m256i a[Chains][M][V];
#pragma GCC unroll 4
    for (int c = 0; c < Chains; ++c)
#pragma GCC unroll 6
      for (int r = 0; r < M; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) a[c][r][v] = c == 0 ? load(start + 8 * v) : _mm256_setzero_si256();

    // Three rows share a pointer: base, base + stride, base + 2 * stride.
    constexpr int bases = (M + 2) / 3;
    const element* at[bases];
#pragma GCC unroll 2
    for (int b = 0; b < bases; ++b) at[b] = x + 3 * b * stride;

    const auto step = [&](int c) __attribute__((always_inline)) {
      __m256i weights[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) weights[v] = load(w + 32 * v);
      w += 32 * V;
#pragma GCC unroll 6
      for (int r = 0; r < M; ++r) {
        int32_t four;
        __builtin_memcpy(&four, at[r / 3] + r % 3 * stride, 4);
        const __m256i codes = _mm256_set1_epi32(four);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) detail::avxvnni::dot(a[c][r][v], codes, weights[v]);
      }
#pragma GCC unroll 2
      for (int b = 0; b < bases; ++b) at[b] += 4;
    };
    int k = 0;
    for (; k + Chains <= steps; k += Chains)
#pragma GCC unroll 4
      for (int c = 0; c < Chains; ++c) step(c);
    for (; k < steps; ++k) step(0);

#pragma GCC unroll 6
    for (int r = 0; r < M; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        __m256i total = a[0][r][v];
#pragma GCC unroll 4
        for (int c = 1; c < Chains; ++c) total = _mm256_add_epi32(total, a[c][r][v]);
        store(acc + (r * V + v) * 8, total);
      }
    return M;
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
