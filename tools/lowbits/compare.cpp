// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// lowbits compare: two models of the same network, layer by layer, and what the second one saves.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lowbits/hosted/model_text.hpp>

#include "difference.hpp"
#include "execute.hpp"
#include "read_input.hpp"
#include "summary.hpp"
#include "text_table.hpp"

namespace tool {

namespace {

struct compare_options {
  std::string file[2]{}, arch{};
  int repeat = 10;
  bool json = false;
  input_options input{};
  load_options load{};
};

struct side {
  loaded_model model{};
  execution run{};
  model_summary cost{};
};

/// A pair of layers that compute the same tensor.
struct layer_pair {
  const layer_output *a = nullptr, *b = nullptr;
  difference by{};
};

/// The inputs of both models from the same files. Raw bytes and the range of pictures are meant for the
/// model whose input has codes, the first one if both have.
void read_both(const compare_options& o, const side (&s)[2], std::vector<bytes> (&in)[2]) {
  if (s[0].model.model.inputs.size() != s[1].model.model.inputs.size())
    fail("compare", file_name(o.file[1]),
         lb::joined("it has ", s[1].model.model.inputs.size(), " inputs instead of ", s[0].model.model.inputs.size()),
         "compare two models of the same network");
  const std::vector<std::string> files = files_of_inputs("compare", s[0].model, o.input);
  for (size_t k = 0; k < files.size(); ++k) {
    const lb::model_port* port[2] = {&s[0].model.model.inputs[k], &s[1].model.model.inputs[k]};
    if (port[0]->desc.count() != port[1]->desc.count())
      fail("compare", file_name(o.file[1]),
           lb::joined("input '", port[1]->name, "' is ", lb::shape_text(port[1]->desc.shape), " instead of ",
                      lb::shape_text(port[0]->desc.shape)),
           "compare two models of the same network");
    int meant = port[0]->desc.kind == lb::element::reals && port[1]->desc.kind == lb::element::codes ? 1 : 0;
    if (extension(files[k]) == ".bin") {
      const size_t size = read_file("compare", files[k]).size();
      if (size != port[meant]->desc.bytes() && size == port[1 - meant]->desc.bytes()) meant = 1 - meant;
    }
    const input_value v = read_input("compare", files[k], *port[meant], has_planar_pictures(s[meant].model), o.input);
    for (int j = 0; j < 2; ++j) {
      const bool same = j == meant || port[j]->desc.same_numbers(port[meant]->desc);
      const input_value reals{.reals = v.is_codes ? decoded(v.codes.data(), port[meant]->desc) : v.reals};
      in[j].push_back(encoded(same ? v : reals, port[j]->desc));
    }
  }
}

/// An input, or what an operation of the file computes; not a node on the way to that.
bool is_layer(const side& s, const layer_output& l) {
  const lb::node_origin& from = s.model.model.origins[static_cast<size_t>(l.node)];
  return from.output >= 0 || from.operation < 0;
}

/// By the tensor's name in the file, or by the first of several names that a converter has joined.
std::vector<layer_pair> matched(const side& a, const side& b) {
  const auto name = [](const side& s, const layer_output& l, bool whole) {
    const std::string& full = s.model.model.origins[static_cast<size_t>(l.node)].tensor;
    return whole ? full : full.substr(0, full.find(';'));
  };
  std::map<std::string, const layer_output*> whole, first;
  for (const layer_output& l : b.run.layers) {
    if (!is_layer(b, l)) continue;
    whole.emplace(name(b, l, true), &l);
    const auto [at, is_new] = first.emplace(name(b, l, false), &l);
    if (!is_new) at->second = nullptr;  // not unique
  }
  std::vector<layer_pair> pairs;
  for (const layer_output& l : a.run.layers) {
    if (!is_layer(a, l)) continue;
    const layer_output* other = nullptr;
    if (const auto at = whole.find(name(a, l, true)); at != whole.end()) other = at->second;
    else if (const auto near = first.find(name(a, l, false)); near != first.end()) other = near->second;
    if (other != nullptr && other->desc.count() == l.desc.count()) pairs.push_back({&l, other});
  }
  // The ends correspond whatever they are called.
  const auto add = [&](int node_a, int node_b) {
    layer_pair p;
    for (const layer_output& l : a.run.layers)
      if (l.node == node_a) p.a = &l;
    for (const layer_output& l : b.run.layers)
      if (l.node == node_b) p.b = &l;
    for (const layer_pair& q : pairs)
      if (q.a == p.a) return;
    if (p.a != nullptr && p.b != nullptr && p.a->desc.count() == p.b->desc.count()) pairs.push_back(p);
  };
  const auto &ma = a.model.model, &mb = b.model.model;
  for (size_t k = 0; k < ma.inputs.size(); ++k) add(ma.inputs[k].node, mb.inputs[k].node);
  for (size_t k = 0; k < ma.outputs.size() && k < mb.outputs.size(); ++k) add(ma.outputs[k].node, mb.outputs[k].node);
  std::sort(pairs.begin(), pairs.end(), [](const layer_pair& x, const layer_pair& y) { return x.a->node < y.a->node; });
  for (layer_pair& p : pairs)
    p.by = difference_of(decoded(p.a->elements.data(), p.a->desc), decoded(p.b->elements.data(), p.b->desc));
  return pairs;
}

std::string change_text(double before, double after) {
  if (before == 0) return "";
  const double percent = 100 * (after - before) / before;
  return lb::joined(percent > 0 ? "+" : "", lb::number_text(std::round(percent * 10) / 10, 6), " %");
}
std::string ratio_text(double before, double after) {
  return after == 0 ? "" : lb::joined(lb::number_text(before / after, 3), " x");
}

size_t layer_count(const side& s) {
  size_t n = 0;
  for (const layer_output& l : s.run.layers) n += is_layer(s, l) ? 1 : 0;
  return n;
}

std::string layers_text(const side& a, const std::vector<layer_pair>& pairs) {
  text_table t;
  t.column("#", text_table::right).column("layer").column("operator").column("types");
  for (const char* title : {"max", "mean", "rmse", "cosine", "SQNR dB"}) t.column(title, text_table::right);
  for (const layer_pair& p : pairs) {
    const auto n = [](double v) { return lb::number_text(v, 4); };
    const std::string left = lb::type_text(p.a->desc), right = lb::type_text(p.b->desc);
    t.row({lb::joined(p.a->node), shortened(a.model.graph()[p.a->node].name.c_str(), 36), a.model.operator_name(p.a->node),
           left == right ? left : lb::joined(left, ", ", right), n(p.by.largest), n(p.by.mean), n(p.by.rmse),
           lb::number_text(p.by.cosine, 6), p.by.equal ? "equal" : lb::number_text(p.by.sqnr, 3)});
  }
  return t.text();
}

void print_text(const compare_options& o, const side (&s)[2], const std::vector<layer_pair>& pairs) {
  std::printf("A: %s\nB: %s\n\n%s\n", file_name(o.file[0]).c_str(), file_name(o.file[1]).c_str(), layers_text(s[0], pairs).c_str());
  const layer_pair* differing = nullptr;
  const layer_pair* worst = nullptr;
  for (const layer_pair& p : pairs) {
    if (p.by.equal) continue;
    if (differing == nullptr) differing = &p;
    if (worst == nullptr || p.by.sqnr < worst->by.sqnr) worst = &p;
  }
  if (differing == nullptr) {
    std::printf("all %zu tensors are equal\n", pairs.size());
  } else {
    std::printf("first difference: '%s', by up to %s\n", s[0].model.graph()[differing->a->node].name.c_str(),
                lb::number_text(differing->by.largest, 4).c_str());
    std::printf("largest noise:    '%s', SQNR %s dB\n", s[0].model.graph()[worst->a->node].name.c_str(),
                lb::number_text(worst->by.sqnr, 3).c_str());
  }
  if (pairs.size() < layer_count(s[0]) || pairs.size() < layer_count(s[1]))
    std::printf("note: A has %zu tensors and B has %zu; %zu correspond by name and size\n", layer_count(s[0]), layer_count(s[1]),
                pairs.size());

  text_table t;
  t.column("").column("A", text_table::right).column("B", text_table::right).column("change", text_table::right);
  t.column("A / B", text_table::right);
  const auto row = [&](const char* what, double a, double b, const std::string& ta, const std::string& tb) {
    t.row({what, ta, tb, change_text(a, b), ratio_text(a, b)});
  };
  const auto count = [&](const char* what, size_t a, size_t b) {
    row(what, static_cast<double>(a), static_cast<double>(b), grouped(a), grouped(b));
  };
  count("file, bytes", s[0].model.file_bytes, s[1].model.file_bytes);
  count("weights, bytes", s[0].cost.report.weight_bytes, s[1].cost.report.weight_bytes);
  count("RAM (arena), bytes", s[0].run.arena_bytes, s[1].run.arena_bytes);
  count("MACs", s[0].cost.report.macs, s[1].cost.report.macs);
  if (o.repeat > 0)
    row("time, ms", s[0].run.median_us, s[1].run.median_us, lb::number_text(s[0].run.median_us / 1000, 4),
        lb::number_text(s[1].run.median_us / 1000, 4));
  std::printf("\n%s", t.text().c_str());
  for (size_t k = 0; k < s[0].model.model.outputs.size(); ++k) {
    const int node = s[0].model.model.outputs[k].node;
    for (const layer_pair& p : pairs)
      if (p.a->node == node)
        std::printf("output '%s': cosine %s, rmse %s, largest difference %s\n", s[0].model.model.outputs[k].name.c_str(),
                    lb::number_text(p.by.cosine, 6).c_str(), lb::number_text(p.by.rmse, 4).c_str(),
                    lb::number_text(p.by.largest, 4).c_str());
  }
}

void print_json(const compare_options& o, const side (&s)[2], const std::vector<layer_pair>& pairs) {
  using json = nlohmann::ordered_json;
  json layers = json::array(), models = json::array();
  for (const layer_pair& p : pairs)
    layers.push_back({{"name", s[0].model.graph()[p.a->node].name.c_str()},
                      {"equal", p.by.equal},
                      {"max", p.by.largest},
                      {"mean", p.by.mean},
                      {"rmse", p.by.rmse},
                      {"cosine", p.by.cosine},
                      {"sqnr_db", p.by.sqnr}});
  for (int k = 0; k < 2; ++k)
    models.push_back({{"file", file_name(o.file[k])},
                      {"file_bytes", s[k].model.file_bytes},
                      {"weight_bytes", s[k].cost.report.weight_bytes},
                      {"arena_bytes", s[k].run.arena_bytes},
                      {"macs", s[k].cost.report.macs},
                      {"median_ms", s[k].run.median_us / 1000}});
  const json j{{"models", models}, {"layers", layers}};
  std::printf("%s\n", j.dump(2, ' ', false, json::error_handler_t::replace).c_str());
}

int compare(const compare_options& o) {
  side s[2];
  std::vector<bytes> in[2];
  for (int k = 0; k < 2; ++k) s[k].model = load_model("compare", o.file[k], o.load);
  read_both(o, s, in);
  for (int k = 0; k < 2; ++k) {
    s[k].run = execute("compare", s[k].model, in[k], o.arch, o.repeat);
    s[k].cost = summarize(s[k].model);
  }
  const std::vector<layer_pair> pairs = matched(s[0], s[1]);
  if (o.json) print_json(o, s, pairs);
  else print_text(o, s, pairs);
  return 0;
}

}  // namespace

void add_compare(CLI::App& app, action& todo) {
  auto o = std::make_shared<compare_options>();
  CLI::App* c = app.add_subcommand("compare", "Compare two models of the same network, layer by layer");
  c->add_option("A", o->file[0], "the model to compare with, for example the float one")->required();
  c->add_option("B", o->file[1], "the other model")->required();
  add_input_options(*c, o->input);
  c->add_option("--arch", o->arch, "run with this instruction set instead of the best one (" + arch_names() + ")");
  c->add_option("--repeat", o->repeat, "how often to run for the time; 0 measures nothing")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  c->add_flag("--json", o->json, "print JSON instead of text");
  add_load_options(*c, o->load);
  c->footer("Example:\n"
            "  lowbits compare kws_float.tflite kws_int8.tflite --input features.npy\n\n"
            "Layers correspond by the names of their tensors. Differences are between real numbers: codes are\n"
            "dequantized. SQNR is A's signal over the difference, 10 log10(sum a^2 / sum (a - b)^2).");
  c->callback([o, &todo] { todo = [o] { return compare(*o); }; });
}

}  // namespace tool
