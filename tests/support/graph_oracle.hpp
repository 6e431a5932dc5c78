// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs a model's steps with a buffer of its own for every tensor, on the portable architecture: what
// the planner, aliasing and in-place execution must not change.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <lowbits/lowbits.hpp>

namespace lowbits_test {

namespace lb = lowbits;

/// Room for elements of any type, 16-byte aligned.
class tensor_buffer {
public:
  explicit tensor_buffer(std::size_t bytes = 0) : words_(bytes / sizeof(word) + 1), bytes_(bytes) {}
  unsigned char* data() { return reinterpret_cast<unsigned char*>(words_.data()); }
  const unsigned char* data() const {
    return reinterpret_cast<const unsigned char*>(words_.data());
  }
  std::size_t size() const { return bytes_; }

private:
  struct alignas(16) word {
    unsigned char byte[16];
  };
  std::vector<word> words_;
  std::size_t bytes_;
};

/// Every node's output for the given model inputs.
template <class Model>
std::vector<tensor_buffer> run_unplanned(const std::vector<tensor_buffer>& inputs) {
  constexpr int n = Model::node_count;
  std::vector<tensor_buffer> out;
  for (int i = 0; i < n; ++i) out.emplace_back(Model::graph[i].out.bytes());
  for (int k = 0; k < Model::input_count; ++k) {
    const std::size_t at = static_cast<std::size_t>(Model::graph.input_node(k));
    std::memcpy(out[at].data(), inputs[static_cast<std::size_t>(k)].data(), out[at].size());
  }
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (
        [&] {
          constexpr const auto& groups = lb::node_groups<Model>::all;
          using step = lb::group_step<Model, groups.group[I], lb::arch::generic>;
          constexpr auto& data = lb::group_data<Model, groups.group[I]>.value[groups.place[I]];
          const lb::step_needs needs = lb::needs_of<step>(data);
          const lb::step s = lb::step_of<step>(data);
          if (s.run == nullptr) return;
          lb::step_io io;
          for (int k = 0; k < Model::graph[I].in_count; ++k)
            io.in[k] = out[static_cast<std::size_t>(Model::graph[I].in[k])].data();
          io.out = out[I].data();
          tensor_buffer scratch(needs.scratch_bytes);
          io.scratch = scratch.data();
          s.run(s.data, io);
        }(),
        ...);
  }
  (std::make_integer_sequence<int, n>{});
  return out;
}

/// Bytes of a linear congruential generator.
inline void fill_random(unsigned char* p, std::size_t n, std::uint32_t seed) {
  for (std::size_t i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    p[i] = static_cast<unsigned char>(seed >> 24);
  }
}

}  // namespace lowbits_test
