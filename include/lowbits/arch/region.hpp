// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Regions: functions between LOWBITS_REGION_BEGIN and LOWBITS_REGION_END are compiled for the
// instruction sets named there, whatever the flags of the translation unit are. Write after the
// includes, in this order, because a region must not contain any standard header:
//
//   #include <lowbits/arch/region.hpp>
//   #define ...                         (nothing here depends on macros such as __AVX2__: they keep
//   LOWBITS_REGION_BEGIN("avx2", "...")  the translation unit's value inside a region)
//
// `tune` names a processor for clang's scheduler, which otherwise stays generic in a region. Only
// pointers and numbers cross a region's border: vectors as arguments would change the calling
// convention, and a LOWBITS_REGION_INLINE function cannot be called from outside.

#include <lowbits/config.hpp>

#if LOWBITS_GNU && LOWBITS_X86
#include <immintrin.h>
#endif

#define LOWBITS_DETAIL_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define LOWBITS_REGION_BEGIN(features, tune) \
  LOWBITS_DETAIL_PRAGMA(clang attribute push(__attribute__((target(features ",tune=" tune))), apply_to = function))
#define LOWBITS_REGION_END _Pragma("clang attribute pop")
#else
// GCC 12 warns of the undefined vectors in its own intrinsics headers.
#define LOWBITS_REGION_BEGIN(features, tune)                      \
  _Pragma("GCC push_options") LOWBITS_DETAIL_PRAGMA(GCC target(features)) \
  _Pragma("GCC diagnostic push")                                  \
  _Pragma("GCC diagnostic ignored \"-Wuninitialized\"")           \
  _Pragma("GCC diagnostic ignored \"-Wmaybe-uninitialized\"")
#define LOWBITS_REGION_END _Pragma("GCC diagnostic pop") _Pragma("GCC pop_options")
#endif

#define LOWBITS_REGION_INLINE inline __attribute__((always_inline))
