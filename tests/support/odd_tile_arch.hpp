// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// An architecture nobody sells: plain C++ with tile shapes that divide nothing, and a definition of
// each primitive simple enough to be read as its specification. It is added to the library the way
// any architecture is: this header, and one line per primitive at its end.

#include <lowbits/arch/prim.hpp>
#include <lowbits/core/fp.hpp>
#include <lowbits/core/real_layout.hpp>
#include <lowbits/pack/layout.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace arch {
struct odd_tile {
  static constexpr const char* name = "odd_tile";
  using weaker = type_list<generic>;
  static constexpr bool native = true;
  static constexpr bool supported(const cpu::features&) noexcept { return true; }
};
}  // namespace arch

namespace odd {

/// floor(x * mantissa * 2^(exponent - 31) + 1/2), far from the library's own formula.
constexpr int64_t rescaled_once(int64_t x, int mantissa, int exponent) {
  const int64_t p = x * mantissa;
  const int shift = 31 - exponent;
  const int64_t whole = p >> shift, rest = p - whole * (int64_t{1} << shift);
  return whole + (rest * 2 >= (int64_t{1} << shift) ? 1 : 0);
}
constexpr int64_t rescaled_twice(int64_t x, int mantissa, int exponent) {
  if (exponent > 0) x = clamp<int64_t>(x * (int64_t{1} << exponent), lowest_of<int32_t>, highest_of<int32_t>);
  const int64_t high = (x * mantissa + (int64_t{1} << 30)) >> 31;
  if (exponent >= 0) return high;
  const int64_t half = int64_t{1} << (-exponent - 1), size = high < 0 ? -high : high;
  return high < 0 ? -((size + half) >> -exponent) : (size + half) >> -exponent;
}
template <rescale_rule Rule>
constexpr int rescaled(int64_t x, int mantissa, int exponent, const code_stage& s) {
  const int64_t r = Rule == rescale_rule::once ? rescaled_once(x, mantissa, exponent) : rescaled_twice(x, mantissa, exponent);
  return static_cast<int>(clamp<int64_t>(r + s.zero_point, s.lowest, s.highest));
}

}  // namespace odd

template <>
struct prim<prims::gemm, arch::odd_tile> {
  static constexpr int rows = 3, cols = 5, col_step = 5, depth_step = 4;
  using element = int32_t;
  template <class Code>
  static constexpr int shift = 7;

  template <class Code>
  static void fetch(int count, int n, const Code* x, ptrdiff_t x_step, element* to, ptrdiff_t to_step) noexcept {
    for (int r = 0; r < count; ++r)
      for (int i = 0; i < n; ++i) to[r * to_step + i] = x[r * x_step + i] + shift<Code>;
  }
  static int32_t sum(const element* x, int n) noexcept {
    uint32_t s = 0;
    for (int i = 0; i < n; ++i) s += static_cast<uint32_t>(x[i]);
    return static_cast<int32_t>(s);
  }
  static void run(int m, int n, int steps, const element* x, ptrdiff_t stride, const int8_t* w, const int32_t* start,
                  int32_t* acc) noexcept {
    for (int r = 0; r < m; ++r)
      for (int c = 0; c < n; ++c) {
        auto sum = static_cast<uint32_t>(start[c]);
        for (int k = 0; k < steps * depth_step; ++k)
          sum += static_cast<uint32_t>(x[r * stride + k] * w[(k / depth_step * n + c) * depth_step + k % depth_step]);
        acc[r * n + c] = static_cast<int32_t>(sum);
      }
  }
};

