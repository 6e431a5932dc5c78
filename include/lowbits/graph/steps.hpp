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
#include <lowbits/op/weighted_steps.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Node I of Model on Arch. make() gives its step, needs() the memory for it.
template <class Model, int I, class Arch>
class node_step {
  static constexpr const node& nd = Model::graph[I];
  static constexpr op_kind kind = nd.kind;

  template <int K>
  static constexpr const tensor_desc& in = Model::graph[nd.in[K]].out;
  template <int K>
  using in_type = storage_type<in<K>.format>;
  using out_type = storage_type<nd.out.format>;

  static constexpr auto select() noexcept {
    if constexpr (has_weights(kind)) {
      return weighted();
    } else if constexpr (kind == op_kind::matmul) {
      constexpr int64_t largest = infer::largest_value(in<0>) * infer::largest_value(in<1>);
      using acc = std::conditional_t<(node_macs(Model::graph, I) / larger<uint64_t>(nd.out.count(), 1) * static_cast<uint64_t>(largest) <= static_cast<uint64_t>(highest_of<int32_t>)), int32_t, int64_t>;
      return matmul_step<Arch, in_type<0>, in_type<1>, acc, out_type, matmul_data<rounding_tag<nd.policy>>>{};
    } else if constexpr (kind == op_kind::max_pool || kind == op_kind::average_pool) {
      return pool_step<Arch, out_type, kind == op_kind::max_pool>{};
    } else if constexpr (kind == op_kind::global_mean) {
      return mean_step<Arch, in_type<0>, out_type>{};
    } else if constexpr (kind == op_kind::add || kind == op_kind::sub) {
      return binary_step<Arch, in_type<0>, in_type<1>, out_type,
                         std::conditional_t<nd.sum == sum_definition::tflite, tflite_sum_params, sum_params>>{};
    } else if constexpr (kind == op_kind::mul) {
      return binary_step<Arch, in_type<0>, in_type<1>, out_type, product_params<rounding_tag<nd.policy>>>{};
    } else if constexpr (kind == op_kind::minimum || kind == op_kind::maximum) {
      return binary_step<Arch, in_type<0>, in_type<1>, out_type, extremum_params>{};
    } else if constexpr (kind == op_kind::requantize) {
      return rescale_step<Arch, in_type<0>, out_type>{};
    } else if constexpr (kind == op_kind::function) {
      return table_step<Arch, in_type<0>, out_type>{};
    } else if constexpr (kind == op_kind::softmax) {
      return softmax_step<Arch, in_type<0>, out_type>{};
    } else if constexpr (kind == op_kind::quantize) {
      return quantize_step<Arch, out_type>{};
    } else if constexpr (kind == op_kind::dequantize) {
      return dequantize_step<Arch, in_type<0>>{};
    } else if constexpr (kind == op_kind::reshape) {
      return reshape_step{};
    } else if constexpr (kind == op_kind::concat) {
      return concat_step{};
    } else if constexpr (kind == op_kind::pad || kind == op_kind::slice || kind == op_kind::transpose) {
      if constexpr (nd.out.kind == element::reals) return move_step<kind, float>{};
      else return move_step<kind, typename out_type::storage>{};
    } else if constexpr (kind == op_kind::resize) {
      return resize_step<typename out_type::storage>{};
    } else if constexpr (kind == op_kind::grid_sample) {
      return grid_sample_step<typename out_type::storage, typename in_type<1>::storage>{};
    } else if constexpr (kind == op_kind::custom) {
      return custom_step{};
    } else {
      return no_step{};
    }
  }

  static constexpr auto weighted() noexcept {
    using data_type = std::remove_cvref_t<decltype(node_data<Model, I>)>;
    using acc = std::conditional_t<fits_int32(Model::graph, I) && nd.bias.s64 == nullptr, int32_t, int64_t>;
    // Prepared layouts hold symmetric weights.
    using used = std::conditional_t<nd.weights.zero_point == 0 && nd.bias.s64 == nullptr, Arch, arch::generic>;
    if constexpr (kind == op_kind::depthwise) {
      return weighted_step<kernel::depthwise, used, in_type<0>, acc, out_type, data_type>{};
    } else if constexpr (kind == op_kind::transposed_conv2d) {
      return weighted_step<kernel::transposed_conv2d, used, in_type<0>, acc, out_type, data_type>{};
    } else {
      return weighted_step<kernel::conv2d, used, in_type<0>, acc, out_type, data_type>{};
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
