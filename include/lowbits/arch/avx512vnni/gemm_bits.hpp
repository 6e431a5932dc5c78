// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of a few rows and weights of 1 to 7 bits with vpdpbusd.

#include <type_traits>

#include <lowbits/arch/avx512vnni/gemm.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512_bits {

using avx512::dot, avx512::load, avx512::store;
using vec = __m512i;
inline constexpr int lanes = 16;
inline constexpr bool fields_stay = true;
LOWBITS_REGION_INLINE vec zero() { return _mm512_setzero_si512(); }
/// g++ would load again for each use: a 512-bit load costs as much as a product.
LOWBITS_REGION_INLINE vec load_once(const void* p) {
  vec v = load(p);
  asm("" : "+v"(v));
  return v;
}
LOWBITS_REGION_INLINE vec repeat(int32_t x) { return _mm512_set1_epi32(x); }
LOWBITS_REGION_INLINE vec add(vec a, vec b) { return _mm512_add_epi32(a, b); }
LOWBITS_REGION_INLINE vec right(vec a, int n) { return _mm512_sra_epi32(a, _mm_cvtsi32_si128(n)); }
LOWBITS_REGION_INLINE vec left(vec a, int n) { return _mm512_sll_epi32(a, _mm_cvtsi32_si128(n)); }
LOWBITS_REGION_INLINE vec bytes(int x) { return _mm512_set1_epi8(static_cast<char>(x)); }
LOWBITS_REGION_INLINE vec in_both(vec a, vec b) { return _mm512_and_si512(a, b); }
LOWBITS_REGION_INLINE vec choose(vec mask, vec a, vec b) { return _mm512_ternarylogic_epi32(mask, a, b, 0xca); }
template <int N>
LOWBITS_REGION_INLINE vec word_right(vec a) { return _mm512_srli_epi16(a, N); }

#include <lowbits/arch/bits_gemm.inc>

}  // namespace detail::avx512_bits

template <>
struct prim<prims::gemm_bits, arch::avx512vnni> {
  static constexpr int bits_for_all_rows = 7, l2_rows = 47;

  template <int Bits>
  static void run(int m, int n, int groups, const int8_t* x, ptrdiff_t stride, const unsigned char* w, int twice,
                  const int32_t* start, const int32_t* offsets, int32_t* acc) noexcept {
    detail::avx512_bits::bits_run<Bits>(m, n, groups, x, stride, w, twice, start, offsets, acc);
  }

  /// step is 4.
  template <int Bits>
  static void unpack(int n, int groups, int /*step*/, const unsigned char* w, int twice, int minus, int8_t* to) noexcept {
    using namespace detail::avx512_bits;
    const vec drop = bytes(minus), again = bytes(-twice);
    for (int c = 0; c < n; c += 16)
      for (int g = 0; g < groups; ++g, w += 64 * Bits) {
        packed_eight<Bits> codes;
#pragma GCC unroll 7
        for (int t = 0; t < Bits; ++t) codes.v[t] = load_once(w + 64 * t);
        int8_t* const at = to + (ptrdiff_t{8} * g * n + c) * 4;
        const auto one = [&]<int I>(std::integral_constant<int, I>) __attribute__((always_inline)) {
          const vec q = codes.template code<I>();
          store(at + ptrdiff_t{I} * n * 4, _mm512_sub_epi8(_mm512_add_epi8(q, in_both(q, again)), drop));
        };
        one(std::integral_constant<int, 0>{}), one(std::integral_constant<int, 1>{}), one(std::integral_constant<int, 2>{});
        one(std::integral_constant<int, 3>{}), one(std::integral_constant<int, 4>{}), one(std::integral_constant<int, 5>{});
        one(std::integral_constant<int, 6>{}), one(std::integral_constant<int, 7>{});
      }
  }

  static int32_t rows(int n, int padded, const uint8_t* x, int minus, int8_t* to) noexcept {
    using namespace detail::avx512;
    const __m512i drop = _mm512_set1_epi8(static_cast<char>(minus)), ones = _mm512_set1_epi8(1);
    __m512i sum = _mm512_setzero_si512();
    for (int i = 0; i < padded; i += 64) {
      const __mmask64 used = first64(n - i < 0 ? 0 : n - i);
      const __m512i codes = _mm512_maskz_sub_epi8(used, _mm512_maskz_loadu_epi8(used, x + i), drop);
      dot(sum, ones, codes);
      _mm512_mask_storeu_epi8(to + i, first64(padded - i), codes);
    }
    return _mm512_reduce_add_epi32(sum);
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
