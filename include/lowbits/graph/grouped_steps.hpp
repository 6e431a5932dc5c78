// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Dense layers whose weights have a factor for each group along the depth, as steps. Only programs with such
// layers include this: with LOWBITS_GROUPS defined, lowbits.hpp does.

#include <lowbits/graph/steps.hpp>
#include <lowbits/kernel/grouped.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <class Weights, class Factor, class Rounding, class Multiplier>
struct grouped_data {
  using weights_type = Weights;
  using rounding_type = Rounding;
  gemm_shape shape{};
  group_format format{};
  Weights weights{};
  const Factor* each = nullptr;
  const int32_t* bias = nullptr;
  const Multiplier* factors = nullptr;
  output_stage stage{};
  size_t factor_mask = ~size_t{0};
  weight_data scales{};
  const float* real_bias = nullptr;
  real_range range{};
};

namespace detail {

template <class W>
struct number_type_of_codes {
  using type = typename W::q;
};
template <class T>
struct number_type_of_codes<const T*> {
  using type = full_type<T>;
};

/// The kernel of a layer whose weights are at a place of the blob or the program.
template <class Arch, class X, class Factor, class Rq, class Data>
struct grouped_kernel {
  using W = located_type<typename Data::weights_type>;
  using type = kernel::grouped<arch_for<Arch, prims::gemm_groups, prims::requantize>, typename X::storage, typename number_type_of_codes<W>::type, W, Factor, Rq>;
  static constexpr bool is_fast = type::is_fast;

  static constexpr size_t packed_bytes(const Data& d) noexcept { return is_fast ? type::packed_bytes(d.shape, d.format) : 0; }
  static constexpr size_t scratch_bytes(const Data& d) noexcept { return is_fast ? type::scratch_bytes(d.shape, d.format) : 0; }
  static void pack(const void* data, const unsigned char* blob, unsigned char* packed) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    type::pack(d.shape, d.format, located(d.weights, blob), d.each, d.bias, packed);
  }
  static void run(const Data& d, const typename X::storage* x, const step_io& io, const Rq& rq, typename Rq::output::storage* y, unsigned char* scratch) noexcept {
    if (is_fast && io.packed != nullptr) return type::run(d.shape, d.format, x, io.packed, rq, y, scratch);
    ref::grouped_gemm(d.shape, x, d.format.x_zero, located(d.weights, io.blob), d.format.w_zero,
                      group_factors<Factor>{d.each, d.format.group, d.format.shift}, d.bias, rq, y);
  }
};

inline void hold(const real_range& range, size_t n, float* y) noexcept {
  if (range != real_range{})
    for (size_t i = 0; i < n; ++i) y[i] = range(y[i]);
}

/// Codes, or sums, of codes.
template <class Arch, class X, class Factor, class Rq, class Data>
struct grouped_step : grouped_kernel<Arch, X, Factor, Rq, Data> {
  using base = grouped_kernel<Arch, X, Factor, Rq, Data>;
  static constexpr step_needs needs(const Data& d) noexcept { return {base::packed_bytes(d), base::scratch_bytes(d)}; }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    const auto* const x = elements<typename X::storage>(io.in[0]);
    auto* const y = elements<typename Rq::output::storage>(io.out);
    if constexpr (std::is_same_v<Rq, raw_accumulator<int32_t>>) {
      base::run(d, x, io, {}, y, io.scratch);
    } else if constexpr (std::is_same_v<Rq, float_output>) {
      base::run(d, x, io, {.scales = d.factors, .bias = d.real_bias}, y, io.scratch);
      hold(d.range, static_cast<size_t>(d.shape.rows) * static_cast<size_t>(d.shape.cols), y);
    } else {
      base::run(d, x, io, Rq{d.factors, d.stage, d.factor_mask}, y, io.scratch);
    }
  }
};

