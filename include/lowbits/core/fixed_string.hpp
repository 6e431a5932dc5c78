// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A short text held by value, so that node names can live in constant expressions and be compared.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Up to Capacity - 1 characters; a longer text is cut. Structural: usable as a template argument.
template <size_t Capacity>
struct fixed_string {
  char text[Capacity]{};

  constexpr fixed_string() = default;
  constexpr fixed_string(const char* s) {  // NOLINT: a name is written as a literal
    for (size_t i = 0; i + 1 < Capacity && s[i] != '\0'; ++i) text[i] = s[i];
  }
  constexpr bool operator==(const fixed_string&) const = default;
  constexpr const char* c_str() const noexcept { return text; }
  constexpr size_t length() const noexcept {
    size_t n = 0;
    while (n < Capacity && text[n] != '\0') ++n;
    return n;
  }
};

}  // namespace lowbits
