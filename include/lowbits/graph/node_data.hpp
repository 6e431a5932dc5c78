// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The constants of a compiled graph: the data of each node's step, and the multipliers and tables it
// points to. One variable per node, so that every constant evaluation stays small.

#include <lowbits/graph/steps.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <class T, size_t N>
struct constant_table {
  T value[N > 0 ? N : 1]{};
};

template <class Model, int I>
inline constexpr step_signature node_signature = signature_of(Model::graph, I);

namespace detail {

/// Node I of Model and its input. Members rather than local variables: g++ 12 does not accept a local
/// constexpr reference as a template argument.
template <class Model, int I>
struct node_facts {
  static constexpr const node& n = Model::graph[I];
  static constexpr const tensor_desc& x = Model::graph[n.in[0]].out;
};

}  // namespace detail

/// The multipliers of a weighted node, one per output channel.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_factors = [] {
  using facts = detail::node_facts<Model, I>;
  constant_table<typename rounding_tag<facts::n.policy>::multiplier, detail::channels_of(facts::n)> t;
  detail::fill_factors(facts::n, facts::x, t.value);
  return t;
}();

/// The look-up table of a function node.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_table = [] {
  using facts = detail::node_facts<Model, I>;
  return make_function_table<(facts::x.format.bits > 8)>(facts::x, facts::n.out, facts::n.fused,
                                                         facts::n.function, facts::n.parameter);
}();

/// The constant operands of node I's step.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_data = [] {
  constexpr step_signature s = node_signature<Model, I>;
  if constexpr (has_weights(s.kind)) return detail::make_node_data<s>(Model::graph, I, node_factors<Model, I>.value);
  else if constexpr (s.kind == op_kind::function)
    return detail::make_node_data<s>(Model::graph, I, node_table<Model, I>.value);
  else return detail::make_node_data<s, decltype(Model::graph), void>(Model::graph, I, nullptr);
}();

/// The step of node I on Arch.
template <class Model, int I, class Arch>
using node_step = typename signature_steps<node_signature<Model, I>,
                                           std::remove_cvref_t<decltype(node_data<Model, I>)>>::template on<Arch>;

}  // namespace lowbits
