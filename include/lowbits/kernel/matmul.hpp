// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products of batches of matrices, both operands activations, on an architecture. Gives the bytes
// of ref::matmul.

#include <lowbits/kernel/table.hpp>
#include <lowbits/ref/matmul.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <class Arch, class X, class W, class Acc, class Rq>
struct matmul {
  using Y = typename Rq::output::storage;

  static constexpr size_t scratch_bytes(const matmul_shape&) noexcept { return 0; }
  static void run(const matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero, const Rq& rq, Y* y,
                  unsigned char* /*scratch*/) noexcept {
    ref::matmul<Acc>(s, x, x_zero, w, w_zero, rq, y);
  }
};

}  // namespace lowbits::kernel
