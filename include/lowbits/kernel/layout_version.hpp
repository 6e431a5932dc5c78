// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The version of all layouts of prepared weights, and the header that buffers of them start with.

#include <span>

#include <lowbits/core/bytes.hpp>
#include <lowbits/core/status.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Raised whenever a layout changes: buffers of another version are refused.
inline constexpr uint32_t packed_layout_version = 5;

/// What prepared weights have to be aligned to.
inline constexpr size_t packed_alignment = 64;

namespace detail {

/// Starts a buffer of `bytes` with its header.
template <class Header>
status put_header(const Header& h, size_t bytes, std::span<unsigned char> packed) noexcept {
  static_assert(sizeof(Header) <= packed_alignment);
  if (!is_aligned(packed.data(), packed_alignment)) return status::misaligned;
  if (packed.size() < bytes) return status::too_small;
  copy_elements(reinterpret_cast<const unsigned char*>(&h), packed.data(), sizeof h);
  return status::ok;
}
/// Reads the header of a buffer of unknown origin.
template <class Header>
status get_header(std::span<const unsigned char> packed, Header& h) noexcept {
  if (packed.size() < packed_alignment) return status::too_small;
  if (!is_aligned(packed.data(), packed_alignment)) return status::misaligned;
  copy_elements(packed.data(), reinterpret_cast<unsigned char*>(&h), sizeof h);
  return status::ok;
}

}  // namespace detail

}  // namespace lowbits
