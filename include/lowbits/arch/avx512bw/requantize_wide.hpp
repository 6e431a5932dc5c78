// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// 64-bit accumulators to codes with AVX-512, eight columns at a time.

#include <lowbits/arch/avx512bw/common.hpp>

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// Rescales eight 64-bit numbers by one rounding. With p = h * 2^32 + l the product and s its shift,
/// floor((p + 2^(s-1)) / 2^s) is floor(h' / 2^(s-32)) where h' = h + floor((l + 2^(s-1)) / 2^32) and s > 32;
/// else the bits behind h' follow.
struct rescale_wide {
  __m512i factors, shift, half, drop;
  /// Pairs of mantissa and exponent.
  LOWBITS_REGION_INLINE rescale_wide(__m512i pairs, bool brief) : factors(pairs) {
    if (brief) {
      const __m512i held = _mm512_min_epi32(pairs, _mm512_set1_epi64(0x7fff'0000));
      factors = _mm512_and_si512(_mm512_add_epi32(held, _mm512_set1_epi64(0x8000)), _mm512_set1_epi64(0xffff'0000));
    }
    shift = _mm512_sub_epi64(_mm512_set1_epi64(31), _mm512_srai_epi64(pairs, 32));
    half = _mm512_sllv_epi64(_mm512_set1_epi64(1), _mm512_sub_epi64(shift, _mm512_set1_epi64(1)));
    drop = _mm512_sub_epi64(shift, _mm512_set1_epi64(32));
  }
  /// True when all of the first n shifts are above 32.
  LOWBITS_REGION_INLINE bool is_small(int n) const {
    return _mm512_mask_cmplt_epi64_mask(static_cast<__mmask8>((1u << n) - 1u), drop, _mm512_set1_epi64(1)) == 0;
  }
  template <bool Small>
  LOWBITS_REGION_INLINE __m512i apply(__m512i x) const {
    const __m512i low = _mm512_mul_epu32(x, factors), high = _mm512_mul_epi32(_mm512_srli_epi64(x, 32), factors);
    const __m512i word = _mm512_set1_epi64(0xffff'ffff), whole = _mm512_add_epi64(high, _mm512_srli_epi64(low, 32));
    if constexpr (Small) {  // 2^(s-1) is a multiple of 2^32
      return _mm512_srav_epi64(_mm512_add_epi64(whole, _mm512_srli_epi64(half, 32)), drop);
    } else {
      const __m512i rest = _mm512_add_epi64(_mm512_and_si512(low, word), half);
      const __m512i h = _mm512_add_epi64(whole, _mm512_srli_epi64(rest, 32));
      // What is beyond 2^31 is beyond all codes, and stays so.
      const __m512i held = _mm512_min_epi64(_mm512_max_epi64(h, _mm512_set1_epi64(-0x8000'0000ll)), _mm512_set1_epi64(0x8000'0000ll));
      const __m512i few = _mm512_or_si512(_mm512_sllv_epi64(held, _mm512_sub_epi64(_mm512_setzero_si512(), drop)),
                                          _mm512_srlv_epi64(_mm512_and_si512(rest, word), shift));
      const __mmask8 usual = _mm512_cmpgt_epi64_mask(drop, _mm512_setzero_si512());
      return _mm512_mask_srav_epi64(few, usual, h, drop);
    }
  }
};

}  // namespace detail::avx512

template <>
struct prim<prims::requantize_wide, arch::avx512bw> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int cols, const int64_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                  const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    using namespace detail::avx512;
    for (int c = 0; c < cols; c += 8) {
      const int n = cols - c < 8 ? cols - c : 8;
      __m512i pairs;
      if (factors.per_column) {
        pairs = _mm512_maskz_loadu_epi64(static_cast<__mmask8>((1u << n) - 1u), static_cast<const int32_t*>(factors.pairs) + 2 * ptrdiff_t{c});
      } else {
        int64_t one;
        __builtin_memcpy(&one, factors.pairs, sizeof one);
        pairs = _mm512_set1_epi64(one);
      }
      const rescale_wide f(pairs, Rule == rescale_rule::brief);
      if (f.is_small(n)) columns<true>(rows, n, acc + c, acc_stride, f, stage, y + c, y_stride);
      else columns<false>(rows, n, acc + c, acc_stride, f, stage, y + c, y_stride);
    }
  }

private:
  template <bool Small, class Code>
  LOWBITS_REGION_INLINE static void columns(int rows, int n, const int64_t* acc, ptrdiff_t acc_stride,
                                            const detail::avx512::rescale_wide& f, const code_stage& stage, Code* y,
                                            ptrdiff_t y_stride) {
    const __m512i zero_point = _mm512_set1_epi64(stage.zero_point);
    const __m512i lowest = _mm512_set1_epi64(stage.lowest - stage.zero_point), highest = _mm512_set1_epi64(stage.highest - stage.zero_point);
    const auto used = static_cast<__mmask8>((1u << n) - 1u);
    for (; rows > 0; --rows, acc += acc_stride, y += y_stride) {
      const __m512i rescaled = f.template apply<Small>(_mm512_maskz_loadu_epi64(used, acc));
      const __m512i codes = _mm512_add_epi64(_mm512_min_epi64(_mm512_max_epi64(rescaled, lowest), highest), zero_point);
      if constexpr (sizeof(Code) == 2) _mm_mask_storeu_epi16(y, used, _mm512_cvtepi64_epi16(codes));
      else _mm_mask_storeu_epi8(y, used, _mm512_cvtepi64_epi8(codes));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
