// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Element-wise operations by primitives: from the parameters of fixed/eltwise.hpp to the raw values a
// primitive takes, where it has the range for them. Each function returns false, having done nothing,
// where it does not apply.

#include <lowbits/fixed/eltwise.hpp>
#include <lowbits/kernel/finish.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// True when T can hold code.
template <class T>
constexpr bool is_code_of(int code) noexcept { return code >= lowest_of<T> && code <= highest_of<T>; }

/// x * 1, for what is only moved to another type.
inline constexpr fixed_multiplier unit_factor{1 << 30, 1};

template <class Arch, class X, class Y, class Params, class Out>
bool fast_binary(size_t, const X*, const Y*, const Params&, Out*) noexcept { return false; }

template <class Arch, class X, class Y, class Out>
bool fast_binary(size_t n, const X* x, const Y* y, const sum_params& p, Out* out) noexcept {
  if constexpr (has_prim<prims::sum, Arch>) {
    if (magnitude(p.x_factor) >= 1u << 15 || magnitude(p.y_factor) >= 1u << 15 || p.shift < 1 || p.shift > 31 ||
        !is_code_of<X>(p.x_zero) || !is_code_of<Y>(p.y_zero))
      return false;
    best_prim<prims::sum, Arch>::run(
        n, x, y, {p.x_zero, p.y_zero, p.x_factor, p.y_factor, p.shift, raw_stage(p.out)}, out);
    return true;
  }
  return false;
}

template <class Arch, class X, class Y, class Rounding, class Out>
bool fast_binary(size_t n, const X* x, const Y* y, const product_params<Rounding>& p, Out* out) noexcept {
  if constexpr (has_prim<prims::product, Arch> && rule_of<Rounding>::exists) {
    if (!is_code_of<X>(p.x_zero) || !is_code_of<Y>(p.y_zero)) return false;
    best_prim<prims::product, Arch>::template run<rule_of<Rounding>::value>(
        n, x, y, {p.x_zero, p.y_zero, p.factor.mantissa, p.factor.exponent, raw_stage(p.out)}, out);
    return true;
  }
  return false;
}

template <class Arch, class X, class Out>
bool fast_rescale(size_t n, const X* x, const rescale_params& p, Out* out) noexcept {
  if constexpr (has_prim<prims::rescale, Arch>) {
    if (!is_code_of<X>(p.zero)) return false;
    const fixed_multiplier f = p.identity ? unit_factor : p.factor;
    const code_stage stage = p.identity ? code_stage{p.zero, p.out.lowest, p.out.highest} : raw_stage(p.out);
    best_prim<prims::rescale, Arch>::run(n, x, {p.zero, f.mantissa, f.exponent, stage}, out);
    return true;
  }
  return false;
}

/// Both inputs are rescaled into short buffers, which then are compared; equal parameters need none.
template <class Arch, class X, class Y, class Out>
bool fast_binary(size_t n, const X* x, const Y* y, const extremum_params& p, Out* out) noexcept {
  if constexpr (has_prim<prims::extremum, Arch>) {
    using P = best_prim<prims::extremum, Arch>;
    if constexpr (std::is_same_v<X, Out> && std::is_same_v<Y, Out>) {
      if (p.x.identity && p.y.identity && p.x.out == p.y.out) {
        P::run(n, x, y, p.take_larger, p.x.out.lowest, p.x.out.highest, out);
        return true;
      }
    }
    constexpr size_t length = 256;
    Out a[length], b[length];
    for (size_t i = 0; i < n; i += length) {
      const size_t k = smaller(length, n - i);
      if (!fast_rescale<Arch>(k, x + i, p.x, a) || !fast_rescale<Arch>(k, y + i, p.y, b)) return false;
      P::run(k, a, b, p.take_larger, lowest_of<Out>, highest_of<Out>, out + i);
    }
    return true;
  }
  return false;
}

}  // namespace lowbits::kernel
