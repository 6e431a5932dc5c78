// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the processor and its operating system offer. Only select_arch() and the calls documented to
// use it ask; kernels never do, but for tables and counts of bits with AVX-512, which read the answer. In static mode there is nothing to ask, and only the type exists.

#include <lowbits/core/relaxed.hpp>
#include <lowbits/core/types.hpp>

#if LOWBITS_DISPATCH && LOWBITS_AARCH64
#include <sys/auxv.h>
#endif

namespace lowbits::inline LOWBITS_ABI::cpu {

/// Instruction sets a primitive may need. On x86 a bit is set only when the operating system also
/// saves the registers involved.
enum class feature : uint8_t {
  ssse3, sse41, avx2, fma, bmi2, avxvnni,
  avx512f, avx512bw, avx512dq, avx512vl, avx512vnni, avx512vbmi,
  amx_int8,  ///< tile registers still need the kernel's permission
  dotprod, i8mm, sve,
  avx512vpopcntdq,
};

struct features {
  uint64_t bits = 0;

  constexpr bool operator==(const features&) const = default;
  constexpr void add(feature f, bool present = true) noexcept {
    if (present) bits |= uint64_t{1} << static_cast<int>(f);
  }
  constexpr bool has(feature f) const noexcept { return (bits >> static_cast<int>(f) & 1u) != 0; }
  template <class... More>
  constexpr bool has(feature f, More... more) const noexcept { return has(f) && has(more...); }
};

/// Asks Linux for the tile registers, for the whole process. Only where the processor has them. From then
/// on the kernel refuses alternate signal stacks too small for them (8 KiB more).
/// Source: Linux, Documentation/arch/x86/xstate.rst: arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA).
inline bool request_tiles() noexcept {
#if LOWBITS_GNU && LOWBITS_X86 && defined(__linux__)
  long result = 158;  // the number of arch_prctl, then its answer
  asm volatile("syscall" : "+a"(result) : "D"(0x1023L), "S"(18L) : "rcx", "r11", "memory");
  return result == 0;
#else
  return false;
#endif
}

#if LOWBITS_DISPATCH
namespace detail {

#if LOWBITS_X86
struct cpuid_result {
  uint32_t a, b, c, d;
};
inline cpuid_result cpuid(uint32_t leaf, uint32_t subleaf) noexcept {
  cpuid_result r{};
  asm volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
  return r;
}
/// The register states the operating system saves (XCR0).
inline uint32_t saved_states() noexcept {
  uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

/// Bit numbers: Intel SDM volume 2, CPUID leaves 1 and 7; volume 1, 13.3 for XCR0.
inline features ask() noexcept {
  features f;
  const auto bit_of = [](uint32_t word, int n) { return (word >> n & 1u) != 0; };
  const uint32_t highest_leaf = cpuid(0, 0).a;
  const cpuid_result one = cpuid(1, 0);
  f.add(feature::ssse3, bit_of(one.c, 9));
  f.add(feature::sse41, bit_of(one.c, 19));
  if (highest_leaf < 7 || !bit_of(one.c, 27)) return f;  // no OSXSAVE: no wide registers
  const uint32_t saved = saved_states();
  const bool ymm = (saved & 0x06u) == 0x06u;
  const bool zmm = ymm && (saved & 0xe0u) == 0xe0u;
  const bool tiles = (saved & 0x6'0000u) == 0x6'0000u;
  const cpuid_result seven = cpuid(7, 0);
  const cpuid_result more = seven.a >= 1 ? cpuid(7, 1) : cpuid_result{};
  f.add(feature::bmi2, bit_of(seven.b, 8));
  f.add(feature::avx2, ymm && bit_of(seven.b, 5));
  f.add(feature::fma, ymm && bit_of(one.c, 12));
  f.add(feature::avxvnni, ymm && bit_of(more.a, 4));
  f.add(feature::avx512f, zmm && bit_of(seven.b, 16));
  f.add(feature::avx512dq, zmm && bit_of(seven.b, 17));
  f.add(feature::avx512bw, zmm && bit_of(seven.b, 30));
  f.add(feature::avx512vl, zmm && bit_of(seven.b, 31));
  f.add(feature::avx512vbmi, zmm && bit_of(seven.c, 1));
  f.add(feature::avx512vnni, zmm && bit_of(seven.c, 11));
  f.add(feature::avx512vpopcntdq, zmm && bit_of(seven.c, 14));
  f.add(feature::amx_int8, tiles && bit_of(seven.d, 24) && bit_of(seven.d, 25));
  return f;
}
#else
/// Bit numbers: Linux, arch/arm64/include/uapi/asm/hwcap.h.
inline features ask() noexcept {
  features f;
  const unsigned long first = getauxval(16), second = getauxval(26);  // AT_HWCAP, AT_HWCAP2
  f.add(feature::dotprod, (first >> 20 & 1u) != 0);
  f.add(feature::sve, (first >> 22 & 1u) != 0);
  f.add(feature::i8mm, (second >> 13 & 1u) != 0);
  return f;
}
#endif

inline constexpr uint64_t asked = uint64_t{1} << 63;
inline lowbits::detail::relaxed<uint64_t> cache{0};

extern "C" char** environ;

}  // namespace detail

/// Asks the processor once; later calls read the answer.
[[gnu::noinline]] inline features detect() noexcept {
  uint64_t known = detail::cache.load();
  if (known == 0) {
    known = detail::ask().bits | detail::asked;
    detail::cache.store(known);
  }
  return {known & ~detail::asked};
}

/// The value of an environment variable, or null.
inline const char* environment(const char* name) noexcept {
  for (char** entry = detail::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const char* e = *entry;
    const char* n = name;
    while (*n != '\0' && *e == *n) ++e, ++n;
    if (*n == '\0' && *e == '=') return e + 1;
  }
  return nullptr;
}
#endif  // LOWBITS_DISPATCH

}  // namespace lowbits::cpu
