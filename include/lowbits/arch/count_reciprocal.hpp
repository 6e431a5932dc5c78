// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Division of magnitudes by a count, for primitives that average: for a < 2^24,
// a / count = floor(a * ceil(2^(24+b) / count) / 2^(24+b)) with 2^b >= count.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI::detail {

struct count_reciprocal {
  int factor;  ///< 32 bits, unsigned
  int drop;    ///< bits to shift off the 64-bit product

  explicit count_reciprocal(int count) noexcept {
    const int bits = count > 1 ? 32 - __builtin_clz(static_cast<unsigned>(count - 1)) : 0;
    const uint64_t one = uint64_t{1} << (24 + bits), divisor = static_cast<uint64_t>(count);
    factor = static_cast<int>((one + divisor - 1) / divisor);
    drop = 24 + bits;
  }
};

}  // namespace lowbits::detail