template <>
struct prim<prims::gemm_bits, arch::odd_tile> {
  static constexpr int bits_for_all_rows = 0, l2_rows = 0;
  /// The number of row c, column k of a strip.
  template <int Bits>
  static int number(const unsigned char* w, int groups, int c, int k) {
    const unsigned char* const group = w + (ptrdiff_t{c / 16} * groups + k / 32) * 64 * Bits;
    int n = 0;
    eight_codes_parts(Bits, k % 32 / 4, [&](const code_part& p) {
      n |= (group[64 * p.byte + static_cast<size_t>(c % 16 * 4 + k % 4)] >> p.shift & ((1 << p.width) - 1)) << p.from;
    });
    return n;
  }
  template <int Bits>
  static void run(int m, int n, int groups, const int8_t* x, ptrdiff_t stride, const unsigned char* w, int twice,
                  const int32_t* start, const int32_t* offsets, int32_t* acc) noexcept {
    for (int r = 0; r < m; ++r)
      for (int c = 0; c < n; ++c) {
        auto sum = static_cast<uint32_t>(start[c]) + static_cast<uint32_t>(offsets[r]);
        for (int k = 0; k < 32 * groups; ++k)
          sum += static_cast<uint32_t>(x[r * stride + k] * (number<Bits>(w, groups, c, k) << twice));
        acc[r * n + c] = static_cast<int32_t>(sum);
      }
  }
  template <int Bits>
  static void unpack(int n, int groups, int step, const unsigned char* w, int twice, int minus, int8_t* to) noexcept {
    for (int c = 0; c < n; ++c)
      for (int k = 0; k < 32 * groups; ++k)
        to[(k / step * n + c) * step + k % step] = static_cast<int8_t>((number<Bits>(w, groups, c, k) << twice) - minus);
  }
  template <class Element>
  static int32_t rows(int n, int padded, const Element* x, int minus, int8_t* to) noexcept {
    int32_t sum = 0;
    for (int i = 0; i < padded; ++i) sum += to[i] = static_cast<int8_t>(i < n ? x[i] - minus : 0);
    return sum;
  }
};

template <>
struct prim<prims::gemm_reals, arch::odd_tile> {
  static constexpr int rows = 3, few_rows = 2, cols = 10, col_step = 5;
  /// The number of column c at k of a panel, as a float.
  static float number(const real_codes& at, const uint32_t* w, int n, int c, int k) noexcept {
    uint32_t number = 0;
    real_layout{at.bits, at.twice}.parts(k % 32, [&](int word, int from, int width, int to) {
      number |= (w[(ptrdiff_t{k / 32} * at.bits + word) * n + c] >> from & ((1u << width) - 1u)) << to;
    });
    return static_cast<float>(at.twice ? 2 * number : number);
  }
  static void run(const real_codes& at, int m, const real_panel& p, const float* x, ptrdiff_t stride, float*, float* y, ptrdiff_t y_stride) noexcept {
    for (int r = 0; r < m; ++r)
      for (int c = 0; c < p.n; ++c)
        for (int k = 0; k < p.depth;) {
          const int g = k / p.group, end = smaller(smaller(p.depth, (g + 1) * p.group), k + real_block);
          float sum = 0;
          for (; k < end; ++k) {
            // A group need not end with a unit: its last one is its own.
            const int units = g * ceil_div(p.group, 32) + k % p.group / 32;
            const float weight = number(at, p.w, p.n, c, units * 32 + k % p.group % 32) - p.zeros[g * p.zero_step + c];
            sum = fp::sum(sum, fp::product(x[r * stride + k], weight));
          }
          float& to = y[r * y_stride + c];
          to = fp::sum(fp::product(sum, p.scales[g * p.scale_step + c]), to);
        }
  }
  static void unpack(const real_codes& at, int n, int count, const uint32_t* w, const float* zeros, float*, float* to) noexcept {
    for (int k = 0; k < round_up(count, 32); ++k)
      for (int c = 0; c < n; ++c) to[k * n + c] = number(at, w, n, c, k) - zeros[c];
  }
  static void tile(int m, int n, int count, const float* x, ptrdiff_t stride, const float* w, const float* scales, float* y,
                   ptrdiff_t y_stride) noexcept {
    for (int r = 0; r < m; ++r)
      for (int c = 0; c < n; ++c) {
        float sum = 0;
        for (int k = 0; k < count; ++k) sum = fp::sum(sum, fp::product(x[r * stride + k], w[k * n + c]));
        y[r * y_stride + c] = fp::sum(fp::product(sum, scales[c]), y[r * y_stride + c]);
      }
  }
};

