// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Primitives for AVX-512 F, BW, DQ and VL, without VNNI (arch::avx512bw).

#include <lowbits/arch/avx512bw/convert.hpp>
#include <lowbits/arch/avx512bw/eltwise.hpp>
#include <lowbits/arch/avx512bw/float_output.hpp>
#include <lowbits/arch/avx512bw/gemm.hpp>
#include <lowbits/arch/avx512bw/lookup.hpp>
#include <lowbits/arch/avx512bw/pool.hpp>
#include <lowbits/arch/avx512bw/requantize.hpp>
#include <lowbits/arch/avx512bw/requantize_wide.hpp>
#include <lowbits/arch/avx512bw/word_gemm.hpp>
