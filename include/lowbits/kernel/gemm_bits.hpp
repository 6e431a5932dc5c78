// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products with weights of 1 to 7 bits, which are kept at their own width: a few rows are multiplied by the codes as
// they are, and for many rows a panel at a time is unpacked to 8 bits and used by all of them.

#include <lowbits/kernel/gemm.hpp>
#include <lowbits/pack/layout.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// Weights stand for number * 2^twice - offset, the number being what eights_layout stores. As `bits`, threes stands for
/// numbers 0, 1 and 2 that share a byte by fives (prims::gemm_trits).
struct bits_code {
  static constexpr int threes = 8;

  int bits = 0, offset = 0, twice = 0;
  bool for_all_rows = false;  ///< the architecture is as fast with them as with 8 bits, for up to
  int l2_rows = 0;            ///< so many rows also where weights stay in the L2 cache
};
template <class W>
inline constexpr bits_code bits_code_of = [] {
  bits_code b;
  if constexpr (requires { typename W::storage_kind; }) {
    b = {bits_code::threes, 1, 0};
  } else if constexpr (requires { typename W::q; }) {
    using Q = typename W::q;
    if (Q::bits < 8) b = {Q::bits, Q::is_binary ? 1 : Q::is_signed ? 1 << (Q::bits - 1) : 0, Q::is_binary ? 1 : 0};
  }
  return b;
}();

/// True when Arch multiplies by weights of type W as they are. Panels must consist of whole strips.
template <class Arch, class W>
constexpr bool keeps_bits() noexcept {
  if constexpr (bits_code_of<W>.bits != 0 && has_prim<prims::gemm_bits, Arch> && has_prim<prims::gemm, Arch>)
    return best_prim<prims::gemm, Arch>::cols % 16 == 0;
  else
    return false;
}

template <class Arch, class W>
inline constexpr bits_code bits_code_on = [] {
  bits_code b = bits_code_of<W>;
  if constexpr (keeps_bits<Arch, W>())
    if constexpr (std::is_same_v<best<prims::gemm_bits, Arch>, best<prims::gemm, Arch>>) {
      using B = best_prim<prims::gemm_bits, Arch>;
      b.for_all_rows = b.bits <= B::bits_for_all_rows;
      if (b.for_all_rows) b.l2_rows = B::l2_rows;
    }
  return b;
}();

/// The layout of prepared weights of few bits: start values for a few rows, start values for many, and strips of 16
/// columns (eights_layout), the depth made up to whole groups.
struct bits_weights {
  static constexpr int strip = 16;
  static constexpr int few_rows = 15;  ///< more rows than these are worth unpacking for, as a rule

  gemm_tile tile;
  bits_code code;
  int depth = 0, cols = 0;

  constexpr bool in_threes() const noexcept { return code.bits == bits_code::threes; }
  /// Rows of the depth, and vectors of 64 bytes, in a group.
  constexpr int group() const noexcept { return in_threes() ? 20 : 32; }
  constexpr int vectors() const noexcept { return in_threes() ? 1 : code.bits; }
  constexpr int padded_depth() const noexcept { return round_up(round_up(depth, tile.depth_pad), group()); }
  constexpr int groups() const noexcept { return padded_depth() / group(); }
  constexpr int padded_cols() const noexcept { return round_up(cols, strip); }
  constexpr size_t start_bytes() const noexcept { return work_bytes(static_cast<size_t>(padded_cols()), sizeof(int32_t)); }
  constexpr size_t strip_bytes() const noexcept { return static_cast<size_t>(groups()) * 64 * static_cast<size_t>(vectors()); }
  constexpr size_t bytes() const noexcept {
    return 2 * start_bytes() + static_cast<size_t>(padded_cols() / strip) * strip_bytes();
  }
  const int32_t* start(const unsigned char* packed, int c, bool for_many) const noexcept {
    return reinterpret_cast<const int32_t*>(packed + (for_many ? start_bytes() : 0)) + c;
  }
  const unsigned char* strip_at(const unsigned char* packed, int c) const noexcept {
    return packed + 2 * start_bytes() + static_cast<size_t>(c / strip) * strip_bytes();
  }
  /// The same as 8-bit weights, of `columns` columns. As many rows are kept as possible, each time a panel is unpacked.
  constexpr gemm_weights unpacked(int columns) const noexcept {
    gemm_tile t = tile;
    t.col_step = strip;
    if (t.rows_in_cache == 0) t.rows_in_cache = 208 * 1024;  // 48 rows of 4096: whole tiles of 8 and of 12
    return {t, depth, columns};
  }

