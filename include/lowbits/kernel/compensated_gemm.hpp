// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A matrix product with error compensation for direct use, outside of any graph: codes of 16 bits times
// weights of 16 or 8, or bytes times words, by products of bytes. As lb::gemm otherwise.
//
//   lb::compensated_gemm<int16_t, int16_t, lb::channel_requantizer<lb::q16>> product(m, n, k);
//   product.pack(w, bias, packed);                             // packed_bytes(), aligned to 64
//   product.run(x, packed, {factors, stage}, y, scratch);      // scratch_bytes()

#include <lowbits/core/bytes.hpp>
#include <lowbits/kernel/compensated.hpp>
#include <lowbits/kernel/layout_version.hpp>
#include <lowbits/kernel/select.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// What a buffer of packed weights starts with.
struct compensated_gemm_header {
  uint32_t magic = 0x6d67'6365u;
  uint32_t layout_version = packed_layout_version;
  uint32_t arch = 0;
  uint32_t types = 0;  ///< bytes of x and w, and how they are multiplied
  int32_t cols = 0, depth = 0;
  uint64_t bytes = 0;  ///< of the whole buffer

  constexpr bool operator==(const compensated_gemm_header&) const = default;
};

/// y[r][c] = rq(bias[c] + sum over k of x[r][k] * w[c][k]); the sum is one of 64 bits, for three_products
/// without residual * residual (ref/compensation.hpp). X and W are int16_t or int8_t, zero points are 0.
template <class X, class W, class Rq, error_compensation How = error_compensation::exact>
class compensated_gemm {
  static constexpr bool both = sizeof(X) == 2 && sizeof(W) == 2;
  static_assert(std::is_signed_v<X> && std::is_signed_v<W> && (both || (How == error_compensation::exact && sizeof(X) + sizeof(W) == 3)),
                "lowbits: compensated_gemm: x and w are not int16_t on one side (three_products: on both); change their types");

public:
  using Y = typename Rq::output::storage;
  static constexpr int largest_depth = 32768;

  /// For the strongest architecture of this processor, or the one named. Asks the processor.
  compensated_gemm(int rows, int cols, int depth, arch_id arch = select_arch()) noexcept
      : s_(dense_shape(rows, depth, cols)), arch_(arch) {
    is_valid_ = rows >= 0 && cols >= 0 && cols <= 1 << 30 && depth >= 0 && depth <= largest_depth;
    with_usable_arch(arch, [&]<class Arch>(Arch) {
      using kernel_type = kernel::conv2d_for<Arch, X, const W*, kernel::compensated_sum<How>, Rq>;
      if (!is_valid_) return;
      part_bytes_ = kernel_type::packed_bytes(s_);
      scratch_bytes_ = kernel_type::scratch_bytes(s_);
      pack_ = &kernel_type::template pack<int64_t>;
      run_ = &kernel_type::template run<int64_t>;
    });
  }

  arch_id arch() const noexcept { return arch_; }
  /// Why pack and run would refuse: extents below 0, cols above 2^30, depth above largest_depth, or an
  /// architecture this processor or build has not.
  status error() const noexcept {
    return !is_valid_ ? status::bad_value : run_ == nullptr ? status::unsupported : status::ok;
  }
  /// Weights without a layout of their own are copied, with the bias.
  size_t packed_bytes() const noexcept {
    return packed_alignment + (part_bytes_ != 0 ? part_bytes_ : bias_bytes() + kernel::work_bytes(weight_count(), sizeof(W)));
  }
  size_t scratch_bytes() const noexcept { return scratch_bytes_; }

  /// w is [cols][depth]; bias has cols elements or is null.
  status pack(const W* w, const int64_t* bias, std::span<unsigned char> packed) const noexcept {
    if (error() != status::ok) return error();
    if (const status put = detail::put_header(header(), packed_bytes(), packed); put != status::ok) return put;
    unsigned char* const to = packed.data() + packed_alignment;
    if (part_bytes_ != 0) return pack_(s_, w, bias, 0, to), status::ok;
    auto* const starts = reinterpret_cast<int64_t*>(to);
    for (int c = 0; c < s_.out_c; ++c) starts[c] = bias != nullptr ? bias[c] : 0;
    copy_elements(w, reinterpret_cast<W*>(to + bias_bytes()), weight_count());
    return status::ok;
  }

  /// x [rows][depth], y [rows][cols], not overlapping. Weights that were packed for something else are
  /// refused as foreign.
  status run(const X* x, std::span<const unsigned char> packed, const Rq& rq, Y* y, std::span<unsigned char> scratch) const noexcept {
    if (error() != status::ok) return error();
    compensated_gemm_header h;
    if (const status got = detail::get_header(packed, h); got != status::ok) return got;
    if (h != header()) return status::foreign;
    if (packed.size() < packed_bytes() || scratch.size() < scratch_bytes_) return status::too_small;
    const unsigned char* const from = packed.data() + packed_alignment;
    if (part_bytes_ != 0) run_(s_, x, 0, nullptr, 0, nullptr, from, rq, y, scratch.data());
    else
      run_(s_, x, 0, reinterpret_cast<const W*>(from + bias_bytes()), 0, reinterpret_cast<const int64_t*>(from), nullptr, rq, y, nullptr);
    return status::ok;
  }

private:
  compensated_gemm_header header() const noexcept {
    return {.arch = static_cast<uint32_t>(arch_),
            .types = static_cast<uint32_t>(sizeof(X)) | static_cast<uint32_t>(sizeof(W)) << 2 | static_cast<uint32_t>(How) << 4,
            .cols = s_.out_c, .depth = s_.in_c, .bytes = packed_bytes()};
  }
  size_t weight_count() const noexcept { return is_valid_ ? static_cast<size_t>(s_.out_c) * static_cast<size_t>(s_.in_c) : 0; }
  size_t bias_bytes() const noexcept { return is_valid_ ? kernel::work_bytes(static_cast<size_t>(s_.out_c), sizeof(int64_t)) : 0; }

  conv2d_shape s_;
  arch_id arch_;
  bool is_valid_ = false;
  size_t part_bytes_ = 0, scratch_bytes_ = 0;
  void (*pack_)(const conv2d_shape&, const W* const&, const int64_t*, int, unsigned char*) noexcept = nullptr;
  void (*run_)(const conv2d_shape&, const X*, int, const W* const&, int, const int64_t*, const unsigned char*, const Rq&, Y*,
               unsigned char*) noexcept = nullptr;
};

}  // namespace lowbits
