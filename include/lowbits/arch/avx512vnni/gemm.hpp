// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product tiles with vpdpbusd (unsigned times signed bytes, four products added to 32 bits,
// wrapping). Signed codes are brought to unsigned ones by adding 128.

#include <lowbits/arch/avx512vnni/common.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// acc += four products of unsigned bytes u and signed bytes s. With the intrinsic, g++ 12 keeps
/// the accumulators in memory.
LOWBITS_REGION_INLINE void dot(__m512i& acc, __m512i u, __m512i s) {
#if defined(__clang__)
  acc = _mm512_dpbusd_epi32(acc, u, s);
#else
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(s));
#endif
}

}  // namespace detail::avx512

template <>
struct prim<prims::gemm, arch::avx512vnni> {
  static constexpr int rows = 12, cols = 32, col_step = 16, depth_step = 4;
  using element = uint8_t;
  template <class Code>
  static constexpr int shift = Code(-1) < Code(0) ? 128 : 0;

  template <class Code>
  static void fetch(int rows, int n, const Code* x, ptrdiff_t x_step, element* to, ptrdiff_t to_step) noexcept {
    using namespace detail::avx512;
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(shift<Code>));
    const int whole = (n - 1) / 64 * 64;
    const __mmask64 rest = first64(n - whole);
    for (; rows > 0; --rows, x += x_step, to += to_step) {
      for (int i = 0; i < whole; i += 64) store(to + i, _mm512_xor_si512(load(x + i), flip));
      _mm512_mask_storeu_epi8(to + whole, rest, _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, x + whole), flip));
    }
  }

  static int32_t sum(const element* x, int n) noexcept {
    using namespace detail::avx512;
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i s = _mm512_setzero_si512();
    for (; n > 64; n -= 64, x += 64) dot(s, load(x), ones);
    dot(s, _mm512_maskz_loadu_epi8(first64(n), x), ones);
    return _mm512_reduce_add_epi32(s);
  }

  /// Changing a code on its way costs nothing: the units that do it have little else to do.
  static constexpr int most_code_rows = 0x7fff'ffff;

  static void run(int m, int n, int steps, const element* x, ptrdiff_t stride, const int8_t* w,
                  const int32_t* start, int32_t* acc, int flip = 0) noexcept {
    for (int c = 0; c < n; c += 32) {
      if (n - c >= 32) run_width<2>(m, steps, x, stride, w + 4 * c, n, start + c, acc + c, flip);
      else run_width<1>(m, steps, x, stride, w + 4 * c, n, start + c, acc + c, flip);
    }
  }

  /// The sums of M rows and 16 * V columns of a panel of n, in registers if inlined. Chains sums along
  /// the depth hide the latency of narrow tiles.
  template <int M, int V, int Chains>
  LOWBITS_REGION_INLINE static void accumulate(int steps, const element* x, ptrdiff_t stride, const int8_t* w,
                                               ptrdiff_t n, const int32_t* start, int flip, __m512i (&sums)[M][V]) {
    using namespace detail::avx512;
    const __m512i change = _mm512_set1_epi8(static_cast<char>(flip));
    __m512i a[Chains][M][V];
#pragma GCC unroll 4
    for (int c = 0; c < Chains; ++c)
#pragma GCC unroll 12
      for (int r = 0; r < M; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) a[c][r][v] = c == 0 ? load(start + 16 * v) : _mm512_setzero_si512();

    // Three rows share a pointer: base, base + stride, base + 2 * stride.
    constexpr int bases = (M + 2) / 3;
    const element* at[bases];
#pragma GCC unroll 4
    for (int b = 0; b < bases; ++b) at[b] = x + 3 * b * stride;

    const auto step = [&](int c) __attribute__((always_inline)) {
      __m512i weights[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) weights[v] = load(w + 64 * v);
      w += 4 * n;
#pragma GCC unroll 12
      for (int r = 0; r < M; ++r) {
        int32_t four;
        __builtin_memcpy(&four, at[r / 3] + r % 3 * stride, 4);
        const __m512i codes = _mm512_xor_si512(_mm512_set1_epi32(four), change);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) dot(a[c][r][v], codes, weights[v]);
      }
#pragma GCC unroll 4
      for (int b = 0; b < bases; ++b) at[b] += 4;
    };
    int k = 0;
    for (; k + Chains <= steps; k += Chains)
#pragma GCC unroll 4
      for (int c = 0; c < Chains; ++c) step(c);
    for (; k < steps; ++k) step(0);

#pragma GCC unroll 12
    for (int r = 0; r < M; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        sums[r][v] = a[0][r][v];
#pragma GCC unroll 4
        for (int c = 1; c < Chains; ++c) sums[r][v] = _mm512_add_epi32(sums[r][v], a[c][r][v]);
      }
  }

private:
  template <int V>
  LOWBITS_REGION_INLINE static void run_width(int m, int steps, const element* x, ptrdiff_t stride, const int8_t* w,
                                              ptrdiff_t n, const int32_t* start, int32_t* acc, int flip) {
    for (int r = 0; r < m;) {
      const element* at = x + r * stride;
      int32_t* to = acc + r * n;
      if (m - r >= 12) r += tile<12, V, 1>(steps, at, stride, w, n, start, to, flip);
      else if (m - r >= 8) r += tile<8, V, 1>(steps, at, stride, w, n, start, to, flip);
      else if (m - r >= 4) r += tile<4, V, 2>(steps, at, stride, w, n, start, to, flip);
      else if (m - r >= 2) r += tile<2, V, 4>(steps, at, stride, w, n, start, to, flip);
      else r += tile<1, V, 4>(steps, at, stride, w, n, start, to, flip);
    }
  }

  template <int M, int V, int Chains>
  static int tile(int steps, const element* x, ptrdiff_t stride, const int8_t* w, ptrdiff_t n, const int32_t* start,
                  int32_t* acc, int flip) noexcept {
    __m512i sums[M][V];
    accumulate<M, V, Chains>(steps, x, stride, w, n, start, flip, sums);
#pragma GCC unroll 12
    for (int r = 0; r < M; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) detail::avx512::store(acc + r * n + 16 * v, sums[r][v]);
    return M;
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
