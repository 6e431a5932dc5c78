// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The requantizer that does nothing, for operations whose result is the accumulators themselves
// (ConvInteger, MatMulInteger, a first pass over data that is requantized later).

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// y = acc, in every channel. Takes the place of a requantizer; the output elements are Acc.
template <class Acc = int32_t>
struct raw_accumulator {
  struct output {
    using storage = Acc;
  };
  constexpr bool operator==(const raw_accumulator&) const = default;
  constexpr Acc operator()(Acc acc, size_t /*channel*/ = 0) const noexcept { return acc; }
};

}  // namespace lowbits
