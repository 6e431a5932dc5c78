// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A matrix product for direct use whose weights have a scale for each group along the depth, for few rows (the weights
// pass once for each row): one product per group, each of which adds to the results of those before.
//
//   lb::grouped_gemm<int8_t, lb::q4> product({.rows = m, .cols = n, .depth = k}, 32);
//   product.pack(w, 0, x_zero, packed);                              // packed_bytes(), aligned to 64
//   product.run(x, packed, {.scales = scales}, y, scratch);          // scratch_bytes()

#include <lowbits/kernel/prepared_gemm.hpp>
#include <lowbits/ref/grouped_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// See ref::grouped_gemm. X is int8_t or uint8_t, Q a number type of up to 8 bits, `group` a multiple of 32 that divides the
/// depth. Sums of a group are taken in 32 bits.
template <class X, quantized_type Q>
class grouped_gemm {
  static_assert(sizeof(X) == 1 && Q::bits <= 8, "lowbits: grouped_gemm: x is not an 8-bit type or w has more than 8 bits; requantize one");

public:
  /// For the strongest architecture of this processor, or the one named. Asks the processor.
  grouped_gemm(const gemm_shape& shape, int group, arch_id arch = select_arch()) noexcept : s_(shape), group_(group), arch_(arch) {
    constexpr int most = 1 << 30;  // what padding adds still fits in an int
    is_valid_ = s_.rows >= 0 && s_.batch >= 0 && s_.cols >= 0 && s_.cols <= most && s_.depth >= 0 && s_.depth <= most && group > 0 &&
                group % 32 == 0 && s_.depth % group == 0;
    with_usable_arch(arch, [&]<class Arch>(Arch) {
      using kernel_type = kernel::dense_kernel<Arch, X, group_codes<Q>, float_output>;
      if (!is_valid_) return;
      part_bytes_ = round_up(kernel_type::packed_bytes(one()), packed_alignment);
      scratch_bytes_ = kernel_type::scratch_bytes(one());
      pack_ = &kernel_type::pack;
      run_ = &kernel_type::run;
    });
  }

  /// Why pack and run would refuse: extents below 0 or above 2^30, a group that does not fit, or an architecture this processor has not.
  status error() const noexcept { return !is_valid_ ? status::bad_value : run_ == nullptr ? status::unsupported : status::ok; }
  size_t packed_bytes() const noexcept { return packed_alignment + static_cast<size_t>(groups()) * part_bytes_; }
  size_t scratch_bytes() const noexcept { return scratch_bytes_; }

  /// w is [cols][depth]. The packed weights hold for these zero points.
  status pack(const packed_view<Q>& w, int w_zero, int x_zero, std::span<unsigned char> packed) const noexcept {
    if (error() != status::ok) return error();
    if (const status put = detail::put_header(header(x_zero, w_zero), packed_bytes(), packed); put != status::ok) return put;
    const auto group = static_cast<size_t>(group_);
    for (int g = 0; g < groups(); ++g)
      pack_(one(), group_codes<Q>{w, static_cast<size_t>(s_.depth), group, static_cast<size_t>(g) * group}, nullptr, x_zero, part(packed.data(), g));
    return status::ok;
  }

  /// x and y as the shape says, y overlapping nothing else. Weights packed for anything else are refused as foreign.
  status run(const X* x, std::span<const unsigned char> packed, const group_scales& scales, float* y, std::span<unsigned char> scratch) const noexcept {
    if (error() != status::ok) return error();
    packed_gemm_header h;
    if (const status got = detail::get_header(packed, h); got != status::ok) return got;
    if (h != header(h.x_zero, h.w_zero)) return status::foreign;
    if (packed.size() < packed_bytes() || scratch.size() < scratch_bytes()) return status::too_small;
    // Group by group, so that a group's weights stay in a cache for all rows.
    for (int g = 0; g < larger(groups(), 1); ++g)
      for (int64_t row = 0; row < int64_t{s_.batch} * s_.rows; ++row) {
        const auto b = static_cast<ptrdiff_t>(row / s_.rows), r = static_cast<ptrdiff_t>(row % s_.rows);
        float* const to = y + b * s_.y_matrix_step() + r * s_.y_row_step();
        if (groups() == 0) {
          for (int c = 0; c < s_.cols; ++c) to[c] = scales.bias != nullptr ? scales.bias[c] : 0.0f;
          continue;
        }
        run_(one(), {0, 1, {0, s_.cols}}, x + b * s_.x_matrix_step() + r * s_.x_row_step() + ptrdiff_t{g} * group_, h.x_zero, h.w_zero,
             part(packed.data(), g), scales.after(g, s_.cols, row, to), to, {}, scratch.data());
      }
    return status::ok;
  }

private:
  int groups() const noexcept { return is_valid_ ? s_.depth / group_ : 0; }
  /// A row of a group.
  gemm_shape one() const noexcept { return {.rows = 1, .cols = s_.cols, .depth = group_}; }
  template <class Byte>
  Byte* part(Byte* packed, int g) const noexcept { return packed + packed_alignment + static_cast<size_t>(g) * part_bytes_; }
  packed_gemm_header header(int x_zero, int w_zero) const noexcept {
    const uint32_t types = (std::is_signed_v<X> ? 1u : 2u) | (Q::is_signed ? 4u : 8u) | static_cast<uint32_t>(Q::bits) << 4 | static_cast<uint32_t>(group_) << 8;
    return {.arch = static_cast<uint32_t>(arch_), .types = types, .cols = s_.cols, .depth = s_.depth,
            .x_zero = x_zero, .w_zero = w_zero, .bytes = packed_bytes()};
  }

  gemm_shape s_;
  int group_;
  arch_id arch_;
  bool is_valid_ = false;
  size_t part_bytes_ = 0, scratch_bytes_ = 0;
  void (*pack_)(const gemm_shape&, const group_codes<Q>&, const int32_t*, int, unsigned char*) noexcept = nullptr;
  void (*run_)(const gemm_shape&, const kernel::gemm_part&, const X*, int, int, const unsigned char*, const float_output&, float*,
               const residual<float>&, unsigned char*) noexcept = nullptr;
};

}  // namespace lowbits
