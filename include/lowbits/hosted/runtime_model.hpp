// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A graph that runs at once, without a compiler: the same kernels and the same memory plan as
// model<>, put together at run time. For tools, tests and desktop programs.
//
//   lb::runtime_model m(stored.graph());
//   std::vector<std::vector<unsigned char>> y = m.run({x});

#include <new>
#include <span>

#include <lowbits/graph/executor.hpp>
#include <lowbits/graph/report.hpp>
#include <lowbits/hosted/model_error.hpp>
#include <lowbits/hosted/runtime_graph.hpp>
#include <lowbits/hosted/runtime_plan.hpp>
#include <lowbits/hosted/unpack_weights.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Bytes at a multiple of packed_alignment, which suits arenas as well.
class aligned_bytes {
public:
  aligned_bytes() = default;
  explicit aligned_bytes(size_t bytes) : blocks_(ceil_div(bytes, sizeof(block))), bytes_(bytes) {}
  unsigned char* data() noexcept { return reinterpret_cast<unsigned char*>(blocks_.data()); }
  const unsigned char* data() const noexcept { return reinterpret_cast<const unsigned char*>(blocks_.data()); }
  size_t size() const noexcept { return bytes_; }
  std::span<unsigned char> span() noexcept { return {data(), bytes_}; }

private:
  struct alignas(packed_alignment) block {
    unsigned char bytes[packed_alignment];
  };
  std::vector<block> blocks_{};
  size_t bytes_ = 0;
};

/// Immutable; runs with separate arenas may happen at the same time. The arrays that the graph's nodes
/// point to outlive the model.
class runtime_model {
public:
  /// Throws model_error for a graph with an error, and for a node without code at run time.
  template <size_t Capacity>
  explicit runtime_model(const builder<Capacity>& g, arch_id arch = select_arch())
      : graph_((require_ok(g.verdict()), runtime_graph(g))), arch_(arch) {
    if (!with_usable_arch(arch, [](auto) {}))
      refuse("runtime_model", "this processor or build does not have the architecture", "name another one");
    unpacked_ = unpack_weights(graph_);
    std::vector<size_t> work;
    size_t packed_bytes = 0;
    for (int i = 0; i < graph_.node_count(); ++i) {
      const runtime_step& s = steps_.emplace_back(make_runtime_step(graph_, i, arch));
      work.push_back(s.needs.scratch_bytes);
      packed_at_.push_back(packed_bytes);
      packed_bytes += round_up(s.what.pack != nullptr ? s.needs.packed_bytes : 0, packed_alignment);
    }
    plan_ = plan_runtime(graph_, work);
    packed_ = aligned_bytes(packed_bytes);
    for (size_t i = 0; i < steps_.size(); ++i)
      if (steps_[i].what.pack != nullptr) steps_[i].what.pack(steps_[i].what.data, nullptr, packed_.data() + packed_at_[i]);
  }

  const runtime_graph& graph() const noexcept { return graph_; }
  arch_id arch() const noexcept { return arch_; }
  int input_count() const noexcept { return graph_.input_count(); }
  int output_count() const noexcept { return graph_.output_count(); }
  const tensor_desc& input_desc(int k) const noexcept { return graph_[graph_.input_node(k)].out; }
  const tensor_desc& output_desc(int k) const noexcept { return graph_[graph_.output_node(k)].out; }
  size_t arena_bytes() const noexcept { return plan_.arena_bytes; }
  /// Of the weights in the layout of the architecture.
  size_t prepared_bytes() const noexcept { return packed_.size(); }
  model_report report() const noexcept {
    return make_report(graph_, graph_.node_count(), arena_bytes(), prepared_bytes());
  }

  /// As model<>::run: one pointer per input and output to exactly the tensors' elements, any alignment.
  template <class Observer = no_observer>
  status run(std::span<unsigned char> arena, std::span<const void* const> in, std::span<void* const> out,
             Observer&& observer = {}) const noexcept {
    if (static_cast<int>(in.size()) != input_count() || static_cast<int>(out.size()) != output_count())
      return status::wrong_size;
    if (arena.size() < arena_bytes()) return status::too_small;
    if (!is_aligned(arena.data(), arena_alignment)) return status::misaligned;
    const run_memory memories{arena.data(), in.data(), out.data(), plan_.constants.data()};
    for (int i = 0; i < graph_.node_count(); ++i) {
      const auto at = static_cast<size_t>(i);
      const runtime_step& s = steps_[at];
      const route& r = plan_.routes[at];
      if (s.what.run != nullptr)
        s.what.run(s.what.data, memories.operands(r, plan_.inputs.data(),
                                                  s.what.pack != nullptr ? packed_.data() + packed_at_[at] : nullptr));
      if constexpr (!std::is_same_v<std::remove_cvref_t<Observer>, no_observer>)
        observer(node_output{i, graph_[i].name.c_str(), graph_[i].kind, &graph_[i].out, memories.address(r.out)});
    }
    for (const late_copy& c : plan_.late)
      copy_elements(elements<unsigned char>(static_cast<const void*>(memories.address(c.from))),
                    elements<unsigned char>(out[c.output]), c.bytes);
    return status::ok;
  }

  /// The same with an arena of its own: the inputs' bytes in, the outputs' bytes out. Throws where a
  /// number of bytes is not the tensor's.
  template <class Observer = no_observer>
  std::vector<std::vector<unsigned char>> run(const std::vector<std::vector<unsigned char>>& inputs,
                                              Observer&& observer = {}) const {
    if (static_cast<int>(inputs.size()) != input_count())
      refuse("runtime_model", joined("got ", inputs.size(), " inputs, but the model has ", input_count()),
             "give one per input, in their order");
    std::vector<const void*> in;
    for (int k = 0; k < input_count(); ++k) {
      const auto& x = inputs[static_cast<size_t>(k)];
      if (x.size() != input_desc(k).bytes())
        refuse("runtime_model",
               joined("input '", graph_[graph_.input_node(k)].name, "' got ", x.size(), " bytes instead of ",
                      input_desc(k).bytes()),
               "give exactly the tensor's elements, row-major");
      in.push_back(x.data());
    }
    std::vector<std::vector<unsigned char>> outputs;
    std::vector<void*> out;
    for (int k = 0; k < output_count(); ++k) outputs.emplace_back(output_desc(k).bytes());
    for (auto& y : outputs) out.push_back(y.data());
    aligned_bytes arena(arena_bytes());
    static_cast<void>(run(arena.span(), in, out, observer));
    return outputs;
  }

private:
  runtime_graph graph_;
  arch_id arch_;
  std::vector<std::shared_ptr<const void>> unpacked_{};
  std::vector<runtime_step> steps_{};
  std::vector<size_t> packed_at_{};
  runtime_plan plan_{};
  aligned_bytes packed_{};
};

}  // namespace lowbits
