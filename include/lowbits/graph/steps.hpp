// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// From a node's signature to its step: the element types, the accumulator and the rounding policy
// become template arguments.

#include <type_traits>

#include <lowbits/graph/signature.hpp>
#include <lowbits/graph/steps_data.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace detail {

/// A step whose architecture is still open, one that depends on the primitives of Ops only, and one
/// that is the same on all.
template <template <class...> class Step, class... Types>
struct on_each_arch {
  template <class Arch>
  using on = Step<Arch, Types...>;
};
template <class Ops, template <class...> class Step, class... Types>
struct on_archs_for;
template <class... Ops, template <class...> class Step, class... Types>
struct on_archs_for<type_list<Ops...>, Step, Types...> {
  template <class Arch>
  using on = Step<arch_for<Arch, Ops...>, Types...>;
};
template <class Step>
struct on_any_arch {
  template <class Arch>
  using on = Step;
};
template <template <class, class, class, class, class> class Kernel, class... Types>
struct weighted_on_each_arch {
  template <class Arch>
  using on = weighted_step<Kernel, Arch, Types...>;
};
template <template <class, class, class, class, class> class Kernel, bool IsPrepared,
          class... Types>
using weighted = std::conditional_t<IsPrepared, weighted_on_each_arch<Kernel, Types...>,
                                    on_any_arch<weighted_step<Kernel, arch::generic, Types...>>>;

template <template <class, class, class, class, class> class Kernel, class Data>
struct dynamic_on_each_arch {
  template <class Arch>
  using on = dynamic_step<Kernel, Arch, Data>;
};

template <template <class, class, class, class, class> class Kernel, class X, class Data>
struct scaled_on_each_arch {
  template <class Arch>
  using on = scaled_step<Kernel, Arch, X, Data>;
};
template <template <class, class, class, class, class> class Kernel, bool IsPrepared, class X, class Data>
using scaled = std::conditional_t<IsPrepared, scaled_on_each_arch<Kernel, X, Data>,
                                  on_any_arch<scaled_step<Kernel, arch::generic, X, Data>>>;

template <template <class, class, class, class, class> class Kernel, class X, class Data>
struct sums_on_each_arch {
  template <class Arch>
  using on = sums_step<Kernel, Arch, X, Data>;
};
template <template <class, class, class, class, class> class Kernel, bool IsPrepared, class X, class Data>
using sums = std::conditional_t<IsPrepared, sums_on_each_arch<Kernel, X, Data>, on_any_arch<sums_step<Kernel, arch::generic, X, Data>>>;

template <op_kind Kind>
constexpr auto select_real_step() noexcept {
  if constexpr (Kind == op_kind::depthwise) return on_any_arch<real_weighted_step<Kind, depthwise_shape>>{};
  else if constexpr (has_weights(Kind)) return on_any_arch<real_weighted_step<Kind, conv2d_shape>>{};
  else if constexpr (Kind == op_kind::matmul) return on_any_arch<real_matmul_step>{};
  else if constexpr (Kind == op_kind::max_pool || Kind == op_kind::average_pool)
    return on_any_arch<real_pool_step<Kind == op_kind::max_pool>>{};
  else if constexpr (Kind == op_kind::global_mean) return on_any_arch<real_mean_step>{};
  else if constexpr (Kind == op_kind::softmax) return on_any_arch<real_softmax_step>{};
  else if constexpr (is_binary(Kind)) return on_any_arch<real_binary_step<Kind>>{};
  else return on_any_arch<real_function_step>{};
}

