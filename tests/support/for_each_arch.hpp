// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Calls a function for every architecture that this machine and build have.

#include <string>

#include <lowbits/core/arch.hpp>
#include <lowbits/kernel/select.hpp>

namespace lowbits_test {

/// f(arch_id, name).
template <class Function>
void for_each_arch(Function f) {
  namespace lb = lowbits;
  [&]<class... Archs>(lb::type_list<Archs...>) {
    ((lb::is_usable<Archs>() ? f(lb::arch_id_of<Archs>, std::string(Archs::name)) : void()), ...);
  }(lb::all_archs{});
}

}  // namespace lowbits_test
