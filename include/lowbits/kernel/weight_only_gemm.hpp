// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A matrix product of floats and weights in codes of 1 to 16 bits, for direct use: what models do whose weights alone are
// quantized. Weights are packed once for the processor at hand, at their own width.
//
//   lb::weight_only_gemm<lb::q4> product({.rows = m, .cols = n, .depth = k}, {.group = 32});
//   product.pack(w, {.scales = scales}, packed);                     // packed_bytes(), aligned to 64
//   product.run(x, packed, y, scratch);                              // scratch_bytes()
//
// lowbits.hpp includes this header only where LOWBITS_WEIGHT_ONLY is defined.

#include <lowbits/core/status.hpp>
#include <lowbits/kernel/layout_version.hpp>
#include <lowbits/kernel/select.hpp>
#include <lowbits/kernel/threads.hpp>
#include <lowbits/kernel/weight_only.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct weight_only_options {
  int group = 0;           ///< codes along the depth with a scale of their own, a multiple of 32; 0: all, one scale per column
  bool zero_each = false;  ///< zero points are an array as scales are, not one number
};

/// See ref::weight_only_gemm. Q is a number type.
template <quantized_type Q>
class weight_only_gemm {
public:
  /// For the strongest architecture of this processor, or the one named. Asks the processor.
  explicit weight_only_gemm(const gemm_shape& shape, const weight_only_options& options = {}, arch_id arch = select_arch()) noexcept
      : s_(shape), arch_(arch) {
    constexpr int most = 1 << 30;  // what padding adds still fits in an int
    is_valid_ = s_.rows >= 0 && s_.batch >= 0 && s_.cols >= 0 && s_.cols <= most && s_.depth >= 0 && s_.depth <= most &&
                options.group >= 0 && (options.group % real_layout::unit == 0 || options.group >= s_.depth);
    if (!is_valid_) return;
    with_usable_arch(arch, [&]<class Arch>(Arch) {
      using kernel_arch = arch_for<Arch, prims::gemm_reals>;
      is_usable_ = true;
      product_.calls = kernel::real_calls_of<kernel_arch>;
    });
    product_.w = {.at = {Q::bits, Q::is_binary}, .panel = larger(product_.calls.cols, 1), .col_step = larger(product_.calls.col_step, 1),
                  .depth = s_.depth, .cols = s_.cols, .group = weight_only_group(s_, options.group), .groups = weight_only_groups(s_, options.group),
                  .zero_each = options.zero_each};
    product_.codes = real_codes(product_.w.at);
  }

  /// Why pack and run would refuse: extents below 0 or above 2^30, a group that is no multiple of 32, or an architecture this processor has not.
  status error() const noexcept { return !is_valid_ ? status::bad_value : !is_usable_ ? status::unsupported : status::ok; }
  size_t packed_bytes() const noexcept { return packed_alignment + product_.w.bytes(); }
  /// For that many parts running at the same time.
  size_t scratch_bytes(int parts = 1) const noexcept { return product_.scratch_bytes(rows_together()) * static_cast<size_t>(parts); }

  /// w is [cols][depth]. Scales and bias are copied; scales that are not finite, zero points above 2^16 and arrays of other
  /// sizes are refused as bad_value.
  status pack(const packed_view<Q>& w, const weight_only_scales& of, std::span<unsigned char> packed) const noexcept {
    if (error() != status::ok) return error();
    const auto each = static_cast<size_t>(product_.w.groups) * static_cast<size_t>(s_.cols);
    if (w.size() != static_cast<size_t>(s_.cols) * static_cast<size_t>(s_.depth)) return status::bad_value;
    if (of.scales.size() != each && of.scales.size() != 1) return status::bad_value;
    if (!of.zeros.empty() && of.zeros.size() != 1 && (of.zeros.size() != each || !product_.w.zero_each)) return status::bad_value;
    for (const float s : of.scales)
      if (!fp::is_finite(s)) return status::bad_value;
    for (const int32_t z : of.zeros)
      if (magnitude(z) > 1u << 16) return status::bad_value;
    if (const status put = detail::put_header(header(), packed_bytes(), packed); put != status::ok) return put;
    constexpr int offset = Q::is_binary ? 1 : Q::is_signed ? 1 << (Q::bits - 1) : 0;
    product_.w.pack([&](int c, int k) {
      const int code = w[static_cast<size_t>(c) * static_cast<size_t>(s_.depth) + static_cast<size_t>(k)];
      return static_cast<uint32_t>((code + offset) >> (Q::is_binary ? 1 : 0));
    }, [&](int c) { return of.bias != nullptr ? of.bias[c] : 0.0f; },
       [&](int g, int c) { return of.scale(ptrdiff_t{g} * s_.cols + c); },
       [&](int g, int c) { return offset + of.zero(ptrdiff_t{g} * s_.cols + c); }, packed.data() + packed_alignment);
    return status::ok;
  }

