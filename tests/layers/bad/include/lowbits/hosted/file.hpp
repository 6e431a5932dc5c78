// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <string>  // bad: once
#include <lowbits/ref/gemm.hpp>
namespace lowbits::inline LOWBITS_ABI {
inline int smaller(int a, int b) { return (min)(a, b); }
}