  /// Writes bytes(). weight(c, k) is what the code stands for. A column starts at first(c) less the sum of its weights
  /// times `zero` where it meets elements, and less the sum of its numbers times `signed_zero` where it meets signed codes.
  template <int Bits, class Weight, class First>
  void pack(Weight&& weight, First&& first, int zero, int signed_zero, unsigned char* packed) const noexcept {
    auto* few = reinterpret_cast<int32_t*>(packed);
    auto* many = reinterpret_cast<int32_t*>(packed + start_bytes());
    auto* to = packed + 2 * start_bytes();
    for (int c = 0; c < padded_cols(); ++c) few[c] = 0;
    for (int c0 = 0; c0 < padded_cols(); c0 += strip)
      for (int k0 = 0; k0 < padded_depth(); k0 += group(), to += 64 * vectors())
        for (int lane = 0; lane < 64; ++lane) {
          const int c = c0 + lane / 4;
          unsigned char shared[8] = {};
          for (int i = 0; i < group() / 4; ++i) {
            const int k = k0 + 4 * i + lane % 4;
            if (c >= cols || k >= depth) continue;
            const int w = weight(c, k);
            few[c] = static_cast<int32_t>(static_cast<uint32_t>(few[c]) + static_cast<uint32_t>(w));
            const auto number = static_cast<unsigned>((w + code.offset) >> code.twice);
            if constexpr (Bits == bits_code::threes) {
              constexpr unsigned char unit[] = {1, 3, 9, 28, 84};
              shared[0] = static_cast<unsigned char>(shared[0] + number * unit[i]);
            } else {
              eight_codes_parts(Bits, i, [&](const code_part& p) {
                shared[p.byte] = static_cast<unsigned char>(shared[p.byte] | (number >> p.from & ((1u << p.width) - 1u)) << p.shift);
              });
            }
          }
          for (int t = 0; t < vectors(); ++t) to[64 * t + lane] = shared[t];
        }
    for (int c = 0; c < padded_cols(); ++c) {
      const auto sum = static_cast<uint32_t>(few[c]), numbers = sum + static_cast<uint32_t>(code.offset) * static_cast<uint32_t>(depth);
      const auto from = static_cast<uint32_t>(c < cols ? first(c) : 0);
      few[c] = static_cast<int32_t>(from - static_cast<uint32_t>(signed_zero) * numbers);
      many[c] = static_cast<int32_t>(from - static_cast<uint32_t>(zero) * sum);
    }
  }
};

/// The work area of such a product, beside that of its rows.
struct bits_block {
  bool is_few = false;
  size_t panel = 0, rows = 0, sums = 0, offsets = 0;

  constexpr bits_block(const bits_weights& w, int64_t all_rows) noexcept
      : is_few(all_rows <= larger(bits_weights::few_rows, w.code.l2_rows) ||
               (w.code.for_all_rows && w.unpacked(w.cols).bytes() > gemm_block<int8_t>::l2_weights)) {
    if (is_few) {
      const auto most = static_cast<size_t>(smaller<int64_t>(all_rows, larger(bits_weights::few_rows, 8 * w.tile.rows)));  // of gemm_block
      rows = most * static_cast<size_t>(w.padded_depth());
      sums = larger(size_t{1024}, 64 * most);
      offsets = most;
    } else {
      const gemm_weights one = w.unpacked(smaller(w.tile.cols, w.padded_cols()));
      panel = one.start_bytes() + static_cast<size_t>(one.padded_cols()) * static_cast<size_t>(w.padded_depth());
    }
  }
  /// How many columns are finished together.
  static constexpr int columns_at_once(int rows) noexcept { return rows < 2 ? 1024 : rows < 4 ? 256 : 64; }
  constexpr size_t bytes() const noexcept {
    return work_bytes(panel, 1) + work_bytes(rows, 1) + work_bytes(sums, sizeof(int32_t)) + work_bytes(offsets, sizeof(int32_t));
  }
};
struct bits_area {
  unsigned char* panel;
  int8_t* rows;
  int32_t *sums, *offsets;

  bits_area(const bits_block& b, work_area& area) noexcept
      : panel(area.take<unsigned char>(b.panel)), rows(area.take<int8_t>(b.rows)), sums(area.take<int32_t>(b.sums)),
        offsets(area.take<int32_t>(b.offsets)) {}
};

