// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// An emitted model for programs in C: a header that C understands, and the C++ source behind it.

#include <algorithm>

#include <lowbits/hosted/emit_header.hpp>
#include <lowbits/hosted/keywords.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct c_api {
  std::string header{};  ///< <space>.h
  std::string source{};  ///< <space>.cpp, which includes both headers
};

namespace emit {

/// A name for a parameter of the run function: that of its node, unless the language or the code around it
/// has that word already, or a parameter before it.
inline std::string parameter_name(std::string name, bool is_input, const std::string& space, std::vector<std::string>& used) {
  constexpr std::string_view own[] = {"arena", "arena_bytes", "arena_span", "blob", "blob_bytes", "bound", "lowbits", "net", "ready",
                                      "size_t", "std"};
  const bool is_type = name.ends_with("_t") && (name.starts_with("int") || name.starts_with("uint"));
  if (is_keyword(name) || is_type || name == space || std::find(std::begin(own), std::end(own), name) != std::end(own))
    name += is_input ? "_in" : "_out";
  const std::string stem = name;
  for (size_t k = used.size(); std::find(used.begin(), used.end(), name) != used.end(); ++k) name = joined(stem, "_", k);
  used.push_back(name);
  return name;
}

}  // namespace emit

/// model_header and c_header are the names by which the source includes them.
template <size_t Capacity>
c_api emit_c_api(const builder<Capacity>& g, const header_options& o, const std::string& model_header,
                 const std::string& c_header) {
  require_ok(g.verdict());
  const std::vector<std::string> id = emit::identifiers_of(g);
  std::string upper = o.space;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;

  std::vector<std::string> parameters{"void* arena", "size_t arena_bytes"}, arguments;
  std::vector<std::string> names;
  std::string counts;
  for (int k = 0; k < g.input_count() + g.output_count(); ++k) {
    const bool is_input = k < g.input_count();
    const int i = is_input ? g.input_node(k) : g.output_node(k - g.input_count());
    const std::string name = emit::parameter_name(id[static_cast<size_t>(i)], is_input, o.space, names);
    std::string type = emit::element_name(g[i].out);
    if (type.starts_with("std::")) type.erase(0, 5);
    parameters.push_back(joined(is_input ? "const " : "", type, "* ", name));
    arguments.push_back(joined("std::span(", name, ", ", g[i].out.count(), ")"));
    counts += joined("#define ", upper, is_input ? "_INPUT_" : "_OUTPUT_", is_input ? k : k - g.input_count(), "_COUNT ",
                     g[i].out.count(), "  /* ", name, " ", emit::meaning(g[i].out), " */\n");
  }
  const std::string run = emit::filled(joined("int ", o.space, "_run("), parameters, ")", 4);
  const std::string bind = joined("int ", o.space, "_bind(const void* blob, size_t blob_bytes)");
  const std::string size = joined("size_t ", o.space, "_arena_bytes(void)");
  const std::string prepare = joined("int ", o.space, "_prepare(void* packed, size_t packed_bytes)");
  const std::string packed_size = joined("size_t ", o.space, "_prepared_bytes(void)");
  runtime_graph stored(g);
  const bool is_coded = o.compress && o.prepared == nullptr && !compress_weights(stored).empty();

  c_api api;
  api.header = joined("#ifndef ", upper, "_H\n#define ", upper, "_H\n\n/* Written by lowbits ", LOWBITS_VERSION_MAJOR, ".",
                      LOWBITS_VERSION_MINOR, ".", LOWBITS_VERSION_PATCH,
                      ": do not edit.\n   Functions return 0, or the number of a lowbits::status. */\n\n#include <stddef.h>\n"
                      "#include <stdint.h>\n\n",
                      counts, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", size,
                      ";  /* at a multiple of 16 bytes */\n");
  if (o.weights_in_blob)
    api.header += joined("/* Before the first run: the weights, at a multiple of 16 bytes; they are used where they lie. */\n",
                         bind, ";\n");
  if (is_coded)
    api.header += joined(packed_size, ";  /* at a multiple of 64 bytes */\n/* Before the first run",
                         o.weights_in_blob ? ", behind bind" : "", ": expands the weights into memory that stays. */\n", prepare, ";\n");
  api.header += joined(run, ";\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");

  std::string pass = "arena_span";
  for (const std::string& a : arguments) pass += joined(",\n      ", a);
  api.source = joined("// Written by lowbits: do not edit.\n\n#include <span>\n\n#include \"", c_header, "\"\n#include \"", model_header,
                      "\"\n\nnamespace {\n\nusing net = lowbits::model<", o.space, "::", o.function, ">;\n");
  if (o.weights_in_blob)
    api.source += "lowbits::bound_model<net> bound;  // of nothing yet\n";
  if (o.prepared != nullptr)
    api.source += joined("const lowbits::prepared_model<net>& ready() {\n  static const auto model = net::attach(", o.space,
                         "::prepared);\n  return model;\n}\n");
  if (is_coded) api.source += "lowbits::prepared_model<net> ready;  // of nothing yet\n";
  api.source += joined("\n}  // namespace\n\nextern \"C\" ", size, " { return net::arena_bytes; }\n");
  if (o.weights_in_blob)
    api.source += joined("extern \"C\" ", bind,
                         " {\n  bound = net::bind({static_cast<const unsigned char*>(blob), blob_bytes});\n"
                         "  return static_cast<int>(bound.error());\n}\n");
  if (is_coded)
    api.source += joined("extern \"C\" ", packed_size, " { return net::prepared_bytes; }\nextern \"C\" ", prepare, " {\n  ready = ",
                         o.weights_in_blob ? "bound.prepare(" : "net::prepare(",
                         "{static_cast<unsigned char*>(packed), packed_bytes});\n  return static_cast<int>(ready.error());\n}\n");
  api.source += joined("extern \"C\" ", run,
                       " {\n  const std::span<unsigned char> arena_span(static_cast<unsigned char*>(arena), arena_bytes);\n"
                       "  return static_cast<int>(",
                       is_coded ? "ready.run(" : o.weights_in_blob ? "bound.run(" : o.prepared != nullptr ? "ready().run(" : "net::run(",
                       pass, "));\n}\n");
  return api;
}

}  // namespace lowbits
