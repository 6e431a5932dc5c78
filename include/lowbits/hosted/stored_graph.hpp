// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A graph made at run time together with the arrays its nodes point to: what importers and the
// quantizer produce, and what emit_header and runtime_model take.

#include <memory>
#include <utility>
#include <vector>

#include <lowbits/graph/builder.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Movable; the arrays stay where they are.
class stored_graph {
public:
  static constexpr size_t capacity = 4096;
  using graph_type = builder<capacity>;

  const graph_type& graph() const noexcept { return *graph_; }
  graph_type& graph() noexcept { return *graph_; }

  /// Keeps the elements for as long as this object lives; never null.
  template <class T>
  const T* keep(std::vector<T> elements) {
    auto kept = std::make_shared<const std::vector<T>>(std::move(elements));
    static constexpr T nothing{};
    const T* const at = kept->empty() ? &nothing : kept->data();
    arrays_.push_back(std::move(kept));
    return at;
  }

private:
  std::unique_ptr<graph_type> graph_ = std::make_unique<graph_type>();
  std::vector<std::shared_ptr<const void>> arrays_{};
};

}  // namespace lowbits
