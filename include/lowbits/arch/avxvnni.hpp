// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Primitives for AVX-VNNI (arch::avxvnni).

#include <lowbits/arch/avxvnni/gemm.hpp>
