// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rows of codes times constant weights of up to 8 bits that have a factor for each group along the depth, on an
// architecture: the bytes of ref::grouped_gemm. Weights stay at their own width.

#include <lowbits/arch/groups.hpp>
#include <lowbits/kernel/finish.hpp>
#include <lowbits/kernel/work_area.hpp>
#include <lowbits/pack/layout.hpp>
#include <lowbits/ref/grouped_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// What is known of such a product when its weights are packed.
struct group_format {
  int group = 32;  ///< weights along the depth that share a factor: 16 or a multiple of 32; the last group may be short
  int x_zero = 0, w_zero = 0;
  int shift = 0;   ///< see group_factors
};

namespace kernel {

/// The layout of prepared weights of C columns: the numbers as eights_layout has them; factors and, where x_zero needs them,
/// start values of sums, both [strips of columns][groups][16]; start values of integer results.
template <quantized_type Q, group_factor Factor>
struct groups_weights {
  static constexpr int strip = 16;
  static constexpr bool is_real = !std::is_same_v<Factor, uint8_t>;
  /// A weight is number * 2^twice - offset.
  static constexpr int twice = Q::is_binary ? 1 : 0, offset = Q::is_binary ? 1 : Q::is_signed ? 1 << (Q::bits - 1) : 0;

  int depth = 0, cols = 0, group = 32;
  bool has_starts = false;

  constexpr int eights() const noexcept { return ceil_div(depth, 32); }
  constexpr int groups() const noexcept { return group == 16 ? 2 * eights() : ceil_div(depth, group); }
  constexpr int strips() const noexcept { return ceil_div(cols, strip); }
  constexpr size_t strip_bytes() const noexcept { return static_cast<size_t>(eights()) * 64 * Q::bits; }
  constexpr size_t numbers() const noexcept { return static_cast<size_t>(strips()) * static_cast<size_t>(groups()) * strip; }
  constexpr size_t factors_at() const noexcept { return static_cast<size_t>(strips()) * strip_bytes(); }
  constexpr size_t starts_at() const noexcept { return factors_at() + work_bytes(numbers(), sizeof(Factor)); }
  constexpr size_t first_at() const noexcept { return starts_at() + (has_starts ? work_bytes(numbers(), 4) : 0); }
  constexpr size_t bytes() const noexcept { return first_at() + (is_real ? 0 : static_cast<size_t>(strips()) * strip * 4); }

  /// Factors are [cols][ceil(depth / group)]. x_zero is that of signed codes.
  template <class W>
  void pack(const W& w, const Factor* factors, const int32_t* bias, int w_zero, int x_zero, unsigned char* packed) const noexcept {
    const int given = ceil_div(depth, group);
    auto* const each = reinterpret_cast<Factor*>(packed + factors_at());
    auto* const starts = reinterpret_cast<int32_t*>(packed + starts_at());
    auto* const first = reinterpret_cast<int32_t*>(packed + first_at());
    for (int c = 0; c < strips() * strip; ++c) {
      if (!is_real) first[c] = bias != nullptr && c < cols ? bias[c] : 0;
      for (int g = 0; g < groups(); ++g) {
        const ptrdiff_t at = (ptrdiff_t{c / strip} * groups() + g) * strip + c % strip;
        each[at] = c < cols && g < given ? factors[ptrdiff_t{c} * given + g] : Factor{};
        if (!has_starts) continue;
        int sum = 0;
        if (c < cols)
          for (int k = g * group; k < smaller(depth, (g + 1) * group); ++k) sum += w[static_cast<size_t>(ptrdiff_t{c} * depth + k)] - w_zero;
        starts[at] = static_cast<int32_t>(0u - static_cast<uint32_t>(x_zero) * static_cast<uint32_t>(sum));
      }
    }
    for (int s = 0; s < strips(); ++s)
      for (int e = 0; e < eights(); ++e, packed += 64 * Q::bits)
        for (int lane = 0; lane < 64; ++lane) {
          unsigned char shared[8] = {};
          for (int i = 0; i < 8; ++i) {
            const int c = s * strip + lane / 4, k = 32 * e + 4 * i + lane % 4;
            if (c >= cols || k >= depth) continue;
            const auto number = static_cast<unsigned>((w[static_cast<size_t>(ptrdiff_t{c} * depth + k)] + offset) >> twice);
            eight_codes_parts(Q::bits, i, [&](const code_part& p) {
              shared[p.byte] = static_cast<unsigned char>(shared[p.byte] | (number >> p.from & ((1u << p.width) - 1u)) << p.shift);
            });
          }
          for (int t = 0; t < Q::bits; ++t) packed[64 * t + lane] = shared[t];
        }
  }
};

/// W is what the codes of Q are read from, [cols][depth].
template <class Arch, class X, quantized_type Q, class W, group_factor Factor, class Rq>
struct grouped {
  using Y = typename Rq::output::storage;
  using weights = groups_weights<Q, Factor>;
  using total = std::conditional_t<weights::is_real, float, int32_t>;
  static constexpr bool is_fast = has_prim<prims::gemm_groups, Arch>;
  static constexpr int flip = X(-1) < X(0) ? 0 : 128;  ///< from a code to a signed one
  static constexpr int most_rows = 64;                 ///< that are prepared together

