// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A matrix product for direct use, outside of any graph: weights are packed once for the processor at
// hand into a buffer of the caller's, which may be saved and mapped again.
//
//   lb::gemm<int8_t, lb::channel_requantizer<lb::q8>> product({.rows = m, .cols = n, .depth = k});
//   product.pack(w, 0, bias, x_zero, packed);                        // packed_bytes(), aligned to 64
//   product.run(x, packed, {factors, stage}, y, scratch);            // scratch_bytes()

#include <lowbits/core/bytes.hpp>
#include <lowbits/kernel/layout_version.hpp>
#include <lowbits/kernel/select.hpp>
#include <lowbits/kernel/threads.hpp>
#include <lowbits/kernel/word_dense.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// What a buffer of packed weights starts with.
struct packed_gemm_header {
  uint32_t magic = 0x6d67'626cu;
  uint32_t layout_version = packed_layout_version;
  uint32_t arch = 0;
  uint32_t types = 0;  ///< of x and w
  int32_t cols = 0, depth = 0;
  int32_t x_zero = 0, w_zero = 0;
  int32_t group = 0, shift = 0;  ///< of grouped_gemm
  uint64_t bytes = 0;  ///< of the whole buffer

  constexpr bool operator==(const packed_gemm_header&) const = default;
};

namespace kernel {
/// What weights of unknown origin have to be: `count` of them, all within their type. Pointers say neither.
template <class W>
status check_codes(const W& w, size_t count) noexcept {
  if constexpr (requires { w.size(); }) {
    if (w.size() < count) return status::wrong_size;
    if constexpr (requires { w.is_valid(); }) {
      if (!w.is_valid()) return status::bad_value;
    } else if constexpr (range_of<W>.lowest > -(1 << (W::q::bits - 1)) && W::q::is_signed && !W::q::is_binary) {
      for (size_t i = 0; i < count; ++i)
        if (w[i] < W::q::lowest) return status::bad_value;
    }
  }
  return status::ok;
}

/// True when sums of 32 bits hold column after column, whatever the codes of x are: |bias| + most * the sum of |w - w_zero|,
/// where |x - x_zero| is at most `most`. Looks at the weights only where `largest` for all of them is too much.
template <class W, class Bias>
bool fits_32_bits(int cols, int depth, const W& w, int w_zero, int64_t largest, const Bias* bias, int64_t most) noexcept {
  constexpr int64_t limit = highest_of<int32_t>;
  for (int c = 0; c < cols; ++c) {
    const int64_t first = bias != nullptr ? static_cast<int64_t>(magnitude(bias[c])) : 0;
    if (first <= limit && depth <= (limit - first) / larger<int64_t>(most * largest, 1)) continue;
    int64_t sum = 0;
    for (int k = 0; k < depth; ++k) sum += magnitude(int{w[static_cast<size_t>(ptrdiff_t{c} * depth + k)]} - w_zero);
    if (first > limit || sum > (limit - first) / most) return false;
  }
  return true;
}

/// What a product's weights come as.
template <class W>
struct gemm_operand {
  using type = const W*;
  static constexpr bool is_signed = std::is_signed_v<W>;
  static constexpr unsigned bits = std::is_integral_v<W> && sizeof(W) <= 2 ? 8 * sizeof(W) : 0;
};
template <quantized_type Q>
struct gemm_operand<Q> {
  using type = packed_view<Q>;
  static constexpr bool is_signed = Q::is_signed;
  static constexpr unsigned bits = Q::bits;
};
}  // namespace kernel

