// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The nodes of a graph in groups of equal signatures. Types are looked for once for each group; what
// differs inside a group is data, filled in by loops. (Templates for every node cost compilers up to
// ten milliseconds each.)

#include <utility>

#include <lowbits/graph/signature.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <class Model>
struct node_groups {
  static constexpr int n = Model::node_count;
  static constexpr size_t slots = n > 0 ? static_cast<size_t>(n) : 1;

  struct table {
    step_signature signature[slots]{};  ///< of every group, as the next two
    int first[slots]{};                 ///< its first node
    size_t size[slots]{};               ///< its number of nodes
    int group[slots]{};                 ///< of every node
    size_t place[slots]{};              ///< of every node inside its group
    int count = 0;                      ///< of groups
  };
  static constexpr table all = [] {
    table t;
    for (int i = 0; i < n; ++i) {
      const step_signature s = signature_of(Model::graph, i);
      int g = 0;
      while (g < t.count && !(t.signature[g] == s)) ++g;
      if (g == t.count) t.signature[g] = s, t.first[g] = i, ++t.count;
      t.group[i] = g;
      t.place[i] = t.size[g]++;
    }
    return t;
  }();

  template <int Group>
  struct node_list {
    int value[all.size[Group]]{};
  };
  template <int Group>
  static constexpr node_list<Group> members = [] {
    node_list<Group> t;
    for (int i = all.first[Group]; i < n; ++i)
      if (all.group[i] == Group) t.value[all.place[i]] = i;
    return t;
  }();

  /// Calls f.template operator()<Group>() for every group.
  template <class Function>
  static constexpr void for_each(const Function& f) noexcept {
    [&]<int... Group>(std::integer_sequence<int, Group...>) {
      const bool called[] = {true, (f.template operator()<Group>(), true)...};
      static_cast<void>(called);
    }
    (std::make_integer_sequence<int, all.count>{});
  }
};

}  // namespace lowbits
