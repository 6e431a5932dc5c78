// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <lowbits/lowbits.hpp>

int other_file() { return LOWBITS_VERSION_MINOR; }
