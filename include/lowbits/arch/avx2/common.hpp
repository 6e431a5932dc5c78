// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the AVX2 primitives share: loads and stores of parts of a vector, and rescaling.

#include <lowbits/arch/prim.hpp>
#include <lowbits/arch/region.hpp>

#define LOWBITS_REGION_AVX2 LOWBITS_REGION_BEGIN("avx2", "haswell")

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI::detail::avx2 {

LOWBITS_REGION_INLINE __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
LOWBITS_REGION_INLINE void store(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }

/// The first n bytes at p, 0 <= n <= 16; the rest is zero.
LOWBITS_REGION_INLINE __m128i load_bytes(const void* p, int n) {
  if (n >= 16) return _mm_loadu_si128(static_cast<const __m128i*>(p));
  alignas(16) unsigned char bytes[16] = {};
  __builtin_memcpy(bytes, p, static_cast<size_t>(n));
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}
LOWBITS_REGION_INLINE void store_bytes(void* p, __m128i v, int n) {
  if (n >= 16) return _mm_storeu_si128(static_cast<__m128i*>(p), v);
  alignas(16) unsigned char bytes[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes), v);
  __builtin_memcpy(p, bytes, static_cast<size_t>(n));
}

/// Sixteen codes as 16-bit numbers.
template <class Code>
LOWBITS_REGION_INLINE __m256i widen(__m128i codes) {
  if constexpr (Code(-1) < Code(0)) return _mm256_cvtepi8_epi16(codes);
  else return _mm256_cvtepu8_epi16(codes);
}
template <class Code>
LOWBITS_REGION_INLINE __m256i widen_to_32(__m128i codes) {
  if constexpr (Code(-1) < Code(0)) return _mm256_cvtepi8_epi32(codes);
  else return _mm256_cvtepu8_epi32(codes);
}
/// The low bytes of 8 + 8 numbers, each of which fits in a byte, signed or not.
LOWBITS_REGION_INLINE __m128i low_bytes(__m256i a, __m256i b) {
  const __m256i byte = _mm256_set1_epi32(0xff);
  const __m256i words = _mm256_packus_epi32(_mm256_and_si256(a, byte), _mm256_and_si256(b, byte));
  const __m256i ordered = _mm256_permute4x64_epi64(words, 0xd8);
  return _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
}

/// All ones in the first n of 8 lanes.
LOWBITS_REGION_INLINE __m256i first8(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// ---- rescaling: eight numbers times their factors. A rescale holds its result in [lowest, highest]
// where it could leave 32 bits otherwise; what follows clamps anyway.
struct factors8 {
  __m256i mantissa, exponent;
};
LOWBITS_REGION_INLINE factors8 same_factors(int32_t mantissa, int32_t exponent) {
  return {_mm256_set1_epi32(mantissa), _mm256_set1_epi32(exponent)};
}
/// Of columns `column` to `column` + n - 1, n <= 8; beyond them 0.
LOWBITS_REGION_INLINE factors8 load_factors(const column_factors& f, int column, int n) {
  if (!f.per_column) {
    int32_t one[2];
    __builtin_memcpy(one, f.pairs, sizeof one);
    return same_factors(one[0], one[1]);
  }
  const auto* at = static_cast<const int*>(f.pairs) + 2 * ptrdiff_t{column};
  const __m256 low = _mm256_castsi256_ps(_mm256_maskload_epi32(at, first8(2 * n)));
  const __m256 high = _mm256_castsi256_ps(_mm256_maskload_epi32(n > 4 ? at + 8 : at, first8(2 * n - 8)));
  const __m256i even = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0x88));
  const __m256i odd = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0xdd));
  return {_mm256_permute4x64_epi64(even, 0xd8), _mm256_permute4x64_epi64(odd, 0xd8)};
}

/// 64-bit products of the even and of the odd lanes.
struct products {
  __m256i even, odd;
};
LOWBITS_REGION_INLINE products multiply(__m256i x, __m256i mantissa) {
  return {_mm256_mul_epi32(x, mantissa), _mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(mantissa, 32))};
}
/// The upper halves, back in lane order.
LOWBITS_REGION_INLINE __m256i upper_halves(const products& p) {
  return _mm256_blend_epi32(_mm256_shuffle_epi32(p.even, 0xf5), p.odd, 0xaa);
}
LOWBITS_REGION_INLINE __m256i lower_halves(const products& p) {
  return _mm256_blend_epi32(p.even, _mm256_shuffle_epi32(p.odd, 0xa0), 0xaa);
}
LOWBITS_REGION_INLINE __m256i held(__m256i x, __m256i lowest, __m256i highest) {
  return _mm256_min_epi32(_mm256_max_epi32(x, lowest), highest);
}

/// Rescales by one rounding where every exponent is at most -2. The product's upper half is enough
/// then: floor((floor(p / 2^32) + 2^(s-33)) / 2^(s-32)) = floor((p + 2^(s-1)) / 2^s), s >= 33.
struct rescale_small {
  __m256i mantissa, half, drop;
  LOWBITS_REGION_INLINE static bool suits(const factors8& f, int n) {
    const __m256i larger = _mm256_cmpgt_epi32(f.exponent, _mm256_set1_epi32(-2));
    return _mm256_testz_si256(larger, first8(n)) != 0;
  }
  LOWBITS_REGION_INLINE explicit rescale_small(const factors8& f) : mantissa(f.mantissa) {
    drop = _mm256_sub_epi32(_mm256_set1_epi32(-1), f.exponent);
    half = _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_sub_epi32(drop, _mm256_set1_epi32(1)));
  }
  LOWBITS_REGION_INLINE __m256i operator()(__m256i x, __m256i, __m256i) const {
    const __m256i high = upper_halves(multiply(x, mantissa));
    return _mm256_srav_epi32(_mm256_add_epi32(high, half), drop);
  }
};

