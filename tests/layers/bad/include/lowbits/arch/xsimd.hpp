// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include <immintrin.h>
#include <xsimd/xsimd.hpp>
#include <lowbits/core/types.hpp>
#include <lowbits/quant/qtype.hpp>  // bad: layer
