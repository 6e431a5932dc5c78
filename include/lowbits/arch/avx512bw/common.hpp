// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the AVX-512 primitives share: loads and stores of parts of a vector, and rescaling.

#include <lowbits/arch/prim.hpp>
#include <lowbits/arch/region.hpp>

#define LOWBITS_REGION_AVX512BW \
  LOWBITS_REGION_BEGIN("avx2,avx512f,avx512bw,avx512dq,avx512vl", "icelake-server")

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI::detail::avx512 {

LOWBITS_REGION_INLINE __m512i load(const void* p) { return _mm512_loadu_si512(p); }
LOWBITS_REGION_INLINE void store(void* p, __m512i v) { _mm512_storeu_si512(p, v); }
LOWBITS_REGION_INLINE __mmask16 first16(int n) {
  return static_cast<__mmask16>(n >= 16 ? 0xffffu : (1u << n) - 1u);
}
LOWBITS_REGION_INLINE __mmask64 first64(int n) {
  return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1u;
}

/// 32 codes as 16-bit numbers.
template <class Code>
LOWBITS_REGION_INLINE __m512i widen(__m256i codes) {
  if constexpr (Code(-1) < Code(0)) return _mm512_cvtepi8_epi16(codes);
  else return _mm512_cvtepu8_epi16(codes);
}

// ---- rescaling: sixteen numbers times their factors. A rescale holds its result in [lowest, highest]
// where it could leave 32 bits otherwise; what follows clamps anyway.
/// Sixteen columns' factors.
struct factors16 {
  __m512i mantissa;  ///< lane c: that of column c
  __m512i exponent;
};

LOWBITS_REGION_INLINE factors16 load_factors(const column_factors& f, int column, int n) {
  if (!f.per_column) {
    int32_t one[2];
    __builtin_memcpy(one, f.pairs, sizeof one);
    return {_mm512_set1_epi32(one[0]), _mm512_set1_epi32(one[1])};
  }
  const char* at = static_cast<const char*>(f.pairs) + 8 * ptrdiff_t{column};
  const __m512i low = _mm512_maskz_loadu_epi32(first16(2 * n), at);
  const __m512i high = n > 8 ? _mm512_maskz_loadu_epi32(first16(2 * n - 16), at + 64) : _mm512_setzero_si512();
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  return {_mm512_permutex2var_epi32(low, even, high), _mm512_permutex2var_epi32(low, odd, high)};
}

/// 64-bit products of the even and of the odd lanes.
struct products {
  __m512i even, odd;
};
LOWBITS_REGION_INLINE products multiply(__m512i x, __m512i mantissa) {
  return {_mm512_mul_epi32(x, mantissa),
          _mm512_mul_epi32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(mantissa, 32))};
}
/// The upper halves, back in lane order.
LOWBITS_REGION_INLINE __m512i upper_halves(const products& p) {
  return _mm512_mask_shuffle_epi32(p.odd, 0x5555, p.even, static_cast<_MM_PERM_ENUM>(0xf5));
}
LOWBITS_REGION_INLINE __m512i lower_halves(const products& p) {
  return _mm512_mask_shuffle_epi32(p.even, 0xaaaa, p.odd, static_cast<_MM_PERM_ENUM>(0xa0));
}

/// Rescales by one rounding where every exponent is at most -2. The product's upper half is enough
/// then: floor((floor(p / 2^32) + 2^(s-33)) / 2^(s-32)) = floor((p + 2^(s-1)) / 2^s), s >= 33.
struct rescale_small {
  __m512i mantissa, half, drop;
  LOWBITS_REGION_INLINE static bool suits(const factors16& f, int n) {
    return _mm512_mask_cmpgt_epi32_mask(first16(n), f.exponent, _mm512_set1_epi32(-2)) == 0;
  }
  LOWBITS_REGION_INLINE explicit rescale_small(const factors16& f) : mantissa(f.mantissa) {
    drop = _mm512_sub_epi32(_mm512_set1_epi32(-1), f.exponent);
    half = _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_sub_epi32(drop, _mm512_set1_epi32(1)));
  }
  LOWBITS_REGION_INLINE __m512i operator()(__m512i x, __m512i, __m512i) const {
    return pairs(x, _mm512_srli_epi64(x, 32));
  }
  /// x's even numbers, and its odd ones in their places.
  LOWBITS_REGION_INLINE __m512i pairs(__m512i even, __m512i odd) const {
    const products p = {_mm512_mul_epi32(even, mantissa), _mm512_mul_epi32(odd, _mm512_srli_epi64(mantissa, 32))};
    return _mm512_srav_epi32(_mm512_add_epi32(upper_halves(p), half), drop);
  }
};

