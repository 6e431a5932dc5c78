// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#define LOWBITS_ABI v0
namespace lowbits::inline LOWBITS_ABI {}