/// y = rq(x * w + bias), see ref::gemm. X is an integer of 8 or 16 bits. W is one, or a number type whose codes come as a
/// packed_view; those of 1 to 7 bits stay packed. Rq is a requantizer, raw_accumulator or float_output. Sums of 8-bit products
/// are taken in 32 bits: weights for which they might not suffice are refused when they are packed. With an operand of more
/// bits they are exact in 64, and so is the bias; raw_accumulator<int64_t> hands them on, raw_accumulator<int32_t> where they fit.
template <class X, class Rq, class W = int8_t>
class gemm {
  using operand = kernel::gemm_operand<W>;
  static_assert(std::is_integral_v<X> && sizeof(X) <= 2 && operand::bits != 0,
                "lowbits: gemm: x or w has no kernel; use int8_t, uint8_t, int16_t or uint16_t, for w also a number type");

public:
  using weights_type = typename operand::type;  ///< a pointer to W, or a packed_view<W>
  using Y = typename Rq::output::storage;
  using bias_type = std::conditional_t<sizeof(X) == 2 || (operand::bits > 8), int64_t, int32_t>;

  /// For the strongest architecture of this processor, or the one named. Asks the processor.
  explicit gemm(const gemm_shape& shape, arch_id arch = select_arch()) noexcept : s_(shape), arch_(arch) {
    constexpr int most = 1 << 30;  // what padding adds still fits in an int
    is_valid_ = s_.rows >= 0 && s_.batch >= 0 && s_.cols >= 0 && s_.cols <= most && s_.depth >= 0 && s_.depth <= most;
    with_usable_arch(arch, [&]<class Arch>(Arch) {
      using kernel_type = kernel::dense_kernel<Arch, X, weights_type, Rq>;
      if (!is_valid_) return;
      packed_bytes_ = packed_alignment + kernel_type::packed_bytes(s_);
      scratch_bytes_ = kernel_type::scratch_bytes(s_);
      row_grain_ = kernel_type::row_grain;
      col_grain_ = kernel_type::col_grain;
      pack_ = &kernel_type::pack;
      run_ = &kernel_type::run;
    });
  }

  const gemm_shape& shape() const noexcept { return s_; }
  arch_id arch() const noexcept { return arch_; }
  /// Why pack and run would refuse: extents below 0, cols or depth above 2^30, or an architecture this processor or build has not.
  status error() const noexcept {
    return !is_valid_ ? status::bad_value : run_ == nullptr ? status::unsupported : status::ok;
  }
  size_t packed_bytes() const noexcept { return packed_bytes_; }
  /// For that many parts running at the same time.
  size_t scratch_bytes(int parts = 1) const noexcept { return scratch_bytes_ * static_cast<size_t>(parts); }

  /// w is [cols][depth]; bias has cols elements or is null. The packed weights hold for these zero points, x_zero a code of x,
  /// w_zero within 2^16. bad_value: other ones, codes outside of W, sums that 32 bits may not hold; wrong_size: too few codes.
  status pack(weights_type w, int w_zero, const bias_type* bias, int x_zero, std::span<unsigned char> packed) const noexcept {
    if (error() != status::ok) return error();
    if (const status s = check(w, w_zero, bias, x_zero); s != status::ok) return s;
    if (const status put = detail::put_header(header(x_zero, w_zero), packed_bytes_, packed); put != status::ok) return put;
    pack_(s_, w, bias, x_zero, packed.data() + packed_alignment);
    return status::ok;
  }

  /// x and y as the shape says, y overlapping neither x nor the residual's codes. Weights that were packed for another architecture,
  /// layout, type or shape are refused as foreign.
  status run(const X* x, std::span<const unsigned char> packed, const Rq& rq, Y* y, std::span<unsigned char> scratch,
             const residual<Y>& added = {}) const noexcept {
    return run(x, packed, rq, y, scratch, added, in_turn{}, 1);
  }
  /// In `parts` parts on an executor's threads (kernel/threads.hpp), with scratch_bytes(parts).
  template <class Executor>
  status run(const X* x, std::span<const unsigned char> packed, const Rq& rq, Y* y, std::span<unsigned char> scratch,
             const residual<Y>& added, Executor&& executor, int parts) const noexcept {
    if (parts < 1 || (added.codes != nullptr && (sizeof(Y) > 2 || added.codes == y))) return status::bad_value;
    if (error() != status::ok) return error();
    packed_gemm_header h;
    if (const status got = detail::get_header(packed, h); got != status::ok) return got;
    if (h != header(h.x_zero, h.w_zero) || !are_zeros(h.x_zero, h.w_zero)) return status::foreign;
    if (packed.size() < packed_bytes_ || scratch.size() < scratch_bytes(parts)) return status::too_small;
    executor(parts, [&](int i) {
      run_(s_, part(i, parts), x, h.x_zero, h.w_zero, packed.data() + packed_alignment, rq, y, added,
           scratch.data() + static_cast<size_t>(i) * scratch_bytes_);
    });
    return status::ok;
  }

private:
  static constexpr kernel::weight_range w_range = kernel::range_of<weights_type>;

