// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A graph as one C++ header: constant arrays, and the function that builds the graph from them. The
// header needs only the core of the library, no file and no heap, so it serves firmware as it is.
// The same graph always gives the same text.

#include <lowbits/hosted/emit_blob.hpp>
#include <lowbits/hosted/emit_node.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct header_options {
  std::string space = "network";      ///< namespace of everything in the header
  std::string function = "make_net";  ///< name of the function
  std::string licence{};              ///< SPDX expression of the model, if it has one
  std::vector<std::string> notice{};  ///< lines of comment: where the model is from, how good it is
  size_t arena_bytes = 0;             ///< that arch::generic needs, to be asserted; 0: not known
  bool weights_in_blob = false;       ///< emit_blob() has the weights, the header only scales and biases
  const prepared_graph* prepared = nullptr;  ///< of the same graph, with weights: they are in `prepared`
  bool compress = false;              ///< weights in the fewest bytes, expanded by net::prepare(); not with `prepared`
};

namespace emit {

inline std::string element_name(const tensor_desc& d) {
  if (d.kind == element::reals) return "float";
  return joined(d.format.is_signed ? "std::int" : "std::uint", 8 * d.format.storage_bytes(), "_t");
}
/// "[8][8][1], real = 0.0625 * (q + 128)"
inline std::string meaning(const tensor_desc& d) {
  std::string text;
  for (int a = 0; a < d.shape.rank; ++a) text += joined("[", d.shape.extent[a], "]");
  if (d.kind == element::reals) return text;
  std::string scale = literal(d.params.scale);
  scale.pop_back();
  const int z = d.params.zero_point;
  const std::string code = z == 0 ? "q"
      : z < 0                     ? joined("(q + ", -z, ")")
                                  : joined("(q - ", z, ")");
  return joined(text, ", real = ", scale, " * ", code);
}

/// One identifier for each node.
template <class Graph>
std::vector<std::string> identifiers_of(const Graph& g) {
  identifiers names;
  std::vector<std::string> id;
  for (int i = 0; i < g.node_count(); ++i) id.push_back(names.make(g[i].name.c_str()));
  return id;
}

inline std::string weight_array(const weight_data& w, const std::string& name) {
  if (w.is_coded()) return byte_array(name, {w.coded, w.coded_bytes});
  switch (w.storage) {
    case weight_storage::s8: return number_array("std::int8_t", name, std::span(w.s8, w.length), 4);
    case weight_storage::u8: return number_array("std::uint8_t", name, std::span(w.u8, w.length), 4);
    case weight_storage::s16: return number_array("std::int16_t", name, std::span(w.s16, w.length), 6);
    case weight_storage::f32: return number_array("float", name, std::span(w.f32, w.length), 14);
    default: return byte_array(name, {w.packed, w.length});
  }
}

/// The factors of a node's groups, and what names them.
inline std::string group_arrays(const weight_groups& g, const std::string& id) {
  std::vector<std::string> halves;
  for (size_t i = 0; g.kind == group_factor_kind::halves && i < g.count; ++i) halves.push_back(joined("{", g.halves[i].bits, "}"));
  const std::string name = joined(id, "_factor");
  const std::string factors = g.kind == group_factor_kind::bytes  ? number_array("std::uint8_t", name, std::span(g.bytes, g.count), 3)
                              : g.kind == group_factor_kind::reals ? number_array("float", name, std::span(g.reals, g.count), 14)
                                                                   : array("lb::half", name, halves, 7);
  return joined(factors, "inline constexpr lb::weight_groups ", id, "_groups(", g.group, ", ", name,
                g.shift != 0 ? joined(", ", g.shift) : std::string(), ");\n");
}

/// The arrays of a node with weights.
inline std::string arrays(const node& n, const node& in, const std::string& id) {
  const weight_data& w = n.weights;
  const int channels = n.out.shape.extent[n.out.shape.rank - 1];
  const std::string taps = joined("[", n.window.kernel_h, "][", n.window.kernel_w, "]");
  std::string layout;
  if (n.kind == op_kind::dense)
    layout = joined("[", channels, "][", row_extents::of(in.out).columns, "] (output, input)");
  else if (n.kind == op_kind::depthwise)
    layout = joined(taps, "[", channels, "] (height, width, channel)");
  else
    layout = joined("[", channels, "]", taps, "[",
                    image_extents::of(in.out).c / (n.kind == op_kind::conv2d ? n.groups : 1),
                    "] (output, height, width, input)");
  const std::string numbers = w.storage == weight_storage::f32 ? "floats" : joined(int{w.format.bits}, " bits");
  std::string text =
      comment(joined(n.name, ": ", layout, ", ", numbers, w.is_coded() ? ", coded" : w.is_packed() ? ", packed, lowest bits first" : "",
                     w.is_prepared ? ", in `prepared`" : w.is_external ? ", in the blob" : ""));

  const std::string codes = joined(id, "_w"), scales = joined(id, "_scale"),
                    bias = joined(id, "_b");
  if (!w.is_external) text += weight_array(w, codes);
  if (w.scale_count != 0)
    text += number_array("float", scales, std::span(w.scales, w.scale_count), 14);
  if (w.is_grouped) text += group_arrays(*w.groups, id);
  if (n.bias.is_real) text += number_array("float", bias, std::span(n.bias.f32, n.bias.length), 14);
  else if (n.bias.is_wide)
    text += number_array("std::int64_t", bias, std::span(n.bias.s64, n.bias.length), 20);
  else if (n.bias.is_bound())
    text += number_array("std::int32_t", bias, std::span(n.bias.s32, n.bias.length), 11);
  return text;
}

inline std::string elements_array(const constant_data& c, const std::string& name) {
  const auto as = [&]<class T>(const T*, const char* type, size_t width) {
    return number_array(type, name, std::span(static_cast<const T*>(c.data), c.length), width);
  };
  switch (c.type) {
    case number_type::q8: return as(static_cast<const int8_t*>(nullptr), "std::int8_t", 4);
    case number_type::u8: return as(static_cast<const uint8_t*>(nullptr), "std::uint8_t", 4);
    case number_type::q16: return as(static_cast<const int16_t*>(nullptr), "std::int16_t", 6);
    case number_type::u16: return as(static_cast<const uint16_t*>(nullptr), "std::uint16_t", 6);
    case number_type::q32: return as(static_cast<const int32_t*>(nullptr), "std::int32_t", 11);
    case number_type::real: break;
  }
  return as(static_cast<const float*>(nullptr), "float", 14);
}

/// The scales of a custom node.
inline std::string scale_arrays(const node& n, const imported::axis_scales& s, const std::string& id) {
  const imported::scale_index& at = s.at;
  return joined(comment(joined(n.name, ": one scale for each ", at.block == 0 ? "index of an axis" : "block")),
                number_array("float", joined(id, "_scale"), std::span(s.scales, s.count), 14),
                number_array("std::int32_t", joined(id, "_zero"), std::span(s.zero_points, s.count), 11),
                "inline constexpr lb::imported::axis_scales ", id, "_c{", id, "_scale, ", id, "_zero, ", s.count, ", {", at.inner,
                ", ", at.extent, ", ", at.block, "}};\n");
}

/// The array of a constant, or of a function that was given as a table.
inline std::string constant_array(const node& n, const std::string& id) {
  const std::string name = joined(id, "_c");
  if (n.kind == op_kind::constant)
    return joined(comment(joined(n.name, ": ", meaning(n.out))), elements_array(n.constant, name));
  const std::string what = comment(joined(n.name, ": results, one for each code of the input"));
  if (n.table.words != nullptr)
    return joined(what, number_array("std::int16_t", name, std::span(n.table.words, 513), 6));
  return joined(what, number_array("std::uint8_t", name, std::span(n.table.bytes, 256), 4));
}

inline bool has_coded(const runtime_graph& g) {
  for (int i = 0; i < g.node_count(); ++i)
    if (g[i].weights.is_coded()) return true;
  return false;
}

inline bool has_weight_only(const runtime_graph& g) {
  for (int i = 0; i < g.node_count(); ++i)
    if (has_weights(g[i].kind) && g[i].dynamic == dynamic_definition::weight_only) return true;
  return false;
}

inline bool has_groups(const runtime_graph& g) {
  for (int i = 0; i < g.node_count(); ++i)
    if (g[i].weights.is_grouped) return true;
  return false;
}

/// Everything in front of the arrays: what the header is and how to use it.
inline std::string preamble(const runtime_graph& g, const std::vector<std::string>& id, const header_options& o) {
  std::string text;
  if (!o.licence.empty()) text += comment(joined("SPDX-License-Identifier: ", o.licence));
  text += joined("#pragma once\n\n// Written by lowbits ", LOWBITS_VERSION_MAJOR, ".",
                 LOWBITS_VERSION_MINOR, ".", LOWBITS_VERSION_PATCH, ": do not edit.\n");
  for (const std::string& line : o.notice) text += comment(line);
  text += joined("//\n//   using net = lowbits::model<", o.space, "::", o.function, ">;\n",
                 "//   alignas(lowbits::arena_alignment) unsigned char arena[net::arena_bytes];\n");
  std::vector<std::string> arguments{"arena"};
  for (int k = 0; k < g.input_count() + g.output_count(); ++k) {
    const int i = k < g.input_count() ? g.input_node(k) : g.output_node(k - g.input_count());
    const std::string& name = id[static_cast<size_t>(i)];
    arguments.push_back(name);
    text += comment(joined("  ", element_name(g[i].out), " ", name, "[", g[i].out.count(),
                           "];  // ", meaning(g[i].out)));
  }
  // Wrapped as code is, then commented out.
  if (o.weights_in_blob)
    text += "//   const auto bound = net::bind(blob);  // std::span<const unsigned char>, aligned to lowbits::blob_alignment\n";
  if (o.prepared != nullptr)
    text += joined("//   const auto ready = net::attach(", o.space, "::prepared);  // weights for ", o.prepared->arch, "; see error()\n");
  if (has_coded(g))
    text += joined("//   alignas(lowbits::packed_alignment) unsigned char packed[net::prepared_bytes];\n//   const auto ready = ",
                   o.weights_in_blob ? "bound.prepare(packed);\n" : "net::prepare(packed);\n");
  const char* const runs = has_coded(g) ? "ready.run(" : o.weights_in_blob ? "bound.run(" : o.prepared != nullptr ? "ready.run(" : "net::run(";
  std::string call = filled(joined("  lowbits::status s = ", runs), arguments, ");\n", 6, columns - 3);
  for (size_t at = 0; at < call.size(); at = call.find('\n', at) + 1) call.insert(at, "// ");
  return joined(text, call, "\n",
                "#include <cstdint>\n\n",
                has_weight_only(g) ? "#if !defined(LOWBITS_WEIGHT_ONLY)\n#define LOWBITS_WEIGHT_ONLY  // floats are multiplied by codes\n#endif\n" : "",
                has_groups(g) ? "#if !defined(LOWBITS_GROUPS)\n#define LOWBITS_GROUPS  // weights have factors for groups\n#endif\n" : "",
                "#include <lowbits/lowbits.hpp>\n",
                // Where another header has included it without.
                has_weight_only(g) ? "#if __has_include(<lowbits/op/weight_only_steps.hpp>)\n#include <lowbits/op/weight_only_steps.hpp>\n#endif\n" : "",
                has_groups(g) ? "#if __has_include(<lowbits/graph/grouped_steps.hpp>)\n#include <lowbits/graph/grouped_steps.hpp>\n#endif\n" : "",
                "\nstatic_assert(LOWBITS_VERSION_MAJOR == ",
                LOWBITS_VERSION_MAJOR, " && LOWBITS_VERSION_MINOR == ", LOWBITS_VERSION_MINOR,
                ",\n", "              \"lowbits: ", o.space,
                ": the header was written by another version of the \"\n",
                "              \"library; emit it again\");\n\n");
}

/// The buffer that net::attach() gets, and a question whether the program has that architecture.
inline std::string prepared_array(const prepared_graph& p, const std::string& space) {
  const std::string text = byte_array("prepared", p.bytes);
  return joined(comment(joined("All weights as ", p.arch, " multiplies them.")), "alignas(lb::packed_alignment) ", text,
                "static_assert(*lb::arch_name(lb::arch_id_from(\"", p.arch, "\")) != 0,\n              \"lowbits: ", space,
                ": the weights are laid out for ", p.arch, ", which this program is not compiled for; \"\n",
                "              \"emit the header for another --arch\");\n\n");
}

inline std::string header_text(const runtime_graph& g, const header_options& o) {
  const std::vector<std::string> id = identifiers_of(g);
  std::vector<bool> used(id.size());
  for (int k = 0; k < g.output_count(); ++k) used[static_cast<size_t>(g.output_node(k))] = true;
  for (int i = 0; i < g.node_count(); ++i)
    for (int k = 0; k < g[i].in_count; ++k) used[static_cast<size_t>(g[i].in[k])] = true;

  std::string text = joined(preamble(g, id, o), "namespace ", o.space, " {\n\nnamespace lb = lowbits;\n\n// clang-format off\n");
  if (o.prepared != nullptr) text += prepared_array(*o.prepared, o.space);
  for (int i = 0; i < g.node_count(); ++i) {
    const std::string& name = id[static_cast<size_t>(i)];
    if (has_weights(g[i].kind)) text += joined(arrays(g[i], g[g[i].in[0]], name), "\n");
    else if (g[i].kind == op_kind::constant || g[i].table.is_bound) text += joined(constant_array(g[i], name), "\n");
    else if (const imported::axis_scales* const s = scales_of(g[i]); s != nullptr)
      text += joined(scale_arrays(g[i], *s, name), "\n");
  }
  text += joined("constexpr auto ", o.function, "() {\n  lb::builder<", g.node_count(), "> g;\n");
  for (int i = 0; i < g.node_count(); ++i) {
    call_context c{.id = id[static_cast<size_t>(i)],
                   .is_used = used[static_cast<size_t>(i)],
                   .blob_offset = g[i].weights.offset};
    for (int k = 0; k < g[i].in_count; ++k) {
      c.in.push_back(&g[g[i].in[k]]);
      c.x.push_back(joined(id[static_cast<size_t>(g[i].in[k])], "_y"));
    }
    text += statement(g[i], c);
  }
  for (int k = 0; k < g.output_count(); ++k)
    text += joined(k + 1 == g.output_count() ? "  return g.output(" : "  g.output(",
                   id[static_cast<size_t>(g.output_node(k))], "_y);\n");
  text += "}\n// clang-format on\n\n";
  if (o.arena_bytes != 0)
    text += joined("static_assert(lb::model<", o.function, ">::arena_bytes_on<lb::arch::generic> <= ", o.arena_bytes, ",\n",
                   "              \"lowbits: ", o.space, ": the network needs a larger arena than when it was emitted; \"\n",
                   "              \"emit it again\");\n\n");
  return joined(text, "}  // namespace ", o.space, "\n");
}

}  // namespace emit

/// g as text. A graph with an error is refused with its sentence; so is one with a custom node of the user's own.
template <size_t Capacity>
std::string emit_header(const builder<Capacity>& g, const header_options& o = {}) {
  require_ok(g.verdict());
  runtime_graph nodes(g);
  const auto owners = o.compress ? compress_weights(nodes) : std::vector<std::shared_ptr<const void>>{};
  if (o.weights_in_blob) nodes = emit::with_external_weights(std::move(nodes));
  else if (o.prepared != nullptr) nodes = o.prepared->graph;
  return emit::header_text(nodes, o);
}

}  // namespace lowbits
