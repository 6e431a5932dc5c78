// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the SSE4.1 primitives share: loads and stores of parts of a vector, and rescaling.

#include <lowbits/arch/prim.hpp>
#include <lowbits/arch/region.hpp>

#define LOWBITS_REGION_SSE41 LOWBITS_REGION_BEGIN("ssse3,sse4.1", "nehalem")

LOWBITS_REGION_SSE41
namespace lowbits::inline LOWBITS_ABI::detail::sse41 {

LOWBITS_REGION_INLINE __m128i load(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
LOWBITS_REGION_INLINE void store(void* p, __m128i v) { _mm_storeu_si128(static_cast<__m128i*>(p), v); }
/// The first n bytes at p, at most 8; the rest is zero.
LOWBITS_REGION_INLINE __m128i load_half(const void* p, int n) {
  if (n >= 8) return _mm_loadl_epi64(static_cast<const __m128i*>(p));
  alignas(16) unsigned char bytes[16] = {};
  __builtin_memcpy(bytes, p, static_cast<size_t>(n));
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}
LOWBITS_REGION_INLINE void store_half(void* p, __m128i v, int n) {
  if (n >= 8) return _mm_storel_epi64(static_cast<__m128i*>(p), v);
  alignas(16) unsigned char bytes[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes), v);
  __builtin_memcpy(p, bytes, static_cast<size_t>(n));
}
/// Eight codes as 16-bit numbers, and back where they fit.
template <class Code>
LOWBITS_REGION_INLINE __m128i widen(__m128i codes) {
  if constexpr (Code(-1) < Code(0)) return _mm_cvtepi8_epi16(codes);
  else return _mm_cvtepu8_epi16(codes);
}
template <class Code>
LOWBITS_REGION_INLINE __m128i pack_words(__m128i a, __m128i b) {
  if constexpr (Code(-1) < Code(0)) return _mm_packs_epi16(a, b);
  else return _mm_packus_epi16(a, b);
}
LOWBITS_REGION_INLINE __m128i words_of(int x) { return _mm_set1_epi16(static_cast<int16_t>(x)); }

/// The output stage of 4 + 4 rescaled numbers, to words; packing saturates far outside any range of codes.
struct word_stage {
  __m128i zero_point, lowest, highest;
  LOWBITS_REGION_INLINE explicit word_stage(const code_stage& s)
      : zero_point(words_of(s.zero_point)), lowest(words_of(s.lowest - s.zero_point)),
        highest(words_of(s.highest - s.zero_point)) {}
  LOWBITS_REGION_INLINE __m128i operator()(__m128i a, __m128i b) const {
    return _mm_add_epi16(_mm_min_epi16(_mm_max_epi16(_mm_packs_epi32(a, b), lowest), highest), zero_point);
  }
};

/// The factors of four columns.
struct factors4 {
  __m128i mantissa, exponent;
};
/// Of columns `column` to `column` + n - 1, n <= 4; beyond them a factor of 0.
LOWBITS_REGION_INLINE factors4 load_factors(const column_factors& f, int column, int n) {
  alignas(16) int32_t pairs[8] = {0, -31, 0, -31, 0, -31, 0, -31};
  const char* at = static_cast<const char*>(f.pairs) + (f.per_column ? 8 * ptrdiff_t{column} : 0);
  if (f.per_column) {
    if (n > 0) __builtin_memcpy(pairs, at, 8 * static_cast<size_t>(n));
  } else {
    for (int c = 0; c < 4; ++c) __builtin_memcpy(pairs + 2 * c, at, 8);
  }
  const __m128 low = _mm_castsi128_ps(load(pairs)), high = _mm_castsi128_ps(load(pairs + 4));
  return {_mm_castps_si128(_mm_shuffle_ps(low, high, 0x88)), _mm_castps_si128(_mm_shuffle_ps(low, high, 0xdd))};
}

/// 64-bit products of the even and of the odd lanes.
struct products {
  __m128i even, odd;
};
/// The upper halves, back in lane order.
LOWBITS_REGION_INLINE __m128i upper_halves(const products& p) {
  return _mm_blend_epi16(_mm_shuffle_epi32(p.even, 0xf5), p.odd, 0xcc);
}
/// 2^k, 0 <= k <= 30, by way of the exponent of a float.
LOWBITS_REGION_INLINE __m128i power_of_two(__m128i k) {
  return _mm_cvttps_epi32(_mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(k, _mm_set1_epi32(127)), 23)));
}

/// x >> n, each lane its own n, 1 <= n <= 31; there is no such shift before AVX2. With the sign bit
/// flipped, x is a non-negative u = x + 2^31, and u >> n is the upper half of u * 2^(32-n).
struct shift_right {
  __m128i bias, even, odd;
  LOWBITS_REGION_INLINE explicit shift_right(__m128i n) {
    bias = power_of_two(_mm_sub_epi32(_mm_set1_epi32(31), n));
    even = _mm_add_epi32(bias, bias);
    odd = _mm_srli_epi64(even, 32);
  }
  LOWBITS_REGION_INLINE __m128i of_flipped(__m128i u) const {
    return _mm_sub_epi32(upper_halves({_mm_mul_epu32(u, even), _mm_mul_epu32(_mm_srli_epi64(u, 32), odd)}), bias);
  }
};
LOWBITS_REGION_INLINE __m128i sign_bits() { return _mm_set1_epi32(lowest_of<int32_t>); }