  static constexpr bool are_zeros(int x_zero, int w_zero) noexcept {
    return x_zero >= lowest_of<X> && x_zero <= highest_of<X> && w_zero >= -(1 << 16) && w_zero <= 1 << 16;
  }
  status check(const weights_type& w, int w_zero, const bias_type* bias, int x_zero) const noexcept {
    if (!are_zeros(x_zero, w_zero)) return status::bad_value;
    if (const status s = kernel::check_codes(w, static_cast<size_t>(s_.cols) * static_cast<size_t>(s_.depth)); s != status::ok) return s;
    if constexpr (std::is_same_v<bias_type, int32_t>) {
      const int64_t most = larger<int64_t>(highest_of<X> - x_zero, x_zero - lowest_of<X>);
      const int64_t largest = larger<int64_t>(w_range.highest - w_zero, w_zero - w_range.lowest);
      if (!kernel::fits_32_bits(s_.cols, s_.depth, w, w_zero, largest, bias, most)) return status::bad_value;
    }
    return status::ok;
  }
  packed_gemm_header header(int x_zero, int w_zero) const noexcept {
    constexpr uint32_t types = (std::is_signed_v<X> ? 1u : 2u) | (operand::is_signed ? 4u : 8u) | operand::bits % 8u << 4 |
                               (sizeof(X) == 2 ? 128u : 0u) | (operand::bits > 8 ? operand::bits << 8 : 0u) |
                               (requires { typename weights_type::storage_kind; } ? 0x1'0000u : 0u);
    return {.arch = static_cast<uint32_t>(arch_), .types = types, .cols = s_.cols, .depth = s_.depth,
            .x_zero = x_zero, .w_zero = w_zero, .bytes = packed_bytes_};
  }
  /// The larger operand is divided, where it has enough rows or columns.
  kernel::gemm_part part(int i, int parts) const noexcept {
    const int64_t rows = int64_t{s_.batch} * s_.rows;
    if (parts == 1) return {0, rows, {0, s_.cols}};
    const bool has_columns = s_.cols >= int64_t{parts} * col_grain_, has_rows = rows >= int64_t{parts} * row_grain_;
    if (has_columns && (s_.cols > rows || !has_rows)) {
      const even_parts p{s_.cols, parts, col_grain_};
      return {0, rows, {static_cast<int>(p.begin(i)), static_cast<int>(p.begin(i + 1))}};
    }
    const even_parts p{rows, parts, has_rows ? row_grain_ : 1};
    return {p.begin(i), p.begin(i + 1), {0, s_.cols}};
  }

  gemm_shape s_;
  arch_id arch_;
  bool is_valid_ = false;
  int row_grain_ = 1, col_grain_ = 1;
  size_t packed_bytes_ = 0, scratch_bytes_ = 0;
  void (*pack_)(const gemm_shape&, const weights_type&, const bias_type*, int, unsigned char*) noexcept = nullptr;
  void (*run_)(const gemm_shape&, const kernel::gemm_part&, const X*, int, int, const unsigned char*, const Rq&, Y*,
               const residual<Y>&, unsigned char*) noexcept = nullptr;
};

}  // namespace lowbits
