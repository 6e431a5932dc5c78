// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How codes stand for real numbers. The three forms are structural values: they can be compared
// and used as template arguments.

#include <lowbits/core/fp.hpp>
#include <lowbits/quant/qtype.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// real = scale * (q - zero_point)
struct affine {
  float scale = 1.0f;
  int zero_point = 0;
  constexpr bool operator==(const affine&) const = default;
};

/// real = scale * q
struct symmetric {
  float scale = 1.0f;
  constexpr operator affine() const noexcept { return {scale, 0}; }  // NOLINT: a special case of affine
  constexpr bool operator==(const symmetric&) const = default;
};

/// real = 2^exponent * q, exponent in [-126, 127]
struct pow2 {
  int exponent = 0;
  constexpr float scale() const noexcept {
    return fp::from_bits(static_cast<uint32_t>(clamp(exponent, -126, 127) + 127) << 23);
  }
  constexpr operator affine() const noexcept { return {scale(), 0}; }  // NOLINT
  constexpr bool operator==(const pow2&) const = default;
};

/// True when p can describe codes of type q: a finite scale above zero, a zero point q can hold (0 for q32).
constexpr bool is_valid(const affine& p, const qformat& q) noexcept {
  if (q.is_wide()) return fp::is_positive(p.scale) && p.zero_point == 0;
  return q.valid() && fp::is_positive(p.scale) && p.zero_point >= (q.is_binary() ? 0 : q.lowest()) &&
         p.zero_point <= q.highest();
}

}  // namespace lowbits
