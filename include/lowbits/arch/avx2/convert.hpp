// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Floats to codes and back with AVX2. The nearest integer does not depend on the rounding mode that
// is set; the division does, as in the scalar definition.

#include <lowbits/arch/avx2/common.hpp>
#include <lowbits/arch/quick_division.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx2 {

LOWBITS_REGION_INLINE __m256i upper_words(__m256i a, __m256i b) {
  return _mm256_packs_epi32(_mm256_srai_epi32(a, 16), _mm256_srai_epi32(b, 16));
}
template <class Code>
LOWBITS_REGION_INLINE __m256i held_bytes(__m256i v, __m256i lowest, __m256i highest) {
  if constexpr (Code(-1) < Code(0)) return _mm256_min_epi8(_mm256_max_epi8(v, lowest), highest);
  else return _mm256_min_epu8(_mm256_max_epu8(v, lowest), highest);
}

}  // namespace detail::avx2

template <>
struct prim<prims::quantize, arch::avx2> {
  template <class Code>
  static void run(size_t n, const float* x, float scale, const code_stage& stage, Code* out) noexcept {
    size_t i = 0;
    if (const auto quick = detail::quick_division::of(scale, stage, Code{}); quick.factor > 0)
      i = blocks(n, x, scale, stage, quick, out);
    if (i < n) divide(n - i, x + i, scale, stage, out + i);
  }

private:
  /// As many whole blocks of 32 as there are; returns how many numbers that was.
  template <class Code>
  static size_t blocks(size_t n, const float* x, float scale, const code_stage& stage,
                       const detail::quick_division& quick, Code* out) noexcept {
    using namespace detail::avx2;
    const __m256 factor = _mm256_set1_ps(quick.factor), offset = _mm256_set1_ps(quick.offset);
    const __m256i undecided = _mm256_set1_epi32(0xfff8);
    const __m256i lowest = _mm256_set1_epi8(static_cast<char>(stage.lowest));
    const __m256i highest = _mm256_set1_epi8(static_cast<char>(stage.highest));
    const auto part = [&](const float* p) __attribute__((always_inline)) {
      return _mm256_cvtps_epi32(_mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(p), factor), offset));
    };
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
      const __m256i a = part(x + i), b = part(x + i + 8), c = part(x + i + 16), d = part(x + i + 24);
      const __m256i least = _mm256_min_epu16(_mm256_min_epu16(a, b), _mm256_min_epu16(c, d));
      const __m256i near_tie = _mm256_cmpeq_epi32(_mm256_and_si256(least, undecided), _mm256_setzero_si256());
      if (_mm256_movemask_epi8(near_tie) != 0) [[unlikely]] divide(32, x + i, scale, stage, out + i);
      else store(out + i, held_bytes<Code>(in_order<Code>(upper_words(a, b), upper_words(c, d)), lowest, highest));
    }
    return i;
  }
  /// The definition.
  template <class Code>
  __attribute__((noinline)) static void divide(size_t n, const float* x, float scale, const code_stage& stage,
                                               Code* out) noexcept {
    using namespace detail::avx2;
    const __m256 divisor = _mm256_set1_ps(scale);
    const stage8 s(stage);
    for (size_t i = 0; i < n; i += 8) {
      const int k = n - i < 8 ? static_cast<int>(n - i) : 8;
      const __m256i v = code(_mm256_maskload_ps(x + i, first8(k)), divisor, s);
      store_bytes(out + i, low_bytes(v, v), k);
    }
  }
  LOWBITS_REGION_INLINE static __m256i code(__m256 x, __m256 divisor, const detail::avx2::stage8& s) {
    using namespace detail::avx2;
    __m256 q;  // an instruction of its own: -ffast-math would multiply with an approximate reciprocal
    asm("vdivps %2, %1, %0" : "=x"(q) : "x"(x), "x"(divisor));
    const __m256i size = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7fff'ffff));
    const __m256i nan = _mm256_cmpgt_epi32(size, _mm256_set1_epi32(0x7f80'0000));
    q = _mm256_andnot_ps(_mm256_castsi256_ps(nan), q);
    // Wider than any range of codes, and within int32.
    q = _mm256_min_ps(_mm256_max_ps(q, _mm256_set1_ps(-1048576.0f)), _mm256_set1_ps(1048576.0f));
    const __m256i nearest = _mm256_cvttps_epi32(_mm256_round_ps(q, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return _mm256_add_epi32(held(nearest, s.lowest, s.highest), s.zero_point);
  }
};

template <>
struct prim<prims::dequantize, arch::avx2> {
  template <class Code>
  static void run(size_t n, const Code* x, int zero, float scale, float* out) noexcept {
    using namespace detail::avx2;
    const __m256i offset = _mm256_set1_epi32(zero);
    const __m256 factor = _mm256_set1_ps(scale);
    const auto real = [&](__m128i codes) __attribute__((always_inline)) {
      return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(widen_to_32<Code>(codes), offset)), factor);
    };
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
      const __m128i codes = load_bytes(x + i, 16);
      _mm256_storeu_ps(out + i, real(codes));
      _mm256_storeu_ps(out + i + 8, real(_mm_srli_si128(codes, 8)));
    }
    for (; i < n; i += 8) {
      const int k = n - i < 8 ? static_cast<int>(n - i) : 8;
      _mm256_maskstore_ps(out + i, first8(k), real(load_bytes(x + i, k)));
    }
  }
};

