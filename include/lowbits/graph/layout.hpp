// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The constant tables of a model: where every operand lies, which step runs on which architecture,
// where prepared weights begin. All of it is computed by the compiler.

#include <span>

#include <lowbits/graph/blob.hpp>
#include <lowbits/graph/executor.hpp>
#include <lowbits/graph/node_data.hpp>
#include <lowbits/graph/placement.hpp>
#include <lowbits/kernel/layout_version.hpp>
#include <lowbits/kernel/select.hpp>

namespace lowbits::inline LOWBITS_ABI {

inline constexpr size_t arena_alignment = 16;

template <class Model>
class model_layout {
  static constexpr int n = Model::node_count;
  static constexpr size_t slots = n > 0 ? static_cast<size_t>(n) : 1;
  template <class T>
  struct table_of {
    T value[slots]{};
  };
  using groups = node_groups<Model>;

  // ---- per architecture
  template <class Arch>
  static constexpr table_of<step_needs> needs = [] {
    table_of<step_needs> t;
    groups::for_each([&]<int Group>() {
      for (size_t k = 0; k < groups::all.size[Group]; ++k)
        t.value[groups::template members<Group>.value[k]] =
            needs_of<group_step<Model, Group, Arch>>(group_data<Model, Group>.value[k]);
    });
    return t;
  }();
  template <class Arch>
  LOWBITS_FLASH static constexpr table_of<step> steps = [] {
    table_of<step> t;
    groups::for_each([&]<int Group>() {
      for (size_t k = 0; k < groups::all.size[Group]; ++k) {
        const int i = groups::template members<Group>.value[k];
        t.value[i] = step_of<group_step<Model, Group, Arch>>(group_data<Model, Group>.value[k],
                                                             needs<Arch>.value[i]);
      }
    });
    return t;
  }();

  /// True where a step with prepared weights may yet read them as they were.
  static constexpr bool reads_both(const node& nd) noexcept {
    return (nd.kind == op_kind::depthwise && nd.weights.zero_point != 0) ||
           (nd.dynamic != dynamic_definition::symmetric && nd.dynamic != dynamic_definition::weight_only);
  }
  /// Offsets of prepared weights behind the header; 0 where a node has none. Coded weights are expanded
  /// at `expanded` where steps read them as they are, else at `end`, one node after the other.
  template <class Arch>
  static constexpr auto packed_places = [] {
    struct {
      table_of<size_t> at, expanded;
      size_t end, passing;  ///< passing: bytes behind end that preparing needs
    } p{{}, {}, packed_alignment, 0};
    for (int i = 0; i < n; ++i) {
      const weight_data& w = Model::graph[i].weights;
      const size_t bytes = needs<Arch>.value[i].packed_bytes;
      if (bytes != 0) {
        p.at.value[i] = p.end;
        p.end += round_up(bytes, packed_alignment);
      }
      if (!w.is_coded()) continue;
      const size_t expanded = round_up(larger<size_t>(w.coded_count * w.format.storage_bytes(), 1), packed_alignment);
      if (bytes == 0 || reads_both(Model::graph[i])) {
        p.expanded.value[i] = p.end;
        p.end += expanded;
      } else {
        p.passing = larger(p.passing, expanded);
      }
    }
    return p;
  }();

  /// The largest scratch of each node on any architecture.
  static constexpr table_of<size_t> scratch = []<class... Archs>(type_list<Archs...>) {
    table_of<size_t> s;
    for (int i = 0; i < n; ++i)
      ((s.value[i] = larger(s.value[i], needs<Archs>.value[i].scratch_bytes)), ...);
    return s;
  }(all_archs{});

  // ---- where operands lie
  static constexpr auto placed = [] {
    if constexpr (n > 0) return place_nodes<slots>(Model::graph);
    else return placement<slots>{};
  }();
  /// Tensors first, then the work memory of every step.
  static constexpr memory_plan<2 * slots> plan_with(const size_t (&work)[slots]) noexcept {
    buffer_life buffers[2 * slots]{};
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
      buffers[i] = placed.life[i];
      buffers[slots + i] = {work[i], static_cast<int>(i), static_cast<int>(i)};
    }
    return plan_memory(buffers, arena_alignment);
  }
  static constexpr memory_plan<2 * slots> plan = plan_with(scratch.value);