  /// x and y as the shape says, y overlapping nothing else. Weights packed for anything else are refused as foreign.
  status run(const float* x, std::span<const unsigned char> packed, float* y, std::span<unsigned char> scratch) const noexcept {
    return run(x, packed, y, scratch, in_turn{}, 1);
  }
  /// In `parts` parts on an executor's threads (kernel/threads.hpp), with scratch_bytes(parts).
  template <class Executor>
  status run(const float* x, std::span<const unsigned char> packed, float* y, std::span<unsigned char> scratch, Executor&& executor,
             int parts) const noexcept {
    if (parts < 1) return status::bad_value;
    if (error() != status::ok) return error();
    packed_header h;
    if (const status got = detail::get_header(packed, h); got != status::ok) return got;
    if (h != header()) return status::foreign;
    if (packed.size() < packed_bytes() || scratch.size() < scratch_bytes(parts)) return status::too_small;
    const unsigned char* const weights = packed.data() + packed_alignment;
    executor(parts, [&](int i) {
      unsigned char* const own = scratch.data() + static_cast<size_t>(i) * product_.scratch_bytes(rows_together());
      const int rows = rows_together(), matrices = is_one_matrix() ? 1 : s_.batch;
      // Columns are divided where each part gets some, else rows.
      const bool by_columns = parts == 1 || s_.cols >= parts * product_.w.panel;
      const even_parts p{by_columns ? s_.cols : rows, parts, by_columns ? product_.w.panel : 1};
      const auto begin = static_cast<int>(p.begin(i)), end = static_cast<int>(p.begin(i + 1));
      for (int b = 0; b < matrices; ++b) {
        const float* const from = x + b * s_.x_matrix_step();
        float* const to = y + b * s_.y_matrix_step();
        if (by_columns) product_.run(rows, begin, end, from, s_.x_row_step(), weights, to, s_.y_row_step(), own);
        else product_.run(end - begin, 0, s_.cols, from + begin * s_.x_row_step(), s_.x_row_step(), weights, to + begin * s_.y_row_step(),
                          s_.y_row_step(), own);
      }
    });
    return status::ok;
  }

private:
  struct packed_header {
    uint32_t magic = 0x6f77'626cu;
    uint32_t layout_version = packed_layout_version;
    uint32_t arch = 0;
    uint32_t type = 0;
    int32_t cols = 0, depth = 0;
    int32_t group = 0, zero_each = 0;
    uint64_t bytes = 0;  ///< of the whole buffer

    constexpr bool operator==(const packed_header&) const = default;
  };
  packed_header header() const noexcept {
    return {.arch = static_cast<uint32_t>(arch_), .type = static_cast<uint32_t>(Q::bits) << 2 | (Q::is_signed ? 1u : 0u) | (Q::is_binary ? 2u : 0u),
            .cols = s_.cols, .depth = s_.depth, .group = product_.w.group, .zero_each = product_.w.zero_each ? 1 : 0, .bytes = packed_bytes()};
  }
  /// The matrices of a batch that follow each other are one matrix of more rows.
  bool is_one_matrix() const noexcept {
    return s_.batch <= 1 || (s_.x_matrix_step() == s_.rows * s_.x_row_step() && s_.y_matrix_step() == s_.rows * s_.y_row_step() &&
                             int64_t{s_.batch} * s_.rows < (int64_t{1} << 31));
  }
  int rows_together() const noexcept { return s_.batch < 1 ? 0 : is_one_matrix() ? s_.batch * s_.rows : s_.rows; }

  gemm_shape s_;
  arch_id arch_;
  bool is_valid_ = false, is_usable_ = false;
  kernel::real_product product_{};
};

}  // namespace lowbits