template <>
struct prim<prims::gemm_trits, arch::odd_tile> {
  static int number(const unsigned char* w, int groups, int c, int k) {
    const int b = w[(c / 16 * groups + k / 20) * 64 + c % 16 * 4 + k % 4], d = k % 20 / 4;
    const int digits[] = {b % 28 % 3, b % 28 / 3 % 3, b % 28 / 9, b / 28 % 3, b / 28 / 3};
    return digits[d];
  }
  static void run(int m, int n, int groups, const int8_t* x, ptrdiff_t stride, const unsigned char* w, int /*twice*/,
                  const int32_t* start, const int32_t* offsets, int32_t* acc) noexcept {
    for (int r = 0; r < m; ++r)
      for (int c = 0; c < n; ++c) {
        auto sum = static_cast<uint32_t>(start[c]) + static_cast<uint32_t>(offsets[r]);
        for (int k = 0; k < 20 * groups; ++k) sum += static_cast<uint32_t>(x[r * stride + k] * number(w, groups, c, k));
        acc[r * n + c] = static_cast<int32_t>(sum);
      }
  }
  static void unpack(int n, int groups, int step, const unsigned char* w, int /*twice*/, int minus, int8_t* to) noexcept {
    for (int c = 0; c < n; ++c)
      for (int k = 0; k < 20 * groups; ++k) to[(k / step * n + c) * step + k % step] = static_cast<int8_t>(number(w, groups, c, k) - minus);
  }
};

template <>
struct prim<prims::gemm_groups, arch::odd_tile> {
  template <int Bits, class Factor, class Total>
  static void run(int m, int n, const group_operands& s, const int32_t* start, Total* acc, ptrdiff_t acc_stride) noexcept {
    using bits = prim<prims::gemm_bits, arch::odd_tile>;
    for (int r = 0; r < m; ++r)
      for (int c = 0; c < n; ++c) {
        Total total{};
        if constexpr (!std::is_same_v<Total, float>) total = start != nullptr ? start[c] : 0;
        for (int g = 0; g < s.groups; ++g) {
          const ptrdiff_t at = (ptrdiff_t{c / 16} * s.groups + g) * 16 + c % 16;
          auto sum = static_cast<uint32_t>(s.offsets[r * s.groups + g]) + static_cast<uint32_t>(s.starts != nullptr ? s.starts[at] : 0);
          for (int e = g / s.repeats * s.length; e < (g / s.repeats + 1) * s.length && e < s.eights; ++e)
            for (int k = 0; k < 32; ++k) {
              const int code = s.x[r * s.stride + 32 * (s.repeats * e + g % s.repeats) + k];
              sum += static_cast<uint32_t>(code * (bits::number<Bits>(s.w, s.eights, c, 32 * e + k) << s.twice));
            }
          const Factor factor = static_cast<const Factor*>(s.factors)[at];
          if constexpr (std::is_same_v<Factor, float>) total = fp::sum(total, fp::product(static_cast<float>(static_cast<int32_t>(sum)), factor));
          else if constexpr (std::is_same_v<Factor, half>) total = fp::sum(total, fp::product(static_cast<float>(static_cast<int32_t>(sum)), factor.value()));
          else total = static_cast<int32_t>(static_cast<uint32_t>(total) + static_cast<uint32_t>(static_cast<int32_t>(sum * factor + (1u << s.shift >> 1)) >> s.shift));
        }
        acc[r * acc_stride + c] = total;
      }
  }
  static void rows(int n, const uint8_t* x, int minus, int8_t* to, int32_t* sums) noexcept {
    for (int i = 0; i < round_up(n, 64); ++i) {
      if (i % 16 == 0) sums[i / 16] = 0;
      sums[i / 16] += to[i] = i < n ? static_cast<int8_t>(minus != 0 ? x[i] - minus : static_cast<int8_t>(x[i])) : int8_t{0};
    }
  }
  static void finish(int rows, int cols, const float* acc, ptrdiff_t acc_stride, const float_stage& s, float* y, ptrdiff_t y_stride) noexcept {
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < cols; ++c) {
        const float scale = fp::product(s.row_scales != nullptr ? s.row_scales[r] : 1.0f, s.scales != nullptr ? s.scales[c] : 1.0f);
        const float v = fp::product(acc[r * acc_stride + c], scale);
        y[r * y_stride + c] = s.bias != nullptr ? fp::sum(v, s.bias[c]) : v;
      }
  }
};

