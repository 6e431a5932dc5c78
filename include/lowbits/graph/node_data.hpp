// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The constants of a compiled graph: the data of its steps, one variable for each group of nodes with
// the same code, and the multipliers and tables it points to, one variable per node, so that every
// constant evaluation stays small.

#include <lowbits/graph/groups.hpp>
#include <lowbits/graph/steps.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <class T, size_t N>
struct constant_table {
  T value[N > 0 ? N : 1]{};
};

namespace detail {

/// Node I of Model and its input. Members rather than local variables: g++ 12 does not accept a local
/// constexpr reference as a template argument.
template <class Model, int I>
struct node_facts {
  static constexpr const node& n = Model::graph[I];
  static constexpr const tensor_desc& x = Model::graph[n.in[0]].out;
};

template <class Multiplier, size_t Channels>
constexpr auto make_factors(const node& n, const tensor_desc& x) noexcept {
  constant_table<Multiplier, Channels> t;
  fill_factors(n, x, t.value);
  return t;
}

}  // namespace detail

/// The multipliers of a weighted node, one per output channel.
template <class Model, class Multiplier, int I>
LOWBITS_FLASH inline constexpr auto node_factors =
    detail::make_factors<Multiplier, detail::factor_count(Model::graph[I])>(
        Model::graph[I], Model::graph[Model::graph[I].in[0]].out);

/// The look-up table of a function node.
template <class Model, int I>
LOWBITS_FLASH inline constexpr auto node_table = [] {
  using facts = detail::node_facts<Model, I>;
  return make_function_table<(facts::x.format.bits > 8)>(facts::x, facts::n.out, facts::n.fused,
                                                         facts::n.function, facts::n.parameter);
}();

namespace detail {

/// The table of function node I: its own, or the one made from its function.
template <class Model, int I>
constexpr auto table_at() noexcept {
  constexpr step_signature s = signature_of(Model::graph, I);
  if constexpr (Model::graph[I].table.is_bound) return bound_table<s>(Model::graph[I].table);
  else return &node_table<Model, I>.value[0];
}

/// For every node of a group, a pointer to its multipliers or its table, or null.
template <class Model, int Group>
inline constexpr auto group_constants = []<size_t... K>(std::index_sequence<K...>) {
  using groups = node_groups<Model>;
  constexpr step_signature s = groups::all.signature[Group];
  if constexpr (has_weights(s.kind) && s.x != number_type::real && !gives_sums(s)) {
    using multiplier = multiplier_of<s.out, s.policy>;
    return constant_table<const multiplier*, sizeof...(K)>{
        {node_factors<Model, multiplier, groups::template members<Group>.value[K]>.value...}};
  } else if constexpr (s.kind == op_kind::function && s.x != number_type::real) {
    return constant_table<decltype(table_at<Model, groups::all.first[Group]>()), sizeof...(K)>{
        {table_at<Model, groups::template members<Group>.value[K]>()...}};
  } else {
    return constant_table<const void*, sizeof...(K)>{};
  }
}
(std::make_index_sequence<node_groups<Model>::all.size[Group]>{});

template <class Model, int Group>
constexpr auto make_group_data(size_t place) noexcept {
  using groups = node_groups<Model>;
  return make_node_data<groups::all.signature[Group]>(
      Model::graph, groups::template members<Group>.value[place], group_constants<Model, Group>.value[place]);
}

}  // namespace detail

/// The constant operands of the steps of a group's nodes.
template <class Model, int Group>
LOWBITS_FLASH inline constexpr auto group_data = [] {
  constexpr size_t size = node_groups<Model>::all.size[Group];
  constant_table<decltype(detail::make_group_data<Model, Group>(0)), size> t;
  for (size_t k = 0; k < size; ++k) t.value[k] = detail::make_group_data<Model, Group>(k);
  return t;
}();

/// The step of a group's nodes on Arch.
template <class Model, int Group, class Arch>
using group_step =
    typename signature_steps<node_groups<Model>::all.signature[Group],
                             std::remove_cvref_t<decltype(group_data<Model, Group>.value[0])>>::template on<Arch>;

}  // namespace lowbits
