// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Weights in a blob: the emitted header and blob give the bytes of the header that has its weights
// inside; a blob that is not the model's is refused.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <lowbits/hosted/emit_c_api.hpp>
#include <lowbits/hosted/runtime_model.hpp>

#include "support/for_each_arch.hpp"
#include "support/golden_blob.hpp"
#include "support/golden_network.hpp"
#include "support/graph_oracle.hpp"

namespace lb = lowbits;

namespace {

using inside = lb::model<golden::make_net>;
using outside = lb::model<golden_blob::make_net>;

const lb::header_options options{.space = "golden_blob", .weights_in_blob = true};

std::vector<unsigned char> blob_bytes() { return lb::emit_blob(inside::graph); }

/// At a multiple of 64 bytes.
lb::aligned_bytes aligned(const std::vector<unsigned char>& bytes) {
  lb::aligned_bytes a(bytes.size());
  std::memcpy(a.data(), bytes.data(), bytes.size());
  return a;
}

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}
void compare_with_file(const std::string& name, const std::string& text) {
  const std::string path = (std::filesystem::path(__FILE__).parent_path().parent_path() / "support" / name).string();
  if (std::getenv("LOWBITS_RENEW_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  CHECK(text == read(path));
}

/// Every node's bytes on random inputs, from something that has observe().
template <class Net>
std::vector<unsigned char> layers(const Net& net) {
  std::vector<unsigned char> all;
  lb::aligned_bytes arena(outside::arena_bytes);
  [&]<std::size_t... I, std::size_t... O>(std::index_sequence<I...>, std::index_sequence<O...>) {
    std::vector<unsigned char> in[] = {std::vector<unsigned char>(outside::input_desc<I>.bytes())...};
    std::vector<unsigned char> out[] = {std::vector<unsigned char>(outside::output_desc<O>.bytes())...};
    for (std::size_t k = 0; k < sizeof...(I); ++k)
      if (outside::graph[outside::graph.input_node(static_cast<int>(k))].out.kind == lb::element::codes)
        lowbits_test::fill_random(in[k].data(), in[k].size(), static_cast<std::uint32_t>(k) + 5);
    const auto keep = [&](const lb::node_output& o) {
      const auto* p = static_cast<const unsigned char*>(o.data);
      all.insert(all.end(), p, p + o.desc->bytes());
    };
    REQUIRE(net.observe(keep, arena.span(),
                        std::span(reinterpret_cast<const outside::input_type<I>*>(in[I].data()), outside::input_desc<I>.count())...,
                        std::span(reinterpret_cast<outside::output_type<O>*>(out[O].data()), outside::output_desc<O>.count())...) ==
            lb::status::ok);
  }
  (std::make_index_sequence<outside::input_count>{}, std::make_index_sequence<outside::output_count>{});
  return all;
}

}  // namespace

TEST_CASE("blob: the emitted header, its C interface, and the same bytes twice") {
  compare_with_file("golden_blob.hpp", lb::emit_header(inside::graph, options));
  const lb::c_api c = lb::emit_c_api(inside::graph, options, "golden_blob.hpp", "golden_blob.h");
  compare_with_file("golden_blob.h", c.header);
  compare_with_file("golden_blob_c.inc", c.source);
  CHECK(blob_bytes() == blob_bytes());
  CHECK(blob_bytes().size() == outside::blob_bytes);
}

TEST_CASE("blob: same results as with the weights in the program, on every architecture") {
  const lb::aligned_bytes blob = aligned(blob_bytes());
  const auto bound = outside::bind({blob.data(), blob.size()});
  REQUIRE(bound.error() == lb::status::ok);
  const std::vector<unsigned char> want = layers(inside{});
  CHECK(layers(bound) == want);
  lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& name) {
    CAPTURE(name);
    lb::aligned_bytes packed(outside::prepared_bytes);
    const auto ready = bound.prepare_for(arch, packed.span());
    REQUIRE(ready.error() == lb::status::ok);
    CHECK(layers(ready) == want);
    const auto again = bound.attach({packed.data(), packed.size()});
    REQUIRE(again.error() == lb::status::ok);
    CHECK(layers(again) == want);
  });
}

