// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Macros that Arduino.h, windows.h and newlib's ctype.h define. A program has them in force when it
// includes the library. Those with an underscore break standard headers themselves, so these come
// first, as they do behind Arduino.h.
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#if __STDC_HOSTED__
#include <atomic>
#endif

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define abs(x) ((x) > 0 ? (x) : -(x))
#define round(x) ((x) >= 0 ? (long)((x) + 0.5) : (long)((x)-0.5))
#define bit(b) (1UL << (b))
#define sq(x) ((x) * (x))
#define word(...) makeWord(__VA_ARGS__)
#define constrain(x, low, high) ((x) < (low) ? (low) : ((x) > (high) ? (high) : (x)))
#define F(text) (reinterpret_cast<const __FlashStringHelper*>(text))
#define B0 0
#define B1 1
#define B00 0
#define B01 1
#define B10 2
#define B11 3
#define PI 3.1415926535897932384626433832795
#define HIGH 0x1
#define LOW 0x0
#define INPUT 0x0
#define OUTPUT 0x1
#define DEFAULT 1
#define IN
#define OUT
#define near
#define far
#define small char
#define interface struct
#define ERROR 0
#define _U 01
#define _L 02
#define _N 04
#define _S 010
#define _P 020
#define _C 040
#define _X 0100
#define _B 0200
