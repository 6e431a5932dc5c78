// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Defines make_runtime_step: the code of every signature in runtime_signatures.hpp on every
// architecture. Compiles for long; to be included in one translation unit of a program, unless it
// links lowbits::runtime.

#include <lowbits/graph/grouped_steps.hpp>
#include <lowbits/graph/steps.hpp>
#include <lowbits/hosted/model_error.hpp>
#include <lowbits/hosted/runtime_graph.hpp>
#include <lowbits/hosted/runtime_signatures.hpp>
#include <lowbits/op/weight_only_steps.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace detail {

/// What make_node_data<S> points to.
template <step_signature S>
auto make_constants(const runtime_graph& g, int i) {
  const node& n = g[i];
  if constexpr (S.x == number_type::real || gives_sums(S)) {
    return std::shared_ptr<const void>();
  } else if constexpr (has_weights(S.kind)) {
    using multiplier = multiplier_of<S.out, S.policy>;
    auto factors = std::make_shared<std::vector<multiplier>>(factor_count(n));
    fill_factors(n, g[n.in[0]].out, factors->data());
    return std::shared_ptr<const multiplier>(factors, factors->data());
  } else if constexpr (S.kind == op_kind::function) {
    constexpr bool wide = is_word(S.x);
    using entry = std::conditional_t<wide, int16_t, uint8_t>;
    if (n.table.is_bound) return std::shared_ptr<const entry>(std::shared_ptr<const void>(), bound_table<S>(n.table));
    const auto table = make_function_table<wide>(g[n.in[0]].out, n.out, n.fused, n.function, n.parameter);
    auto kept = std::make_shared<const std::remove_const_t<decltype(table)>>(table);
    return std::shared_ptr<const entry>(kept, kept->value);
  } else {
    return std::shared_ptr<const void>();
  }
}

template <step_signature S>
runtime_step make_step_of(const runtime_graph& g, int i, arch_id arch) {
  auto constants = make_constants<S>(g, i);
  using data_type = decltype(make_node_data<S>(g, i, constants.get()));
  auto data = std::make_shared<const data_type>(make_node_data<S>(g, i, constants.get()));
  runtime_step r{.data = data, .constants = constants};
  with_arch(arch, [&]<class Arch>(Arch) {
    using step_type = typename signature_steps<S, data_type>::template on<Arch>;
    r.what = step_of<step_type>(*data);
    r.needs = needs_of<step_type>(*data);
  });
  return r;
}

using runtime_step_maker = runtime_step (*)(const runtime_graph& g, int i, arch_id arch);

struct runtime_step_table {
  runtime_step_maker make[runtime_signatures::all.count];
};
inline constexpr runtime_step_table runtime_makers = []<size_t... K>(std::index_sequence<K...>) {
  return runtime_step_table{{&make_step_of<runtime_signatures::all.value[K]>...}};
}(std::make_index_sequence<runtime_signatures::all.count>{});

}  // namespace detail

runtime_step make_runtime_step(const runtime_graph& g, int i, arch_id arch) {
  if (g[i].ec == error_compensation::three_products)
    refuse("runtime_model", joined("node '", g[i].name, "' leaves a product out, which has no code at run time"),
           "compile the graph with model<>, or use error_compensation::exact");
  step_signature wanted = signature_of(g, i);
  for (;;) {
    const size_t k = runtime_signatures::place_of(wanted);
    if (k < runtime_signatures::all.count) return detail::runtime_makers.make[k](g, i, arch);
    if (!wanted.is_prepared) break;
    wanted.is_prepared = false;
  }
  refuse("runtime_model",
         joined("node '", g[i].name, "' combines number types or a rounding that have no code at run time"),
         "compile the graph with model<>, or give all its operands 8 bits and one sign");
}

}  // namespace lowbits
