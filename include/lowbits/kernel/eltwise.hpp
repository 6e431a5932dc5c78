// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Element-wise operations on an architecture, on n elements. The output may be the same array as an
// input whose elements have its size; otherwise arrays do not overlap. Parameters are those of
// fixed/eltwise.hpp, and so are the results.

#include <lowbits/fixed/eltwise.hpp>
#include <lowbits/kernel/fast_eltwise.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// out[i] = p(x[i], y[i]); p is sum_params, product_params, extremum_params or any such functor.
template <class Arch, class X, class Y, class Params, class Out>
void binary(size_t n, const X* x, const Y* y, const Params& p, Out* out) noexcept {
  if constexpr (sizeof(X) == 1 && sizeof(Y) == 1 && sizeof(Out) == 1) {
    if (fast_binary<Arch>(n, x, y, p, out)) return;
  }
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<Out>(p(x[i], y[i]));
}

/// out[i] = table[x[i]] for 8-bit codes: the index is the code's bits, the entry the result's.
template <class Arch, class X, class Out>
void lookup(size_t n, const X* x, const uint8_t* table, Out* out) noexcept {
  static_assert(sizeof(X) == 1 && sizeof(Out) == 1);
  if constexpr (has_prim<prims::lookup, Arch>)
    return best_prim<prims::lookup, Arch>::run(n, reinterpret_cast<const uint8_t*>(x), table, reinterpret_cast<uint8_t*>(out));
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<Out>(table[static_cast<uint8_t>(x[i])]);
}

/// out[i] = p(x[i])
template <class Arch, class X, class Out>
void rescale(size_t n, const X* x, const rescale_params& p, Out* out) noexcept {
  if constexpr (sizeof(X) == 1 && sizeof(Out) == 1) {
    if constexpr (has_prim<prims::lookup, Arch>) {
      constexpr size_t table_pays = 1024;  // where 256 results and a table's use cost less than n results
      if (n >= table_pays) {
        uint8_t table[256];
        for (int i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(i);
        if (fast_rescale<Arch>(256, reinterpret_cast<const X*>(table), p, reinterpret_cast<Out*>(table)))
          return lookup<Arch>(n, x, table, out);
      }
    }
    if (fast_rescale<Arch>(n, x, p, out)) return;
  }
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<Out>(p(x[i]));
}

/// out[i] = x[i] held in range.
template <class Arch, class T>
void clamp(size_t n, const T* x, code_range range, T* out) noexcept {
  if constexpr (sizeof(T) == 1 && has_prim<prims::clamp, Arch>) {
    best_prim<prims::clamp, Arch>::run(n, x, range.lowest, range.highest, out);
  } else {
    for (size_t i = 0; i < n; ++i) out[i] = static_cast<T>(lowbits::clamp<int>(x[i], range.lowest, range.highest));
  }
}

/// out[i] is the code of x[i], ties to even, held in the stage's range; NaN gives the zero point.
/// stage.zero_point is p's.
template <class Arch, class Out>
void quantize(size_t n, const float* x, const affine& p, const output_stage& stage, Out* out) noexcept {
  if constexpr (sizeof(Out) == 1 && has_prim<prims::quantize, Arch>) {
    best_prim<prims::quantize, Arch>::run(n, x, p.scale, raw_stage(stage), out);
  } else {
    for (size_t i = 0; i < n; ++i) {
      const int32_t steps = fp::is_nan(x[i]) ? 0 : fp::to_nearest<fp::tie::to_even>(fp::quotient(x[i], p.scale));
      out[i] = static_cast<Out>(stage(steps));
    }
  }
}

/// out[i] = (x[i] - zero_point) * scale, one float product.
template <class Arch, class X>
void dequantize(size_t n, const X* x, const affine& p, float* out) noexcept {
  if constexpr (sizeof(X) == 1 && has_prim<prims::dequantize, Arch>) {
    best_prim<prims::dequantize, Arch>::run(n, x, p.zero_point, p.scale, out);
  } else {
    for (size_t i = 0; i < n; ++i) out[i] = fp::product(static_cast<float>(x[i] - p.zero_point), p.scale);
  }
}

}  // namespace lowbits::kernel
