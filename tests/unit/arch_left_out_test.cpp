// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// LOWBITS_ARCHS: what is not named is not built in, generic always is.

#define LOWBITS_ARCHS avx2, generic

#include <doctest/doctest.h>

#include <string>

#include <lowbits/kernel/select.hpp>

namespace lb = lowbits;

#if LOWBITS_X86 && LOWBITS_DISPATCH
static_assert(std::is_same_v<lb::all_archs, lb::type_list<lb::arch::avx2, lb::arch::generic>>);
static_assert(!lb::has_row<lb::prims::gemm, lb::arch::avx512vnni>);
static_assert(std::is_same_v<lb::best<lb::prims::gemm, lb::arch::avx512vnni>, lb::arch::avx2>);
#else
static_assert(std::is_same_v<lb::all_archs, lb::type_list<lb::arch::generic>>);
#endif

TEST_CASE("LOWBITS_ARCHS: an architecture that was left out is not chosen, but known as a cap") {
  CHECK_FALSE(lb::with_arch(lb::arch_id_of<lb::arch::vector>, [](auto) { FAIL("called"); }));
  CHECK_FALSE(lb::with_arch(lb::arch_id_of<lb::arch::avx512vnni>, [](auto) { FAIL("called"); }));
#if LOWBITS_DISPATCH
  REQUIRE(lb::set_max_arch("") == lb::status::ok);
  const std::string name = lb::arch_name(lb::select_arch());
  CHECK((name == "avx2" || name == "generic"));
  CHECK(lb::set_max_arch("vector") == lb::status::ok);
  CHECK(std::string(lb::arch_name(lb::select_arch())) == "generic");
#endif
}