  static_assert(plan.arena_bytes < (uint64_t{1} << 32),
                "lowbits: model: the arena would need 4 GiB or more; split the graph");

  static constexpr size_t operand_count = [] {
    size_t total = 0;
    for (int i = 0; i < n; ++i) total += static_cast<size_t>(Model::graph[i].in_count);
    return total;
  }();
  struct route_tables {
    route of[slots]{};
    location in[operand_count + 1]{};
  };
  LOWBITS_FLASH static constexpr route_tables routes = [] {
    route_tables t;
    make_routes(Model::graph, n, placed, plan.offset, plan.offset + slots, t.of, t.in);
    return t;
  }();
  static constexpr size_t constant_count = [] {
    size_t total = 0;
    for (int i = 0; i < n; ++i) total += Model::graph[i].kind == op_kind::constant ? 1 : 0;
    return total;
  }();
  struct constant_pointers {
    const void* at[constant_count + 1]{};
  };
  /// In the order of the nodes.
  LOWBITS_FLASH static constexpr constant_pointers constants = [] {
    constant_pointers c;
    size_t next = 0;
    for (int i = 0; i < n; ++i)
      if (Model::graph[i].kind == op_kind::constant) c.at[next++] = Model::graph[i].constant.data;
    return c;
  }();
  static constexpr auto late_copies = [] {
    struct {
      late_copy value[max_inputs];
      int count;
    } c{};
    if constexpr (n > 0) c.count = make_late_copies(Model::graph, placed, plan.offset, c.value);
    return c;
  }();

  // ---- what prepared weights were made from
  static constexpr table_of<stored_constant> weights_at = [] {
    table_of<stored_constant> t;
    for (int i = 0; i < n; ++i) t.value[i] = stored_constant::of(Model::graph[i].weights);
    return t;
  }();
  static constexpr table_of<stored_constant> biases_at = [] {
    table_of<stored_constant> t;
    for (int i = 0; i < n; ++i) t.value[i] = stored_constant::of(Model::graph[i].bias);
    return t;
  }();

  /// A constant for each node, so that none takes the compiler long.
  template <int I>
  static constexpr uint32_t node_digest = parameter_digest(Model::graph[I]);

public:
  using step_table = prepared_steps;

  /// At least one unit, so that an array of this size is always legal.
  static constexpr size_t arena_bytes = larger(plan.arena_bytes, arena_alignment);
  /// The same if Arch were the only architecture.
  template <class Arch>
  static constexpr size_t arena_bytes_on = [] {
    table_of<size_t> work;
    for (int i = 0; i < n; ++i) work.value[i] = needs<Arch>.value[i].scratch_bytes;
    return larger(plan_with(work.value).arena_bytes, arena_alignment);
  }();
  static constexpr bool has_coded = [] {
    bool any = false;
    for (int i = 0; i < n; ++i) any = any || Model::graph[i].weights.is_coded();
    return any;
  }();
  struct coded_source {
    weight_expand expand = nullptr;
    const uint8_t* bytes = nullptr;
    size_t size = 0, offset = 0, count = 0;
    bool is_external = false;
  };
  LOWBITS_FLASH static constexpr table_of<coded_source> coded = [] {
    table_of<coded_source> t;
    for (int i = 0; i < n; ++i) {
      const weight_data& w = Model::graph[i].weights;
      if (w.is_coded()) t.value[i] = {w.expand, w.coded, w.coded_bytes, w.offset, w.coded_count, w.is_external};
    }
    return t;
  }();
  template <class Arch>
  static constexpr size_t packed_end = packed_places<Arch>.end;
  /// What preparing needs; running needs packed_end.
  template <class Arch>
  static constexpr size_t packing_end = packed_places<Arch>.end + packed_places<Arch>.passing;
  static constexpr size_t prepared_bytes = []<class... Archs>(type_list<Archs...>) {
    size_t largest = 0;
    ((largest = larger(largest, packing_end<Archs>)), ...);
    return largest;
  }(all_archs{});

