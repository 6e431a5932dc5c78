// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// lowbits inspect: what is in a model, as text, JSON or a picture.

#include <cstdio>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lowbits/hosted/compress_weights.hpp>
#include <lowbits/hosted/model_text.hpp>
#include <lowbits/hosted/runtime_model.hpp>

#include "draw.hpp"
#include "load_model.hpp"
#include "summary.hpp"
#include "text_table.hpp"
#include "tool.hpp"

namespace tool {

namespace {

struct inspect_options {
  std::string file{}, svg{};
  bool json = false, storage = false;
  load_options load{};
};

constexpr lb::coded_kind kinds[] = {lb::coded_kind::plain, lb::coded_kind::entropy, lb::coded_kind::index,
                                    lb::coded_kind::sparse};

std::string layers_text(const loaded_model& m) {
  const auto& g = m.graph();
  text_table t;
  t.column("#", text_table::right).column("layer").column("operator").column("details").column("output").column("type");
  t.column("scale", text_table::right).column("zero", text_table::right).column("MACs", text_table::right);
  t.column("weights").column("bytes", text_table::right);
  for (int i = 0; i < g.node_count(); ++i) {
    const lb::node& n = g[i];
    const bool codes = n.out.kind == lb::element::codes;
    const uint64_t macs = lb::node_macs(g, i);
    const size_t constants = node_constant_bytes(g, i);
    t.row({lb::joined(i), shortened(n.name.c_str(), 36), m.operator_name(i), lb::details_text(n), lb::shape_text(n.out.shape),
           lb::type_text(n.out), codes ? lb::number_text(double{n.out.params.scale}, 6) : "",
           codes ? lb::joined(n.out.params.zero_point) : "", macs != 0 ? grouped(macs) : "", lb::weights_text(n.weights),
           constants != 0 ? grouped(constants) : ""});
  }
  return t.text();
}

/// What the weights of every layer take in each kind of storage, headers included.
std::string storage_text(const loaded_model& m) {
  const auto& g = m.graph();
  text_table t;
  t.column("#", text_table::right).column("layer").column("weights").column("codes", text_table::right);
  t.column("entropy", text_table::right);
  for (const lb::coded_kind k : kinds) t.column(k == lb::coded_kind::entropy ? "coded" : lb::to_string(k), text_table::right);
  t.column("smallest");
  size_t now = 0, smallest = 0;
  for (int i = 0; i < g.node_count(); ++i) {
    const lb::coded_bytes c = lb::coded_weights_of(g, i);
    if (c.bytes.empty()) continue;
    const size_t stored = g[i].weights.stored_bytes();
    const bool is_coded = c.bytes.size() < stored;
    now += stored;
    smallest += is_coded ? c.bytes.size() : stored;
    std::vector<std::string> row{lb::joined(i), shortened(g[i].name.c_str(), 36), lb::weights_text(g[i].weights),
                                 grouped(lb::weight_count(g, i)), grouped(static_cast<size_t>(c.entropy + 0.5))};
    for (const lb::coded_kind k : kinds) row.push_back(grouped(c.size_of(k)));
    row.push_back(!is_coded ? "as it is" : c.kind == lb::coded_kind::entropy ? "coded" : lb::to_string(c.kind));
    t.row(row);
  }
  return lb::joined("bytes of the weights in each kind of storage (emit --compress takes the smallest)\n\n", t.text(), "\nweights ",
                    grouped(now), " bytes, compressed ", grouped(smallest), "\n");
}

std::string ports_text(const std::vector<lb::model_port>& ports, const char* title) {
  text_table t;
  t.column("").column("").column("").column("").column("");
  for (const lb::model_port& p : ports)
    t.row({title, p.name, lb::shape_text(p.desc.shape), lb::type_text(p.desc), lb::meaning_text(p.desc)});
  return t.text();
}

void print_text(const loaded_model& m) {
  const auto& g = m.graph();
  const model_summary s = summarize(m);
  std::printf("%s: %s, %s bytes\n\n%s\n", file_name(m.path).c_str(), m.model.format.c_str(), grouped(m.file_bytes).c_str(),
              layers_text(m).c_str());
  std::printf("%s%s", ports_text(m.model.inputs, "input ").c_str(), ports_text(m.model.outputs, "output").c_str());
  text_table t;
  t.column("").column("", text_table::right).column("");
  t.row({"MACs", grouped(s.report.macs), "multiply-accumulates of one run"});
  t.row({"weights", grouped(s.report.weight_bytes), "bytes of weights, biases and constants"});
  if (s.error.empty()) {
    t.row({"arena", grouped(s.arena_bytes), "bytes of memory while it runs, scratch included"});
    t.row({"peak", grouped(s.report.peak_bytes), lb::joined("bytes in and out of '", g[s.report.peak_node].name, "'")});
  }
  std::printf("\n%s", t.text().c_str());
  for (const std::string& note : s.notes) std::printf("note: %s\n", note.c_str());
}

void print_json(const loaded_model& m, bool storage) {
  using json = nlohmann::ordered_json;
  const auto& g = m.graph();
  const model_summary s = summarize(m);
  const auto shape = [](const lb::tensor_shape& x) { return std::vector<int>(x.extent, x.extent + x.rank); };
  const auto tensor = [&](json& j, const lb::tensor_desc& d) {
    j["shape"] = shape(d.shape);
    j["type"] = lb::type_text(d);
    if (d.kind != lb::element::codes) return;
    j["scale"] = d.params.scale;
    j["zero_point"] = d.params.zero_point;
  };
  const auto ports = [&](const std::vector<lb::model_port>& all) {
    json list = json::array();
    for (const lb::model_port& p : all) {
      json j{{"name", p.name}, {"node", p.node}};
      tensor(j, p.desc);
      list.push_back(j);
    }
    return list;
  };
  json layers = json::array();
  for (int i = 0; i < g.node_count(); ++i) {
    const lb::node& n = g[i];
    const lb::node_origin& from = m.model.origins[static_cast<size_t>(i)];
    json j{{"index", i}, {"name", n.name.c_str()}, {"kind", lb::kind_name(n.kind)}};
    if (from.operation >= 0) j["operation"] = {{"index", from.operation}, {"kind", from.kind}};
    j["tensor"] = from.tensor;
    j["details"] = lb::details_text(n);
    j["inputs"] = std::vector<int>(n.in, n.in + n.in_count);
    j["output"] = json::object();
    tensor(j["output"], n.out);
    j["macs"] = lb::node_macs(g, i);
    if (n.weights.is_bound()) j["weights"] = lb::weights_text(n.weights);
    j["constant_bytes"] = node_constant_bytes(g, i);
    if (const lb::coded_bytes c = storage ? lb::coded_weights_of(g, i) : lb::coded_bytes{}; !c.bytes.empty()) {
      j["storage"] = {{"codes", lb::weight_count(g, i)}, {"entropy", c.entropy}};
      for (const lb::coded_kind k : kinds) j["storage"][k == lb::coded_kind::entropy ? "coded" : lb::to_string(k)] = c.size_of(k);
    }
    layers.push_back(j);
  }
  json j{{"file", file_name(m.path)}, {"format", m.model.format}, {"file_bytes", m.file_bytes}};
  j["inputs"] = ports(m.model.inputs);
  j["outputs"] = ports(m.model.outputs);
  j["layers"] = layers;
  j["macs"] = s.report.macs;
  j["weight_bytes"] = s.report.weight_bytes;
  if (s.error.empty()) j["arena_bytes"] = s.arena_bytes;
  j["notes"] = s.notes;
  // Names come from the file: what is not UTF-8 is replaced.
  std::printf("%s\n", j.dump(2, ' ', false, json::error_handler_t::replace).c_str());
}

int inspect(const inspect_options& o) {
  const loaded_model m = load_model("inspect", o.file, o.load);
  if (!o.svg.empty()) write_file("inspect", o.svg, draw_svg(m));
  if (o.json) print_json(m, o.storage);
  else if (o.storage) std::printf("%s", storage_text(m).c_str());
  else print_text(m);
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, action& todo) {
  auto o = std::make_shared<inspect_options>();
  CLI::App* c = app.add_subcommand("inspect", "Show the layers of a model: shapes, scales, multiply-accumulates, bytes");
  c->add_option("FILE", o->file, "the model")->required();
  c->add_option("--svg", o->svg, "also draw the graph into this file");
  c->add_flag("--storage", o->storage, "show the bytes of the weights, coded in several ways");
  c->add_flag("--json", o->json, "print JSON instead of text");
  add_load_options(*c, o->load);
  c->footer("Examples:\n"
            "  lowbits inspect kws.tflite\n"
            "  lowbits inspect kws.tflite --svg kws.svg\n"
            "  lowbits inspect kws.tflite --json | jq '.layers[].macs'\n"
            "  lowbits inspect net.onnx --shape batch=1\n\n"
            "A layer's real numbers are scale * (code - zero). 'int8/ch' weights have a scale for each channel.");
  c->callback([o, &todo] { todo = [o] { return inspect(*o); }; });
}

}  // namespace tool
