// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The nodes of a graph that runs without being compiled, and what one of them becomes.

#include <memory>
#include <string>
#include <vector>

#include <lowbits/graph/blob.hpp>
#include <lowbits/graph/builder.hpp>
#include <lowbits/kernel/select.hpp>
#include <lowbits/op/step.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// A copy of a builder's nodes. Arrays that nodes point to are not copied.
class runtime_graph {
public:
  runtime_graph() = default;
  template <size_t Capacity>
  explicit runtime_graph(const builder<Capacity>& g) {
    for (int i = 0; i < g.node_count(); ++i) nodes_.push_back(g[i]);
    for (int k = 0; k < g.input_count(); ++k) inputs_.push_back(g.input_node(k));
    for (int k = 0; k < g.output_count(); ++k) outputs_.push_back(g.output_node(k));
  }

  int node_count() const noexcept { return static_cast<int>(nodes_.size()); }
  const node& operator[](int i) const noexcept { return nodes_[static_cast<size_t>(i)]; }
  node& operator[](int i) noexcept { return nodes_[static_cast<size_t>(i)]; }
  int input_count() const noexcept { return static_cast<int>(inputs_.size()); }
  int output_count() const noexcept { return static_cast<int>(outputs_.size()); }
  int input_node(int k) const noexcept { return inputs_[static_cast<size_t>(k)]; }
  int output_node(int k) const noexcept { return outputs_[static_cast<size_t>(k)]; }

private:
  std::vector<node> nodes_{};
  std::vector<int> inputs_{}, outputs_{};
};

/// A graph whose weights are marked as prepared where an architecture has a layout for them, and the buffer
/// that has these weights: made by prepare_graph() in emit_prepared.hpp.
struct prepared_graph {
  runtime_graph graph{};
  std::string arch{};
  std::vector<unsigned char> bytes{};  ///< empty where no node has such weights
  std::vector<std::shared_ptr<const void>> arrays{};  ///< what nodes point to besides the builder's
};

namespace emit {

/// What the compiler computes for the model.
inline uint32_t fingerprint_of(const runtime_graph& g) {
  std::vector<uint32_t> digests;
  for (int i = 0; i < g.node_count(); ++i) digests.push_back(parameter_digest(g[i]));
  return model_fingerprint(graph_fingerprint(g, g.node_count()), digests.data(), g.node_count());
}

}  // namespace emit

/// A step with the data it points to.
struct runtime_step {
  step what{};
  step_needs needs{};
  std::shared_ptr<const void> data{}, constants{};
};

/// The step of node i of a graph without errors, for an architecture of this build. Its code is large:
/// link lowbits::runtime, or include hosted/runtime_steps.hpp in one translation unit.
runtime_step make_runtime_step(const runtime_graph& g, int i, arch_id arch);

}  // namespace lowbits