/// Rescales by one rounding with any exponent, in 64 bits.
struct rescale_once {
  __m256i mantissa;
  products half, drop, bias;
  LOWBITS_REGION_INLINE explicit rescale_once(const factors8& f) : mantissa(f.mantissa) {
    const __m256i shift = _mm256_sub_epi32(_mm256_set1_epi32(31), f.exponent);
    const __m256i one = _mm256_set1_epi64x(1), sign = _mm256_set1_epi64x(lowest_of<int64_t>);
    drop = {_mm256_srli_epi64(_mm256_slli_epi64(shift, 32), 32), _mm256_srli_epi64(shift, 32)};
    half = {_mm256_xor_si256(sign, _mm256_sllv_epi64(one, _mm256_sub_epi64(drop.even, one))),
            _mm256_xor_si256(sign, _mm256_sllv_epi64(one, _mm256_sub_epi64(drop.odd, one)))};
    bias = {_mm256_srlv_epi64(sign, drop.even), _mm256_srlv_epi64(sign, drop.odd)};
  }
  LOWBITS_REGION_INLINE __m256i operator()(__m256i x, __m256i lowest, __m256i highest) const {
    const products p = multiply(x, mantissa);
    // There is no arithmetic 64-bit shift: with 2^63 added, a logical one does.
    const __m256i even = _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_add_epi64(p.even, half.even), drop.even), bias.even);
    const __m256i odd = _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_add_epi64(p.odd, half.odd), drop.odd), bias.odd);
    const __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(lowest));
    const __m256i high = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(highest));
    return lower_halves({held64(even, low, high), held64(odd, low, high)});
  }

private:
  LOWBITS_REGION_INLINE static __m256i held64(__m256i x, __m256i lowest, __m256i highest) {
    x = _mm256_blendv_epi8(x, lowest, _mm256_cmpgt_epi64(lowest, x));
    return _mm256_blendv_epi8(x, highest, _mm256_cmpgt_epi64(x, highest));
  }
};

/// Saturating left shift, rounding high product, rounding right shift, with any exponent.
struct rescale_twice {
  __m256i mantissa, left, right, mask, threshold;
  LOWBITS_REGION_INLINE explicit rescale_twice(const factors8& f) : mantissa(f.mantissa) {
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
    left = _mm256_max_epi32(f.exponent, zero);
    right = _mm256_max_epi32(_mm256_sub_epi32(zero, f.exponent), zero);
    mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
    threshold = _mm256_srli_epi32(mask, 1);
  }
  LOWBITS_REGION_INLINE __m256i operator()(__m256i x, __m256i, __m256i) const {
    const __m256i shifted = _mm256_sllv_epi32(x, left);
    const __m256i kept = _mm256_cmpeq_epi32(_mm256_srav_epi32(shifted, left), x);
    const __m256i end = _mm256_xor_si256(_mm256_srai_epi32(x, 31), _mm256_set1_epi32(0x7fff'ffff));
    const products p = multiply(_mm256_blendv_epi8(end, shifted, kept), mantissa);
    const __m256i half = _mm256_set1_epi64x(int64_t{1} << 30);
    // (p + 2^30) / 2^31 fits in 32 bits: bits 31..62, brought into the upper halves.
    const __m256i h = upper_halves({_mm256_slli_epi64(_mm256_add_epi64(p.even, half), 1),
                                    _mm256_slli_epi64(_mm256_add_epi64(p.odd, half), 1)});
    const __m256i limit = _mm256_sub_epi32(threshold, _mm256_srai_epi32(h, 31));
    const __m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(h, mask), limit);
    return _mm256_sub_epi32(_mm256_srav_epi32(h, right), up);
  }
};

/// The output stage behind a rescale.
struct stage8 {
  __m256i zero_point, lowest, highest;
  LOWBITS_REGION_INLINE explicit stage8(const code_stage& s)
      : zero_point(_mm256_set1_epi32(s.zero_point)), lowest(_mm256_set1_epi32(s.lowest - s.zero_point)),
        highest(_mm256_set1_epi32(s.highest - s.zero_point)) {}
  template <class Rescale>
  LOWBITS_REGION_INLINE __m256i operator()(const Rescale& rescale, __m256i x) const {
    return _mm256_add_epi32(held(rescale(x, lowest, highest), lowest, highest), zero_point);
  }
};

/// Saturated bytes of 16 + 16 words that were packed within 128-bit lanes, in order.
template <class Code>
LOWBITS_REGION_INLINE __m256i in_order(__m256i row, __m256i next) {
  const __m256i bytes = Code(-1) < Code(0) ? _mm256_packs_epi16(row, next) : _mm256_packus_epi16(row, next);
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

}  // namespace lowbits::detail::avx2
LOWBITS_REGION_END
