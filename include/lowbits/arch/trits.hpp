// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The primitives for weights of five in a byte, on all architectures that have them.

#include <lowbits/arch/prim.hpp>
#if LOWBITS_BUILD_X86
#include <lowbits/arch/avx2/gemm_trits.hpp>
#include <lowbits/arch/avx512vnni/gemm_trits.hpp>
#endif
