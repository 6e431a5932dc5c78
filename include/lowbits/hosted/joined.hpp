// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Text put together from pieces: joined("node '", name, "' has ", count, " inputs").

#include <concepts>
#include <string>
#include <string_view>

#include <lowbits/core/fixed_string.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace text_parts {

inline std::string_view part(const char* s) noexcept { return s; }
inline std::string_view part(std::string_view s) noexcept { return s; }
inline std::string_view part(const std::string& s) noexcept { return s; }
template <size_t Capacity>
std::string_view part(const fixed_string<Capacity>& s) noexcept {
  return {s.text, s.length()};
}
template <std::integral Int>
std::string part(Int n) {
  return std::to_string(n);
}

}  // namespace text_parts

/// The pieces one after the other; integers in decimal.
template <class... Parts>
std::string joined(const Parts&... parts) {
  std::string text;
  (text.append(text_parts::part(parts)), ...);
  return text;
}

}  // namespace lowbits
