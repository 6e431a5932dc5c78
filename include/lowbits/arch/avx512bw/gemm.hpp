// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product tiles with AVX-512 but without VNNI: vpmaddwd on 512 bits.

#include <lowbits/arch/avx512bw/common.hpp>

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

using vec = __m512i;
inline constexpr int lanes = 16;
LOWBITS_REGION_INLINE vec zero() { return _mm512_setzero_si512(); }
LOWBITS_REGION_INLINE vec both(int32_t two) { return _mm512_set1_epi32(two); }
LOWBITS_REGION_INLINE vec add(vec a, vec b) { return _mm512_add_epi32(a, b); }
LOWBITS_REGION_INLINE vec madd(vec a, vec b) { return _mm512_madd_epi16(a, b); }
template <class Code>
LOWBITS_REGION_INLINE vec widen_at(const Code* p) {
  return widen<Code>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

#include <lowbits/arch/madd_gemm.inc>

}  // namespace detail::avx512

template <>
struct prim<prims::gemm, arch::avx512bw> : detail::avx512::madd_gemm<12> {
  template <class Code>
  static void fetch(int rows, int n, const Code* x, ptrdiff_t x_step, element* to, ptrdiff_t to_step) noexcept {
    using namespace detail::avx512;
    const int whole = (n - 1) / 32 * 32;
    const auto rest = static_cast<__mmask32>(first64(n - whole));
    for (; rows > 0; --rows, x += x_step, to += to_step) {
      for (int i = 0; i < whole; i += 32) store(to + i, widen_at(x + i));
      _mm512_mask_storeu_epi16(to + whole, rest, widen<Code>(_mm256_maskz_loadu_epi8(rest, x + whole)));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