  static constexpr size_t packed_bytes(const gemm_shape& s, const group_format& f) noexcept {
    if constexpr (is_fast) return layout(s, f).bytes();
    else return codes_at(s, f) + static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth);
  }
  static constexpr size_t scratch_bytes(const gemm_shape& s, const group_format& f) noexcept {
    if constexpr (!is_fast) return 0;
    const block b(s, f);
    return work_total(work_bytes(b.row, 1) + work_bytes(b.row_bytes(), 1) + work_bytes(b.sums, 4) + work_bytes(b.offsets(), 4) + work_bytes(b.tile(), 4));
  }

  /// Writes packed_bytes at a multiple of 64. bias, [cols] or null, goes with integer factors.
  static void pack(const gemm_shape& s, const group_format& f, const W& w, const Factor* factors, const int32_t* bias, unsigned char* packed) noexcept {
    if constexpr (is_fast) {
      layout(s, f).pack(w, factors, bias, f.w_zero, f.x_zero - flip, packed);
    } else {
      copy_elements(factors, reinterpret_cast<Factor*>(packed), factor_count(s, f));
      auto* const to = reinterpret_cast<typename Q::storage*>(packed + codes_at(s, f));
      for (size_t i = 0; i < static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth); ++i) to[i] = static_cast<typename Q::storage>(w[i]);
      auto* const first = reinterpret_cast<int32_t*>(packed + bias_at(s, f));
      for (int c = 0; c < s.cols; ++c) first[c] = bias != nullptr ? bias[c] : 0;
    }
  }

  static void run(const gemm_shape& s, const group_format& f, const X* x, const unsigned char* packed, const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if constexpr (!is_fast) {
      ref::grouped_gemm(s, x, f.x_zero, reinterpret_cast<const typename Q::storage*>(packed + codes_at(s, f)), f.w_zero,
                        group_factors<Factor>{reinterpret_cast<const Factor*>(packed), f.group, f.shift},
                        reinterpret_cast<const int32_t*>(packed + bias_at(s, f)), rq, y);
    } else {
      const block b(s, f);
      work_area area(scratch);
      auto* const one = area.take<int8_t>(b.row);
      auto* const rows = area.take<int8_t>(b.row_bytes());
      auto* const sums = area.take<int32_t>(b.sums);
      auto* const offsets = area.take<int32_t>(b.offsets());
      auto* const tile = area.take<total>(b.tile());
      for (int64_t row = 0; row < int64_t{s.batch} * s.rows;) {
        const auto m = static_cast<ptrdiff_t>(row / s.rows), r = static_cast<ptrdiff_t>(row % s.rows);
        const int n = static_cast<int>(smaller<int64_t>(b.rows, s.rows - r));
        fetch(s, f, b, n, x + m * s.x_matrix_step() + r * s.x_row_step(), one, rows, sums, offsets);
        multiply(layout(s, f), f.shift, b, {rows, offsets}, n, packed, rq, row, s.cols, tile, y + m * s.y_matrix_step() + r * s.y_row_step(), s.y_row_step());
        row += n;
      }
    }
  }

