// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every header of the core, included after the macros of Arduino.h, windows.h and newlib's ctype.h
// (the long list is in hostile_macros.hpp; here is the rest of Arduino's). Compiling is the test.
#include <atomic>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "../header/hostile_macros.hpp"

#define radians(degrees) ((degrees) * 0.017453292519943295769236907684886)
#define degrees(radians) ((radians) * 57.295779513082320876798154814105)
#define interrupts() sei()
#define noInterrupts() cli()
#define lowByte(w) ((uint8_t)((w) & 0xff))
#define highByte(w) ((uint8_t)((w) >> 8))
#define bitRead(value, bit) (((value) >> (bit)) & 0x01)
#define bitSet(value, bit) ((value) |= (1UL << (bit)))
#define bitClear(value, bit) ((value) &= ~(1UL << (bit)))
#define bitToggle(value, bit) ((value) ^= (1UL << (bit)))
#define bitWrite(value, bit, on) ((on) ? bitSet(value, bit) : bitClear(value, bit))
#define _BV(bit) (1 << (bit))
#define HALF_PI 1.5707963267948966192313216916398
#define TWO_PI 6.283185307179586476925286766559
#define EULER 2.718281828459045235360287471352
#define SERIAL 0x0
#define DISPLAY 0x1
#define LSBFIRST 0
#define MSBFIRST 1
#define CHANGE 1
#define FALLING 2
#define RISING 3
#define EXTERNAL 0
#define INTERNAL 3
#define A0 14
#define PROGMEM
#define PSTR(text) (text)
#define OPTIONAL
#define CALLBACK
#define VOID void
#define CONST const
#define TRUE 1
#define FALSE 0
#define NEAR
#define FAR
#define STRICT 1
#define DELETE 0x10000
#define hyper long long
#define pascal

#include "all_headers.hpp"

namespace {

constexpr std::int8_t weights[] = {1, -2, 3, -4};
constexpr auto make_net() {
  lowbits::builder<4> g;
  const auto x = g.input("x", lowbits::tensor<lowbits::q8, 2>({.scale = 0.1f}));
  return g.output(g.dense("y", x, {.units = 2, .weights = lowbits::weights(weights, lowbits::symmetric{0.5f}), .out = {.scale = 0.1f}}));
}
using net = lowbits::model<make_net>;

}  // namespace

lowbits::status infer_with_hostile_macros(std::span<unsigned char> arena, std::span<const std::int8_t> x,
                                          std::span<std::int8_t> y) {
  return net::run(arena, x, y);
}
