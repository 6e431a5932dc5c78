// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Compiled several times with different flags; REPORT names this copy's function.

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/eltwise.hpp>
#include <lowbits/kernel/select.hpp>

#include "odr.hpp"

namespace lb = lowbits;

namespace {

int run() {
  int8_t x[100], y[100];
  for (int i = 0; i < 100; ++i) x[i] = static_cast<int8_t>(i * 7 - 100);
  lb::with_usable_arch(lb::select_arch(), [&]<class Arch>(Arch) {
    lb::kernel::rescale<Arch>(100, x, lb::rescale_params{3, {1 << 30, -1}, false, {1, -128, 127}}, y);
  });
  int sum = 0;
  for (const int v : y) sum = sum * 31 + v;
  return sum;
}

template <class Function>
const void* address(Function* f) { return reinterpret_cast<const void*>(f); }

}  // namespace

unit_report REPORT() {
  const void* gemm = nullptr;
#if LOWBITS_BUILD_X86
  using prim = lb::prim<lb::prims::gemm, lb::arch::avx2>;
  if constexpr (lb::has_row<lb::prims::gemm, lb::arch::avx2>) gemm = address(&prim::run);
#endif
  return {lb::arch::native::name, lb::arch_name(lb::select_arch()),
          address(&lb::kernel::rescale<lb::arch::generic, int8_t, int8_t>), gemm, &run};
}
