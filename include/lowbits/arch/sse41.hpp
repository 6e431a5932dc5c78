// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Primitives for SSSE3 and SSE4.1 (arch::sse41).

#include <lowbits/arch/sse41/depthwise.hpp>
#include <lowbits/arch/sse41/eltwise.hpp>
#include <lowbits/arch/sse41/gemm.hpp>
#include <lowbits/arch/sse41/requantize.hpp>
