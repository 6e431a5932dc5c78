// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The tables that take five digits out of a byte 28 * pair + triple, see prims::gemm_trits. Its upper six bits u and lower
// two bits v are 7 * pair + j and triple = 4 * j + v, so that no table needs more than 64 entries.

#include <lowbits/arch/prim.hpp>

namespace lowbits::inline LOWBITS_ABI::detail {

struct trit_tables {
  unsigned char pairs[64];      ///< of u: the second digit of the pair, j in bits 2 to 4, its first digit in bits 6 and 7
  unsigned char first[64];      ///< of u: the pair's first digit
  unsigned char digit[3][64];   ///< of the triple: each of its digits
  unsigned char triples[32];    ///< all three, in two bits each
};
inline constexpr trit_tables trit_table = [] {
  trit_tables t{};
  for (int u = 0; u < 63; ++u) {
    const int pair = u / 7, j = u % 7;
    t.pairs[u] = static_cast<unsigned char>(pair / 3 | j << 2 | pair % 3 << 6);
    t.first[u] = static_cast<unsigned char>(pair % 3);
  }
  for (int i = 0; i < 27; ++i) {
    const int digits[3] = {i % 3, i / 3 % 3, i / 9};
    for (int d = 0; d < 3; ++d) t.digit[d][i] = static_cast<unsigned char>(digits[d]);
    t.triples[i] = static_cast<unsigned char>(digits[0] | digits[1] << 2 | digits[2] << 4);
  }
  return t;
}();

}  // namespace lowbits::detail
