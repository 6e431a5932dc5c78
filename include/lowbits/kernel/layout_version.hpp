// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The version of all layouts of prepared weights.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Raised whenever a layout changes: buffers of another version are refused.
inline constexpr uint32_t packed_layout_version = 4;

/// What prepared weights have to be aligned to.
inline constexpr size_t packed_alignment = 64;

}  // namespace lowbits
