// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix product to codes with AMX: while the tiles multiply, the vector units requantize the sums of
// the tiles before, a row at a time. docs/decisions/0010-amx-tiles.md says why it looks like this.

#include <lowbits/arch/amx/gemm.hpp>
#include <lowbits/arch/avx512vnni/gemm_codes.hpp>

LOWBITS_REGION_AVX512VNNI
namespace lowbits::inline LOWBITS_ABI {

namespace detail::avx512 {

/// As rows_to_codes, rounded twice, with any exponent.
struct rows_to_codes_twice {
  rescale_twice first, second;
  word_stage stage;
  __m512i flip;

  template <class Code>
  LOWBITS_REGION_INLINE rows_to_codes_twice(const factors16 (&f)[2], const code_stage& s, Code)
      : first(f[0]), second(f[1]),
        stage(code_stage{s.zero_point - shift<Code>, s.lowest - shift<Code>, s.highest - shift<Code>}),
        flip(_mm512_set1_epi8(static_cast<char>(shift<Code>))) {}
  template <class Code>
  static constexpr int shift = Code(-1) < Code(0) ? 0 : 128;

  LOWBITS_REGION_INLINE __m512i row(const __m512i (&x)[2]) const {
    const __m512i unused{};
    return stage(first(x[0], unused, unused), second(x[1], unused, unused));
  }
  LOWBITS_REGION_INLINE void share(const rows_to_codes_twice& other) { stage = other.stage; }
};
struct rows_to_codes_once : rows_to_codes {
  template <class Code>
  LOWBITS_REGION_INLINE rows_to_codes_once(const factors16 (&f)[2], const code_stage& s, Code c) { prepare(f, s, c); }
  LOWBITS_REGION_INLINE void share(const rows_to_codes_once& other) {
    after = other.after, lowest = other.lowest, highest = other.highest;
  }
};

/// The factors of columns c to c + 31, of which there are `used` altogether; beyond them, some factor.
LOWBITS_REGION_INLINE void load_some_factors(const column_factors& f, int c, int used, factors16 (&to)[2]) {
  for (int v = 0; v < 2; ++v, c += 16) {
    const int n = used - c;
    to[v] = n > 0 ? load_factors(f, c, n < 16 ? n : 16) : load_factors(f, 0, 1);
  }
}

}  // namespace detail::avx512

template <>
struct prim<prims::gemm_codes, arch::amx> {
  using tiles = prim<prims::gemm, arch::amx>;

  template <rescale_rule Rule, class Code>
  static void run(int rows, int n, int used, int steps, const uint8_t* x, ptrdiff_t stride, const int8_t* w,
                  const int32_t* start, const column_factors& factors, const code_stage& stage, Code* y,
                  ptrdiff_t y_stride, int32_t* work, int flip = 0) noexcept {
    const ptrdiff_t depth = (ptrdiff_t{4} * steps + tiles::depth_pad - 1) / tiles::depth_pad * tiles::depth_pad;
    if (rows == 1)
      return prim<prims::gemm_codes, arch::avx512vnni>::run_row<Rule>(n, 64, 64 * depth, used, steps, x, w, start, factors, stage, y, work, flip);
    for (int c = 0; c < used; c += 64, w += 64 * depth, start += 64, y += 64) {
      const int width = n - c < 64 ? n - c : 64, here = used - c < 64 ? used - c : 64;
      run_panel<Rule>(rows, width, here, steps, x, stride, w, start, factors.from(c), stage, y, y_stride, work, flip);
    }
  }

private:
  template <rescale_rule Rule, class Code>
  static void run_panel(int rows, int n, int used, int steps, const uint8_t* x, ptrdiff_t stride, const int8_t* w,
                        const int32_t* start, const column_factors& factors, const code_stage& stage, Code* y,
                        ptrdiff_t y_stride, int32_t* work, int flip) noexcept {
    using namespace detail::avx512;
    // The deeper rows are cut into parts, whose sums must all fit into `work`.
    const bool deep = detail::amx::depth_parts(steps).count > 1;
    const bool fuse = Rule == rescale_rule::twice || suits(factors, used);
    while (rows > 0) {
      const int m = (!fuse || deep) && rows > tiles::rows ? tiles::rows : rows;
      if (!fuse || tiles::suits_vectors(m, n, steps)) {
        const int few = m < tiles::rows ? m : tiles::rows;
        tiles::run(few, n, steps, x, stride, w, start, work, flip);
        prim<prims::requantize, arch::avx512bw>::run<Rule>(few, used, work, n, factors, stage, y, y_stride);
        rows -= few, x += few * stride, y += few * y_stride;
        continue;
      }
      using to_codes = std::conditional_t<Rule == rescale_rule::once, rows_to_codes_once, rows_to_codes_twice>;
      factors16 f[2], g[2];
      load_some_factors(factors, 0, used, f);
      load_some_factors(factors, 32, used, g);
      const to_codes parts[2] = {to_codes(f, stage, Code{}), to_codes(g, stage, Code{})};
      (n > 32 ? fused<4, to_codes> : fused<2, to_codes>)(m, n, used, steps, x, stride, w, start, parts, y, y_stride, work);
      rows -= m, x += m * stride, y += m * y_stride;
    }
  }

