// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The primitives for weights with a factor for each group, on all architectures that have them.

#include <lowbits/arch/prim.hpp>
#include <lowbits/core/half.hpp>
#if LOWBITS_BUILD_X86
#include <lowbits/arch/avx2/gemm_groups.hpp>
#include <lowbits/arch/avx512vnni/gemm_groups.hpp>
#endif
