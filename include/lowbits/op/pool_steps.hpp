// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Pooling, means and matrix products of activations as steps.

#include <lowbits/kernel/compensated.hpp>
#include <lowbits/kernel/pool.hpp>
#include <lowbits/op/infer.hpp>
#include <lowbits/op/step.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct pool_data {
  pool2d_shape shape{};
  code_range clamp{};
};

/// IsMax is std::true_type or std::false_type.
template <class Arch, class Out, class IsMax>
struct pool_step {
  static constexpr step_needs needs(const pool_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    using T = typename Out::storage;
    const auto& d = *static_cast<const pool_data*>(data);
    if constexpr (IsMax::value)
      kernel::max_pool<Arch>(d.shape, elements<T>(io.in[0]), d.clamp, elements<T>(io.out));
    else kernel::average_pool<Arch>(d.shape, elements<T>(io.in[0]), d.clamp, elements<T>(io.out));
  }
};

/// Params is mean_params or tflite_mean_params.
template <class Params>
struct mean_data {
  int batch = 1, positions = 1, channels = 1;
  Params params{};
};

template <rounding Policy>
constexpr auto make_mean_data(const node& n, const tensor_desc& x) noexcept {
  const image_extents e = image_extents::of(x);
  const int count = e.h * e.w;
  if constexpr (Policy == rounding::double_gemmlowp)
    return mean_data<tflite_mean_params>{
        e.batch, count, e.c, make_tflite_mean(x.params, n.out.format, n.out.params, count, n.fused)};
  else
    return mean_data<mean_params>{
        e.batch, count, e.c, make_mean(x.format, x.params, n.out.format, n.out.params, count, n.fused)};
}

template <class Arch, class X, class Out, class Data>
struct mean_step {
  static constexpr step_needs needs(const Data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const Data*>(data);
    const auto* x = elements<typename X::storage>(io.in[0]);
    auto* y = elements<typename Out::storage>(io.out);
    if constexpr (std::is_same_v<Data, mean_data<mean_params>>)
      kernel::global_mean<Arch>(d.batch, d.positions, d.channels, x, d.params, y);
    else
      ref::global_mean(d.batch, d.positions, d.channels, x, d.params, y);
  }
};

template <class Rounding>
struct matmul_data {
  using rounding_type = Rounding;
  matmul_shape shape{};
  int x_zero = 0, w_zero = 0;
  typename Rounding::multiplier factor{};
  output_stage stage{};
};

template <class Rounding>
constexpr matmul_data<Rounding> make_matmul_data(const node& n, const tensor_desc& x,
                                                 const tensor_desc& w) noexcept {
  tensor_shape out;
  infer::verdict v;
  const matmul_options o{.x_transposed = n.flag[0], .w_transposed = n.flag[1]};
  return {
      infer::matmul_extents(x, w, o, out, v), x.params.zero_point, w.params.zero_point,
      Rounding::multiplier::from(
          n.product == scale_product::float32
              ? scale_ratio_float_product(x.params.scale, w.params.scale, n.out.params.scale)
              : scale_ratio(x.params.scale, w.params.scale, n.out.params.scale)),
      output_stage::of(n.out.format, n.out.params, n.fused)};
}

template <class Arch, class X, class W, class Acc, class Out, class Data>
struct matmul_step {
  static constexpr bool gives_sums = sizeof(typename Out::storage) == 4;
  using requantizer_type =
      std::conditional_t<gives_sums, raw_accumulator<int32_t>, requantizer<Out, typename Data::rounding_type>>;
  using kernel_type =
      kernel::matmul_for<Arch, typename X::storage, typename W::storage, Acc, requantizer_type>;

  static constexpr step_needs needs(const Data& d) noexcept {
    return {0, kernel_type::scratch_bytes(d.shape)};
  }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    requantizer_type rq;
    if constexpr (!gives_sums) rq = {d.factor, d.stage};
    kernel_type::run(d.shape, elements<typename X::storage>(io.in[0]), d.x_zero,
                     elements<typename W::storage>(io.in[1]), d.w_zero, rq,
                     elements<typename Out::storage>(io.out), io.scratch);
  }
};

}  // namespace lowbits
