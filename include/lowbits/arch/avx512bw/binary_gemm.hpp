// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Sums of products of signs with AVX-512: vpopcntd where the processor counts bits in vectors (AVX512-VPOPCNTDQ: Ice Lake,
// Zen 4 and later), the tables of AVX2 where it does not.

#include <lowbits/arch/avx2/binary_gemm.hpp>
#include <lowbits/arch/avx512bw/common.hpp>
#include <lowbits/core/cpu.hpp>

LOWBITS_REGION_BEGIN("avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq", "icelake-server")
namespace lowbits::inline LOWBITS_ABI::detail::avx512_binary {

/// `rows` <= M rows and `strips` <= V strips; the others repeat the last one.
template <int M, int V>
void binary_tile(int rows, int strips, int words, const uint32_t* x, ptrdiff_t stride, const uint32_t* w, const int32_t* start, int32_t* acc,
                 ptrdiff_t acc_stride) noexcept {
  __m512i count[M][V];
  const uint32_t* row[M];
  const uint32_t* strip[V];
#pragma GCC unroll 4
  for (int r = 0; r < M; ++r) {
    row[r] = x + (r < rows ? r : rows - 1) * stride;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) count[r][v] = _mm512_setzero_si512();
  }
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) strip[v] = w + ptrdiff_t{16} * words * (v < strips ? v : strips - 1);
  for (ptrdiff_t i = 0; i < words; ++i) {
    __m512i weights[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) weights[v] = _mm512_loadu_si512(strip[v] + 16 * i);
#pragma GCC unroll 4
    for (int r = 0; r < M; ++r) {
      const __m512i bits = _mm512_set1_epi32(static_cast<int>(row[r][i]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) count[r][v] = _mm512_add_epi32(count[r][v], _mm512_popcnt_epi32(_mm512_xor_si512(weights[v], bits)));
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < M; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      if (r < rows && v < strips)
        _mm512_storeu_si512(acc + r * acc_stride + 16 * v,
                            _mm512_sub_epi32(_mm512_loadu_si512(start + 16 * v), _mm512_add_epi32(count[r][v], count[r][v])));
}

inline void binary_run(int m, int n, int words, const uint32_t* x, ptrdiff_t stride, const uint32_t* w, const int32_t* start, int32_t* acc) noexcept {
  for (int r = 0; r < m;) {
    const int rows = m - r < 2 ? 1 : m - r < 4 ? m - r : 4, step = rows == 1 ? 64 : 32;
    for (int c = 0; c < n; c += step) {
      const int strips = (n - c < step ? n - c : step) / 16;
      const uint32_t* const from = w + ptrdiff_t{c} * words;
      int32_t* const to = acc + ptrdiff_t{r} * n + c;
      if (rows == 1) binary_tile<1, 4>(rows, strips, words, x, stride, from, start + c, to, n);
      else binary_tile<4, 2>(rows, strips, words, x, stride, from, start + c, to, n);
    }
    r += rows, x += rows * stride;
  }
}

}  // namespace lowbits::detail::avx512_binary
LOWBITS_REGION_END

namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::gemm_binary, arch::avx512bw> {
  static void run(int m, int n, int words, const uint32_t* x, ptrdiff_t stride, const uint32_t* w, const int32_t* start, int32_t* acc) noexcept {
    if (counts_bits()) detail::avx512_binary::binary_run(m, n, words, x, stride, w, start, acc);
    else prim<prims::gemm_binary, arch::avx2>::run(m, n, words, x, stride, w, start, acc);
  }

private:
  static bool counts_bits() noexcept {
#if LOWBITS_DISPATCH
    return cpu::detect().has(cpu::feature::avx512vpopcntdq);
#elif defined(__AVX512VPOPCNTDQ__)
    return true;
#else
    return false;
#endif
  }
};

}  // namespace lowbits
