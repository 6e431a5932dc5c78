// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of a few rows and weights of five in a byte with vpdpbusd. Where the processor has AVX512-VBMI (Ice Lake, Zen 4
// and later) a permutation of bytes is a table of 64 entries; where it has not, AVX2's products serve.

#include <lowbits/arch/avx2/gemm_trits.hpp>
#include <lowbits/arch/avx512vnni/gemm.hpp>
#include <lowbits/core/cpu.hpp>

LOWBITS_REGION_BEGIN("avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi", "icelake-server")
namespace lowbits::inline LOWBITS_ABI::detail::avx512_trits {

using vec = __m512i;
inline constexpr int lanes = 16;
LOWBITS_REGION_INLINE vec zero() { return _mm512_setzero_si512(); }
LOWBITS_REGION_INLINE vec load(const void* p) { return _mm512_loadu_si512(p); }
/// g++ would load again for the second use, and a load costs as much as a product.
LOWBITS_REGION_INLINE vec load_once(const void* p) {
  vec v = load(p);
  asm("" : "+v"(v));
  return v;
}
LOWBITS_REGION_INLINE void store(void* p, vec v) { _mm512_storeu_si512(p, v); }
LOWBITS_REGION_INLINE vec repeat(int32_t x) { return _mm512_set1_epi32(x); }
LOWBITS_REGION_INLINE vec add(vec a, vec b) { return _mm512_add_epi32(a, b); }

LOWBITS_REGION_INLINE vec right(vec a, int n) { return _mm512_sra_epi32(a, _mm_cvtsi32_si128(n)); }
LOWBITS_REGION_INLINE vec masked(vec a, int x) { return _mm512_and_si512(a, _mm512_set1_epi8(static_cast<char>(x))); }
LOWBITS_REGION_INLINE void dot(vec& acc, vec u, vec s) {
#if defined(__clang__)
  acc = _mm512_dpbusd_epi32(acc, u, s);
#else  // with the intrinsic, g++ 12 keeps sums in memory
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(s));
#endif
}
/// A permutation looks at the lowest six bits of its indices only.
LOWBITS_REGION_INLINE vec upper_six(vec b) { return _mm512_srli_epi16(b, 2); }
LOWBITS_REGION_INLINE vec look(vec table, vec index) { return _mm512_permutexvar_epi8(index, table); }
LOWBITS_REGION_INLINE vec triple_of(vec b, vec pair) { return _mm512_ternarylogic_epi32(b, pair, _mm512_set1_epi8(3), 0xe4); }

/// Several rows: digits as they are, by a table for each.
template <int M>
struct trit_digits {
  static constexpr int sums = 1, places[] = {0}, most_groups = 0x7fff'ffff;
  vec pairs, first, digit[3];

  /// Written out: one that the compiler makes would not be of the region.
  LOWBITS_REGION_INLINE trit_digits() : pairs(load(trit_table.pairs)), first(load(trit_table.first)) {
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) digit[i] = load(trit_table.digit[i]);
  }
  LOWBITS_REGION_INLINE void take(vec b, vec (&d)[5]) const {
    const vec u = upper_six(b), pair = look(pairs, u), triple = triple_of(b, pair);
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) d[i] = look(digit[i], triple);
    d[3] = look(first, u);
    d[4] = masked(pair, 3);
  }
  LOWBITS_REGION_INLINE static void multiply(vec (&a)[1], const vec (&d)[5], const vec (&x)[5]) {
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) dot(a[0], d[i], x[i]);
  }
};
/// One row: the pair's first digit stays where it is, with a sum of its own.
template <>
struct trit_digits<1> {
  static constexpr int sums = 2, places[] = {0, 6};
  static constexpr int most_groups = 16383;  // 4 * 128 * 128 each in a lane: half of what fits
  vec pairs, digit[3];

  LOWBITS_REGION_INLINE trit_digits() : pairs(load(trit_table.pairs)) {
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) digit[i] = load(trit_table.digit[i]);
  }
  LOWBITS_REGION_INLINE void take(vec b, vec (&d)[5]) const {
    const vec pair = look(pairs, upper_six(b)), triple = triple_of(b, pair);
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) d[i] = look(digit[i], triple);
    d[3] = masked(pair, 3 << 6);
    d[4] = masked(pair, 3);
  }
  LOWBITS_REGION_INLINE static void multiply(vec (&a)[2], const vec (&d)[5], const vec (&x)[5]) {
#pragma GCC unroll 5
    for (int i = 4; i >= 0; --i) dot(a[i == 3], d[i], x[i]);
  }
};

#include <lowbits/arch/trits_gemm.inc>

inline void trits_unpack(int n, int groups, const unsigned char* w, int minus, int8_t* to) noexcept {
  const trit_digits<2> digits;
  const vec drop = _mm512_set1_epi8(static_cast<char>(minus));
  for (int c = 0; c < n; c += 16)
    for (int g = 0; g < groups; ++g, w += 64) {
      vec d[5];
      digits.take(load(w), d);
      int8_t* four = to + (ptrdiff_t{5} * g * n + c) * 4;
#pragma GCC unroll 5
      for (int i = 0; i < 5; ++i, four += ptrdiff_t{4} * n) store(four, _mm512_sub_epi8(d[i], drop));
    }
}

}  // namespace lowbits::detail::avx512_trits
LOWBITS_REGION_END

namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::gemm_trits, arch::avx512vnni> {
  static void run(int m, int n, int groups, const int8_t* x, ptrdiff_t stride, const unsigned char* w, int twice,
                  const int32_t* start, const int32_t* offsets, int32_t* acc) noexcept {
    if (has_vbmi()) detail::avx512_trits::trits_run(m, n, groups, x, stride, w, start, offsets, acc);
    else prim<prims::gemm_trits, arch::avx2>::run(m, n, groups, x, stride, w, twice, start, offsets, acc);
  }
  /// step is 4.
  static void unpack(int n, int groups, int step, const unsigned char* w, int twice, int minus, int8_t* to) noexcept {
    if (has_vbmi()) detail::avx512_trits::trits_unpack(n, groups, w, minus, to);
    else prim<prims::gemm_trits, arch::avx2>::unpack(n, groups, step, w, twice, minus, to);
  }

private:
  static bool has_vbmi() noexcept {
#if LOWBITS_DISPATCH
    return cpu::detect().has(cpu::feature::avx512vbmi);
#else
    return LOWBITS_NATIVE_AVX512VBMI != 0;
#endif
  }
};

}  // namespace lowbits
