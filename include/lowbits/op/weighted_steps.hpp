// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolutions and dense layers as steps: typed data, and the functions that hand it to the kernels.

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/depthwise.hpp>
#include <lowbits/kernel/transposed_conv2d.hpp>
#include <lowbits/op/step.hpp>
#include <lowbits/ref/real_ops.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Weights that lie in a blob, and where they are once the blob is known.
template <class T>
struct external_codes {
  size_t offset = 0;
};
template <class Q>
struct external_stream {
  size_t offset = 0, count = 0;
};
template <class W>
constexpr W located(const W& w, const unsigned char*) noexcept {
  return w;
}
template <class T>
const T* located(const external_codes<T>& w, const unsigned char* blob) noexcept {
  return reinterpret_cast<const T*>(blob + w.offset);
}
template <class Q>
packed_view<Q> located(const external_stream<Q>& w, const unsigned char* blob) noexcept {
  return {blob + w.offset, w.count};
}
template <class W>
using located_type = decltype(located(W{}, nullptr));

/// Shape is conv2d_shape or depthwise_shape; Weights is what the kernels index, a pointer to codes or a
/// packed_view, or the external form of either.
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
  size_t factor_mask = ~size_t{0};  ///< 0: one factor for all channels
  int x_zero = 0;
  int w_zero = 0;
};

/// Kernel<Arch, X, W, Acc, Rq> is one of kernel::conv2d, depthwise, transposed_conv2d. While there are
/// no prepared weights, those that want them run the reference.
template <template <class, class, class, class, class> class Kernel, class Arch, class X, class Acc,
          class Out, class Data>
struct weighted_step {
  using requantizer_type = channel_requantizer<Out, typename Data::rounding_type>;
  using kernel_type =
      Kernel<Arch, typename X::storage, located_type<typename Data::weights_type>, Acc, requantizer_type>;

  static constexpr step_needs needs(const Data& d) noexcept {
    return {kernel_type::packed_bytes(d.shape), kernel_type::scratch_bytes(d.shape)};
  }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    kernel_type::run(d.shape, elements<typename X::storage>(io.in[0]), d.x_zero, located(d.weights, io.blob),
                     d.w_zero, d.bias, io.packed, requantizer_type{d.factors, d.stage, d.factor_mask},
                     elements<typename Out::storage>(io.out), io.scratch);
  }
  static void pack(const void* data, const unsigned char* blob, unsigned char* packed) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    kernel_type::pack(d.shape, located(d.weights, blob), d.bias, d.x_zero, packed);
  }
};

/// A layer whose sums, with the bias, are its output.
template <class Shape, class Weights>
struct sums_data {
  using weights_type = Weights;
  Shape shape{};
  Weights weights{};
  const int32_t* bias = nullptr;
  int x_zero = 0;
  int w_zero = 0;
};

template <template <class, class, class, class, class> class Kernel, class Arch, class X, class Data>
struct sums_step {
  using kernel_type =
      Kernel<Arch, typename X::storage, located_type<typename Data::weights_type>, int32_t, raw_accumulator<int32_t>>;

  static constexpr step_needs needs(const Data& d) noexcept {
    return {kernel_type::packed_bytes(d.shape), kernel_type::scratch_bytes(d.shape)};
  }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    kernel_type::run(d.shape, elements<typename X::storage>(io.in[0]), d.x_zero, located(d.weights, io.blob), d.w_zero, d.bias,
                     io.packed, raw_accumulator<int32_t>{}, elements<int32_t>(io.out), io.scratch);
  }
  static void pack(const void* data, const unsigned char* blob, unsigned char* packed) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    kernel_type::pack(d.shape, located(d.weights, blob), d.bias, d.x_zero, packed);
  }
};

/// A layer on codes whose sums become floats: y = range(float(sum) * scale + bias).
template <class Shape, class Weights>
struct scaled_data {
  using weights_type = Weights;
  Shape shape{};
  Weights weights{};
  const float* scales = nullptr;  ///< one per channel
  const float* bias = nullptr;    ///< the same, or null
  real_range range{};
  size_t count = 0;
  int x_zero = 0;
  int w_zero = 0;
};

template <template <class, class, class, class, class> class Kernel, class Arch, class X, class Data>
struct scaled_step {
  using kernel_type = Kernel<Arch, typename X::storage, located_type<typename Data::weights_type>, int32_t, float_output>;

  static constexpr step_needs needs(const Data& d) noexcept {
    return {kernel_type::packed_bytes(d.shape), kernel_type::scratch_bytes(d.shape)};
  }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    float* y = elements<float>(io.out);
    kernel_type::run(d.shape, elements<typename X::storage>(io.in[0]), d.x_zero, located(d.weights, io.blob), d.w_zero,
                     static_cast<const int32_t*>(nullptr), io.packed, float_output{.scales = d.scales, .bias = d.bias}, y,
                     io.scratch);
    if (d.range != real_range{})
      for (size_t i = 0; i < d.count; ++i) y[i] = d.range(y[i]);
  }
  static void pack(const void* data, const unsigned char* blob, unsigned char* packed) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    kernel_type::pack(d.shape, located(d.weights, blob), static_cast<const int32_t*>(nullptr), d.x_zero, packed);
  }
};

}  // namespace lowbits
