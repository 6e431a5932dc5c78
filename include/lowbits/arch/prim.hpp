// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The primitives a processor may offer: what each one computes, exactly. arch/<isa>.hpp holds
// prim<prims::name, arch::tag>; kernel/prims.inc lists them. Everything else is written once, over
// these. Primitives see raw integers and pointers only; `Code` is int8_t or uint8_t.

#include <lowbits/core/arch.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace prims {}

/// The primitive Op on Arch; only the listed pairs are defined.
template <class Op, class Arch>
struct prim;

}  // namespace lowbits
