// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What a program may do to the floating-point unit: another rounding mode, denormals flushed to zero
// (as inputs and as results). Flushing is tested on x86-64 and AArch64.

#include <cfenv>
#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace environment {

#if defined(__x86_64__) || defined(__aarch64__)
inline constexpr bool can_flush = true;
#else
inline constexpr bool can_flush = false;
#endif

inline void flush_denormals(bool on) {
#if defined(__x86_64__)
  constexpr unsigned flush_and_zero = 0x8040;  // FTZ, DAZ
  _mm_setcsr(on ? _mm_getcsr() | flush_and_zero : _mm_getcsr() & ~flush_and_zero);
#elif defined(__aarch64__)
  std::uint64_t fpcr = 0;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  constexpr std::uint64_t flush = std::uint64_t{1} << 24;
  fpcr = on ? fpcr | flush : fpcr & ~flush;
  asm volatile("msr fpcr, %0" : : "r"(fpcr));
#else
  static_cast<void>(on);
#endif
}

struct setting {
  const char* name;
  int rounding;
  bool flush;
};
inline constexpr setting settings[] = {
    {"nearest", FE_TONEAREST, false},          {"upward", FE_UPWARD, false},
    {"downward", FE_DOWNWARD, false},          {"toward zero", FE_TOWARDZERO, false},
    {"nearest, flushing", FE_TONEAREST, true}, {"upward, flushing", FE_UPWARD, true},
    {"downward, flushing", FE_DOWNWARD, true}, {"toward zero, flushing", FE_TOWARDZERO, true},
};

/// Sets the environment, and restores nearest without flushing (the start-up code of -ffast-math
/// programs flushes).
class scope {
public:
  explicit scope(const setting& s) { set(s.rounding, s.flush); }
  ~scope() { set(FE_TONEAREST, false); }
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

private:
  static void set(int rounding, bool flush) {
    std::fesetround(rounding);
    flush_denormals(flush);
  }
};

}  // namespace environment
