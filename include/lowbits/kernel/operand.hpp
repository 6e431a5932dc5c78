// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What is known about an operand from its type.

#include <type_traits>

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// True when every weight that W can give is in [-128, 127]: a pointer to int8_t, or a view that
/// names its number type as W::q.
template <class W>
inline constexpr bool fits_int8 = [] {
  if constexpr (std::is_pointer_v<W>) return std::is_same_v<std::remove_cv_t<std::remove_pointer_t<W>>, int8_t>;
  else if constexpr (requires { typename W::q; }) return W::q::lowest >= -128 && W::q::highest <= 127;
  else return false;
}();

}  // namespace lowbits::kernel
