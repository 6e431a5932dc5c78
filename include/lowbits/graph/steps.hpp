// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// From a node, which is data, to its step: the element types, the accumulator and the rounding
// policy become template arguments, the shapes and parameters a constant. Nodes with the same types
// share their code on every architecture.

#include <type_traits>

#include <lowbits/graph/report.hpp>
#include <lowbits/graph/steps_data.hpp>
#include <lowbits/op/eltwise_steps.hpp>
#include <lowbits/op/move_steps.hpp>
#include <lowbits/op/pool_steps.hpp>
#include <lowbits/op/sample_steps.hpp>
#include <lowbits/op/softmax_steps.hpp>
#include <lowbits/op/table_steps.hpp>
#include <lowbits/op/weighted_steps.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace detail {

/// A step whose architecture is still open, one that has no weights, and one that is the same on all.
template <template <class...> class Step, class... Types>
struct on_each_arch {
  template <class Arch>
  using on = Step<Arch, Types...>;
};
template <template <class...> class Step, class... Types>
struct on_each_arch_without_weights {
  template <class Arch>
  using on = Step<without_weights<Arch>, Types...>;
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

}  // namespace detail

/// The step of node I of Model; step_type<Arch> has run, needs, and pack where weights are prepared.
template <class Model, int I>
class node_step {
  using facts = node_facts<Model, I>;
  static constexpr const node& nd = facts::n;
  static constexpr op_kind kind = nd.kind;
  using x_type = storage_type<facts::x.format.bits, facts::x.format.is_signed>;
  using y_type = storage_type<facts::y.format.bits, facts::y.format.is_signed>;
  using out_type = storage_type<nd.out.format.bits, nd.out.format.is_signed>;
  using out_element = element_type<nd.out.kind, nd.out.format.bits, nd.out.format.is_signed>;

  static constexpr auto select() noexcept {
    using namespace detail;
    using data_type = std::remove_cvref_t<decltype(node_data<Model, I>)>;
    if constexpr (has_weights(kind)) {
      using acc =
          std::conditional_t<fits_int32(Model::graph, I) && !nd.bias.is_wide, int32_t, int64_t>;
      // Prepared layouts hold symmetric weights and 32-bit biases.
      constexpr bool prepared = nd.weights.zero_point == 0 && !nd.bias.is_wide;
      if constexpr (kind == op_kind::depthwise)
        return weighted<kernel::depthwise, prepared, x_type, acc, out_type, data_type>{};
      else if constexpr (kind == op_kind::transposed_conv2d)
        return weighted<kernel::transposed_conv2d, prepared, x_type, acc, out_type, data_type>{};
      else return weighted<kernel::conv2d, prepared, x_type, acc, out_type, data_type>{};
    } else if constexpr (kind == op_kind::matmul) {
      constexpr int64_t depth = static_cast<int64_t>(node_macs(Model::graph, I) / nd.out.count());
      constexpr int64_t capacity = product_capacity(
          infer::largest_value(facts::x), infer::largest_value(facts::y), highest_of<int32_t>);
      using acc = std::conditional_t<(depth <= capacity), int32_t, int64_t>;
      return on_each_arch<matmul_step, x_type, y_type, acc, out_type, data_type>{};
    } else if constexpr (kind == op_kind::max_pool || kind == op_kind::average_pool) {
      return on_each_arch_without_weights<pool_step, out_type, std::bool_constant<kind == op_kind::max_pool>>{};
    } else if constexpr (kind == op_kind::global_mean) {
      return on_each_arch_without_weights<mean_step, x_type, out_type>{};
    } else if constexpr (kind == op_kind::add || kind == op_kind::sub || kind == op_kind::mul ||
                         kind == op_kind::minimum || kind == op_kind::maximum) {
      return on_each_arch_without_weights<binary_step, x_type, y_type, out_type, data_type>{};
    } else if constexpr (kind == op_kind::requantize) {
      return on_each_arch_without_weights<rescale_step, x_type, out_type>{};
    } else if constexpr (kind == op_kind::function) {
      return on_each_arch_without_weights<table_step, x_type, out_type>{};
    } else if constexpr (kind == op_kind::softmax) {
      return on_each_arch_without_weights<softmax_step, x_type, out_type, data_type>{};
    } else if constexpr (kind == op_kind::quantize) {
      return on_each_arch_without_weights<quantize_step, out_type>{};
    } else if constexpr (kind == op_kind::dequantize) {
      return on_each_arch_without_weights<dequantize_step, x_type>{};
    } else if constexpr (kind == op_kind::reshape) {
      return on_any_arch<reshape_step>{};
    } else if constexpr (kind == op_kind::concat) {
      return on_any_arch<concat_step>{};
    } else if constexpr (kind == op_kind::pad || kind == op_kind::slice ||
                         kind == op_kind::transpose) {
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

public:
  template <class Arch>
  using step_type = typename decltype(select())::template on<Arch>;
};

/// What a step with this data needs.
template <class Step, class Data>
constexpr step_needs needs_of(const Data& data) noexcept {
  if constexpr (std::is_same_v<Step, no_step>) return {};
  else return Step::needs(data);
}

/// The step with this data, which must be a constant.
template <class Step, class Data>
constexpr step step_of(const Data& data) noexcept {
  if constexpr (std::is_same_v<Step, no_step>) {
    return {};
  } else {
    step s{&Step::run, nullptr, &data};
    if constexpr (requires { &Step::pack; })
      if (Step::needs(data).packed_bytes != 0) s.pack = &Step::pack;
    return s;
  }
}

}  // namespace lowbits
