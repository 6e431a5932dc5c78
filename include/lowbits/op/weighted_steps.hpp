// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolutions and dense layers as steps: typed data, and the functions that hand it to the kernels.

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/depthwise.hpp>
#include <lowbits/kernel/transposed_conv2d.hpp>
#include <lowbits/op/step.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Shape is conv2d_shape or depthwise_shape; Weights is what the kernels index: a pointer to codes,
/// or a packed_view.
template <class Shape, class Weights, class Bias, class Rounding>
struct weighted_data {
  using weights_type = Weights;
  using bias_type = Bias;
  using rounding_type = Rounding;
  Shape shape{};
  Weights weights{};
  const Bias* bias = nullptr;
  const typename Rounding::multiplier* factors = nullptr;
  output_stage stage{};
  int x_zero = 0;
  int w_zero = 0;
};

/// Kernel<Arch, X, W, Acc, Rq> is one of kernel::conv2d, depthwise, transposed_conv2d. A kernel that
/// wants prepared weights runs on the portable architecture while there are none.
template <template <class, class, class, class, class> class Kernel, class Arch, class X, class Acc,
          class Out, class Data>
struct weighted_step {
  using requantizer_type = channel_requantizer<Out, typename Data::rounding_type>;
  template <class A>
  using kernel_on =
      Kernel<A, typename X::storage, typename Data::weights_type, Acc, requantizer_type>;

  static constexpr step_needs needs(const Data& d) noexcept {
    return {kernel_on<Arch>::packed_bytes(d.shape), kernel_on<Arch>::scratch_bytes(d.shape)};
  }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    if constexpr (!std::is_same_v<Arch, arch::generic>) {
      if (io.packed != nullptr || kernel_on<Arch>::packed_bytes(d.shape) == 0)
        return run_on<Arch>(d, io);
    }
    run_on<arch::generic>(d, io);
  }
  static void pack(const void* data, unsigned char* packed) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    kernel_on<Arch>::pack(d.shape, d.weights, d.bias, d.x_zero, packed);
  }

private:
  template <class A>
  static void run_on(const Data& d, const step_io& io) noexcept {
    kernel_on<A>::run(d.shape, elements<typename X::storage>(io.in[0]), d.x_zero, d.weights,
                      d.w_zero, d.bias, io.packed, requantizer_type{d.factors, d.stage},
                      elements<typename Out::storage>(io.out), io.scratch);
  }
};

}  // namespace lowbits
