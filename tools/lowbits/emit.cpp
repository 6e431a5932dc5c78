// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// lowbits emit: a model as a C++ header.

#include <algorithm>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include <lowbits/hosted/emit_c_api.hpp>
#include <lowbits/hosted/emit_prepared.hpp>
#include <lowbits/hosted/keywords.hpp>
#include <lowbits/hosted/model_text.hpp>
#include <lowbits/hosted/runtime_model.hpp>

#include "load_model.hpp"
#include "summary.hpp"
#include "text_table.hpp"
#include "tool.hpp"

namespace tool {

namespace {

struct emit_options {
  std::string file{}, output{}, space{}, blob{}, arch{};
  bool integer_only = false, c_api = false, compress = false;
  load_options load{};
};

/// A word of the language, or a name that the header needs itself.
bool is_taken(const std::string& s) { return lb::is_keyword(s) || s == "lowbits" || s == "std"; }

bool is_namespace(const std::string& s) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (s.empty() || !letter(s[0])) return false;
  for (const char c : s)
    if (!letter(c) && !(c >= '0' && c <= '9')) return false;
  return !is_taken(s) && s.find("__") == s.npos && s[0] != '_';
}

void refuse_floats(const loaded_model& m) {
  const auto& g = m.graph();
  for (int i = 0; i < g.node_count(); ++i)
    if (lb::computes_in_floats(g, i))
      fail("emit", file_name(m.path),
           lb::joined("node '", g[i].name, "' (", m.operator_name(i), ") computes with floats, and --integer-only is given"),
           "quantize the model wholly; only its inputs and outputs may be floats");
}

/// What the header asserts; 0, which asserts nothing, for a graph that only a compiler can put together.
size_t portable_arena_bytes(const loaded_model& m) {
  try {
    return lb::runtime_model(m.graph(), lb::arch_id_of<lb::arch::generic>).arena_bytes();
  } catch (const lb::model_error&) {
    return 0;
  }
}

/// Whether the weights have a layout of their own on the architecture. Those of generic and of the
/// microcontrollers do not: their kernels read the weights as the header has them.
bool has_layout(const std::string& arch) {
  constexpr std::string_view plain[] = {"generic", "m0", "m0plus", "m3", "m4", "m7", "m23", "m33", "m55", "m85"};
  if (arch.empty() || std::find(std::begin(plain), std::end(plain), arch) != std::end(plain)) return false;
  if (*lb::arch_name(lb::arch_id_from(arch.c_str())) != '\0') return true;
  std::string names;
  for (const std::string_view name : plain) names += lb::joined(names.empty() ? "" : ", ", name);
  [&]<class... Archs>(lb::type_list<Archs...>) {
    static_cast<void>(((std::is_same_v<Archs, lb::arch::generic> || (names += lb::joined(", ", Archs::name), true)) && ...));
  }(lb::all_archs{});
  fail("emit", lb::joined("--arch ", arch), "it is not an architecture that this program knows",
       lb::joined("use one of ", names, ", or leave --arch out: then net::prepare() lays the weights out when the program starts"));
}

/// The name of a file beside `path` with another extension.
std::string beside(const std::string& path, const std::string& extension) {
  const size_t dot = path.rfind('.'), slash = path.rfind('/');
  const bool has_extension = dot != path.npos && (slash == path.npos || dot > slash);
  return (has_extension ? path.substr(0, dot) : path) + extension;
}

int emit(const emit_options& o) {
  const bool prepares = has_layout(o.arch);
  if (prepares && !o.blob.empty())
    fail("emit", lb::joined("--arch ", o.arch), "weights in the layout of an architecture are in the header, and --blob is given",
         "leave one of them out");
  if (prepares && o.compress)
    fail("emit", lb::joined("--arch ", o.arch), "weights in the layout of an architecture are not compressed, and --compress is given",
         "leave one of them out");
  const loaded_model m = load_model("emit", o.file, o.load);
  if (o.integer_only) refuse_floats(m);
  lb::header_options h{.space = o.space};
  if (h.space.empty()) {
    h.space = lb::emit::identifiers().make(stem(o.file));
    if (is_taken(h.space)) h.space += "_model";
  }
  if (!is_namespace(h.space))
    fail("emit", lb::joined("--namespace ", h.space), "it cannot be the name of a namespace",
         "use letters, digits and underscores, and no word of C++");
  h.notice = {lb::joined("From ", file_name(o.file), " (", m.model.format, ", ", m.file_bytes, " bytes).")};
  for (const std::string& note : m.model.notes) h.notice.push_back(lb::joined("Note: ", note));
  h.arena_bytes = portable_arena_bytes(m);
  h.weights_in_blob = !o.blob.empty();
  lb::prepared_graph prepared;
  if (prepares) prepared = lb::prepare_graph(m.graph(), lb::arch_id_from(o.arch.c_str()));
  if (!prepared.bytes.empty()) h.prepared = &prepared;
  h.compress = o.compress;
  const std::string header = lb::emit_header(m.graph(), h);
  if (h.weights_in_blob) {
    const std::vector<unsigned char> blob = lb::emit_blob(m.graph(), o.compress);
    if (blob.empty()) fail("emit", file_name(o.file), "the model has no weights that can be in a blob", "leave --blob out");
    write_file("emit", o.blob, std::string(blob.begin(), blob.end()));
  }
  if (o.c_api) {
    const std::string c_header = beside(o.output, ".h");
    if (c_header == o.output) fail("emit", o.output, "--c-api writes a .h file of that name", "name the output .hpp");
    const lb::c_api c = lb::emit_c_api(m.graph(), h, file_name(o.output), file_name(c_header));
    write_file("emit", c_header, c.header);
    write_file("emit", beside(o.output, ".cpp"), c.source);
  }
  write_file("emit", o.output, header);
  std::printf("%s: %s bytes, namespace %s, %d nodes\n", o.output.c_str(), grouped(header.size()).c_str(), h.space.c_str(),
              m.graph().node_count());
  for (const std::string& note : m.model.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  for (const std::string& note : float_notes(m, "the header")) std::fprintf(stderr, "note: %s\n", note.c_str());
  return 0;
}

}  // namespace

void add_emit(CLI::App& app, action& todo) {
  auto o = std::make_shared<emit_options>();
  CLI::App* c = app.add_subcommand("emit", "Write a model as one C++ header: weights, scales and the graph");
  c->add_option("FILE", o->file, "the model")->required();
  c->add_option("-o,--output", o->output, "the header; it is written whole or not at all")->required();
  c->add_option("--namespace", o->space, "namespace of the header's names; by default made of the file's name");
  c->add_flag("--integer-only", o->integer_only, "refuse a model with a node that computes with floats");
  c->add_option("--arch", o->arch, "the processor that the weights are laid out for: generic, a Cortex-M (m0 to m85), avx2, avx512vnni ...");
  c->add_option("--blob", o->blob, "write the weights into this file, to be used in place, instead of into the header");
  c->add_flag("--compress", o->compress, "store the weights in the fewest bytes; net::prepare() expands them into RAM");
  c->add_flag("--c-api", o->c_api, "also write a .h for C and the .cpp behind it, beside the header");
  add_load_options(*c, o->load);
  c->footer("Examples:\n"
            "  lowbits emit kws.tflite -o kws.hpp\n"
            "  lowbits emit kws.tflite -o kws.hpp --namespace kws --integer-only --arch m4\n"
            "  lowbits emit kws.tflite -o kws.hpp --arch avx512vnni\n"
            "  lowbits emit kws.tflite -o kws.hpp --blob kws.bin --c-api\n\n"
            "The header needs only the core of lowbits, so it serves firmware as it is:\n"
            "  #include \"kws.hpp\"\n"
            "  using net = lowbits::model<kws::make_net>;\n"
            "Its first lines show how to call it. The same model always gives the same text.");
  c->callback([o, &todo] { todo = [o] { return emit(*o); }; });
}

}  // namespace tool
