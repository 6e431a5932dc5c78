// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers whose weights alone are quantized (dynamic_definition::weight_only), as steps: y = range(weight_only_conv2d(x)).
// A program that has such layers includes this header, or defines LOWBITS_WEIGHT_ONLY in front of lowbits.hpp.

#include <lowbits/kernel/weight_only_conv2d.hpp>
#include <lowbits/op/dynamic_steps.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <class Arch, class Data>
struct weight_only_step {
  using kernel_type = kernel::weight_only_conv2d<arch_for<Arch, prims::gemm_reals>>;
  static constexpr kernel::real_format format(const Data& d) noexcept { return kernel::real_format::of(d.scales.format); }

  static constexpr step_needs needs(const Data& d) noexcept {
    return {kernel_type::packed_bytes(d.shape, format(d)), kernel_type::scratch_bytes(d.shape, format(d))};
  }
  static void pack(const void* data, const unsigned char* blob, unsigned char* packed) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    kernel_type::pack(d.shape, format(d), located(d.weights, blob), d.scales.zero_point, scales(d), d.bias, packed);
  }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    const float* x = elements<float>(io.in[0]);
    float* y = elements<float>(io.out);
    if (io.packed != nullptr) kernel_type::run(d.shape, format(d), x, io.packed, y, io.scratch);
    else ref::weight_only_conv2d(d.shape, x, located(d.weights, io.blob), d.scales.zero_point, scales(d), d.bias, y);
    if (d.range != real_range{})
      for (size_t i = 0; i < d.count; ++i) y[i] = d.range(y[i]);
  }

private:
  static auto scales(const Data& d) noexcept {
    return [&d](int c) { return d.scales.scale_of(static_cast<size_t>(c)); };
  }
};

}  // namespace lowbits
