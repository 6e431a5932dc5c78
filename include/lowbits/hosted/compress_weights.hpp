// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The weights of a graph in as few bytes as possible, for header_options::compress.

#include <memory>

#include <lowbits/graph/report.hpp>
#include <lowbits/hosted/code_weights.hpp>
#include <lowbits/hosted/runtime_graph.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Weights of node i of a graph, a depth for every channel.
template <class Graph>
size_t weight_count(const Graph& g, int i) {
  return static_cast<size_t>(node_depth(g, i)) * static_cast<size_t>(g[i].out.shape.extent[g[i].out.shape.rank - 1]);
}

/// The codes of count weights that are not floats, one by one.
inline std::vector<int> codes_of(const weight_data& w, size_t count) {
  std::vector<int> codes(count);
  for (size_t k = 0; k < count; ++k) {
    switch (w.storage) {
      case weight_storage::s8: codes[k] = w.s8[k]; break;
      case weight_storage::u8: codes[k] = w.u8[k]; break;
      case weight_storage::s16: codes[k] = w.s16[k]; break;
      default: codes[k] = w.format.decode(detail::load_code(w.packed, k, w.format.bits)); break;
    }
  }
  return codes;
}

/// The smallest coding of a node's weights; without bytes where they have to stay as they are: floats, and
/// codes outside of the range that their type promises.
template <class Graph>
coded_bytes coded_weights_of(const Graph& g, int i) {
  const weight_data& w = g[i].weights;
  if (!has_weights(g[i].kind) || w.storage == weight_storage::f32 || w.is_coded() || w.is_prepared) return {};
  const std::vector<int> codes = codes_of(w, weight_count(g, i));
  for (const int c : codes)
    if (c < w.format.lowest() || c > w.format.highest() || (w.format.is_binary() && c == 0)) return {};
  return code_smallest(codes, w.format);
}

/// Replaces the weights of every node that take less when they are coded. The owners of the bytes are
/// kept as long as g. The weights cannot be expanded from g itself: an emitted header does that.
inline std::vector<std::shared_ptr<const void>> compress_weights(runtime_graph& g) {
  std::vector<std::shared_ptr<const void>> owners;
  for (int i = 0; i < g.node_count(); ++i) {
    if (needs_values(g, i)) continue;
    coded_bytes c = coded_weights_of(g, i);
    weight_data& w = g[i].weights;
    if (c.bytes.empty() || c.bytes.size() >= w.stored_bytes()) continue;
    auto kept = std::make_shared<const std::vector<uint8_t>>(std::move(c.bytes));
    w.coded_count = weight_count(g, i);
    w.storage = detail::expanded_storage(w.format);
    w.length = w.is_packed() ? packed_bytes(w.coded_count, w.format.bits) : w.coded_count;
    w.coded = kept->data();
    w.coded_bytes = kept->size();
    owners.push_back(std::move(kept));
  }
  return owners;
}

}  // namespace lowbits
