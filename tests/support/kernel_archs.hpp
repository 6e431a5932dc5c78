// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The architectures a kernel test runs on: all of the table that this processor can run, and one
// more that is made up. Include this first.

#define LOWBITS_EXTRA_PRIMS "support/odd_tile_arch.hpp"

#include <doctest/doctest.h>

#include <string>

#include <lowbits/kernel/select.hpp>

#include "support/guarded.hpp"

namespace kernel_archs {

/// Calls f(Arch{}) for each architecture, whatever LOWBITS_MAX_ARCH says, and reports what ran.
template <class Function>
void for_each(Function&& f) {
  namespace lb = lowbits;
  std::string ran;
  [&]<class... Archs>(lb::type_list<Archs...>) {
    const auto one = [&]<class Arch>(Arch a) {
#if LOWBITS_DISPATCH
      if (!Arch::supported(lb::cpu::detect())) return;
#endif
      ran += std::string(ran.empty() ? "" : " ") + Arch::name;
      f(a);
    };
    (one(Archs{}), ...);
  }(lb::detail::built_archs{});
  MESSAGE("architectures: ", ran);
}

}  // namespace kernel_archs
