// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Primitives for AVX-512 with VNNI (arch::avx512vnni).

#include <lowbits/arch/avx512vnni/depthwise.hpp>
#include <lowbits/arch/avx512vnni/depthwise_window.hpp>
#include <lowbits/arch/avx512vnni/gemm.hpp>
#include <lowbits/arch/avx512vnni/gemm_bits.hpp>
#include <lowbits/arch/avx512vnni/gemm_codes.hpp>
#include <lowbits/arch/avx512vnni/word_gemm.hpp>
