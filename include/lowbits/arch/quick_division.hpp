// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How the x86 primitives quantize without a division in the common case, with the bits of the
// definition: nearest(x / scale), the quotient rounded to float first, ties to even.
//
// a = nearest(x * (65536 / scale) + 65536 * zero_point + 32772 + 4) counts 1/65536 of a code. The
// reciprocal, the product, the sum, the conversion and the quotient of the definition are each off by at
// most half a unit in the last place, together by less than 3.5 while codes and x / scale are within
// +-255. So a >> 16 is the code, unless the low half of a is in [0, 7]: then x / scale may be on either
// side of a tie and has to be divided. NaN and what leaves 32 bits convert to -2^31 and are divided as
// well. Numbers further away may be off by more, but any code they could have is clamped.

#include <lowbits/arch/region.hpp>
#include <lowbits/arch/prim.hpp>
#include <lowbits/core/fp.hpp>

namespace lowbits::inline LOWBITS_ABI::detail {

struct quick_division {
  float factor = 0.0f;  ///< 0: not possible
  float offset = 0.0f;
  bool clamps = true;   ///< whether codes remain to be clamped after saturation to their type

  /// Not possible in other rounding modes, for codes further than 255 from zero or from the zero point,
  /// and for reciprocals near the ends of float.
  template <class Code>
  static quick_division of(float scale, const code_stage& s, Code) noexcept {
    const bool to_nearest = (_mm_getcsr() & 0x6000u) == 0;
    const bool usual = scale > 1e-25f && scale < 1e25f;
    const bool is_near = s.highest - s.zero_point <= 255 && s.lowest - s.zero_point >= -255 &&
                         s.zero_point >= lowest_of<Code> && s.zero_point <= highest_of<Code>;
    if (!to_nearest || !usual || !is_near) return {};
    return {fp::quotient(65536.0f, scale), static_cast<float>(65536 * s.zero_point + 32772),
            s.lowest != lowest_of<Code> || s.highest != highest_of<Code>};
  }
};

}  // namespace lowbits::detail