template <>
struct prim<prims::gemm_binary, arch::odd_tile> {
  static void run(int m, int n, int words, const uint32_t* x, ptrdiff_t stride, const uint32_t* w, const int32_t* start, int32_t* acc) noexcept {
    for (int r = 0; r < m; ++r)
      for (int c = 0; c < n; ++c) {
        auto sum = static_cast<uint32_t>(start[c]);
        for (int k = 0; k < 32 * words; ++k)
          if (((x[r * stride + k / 32] ^ w[(c / 16 * words + k / 32) * 16 + c % 16]) >> k % 32 & 1) != 0) sum -= 2;
        acc[r * n + c] = static_cast<int32_t>(sum);
      }
  }
};

template <>
struct prim<prims::gemm_words, arch::odd_tile> {
  static constexpr int rows = 3, cols = 10, col_step = 5, depth_step = 3;
  template <class Code>
  static constexpr int shift = sizeof(Code) == 2 && Code(-1) > Code(0) ? -32768 : 7 - 7 * static_cast<int>(sizeof(Code) / 2);

  template <class Code>
  static void fetch(int count, int n, const Code* x, ptrdiff_t x_step, int16_t* to, ptrdiff_t to_step) noexcept {
    for (int r = 0; r < count; ++r)
      for (int i = 0; i < n; ++i) to[r * to_step + i] = static_cast<int16_t>(x[r * x_step + i] + shift<Code>);
  }
  template <int Bytes>
  static void run(int m, int n, int steps, const int16_t* x, ptrdiff_t stride, const int8_t* w, const int64_t* start, int64_t* acc) noexcept {
    for (int r = 0; r < m; ++r)
      for (int c = 0; c < n; ++c) {
        int64_t sum = start[c];
        for (int k = 0; k < steps * depth_step; ++k) {
          const auto byte = [&](int b) { return w[((k / depth_step * Bytes + b) * n + c) * depth_step + k % depth_step]; };
          sum += int64_t{x[r * stride + k]} * (Bytes == 1 ? byte(0) : byte(1) * 256 + static_cast<uint8_t>(byte(0)));
        }
        acc[r * n + c] = sum;
      }
  }
};

template <>
struct prim<prims::requantize_wide, arch::odd_tile> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int cols, const int64_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                  const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < cols; ++c) {
        const auto* f = static_cast<const int32_t*>(factors.pairs) + (factors.per_column ? 2 * c : 0);
        const int mantissa = Rule == rescale_rule::once ? f[0] : (smaller(f[0], 0x7fff'0000) + 0x8000) / 0x10000 * 0x10000;
        y[r * y_stride + c] = static_cast<Code>(rescaled(acc[r * acc_stride + c], mantissa, f[1], stage));
      }
  }

private:
  /// The product in two parts, x's upper and lower half.
  static int rescaled(int64_t x, int64_t mantissa, int exponent, const code_stage& s) noexcept {
    const int shift = 31 - exponent;
    const int64_t upper = x >> 32, lower = (x & 0xffff'ffff) * mantissa;
    int64_t high = upper * mantissa + (lower >> 32), low = lower & 0xffff'ffff;  // high * 2^32 + low
    for (int i = 1; i < shift; ++i) {  // halves; what falls off the end no longer matters but for the last
      low = (low | (high & 1) << 32) >> 1;
      high >>= 1;
    }
    const bool up = (low & 1) != 0;
    low = (low | (high & 1) << 32) >> 1;
    high >>= 1;
    if (high > 1 || high < -2) return high > 0 ? s.highest : s.lowest;
    return static_cast<int>(clamp<int64_t>(high * 0x1'0000'0000 + low + (up ? 1 : 0) + s.zero_point, s.lowest, s.highest));
  }
};

template <>
struct prim<prims::requantize, arch::odd_tile> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const column_factors& factors,
                  const code_stage& stage, Code* y, ptrdiff_t y_stride) noexcept {
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < cols; ++c) {
        const auto* f = static_cast<const int32_t*>(factors.pairs) + (factors.per_column ? 2 * c : 0);
        y[r * y_stride + c] = static_cast<Code>(odd::rescaled<Rule>(acc[r * acc_stride + c], f[0], f[1], stage));
      }
  }
};

