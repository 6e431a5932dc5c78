// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Architecture tags: the names under which primitives are written, chosen and tested. A tag says
//
//   name       its stable name; prepared weights remember its hash
//   weaker     the architectures whose primitives it may use where it has none, best first
//   native     whether this translation unit's own flags allow it (what static mode goes by)
//   supported  whether the processor at hand can run it (what dispatch mode goes by)
//   permitted  where the operating system has to be asked before: asks, and says whether it may run

#include <lowbits/core/cpu.hpp>

namespace lowbits::inline LOWBITS_ABI {

// Whether the x86 primitives are compiled: in dispatch mode all of them, in static mode those that
// the flags allow (`native`).
#if LOWBITS_GNU && LOWBITS_X86 && (LOWBITS_DISPATCH || (defined(__SSSE3__) && defined(__SSE4_1__)))
#define LOWBITS_BUILD_X86 1
#else
#define LOWBITS_BUILD_X86 0
#endif

// xsimd costs half a second in every file that includes it: it is used where there are no primitives
// of our own to take its place (any ARM64, x86 compiled for less than SSE4.1 in static mode).
#if LOWBITS_HAS_XSIMD && !LOWBITS_BUILD_X86
#define LOWBITS_BUILD_VECTOR 1
#else
#define LOWBITS_BUILD_VECTOR 0
#endif

// What the flags of this translation unit allow.
#if defined(__SSSE3__) && defined(__SSE4_1__)
#define LOWBITS_NATIVE_SSE41 1
#else
#define LOWBITS_NATIVE_SSE41 0
#endif
#if defined(__AVX2__)
#define LOWBITS_NATIVE_AVX2 1
#else
#define LOWBITS_NATIVE_AVX2 0
#endif
#if defined(__AVX2__) && defined(__AVXVNNI__)
#define LOWBITS_NATIVE_AVXVNNI 1
#else
#define LOWBITS_NATIVE_AVXVNNI 0
#endif
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define LOWBITS_NATIVE_AVX512BW 1
#else
#define LOWBITS_NATIVE_AVX512BW 0
#endif
#if LOWBITS_NATIVE_AVX512BW && defined(__AVX512VNNI__)
#define LOWBITS_NATIVE_AVX512VNNI 1
#else
#define LOWBITS_NATIVE_AVX512VNNI 0
#endif
#if LOWBITS_NATIVE_AVX512BW && defined(__AVX512VBMI__)
#define LOWBITS_NATIVE_AVX512VBMI 1
#else
#define LOWBITS_NATIVE_AVX512VBMI 0
#endif
#if LOWBITS_NATIVE_AVX512VNNI && defined(__AMX_TILE__) && defined(__AMX_INT8__)
#define LOWBITS_NATIVE_AMX 1
#else
#define LOWBITS_NATIVE_AMX 0
#endif

namespace arch {

/// Plain C++: every operation, on every processor.
struct generic {
  static constexpr const char* name = "generic";
  using weaker = type_list<>;
  static constexpr bool native = true;
  static constexpr bool supported(const cpu::features&) noexcept { return true; }
};

/// xsimd's vectors, as wide as the translation unit's flags allow.
struct vector {
  static constexpr const char* name = "vector";
  using weaker = type_list<generic>;
  static constexpr bool native = LOWBITS_BUILD_VECTOR != 0;
  static constexpr bool supported(const cpu::features&) noexcept { return native; }
};

/// SSSE3 and SSE4.1: Penryn, Bulldozer and later.
struct sse41 {
  static constexpr const char* name = "sse41";
  using weaker = type_list<vector, generic>;
  static constexpr bool native = LOWBITS_NATIVE_SSE41 != 0;
  static constexpr bool supported(const cpu::features& f) noexcept {
    return f.has(cpu::feature::ssse3, cpu::feature::sse41);
  }
};

struct avx2 {
  static constexpr const char* name = "avx2";
  using weaker = type_list<sse41, vector, generic>;
  static constexpr bool native = LOWBITS_NATIVE_AVX2 != 0;
  static constexpr bool supported(const cpu::features& f) noexcept { return f.has(cpu::feature::avx2); }
};

/// AVX-VNNI, the 256-bit form of vpdpbusd: Alder Lake and later. Not every processor with
/// AVX512-VNNI has it, so it is not one of that one's weaker ones.
struct avxvnni {
  static constexpr const char* name = "avxvnni";
  using weaker = type_list<avx2, sse41, vector, generic>;
  static constexpr bool native = LOWBITS_NATIVE_AVXVNNI != 0;
  static constexpr bool supported(const cpu::features& f) noexcept {
    return f.has(cpu::feature::avx2, cpu::feature::avxvnni);
  }
};

/// AVX-512 F, BW, DQ and VL: Skylake-X and later.
struct avx512bw {
  static constexpr const char* name = "avx512bw";
  using weaker = type_list<avx2, sse41, vector, generic>;
  static constexpr bool native = LOWBITS_NATIVE_AVX512BW != 0;
  static constexpr bool supported(const cpu::features& f) noexcept {
    using enum cpu::feature;
    return f.has(avx2, avx512f, avx512bw, avx512dq, avx512vl);
  }
};

/// AVX-512 with VNNI as well: Cascade Lake, Ice Lake, Zen 4 and later.
struct avx512vnni {
  static constexpr const char* name = "avx512vnni";
  using weaker = type_list<avx512bw, avx2, sse41, vector, generic>;
  static constexpr bool native = LOWBITS_NATIVE_AVX512VNNI != 0;
  static constexpr bool supported(const cpu::features& f) noexcept {
    return avx512bw::supported(f) && f.has(cpu::feature::avx512vnni);
  }
};

/// Tile registers with 8-bit products: Sapphire Rapids and later. Linux gives them to processes that ask.
/// Dispatch mode asks when it comes to choose this architecture; in static mode, a program compiled for it
/// calls permitted() (or makes the system call) before its first product.
struct amx {
  static constexpr const char* name = "amx";
  using weaker = type_list<avx512vnni, avx512bw, avx2, sse41, vector, generic>;
  static constexpr bool native = LOWBITS_NATIVE_AMX != 0;
  static constexpr bool supported(const cpu::features& f) noexcept {
    return avx512vnni::supported(f) && f.has(cpu::feature::amx_int8);
  }
  static bool permitted() noexcept { return cpu::request_tiles(); }
};

}  // namespace arch

/// Identifies an architecture at run time and in stored buffers: FNV-1a of its name.
enum class arch_id : uint32_t {};

constexpr arch_id arch_id_from(const char* name) noexcept {
  uint32_t h = 2166136261u;
  for (; *name != '\0'; ++name) h = (h ^ static_cast<uint8_t>(*name)) * 16777619u;
  return static_cast<arch_id>(h);
}
template <class Arch>
inline constexpr arch_id arch_id_of = arch_id_from(Arch::name);

/// True when Other is Arch or one of the architectures below it.
template <class Arch, class Other>
constexpr bool is_within() noexcept {
  if constexpr (std::is_same_v<Arch, Other>) {
    return true;
  } else {
    return []<class... Weaker>(type_list<Weaker...>) {
      return (is_within<Weaker, Other>() || ...);
    }(typename Arch::weaker{});
  }
}

}  // namespace lowbits
