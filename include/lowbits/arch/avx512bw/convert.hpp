// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Floats to codes and back with AVX-512.

#include <lowbits/arch/avx512bw/requantize.hpp>
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
LOWBITS_REGION_INLINE __m512i bytes_of(int code) { return _mm512_set1_epi8(static_cast<char>(code)); }

/// Floats to codes by division, sixteen at a time: the definition.
template <class Code>
__attribute__((noinline)) void divide(size_t n, const float* x, float scale, const code_stage& stage, Code* out) noexcept {
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

/// Blocks of 64 floats to codes, see arch/quick_division.hpp.
template <bool Clamps, class Code>
struct quick_blocks {
  __m512 factor, offset;
  __m512i undecided, lowest, highest, upper;
  float scale;
  const code_stage& stage;

  LOWBITS_REGION_INLINE quick_blocks(const quick_division& q, float s, const code_stage& to)
      : factor(_mm512_set1_ps(q.factor)), offset(_mm512_set1_ps(q.offset)), undecided(_mm512_set1_epi32(0xfff8)),
        lowest(bytes_of(to.lowest)), highest(bytes_of(to.highest)), scale(s), stage(to) {
    // The upper words of 16 + 16 numbers.
    const __m512i number = _mm512_cvtepu8_epi16(_mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31));
    upper = _mm512_add_epi16(_mm512_add_epi16(number, number), _mm512_set1_epi16(1));
  }
  LOWBITS_REGION_INLINE void operator()(const float* x, Code* out) const {
    const auto part = [&](const float* p) __attribute__((always_inline)) {
      return _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_loadu_ps(p), factor, offset));
    };
    const __m512i a = part(x), b = part(x + 16), c = part(x + 32), d = part(x + 48);
    const __m512i least = _mm512_min_epu16(_mm512_min_epu16(a, b), _mm512_min_epu16(c, d));
    if (_mm512_testn_epi32_mask(least, undecided) != 0) [[unlikely]] return divide(64, x, scale, stage, out);
    const __m512i codes = saturated<Code>(_mm512_permutex2var_epi16(a, upper, b), _mm512_permutex2var_epi16(c, upper, d));
    store(out, Clamps ? held_bytes<Code>(codes, lowest, highest) : codes);
  }
};

}  // namespace detail::avx512

template <>
struct prim<prims::quantize, arch::avx512bw> {
  template <class Code>
  static void run(size_t n, const float* x, float scale, const code_stage& stage, Code* out) noexcept {
    size_t i = 0;
    if (const auto quick = detail::quick_division::of(scale, stage, Code{}); quick.factor > 0)
      i = quick.clamps ? blocks<true>(n, x, scale, stage, quick, out) : blocks<false>(n, x, scale, stage, quick, out);
    if (i < n) detail::avx512::divide(n - i, x + i, scale, stage, out + i);
  }

private:
  /// As many whole blocks as there are; returns how many numbers that was.
  template <bool Clamps, class Code>
  static size_t blocks(size_t n, const float* x, float scale, const code_stage& stage,
                       const detail::quick_division& quick, Code* out) noexcept {
    const detail::avx512::quick_blocks<Clamps, Code> convert(quick, scale, stage);
    size_t i = 0;
    for (; i + 64 <= n; i += 64) convert(x + i, out + i);
    return i;
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

namespace detail::avx512 {

/// The lowest and the highest of 0 and the numbers that were added. Floats of one sign are ordered as
/// their bits are: the largest signed integer is the highest number, or 0; the largest unsigned one the
/// lowest, or -0. A NaN or an infinity shows at the end.
struct range_of_bits {
  __m512i high[4], low[4];

  LOWBITS_REGION_INLINE range_of_bits() {
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) high[k] = _mm512_setzero_si512(), low[k] = _mm512_set1_epi32(lowest_of<int>);
  }
  LOWBITS_REGION_INLINE void add(int k, __m512i v) {
    asm("" : "+v"(v));  // loaded once, not as an operand of both
    high[k] = _mm512_max_epi32(high[k], v);
    low[k] = _mm512_max_epu32(low[k], v);
  }
  /// Unless FindsAll, what is not finite is left out.
  template <bool FindsAll = true>
  LOWBITS_REGION_INLINE void add_some(size_t n, const float* x) {
    for (size_t i = 0; i < n; i += 16) {
      __m512i v = _mm512_maskz_loadu_epi32(first16(n - i < 16 ? static_cast<int>(n - i) : 16), x + i);
      const __m512i size = _mm512_and_si512(v, _mm512_set1_epi32(0x7fff'ffff));
      if constexpr (!FindsAll) v = _mm512_maskz_mov_epi32(_mm512_cmplt_epi32_mask(size, _mm512_set1_epi32(0x7f80'0000)), v);
      add(0, v);
    }
  }
  /// False when there is something that is not finite.
  LOWBITS_REGION_INLINE bool get(float* ends) const {
    const __m512i h = _mm512_max_epi32(_mm512_max_epi32(high[0], high[1]), _mm512_max_epi32(high[2], high[3]));
    const __m512i l = _mm512_max_epu32(_mm512_max_epu32(low[0], low[1]), _mm512_max_epu32(low[2], low[3]));
    const uint32_t highest = static_cast<uint32_t>(_mm512_reduce_max_epi32(h)), lowest = _mm512_reduce_max_epu32(l);
    ends[0] = fp::from_bits(lowest == fp::sign_mask ? 0 : lowest);
    ends[1] = fp::from_bits(highest);
    return highest < fp::infinity_bits && lowest < (fp::sign_mask | fp::infinity_bits);
  }
};
__attribute__((noinline)) inline void find_finite(size_t n, const float* x, float* ends) noexcept {
  range_of_bits range;
  range.add_some<false>(n, x);
  range.get(ends);
}

}  // namespace detail::avx512

template <>
struct prim<prims::finite_range, arch::avx512bw> {
  static void run(size_t n, const float* x, float* ends) noexcept {
    using namespace detail::avx512;
    range_of_bits range;
    size_t i = 0;
    for (; i + 64 <= n; i += 64)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) range.add(k, load(x + i + 16 * k));
    range.add_some(n - i, x + i);
    if (!range.get(ends)) find_finite(n, x, ends);
  }
};

template <>
struct prim<prims::quantize_and_range, arch::avx512bw> {
  template <class Code>
  static void run(size_t n, const float* x, float scale, const code_stage& stage, Code* out, const float* next, float* ends) noexcept {
    using namespace detail::avx512;
    const auto quick = detail::quick_division::of(scale, stage, Code{});
    if (quick.factor > 0 && !quick.clamps) {
      const quick_blocks<false, Code> convert(quick, scale, stage);
      range_of_bits range;
      size_t i = 0;
      for (; i + 64 <= n; i += 64) {
        convert(x + i, out + i);
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) range.add(k, load(next + i + 16 * k));
      }
      range.add_some(n - i, next + i);
      if (!range.get(ends)) find_finite(n, next, ends);
      if (i < n) divide(n - i, x + i, scale, stage, out + i);
    } else {
      prim<prims::finite_range, arch::avx512bw>::run(n, next, ends);
      prim<prims::quantize, arch::avx512bw>::run(n, x, scale, stage, out);
    }
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
