// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What is known about an operand from its type.

#include <type_traits>

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// What a weight may be, as far as its type tells: a pointer's element, or a view's number type W::q.
struct weight_range {
  int lowest, highest;
};
template <class W>
inline constexpr weight_range range_of = [] {
  if constexpr (std::is_pointer_v<W>) {
    using T = std::remove_cv_t<std::remove_pointer_t<W>>;
    return weight_range{lowest_of<T>, highest_of<T>};
  } else if constexpr (requires { typename W::q; }) {
    return weight_range{W::q::lowest, W::q::highest};
  } else {
    return weight_range{-32768, 32767};
  }
}();

/// True when weights of type W fit in eight bits once byte_shift<W> has been taken off.
template <class W>
inline constexpr bool fits_byte =
    range_of<W>.highest <= 255 && range_of<W>.lowest >= (range_of<W>.highest > 127 ? 0 : -128);
/// What brings weights of type W into the range of int8_t.
template <class W>
inline constexpr int byte_shift = range_of<W>.highest > 127 ? 128 : 0;

}  // namespace lowbits::kernel