// ---- rescaling: four numbers times their factors, where the exponents suit; elsewhere code_of().
struct rescaler {
  __m128i even, odd;
  LOWBITS_REGION_INLINE explicit rescaler(__m128i mantissa) : even(mantissa), odd(_mm_srli_epi64(mantissa, 32)) {}
  LOWBITS_REGION_INLINE products multiply(__m128i x) const {
    return {_mm_mul_epi32(x, even), _mm_mul_epi32(_mm_srli_epi64(x, 32), odd)};
  }
  LOWBITS_REGION_INLINE static bool all_at_most(__m128i exponent, int limit) {
    return _mm_movemask_epi8(_mm_cmpgt_epi32(exponent, _mm_set1_epi32(limit))) == 0;
  }
};

/// By one rounding, exponents at most -2. The product's upper half is enough then:
/// floor((floor(p / 2^32) + 2^(s-33)) / 2^(s-32)) = floor((p + 2^(s-1)) / 2^s), s >= 33.
struct rescale_once : rescaler {
  shift_right shift;
  __m128i half;
  LOWBITS_REGION_INLINE static bool suits(const factors4& f) { return all_at_most(f.exponent, -2); }
  LOWBITS_REGION_INLINE explicit rescale_once(const factors4& f)
      : rescaler(f.mantissa), shift(_mm_sub_epi32(_mm_set1_epi32(-1), f.exponent)),
        half(_mm_xor_si128(power_of_two(_mm_sub_epi32(_mm_set1_epi32(-2), f.exponent)), sign_bits())) {}
  LOWBITS_REGION_INLINE __m128i operator()(__m128i x) const {
    return shift.of_flipped(_mm_add_epi32(upper_halves(multiply(x)), half));
  }
};

/// Rounding high product, then rounding right shift, exponents at most -1.
struct rescale_twice : rescaler {
  shift_right shift;
  __m128i mask, threshold;
  LOWBITS_REGION_INLINE static bool suits(const factors4& f) { return all_at_most(f.exponent, -1); }
  LOWBITS_REGION_INLINE explicit rescale_twice(const factors4& f)
      : rescaler(f.mantissa), shift(_mm_sub_epi32(_mm_setzero_si128(), f.exponent)) {
    const __m128i one = _mm_set1_epi32(1), half = power_of_two(_mm_sub_epi32(_mm_set1_epi32(-1), f.exponent));
    threshold = _mm_sub_epi32(half, one);
    mask = _mm_add_epi32(threshold, half);
  }
  LOWBITS_REGION_INLINE __m128i operator()(__m128i x) const {
    const __m128i half = _mm_set1_epi64x(int64_t{1} << 30);
    const products p = multiply(x);
    // (p + 2^30) / 2^31 fits in 32 bits: bits 31..62, brought into the upper halves.
    const __m128i h = upper_halves({_mm_slli_epi64(_mm_add_epi64(p.even, half), 1),
                                    _mm_slli_epi64(_mm_add_epi64(p.odd, half), 1)});
    const __m128i limit = _mm_sub_epi32(threshold, _mm_srai_epi32(h, 31));
    const __m128i up = _mm_cmpgt_epi32(_mm_and_si128(h, mask), limit);
    return _mm_sub_epi32(shift.of_flipped(_mm_xor_si128(h, sign_bits())), up);
  }
};

/// The code of one sum in column c, with any exponent: scales of 1/4 and more are rare.
template <rescale_rule Rule, class Code>
Code code_of(int64_t x, const column_factors& factors, int c, const code_stage& stage) noexcept {
  int32_t f[2];
  __builtin_memcpy(f, static_cast<const char*>(factors.pairs) + (factors.per_column ? 8 * ptrdiff_t{c} : 0), 8);
  const int exponent = f[1];
  if constexpr (Rule == rescale_rule::once) {
    const int shift = 31 - exponent;
    x = (x * f[0] + (int64_t{1} << (shift - 1))) >> shift;
  } else {
    if (exponent > 0) x = lowbits::clamp<int64_t>(x * (int64_t{1} << exponent), lowest_of<int32_t>, highest_of<int32_t>);
    x = (x * f[0] + (int64_t{1} << 30)) >> 31;
    if (exponent < 0) {
      const int64_t mask = (int64_t{1} << -exponent) - 1;
      x = (x >> -exponent) + ((x & mask) > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
    }
  }
  return static_cast<Code>(lowbits::clamp<int64_t>(x + stage.zero_point, stage.lowest, stage.highest));
}

}  // namespace lowbits::detail::sse41
LOWBITS_REGION_END
