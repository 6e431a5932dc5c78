// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The same as kernel_grouped_gemm_test with weights of 5 to 8 bits.

#include "support/grouped_cases.hpp"

namespace lb = lowbits;
using grouped_cases::check_all;

TEST_CASE("grouped gemm: 5 bits") { check_all<int8_t, lb::q5, uint8_t, lb::raw_accumulator<int32_t>>(5); }
TEST_CASE("grouped gemm: 6 bits") { check_all<int8_t, lb::q6, lb::half>(6); }
TEST_CASE("grouped gemm: 7 bits") { check_all<uint8_t, lb::q7, float>(7); }
TEST_CASE("grouped gemm: 8 bits") { check_all<int8_t, lb::q8, lb::half>(8); }
TEST_CASE("grouped gemm: 8 bits, unsigned") { check_all<uint8_t, lb::u8, uint8_t, lb::channel_requantizer<lb::q8, lb::round_single>>(9); }
