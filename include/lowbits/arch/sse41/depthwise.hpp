// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Depthwise convolution with SSE4.1: as with AVX2, sixteen channels in four vectors.

#include <lowbits/arch/sse41/common.hpp>

LOWBITS_REGION_SSE41
namespace lowbits::inline LOWBITS_ABI {

namespace detail::sse41 {

/// Sums of 16 channels.
struct depthwise_sums {
  __m128i of[4];
};

/// Hands the sums of each output to f(place, sums).
template <class Function>
struct depthwise_to_memory {
  Function f;
  LOWBITS_REGION_INLINE void operator()(ptrdiff_t place, const depthwise_sums& s) const {
    int32_t sums[16];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) store(sums + 4 * v, s.of[v]);
    f(place, sums);
  }
};
template <class Function>
depthwise_to_memory(Function) -> depthwise_to_memory<Function>;

/// Writes sums as codes.
template <class Rescale, class Code>
struct depthwise_to_codes {
  Rescale a, b, c, d;
  word_stage stage;
  Code* y;
  int channels;
  LOWBITS_REGION_INLINE void operator()(ptrdiff_t place, const depthwise_sums& s) const {
    const __m128i bytes = pack_words<Code>(stage(a(s.of[0]), b(s.of[1])), stage(c(s.of[2]), d(s.of[3])));
    if (channels == 16) return store(y + place, bytes);
    store_half(y + place, bytes, channels);
    if (channels > 8) store_half(y + place + 8, _mm_unpackhi_epi64(bytes, bytes), channels - 8);
  }
};

}  // namespace detail::sse41

template <>
struct prim<prims::depthwise, arch::sse41> {
  static constexpr int lanes = 16, depth = 2, column_bytes = 64;
  using weight = int16_t;
  template <class Code>
  static constexpr int shift = 0;
  static constexpr int place(int c) noexcept { return c; }

  template <class Code>
  static void gather(const sliding_tap<Code>* taps, int n, int channels, unsigned char* to) noexcept {
    using namespace detail::sse41;
    const sliding_tap<Code> a = taps[0], b = taps[1];
    for (ptrdiff_t i = 0; i < n; ++i, to += column_bytes)
      for (int c = 0; c < channels; c += 8) {
        const __m128i codes = _mm_unpacklo_epi8(load_half(a.at + i * a.step + c, channels - c),
                                                load_half(b.at + i * b.step + c, channels - c));
        store(to + 4 * c, widen<Code>(codes));
        store(to + 4 * c + 16, widen<Code>(_mm_srli_si128(codes, 8)));
      }
  }
  template <class Code>
  static void spread(const Code* from, ptrdiff_t step, ptrdiff_t, int n, const unsigned char* order, Code* to) noexcept {
    const __m128i place = _mm_loadu_si128(reinterpret_cast<const __m128i*>(order));
    for (ptrdiff_t i = 0; i < n; ++i, to += lanes)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                       _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * step)), place));
  }
  static void sums(const depthwise_strip<weight>& s, int32_t* acc, ptrdiff_t acc_row, ptrdiff_t acc_step) noexcept {
    all(s, detail::sse41::depthwise_to_memory{[&](ptrdiff_t at, const int32_t* sums) __attribute__((always_inline)) {
      for (int c = 0; c < s.channels; ++c) acc[at + c] = sums[c];
    }}, acc_row, acc_step);
  }
  template <rescale_rule Rule, class Code>
  static void run(const depthwise_strip<weight>& s, const column_factors& factors, const code_stage& stage, Code* y,
                  ptrdiff_t y_row, ptrdiff_t y_step) noexcept {
    using namespace detail::sse41;
    using rescale = std::conditional_t<Rule == rescale_rule::once, rescale_once, rescale_twice>;
    const auto of = [&](int c) __attribute__((always_inline)) {
      return load_factors(factors, c, s.channels < c ? 0 : s.channels < c + 4 ? s.channels - c : 4);
    };
    const factors4 a = of(0), b = of(4), c = of(8), d = of(12);
    if (rescale::suits(a) && rescale::suits(b) && rescale::suits(c) && rescale::suits(d)) {
      all(s, depthwise_to_codes<rescale, Code>{rescale(a), rescale(b), rescale(c), rescale(d), word_stage(stage), y, s.channels},
          y_row, y_step);
    } else {
      all(s, depthwise_to_memory{[&](ptrdiff_t at, const int32_t* sums) __attribute__((always_inline)) {
        for (int k = 0; k < s.channels; ++k) y[at + k] = code_of<Rule, Code>(sums[k], factors, k, stage);
      }}, y_row, y_step);
    }
  }

private:
  template <class Finish>
  LOWBITS_REGION_INLINE static void all(const depthwise_strip<weight>& s, const Finish& finish, ptrdiff_t row, ptrdiff_t step) {
    for (ptrdiff_t k = 0; k < s.strips; ++k)
      for (ptrdiff_t i = 0; i < s.count; ++i)
        for (ptrdiff_t r = 0; r < s.rows; ++r)
          finish(i * step + (k * s.rows + r) * row, column(s, s.columns + k * s.strip_step + i * s.step, s.w + r * 2 * lanes));
  }
  LOWBITS_REGION_INLINE static detail::sse41::depthwise_sums column(const depthwise_strip<weight>& s, const unsigned char* at,
                                                                    const weight* w) {
    using namespace detail::sse41;
    depthwise_sums sum;
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sum.of[v] = load(s.start + 4 * v);
    for (int t = 0; t < s.term_count; ++t, w += s.w_step)
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v)
        sum.of[v] = _mm_add_epi32(sum.of[v], _mm_madd_epi16(load(at + s.terms[t] + 16 * v), load(w + 8 * v)));
    return sum;
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