TEST_CASE("blob: what is not the model's blob is refused") {
  const std::vector<unsigned char> good = blob_bytes();
  const auto error = [](const std::vector<unsigned char>& bytes) {
    const lb::aligned_bytes a = aligned(bytes);
    return outside::bind({a.data(), a.size()}).error();
  };
  CHECK(error(good) == lb::status::ok);
  for (std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, good.size() - 1})
    CHECK(error({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}) == lb::status::too_small);
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (i >= sizeof(lb::blob_header) && i < lb::blob_header_bytes) continue;  // unused
    std::vector<unsigned char> bad = good;
    bad[i] ^= 0x10;
    CAPTURE(i);
    CHECK(error(bad) == lb::status::foreign);
  }
  lb::aligned_bytes shifted(good.size() + 1);
  std::memcpy(shifted.data() + 1, good.data(), good.size());
  CHECK(outside::bind({shifted.data() + 1, good.size()}).error() == lb::status::misaligned);
  unsigned char buffer[1];
  CHECK(outside::bind({}).prepare(buffer).error() == lb::status::too_small);
}

namespace {

/// Blobs of the network with one node changed; where it says nothing, the graph has no such node.
template <class Function>
lb::status error_of_changed(const char* name, const Function& change) {
  auto g = inside::graph;
  bool found = false;
  for (int i = 0; i < g.node_count(); ++i) {
    if (std::string(g[i].name.c_str()) != name) continue;
    change(const_cast<lb::node&>(g[i]));
    found = true;
  }
  REQUIRE(found);
  const lb::aligned_bytes a = aligned(lb::emit_blob(g));
  return outside::bind({a.data(), a.size()}).error();
}

}  // namespace

TEST_CASE("blob: one of the same graph with other scales, biases or options is refused") {
  static const float scales[] = {0.1f, 2e-06f};
  static const std::int32_t bias[] = {-2147483647, 2147483646};
  static const std::int64_t wide[] = {-4000000000000000001};
  const auto refused = [](const char* name, const auto& change) {
    CAPTURE(name);
    CHECK(error_of_changed(name, change) == lb::status::foreign);
  };
  CHECK(error_of_changed("dense", [](lb::node&) {}) == lb::status::ok);
  refused("conv 3x3", [](lb::node& n) { n.weights.scales = scales; });
  refused("conv 3x3", [](lb::node& n) { n.bias.s32 = bias; });
  refused("head", [](lb::node& n) { n.bias.s64 = wide; });
  refused("dense", [](lb::node& n) { n.weights.scale = 0.25f; });
  refused("head", [](lb::node& n) { n.product = lb::scale_product::exact; });
  refused("sum", [](lb::node& n) { n.sum = lb::sum_definition::single; });
  refused("all four", [](lb::node& n) { n.axis = 0; });
  refused("turned", [](lb::node& n) { n.list[0][0] = 1; });
  refused("squares", [](lb::node& n) { n.flag[0] = !n.flag[0]; });
  refused("larger", [](lb::node& n) { n.mode = lb::resize_mode::nearest; });
  refused("leaky", [](lb::node& n) { n.parameter = 0.2; });
  refused("walled", [](lb::node& n) { n.fill = -127; });
  refused("sampled", [](lb::node& n) { n.outside = lb::grid_padding::zeros; });
}

#include "support/golden_blob_c.inc"

TEST_CASE("blob: the C interface runs") {
  const lb::aligned_bytes blob = aligned(blob_bytes());
  CHECK(golden_blob_arena_bytes() == outside::arena_bytes);
  CHECK(golden_blob_bind(blob.data(), 10) != 0);
  CHECK(golden_blob_bind(blob.data(), blob.size()) == 0);
}

TEST_CASE("C interface: parameters have names of their own") {
  lb::builder<16> g;
  const lb::affine p{.scale = 1.0f};
  lb::edge x{};
  for (const char* const name : {"int", "arena", "arena_bytes_in", "int8_t", "restrict", "space"})
    x = g.input(name, lb::tensor<lb::q8, 2>(p));
  const auto y = g.transpose("arena_bytes", x, {0});
  g.output(y);
  g.output(g.transpose("net", x, {0}));
  g.output(g.transpose("int_in", x, {0}));
  g.output(x);
  g.output(y);
  const lb::c_api c = lb::emit_c_api(g, {.space = "space"}, "space.hpp", "space.h");
  std::string text = c.header;
  text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
  std::vector<std::string> names;
  for (std::size_t at = text.find("_run("), end = text.find(");", at); at < end;) {
    const std::size_t stop = std::min(text.find(',', at), end), start = text.rfind(' ', stop);
    names.push_back(text.substr(start + 1, stop - start - 1));
    at = stop + 1;
  }
  CHECK(names == std::vector<std::string>{"arena", "arena_bytes", "int_in", "arena_in", "arena_bytes_in", "int8_t_in", "restrict_in",
                                          "space_in", "arena_bytes_out", "net_out", "int_in_8", "space_out", "arena_bytes_out_10"});
}
