// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// From a node, which is data, to its step: the element types, the accumulator and the rounding
// policy become template arguments, the shapes and parameters a constant. Nodes with the same types
// share their code.

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

/// Node I of Model on Arch. make() gives its step, needs() the memory for it.
template <class Model, int I, class Arch>
class node_step {
  using facts = node_facts<Model, I>;
  static constexpr const node& nd = facts::n;
  static constexpr op_kind kind = nd.kind;
  using x_type = storage_type<facts::x.format.bits, facts::x.format.is_signed>;
  using y_type = storage_type<facts::y.format.bits, facts::y.format.is_signed>;
  using out_type = storage_type<nd.out.format.bits, nd.out.format.is_signed>;
  using out_element = element_type<nd.out.kind, nd.out.format.bits, nd.out.format.is_signed>;

  static constexpr auto select() noexcept {
    if constexpr (has_weights(kind)) {
      return weighted();
    } else if constexpr (kind == op_kind::matmul) {
      constexpr int64_t depth = static_cast<int64_t>(node_macs(Model::graph, I) / nd.out.count());
      constexpr int64_t capacity = product_capacity(
          infer::largest_value(facts::x), infer::largest_value(facts::y), highest_of<int32_t>);
      using acc = std::conditional_t<(depth <= capacity), int32_t, int64_t>;
      return matmul_step<Arch, x_type, y_type, acc, out_type,
                         matmul_data<typename facts::rounding_type>>{};
    } else if constexpr (kind == op_kind::max_pool || kind == op_kind::average_pool) {
      return pool_step<Arch, out_type, kind == op_kind::max_pool>{};
    } else if constexpr (kind == op_kind::global_mean) {
      return mean_step<Arch, x_type, out_type>{};
    } else if constexpr (kind == op_kind::add || kind == op_kind::sub) {
      return binary_step<
          Arch, x_type, y_type, out_type,
          std::conditional_t<nd.sum == sum_definition::tflite, tflite_sum_params, sum_params>>{};
    } else if constexpr (kind == op_kind::mul) {
      return binary_step<Arch, x_type, y_type, out_type,
                         product_params<typename facts::rounding_type>>{};
    } else if constexpr (kind == op_kind::minimum || kind == op_kind::maximum) {
      return binary_step<Arch, x_type, y_type, out_type, extremum_params>{};
    } else if constexpr (kind == op_kind::requantize) {
      return rescale_step<Arch, x_type, out_type>{};
    } else if constexpr (kind == op_kind::function) {
      return table_step<Arch, x_type, out_type>{};
    } else if constexpr (kind == op_kind::softmax) {
      return softmax_step<x_type, out_type, std::remove_cvref_t<decltype(node_data<Model, I>)>>{};
    } else if constexpr (kind == op_kind::quantize) {
      return quantize_step<Arch, out_type>{};
    } else if constexpr (kind == op_kind::dequantize) {
      return dequantize_step<Arch, x_type>{};
    } else if constexpr (kind == op_kind::reshape) {
      return reshape_step{};
    } else if constexpr (kind == op_kind::concat) {
      return concat_step{};
    } else if constexpr (kind == op_kind::pad || kind == op_kind::slice ||
                         kind == op_kind::transpose) {
      return move_step<kind, out_element>{};
    } else if constexpr (kind == op_kind::resize) {
      return resize_step<out_element>{};
    } else if constexpr (kind == op_kind::grid_sample) {
      return grid_sample_step<out_element, typename y_type::storage>{};
    } else if constexpr (kind == op_kind::custom) {
      return custom_step{};
    } else {
      return no_step{};
    }
  }

  static constexpr auto weighted() noexcept {
    using data_type = std::remove_cvref_t<decltype(node_data<Model, I>)>;
    using acc =
        std::conditional_t<fits_int32(Model::graph, I) && nd.bias.s64 == nullptr, int32_t, int64_t>;
    // Prepared layouts hold symmetric weights.
    using used = std::conditional_t<nd.weights.zero_point == 0 && nd.bias.s64 == nullptr, Arch,
                                    arch::generic>;
    if constexpr (kind == op_kind::depthwise) {
      return weighted_step<kernel::depthwise, used, x_type, acc, out_type, data_type>{};
    } else if constexpr (kind == op_kind::transposed_conv2d) {
      return weighted_step<kernel::transposed_conv2d, used, x_type, acc, out_type, data_type>{};
    } else {
      return weighted_step<kernel::conv2d, used, x_type, acc, out_type, data_type>{};
    }
  }
  using type = decltype(select());

public:
  static constexpr step_needs needs() noexcept {
    if constexpr (std::is_same_v<type, no_step>) return {};
    else return type::needs(node_data<Model, I>);
  }
  static constexpr step make() noexcept {
    if constexpr (std::is_same_v<type, no_step>) {
      return {};
    } else {
      step s{&type::run, nullptr, &node_data<Model, I>};
      if constexpr (requires { &type::pack; })
        if (needs().packed_bytes != 0) s.pack = &type::pack;
      return s;
    }
  }
};

}  // namespace lowbits
