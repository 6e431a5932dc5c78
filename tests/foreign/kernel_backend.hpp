// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs operations through the kernels of an architecture, with prepared weights where a kernel
// wants them; moves of elements have no kernel and stay the reference's.

#include <string>
#include <vector>

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/depthwise.hpp>
#include <lowbits/kernel/eltwise.hpp>
#include <lowbits/kernel/matmul.hpp>
#include <lowbits/kernel/pool.hpp>
#include <lowbits/kernel/select.hpp>
#include <lowbits/kernel/transposed_conv2d.hpp>

#include "foreign/ref_backend.hpp"

namespace foreign {

/// Bytes that start at a multiple of 64.
class aligned_bytes {
public:
  explicit aligned_bytes(std::size_t n) : memory_(n + 64) {}
  unsigned char* get() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (64 - address % 64) % 64;
  }

private:
  std::vector<unsigned char> memory_;
};

/// The architecture is chosen at run time, so that the runner is compiled once.
struct kernel_backend : ref_backend {
  static inline lowbits::arch_id arch = lowbits::arch_id_of<lowbits::arch::generic>;
  static std::string name() { return std::string("kernels of ") + lowbits::arch_name(arch); }
  /// How many products ran on the architecture's own primitives, and how many through the reference.
  static inline std::size_t fast = 0, plain = 0;

  template <class Kernel, class Shape, class X, class W, class Bias, class Rq, class Y>
  static void run_weighted(const Shape& s, const X* x, int x_zero, W w, int w_zero,
                           const Bias* bias, const Rq& rq, Y* y) {
    aligned_bytes packed(Kernel::packed_bytes(s)), scratch(Kernel::scratch_bytes(s));
    const bool prepares = Kernel::packed_bytes(s) != 0;
    ++(prepares ? fast : plain);
    if (prepares) Kernel::pack(s, w, bias, x_zero, packed.get());
    Kernel::run(s, x, x_zero, w, w_zero, bias, prepares ? packed.get() : nullptr, rq, y,
                scratch.get());
  }
  template <class Acc, class X, class W, class Bias, class Rq, class Y>
  static void conv2d(const lowbits::conv2d_shape& s, const X* x, int x_zero, W w, int w_zero,
                     const Bias* bias, const Rq& rq, Y* y) {
    lowbits::with_arch(arch, [&]<class Arch>(Arch) {
      run_weighted<lowbits::kernel::conv2d<Arch, X, W, Acc, Rq>>(s, x, x_zero, w, w_zero, bias, rq,
                                                                 y);
    });
  }
  template <class Acc, class X, class W, class Bias, class Rq, class Y>
  static void transposed_conv2d(const lowbits::conv2d_shape& s, const X* x, int x_zero, W w,
                                int w_zero, const Bias* bias, const Rq& rq, Y* y) {
    lowbits::with_arch(arch, [&]<class Arch>(Arch) {
      run_weighted<lowbits::kernel::transposed_conv2d<Arch, X, W, Acc, Rq>>(s, x, x_zero, w, w_zero,
                                                                            bias, rq, y);
    });
  }
  template <class Acc, class X, class W, class Bias, class Rq, class Y>
  static void depthwise(const lowbits::depthwise_shape& s, const X* x, int x_zero, W w, int w_zero,
                        const Bias* bias, const Rq& rq, Y* y) {
    lowbits::with_arch(arch, [&]<class Arch>(Arch) {
      run_weighted<lowbits::kernel::depthwise<Arch, X, W, Acc, Rq>>(s, x, x_zero, w, w_zero, bias,
                                                                    rq, y);
    });
  }
  template <class Acc, class X, class W, class Rq, class Y>
  static void matmul(const lowbits::matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero,
                     const Rq& rq, Y* y) {
    lowbits::with_arch(arch, [&]<class Arch>(Arch) {
      using kernel = lowbits::kernel::matmul<Arch, X, W, Acc, Rq>;
      aligned_bytes scratch(kernel::scratch_bytes(s));
      ++(kernel::scratch_bytes(s) != 0 ? fast : plain);
      kernel::run(s, x, x_zero, w, w_zero, rq, y, scratch.get());
    });
  }
  template <class T>
  static void max_pool(const lowbits::pool2d_shape& s, const T* x, lowbits::code_range range,
                       T* y) {
    lowbits::with_arch(arch,
                       [&]<class Arch>(Arch) { lowbits::kernel::max_pool<Arch>(s, x, range, y); });
  }
  template <class T>
  static void average_pool(const lowbits::pool2d_shape& s, const T* x, lowbits::code_range range,
                           T* y) {
    lowbits::with_arch(
        arch, [&]<class Arch>(Arch) { lowbits::kernel::average_pool<Arch>(s, x, range, y); });
  }
  template <class T, class Op>
  static void binary(const lowbits::tensor_shape& x_shape, const lowbits::tensor_shape& y_shape,
                     const T* x, const T* y, const Op& op, T* out) {
    if (x_shape != y_shape) return ref_backend::binary(x_shape, y_shape, x, y, op, out);
    lowbits::with_arch(arch, [&]<class Arch>(Arch) {
      lowbits::kernel::binary<Arch>(x_shape.count(), x, y, op, out);
    });
  }
};

}  // namespace foreign