template <>
struct prim<prims::gemm_codes, arch::odd_tile> {
  template <rescale_rule Rule, class Code>
  static void run(int rows, int n, int used, int steps, const int32_t* x, ptrdiff_t stride, const int8_t* w,
                  const int32_t* start, const column_factors& factors, const code_stage& stage, Code* y,
                  ptrdiff_t y_stride, int32_t* work, int /*flip*/ = 0) noexcept {
    using tiles = prim<prims::gemm, arch::odd_tile>;
    for (int c = 0; c < used; c += tiles::cols) {
      const int width = smaller(tiles::cols, n - c), here = smaller(width, used - c);
      for (int r = 0; r < rows; ++r) {
        tiles::run(1, width, steps, x + r * stride, stride, w + ptrdiff_t{c} * steps * tiles::depth_step, start + c, work);
        prim<prims::requantize, arch::odd_tile>::run<Rule>(1, here, work, width, factors.from(c), stage, y + r * y_stride + c, y_stride);
      }
    }
  }
};

template <>
struct prim<prims::sums_to_float, arch::odd_tile> {
  static void run(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const float_stage& s, float* y,
                  ptrdiff_t y_stride) noexcept {
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < cols; ++c) {
        auto a = static_cast<uint32_t>(acc[r * acc_stride + c]);
        if (s.row_zeros != nullptr) a -= static_cast<uint32_t>(s.row_zeros[r]) * static_cast<uint32_t>(s.weight_sums[c]);
        volatile float scale = s.scales != nullptr ? s.scales[c] : 1.0f;  // each step is rounded
        scale = (s.row_scales != nullptr ? s.row_scales[r] : 1.0f) * scale;
        volatile float v = static_cast<float>(static_cast<int32_t>(a));
        v = v * scale;
        y[r * y_stride + c] = s.bias != nullptr ? v + s.bias[c] : v;
      }
  }
};

template <>
struct prim<prims::depthwise, arch::odd_tile> {
  static constexpr int lanes = 6, depth = 3, column_bytes = 192;
  using weight = int16_t;
  template <class Code>
  static constexpr int shift = 9;
  static constexpr int place(int c) noexcept { return c * 5 % 6; }

  template <class Code>
  static void gather(const sliding_tap<Code>* taps, int n, int channels, unsigned char* to) noexcept {
    for (int i = 0; i < n; ++i, to += column_bytes)
      for (int c = 0; c < channels; ++c)
        for (int d = 0; d < depth; ++d)
          reinterpret_cast<int32_t*>(to)[c * depth + d] = taps[d].at[i * taps[d].step + c] + shift<Code>;
  }
  template <class Code>
  static void spread(const Code* from, ptrdiff_t step, ptrdiff_t, int n, const unsigned char* order, Code* to) noexcept {
    for (int i = 0; i < n; ++i)
      for (int k = 0; k < lanes; ++k) to[i * lanes + k] = from[i * step + order[k]];
  }
  static void sums(const depthwise_strip<weight>& s, int32_t* acc, ptrdiff_t acc_row, ptrdiff_t acc_step) noexcept {
    for (int r = 0; r < s.strips * s.rows; ++r)
      for (int i = 0; i < s.count; ++i)
        for (int c = 0; c < s.channels; ++c) acc[r * acc_row + i * acc_step + c] = sum(s, r, i, c);
  }
  template <rescale_rule Rule, class Code>
  static void run(const depthwise_strip<weight>& s, const column_factors& factors, const code_stage& stage, Code* y,
                  ptrdiff_t y_row, ptrdiff_t y_step) noexcept {
    for (int r = 0; r < s.strips * s.rows; ++r)
      for (int i = 0; i < s.count; ++i)
        for (int c = 0; c < s.channels; ++c) {
          const auto* f = static_cast<const int32_t*>(factors.pairs) + (factors.per_column ? 2 * c : 0);
          y[r * y_row + i * y_step + c] = static_cast<Code>(odd::rescaled<Rule>(sum(s, r, i, c), f[0], f[1], stage));
        }
  }

private:
  static int32_t sum(const depthwise_strip<weight>& s, int r, int i, int c) noexcept {
    auto total = static_cast<uint32_t>(s.start[place(c)]);
    for (int t = 0; t < s.term_count; ++t)
      for (int d = 0; d < depth; ++d) {
        const int code = reinterpret_cast<const int32_t*>(s.columns + r / s.rows * s.strip_step + i * s.step + s.terms[t])[c * depth + d];
        total += static_cast<uint32_t>(code * s.w[t * s.w_step + (r % s.rows * lanes + place(c)) * depth + d]);
      }
    return static_cast<int32_t>(total);
  }
};

