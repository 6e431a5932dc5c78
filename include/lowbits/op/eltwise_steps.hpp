// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Element-wise operations as steps: sums, products, extrema, rescaling, tables, conversions.

#include <lowbits/fixed/eltwise.hpp>
#include <lowbits/fixed/table.hpp>
#include <lowbits/kernel/eltwise.hpp>
#include <lowbits/kernel/finish.hpp>
#include <lowbits/op/infer.hpp>
#include <lowbits/op/step.hpp>
#include <lowbits/ref/eltwise.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Params maps a code of x and one of y to an output code.
template <class Params>
struct binary_data {
  Params params{};
  size_t count = 0;
  bool broadcasts = false;
  tensor_shape x{}, y{}, out{};
};

template <class Params>
constexpr binary_data<Params> make_binary(const tensor_desc& x, const tensor_desc& y,
                                          const tensor_desc& out, const Params& p) noexcept {
  return {p,       out.count(), x.shape.count() != out.count() || y.shape.count() != out.count(),
          x.shape, y.shape,     out.shape};
}

/// Data is binary_data<Params>.
template <class Arch, class X, class Y, class Out, class Data>
struct binary_step {
  static constexpr step_needs needs(const Data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const Data*>(data);
    const auto* x = elements<typename X::storage>(io.in[0]);
    const auto* y = elements<typename Y::storage>(io.in[1]);
    auto* out = elements<typename Out::storage>(io.out);
    if (d.broadcasts) ref::binary(d.x, d.y, x, y, d.params, out);
    else kernel::binary<Arch>(d.count, x, y, d.params, out);
  }
};

/// Params is rescale_params or slope_params.
template <class Params>
struct rescale_data {
  size_t count = 0;
  Params params{};
};

template <rounding Policy, class Rounding>
constexpr auto make_rescale_data(const node& n, const tensor_desc& x) noexcept {
  if constexpr (Policy == rounding::single)
    return rescale_data<rescale_params>{
        n.out.count(), make_rescale(x.format, x.params, n.out.format, n.out.params, n.fused)};
  else
    return rescale_data<slope_params<Rounding>>{
        n.out.count(), make_slope<Rounding>(x.params, n.out.format, n.out.params, n.fused,
                                            static_cast<float>(n.parameter), n.product == scale_product::float_quotient)};
}

template <class Arch, class X, class Out, class Data>
struct rescale_step {
  static constexpr step_needs needs(const Data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const Data*>(data);
    const auto* x = elements<typename X::storage>(io.in[0]);
    auto* y = elements<typename Out::storage>(io.out);
    if constexpr (std::is_same_v<Data, rescale_data<rescale_params>>) kernel::rescale<Arch>(d.count, x, d.params, y);
    else ref::unary(d.count, x, d.params, y);
  }
};

struct conversion_data {
  size_t count = 0;
  affine params{};
  output_stage stage{};
  float multiplier = 0;  ///< instead of a division by the scale, where it is not 0
};

template <class Arch, class Out, class TiesAway>
struct quantize_step {
  static constexpr step_needs needs(const conversion_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const conversion_data*>(data);
    if constexpr (TiesAway::value) {
      const float* x = elements<float>(io.in[0]);
      auto* y = elements<typename Out::storage>(io.out);
      for (size_t i = 0; i < d.count; ++i) {
        const float steps = fp::is_zero(d.multiplier) ? fp::quotient(x[i], d.params.scale) : fp::product(x[i], d.multiplier);
        y[i] = static_cast<typename Out::storage>(
            d.stage(fp::is_nan(steps) ? 0 : fp::to_nearest<fp::tie::away_from_zero>(steps)));
      }
      return;
    }
    kernel::quantize<Arch>(d.count, elements<float>(io.in[0]), d.params, d.stage,
                           elements<typename Out::storage>(io.out));
  }
};

template <class Arch, class X>
struct dequantize_step {
  static constexpr step_needs needs(const conversion_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const conversion_data*>(data);
    const auto* x = elements<typename X::storage>(io.in[0]);
    float* y = elements<float>(io.out);
    if constexpr (sizeof(*x) == 4)  // one row of sums
      kernel::finish<Arch>(1, static_cast<int>(d.count), x, 0, float_output{.row_scales = &d.params.scale}, {}, y, 0);
    else kernel::dequantize<Arch>(d.count, x, d.params, y);
  }
};

}  // namespace lowbits
