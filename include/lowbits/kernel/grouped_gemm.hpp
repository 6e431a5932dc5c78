// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A matrix product for direct use whose weights have a factor for each group along the depth.
//
//   lb::grouped_gemm<int8_t, lb::q4, lb::half> product({.rows = m, .cols = n, .depth = k}, {.group = 32});
//   product.pack(w, factors, nullptr, packed);                       // packed_bytes(), aligned to 64
//   product.run(x, packed, {.row_scales = row_scales}, y, scratch);  // scratch_bytes()
//
// Factors are float, half, or uint8_t. With the last one everything is in integers: Rq may be any requantizer then.

#include <lowbits/kernel/grouped.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// See ref::grouped_gemm. X is int8_t or uint8_t, Q a number type of up to 8 bits. Sums of a group, and with integer factors
/// all, are taken in 32 bits: the caller sees to it that they suffice.
template <class X, quantized_type Q, group_factor Factor = float, class Rq = float_output>
class grouped_gemm {
  static_assert(std::is_integral_v<X> && sizeof(X) == 1 && Q::bits <= 8,
                "lowbits: grouped_gemm: x is not an 8-bit type or w has more than 8 bits; requantize one");
  static_assert(std::is_same_v<Factor, uint8_t> || std::is_same_v<Rq, float_output>,
                "lowbits: grouped_gemm: real factors give floats; use float_output, or factors of type uint8_t");

public:
  using Y = typename Rq::output::storage;

  /// For the strongest architecture of this processor, or the one named. Asks the processor.
  grouped_gemm(const gemm_shape& shape, const group_format& format, arch_id arch = select_arch()) noexcept : s_(shape), f_(format), arch_(arch) {
    constexpr int most = 1 << 30;  // what padding adds still fits in an int
    is_valid_ = s_.rows >= 0 && s_.batch >= 0 && s_.cols >= 0 && s_.cols <= most && s_.depth >= 0 && s_.depth <= most &&
                (f_.group == 16 || (f_.group > 0 && f_.group % 32 == 0)) && f_.shift >= 0 && f_.shift <= 30 &&
                f_.x_zero >= lowest_of<X> && f_.x_zero <= highest_of<X> && f_.w_zero >= -256 && f_.w_zero <= 256;
    with_usable_arch(arch, [&]<class Arch>(Arch) {
      using kernel_type = kernel::grouped<arch_for<Arch, prims::gemm_groups, prims::requantize>, X, Q, packed_view<Q>, Factor, Rq>;
      if (!is_valid_) return;
      packed_bytes_ = packed_alignment + kernel_type::packed_bytes(s_, f_);
      scratch_bytes_ = kernel_type::scratch_bytes(s_, f_);
      pack_ = &kernel_type::pack;
      run_ = &kernel_type::run;
    });
  }

  /// Why pack and run would refuse: extents below 0 or above 2^30, a group that does not fit, a zero point or shift out of
  /// range, or an architecture this processor has not.
  status error() const noexcept { return !is_valid_ ? status::bad_value : run_ == nullptr ? status::unsupported : status::ok; }
  size_t packed_bytes() const noexcept { return packed_bytes_; }
  size_t scratch_bytes() const noexcept { return scratch_bytes_; }

  /// w is [cols][depth], factors [cols][ceil(depth / group)] and finite; bias, [cols] or null, goes with integer factors.
  status pack(const packed_view<Q>& w, const Factor* factors, const int32_t* bias, std::span<unsigned char> packed) const noexcept {
    if (error() != status::ok) return error();
    if (bias != nullptr && !std::is_same_v<Factor, uint8_t>) return status::bad_value;
    if (const status s = kernel::check_codes(w, static_cast<size_t>(s_.cols) * static_cast<size_t>(s_.depth)); s != status::ok) return s;
    for (ptrdiff_t i = 0; i < ptrdiff_t{s_.cols} * ceil_div(s_.depth, f_.group); ++i)
      if constexpr (!std::is_same_v<Factor, uint8_t>)
        if (!fp::is_finite(ref::group_scale(factors[i]))) return status::bad_value;
    if (const status put = detail::put_header(header(), packed_bytes(), packed); put != status::ok) return put;
    pack_(s_, f_, w, factors, bias, packed.data() + packed_alignment);
    return status::ok;
  }

  /// x and y as the shape says, y overlapping nothing else. Weights packed for anything else are refused as foreign.
  status run(const X* x, std::span<const unsigned char> packed, const Rq& rq, Y* y, std::span<unsigned char> scratch) const noexcept {
    if (error() != status::ok) return error();
    packed_gemm_header h;
    if (const status got = detail::get_header(packed, h); got != status::ok) return got;
    if (h != header()) return status::foreign;
    if (packed.size() < packed_bytes() || scratch.size() < scratch_bytes()) return status::too_small;
    run_(s_, f_, x, packed.data() + packed_alignment, rq, y, scratch.data());
    return status::ok;
  }

private:
  packed_gemm_header header() const noexcept {
    constexpr uint32_t types = (std::is_signed_v<X> ? 1u : 2u) | (Q::is_signed ? 4u : 8u) | static_cast<uint32_t>(Q::bits) << 4 |
                               (Q::is_binary ? 1024u : 0u) | static_cast<uint32_t>(sizeof(Factor)) << 11;
    return {.magic = 0x6772'626cu, .arch = static_cast<uint32_t>(arch_), .types = types,
            .cols = s_.cols, .depth = s_.depth, .x_zero = f_.x_zero, .w_zero = f_.w_zero, .group = f_.group, .shift = f_.shift,
            .bytes = packed_bytes()};
  }

  gemm_shape s_;
  group_format f_;
  arch_id arch_;
  bool is_valid_ = false;
  size_t packed_bytes_ = 0, scratch_bytes_ = 0;
  void (*pack_)(const gemm_shape&, const group_format&, const packed_view<Q>&, const Factor*, const int32_t*, unsigned char*) noexcept = nullptr;
  void (*run_)(const gemm_shape&, const group_format&, const X*, const unsigned char*, const Rq&, Y*, unsigned char*) noexcept = nullptr;
};

}  // namespace lowbits