template <>
struct prim<prims::depthwise_words, arch::odd_tile> {
  static constexpr int lanes = 5;
  static constexpr int place(int c) noexcept { return c * 3 % 5; }
  template <int Bytes>
  static void run(const sliding_tap<int16_t>* taps, int pairs, int n, int channels, const int16_t* w, const int64_t* start,
                  int64_t* acc) noexcept {
    for (int i = 0; i < n; ++i)
      for (int c = 0; c < channels; ++c) {
        int64_t sum = start[c];
        for (int t = 0; t < 2 * pairs; ++t) {
          const auto byte = [&](int b) { return w[((t / 2 * Bytes + b) * lanes + place(c)) * 2 + t % 2]; };
          sum += int64_t{taps[t].at[i * taps[t].step + c]} * (Bytes == 1 ? byte(0) : byte(1) * 256 + byte(0));
        }
        acc[i * lanes + c] = sum;
      }
  }
};

template <>
struct prim<prims::depthwise_window, arch::odd_tile> {
  static constexpr int lanes = 5, depth = 1;
  using weight = int16_t;
  template <rescale_rule Rule, class Code>
  static void run(const depthwise_image<weight>& v, const column_factors& factors, const code_stage& stage, Code* y,
                  ptrdiff_t y_row, ptrdiff_t y_step) noexcept {
    for (int r = 0; r < v.out_h; ++r)
      for (int i = 0; i < v.out_w; ++i)
        for (int c = 0; c < lanes; ++c) {
          const auto* f = static_cast<const int32_t*>(factors.pairs) + (factors.per_column ? 2 * c : 0);
          y[r * y_row + i * y_step + c] = static_cast<Code>(odd::rescaled<Rule>(sum(v, r, i, c), f[0], f[1], stage));
        }
  }
  static int32_t sum(const depthwise_image<weight>& v, int r, int i, int c) noexcept {
    auto total = static_cast<uint32_t>(v.start[c]);
    for (int t = 0; t < 3; ++t)
      for (int d = 0; d < 4; ++d) {
        const int h = v.top + (r - r % v.rows) * v.stride_h + d * v.dilation_h, w = v.left + i * v.stride_w + t;
        const bool inside = h >= 0 && h < v.in_h && w >= 0 && w < v.in_w;
        const int code = static_cast<uint8_t>((inside ? v.x[h * v.row + w * v.column + c] : v.outside[0]) + v.shift);
        total += static_cast<uint32_t>(code * v.w[((2 * t + r % v.rows) * 4 + d) * lanes + c]);
      }
    return static_cast<int32_t>(total);
  }
};

template <>
struct prim<prims::sum, arch::odd_tile> {
  template <class X, class Y, class Out>
  static void run(size_t n, const X* x, const Y* y, const sum_values& v, Out* out) noexcept {
    for (size_t i = 0; i < n; ++i) {
      const int s = (x[i] - v.x_zero) * v.x_factor + (y[i] - v.y_zero) * v.y_factor + (1 << (v.shift - 1));
      out[i] = static_cast<Out>(clamp((s >> v.shift) + v.stage.zero_point, v.stage.lowest, v.stage.highest));
    }
  }
};

template <>
struct prim<prims::product, arch::odd_tile> {
  template <rescale_rule Rule, class X, class Y, class Out>
  static void run(size_t n, const X* x, const Y* y, const product_values& v, Out* out) noexcept {
    for (size_t i = 0; i < n; ++i)
      out[i] = static_cast<Out>(odd::rescaled<Rule>((x[i] - v.x_zero) * (y[i] - v.y_zero), v.mantissa, v.exponent, v.stage));
  }
};

template <>
struct prim<prims::rescale, arch::odd_tile> {
  template <class X, class Out>
  static void run(size_t n, const X* x, const rescale_values& v, Out* out) noexcept {
    for (size_t i = 0; i < n; ++i)
      out[i] = static_cast<Out>(odd::rescaled<rescale_rule::once>(x[i] - v.zero, v.mantissa, v.exponent, v.stage));
  }
};

template <>
struct prim<prims::extremum, arch::odd_tile> {
  template <class Code>
  static void run(size_t n, const Code* x, const Code* y, bool take_larger, int lowest, int highest, Code* out) noexcept {
    for (size_t i = 0; i < n; ++i)
      out[i] = static_cast<Code>(clamp<int>(take_larger == (x[i] > y[i]) ? x[i] : y[i], lowest, highest));
  }
};

