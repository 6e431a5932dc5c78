// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A graph as a program: model<make_net> checks it, plans its memory and runs it.
//
//   using net = lb::model<make_net>;
//   alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];
//   lb::status s = net::run(arena, image, logits);          // weights as they are, portable kernels
//
//   alignas(lb::packed_alignment) unsigned char packed[net::prepared_bytes];
//   const auto fast = net::prepare(packed);                 // picks an architecture, packs weights
//   s = fast.run(arena, image, logits);
//
// run() allocates nothing, takes no lock, makes no system call and starts nothing lazily. A model is
// immutable: runs with separate arenas may happen at the same time.

#include <lowbits/graph/diagnosis.hpp>
#include <lowbits/graph/executor.hpp>
#include <lowbits/graph/bound.hpp>
#include <lowbits/graph/prepared.hpp>
#include <lowbits/graph/report.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Make is a constexpr function that returns a builder.
template <auto Make>
class model {
public:
  static constexpr auto graph = Make();
  static constexpr graph_error error = graph.verdict();
  static constexpr int node_count = diagnosis<error>::passed ? graph.node_count() : 0;
  static constexpr int input_count = node_count != 0 ? graph.input_count() : 0;
  static constexpr int output_count = node_count != 0 ? graph.output_count() : 0;

private:
  static constexpr bool has_float_nodes = [] {
    for (int i = 0; i < node_count; ++i)
      if (computes_in_floats(graph, i)) return true;
    return false;
  }();
  static_assert(LOWBITS_REAL_NODES || !has_float_nodes,
                "lowbits: model: a node computes in floats, which this target is not meant to; quantize the node, "
                "or define LOWBITS_REAL_NODES as 1");
  using layout = model_layout<model>;

public:
  /// What the caller provides: an arena for every concurrent run, and optionally prepared weights.
  static constexpr size_t arena_bytes = layout::arena_bytes;
  static constexpr size_t prepared_bytes = layout::prepared_bytes;
  /// What a run needs where Arch is the only architecture: arch::generic for bare metal. arena_bytes
  /// is enough for every architecture of this build, whose kernels want work memory of their own.
  template <class Arch>
  static constexpr size_t arena_bytes_on = layout::template arena_bytes_on<Arch>;
  /// Sizes and costs, for static_asserts and tables.
  static constexpr model_report report =
      make_report(graph, node_count, arena_bytes, prepared_bytes);
  static constexpr size_t weight_bytes = report.weight_bytes;

  template <int I>
  static constexpr tensor_desc input_desc = graph[graph.input_node(I)].out;
  template <int I>
  static constexpr tensor_desc output_desc = graph[graph.output_node(I)].out;
  /// The element types of inputs and outputs: int8_t, uint8_t, int16_t, uint16_t, int32_t or float.
  template <int I>
  using input_type = typename number_types<number_type_of(input_desc<I>)>::element;
  template <int I>
  using output_type = typename number_types<number_type_of(output_desc<I>)>::element;

  /// Runs the graph. io: one contiguous range per input, then one per output, of exactly the
  /// tensors' numbers of elements, any alignment; they do not overlap each other or the arena. The
  /// arena has at least arena_bytes at a multiple of arena_alignment. Nothing is written unless the
  /// result is status::ok.
  template <class... Io>
  static status run(std::span<unsigned char> arena, Io&&... io) noexcept {
    return observe(no_observer{}, arena, io...);
  }
  /// The same; observer(const node_output&) is called after every node.
  template <class Observer, class... Io>
  static status observe(Observer&& observer, std::span<unsigned char> arena, Io&&... io) noexcept {
    require_weights();
    require_expanded();
    return layout::run(layout::template table<arch::native>(), nullptr, nullptr, arena, observer, io...);
  }

  /// Chooses the architecture for this processor (see select_arch) and writes the weights in its
  /// layout. The buffer has at least prepared_bytes at a multiple of packed_alignment and outlives
  /// the result.
  static prepared_model<model> prepare(std::span<unsigned char> buffer) noexcept {
    return prepare_for(select_arch(), buffer);
  }
  /// The same for a stated architecture; one that this build or processor lacks is refused.
  static prepared_model<model> prepare_for(arch_id id, std::span<unsigned char> buffer) noexcept {
    require_weights();
    return prepared_model<model>::make(id, nullptr, buffer);
  }
  /// Uses a buffer that prepare() filled earlier, read back from a file for example, or that an emitted
  /// header has. One made by another model, version or architecture is refused with status::foreign.
  static prepared_model<model> attach(std::span<const unsigned char> buffer) noexcept {
    require_no_blob();
    return prepared_model<model>::attach(nullptr, buffer);
  }

  /// Bytes of the blob that holds the weights, 0 where they are in the program.
  static constexpr size_t blob_bytes = layout::blob_bytes;
  /// The model with the weights of a blob, which lies at a multiple of blob_alignment: checks that the
  /// blob is this model's and whole, which reads all of it.
  static bound_model<model> bind(std::span<const unsigned char> blob) noexcept {
    static_assert(blob_bytes != 0, "lowbits: model::bind: the weights are in the program; call run or prepare");
    return bound_model<model>(blob);
  }

private:
  friend class prepared_model<model>;
  friend class bound_model<model>;

  template <class M = model>
  static constexpr void require_no_blob() noexcept {
    static_assert(M::blob_bytes == 0, "lowbits: model::run: the weights are in a blob; call bind(blob) and run what it returns");
  }
  template <class M = model>
  static constexpr void require_weights() noexcept {
    require_no_blob<M>();
    static_assert(!M::layout::has_prepared_weights,
                  "lowbits: model::run: the weights are in the layout of one architecture; call attach(prepared) and run what "
                  "it returns");
  }
  template <class M = model>
  static constexpr void require_expanded() noexcept {
    static_assert(!M::layout::has_coded, "lowbits: model::run: weights are coded; call prepare(buffer) and run what it returns");
  }
};

}  // namespace lowbits
