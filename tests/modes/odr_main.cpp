// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Units compiled with different flags in one program: each has its own copies of the library's
// functions, so that none runs code for a processor it was not compiled for; and all agree.

#include <cstdio>
#include <cstring>
#include <set>
#include <vector>

#include "odr.hpp"

int main() {
  std::vector<unit_report> units = {report_base(), report_generic_only(), report_static()};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) units.push_back(report_avx2());
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl")) units.push_back(report_avx512());
#endif
  std::set<const void*> places, prims;
  std::size_t prim_count = 0;
  int errors = 0;
  for (const auto& u : units) {
    std::printf("compiled for %-12s chosen %-12s rescale at %p, gemm at %p\n", u.compiled_for, u.chosen, u.rescale, u.gemm);
    places.insert(u.rescale);
    if (u.gemm != nullptr) prims.insert(u.gemm), ++prim_count;
    if (u.run() != units[0].run()) ++errors, std::printf("  gives another result\n");
  }
  if (places.size() != units.size()) ++errors, std::printf("two units share a function\n");
  if (prims.size() != prim_count) ++errors, std::printf("two units share a primitive\n");
  if (std::strcmp(units[1].chosen, "generic") != 0) ++errors, std::printf("LOWBITS_ARCHS=generic chose something else\n");
  if (std::strcmp(units[2].chosen, units[2].compiled_for) != 0) ++errors, std::printf("static mode chose what its flags do not say\n");
  return errors != 0;
}