/// Floats, each row of which becomes symmetric codes first.
template <class Arch, class Factor, class Data>
struct grouped_dynamic_step : grouped_kernel<Arch, q8, Factor, float_output, Data> {
  using base = grouped_kernel<Arch, q8, Factor, float_output, Data>;
  static constexpr step_needs needs(const Data& d) noexcept {
    const auto rows = static_cast<size_t>(d.shape.rows), cols = static_cast<size_t>(d.shape.cols);
    return {base::packed_bytes(d), kernel::work_total(kernel::work_bytes(rows * static_cast<size_t>(d.shape.depth), 1) + kernel::work_bytes(rows, sizeof(float)) +
                                                      kernel::work_bytes(cols, sizeof(float)) + base::scratch_bytes(d))};
  }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    const auto rows = static_cast<size_t>(d.shape.rows), cols = static_cast<size_t>(d.shape.cols), depth = static_cast<size_t>(d.shape.depth);
    kernel::work_area area(io.scratch);
    auto* const codes = area.template take<int8_t>(rows * depth);
    auto* const row_scales = area.template take<float>(rows);
    auto* const scales = area.template take<float>(cols);
    auto* const rest = area.template take<unsigned char>(0);
    for (size_t r = 0; r < rows; ++r) row_scales[r] = ref::symmetric_codes(depth, elements<float>(io.in[0]) + r * depth, codes + r * depth).scale;
    for (size_t c = 0; c < cols; ++c) scales[c] = d.scales.sum_scale(c);
    auto* const y = elements<float>(io.out);
    base::run(d, codes, io, {.scales = scales, .bias = d.real_bias, .row_scales = row_scales}, y, rest);
    hold(d.range, rows * cols, y);
  }
};

template <step_signature S>
requires(S.factors != group_factor_kind::none) struct grouped_layer<S> {
  using factor = std::conditional_t<S.factors == group_factor_kind::bytes, uint8_t, std::conditional_t<S.factors == group_factor_kind::halves, half, float>>;
  using rounding_type = rounding_tag<S.policy>;
  static constexpr bool is_dynamic = S.x == number_type::real, is_real = S.out == number_type::real;
  using multiplier = std::conditional_t<is_dynamic || gives_sums(S), float, multiplier_of<S.out, S.policy>>;
  using x_type = typename number_types<S.x>::codes;
  using out_type = typename number_types<S.out>::codes;
  using requantizer_type = std::conditional_t<is_real, float_output, std::conditional_t<gives_sums(S), raw_accumulator<int32_t>, channel_requantizer<out_type, rounding_type>>>;

  template <class Data>
  struct choice {
    template <class Arch>
    using on = std::conditional_t<is_dynamic, grouped_dynamic_step<Arch, factor, Data>, grouped_step<Arch, x_type, factor, requantizer_type, Data>>;
  };

  static constexpr const uint8_t* factors_of(const weight_groups& g, const uint8_t*) noexcept { return g.bytes; }
  static constexpr const half* factors_of(const weight_groups& g, const half*) noexcept { return g.halves; }
  static constexpr const float* factors_of(const weight_groups& g, const float*) noexcept { return g.reals; }

  template <class Constant>
  static constexpr auto make(const node& n, const tensor_desc& x, const Constant* constants) noexcept {
    const row_extents rows = row_extents::of(x);
    grouped_data<decltype(weights_of<S>(n.weights)), factor, rounding_type, multiplier> d;
    d.shape = {.rows = rows.rows, .cols = static_cast<int>(channels_of(n)), .depth = rows.columns};
    d.format = {n.weights.groups->group, is_dynamic ? 0 : x.params.zero_point, n.weights.zero_point, n.weights.groups->shift};
    d.weights = weights_of<S>(n.weights);
    d.each = factors_of(*n.weights.groups, static_cast<const factor*>(nullptr));
    if constexpr (is_real) d.real_bias = n.bias.f32, d.range = real_range::of(n.fused);
    else d.bias = n.bias.s32;
    if constexpr (!std::is_void_v<Constant>) d.factors = constants;
    if constexpr (is_dynamic) d.scales = n.weights;
    if constexpr (!is_real && !gives_sums(S)) d.stage = stage_of(n), d.factor_mask = factor_count(n) == 1 ? 0 : ~size_t{0};
    return d;
  }
};

}  // namespace detail

}  // namespace lowbits
