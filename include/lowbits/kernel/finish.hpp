// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// From a tile of accumulators to output elements: by a primitive where the requantizer's policy has
// one, else element by element.

#include <lowbits/core/bytes.hpp>
#include <lowbits/fixed/float_output.hpp>
#include <lowbits/fixed/raw_accumulator.hpp>
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/kernel/table.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// The primitives' name for a rounding policy; `exists` is false where they have none.
template <class Rounding>
struct rule_of {
  static constexpr bool exists = false;
};
template <>
struct rule_of<round_single> {
  static constexpr bool exists = true;
  static constexpr rescale_rule value = rescale_rule::once;
};
template <>
struct rule_of<round_double_gemmlowp> {
  static constexpr bool exists = true;
  static constexpr rescale_rule value = rescale_rule::twice;
};

constexpr code_stage raw_stage(const output_stage& s) noexcept { return {s.zero_point, s.lowest, s.highest}; }

template <class Out, class Rounding>
column_factors raw_factors(const requantizer<Out, Rounding>& rq, int /*first*/) noexcept {
  return {&rq.factor, false};
}
template <class Out, class Rounding>
column_factors raw_factors(const channel_requantizer<Out, Rounding>& rq, int first) noexcept {
  if (rq.mask == 0) return {rq.factors, false};
  return {rq.factors + first, true};
}

/// True when Arch has a primitive that does what Rq does.
template <class Arch, class Rq>
constexpr bool has_fast_finish() noexcept {
  if constexpr (requires { typename Rq::policy; typename Rq::output::storage; }) {
    return has_prim<prims::requantize, Arch> && rule_of<typename Rq::policy>::exists &&
           sizeof(typename Rq::output::storage) == 1;
  } else {
    return false;
  }
}

/// Where a tile lies among the rows and channels of an output.
struct output_place {
  int64_t row = 0;
  int channel = 0;
};

inline float_stage raw_stage(const float_output& f, const output_place& at) noexcept {
  const auto from = [](const auto* p, int64_t n) { return p != nullptr ? p + n : nullptr; };
  return {from(f.scales, at.channel), from(f.bias, at.channel), from(f.row_scales, at.row), from(f.row_zeros, at.row),
          from(f.weight_sums, at.channel)};
}

/// y[r * y_stride + c] = what rq makes of acc[r * acc_stride + c] at (row + r, channel + c).
template <class Arch, class Rq, class Y>
void finish(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const Rq& rq, const output_place& at, Y* y,
            ptrdiff_t y_stride) noexcept {
  if constexpr (has_fast_finish<Arch, Rq>()) {
    best_prim<prims::requantize, Arch>::template run<rule_of<typename Rq::policy>::value>(
        rows, cols, acc, acc_stride, raw_factors(rq, at.channel), raw_stage(rq.stage), y, y_stride);
  } else if constexpr (std::is_same_v<Rq, raw_accumulator<int32_t>>) {
    for (int r = 0; r < rows; ++r) copy_elements(acc + r * acc_stride, y + r * y_stride, static_cast<size_t>(cols));
  } else if constexpr (std::is_same_v<Rq, float_output> && has_prim<prims::sums_to_float, Arch>) {
    best_prim<prims::sums_to_float, Arch>::run(rows, cols, acc, acc_stride, raw_stage(rq, at), y, y_stride);
  } else {
    for (int r = 0; r < rows; ++r, acc += acc_stride, y += y_stride)
      for (int c = 0; c < cols; ++c)
        y[c] = output_of(rq, acc[c], static_cast<size_t>(at.row + r), static_cast<size_t>(at.channel + c));
  }
}

}  // namespace lowbits::kernel
