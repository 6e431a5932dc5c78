// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Version, options and the ABI tag. Everything a program may set before its first include:
//
//   LOWBITS_STATIC      use only what this translation unit is compiled for (default on bare metal)
//   LOWBITS_NO_XSIMD    do not use xsimd even where it is installed
//   LOWBITS_NO_STRINGS  drop error texts and node names from the program
//   LOWBITS_FLASH       attribute of constant tables, for example [[gnu::section(".model")]]
//   LOWBITS_ARCHS       architectures to build in, for example LOWBITS_ARCHS=avx2,generic; without it,
//                       a dispatching program has all but avx512bw and sse41
//   LOWBITS_REAL_NODES  1: graphs may compute in floats; 0: they are refused (default on bare metal)
//   LOWBITS_EXTRA_PRIMS header with further rows for the table of primitives (kernel/prims.inc)
//   LOWBITS_ASSERT(x)   what a violated precondition does (default: nothing)
//   LOWBITS_BINARY, LOWBITS_GROUPS, LOWBITS_RECURRENT, LOWBITS_TRITS, LOWBITS_WEIGHT_ONLY
//                       parts of the library that lowbits.hpp includes only then (docs/kernels.md, docs/recurrent.md)

#define LOWBITS_VERSION_MAJOR 0
#define LOWBITS_VERSION_MINOR 1
#define LOWBITS_VERSION_PATCH 0

#if !defined(__cplusplus) || (__cplusplus < 202002L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L))
#error "lowbits: config: the library needs C++20; compile with -std=c++20 or newer"
#endif

// ---- the target -------------------------------------------------------------------------------
#if defined(__x86_64__) || defined(_M_X64)
#define LOWBITS_X86 1
#else
#define LOWBITS_X86 0
#endif
#if defined(__aarch64__) || defined(_M_ARM64)
#define LOWBITS_AARCH64 1
#else
#define LOWBITS_AARCH64 0
#endif

// Target regions, inline assembly and vector builtins are used with g++ and clang; any other
// compiler gets the portable path.
#if defined(__GNUC__) && !defined(_MSC_VER)
#define LOWBITS_GNU 1
#else
#define LOWBITS_GNU 0
#endif

#if !defined(LOWBITS_STATIC)
#if LOWBITS_GNU && (LOWBITS_X86 || LOWBITS_AARCH64) && defined(__linux__)
#define LOWBITS_DISPATCH 1
#else
#define LOWBITS_DISPATCH 0
#endif
#else
#define LOWBITS_DISPATCH 0
#endif

#if !defined(LOWBITS_NO_XSIMD) && (LOWBITS_X86 || LOWBITS_AARCH64) && __STDC_HOSTED__
// xsimd 13 was the first to have this header; what is older counts as absent.
#if __has_include(<xsimd/arch/xsimd_emulated.hpp>)
#define LOWBITS_HAS_XSIMD 1
#endif
#endif
#if !defined(LOWBITS_HAS_XSIMD)
#define LOWBITS_HAS_XSIMD 0
#endif

#if !defined(LOWBITS_REAL_NODES)
#if defined(__linux__) || defined(_WIN32) || defined(__APPLE__) || defined(__unix__)
#define LOWBITS_REAL_NODES 1
#else
#define LOWBITS_REAL_NODES 0
#endif
#endif

#if !defined(LOWBITS_FLASH)
#define LOWBITS_FLASH
#endif
#if !defined(LOWBITS_ASSERT)
#define LOWBITS_ASSERT(condition) static_cast<void>(0)
#define LOWBITS_DETAIL_ASSERT_TAG _n
#else
#define LOWBITS_DETAIL_ASSERT_TAG _a
#endif

