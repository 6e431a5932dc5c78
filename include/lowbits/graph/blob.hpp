// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Weights outside of the program: one block of bytes that is used where it lies, in a mapped file or an
// external flash. It starts with a header; emit_header() writes both the blob and a graph whose weights
// are external_weights() in it.
//
//   const auto net = lb::model<make_net>::bind(blob);     // blob: std::span<const unsigned char>
//   if (net.error() == lb::status::ok) net.run(arena, image, logits);

#include <span>

#include <lowbits/core/bytes.hpp>
#include <lowbits/core/status.hpp>
#include <lowbits/op/node.hpp>

namespace lowbits::inline LOWBITS_ABI {

inline constexpr size_t blob_alignment = 16;  ///< of the blob and of every tensor in it

/// Little-endian, as the weights are. Weights begin behind the 64 bytes that belong to the header.
struct blob_header {
  uint32_t magic = 0x6c62'776cu;
  uint32_t version = 1;
  uint32_t model = 0;     ///< fingerprint of the graph, see model_fingerprint
  uint32_t checksum = 0;  ///< FNV-1a, 32 bits, of everything behind the header
  uint64_t bytes = 0;     ///< of the whole blob

  constexpr bool operator==(const blob_header&) const = default;
};
inline constexpr size_t blob_header_bytes = 64;
static_assert(sizeof(blob_header) <= blob_header_bytes);

namespace fnv {

inline constexpr uint32_t start = 2166136261u;
constexpr uint32_t step(uint32_t h, uint32_t v) noexcept { return (h ^ v) * 16777619u; }
inline uint32_t bytes(uint32_t h, const void* data, size_t n) noexcept {
  for (size_t i = 0; i < n; ++i) h = step(h, static_cast<const unsigned char*>(data)[i]);
  return h;
}

}  // namespace fnv

/// Identifies a graph: everything about its nodes that is a number, but for the values of arrays.
template <class Graph>
constexpr uint32_t graph_fingerprint(const Graph& g, int node_count) noexcept {
  uint32_t h = fnv::start;
  const auto mix = [&](int64_t v) { h = fnv::step(h, static_cast<uint32_t>(v)); };
  const auto mix_real = [&](float v) { mix(static_cast<int64_t>(fp::to_bits(v))); };
  for (int i = 0; i < node_count; ++i) {
    const node& nd = g[i];
    const window2d& w = nd.window;
    for (int v : {static_cast<int>(nd.kind), nd.in_count, int{nd.out.format.bits}, nd.groups,
                  static_cast<int>(nd.fused), static_cast<int>(nd.policy), static_cast<int>(nd.product),
                  static_cast<int>(nd.sum), static_cast<int>(nd.dynamic), static_cast<int>(nd.mode),
                  static_cast<int>(nd.outside), nd.axis, nd.flag[0] ? 1 : 0, nd.flag[1] ? 1 : 0,
                  nd.has_fill ? nd.fill : 0, nd.out.params.zero_point})
      mix(v);
    mix_real(nd.out.params.scale);
    if (nd.parameter != 0) {
      const auto bits = __builtin_bit_cast(uint64_t, nd.parameter);
      mix(static_cast<int64_t>(bits >> 32));
      mix(static_cast<int64_t>(bits));
    }
    if (has_weights(nd.kind) || nd.kind == op_kind::max_pool || nd.kind == op_kind::average_pool)
      for (int v : {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, w.pad_top, w.pad_left}) mix(v);
    if (has_weights(nd.kind)) {
      for (int v : {static_cast<int>(nd.weights.storage), int{nd.weights.format.bits}, nd.weights.zero_point}) mix(v);
      mix(static_cast<int64_t>(nd.weights.length));
      mix(static_cast<int64_t>(nd.weights.offset));
      if (nd.weights.is_grouped)
        for (int v : {static_cast<int>(nd.weights.groups->kind), nd.weights.groups->group, nd.weights.groups->shift}) mix(v);
      if (nd.weights.is_coded()) mix(static_cast<int64_t>(nd.weights.coded_bytes));
    }
    if (nd.kind == op_kind::pad || nd.kind == op_kind::transpose || nd.kind == op_kind::slice)
      for (const auto& list : nd.list)
        for (int a = 0; a < nd.out.shape.rank; ++a) mix(list[a]);
    for (int k = 0; k < nd.in_count; ++k) mix(nd.in[k]);
    if (nd.ec != error_compensation::none) mix(static_cast<int64_t>(nd.ec));
    for (int a = 0; a < nd.out.shape.rank; ++a) mix(nd.out.shape.extent[a]);
  }
  return h;
}

/// Of the scales and the bias that stay in the program while their weights are in a blob; 0 for other
/// nodes. Weights of another training do not fit to them, however alike the graphs are.
constexpr uint32_t parameter_digest(const node& n) noexcept {
  if (!n.weights.is_external) return 0;
  uint32_t h = fnv::step(fnv::start, fp::to_bits(n.weights.scale));
  for (size_t c = 0; c < n.weights.scale_count; ++c) h = fnv::step(h, fp::to_bits(n.weights.scales[c]));
  if (n.weights.is_grouped) {
    const weight_groups& g = *n.weights.groups;
    for (size_t i = 0; i < g.count; ++i)
      h = fnv::step(h, g.kind == group_factor_kind::bytes ? g.bytes[i] : g.kind == group_factor_kind::halves ? g.halves[i].bits : fp::to_bits(g.reals[i]));
  }
  for (size_t c = 0; c < n.bias.length; ++c) {
    const auto bits = n.bias.is_real ? uint64_t{fp::to_bits(n.bias.f32[c])} : static_cast<uint64_t>(n.bias[c]);
    h = fnv::step(h, static_cast<uint32_t>(bits));
    if (n.bias.is_wide) h = fnv::step(h, static_cast<uint32_t>(bits >> 32));
  }
  return h;
}

/// The fingerprint of a graph and these digests, one for each node.
constexpr uint32_t model_fingerprint(uint32_t graph, const uint32_t* digests, int node_count) noexcept {
  for (int i = 0; i < node_count; ++i)
    if (digests[i] != 0) graph = fnv::step(graph, digests[i]);
  return graph;
}

/// Bytes of the blob that a graph's external weights need; 0 where there are none.
template <class Graph>
constexpr size_t blob_bytes_of(const Graph& g, int node_count) noexcept {
  size_t end = 0;
  for (int i = 0; i < node_count; ++i) {
    const weight_data& w = g[i].weights;
    if (w.is_external && !w.is_prepared) end = larger(end, w.offset + w.stored_bytes());
  }
  return end == 0 ? 0 : round_up(end, blob_alignment);
}

/// The array of a node's weights or bias, as the fingerprint of a model's contents sees it.
struct stored_constant {
  const void* data = nullptr;
  size_t bytes = 0, offset = 0;
  bool is_external = false, is_prepared = false;
  uint32_t digest = 0;  ///< where is_prepared
  const void* factors = nullptr;
  size_t factor_bytes = 0;

