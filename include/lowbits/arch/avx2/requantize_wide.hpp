// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// 64-bit accumulators to codes with AVX2, eight columns at a time.

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2 {

/// Rescales four 64-bit numbers by one rounding and holds them in a range. With p = h * 2^32 + l the product
/// and s its shift, floor((p + 2^(s-1)) / 2^s) is floor(h' / 2^(s-32)) where
/// h' = h + floor((l + 2^(s-1)) / 2^32) and s > 32; else the bits behind h' follow.
struct rescale_wide {
  __m256i factors, shift, half, drop, bias;
  /// Pairs of mantissa and exponent.
  LOWBITS_REGION_INLINE rescale_wide(__m256i pairs, bool brief) : factors(pairs) {
    if (brief) {
      const __m256i held = _mm256_min_epi32(pairs, _mm256_set1_epi64x(0x7fff'0000));
      factors = _mm256_and_si256(_mm256_add_epi32(held, _mm256_set1_epi64x(0x8000)), _mm256_set1_epi64x(0xffff'0000));
    }
    shift = _mm256_srli_epi64(_mm256_sub_epi32(_mm256_set1_epi32(31), pairs), 32);
    half = _mm256_sllv_epi64(_mm256_set1_epi64x(1), _mm256_sub_epi64(shift, _mm256_set1_epi64x(1)));
    drop = _mm256_sub_epi64(shift, _mm256_set1_epi64x(32));
    bias = _mm256_srlv_epi64(_mm256_set1_epi64x(lowest_of<int64_t>), drop);
  }
  /// True when all four shifts are above 32.
  LOWBITS_REGION_INLINE bool is_small() const {
    return _mm256_movemask_epi8(_mm256_cmpgt_epi64(drop, _mm256_setzero_si256())) == -1;
  }
  template <bool Small>
  LOWBITS_REGION_INLINE __m256i apply(__m256i x, __m256i lowest, __m256i highest) const {
    const __m256i low = _mm256_mul_epu32(x, factors), high = _mm256_mul_epi32(_mm256_srli_epi64(x, 32), factors);
    const __m256i word = _mm256_set1_epi64x(0xffff'ffff), sign = _mm256_set1_epi64x(lowest_of<int64_t>);
    const __m256i whole = _mm256_add_epi64(high, _mm256_srli_epi64(low, 32));
    const __m256i rest = _mm256_add_epi64(_mm256_and_si256(low, word), half);
    const __m256i h = _mm256_add_epi64(whole, _mm256_srli_epi64(Small ? half : rest, 32));
    // There is no arithmetic 64-bit shift: with 2^63 added, a logical one does.
    __m256i y = _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_xor_si256(h, sign), drop), bias);
    if constexpr (!Small) {
      // What is beyond 2^31 is beyond all codes, and stays so.
      const __m256i inside = held64(h, _mm256_set1_epi64x(-0x8000'0000ll), _mm256_set1_epi64x(0x8000'0000ll));
      const __m256i few = _mm256_or_si256(_mm256_sllv_epi64(inside, _mm256_sub_epi64(_mm256_setzero_si256(), drop)),
                                          _mm256_srlv_epi64(_mm256_and_si256(rest, word), shift));
      y = _mm256_blendv_epi8(few, y, _mm256_cmpgt_epi64(drop, _mm256_setzero_si256()));
    }
    return held64(y, lowest, highest);
  }

private:
  LOWBITS_REGION_INLINE static __m256i held64(__m256i x, __m256i lowest, __m256i highest) {
    x = _mm256_blendv_epi8(x, lowest, _mm256_cmpgt_epi64(lowest, x));
    return _mm256_blendv_epi8(x, highest, _mm256_cmpgt_epi64(x, highest));
  }
};

/// All ones in the first n of 4 lanes of 64 bits.
LOWBITS_REGION_INLINE __m256i first4(int n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
/// The first n of 4 numbers at p, the rest zero.
LOWBITS_REGION_INLINE __m256i load_first4(const int64_t* p, __m256i used) {
  return _mm256_maskload_epi64(reinterpret_cast<const long long*>(p), used);
}

}  // namespace detail::avx2

template <>
struct prim<prims::requantize_wide, arch::avx2> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int cols, const int64_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                  const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    using namespace detail::avx2;
    for (int c = 0; c < cols; c += 8) {
      const int n = cols - c < 8 ? cols - c : 8;
      const rescale_wide f(pairs_of(factors, c, n), Rule == rescale_rule::brief);
      const rescale_wide g(pairs_of(factors, c + 4, n - 4), Rule == rescale_rule::brief);
      if (f.is_small() && g.is_small()) columns<true>(rows, n, acc + c, acc_stride, f, g, stage, y + c, y_stride);
      else columns<false>(rows, n, acc + c, acc_stride, f, g, stage, y + c, y_stride);
    }
  }

private:
  /// Of columns c to c + n - 1, at most four; beyond them a small one.
  LOWBITS_REGION_INLINE static __m256i pairs_of(const column_factors& f, int c, int n) {
    int64_t one = static_cast<int64_t>(0xffff'fff0'0000'0000u);
    if (!f.per_column) __builtin_memcpy(&one, f.pairs, sizeof one);
    if (!f.per_column || n <= 0) return _mm256_set1_epi64x(one);
    const __m256i used = detail::avx2::first4(n);
    const auto* at = static_cast<const int64_t*>(static_cast<const void*>(static_cast<const int32_t*>(f.pairs) + 2 * ptrdiff_t{c}));
    return _mm256_blendv_epi8(_mm256_set1_epi64x(one), detail::avx2::load_first4(at, used), used);
  }
  template <bool Small, class Code>
  LOWBITS_REGION_INLINE static void columns(int rows, int n, const int64_t* acc, ptrdiff_t acc_stride,
                                            const detail::avx2::rescale_wide& f, const detail::avx2::rescale_wide& g,
                                            const code_stage& stage, Code* y, ptrdiff_t y_stride) {
    using namespace detail::avx2;
    const __m256i zero_point = _mm256_set1_epi32(stage.zero_point);
    const __m256i lowest = _mm256_set1_epi64x(stage.lowest - stage.zero_point), highest = _mm256_set1_epi64x(stage.highest - stage.zero_point);
    const __m256i low = first4(n), high = first4(n - 4);
    for (; rows > 0; --rows, acc += acc_stride, y += y_stride) {
      const __m256i a = f.template apply<Small>(load_first4(acc, low), lowest, highest);
      const __m256i b = g.template apply<Small>(load_first4(n > 4 ? acc + 4 : acc, high), lowest, highest);
      const __m256i parts = _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88));
      const __m256i codes = _mm256_add_epi32(_mm256_permute4x64_epi64(parts, 0xd8), zero_point);
      const __m128i first = _mm256_castsi256_si128(codes), second = _mm256_extracti128_si256(codes, 1);
      const __m128i words = Code(-1) < Code(0) || sizeof(Code) == 1 ? _mm_packs_epi32(first, second) : _mm_packus_epi32(first, second);
      if constexpr (sizeof(Code) == 2) store_bytes(y, words, 2 * n);
      else store_bytes(y, Code(-1) < Code(0) ? _mm_packs_epi16(words, words) : _mm_packus_epi16(words, words), n);
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