// ---- the ABI tag ------------------------------------------------------------------------------
// Two translation units compiled with different -m flags must not share inline functions: the
// linker keeps one copy, and a baseline caller may get the AVX-512 one. The inline namespace
// carries everything that changes the code of such a function.
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define LOWBITS_DETAIL_ISA _avx512vnni
#elif defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define LOWBITS_DETAIL_ISA _avx512bw
#elif defined(__AVX512F__)
#define LOWBITS_DETAIL_ISA _avx512f
#elif defined(__AVXVNNI__)
#define LOWBITS_DETAIL_ISA _avxvnni
#elif defined(__AVX2__)
#define LOWBITS_DETAIL_ISA _avx2
#elif defined(__AVX__)
#define LOWBITS_DETAIL_ISA _avx
#elif defined(__SSE4_1__)
#define LOWBITS_DETAIL_ISA _sse41
#elif defined(__SSSE3__)
#define LOWBITS_DETAIL_ISA _ssse3
#elif defined(__ARM_FEATURE_SVE)
#define LOWBITS_DETAIL_ISA _sve
#elif defined(__ARM_FEATURE_MATMUL_INT8)
#define LOWBITS_DETAIL_ISA _i8mm
#elif defined(__ARM_FEATURE_DOTPROD)
#define LOWBITS_DETAIL_ISA _dotprod
#elif defined(__ARM_FEATURE_MVE)
#define LOWBITS_DETAIL_ISA _mve
#elif defined(__ARM_FEATURE_DSP)
#define LOWBITS_DETAIL_ISA _dsp
#else
#define LOWBITS_DETAIL_ISA _base
#endif
#if defined(__FMA__)
#define LOWBITS_DETAIL_FMA f
#else
#define LOWBITS_DETAIL_FMA
#endif
#if defined(__BMI2__) && defined(__AVX512VBMI__)
#define LOWBITS_DETAIL_BMI2 bp
#elif defined(__AVX512VBMI__)
#define LOWBITS_DETAIL_BMI2 p
#elif defined(__BMI2__)
#define LOWBITS_DETAIL_BMI2 b
#else
#define LOWBITS_DETAIL_BMI2
#endif
#if defined(__AMX_INT8__) && defined(__AVX512VPOPCNTDQ__)
#define LOWBITS_DETAIL_AMX xc
#elif defined(__AVX512VPOPCNTDQ__)
#define LOWBITS_DETAIL_AMX c
#elif defined(__AMX_INT8__)
#define LOWBITS_DETAIL_AMX x
#else
#define LOWBITS_DETAIL_AMX
#endif
#if defined(__FAST_MATH__)
#define LOWBITS_DETAIL_MATH _fast
#else
#define LOWBITS_DETAIL_MATH
#endif
#if LOWBITS_DISPATCH
#define LOWBITS_DETAIL_MODE _dispatch
#else
#define LOWBITS_DETAIL_MODE _static
#endif
#if LOWBITS_HAS_XSIMD
#define LOWBITS_DETAIL_XSIMD _xsimd
#else
#define LOWBITS_DETAIL_XSIMD
#endif
#if defined(LOWBITS_NO_STRINGS)
#define LOWBITS_DETAIL_STRINGS _mute
#else
#define LOWBITS_DETAIL_STRINGS
#endif
// Which architectures are built in. A program that uses several LOWBITS_EXTRA_PRIMS headers gives
// each its own LOWBITS_TABLE_TAG.
#if !defined(LOWBITS_TABLE_TAG)
#if defined(LOWBITS_EXTRA_PRIMS)
#define LOWBITS_TABLE_TAG _extra
#else
#define LOWBITS_TABLE_TAG
#endif
#endif
#define LOWBITS_DETAIL_JOIN_ARCHS(a, b, c, d, e, f, g, h, i, j, k, l, ...) _##a##b##c##d##e##f##g##h##i##j##k##l
#define LOWBITS_DETAIL_JOIN(...) LOWBITS_DETAIL_JOIN_ARCHS(__VA_ARGS__, , , , , , , , , , , , )
#if defined(LOWBITS_ARCHS)
#define LOWBITS_DETAIL_ARCHS LOWBITS_DETAIL_JOIN(LOWBITS_ARCHS)
#else
#define LOWBITS_DETAIL_ARCHS
#endif

#define LOWBITS_DETAIL_PASTE(a, b, c, d, e, f, g, h, i, j, k, l) a##b##c##d##e##f##g##h##i##j##k##l
#define LOWBITS_DETAIL_EXPAND(a, b, c, d, e, f, g, h, i, j, k, l) \
  LOWBITS_DETAIL_PASTE(a, b, c, d, e, f, g, h, i, j, k, l)
#define LOWBITS_ABI                                                                               \
  LOWBITS_DETAIL_EXPAND(v0_1, LOWBITS_DETAIL_ISA, LOWBITS_DETAIL_FMA, LOWBITS_DETAIL_BMI2,        \
                        LOWBITS_DETAIL_AMX, LOWBITS_DETAIL_MATH, LOWBITS_DETAIL_MODE,             \
                        LOWBITS_DETAIL_XSIMD, LOWBITS_DETAIL_STRINGS, LOWBITS_DETAIL_ASSERT_TAG,  \
                        LOWBITS_DETAIL_ARCHS, LOWBITS_TABLE_TAG)

// ---- standard headers -------------------------------------------------------------------------
// Arduino.h and windows.h define min, max and other words as macros. The standard headers come
// first of all, with those macros out of the way; the library's own headers do without the words.
#if defined(__cplusplus)
#pragma push_macro("min")
#pragma push_macro("max")
#pragma push_macro("abs")
#pragma push_macro("round")
#pragma push_macro("bit")
#pragma push_macro("F")
#undef min
#undef max
#undef abs
#undef round
#undef bit
#undef F
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#pragma pop_macro("F")
#pragma pop_macro("bit")
#pragma pop_macro("round")
#pragma pop_macro("abs")
#pragma pop_macro("max")
#pragma pop_macro("min")
#endif

namespace lowbits::inline LOWBITS_ABI {}
