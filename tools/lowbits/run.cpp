// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// lowbits run: the outputs of a model, every layer on demand, and how long it takes.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lowbits/hosted/model_text.hpp>
#include <lowbits/hosted/npy.hpp>

#include "execute.hpp"
#include "read_input.hpp"
#include "summary.hpp"
#include "text_table.hpp"

namespace tool {

namespace {

struct run_options {
  std::string file{}, labels{}, arch{}, dump{};
  int repeat = 10;
  size_t top = 5;
  input_options input{};
  load_options load{};
};

std::vector<std::string> read_lines(const std::string& path) {
  const bytes content = read_file("run", path);
  std::vector<std::string> lines{""};
  for (const unsigned char c : content) {
    if (c == '\n') lines.emplace_back();
    else if (c != '\r') lines.back() += static_cast<char>(c);
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

/// A vector: no more than one extent is above 1, and more than one element.
bool is_vector(const lb::tensor_desc& d) {
  int longer = 0;
  for (int a = 0; a < d.shape.rank; ++a) longer += d.shape.extent[a] > 1 ? 1 : 0;
  return longer == 1;
}

std::string best_text(const std::vector<float>& y, const std::vector<std::string>& labels, size_t top) {
  std::vector<size_t> order(y.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto key = [&](size_t i) { return lb::fp::is_nan(y[i]) ? -lb::fp::from_bits(lb::fp::infinity_bits) : y[i]; };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
  text_table t;
  t.column("element", text_table::right).column("value", text_table::right).column("label");
  for (size_t k = 0; k < order.size() && k < top; ++k) {
    const size_t i = order[k];
    t.row({lb::joined(i), lb::number_text(double{y[i]}, 6), i < labels.size() ? labels[i] : ""});
  }
  return t.text();
}

std::string numbers_text(const std::vector<float>& y) {
  float low = y.empty() ? 0 : y[0], high = low;
  double sum = 0;
  for (const float v : y) {
    low = std::min(low, v);
    high = std::max(high, v);
    sum += double{v};
  }
  std::string first;
  for (size_t i = 0; i < y.size() && i < 8; ++i)
    first += lb::joined(i ? ", " : "", lb::number_text(double{y[i]}, 6));
  return lb::joined("lowest ", lb::number_text(double{low}, 6), ", highest ", lb::number_text(double{high}, 6), ", mean ",
                    lb::number_text(sum / static_cast<double>(std::max<size_t>(y.size(), 1)), 6), "\n", first,
                    y.size() > 8 ? ", ..\n" : "\n");
}

lb::npy_array array_of(const layer_output& l) {
  lb::npy_array a{.bytes = l.elements};
  a.kind = l.desc.kind == lb::element::reals ? 'f' : l.desc.format.is_signed ? 'i' : 'u';
  a.element_bytes = l.desc.element_bytes();
  for (int e = 0; e < l.desc.shape.rank; ++e) a.shape.push_back(static_cast<size_t>(l.desc.shape.extent[e]));
  return a;
}

/// Every node's output as NNN_name.npy, and layers.json that says what the codes mean.
void dump(const std::string& folder, const loaded_model& m, const std::vector<layer_output>& layers) {
  namespace fs = std::filesystem;
  std::error_code ec;
  if (!fs::is_directory(folder, ec) && !fs::create_directory(folder, ec))
    fail("run", folder, "the folder does not exist and cannot be made", "make the folder it is in first");
  nlohmann::ordered_json index = nlohmann::ordered_json::array();
  for (const layer_output& l : layers) {
    const lb::node& n = m.graph()[l.node];
    std::string number = lb::joined(l.node), name(n.name.c_str());
    number.insert(0, number.size() < 3 ? 3 - number.size() : 0, '0');
    for (char& c : name)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.')) c = '_';
    const std::string file = lb::joined(number, "_", name, ".npy");
    write_file("run", (fs::path(folder) / file).string(), lb::write_npy(array_of(l)));
    nlohmann::ordered_json j{{"file", file}, {"name", n.name.c_str()}, {"operator", m.operator_name(l.node)}};
    j["tensor"] = m.model.origins[static_cast<size_t>(l.node)].tensor;
    j["type"] = lb::type_text(n.out);
    if (n.out.kind == lb::element::codes) {
      j["scale"] = n.out.params.scale;
      j["zero_point"] = n.out.params.zero_point;
    }
    index.push_back(j);
  }
  write_file("run", (fs::path(folder) / "layers.json").string(),
             index.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

int run(const run_options& o) {
  const loaded_model m = load_model("run", o.file, o.load);
  const std::vector<std::string> labels = o.labels.empty() ? std::vector<std::string>{} : read_lines(o.labels);
  const std::vector<bytes> in = read_inputs("run", m, o.input);
  const execution e = execute("run", m, in, o.arch, o.repeat);
  if (!o.dump.empty()) dump(o.dump, m, e.layers);

  std::printf("%s on %s\n", file_name(o.file).c_str(), e.arch.c_str());
  for (size_t k = 0; k < m.model.outputs.size(); ++k) {
    const lb::model_port& p = m.model.outputs[k];
    const std::vector<float> y = decoded(e.outputs[k].data(), p.desc);
    const std::string meaning = lb::meaning_text(p.desc);
    std::printf("\n%s %s %s%s%s\n%s", p.name.c_str(), lb::shape_text(p.desc.shape).c_str(), lb::type_text(p.desc).c_str(),
                meaning.empty() ? "" : ", ", meaning.c_str(),
                (is_vector(p.desc) ? best_text(y, labels, o.top) : numbers_text(y)).c_str());
    if (!labels.empty() && is_vector(p.desc) && labels.size() != y.size())
      std::printf("note: %s has %zu labels for %zu elements\n", o.labels.c_str(), labels.size(), y.size());
  }
  std::printf("\n");
  text_table t;
  t.column("").column("", text_table::right).column("");
  if (o.repeat > 0)
    t.row({"time", lb::number_text(e.median_us / 1000, 4), lb::joined("ms, median of ", o.repeat, o.repeat == 1 ? " run" : " runs",
                                                                      "; best ", lb::number_text(e.best_us / 1000, 4))});
  t.row({"arena", grouped(e.arena_bytes), "bytes"});
  t.row({"weights", grouped(e.prepared_bytes), "bytes in this processor's layout"});
  std::printf("%s", t.text().c_str());
  if (!o.dump.empty()) std::printf("%zu layers are in %s\n", e.layers.size(), o.dump.c_str());
  return 0;
}

}  // namespace

void add_run(CLI::App& app, action& todo) {
  auto o = std::make_shared<run_options>();
  CLI::App* c = app.add_subcommand("run", "Run a model on an input: outputs, layers, time");
  c->add_option("FILE", o->file, "the model")->required();
  add_input_options(*c, o->input);
  c->add_option("--labels", o->labels, "a text file with one name per line for the elements of the output");
  c->add_option("--arch", o->arch, "run with this instruction set instead of the best one (" + arch_names() + ")");
  c->add_option("--dump", o->dump, "write the output of every layer into this folder as .npy");
  c->add_option("--repeat", o->repeat, "how often to run for the time; 0 measures nothing")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  c->add_option("--top", o->top, "how many elements of a vector to print")->capture_default_str();
  add_load_options(*c, o->load);
  c->footer("Examples:\n"
            "  lowbits run kws.tflite --input features.npy --labels words.txt\n"
            "  lowbits run resnet.tflite --input frog.png\n"
            "  lowbits run net.tflite --input x.bin --dump layers --repeat 0\n"
            "  lowbits run two_inputs.tflite -i left=a.npy -i right=b.npy\n\n"
            "The codes are the same with every --arch.");
  c->callback([o, &todo] { todo = [o] { return run(*o); }; });
}

}  // namespace tool
