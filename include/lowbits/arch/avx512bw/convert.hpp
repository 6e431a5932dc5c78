// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Floats to codes and back with AVX-512.

#include <lowbits/arch/avx512bw/common.hpp>
#include <lowbits/arch/quick_division.hpp>

LOWBITS_REGION_AVX512BW
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// Bytes of 32 + 32 words in order, saturated.
template <class Code>
LOWBITS_REGION_INLINE __m512i saturated(__m512i low, __m512i high) {
  const __m512i bytes = Code(-1) < Code(0) ? _mm512_packs_epi16(low, high) : _mm512_packus_epi16(low, high);
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), bytes);
}
template <class Code>
LOWBITS_REGION_INLINE __m512i held_bytes(__m512i v, __m512i lowest, __m512i highest) {
  if constexpr (Code(-1) < Code(0)) return _mm512_min_epi8(_mm512_max_epi8(v, lowest), highest);
  else return _mm512_min_epu8(_mm512_max_epu8(v, lowest), highest);
}
LOWBITS_REGION_INLINE __m512i bytes_of(int code) { return _mm512_set1_epi8(static_cast<char>(code)); }

}  // namespace detail::avx512

template <>
struct prim<prims::quantize, arch::avx512bw> {
  template <class Code>
  static void run(size_t n, const float* x, float scale, const code_stage& stage, Code* out) noexcept {
    size_t i = 0;
    if (const auto quick = detail::quick_division::of(scale, stage, Code{}); quick.factor > 0)
      i = quick.clamps ? blocks<true>(n, x, scale, stage, quick, out) : blocks<false>(n, x, scale, stage, quick, out);
    if (i < n) divide(n - i, x + i, scale, stage, out + i);
  }

private:
  /// As many whole blocks of 64 as there are; returns how many numbers that was.
  template <bool Clamps, class Code>
  static size_t blocks(size_t n, const float* x, float scale, const code_stage& stage,
                       const detail::quick_division& quick, Code* out) noexcept {
    using namespace detail::avx512;
    const __m512 factor = _mm512_set1_ps(quick.factor), offset = _mm512_set1_ps(quick.offset);
    const __m512i undecided = _mm512_set1_epi32(0xfff8), lowest = bytes_of(stage.lowest), highest = bytes_of(stage.highest);
    const __m512i even = _mm512_cvtepu8_epi16(_mm256_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62));
    const __m512i upper = _mm512_add_epi16(even, _mm512_set1_epi16(1));  // the upper words of 16 + 16 numbers
    const auto part = [&](const float* p) __attribute__((always_inline)) {
      return _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_loadu_ps(p), factor, offset));
    };
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
      const __m512i a = part(x + i), b = part(x + i + 16), c = part(x + i + 32), d = part(x + i + 48);
      const __m512i least = _mm512_min_epu16(_mm512_min_epu16(a, b), _mm512_min_epu16(c, d));
      if (_mm512_testn_epi32_mask(least, undecided) != 0) [[unlikely]] {
        divide(64, x + i, scale, stage, out + i);
        continue;
      }
      const __m512i codes = saturated<Code>(_mm512_permutex2var_epi16(a, upper, b), _mm512_permutex2var_epi16(c, upper, d));
      store(out + i, Clamps ? held_bytes<Code>(codes, lowest, highest) : codes);
    }
    return i;
  }
  /// The definition, sixteen at a time.
  template <class Code>
  __attribute__((noinline)) static void divide(size_t n, const float* x, float scale, const code_stage& stage,
                                               Code* out) noexcept {
    using namespace detail::avx512;
    const __m512 divisor = _mm512_set1_ps(scale);
    const __m512i zero_point = _mm512_set1_epi32(stage.zero_point);
    const __m512i lowest = _mm512_set1_epi32(stage.lowest), highest = _mm512_set1_epi32(stage.highest);
    for (size_t i = 0; i < n; i += 16) {
      const int k = n - i < 16 ? static_cast<int>(n - i) : 16;
      const __m512i bits = _mm512_maskz_loadu_epi32(first16(k), x + i);
      __m512 q;  // an instruction of its own: -ffast-math would multiply with an approximate reciprocal
      asm("vdivps %2, %1, %0" : "=v"(q) : "v"(_mm512_castsi512_ps(bits)), "v"(divisor));
      const __m512i size = _mm512_and_si512(bits, _mm512_set1_epi32(0x7fff'ffff));
      const __mmask16 number = _mm512_cmple_epi32_mask(size, _mm512_set1_epi32(0x7f80'0000));
      // Wider than any range of codes, and within int32.
      q = _mm512_min_ps(_mm512_maskz_max_ps(number, q, _mm512_set1_ps(-1048576.0f)), _mm512_set1_ps(1048576.0f));
      const __m512i nearest = _mm512_cvt_roundps_epi32(q, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      const __m512i code = _mm512_add_epi32(nearest, zero_point);
      _mm512_mask_cvtepi32_storeu_epi8(out + i, first16(k), _mm512_min_epi32(_mm512_max_epi32(code, lowest), highest));
    }
  }
};

template <>
struct prim<prims::dequantize, arch::avx512bw> {
  template <class Code>
  static void run(size_t n, const Code* x, int zero, float scale, float* out) noexcept {
    using namespace detail::avx512;
    const __m512i offset = _mm512_set1_epi32(zero);
    const __m512 factor = _mm512_set1_ps(scale);
    const auto real = [&](__m128i codes) __attribute__((always_inline)) {
      const __m512i wide = Code(-1) < Code(0) ? _mm512_cvtepi8_epi32(codes) : _mm512_cvtepu8_epi32(codes);
      return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(wide, offset)), factor);
    };
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
      _mm512_storeu_ps(out + i, real(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i))));
    if (i < n) {
      const __mmask16 rest = first16(static_cast<int>(n - i));
      _mm512_mask_storeu_ps(out + i, rest, real(_mm_maskz_loadu_epi8(rest, x + i)));
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
