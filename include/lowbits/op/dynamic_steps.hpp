// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers with floats around integer weights: each image, or row of a dense layer, is quantized by what
// is in it, multiplied in integers, and scaled back.
//
//   y = range(float(sum) * (scale of the row * scale of the channel) + bias)

#include <lowbits/fixed/float_output.hpp>
#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/depthwise.hpp>
#include <lowbits/kernel/transposed_conv2d.hpp>
#include <lowbits/kernel/work_area.hpp>
#include <lowbits/op/step.hpp>
#include <lowbits/op/weighted_steps.hpp>
#include <lowbits/ref/dynamic_layer.hpp>
#include <lowbits/ref/real_ops.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// shape is that of one image or row.
template <class Shape, class Weights>
struct dynamic_data {
  Shape shape{};
  int batch = 1;
  size_t x_count = 0, y_count = 0;  ///< of one image
  int channels = 1;
  Weights weights{};
  weight_data scales{};
  const float* bias = nullptr;
  real_range range{};
  dynamic_definition definition = dynamic_definition::symmetric;
};

/// A layer that multiplies floats by the codes themselves.
template <class Weights>
struct weight_only_data {
  conv2d_shape shape{};
  Weights weights{};
  weight_data scales{};
  const float* bias = nullptr;
  real_range range{};
  size_t count = 0;  ///< outputs
};
/// Defined in op/weight_only_steps.hpp, which few programs need.
template <class Arch, class Data>
struct weight_only_step;

/// Kernel is one of kernel::conv2d, depthwise, transposed_conv2d. Prepared weights serve where the zero
/// point of the codes is 0.
template <template <class, class, class, class, class> class Kernel, class Arch, class Data>
struct dynamic_step {
  using weights_type = located_type<decltype(Data::weights)>;
  using kernel_type = Kernel<Arch, int8_t, weights_type, int32_t, raw_accumulator<int32_t>>;

  static constexpr step_needs needs(const Data& d) noexcept {
    const bool prepared = d.definition == dynamic_definition::symmetric;
    return {prepared ? kernel_type::packed_bytes(d.shape) : 0,
            kernel::work_total(kernel::work_bytes(d.x_count, 1) + kernel::work_bytes(d.y_count, sizeof(int32_t)) +
                               kernel_type::scratch_bytes(d.shape))};
  }
  static void pack(const void* data, const unsigned char* blob, unsigned char* packed) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    kernel_type::pack(d.shape, located(d.weights, blob), static_cast<const int32_t*>(nullptr), 0, packed);
  }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    kernel::work_area area(io.scratch);
    auto* const codes = area.template take<int8_t>(d.x_count);
    auto* const sums = area.template take<int32_t>(d.y_count);
    auto* const rest = area.template take<unsigned char>(0);
    const float* x = elements<float>(io.in[0]);
    float* y = elements<float>(io.out);
    for (int b = 0; b < d.batch; ++b, x += d.x_count, y += d.y_count) {
      const affine p = ref::dynamic_codes(d.definition, d.x_count, x, codes);
      kernel_type::run(d.shape, codes, p.zero_point, located(d.weights, io.blob), d.scales.zero_point, static_cast<const int32_t*>(nullptr),
                       p.zero_point == 0 ? io.packed : nullptr, raw_accumulator<int32_t>{}, sums, rest);
      size_t at = 0;
      while (at < d.y_count)
        for (size_t c = 0; c < static_cast<size_t>(d.channels); ++c, ++at) {
          const float scale = fp::product(p.scale, d.scales.scale_of(c));
          const float v = fp::product(static_cast<float>(sums[at]), scale);
          y[at] = d.range(d.bias != nullptr ? fp::sum(v, d.bias[c]) : v);
        }
    }
  }
};

}  // namespace lowbits