/// What such a product asks of an architecture beside gemm_calls.
template <class Element>
struct bits_calls {
  bits_code code;
  int minus;         ///< from an element to a signed code
  int signed_shift;  ///< from a code to a signed one
  void (*run)(int m, int n, int groups, const int8_t* x, ptrdiff_t stride, const unsigned char* w, int twice, const int32_t* start,
              const int32_t* offsets, int32_t* acc) noexcept;
  void (*unpack)(int n, int groups, int step, const unsigned char* w, int twice, int minus, int8_t* to) noexcept;
  int32_t (*rows)(int n, int padded, const Element* x, int minus, int8_t* to) noexcept;
};
template <class Arch, class X, class W>
inline constexpr auto bits_calls_of = [] {
  using P = best_prim<prims::gemm, Arch>;
  using B = best_prim<prims::gemm_bits, Arch>;
  constexpr bits_code code = bits_code_on<Arch, W>;
  constexpr int signed_shift = X(-1) < X(0) ? 0 : -128;
  bits_calls<typename P::element> calls{code, P::template shift<X> - signed_shift, signed_shift, nullptr, nullptr, &B::rows};
  if constexpr (code.bits == bits_code::threes) {
    using T = best_prim<prims::gemm_trits, Arch>;
    calls.run = &T::run, calls.unpack = &T::unpack;
  } else {
    calls.run = &B::template run<code.bits>, calls.unpack = &B::template unpack<code.bits>;
  }
  return calls;
}();

/// As byte_product.
template <class Element, class X, class Rq>
struct bits_product {
  using element = Element;

  const gemm_calls<Element, X, Rq>& calls;
  const bits_calls<Element>& bits;
  bits_weights weights;
  gemm_block<Element> block;
  bits_block few;
  row_area<Element, int32_t> area;
  bits_area work;

  bits_product(const gemm_calls<Element, X, Rq>& c, const bits_calls<Element>& b, const bits_weights& w, int64_t all_rows, work_area& from) noexcept
      : calls(c), bits(b), weights(w), block(w.unpacked(w.cols), all_rows), few(w, all_rows), area(block, from), work(few, from) {}

  template <class Y>
  void multiply(int n, const element_rows<Element>& x, int x_zero, int zero, const unsigned char* packed, const column_range& cols,
                const Rq& rq, const output_place& at, Y* y, ptrdiff_t y_stride) const noexcept {
    if (few.is_few) multiply_few(n, x, x_zero, zero, packed, cols, rq, at, y, y_stride);
    else multiply_many(n, x, x_zero, zero, packed, cols, rq, at, y, y_stride);
  }

private:
  template <class Y>
  void multiply_few(int n, const element_rows<Element>& x, int x_zero, int zero, const unsigned char* packed, const column_range& cols,
                    const Rq& rq, const output_place& at, Y* y, ptrdiff_t y_stride) const noexcept {
    const int padded = weights.padded_depth(), at_once = bits_block::columns_at_once(n);
    const uint32_t x_sum = static_cast<uint32_t>(weights.depth) * static_cast<uint32_t>(x_zero + bits.signed_shift);
    for (int r = 0; r < n; ++r) {
      const auto sum = static_cast<uint32_t>(bits.rows(weights.depth, padded, x.at + r * x.stride, bits.minus, work.rows + ptrdiff_t{r} * padded));
      work.offsets[r] = static_cast<int32_t>(static_cast<uint32_t>(-(zero + weights.code.offset)) * (sum - x_sum));
    }
    for (int c = cols.first; c < cols.last; c += at_once) {
      const int width = smaller(at_once, weights.padded_cols() - c), used = smaller(width, cols.last - c);
      bits.run(n, width, weights.groups(), work.rows, padded, weights.strip_at(packed, c), weights.code.twice, weights.start(packed, c, false),
               work.offsets, work.sums);
      calls.finish(n, used, work.sums, width, rq, {at.row, at.channel + c}, y + c, y_stride);
    }
  }
  template <class Y>
  void multiply_many(int n, const element_rows<Element>& x, int x_zero, int zero, const unsigned char* packed, const column_range& cols,
                     const Rq& rq, const output_place& at, Y* y, ptrdiff_t y_stride) const noexcept {
    const gemm_tile& tile = weights.tile;
    const int32_t* const offsets = area.row_offsets(calls, n, weights.depth, x_zero, zero);
    for (int c = cols.first; c < cols.last; c += tile.cols) {
      const int used = smaller(tile.cols, cols.last - c);
      const gemm_weights panel = weights.unpacked(smaller(tile.cols, weights.padded_cols() - c));
      copy_elements(weights.start(packed, c, true), reinterpret_cast<int32_t*>(work.panel), static_cast<size_t>(panel.padded_cols()));
      bits.unpack(panel.padded_cols(), weights.groups(), tile.depth_step, weights.strip_at(packed, c), weights.code.twice, weights.code.offset,
                  reinterpret_cast<int8_t*>(work.panel + panel.start_bytes()));
      gemm_rows(calls, n, x, panel, work.panel, {0, used}, offsets, rq, {at.row, at.channel + c}, y + c, y_stride, area.tile);
    }
  }
};

}  // namespace lowbits::kernel