template <>
struct prim<prims::finite_range, arch::avx2> {
  static void run(size_t n, const float* x, float* ends) noexcept {
    if (!find<true>(n, x, ends)) find<false>(n, x, ends);
  }

private:
  /// Floats of one sign are ordered as their bits are: the largest signed integer is the highest number,
  /// or 0; the largest unsigned one the lowest, or -0. A NaN or an infinity shows at the end.
  template <bool IsAllFinite>
  static bool find(size_t n, const float* x, float* ends) noexcept {
    using namespace detail::avx2;
    const __m256i minus_zero = _mm256_set1_epi32(lowest_of<int>), zero = _mm256_setzero_si256();
    __m256i high[2] = {zero, zero}, low[2] = {minus_zero, minus_zero};
    const auto add = [&](int k, __m256i v) __attribute__((always_inline)) {
      if constexpr (!IsAllFinite)
        v = _mm256_and_si256(v, _mm256_cmpgt_epi32(_mm256_set1_epi32(0x7f80'0000), _mm256_andnot_si256(minus_zero, v)));
      high[k] = _mm256_max_epi32(high[k], v);
      low[k] = _mm256_max_epu32(low[k], v);
    };
    size_t i = 0;
    for (; i + 16 <= n; i += 16) add(0, load(x + i)), add(1, load(x + i + 8));
    for (; i < n; i += 8)
      add(0, _mm256_maskload_epi32(reinterpret_cast<const int*>(x + i), first8(n - i < 8 ? static_cast<int>(n - i) : 8)));
    __m256i h = _mm256_max_epi32(high[0], high[1]), l = _mm256_max_epu32(low[0], low[1]);
    for (const int step : {1, 2, 4}) {
      const __m256i other = _mm256_xor_si256(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(step));
      h = _mm256_max_epi32(h, _mm256_permutevar8x32_epi32(h, other));
      l = _mm256_max_epu32(l, _mm256_permutevar8x32_epi32(l, other));
    }
    const auto highest = static_cast<uint32_t>(_mm256_cvtsi256_si32(h)), lowest = static_cast<uint32_t>(_mm256_cvtsi256_si32(l));
    ends[0] = fp::from_bits(lowest == fp::sign_mask ? 0 : lowest);
    ends[1] = fp::from_bits(highest);
    return highest < fp::infinity_bits && lowest < (fp::sign_mask | fp::infinity_bits);
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