  static constexpr stored_constant of(const weight_data& w) noexcept {
    if (w.storage == weight_storage::f32) return {};  // floats are never packed
    stored_constant c{w.data(), w.stored_bytes(), w.offset, w.is_external, w.is_prepared, w.digest};
    if (w.is_grouped) c.factors = w.groups->data(), c.factor_bytes = w.groups->count * w.groups->factor_bytes();
    return c;
  }
  static constexpr stored_constant of(const bias_data& b) noexcept {
    if (b.is_real || !b.is_bound()) return {};  // added behind, never packed
    if (b.is_wide) return {.data = b.s64, .bytes = b.length * 8};
    return {.data = b.s32, .bytes = b.length * 4};
  }
  uint32_t hash(const unsigned char* blob) const noexcept {
    const uint32_t h = is_prepared ? digest : fnv::bytes(fnv::start, is_external ? blob + offset : data, bytes);
    return fnv::bytes(h, factors, factor_bytes);
  }
};

/// Why a blob does not serve a graph with this fingerprint. Reads every byte of it.
inline status check_blob(std::span<const unsigned char> blob, uint32_t fingerprint, size_t needed) noexcept {
  if (blob.size() < blob_header_bytes || blob.size() < needed) return status::too_small;
  if (!is_aligned(blob.data(), blob_alignment)) return status::misaligned;
  blob_header h;
  copy_elements(blob.data(), reinterpret_cast<unsigned char*>(&h), sizeof h);
  const blob_header wanted{.model = fingerprint, .checksum = h.checksum, .bytes = needed};
  if (h != wanted) return status::foreign;
  const uint32_t sum = fnv::bytes(fnv::start, blob.data() + blob_header_bytes, needed - blob_header_bytes);
  return sum == h.checksum ? status::ok : status::foreign;
}

}  // namespace lowbits
