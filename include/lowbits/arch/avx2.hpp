// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Primitives for AVX2 (arch::avx2).

#include <lowbits/arch/avx2/convert.hpp>
#include <lowbits/arch/avx2/depthwise.hpp>
#include <lowbits/arch/avx2/depthwise_words.hpp>
#include <lowbits/arch/avx2/eltwise.hpp>
#include <lowbits/arch/avx2/float_output.hpp>
#include <lowbits/arch/avx2/gemm.hpp>
#include <lowbits/arch/avx2/gemm_bits.hpp>
#include <lowbits/arch/avx2/lookup.hpp>
#include <lowbits/arch/avx2/pool.hpp>
#include <lowbits/arch/avx2/requantize.hpp>
#include <lowbits/arch/avx2/requantize_wide.hpp>
#include <lowbits/arch/avx2/word_gemm.hpp>
