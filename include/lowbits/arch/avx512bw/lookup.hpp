// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Tables of 256 bytes with AVX-512: two permutations of 128 entries each where the processor has
// AVX512-VBMI (Ice Lake, Zen 4 and later), the shuffles of AVX2 where it has not.

#include <lowbits/arch/avx2/lookup.hpp>
#include <lowbits/arch/avx512bw/common.hpp>

LOWBITS_REGION_BEGIN("avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi", "icelake-server")
namespace lowbits::inline LOWBITS_ABI::detail::avx512vbmi {

inline void lookup(size_t n, const uint8_t* x, const uint8_t* table, uint8_t* out) noexcept {
  const __m512i a = _mm512_loadu_si512(table), b = _mm512_loadu_si512(table + 64);
  const __m512i c = _mm512_loadu_si512(table + 128), d = _mm512_loadu_si512(table + 192);
  const auto look = [&](__m512i v) __attribute__((always_inline)) {  // the index's highest bit chooses the half
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(v), _mm512_permutex2var_epi8(a, v, b), _mm512_permutex2var_epi8(c, v, d));
  };
  size_t i = 0;
  for (; i + 64 <= n; i += 64) _mm512_storeu_si512(out + i, look(_mm512_loadu_si512(x + i)));
  if (i == n) return;
  const __mmask64 rest = (__mmask64{1} << (n - i)) - 1u;
  _mm512_mask_storeu_epi8(out + i, rest, look(_mm512_maskz_loadu_epi8(rest, x + i)));
}

}  // namespace lowbits::detail::avx512vbmi
LOWBITS_REGION_END

namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::lookup, arch::avx512bw> {
  static void run(size_t n, const uint8_t* x, const uint8_t* table, uint8_t* out) noexcept {
    if (has_vbmi()) detail::avx512vbmi::lookup(n, x, table, out);
    else prim<prims::lookup, arch::avx2>::run(n, x, table, out);
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
