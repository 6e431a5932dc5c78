// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The weights of a graph as a blob (graph/blob.hpp), for the header that emit_header() writes with
// header_options::weights_in_blob.

#include <cstring>

#include <lowbits/graph/blob.hpp>
#include <lowbits/hosted/compress_weights.hpp>
#include <lowbits/hosted/runtime_graph.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace emit {

inline bool goes_into_blob(const node& n) {
  return has_weights(n.kind) && n.weights.storage != weight_storage::f32;
}

/// g with the weights that can be in a blob marked as external, one behind the other.
inline runtime_graph with_external_weights(runtime_graph g) {
  size_t at = blob_header_bytes;
  for (int i = 0; i < g.node_count(); ++i) {
    weight_data& w = g[i].weights;
    if (!goes_into_blob(g[i]) || needs_values(g, i)) continue;
    w.is_external = true;
    w.offset = at;
    at = round_up(at + w.stored_bytes(), blob_alignment);
  }
  return g;
}

}  // namespace emit

/// The blob's bytes; `compress` as in the header's options. Gives the same for the same graph, on every
/// machine that is little-endian.
template <size_t Capacity>
std::vector<unsigned char> emit_blob(const builder<Capacity>& g, bool compress = false) {
  runtime_graph stored(g);
  const auto owners = compress ? compress_weights(stored) : std::vector<std::shared_ptr<const void>>{};
  const runtime_graph marked = emit::with_external_weights(std::move(stored));
  const size_t bytes = blob_bytes_of(marked, marked.node_count());
  std::vector<unsigned char> blob(bytes);
  for (int i = 0; i < marked.node_count(); ++i) {
    const weight_data& w = marked[i].weights;
    if (!w.is_external) continue;
    if (w.length != 0) std::memcpy(blob.data() + w.offset, w.data(), w.stored_bytes());
  }
  if (blob.empty()) return blob;
  const blob_header header{.model = emit::fingerprint_of(marked),
                           .checksum = fnv::bytes(fnv::start, blob.data() + blob_header_bytes, bytes - blob_header_bytes),
                           .bytes = bytes};
  std::memcpy(blob.data(), &header, sizeof header);
  return blob;
}

}  // namespace lowbits