/// Data is what make_node_data<S> returns.
template <step_signature S, class Data>
constexpr auto select_step() noexcept {
  using x_type = typename number_types<S.x>::codes;
  using y_type = typename number_types<S.y>::codes;
  using out_type = typename number_types<S.out>::codes;
  using out_element = typename number_types<S.out>::element;
  using acc = std::conditional_t<S.ec != error_compensation::none, kernel::compensated_sum<S.ec>,
                                 std::conditional_t<S.has_wide_sums, int64_t, int32_t>>;
  constexpr op_kind kind = S.kind;
  if constexpr (S.factors != group_factor_kind::none) {
    return typename grouped_layer<S>::template choice<Data>{};
  } else if constexpr (S.is_weight_only) {
    static_assert(requires { sizeof(weight_only_step<arch::generic, Data>); },
                  "lowbits: model: layers whose weights alone are quantized are not part of lowbits.hpp; define LOWBITS_WEIGHT_ONLY before it is included");
    return on_each_arch<weight_only_step, Data>{};
  } else if constexpr (is_real_operation(S) && has_weights(kind) && S.weights != weight_storage::f32) {
    if constexpr (kind == op_kind::depthwise) return dynamic_on_each_arch<kernel::depthwise, Data>{};
    else if constexpr (kind == op_kind::transposed_conv2d) return dynamic_on_each_arch<kernel::transposed_conv2d, Data>{};
    else return dynamic_on_each_arch<kernel::conv2d, Data>{};
  } else if constexpr (is_real_operation(S)) {
    return select_real_step<kind>();
  } else if constexpr (has_weights(kind) && gives_sums(S)) {
    if constexpr (kind == op_kind::depthwise) return sums<kernel::depthwise, S.is_prepared, x_type, Data>{};
    else if constexpr (kind == op_kind::transposed_conv2d) return sums<kernel::transposed_conv2d, S.is_prepared, x_type, Data>{};
    else return sums<kernel::conv2d, S.is_prepared, x_type, Data>{};
  } else if constexpr (has_weights(kind) && S.out == number_type::real) {
    if constexpr (kind == op_kind::depthwise) return scaled<kernel::depthwise, S.is_prepared, x_type, Data>{};
    else if constexpr (kind == op_kind::transposed_conv2d)
      return scaled<kernel::transposed_conv2d, S.is_prepared, x_type, Data>{};
    else return scaled<kernel::conv2d, S.is_prepared, x_type, Data>{};
  } else if constexpr (kind == op_kind::depthwise) {
    return weighted<kernel::depthwise, S.is_prepared, x_type, acc, out_type, Data>{};
  } else if constexpr (kind == op_kind::transposed_conv2d) {
    return weighted<kernel::transposed_conv2d_for, S.is_prepared, x_type, acc, out_type, Data>{};
  } else if constexpr (kind == op_kind::conv2d) {
    return weighted<kernel::conv2d_for, S.is_prepared, x_type, acc, out_type, Data>{};
  } else if constexpr (kind == op_kind::matmul) {
    return on_each_arch<matmul_step, x_type, y_type, acc, out_type, Data>{};
  } else if constexpr (kind == op_kind::max_pool || kind == op_kind::average_pool) {
    constexpr bool is_max = kind == op_kind::max_pool;
    using op = std::conditional_t<is_max, prims::window_max, prims::window_mean>;
    return on_archs_for<type_list<op>, pool_step, out_type, std::bool_constant<is_max>>{};
  } else if constexpr (kind == op_kind::global_mean) {
    if constexpr (S.policy != rounding::single) return on_any_arch<mean_step<arch::generic, x_type, out_type, Data>>{};
    else return on_archs_for<type_list<prims::position_mean>, mean_step, x_type, out_type, Data>{};
  } else if constexpr (kind == op_kind::add || kind == op_kind::sub) {
    return on_archs_for<type_list<prims::sum>, binary_step, x_type, y_type, out_type, Data>{};
  } else if constexpr (kind == op_kind::mul) {
    return on_archs_for<type_list<prims::product>, binary_step, x_type, y_type, out_type, Data>{};
  } else if constexpr (kind == op_kind::minimum || kind == op_kind::maximum) {
    return on_archs_for<type_list<prims::extremum, prims::rescale>, binary_step, x_type, y_type, out_type, Data>{};
  } else if constexpr (kind == op_kind::requantize) {
    if constexpr (S.policy != rounding::single || S.x == number_type::q32 || S.out == number_type::q32) return on_any_arch<rescale_step<arch::generic, x_type, out_type, Data>>{};
    else return on_archs_for<type_list<prims::rescale, prims::lookup>, rescale_step, x_type, out_type, Data>{};
  } else if constexpr (kind == op_kind::function && S.policy != rounding::single) {
    return on_any_arch<curve_step>{};
  } else if constexpr (kind == op_kind::function) {
    return on_archs_for<type_list<prims::lookup>, table_step, x_type, out_type>{};
  } else if constexpr (kind == op_kind::softmax) {
    return on_archs_for<type_list<prims::window_max, prims::requantize, prims::lookup>, softmax_step, x_type, out_type, Data>{};
  } else if constexpr (kind == op_kind::quantize) {
    if constexpr (S.policy != rounding::single) return on_any_arch<quantize_step<arch::generic, out_type, std::true_type>>{};
    else return on_archs_for<type_list<prims::quantize>, quantize_step, out_type, std::false_type>{};
  } else if constexpr (kind == op_kind::dequantize) {
    using op = std::conditional_t<S.x == number_type::q32, prims::sums_to_float, prims::dequantize>;
    return on_archs_for<type_list<op>, dequantize_step, x_type>{};
  } else if constexpr (kind == op_kind::reshape) {
    return on_any_arch<reshape_step>{};
  } else if constexpr (kind == op_kind::concat) {
    return on_any_arch<concat_step>{};
  } else if constexpr (kind == op_kind::pad || kind == op_kind::slice || kind == op_kind::transpose) {
    return on_any_arch<move_step<kind, out_element>>{};
  } else if constexpr (kind == op_kind::resize) {
    return on_any_arch<resize_step<out_element>>{};
  } else if constexpr (kind == op_kind::grid_sample) {
    return on_any_arch<grid_sample_step<out_element, typename y_type::storage>>{};
  } else if constexpr (kind == op_kind::custom) {
    return on_any_arch<custom_step>{};
  } else {
    return on_any_arch<no_step>{};
  }
}

}  // namespace detail

/// The step of all nodes with signature S on Arch: it has run, needs, and pack where weights are
/// prepared.
template <step_signature S, class Data>
struct signature_steps {
  using choice = decltype(detail::select_step<S, Data>());
  template <class Arch>
  using on = typename choice::template on<Arch>;
};

/// What a step with this data needs.
template <class Step, class Data>
constexpr step_needs needs_of(const Data& data) noexcept {
  if constexpr (std::is_same_v<Step, no_step>) return {};
  else return Step::needs(data);
}

/// The step with this data, which outlives it.
template <class Step, class Data>
constexpr step step_of(const Data& data, [[maybe_unused]] const step_needs& needs) noexcept {
  if constexpr (std::is_same_v<Step, no_step>) {
    return {};
  } else {
    step s{&Step::run, nullptr, &data};
    if constexpr (requires { &Step::pack; })
      if (needs.packed_bytes != 0) s.pack = &Step::pack;
    return s;
  }
}
template <class Step, class Data>
constexpr step step_of(const Data& data) noexcept {
  return step_of<Step>(data, needs_of<Step>(data));
}

}  // namespace lowbits