template <>
struct prim<prims::clamp, arch::odd_tile> {
  template <class Code>
  static void run(size_t n, const Code* x, int lowest, int highest, Code* out) noexcept {
    for (size_t i = 0; i < n; ++i) out[i] = static_cast<Code>(clamp<int>(x[i], lowest, highest));
  }
};

template <>
struct prim<prims::lookup, arch::odd_tile> {
  static void run(size_t n, const uint8_t* x, const uint8_t* table, uint8_t* out) noexcept {
    for (size_t i = 0; i < n; ++i) out[i] = table[x[i]];
  }
};

template <>
struct prim<prims::window_max, arch::odd_tile> {
  template <class Code>
  static void run(const code_grid<Code>& g, int channels, int lowest, int highest, Code* y) noexcept {
    for (int c = 0; c < channels; ++c) {
      int best = lowest;
      for (int r = 0; r < g.rows; ++r)
        for (int k = 0; k < g.cols; ++k) best = larger<int>(best, g.at[r * g.row_step + k * g.col_step + c]);
      y[c] = static_cast<Code>(smaller(best, highest));
    }
  }
};

template <>
struct prim<prims::window_mean, arch::odd_tile> {
  template <class Code>
  static void run(const code_grid<Code>& g, int channels, int lowest, int highest, Code* y) noexcept {
    for (int c = 0; c < channels; ++c) {
      int sum = 0;
      for (int r = 0; r < g.rows; ++r)
        for (int k = 0; k < g.cols; ++k) sum += g.at[r * g.row_step + k * g.col_step + c];
      const int count = g.rows * g.cols, size = ((sum < 0 ? -sum : sum) + count / 2) / count;
      y[c] = static_cast<Code>(clamp(sum < 0 ? -size : size, lowest, highest));
    }
  }
};

template <>
struct prim<prims::position_mean, arch::odd_tile> {
  template <class X, class Out>
  static void run(int positions, int channels, const X* x, const rescale_values& v, Out* y) noexcept {
    for (int c = 0; c < channels; ++c) {
      int64_t sum = 0;
      for (int i = 0; i < positions; ++i) sum += x[ptrdiff_t{i} * channels + c] - v.zero;
      y[c] = static_cast<Out>(odd::rescaled<rescale_rule::once>(sum, v.mantissa, v.exponent, v.stage));
    }
  }
};

}  // namespace lowbits

#define LOWBITS_EXTRA_ROWS                                                                        \
  LOWBITS_PRIM(gemm, odd_tile)                                                                    \
  LOWBITS_PRIM(gemm_codes, odd_tile)                                                              \
  LOWBITS_PRIM(gemm_bits, odd_tile)                                                               \
  LOWBITS_PRIM(gemm_reals, odd_tile)                                                              \
  LOWBITS_PRIM(gemm_trits, odd_tile)                                                              \
  LOWBITS_PRIM(gemm_groups, odd_tile)                                                             \
  LOWBITS_PRIM(gemm_binary, odd_tile)                                                             \
  LOWBITS_PRIM(gemm_words, odd_tile)                                                              \
  LOWBITS_PRIM(requantize_wide, odd_tile)                                                         \
  LOWBITS_PRIM(requantize, odd_tile)                                                              \
  LOWBITS_PRIM(sums_to_float, odd_tile)                                                           \
  LOWBITS_PRIM(depthwise, odd_tile)                                                               \
  LOWBITS_PRIM(depthwise_window, odd_tile)                                                        \
  LOWBITS_PRIM(depthwise_words, odd_tile)                                                         \
  LOWBITS_PRIM(sum, odd_tile)                                                                     \
  LOWBITS_PRIM(product, odd_tile)                                                                 \
  LOWBITS_PRIM(rescale, odd_tile)                                                                 \
  LOWBITS_PRIM(extremum, odd_tile)                                                                \
  LOWBITS_PRIM(clamp, odd_tile)                                                                   \
  LOWBITS_PRIM(lookup, odd_tile)                                                                  \
  LOWBITS_PRIM(window_max, odd_tile)                                                              \
  LOWBITS_PRIM(window_mean, odd_tile)                                                             \
  LOWBITS_PRIM(position_mean, odd_tile)
