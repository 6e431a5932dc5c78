// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include <cstdint>
#include <algorithm>                // bad: standard
#include <atomic>                   // bad: standard
#include <immintrin.h>              // bad: intrinsics
#include <xsimd/xsimd.hpp>          // bad: xsimd
#include "config.hpp"               // bad: quotes
#include <lowbits/config.hpp>
#include <lowbits/quant/qtype.hpp>  // bad: layer
#include <lowbits/hosted/file.hpp>  // bad: hosted
// #include <vector> and min(a, b) in a comment are no violation.

namespace lowbits {                 // bad: abi
constexpr int min(int a, int b) {   // bad: macro
  return a < b ? a : b;
}
constexpr const char* text = "abs(x) in a string is no violation";
constexpr int B0 = 1;               // bad: macro
constexpr int large = 1'000'000, bits = 3, rounds = round (2);  // bad: macro
}  // namespace lowbits
