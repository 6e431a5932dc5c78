// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Static mode: one architecture, known at compile time, and nothing to ask.

#if !defined(LOWBITS_STATIC)
#define LOWBITS_STATIC
#endif

#include <doctest/doctest.h>

#include <string>

#include <lowbits/kernel/select.hpp>

namespace lb = lowbits;

static_assert(LOWBITS_DISPATCH == 0);
static_assert(std::is_same_v<lb::all_archs, lb::type_list<lb::arch::native>>);
static_assert(lb::select_arch() == lb::arch_id_of<lb::arch::native>);
static_assert(lb::arch::native::native);
#if LOWBITS_NATIVE_AMX
static_assert(std::is_same_v<lb::arch::native, lb::arch::amx>);
#elif LOWBITS_NATIVE_AVX512VNNI
static_assert(std::is_same_v<lb::arch::native, lb::arch::avx512vnni>);
#elif LOWBITS_NATIVE_AVXVNNI
static_assert(std::is_same_v<lb::arch::native, lb::arch::avxvnni>);
#elif LOWBITS_NATIVE_AVX512BW
static_assert(std::is_same_v<lb::arch::native, lb::arch::avx512bw>);
#elif LOWBITS_NATIVE_AVX2
static_assert(std::is_same_v<lb::arch::native, lb::arch::avx2>);
#elif LOWBITS_NATIVE_SSE41
static_assert(std::is_same_v<lb::arch::native, lb::arch::sse41>);
#elif LOWBITS_BUILD_VECTOR
static_assert(std::is_same_v<lb::arch::native, lb::arch::vector>);
#else
static_assert(std::is_same_v<lb::arch::native, lb::arch::generic>);
#endif

TEST_CASE("static mode: the architecture of the flags, no caps") {
  int calls = 0;
  CHECK(lb::with_usable_arch(lb::select_arch(), [&]<class Arch>(Arch) {
    ++calls;
    CHECK(std::is_same_v<Arch, lb::arch::native>);
  }));
  CHECK(calls == 1);
  CHECK_FALSE(lb::with_usable_arch(lb::arch_id_from("no such thing"), [](auto) { FAIL("called"); }));
  CHECK(lb::set_max_arch("generic") == lb::status::unsupported);
  CHECK(std::string(lb::arch_name(lb::select_arch())) == lb::arch::native::name);
}