  static bool suits(const column_factors& factors, int used) noexcept {
    using namespace detail::avx512;
    if (!factors.per_column) used = 1;
    for (int c = 0; c < used; c += 16) {
      const int n = used - c < 16 ? used - c : 16;
      if (!rescale_small::suits(load_factors(factors, c, n), n)) return false;
    }
    return true;
  }

  /// V vectors of columns. The last tile reaches back into the one before it, if it would be lower.
  template <int V, class ToCodes>
  static void fused(int m, int n, int used, int steps, const uint8_t* x, ptrdiff_t stride, const int8_t* w,
                    const int32_t* start, const ToCodes (&to_codes)[2], void* y, ptrdiff_t y_stride,
                    int32_t* work) noexcept {
    using namespace detail::avx512;
    constexpr int tile_sums = 16 * 16, block_sums = 4 * tile_sums;
    const int count = n / 16, high = detail::amx::tile_rows(m);
    const __mmask64 mask = first64(used);
    // Copies, because the assembler's memory clobbers would have everything else loaded again.
    const ToCodes low = to_codes[0];
    ToCodes up = to_codes[1];
    up.share(low);  // one register each
    __m512i first[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) first[v] = v < count ? load(start + 16 * v) : _mm512_setzero_si512();

    // Sums of one block of rows, and what is left to do with them.
    alignas(64) int32_t ring[block_sums];
    const int32_t *from = ring, *more = nullptr;
    auto* to = static_cast<unsigned char*>(y);
    int left = 0;
    const auto row = [&]() __attribute__((always_inline)) {
      __m512i s[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) s[v] = _mm512_add_epi32(first[v], load(from + tile_sums * v));
      if (more != nullptr) {
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) s[v] = _mm512_add_epi32(s[v], load(more + tile_sums * v));
        more += 16;
      }
      const __m512i half = low.row({s[0], s[1]});
      __m512i other = half;
      if constexpr (V == 4) other = up.row({s[2], s[3]});
      _mm512_mask_storeu_epi8(to, mask, _mm512_xor_si512(in_order<int8_t>(half, other), low.flip));
      from += 16, to += y_stride;
      --left;
    };

    using namespace detail::amx;
    const depth_parts parts(steps);
    const tile_scope scope(high);
    const auto at = [m, high](int b) { return (b + 1) * high <= m ? b * high : m - high; };
    const int blocks = (m + high - 1) / high;
    for (int p = 0; p < parts.count; ++p) {
      const int k = parts.first(p), depth = parts.first(p + 1) - k;
      const int8_t* const panel = w + ptrdiff_t{64} * n * k;
      const bool last = p + 1 == parts.count;
      for (int b = 0; b < blocks; ++b) {
        const uint8_t* const codes = x + at(b) * stride + 64 * k;
        int32_t* const sums = work + b * block_sums;
        if (p > 0 && !last) load_sums(count, sums, 4 * tile_sums, 64);
        else zero_sums(count);
        const int each = (left + 2 * depth - 1) / (2 * depth);  // rows done between two products
        multiply_blocks(count, depth, codes, stride, panel, [&]() __attribute__((always_inline)) {
          for (int i = each; i > 0 && left > 0; --i) row();
        });
        store_sums(count, last ? ring : sums, 4 * tile_sums, 64);
        if (last) {
          from = ring;
          more = p > 0 ? sums : nullptr;
          to = static_cast<unsigned char*>(y) + at(b) * y_stride;
          left = high;
        }
      }
    }
    while (left > 0) row();
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
