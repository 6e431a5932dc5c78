// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution with AVX-512: the codes of two taps are interleaved as 16-bit numbers, and
// vpdpwssd multiplies and adds both for sixteen channels.

#include <lowbits/arch/avx512vnni/common.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// acc += two products of 16-bit numbers (see dot for why it is written so).
LOWBITS_REGION_INLINE void dot16(__m512i& acc, __m512i x, __m512i w) {
#if defined(__clang__)
  acc = _mm512_dpwssd_epi32(acc, x, w);
#else
  asm("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
#endif
}

}  // namespace detail::avx512

template <>
struct prim<prims::depthwise, arch::avx512vnni> {
  static constexpr int lanes = 32;
  /// The interleave works on halves of four channels: 0-3 8-11 16-19 24-27, then 4-7 12-15 ...
  static constexpr int place(int c) noexcept { return c % 8 / 4 * 16 + c / 8 * 4 + c % 4; }

  template <class Code>
  static void run(int pairs, const sliding_tap<Code>* taps, ptrdiff_t first, int positions, int channels,
                  const int16_t* w, const int32_t* start, int32_t* acc, ptrdiff_t acc_stride) noexcept {
    int i = 0;
    if (channels == lanes)
      for (; i + 4 <= positions; i += 4) some<4, true>(pairs, taps, first, i, lanes, w, start, acc, acc_stride);
    for (; i < positions; ++i) some<1, false>(pairs, taps, first, i, channels, w, start, acc, acc_stride);
  }

private:
  /// N positions from position i on.
  template <int N, bool All, class Code>
  LOWBITS_REGION_INLINE static void some(int pairs, const sliding_tap<Code>* taps, ptrdiff_t first, int i,
                                         int channels, const int16_t* w, const int32_t* start, int32_t* acc,
                                         ptrdiff_t acc_stride) {
    using namespace detail::avx512;
    const auto used = static_cast<__mmask32>(first64(channels));
    const auto codes = [&](const Code* p) __attribute__((always_inline)) {
      if constexpr (All) return widen<Code>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
      else return widen<Code>(_mm256_maskz_loadu_epi8(used, p));
    };
    __m512i low[N], high[N];
#pragma GCC unroll 4
    for (int k = 0; k < N; ++k) low[k] = high[k] = _mm512_setzero_si512();
    for (int p = 0; p < pairs; ++p, w += 2 * lanes) {
      const __m512i w_low = load(w), w_high = load(w + lanes);
      const sliding_tap<Code>&a = taps[2 * p], &b = taps[2 * p + 1];
#pragma GCC unroll 4
      for (int k = 0; k < N; ++k) {
        const __m512i u = codes(a.at + first + (i + k) * a.step), v = codes(b.at + first + (i + k) * b.step);
        dot16(low[k], _mm512_unpacklo_epi16(u, v), w_low);
        dot16(high[k], _mm512_unpackhi_epi16(u, v), w_high);
      }
    }
    const __m512i front = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512i back = _mm512_add_epi32(front, _mm512_set1_epi32(8));
    const __mmask16 m = first16(channels), n = channels > 16 ? first16(channels - 16) : __mmask16{0};
    const __m512i start_low = _mm512_maskz_loadu_epi32(m, start), start_high = _mm512_maskz_loadu_epi32(n, start + 16);
#pragma GCC unroll 4
    for (int k = 0; k < N; ++k) {
      int32_t* to = acc + (i + k) * acc_stride;
      const __m512i a = _mm512_permutex2var_epi32(low[k], front, high[k]);
      const __m512i b = _mm512_permutex2var_epi32(low[k], back, high[k]);
      _mm512_mask_storeu_epi32(to, m, _mm512_add_epi32(a, start_low));
      _mm512_mask_storeu_epi32(to + 16, n, _mm512_add_epi32(b, start_high));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