/// Rescales by one rounding with any exponent, in 64 bits.
struct rescale_once {
  __m512i mantissa;
  products half, drop;
  LOWBITS_REGION_INLINE explicit rescale_once(const factors16& f) : mantissa(f.mantissa) {
    const __m512i shift = _mm512_sub_epi32(_mm512_set1_epi32(31), f.exponent);
    drop = {_mm512_srli_epi64(_mm512_slli_epi64(shift, 32), 32), _mm512_srli_epi64(shift, 32)};
    const __m512i one = _mm512_set1_epi64(1);
    half = {_mm512_sllv_epi64(one, _mm512_sub_epi64(drop.even, one)),
            _mm512_sllv_epi64(one, _mm512_sub_epi64(drop.odd, one))};
  }
  LOWBITS_REGION_INLINE __m512i operator()(__m512i x, __m512i lowest, __m512i highest) const {
    const products p = multiply(x, mantissa);
    const __m512i low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(lowest));
    const __m512i high = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(highest));
    const __m512i even = _mm512_srav_epi64(_mm512_add_epi64(p.even, half.even), drop.even);
    const __m512i odd = _mm512_srav_epi64(_mm512_add_epi64(p.odd, half.odd), drop.odd);
    return lower_halves({_mm512_min_epi64(_mm512_max_epi64(even, low), high),
                         _mm512_min_epi64(_mm512_max_epi64(odd, low), high)});
  }
};

/// Saturating left shift, rounding high product, rounding right shift, with any exponent.
struct rescale_twice {
  __m512i mantissa, left, right, mask, threshold;
  LOWBITS_REGION_INLINE explicit rescale_twice(const factors16& f) : mantissa(f.mantissa) {
    const __m512i zero = _mm512_setzero_si512();
    left = _mm512_max_epi32(f.exponent, zero);
    right = _mm512_max_epi32(_mm512_sub_epi32(zero, f.exponent), zero);
    mask = _mm512_sub_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(1), right), _mm512_set1_epi32(1));
    threshold = _mm512_srli_epi32(mask, 1);
  }
  LOWBITS_REGION_INLINE __m512i operator()(__m512i x, __m512i, __m512i) const {
    const __m512i shifted = _mm512_sllv_epi32(x, left);
    const __mmask16 lost = _mm512_cmpneq_epi32_mask(_mm512_srav_epi32(shifted, left), x);
    const __m512i end = _mm512_xor_si512(_mm512_srai_epi32(x, 31), _mm512_set1_epi32(0x7fff'ffff));
    const products p = multiply(_mm512_mask_mov_epi32(shifted, lost, end), mantissa);
    const __m512i half = _mm512_set1_epi64(int64_t{1} << 30);
    // (p + 2^30) / 2^31 fits in 32 bits: bits 31..62, brought into the upper halves.
    const __m512i h = upper_halves({_mm512_slli_epi64(_mm512_add_epi64(p.even, half), 1),
                                    _mm512_slli_epi64(_mm512_add_epi64(p.odd, half), 1)});
    const __m512i limit = _mm512_sub_epi32(threshold, _mm512_srai_epi32(h, 31));
    const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(h, mask), limit);
    const __m512i y = _mm512_srav_epi32(h, right);
    return _mm512_mask_add_epi32(y, up, y, _mm512_set1_epi32(1));
  }
};

}  // namespace lowbits::detail::avx512
LOWBITS_REGION_END
