// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Builds in every architecture, also those that a dispatching program has to ask for. Include this
// before any header of the library; a test's own architectures are named by EVERY_ARCH_TOO.

#if defined(LOWBITS_ARCHS) || defined(LOWBITS_VERSION_MAJOR)
#error "support/every_arch.hpp: the library is included already; include this first"
#endif
#if !defined(EVERY_ARCH_TOO)
#define EVERY_ARCH_TOO generic
#endif
#define LOWBITS_ARCHS amx, avx512vnni, avxvnni, avx512bw, avx2, sse41, vector, EVERY_ARCH_TOO
