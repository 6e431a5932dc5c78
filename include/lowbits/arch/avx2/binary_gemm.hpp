// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Sums of products of signs with AVX2: pshufb counts the bits of every half of a byte.

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2_binary {

/// `rows` <= M rows, one strip of 16 columns; a missing row repeats the last one.
template <int M>
void binary_tile(int rows, int words, const uint32_t* x, ptrdiff_t stride, const uint32_t* w, const int32_t* start, int32_t* acc,
                 ptrdiff_t acc_stride) noexcept {
  using avx2::load;
  using avx2::store;
  const __m256i half = _mm256_set1_epi8(15);
  const __m256i bits_of = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  __m256i count[M][2];
  const uint32_t* row[M];
#pragma GCC unroll 2
  for (int r = 0; r < M; ++r) {
    row[r] = x + (r < rows ? r : rows - 1) * stride;
    count[r][0] = count[r][1] = _mm256_setzero_si256();
  }
  constexpr int most = 31;  // 8 bits each fit in a byte
  for (int done = 0; done < words; done += most) {
    const int last = words - done < most ? words : done + most;
    __m256i bytes[M][2];
#pragma GCC unroll 2
    for (int r = 0; r < M; ++r) bytes[r][0] = bytes[r][1] = _mm256_setzero_si256();
    for (ptrdiff_t i = done; i < last; ++i) {
      const __m256i weights[2] = {load(w + 16 * i), load(w + 16 * i + 8)};
#pragma GCC unroll 2
      for (int r = 0; r < M; ++r) {
        const __m256i bits = _mm256_set1_epi32(static_cast<int>(row[r][i]));
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
          const __m256i differ = _mm256_xor_si256(weights[v], bits);
          const __m256i low = _mm256_shuffle_epi8(bits_of, _mm256_and_si256(differ, half));
          const __m256i high = _mm256_shuffle_epi8(bits_of, _mm256_and_si256(_mm256_srli_epi16(differ, 4), half));
          bytes[r][v] = _mm256_add_epi8(bytes[r][v], _mm256_add_epi8(low, high));
        }
      }
    }
#pragma GCC unroll 2
    for (int r = 0; r < M; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v)
        count[r][v] = _mm256_add_epi32(count[r][v], _mm256_madd_epi16(_mm256_maddubs_epi16(bytes[r][v], _mm256_set1_epi8(1)), _mm256_set1_epi16(1)));
  }
#pragma GCC unroll 2
  for (int r = 0; r < M; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v)
      if (r < rows) store(acc + r * acc_stride + 8 * v, _mm256_sub_epi32(load(start + 8 * v), _mm256_add_epi32(count[r][v], count[r][v])));
}

}  // namespace detail::avx2_binary

template <>
struct prim<prims::gemm_binary, arch::avx2> {
  static void run(int m, int n, int words, const uint32_t* x, ptrdiff_t stride, const uint32_t* w, const int32_t* start, int32_t* acc) noexcept {
    for (int r = 0; r < m; r += 2)
      for (int c = 0; c < n; c += 16)
        detail::avx2_binary::binary_tile<2>(m - r, words, x + r * stride, stride, w + ptrdiff_t{c} * words, start + c, acc + ptrdiff_t{r} * n + c, n);
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
