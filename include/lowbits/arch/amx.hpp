// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Primitives with the tile registers of AMX (arch::amx).

#include <lowbits/arch/amx/gemm.hpp>
#include <lowbits/arch/amx/gemm_codes.hpp>
