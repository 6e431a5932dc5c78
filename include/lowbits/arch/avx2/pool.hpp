// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Windows and means with AVX2, sixteen channels at a time.

#include <lowbits/arch/avx2/eltwise.hpp>
#include <lowbits/arch/count_reciprocal.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2 {

/// Sums of sixteen channels, in order.
struct sums16 {
  __m256i low, high;

  // Written out: g++ compiles an implicit constructor without the region's instruction set.
  LOWBITS_REGION_INLINE sums16() : low(_mm256_setzero_si256()), high(_mm256_setzero_si256()) {}

  template <class Code>
  LOWBITS_REGION_INLINE void add(const Code* x, int channels) {
    const __m128i codes = load_bytes(x, channels);
    low = _mm256_add_epi32(low, widen_to_32<Code>(codes));
    high = _mm256_add_epi32(high, widen_to_32<Code>(_mm_srli_si128(codes, 8)));
  }
};

}  // namespace detail::avx2

template <>
struct prim<prims::window_max, arch::avx2> {
  template <class Code>
  static void run(const code_grid<Code>& g, int channels, int lowest, int highest, Code* y) noexcept {
    using namespace detail::avx2;
    for (int c = 0; c < channels; c += 16) {
      const int n = channels - c < 16 ? channels - c : 16;
      __m128i best = bytes_of(lowest);
      for (int r = 0; r < g.rows; ++r)
        for (int k = 0; k < g.cols; ++k)
          best = largest<Code>(best, load_bytes(g.at + r * g.row_step + k * g.col_step + c, n));
      store_bytes(y + c, smallest<Code>(best, bytes_of(highest)), n);
    }
  }
};

template <>
struct prim<prims::window_mean, arch::avx2> {
  template <class Code>
  static void run(const code_grid<Code>& g, int channels, int lowest, int highest, Code* y) noexcept {
    using namespace detail::avx2;
    const int count = g.rows * g.cols;
    const detail::count_reciprocal inverse(count);
    const __m256i reciprocal = _mm256_set1_epi32(inverse.factor);
    const __m128i drop = _mm_cvtsi32_si128(inverse.drop);
    const __m256i half = _mm256_set1_epi32(count / 2);
    const __m256i low = _mm256_set1_epi32(lowest), high = _mm256_set1_epi32(highest);
    const auto mean = [&](__m256i sum) __attribute__((always_inline)) {
      const __m256i a = _mm256_add_epi32(_mm256_abs_epi32(sum), half);
      const products p = {_mm256_srl_epi64(_mm256_mul_epu32(a, reciprocal), drop),
                          _mm256_srl_epi64(_mm256_mul_epu32(_mm256_srli_epi64(a, 32), reciprocal), drop)};
      return held(_mm256_sign_epi32(lower_halves(p), sum), low, high);
    };
    for (int c = 0; c < channels; c += 16) {
      const int n = channels - c < 16 ? channels - c : 16;
      sums16 s;
      for (int r = 0; r < g.rows; ++r)
        for (int k = 0; k < g.cols; ++k) s.add(g.at + r * g.row_step + k * g.col_step + c, n);
      store_bytes(y + c, low_bytes(mean(s.low), mean(s.high)), n);
    }
  }
};

template <>
struct prim<prims::position_mean, arch::avx2> {
  template <class X, class Out>
  static void run(int positions, int channels, const X* x, const rescale_values& v, Out* y) noexcept {
    using namespace detail::avx2;
    const factors8 f = same_factors(v.mantissa, v.exponent);
    if (v.exponent <= -2) all(positions, channels, x, v, rescale_small(f), y);
    else all(positions, channels, x, v, rescale_once(f), y);
  }

private:
  template <class X, class Out, class Rescale>
  LOWBITS_REGION_INLINE static void all(int positions, int channels, const X* x, const rescale_values& v,
                                        const Rescale& rescale, Out* y) {
    using namespace detail::avx2;
    const stage8 stage(v.stage);
    const __m256i offset = _mm256_set1_epi32(positions * v.zero);
    for (int c = 0; c < channels; c += 16) {
      const int n = channels - c < 16 ? channels - c : 16;
      sums16 s;
      for (int i = 0; i < positions; ++i) s.add(x + ptrdiff_t{i} * channels + c, n);
      store_bytes(y + c, low_bytes(stage(rescale, _mm256_sub_epi32(s.low, offset)), stage(rescale, _mm256_sub_epi32(s.high, offset))), n);
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
