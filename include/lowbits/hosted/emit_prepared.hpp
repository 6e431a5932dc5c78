// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The weights of a graph in the layout of one architecture, as model<>::prepare() would write them: for
// headers whose programs prepare nothing. prepare_graph() needs lowbits::runtime.

#include <cstring>

#include <lowbits/graph/prepared.hpp>
#include <lowbits/hosted/runtime_model.hpp>
#include <lowbits/hosted/runtime_signatures.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace emit {

/// The step that packs node i. The layout for a matrix does not depend on what its sums become, nor that of words
/// for a depthwise convolution: where there is no code for the node's own rounding or output, that of another one serves.
inline runtime_step packing_step(const runtime_graph& g, int i, arch_id arch) {
  const auto has_code = [i](const runtime_graph& graph) {
    return runtime_signatures::place_of(signature_of(graph, i)) < runtime_signatures::all.count;
  };
  if (has_code(g)) return make_runtime_step(g, i, arch);
  runtime_graph other = g;
  node& n = other[i];
  n.policy = rounding::single;
  if (n.out.kind == element::codes) n.out.format = other[n.in[0]].out.format;
  if ((n.kind == op_kind::depthwise && is_byte(signature_of(g, i).x)) || !has_code(other))
    refuse("emit_header", joined("node '", n.name, "' combines number types or a rounding that have no layout to be emitted"),
           "name no architecture, and call net::prepare() in the program");
  return make_runtime_step(other, i, arch);
}

}  // namespace emit

/// For an architecture of this build, whether or not this processor has it. Weights of fewer than 8 bits
/// become bytes.
template <size_t Capacity>
prepared_graph prepare_graph(const builder<Capacity>& g, arch_id arch) {
  require_ok(g.verdict());
  const runtime_graph original(g);
  runtime_graph unpacked = original;
  prepared_graph p{.graph = original, .arch = arch_name(arch)};
  p.arrays = unpack_weights(unpacked);

  std::vector<runtime_step> steps(static_cast<size_t>(original.node_count()));
  size_t end = packed_alignment;
  for (int i = 0; i < original.node_count(); ++i) {
    if (!has_weights(original[i].kind)) continue;
    if (!signature_of(unpacked, i).is_prepared) {
      if (signature_of(original, i).is_prepared || original[i].weights.is_coded()) p.graph[i] = unpacked[i];
      continue;
    }
    p.graph[i] = unpacked[i];
    runtime_step s = emit::packing_step(unpacked, i, arch);
    if (s.what.pack == nullptr) continue;
    weight_data& w = p.graph[i].weights;
    w.digest = stored_constant::of(w).hash(nullptr);
    w.is_external = w.is_prepared = true;
    end += round_up(s.needs.packed_bytes, packed_alignment);
    steps[static_cast<size_t>(i)] = std::move(s);
  }
  if (end == packed_alignment) return p;

  aligned_bytes buffer(end);
  prepared_header h{.arch = static_cast<uint32_t>(arch),
                    .model = emit::fingerprint_of(p.graph),
                    .contents = fnv::start,
                    .bytes = end};
  size_t at = packed_alignment;
  for (int i = 0; i < original.node_count(); ++i) {
    for (const stored_constant& c : {stored_constant::of(p.graph[i].weights), stored_constant::of(p.graph[i].bias)})
      h.contents = fnv::step(h.contents, c.hash(nullptr));
    const runtime_step& s = steps[static_cast<size_t>(i)];
    if (s.what.pack == nullptr) continue;
    s.what.pack(s.what.data, nullptr, buffer.data() + at);
    at += round_up(s.needs.packed_bytes, packed_alignment);
  }
  std::memcpy(buffer.data(), &h, sizeof h);
  p.bytes.assign(buffer.data(), buffer.data() + end);
  return p;
}

}  // namespace lowbits
