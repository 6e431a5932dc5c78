// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What a call that can fail at run time returns. A call that does not return `ok` has written
// nothing.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

enum class [[nodiscard]] status : uint8_t {
  ok,
  wrong_size,     ///< a buffer has another number of elements than the operation needs
  too_small,      ///< a work buffer (arena, prepared weights) has fewer bytes than needed
  misaligned,     ///< a work buffer does not start at the documented alignment
  bad_value,      ///< a parameter is outside its documented range (scale <= 0, NaN, bits > 16)
  foreign,        ///< prepared weights were made for another architecture, layout or model
  unsupported,    ///< this processor or build cannot run what was asked for
};

/// One word for logs; an empty text when the program is built with LOWBITS_NO_STRINGS.
constexpr const char* to_string(status s) noexcept {
#if defined(LOWBITS_NO_STRINGS)
  static_cast<void>(s);
  return "";
#else
  switch (s) {
    case status::ok: return "ok";
    case status::wrong_size: return "wrong size";
    case status::too_small: return "too small";
    case status::misaligned: return "misaligned";
    case status::bad_value: return "bad value";
    case status::foreign: return "foreign";
    case status::unsupported: return "unsupported";
  }
  return "?";
#endif
}

}  // namespace lowbits
