// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every recorded case of tests/data: the imported model gives what the foreign runtime's reference
// kernels gave. Integers are equal; floats within the tolerance that the data's README states. What the
// importer cannot read is listed here, and nothing else.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include <lowbits/hosted/emit_header.hpp>
#include <lowbits/hosted/import_tflite.hpp>
#include <lowbits/hosted/runtime_model.hpp>

#include "foreign/check.hpp"
#include "foreign/json_data.hpp"
#include "support/for_each_arch.hpp"

namespace lb = lowbits;
using foreign::json;

namespace {

using bytes = std::vector<unsigned char>;

bytes bytes_of(const json& tensor) {
  const std::string hex = tensor["data"].get<std::string>();
  bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<unsigned char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return out;
}
template <class T>
std::vector<T> elements_of(const bytes& b) {
  std::vector<T> v(b.size() / sizeof(T));
  if (!v.empty()) std::memcpy(v.data(), b.data(), v.size() * sizeof(T));
  return v;
}

/// How far got is from want: the largest difference in codes, or relative to 1 or the number in floats.
std::string difference(const std::string& dtype, const bytes& got, const bytes& want, double tolerance) {
  if (got.size() != want.size())
    return std::to_string(got.size()) + " bytes instead of " + std::to_string(want.size());
  const auto largest = [&](auto zero) {
    const auto g = elements_of<decltype(zero)>(got), w = elements_of<decltype(zero)>(want);
    double d = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      const double a = static_cast<double>(g[i]), b = static_cast<double>(w[i]);
      double e = std::fabs(a - b) / std::max(1.0, tolerance > 0 ? std::fabs(b) : 1.0);
      if (std::isnan(a) != std::isnan(b)) e = HUGE_VAL;
      if (e > d) d = e, at = i;
    }
    return d <= tolerance ? std::string()
                          : "element " + std::to_string(at) + " is off by " + std::to_string(d);
  };
  if (dtype == "float32") return largest(0.0f);
  if (dtype == "int8") return largest(std::int8_t{});
  if (dtype == "uint8") return largest(std::uint8_t{});
  if (dtype == "int16") return largest(std::int16_t{});
  if (dtype == "int32") return largest(std::int32_t{});
  return got == want ? "" : "bytes differ";
}

/// Sums are exact in these; where a function of the C library or a division takes part, the last bits
/// may differ.
constexpr double float_tolerance = 2e-6;

/// What the importer refuses: "group/name", or its beginning up to an underscore.
const std::vector<std::string> refused{
    "add/int32_", "sub/int32_", "mul/int32_", "minimum/int32_", "maximum/int32_",  // no arithmetic in 32 bits
    "fully_connected/int8_fed_weights",  // weights that are computed
    "quantize/float32_to_int8_per_channel", "dequantize/int8_per_channel",  // activations with a scale per channel
};
/// Where the runtime has no rule of its own: it turns floats into integers that cannot hold them.
const std::vector<std::string> undefined{"quantize/float32_to_int8_ends", "quantize/float32_to_uint8_ends",
                                         "quantize/float32_to_int16_ends"};
/// The table of 1 / (1 + x) comes from float here, as in TFLite Micro and CMSIS-NN; LiteRT makes it in
/// double, and two of its 513 entries are larger by 1.
const std::vector<std::string> off_by_one{"softmax/int16_rank_2"};

bool is_listed(const std::vector<std::string>& list, const std::string& name) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& s) {
    return s == name || (s.back() == '_' && name.rfind(s, 0) == 0);
  });
}

/// What differs from the first result of a case on any architecture, or nothing. Of a network, also what
/// every other operator writes.
std::string run_case(const lb::imported_model& model, const std::string& name, const json& c) {
  std::vector<bytes> in;
  for (std::size_t k = 0; k < model.inputs.size(); ++k)
    for (const json& t : c["inputs"])
      if (t["name"] == model.inputs[k].name || c["inputs"].size() == 1) in.push_back(bytes_of(t));
  const auto compare = [&](const json& want, const bytes& got) {
    const std::string dtype = want["dtype"].get<std::string>();
    return difference(dtype, got, bytes_of(want),
                      dtype == "float32" ? float_tolerance : is_listed(off_by_one, name) ? 1 : 0);
  };
  const json& want = c["results"].at(0)["outputs"];
  const json inner = c.contains("inner") ? c["inner"] : json::array();
  std::string wrong;
  lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& arch_name) {
    std::size_t found = 0;
    const auto look = [&](const lb::node_output& o) {
      const lb::node_origin& from = model.origins[static_cast<std::size_t>(o.index)];
      for (const json& t : inner) {
        if (from.output < 0 || t["name"] != from.tensor) continue;
        ++found;
        const auto* const at = static_cast<const unsigned char*>(o.data);
        const std::string d = compare(t, bytes(at, at + o.desc->bytes()));
        if (!d.empty() && wrong.empty()) wrong = "'" + from.tensor + "': " + d + " on " + arch_name;
      }
    };
    const std::vector<bytes> out = lb::runtime_model(model.graph(), arch).run(in, look);
    if (out.size() != want.size()) wrong = "number of outputs";
    if (found < inner.size()) wrong = "an inner tensor was not computed";
    for (std::size_t k = 0; wrong.empty() && k < out.size(); ++k) {
      wrong = compare(want[k], out[k]);
      if (!wrong.empty()) wrong += " on " + arch_name;
    }
  });
  return wrong;
}

struct counts {
  std::size_t ran = 0, out_of_scope = 0, failed = 0;
};

void run_group(const std::string& folder, const std::string& group, const std::string& model_path, counts& n) {
  const json cases = foreign::read_json(folder + group + ".json");
  for (const json& c : cases["cases"]) {
    const std::string name = group + "/" + c["name"].get<std::string>();
    CAPTURE(name);
    std::string wrong;
    try {
      const lb::imported_model model = lb::import_tflite(model_path.empty() ? folder + name + ".tflite" : model_path);
      CHECK_MESSAGE(!is_listed(refused, name), name << " is not refused any more");
      static_cast<void>(lb::emit_header(model.graph()));  // throws where it cannot be written down
      if (!is_listed(undefined, name)) wrong = run_case(model, name, c);
      ++n.ran;
    } catch (const lb::model_error& e) {
      ++n.out_of_scope;
      if (!is_listed(refused, name)) wrong = e.what();
    }
    CHECK(wrong == "");
    n.failed += wrong.empty() ? 0 : 1;
  }
}

void report(const char* set, const counts& n) {
  std::printf("foreign cases: %s: ran %zu, failed %zu, skipped %zu\n", set, n.ran, n.failed, n.out_of_scope);
}

}  // namespace

TEST_CASE("import_tflite: recorded operators") {
  const std::string folder = LOWBITS_TEST_DATA "/tflite_ops/";
  counts n;
  const json index = foreign::read_json(folder + "index.json");
  for (const json& group : index["groups"]) run_group(folder, group["group"].get<std::string>(), "", n);
  report("tflite operators", n);
  CHECK(n.ran == 935);
  CHECK(n.out_of_scope == 10);
}

TEST_CASE("import_tflite: recorded answers of published models") {
  if (!foreign::data_present()) return;
  const std::string folder = LOWBITS_TEST_DATA "/tflite_models/";
  counts n;
  const json index = foreign::read_json(folder + "index.json");
  for (const json& group : index["groups"])
    run_group(folder, group["group"].get<std::string>(),
              foreign::data_folder() + "models/" + group["model"].get<std::string>(), n);
  report("tflite published models", n);
  CHECK(n.ran == 54);
  CHECK(n.out_of_scope == 0);
}
