// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The region of the primitives with vpdpbusd. What they share with other AVX-512 primitives is in
// arch/avx512bw/common.hpp.

#include <lowbits/arch/avx512bw/common.hpp>

#define LOWBITS_REGION_AVX512VNNI \
  LOWBITS_REGION_BEGIN("avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni", "icelake-server")
