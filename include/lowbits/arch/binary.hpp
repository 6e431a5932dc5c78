// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The primitives for products of signs, on all architectures that have them; and eight signs as a byte, which the compiler's
// own flags suffice for.

#include <lowbits/arch/prim.hpp>
#if LOWBITS_BUILD_X86
#include <lowbits/arch/avx2/binary_gemm.hpp>
#include <lowbits/arch/avx512bw/binary_gemm.hpp>
#endif

namespace lowbits::inline LOWBITS_ABI::detail {

/// Bit i is 1 where sums[i] >= thresholds[i], i < 8.
inline unsigned eight_signs(const int32_t* sums, const int32_t* thresholds) noexcept {
#if LOWBITS_BUILD_X86 && defined(__SSE2__)
  const auto below = [&](int i) {
    const __m128i s = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums + i)), t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(thresholds + i));
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmplt_epi32(s, t))));
  };
  return ~(below(0) | below(4) << 4) & 0xffu;
#else
  unsigned bits = 0;
  for (int i = 0; i < 8; ++i) bits |= (sums[i] >= thresholds[i] ? 1u : 0u) << i;
  return bits;
#endif
}

}  // namespace lowbits::detail
