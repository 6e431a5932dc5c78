// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The smallest user of an installed library; also shows that two files may include it.
#include <lowbits/lowbits.hpp>

int other_file();

static_assert(lowbits::q4::lowest == -8);

int main() { return other_file() == LOWBITS_VERSION_MINOR ? 0 : 1; }
