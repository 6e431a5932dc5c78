// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include <lowbits/arch/xsimd.hpp>  // bad: layer
#include <lowbits/quant/qtype.hpp>
namespace lowbits { inline namespace LOWBITS_ABI { namespace ref {
}}}  // namespace lowbits
