// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution with AVX2: the codes of two taps are interleaved as 16-bit numbers, and
// vpmaddwd multiplies and adds both for eight channels.

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::depthwise, arch::avx2> {
  static constexpr int lanes = 16;
  /// The interleave works on halves of four channels: 0-3 8-11, then 4-7 12-15.
  static constexpr int place(int c) noexcept { return c % 8 / 4 * 8 + c / 8 * 4 + c % 4; }

  template <class Code>
  static void run(int pairs, const sliding_tap<Code>* taps, ptrdiff_t first, int positions, int channels,
                  const int16_t* w, const int32_t* start, int32_t* acc, ptrdiff_t acc_stride) noexcept {
    int i = 0;
    if (channels == lanes) {
      for (; i + 4 <= positions; i += 4) some<4, true>(pairs, taps, first, i, lanes, w, start, acc, acc_stride);
      for (; i < positions; ++i) some<1, true>(pairs, taps, first, i, lanes, w, start, acc, acc_stride);
    } else {
      for (; i < positions; ++i) some<1, false>(pairs, taps, first, i, channels, w, start, acc, acc_stride);
    }
  }

private:
  /// N positions from position i on.
  template <int N, bool All, class Code>
  LOWBITS_REGION_INLINE static void some(int pairs, const sliding_tap<Code>* taps, ptrdiff_t first, int i,
                                         int channels, const int16_t* w, const int32_t* start, int32_t* acc,
                                         ptrdiff_t acc_stride) {
    using namespace detail::avx2;
    __m256i low[N], high[N];
#pragma GCC unroll 4
    for (int k = 0; k < N; ++k) low[k] = high[k] = _mm256_setzero_si256();
    for (int p = 0; p < pairs; ++p, w += 2 * lanes) {
      const __m256i w_low = load(w), w_high = load(w + lanes);
      const sliding_tap<Code>&a = taps[2 * p], &b = taps[2 * p + 1];
#pragma GCC unroll 4
      for (int k = 0; k < N; ++k) {
        const Code *x = a.at + first + (i + k) * a.step, *y = b.at + first + (i + k) * b.step;
        const __m256i u = widen<Code>(load_bytes(x, All ? 16 : channels));
        const __m256i v = widen<Code>(load_bytes(y, All ? 16 : channels));
        low[k] = _mm256_add_epi32(low[k], _mm256_madd_epi16(_mm256_unpacklo_epi16(u, v), w_low));
        high[k] = _mm256_add_epi32(high[k], _mm256_madd_epi16(_mm256_unpackhi_epi16(u, v), w_high));
      }
    }
    const __m256i m = first8(channels), n = first8(channels - 8);
#pragma GCC unroll 4
    for (int k = 0; k < N; ++k) {
      int32_t* to = acc + (i + k) * acc_stride;
      const __m256i a = _mm256_permute2x128_si256(low[k], high[k], 0x20);
      const __m256i b = _mm256_permute2x128_si256(low[k], high[k], 0x31);
      if constexpr (All) {
        store(to, _mm256_add_epi32(a, load(start)));
        store(to + 8, _mm256_add_epi32(b, load(start + 8)));
      } else {
        _mm256_maskstore_epi32(to, m, _mm256_add_epi32(a, _mm256_maskload_epi32(start, m)));
        if (channels > 8) _mm256_maskstore_epi32(to + 8, n, _mm256_add_epi32(b, _mm256_maskload_epi32(start + 8, n)));
      }
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