private:
  static constexpr size_t factor_count(const gemm_shape& s, const group_format& f) noexcept {
    return static_cast<size_t>(s.cols) * static_cast<size_t>(ceil_div(s.depth, f.group));
  }
  static constexpr size_t bias_at(const gemm_shape& s, const group_format& f) noexcept { return work_bytes(factor_count(s, f), sizeof(Factor)); }
  static constexpr size_t codes_at(const gemm_shape& s, const group_format& f) noexcept { return bias_at(s, f) + work_bytes(static_cast<size_t>(s.cols), 4); }
  static constexpr weights layout(const gemm_shape& s, const group_format& f) noexcept { return {s.depth, s.cols, f.group, f.x_zero != flip}; }

  /// Rows that are multiplied together: their codes, made up to whole vectors, a number for each group, and results.
  struct block {
    int rows, groups, cols, repeats;
    size_t row, sums;
    constexpr block(const gemm_shape& s, const group_format& f) noexcept
        : rows(smaller(s.rows, most_rows)), groups(layout(s, f).groups()), cols(rows > 1 ? 64 : 1024), repeats(f.group == 16 ? 2 : 1),
          row(static_cast<size_t>(round_up(s.depth, 64))), sums(row / 16) {}
    constexpr size_t stride() const noexcept { return row * static_cast<size_t>(repeats); }
    constexpr size_t row_bytes() const noexcept { return static_cast<size_t>(rows) * stride(); }
    constexpr size_t offsets() const noexcept { return static_cast<size_t>(rows) * static_cast<size_t>(groups); }
    constexpr size_t tile() const noexcept { return static_cast<size_t>(rows) * static_cast<size_t>(cols); }
  };
  struct fetched {
    const int8_t* rows;
    const int32_t* offsets;
  };

  /// Codes, and what a group's sum lacks because numbers are not weights: their difference times the sum of the codes. For
  /// groups of 16 each 32 codes come twice, once with zeros behind the first 16 and once with zeros before the last.
  static void fetch(const gemm_shape& s, const group_format& f, const block& b, int n, const X* x, int8_t* one, int8_t* rows, int32_t* sums,
                    int32_t* offsets) noexcept {
    const auto lacks = static_cast<uint32_t>(-(weights::offset + f.w_zero));
    const int length = f.group / 16, last = static_cast<int>(b.sums);
    for (int r = 0; r < n; ++r, x += s.x_row_step(), rows += b.stride()) {
      best_prim<prims::gemm_groups, Arch>::rows(s.depth, reinterpret_cast<const uint8_t*>(x), flip, b.repeats == 1 ? rows : one, sums);
      if (b.repeats == 2)
        for (size_t i = 0; i < b.row; i += 32)
          for (size_t k = 0; k < 32; ++k) rows[2 * i + k] = k < 16 ? one[i + k] : int8_t{0}, rows[2 * i + 32 + k] = k < 16 ? int8_t{0} : one[i + k];
      for (int g = 0; g < b.groups; ++g) {
        uint32_t sum = 0;
        for (int i = g * length; i < smaller((g + 1) * length, last); ++i) sum += static_cast<uint32_t>(sums[i]);
        *offsets++ = static_cast<int32_t>(lacks * sum);
      }
    }
  }

  static void multiply(const weights& w, int shift, const block& b, const fetched& from, int n, const unsigned char* packed, const Rq& rq, int64_t row, int cols,
                       total* tile, Y* y, ptrdiff_t y_step) noexcept {
    using P = best_prim<prims::gemm_groups, Arch>;
    for (int c = 0; c < cols; c += b.cols) {
      const int used = smaller(b.cols, cols - c), all = round_up(used, weights::strip), strip = c / weights::strip;
      const size_t number = static_cast<size_t>(c) * static_cast<size_t>(b.groups);
      const group_operands operands{from.rows, static_cast<ptrdiff_t>(b.stride()), packed + static_cast<size_t>(strip) * w.strip_bytes(), weights::twice,
                                    w.eights(), larger(w.group / 32, 1), b.repeats, b.groups, from.offsets,
                                    w.has_starts ? reinterpret_cast<const int32_t*>(packed + w.starts_at()) + number : nullptr,
                                    reinterpret_cast<const Factor*>(packed + w.factors_at()) + number, shift};
      const auto* const first = weights::is_real ? nullptr : reinterpret_cast<const int32_t*>(packed + w.first_at()) + c;
      P::template run<Q::bits, Factor>(n, all, operands, first, tile, all);
      if constexpr (weights::is_real) P::finish(n, used, tile, all, raw_stage(rq, {row, c}), y + c, y_step);
      else kernel::finish<Arch, Rq>(n, used, tile, all, rq, {row, c}, y + c, y_step);
    }
  }
};

}  // namespace kernel

}  // namespace lowbits