  static constexpr uint32_t fingerprint = [] {
    constexpr bool has_external_weights = [] {
      for (int i = 0; i < n; ++i)
        if (Model::graph[i].weights.is_external) return true;
      return false;
    }();
    const uint32_t h = graph_fingerprint(Model::graph, n);
    if constexpr (!has_external_weights) return h;
    else return [h]<int... I>(std::integer_sequence<int, I...>) {
      const uint32_t digests[] = {node_digest<I>...};
      return model_fingerprint(h, digests, n);
    }(std::make_integer_sequence<int, n>{});
  }();
  static constexpr size_t blob_bytes = blob_bytes_of(Model::graph, n);
  static constexpr bool has_prepared_weights = [] {
    for (int i = 0; i < n; ++i)
      if (Model::graph[i].weights.is_prepared) return true;
    return false;
  }();
  /// Identifies the values of all weights and biases; reads every one of them that is not prepared.
  static uint32_t contents(const unsigned char* blob) noexcept {
    uint32_t h = fnv::start;
    for (int i = 0; i < n; ++i)
      for (const stored_constant& c : {weights_at.value[i], biases_at.value[i]}) h = fnv::step(h, c.hash(blob));
    return h;
  }

  template <class Arch>
  static constexpr step_table table() noexcept {
    return {steps<Arch>.value, packed_places<Arch>.at.value, has_coded ? packed_places<Arch>.expanded.value : nullptr};
  }

  /// Writes every node's prepared weights into a buffer of the architecture's packing_end bytes, behind
  /// the header. Only coded weights can fail: what decodes them says why.
  static status pack(const step_table& table, const unsigned char* blob, unsigned char* buffer,
                     [[maybe_unused]] size_t end) noexcept {
    for (int i = 0; i < n; ++i) {
      const unsigned char* weights = blob;
      if constexpr (has_coded) {
        const coded_source& w = coded.value[i];
        if (w.expand != nullptr) {
          unsigned char* const to = buffer + (table.expanded_at[i] != 0 ? table.expanded_at[i] : end);
          const uint8_t* const from = w.is_external ? blob + w.offset : w.bytes;
          if (const status s = w.expand(from, w.size, to, w.count); s != status::ok) return s;
          weights = to;
        }
      }
      if (table.packed_at[i] != 0)
        table.steps[i].pack(table.steps[i].data, weights, buffer + table.packed_at[i]);
    }
    return status::ok;
  }

  /// Checks the caller's buffers, then runs every step.
  template <class Observer, class... Io>
  static status run(const step_table& table, const unsigned char* packed, const unsigned char* blob,
                    std::span<unsigned char> arena, Observer&& observer, Io&... io) noexcept {
    static_assert(
        n == 0 || sizeof...(Io) == static_cast<size_t>(Model::input_count + Model::output_count),
        "lowbits: model::run: the number of buffers is not that of the model's inputs and outputs; "
        "pass the "
        "arena, then every input, then every output");
    if (arena.size() < arena_bytes) return status::too_small;
    if (!is_aligned(arena.data(), arena_alignment)) return status::misaligned;
    io_buffers<Model> buffers;
    if (const status s = buffers.bind(io...); s != status::ok) return s;
    const run_memory memories{arena.data(), buffers.in, buffers.out, constants.at, blob};
    for (int i = 0; i < n; ++i) {
      const step& st = table.steps[i];
      if (st.run != nullptr) {
        const size_t at = table.packed_at[i];
        step_io operands =
            memories.operands(routes.of[i], routes.in, packed != nullptr && at != 0 ? packed + at : nullptr);
        if constexpr (has_coded)
          if (table.expanded_at[i] != 0) operands.blob = packed + table.expanded_at[i];
        st.run(st.data, operands);
      }
      if constexpr (!std::is_same_v<std::remove_cvref_t<Observer>, no_observer>) {
        const node& nd = Model::graph[i];
        observer(node_output{i, visible_name(nd.name), nd.kind, &nd.out,
                             memories.address(routes.of[i].out)});
      }
    }
    for (int k = 0; k < late_copies.count; ++k) {
      const late_copy& c = late_copies.value[k];
      copy_elements(elements<unsigned char>(static_cast<const void*>(memories.address(c.from))),
                    elements<unsigned char>(buffers.out[c.output]), c.bytes);
    }
    return status::ok;
  }
};

}  // namespace lowbits
