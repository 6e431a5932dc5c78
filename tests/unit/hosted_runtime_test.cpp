// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Graphs that run at once give the bytes of the same graphs compiled, need the same arena, and refuse
// what they have no code for.

#define LOWBITS_GROUPS
#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include <lowbits/hosted/runtime_model.hpp>
#include <lowbits/lowbits.hpp>

#include "support/for_each_arch.hpp"
#include "support/golden_network.hpp"
#include "support/graph_oracle.hpp"
#include "support/group_network.hpp"
#include "support/op_graphs.hpp"

namespace lb = lowbits;

namespace {

using buffers = std::vector<std::vector<unsigned char>>;

/// Random codes, and numbers between -4 and 4 for floats.
template <class Model>
buffers random_inputs() {
  buffers in;
  for (int k = 0; k < Model::input_count; ++k) {
    const lb::tensor_desc& d = Model::graph[Model::graph.input_node(k)].out;
    std::vector<unsigned char>& x = in.emplace_back(d.bytes());
    lowbits_test::fill_random(x.data(), x.size(), static_cast<std::uint32_t>(k) + 77);
    if (d.kind == lb::element::reals)
      for (std::size_t i = 0; i < d.count(); ++i) {
        const float v = static_cast<float>(x[4 * i]) / 32.0f - 4.0f;
        std::memcpy(&x[4 * i], &v, 4);
      }
  }
  return in;
}

/// Every node's bytes from a compiled model's observer, or a run-time one's.
struct recorder {
  buffers* nodes;
  void operator()(const lb::node_output& o) const {
    const auto* p = static_cast<const unsigned char*>(o.data);
    nodes->emplace_back(p, p + o.desc->bytes());
  }
};

template <class Model>
buffers run_compiled(const buffers& in, buffers& nodes) {
  static std::vector<unsigned char> room(Model::arena_bytes + lb::arena_alignment);
  auto* at = room.data();
  while (!lb::is_aligned(at, lb::arena_alignment)) ++at;
  buffers out;
  for (int k = 0; k < Model::output_count; ++k)
    out.emplace_back(Model::graph[Model::graph.output_node(k)].out.bytes());
  [&]<std::size_t... I, std::size_t... O>(std::index_sequence<I...>, std::index_sequence<O...>) {
    REQUIRE(Model::observe(recorder{&nodes}, {at, Model::arena_bytes},
                           std::span(reinterpret_cast<const typename Model::template input_type<I>*>(in[I].data()),
                                     Model::template input_desc<I>.count())...,
                           std::span(reinterpret_cast<typename Model::template output_type<O>*>(out[O].data()),
                                     Model::template output_desc<O>.count())...) == lb::status::ok);
  }(std::make_index_sequence<static_cast<std::size_t>(Model::input_count)>{},
    std::make_index_sequence<static_cast<std::size_t>(Model::output_count)>{});
  return out;
}

template <auto Make>
void compare(const char* what) {
  using net = lb::model<Make>;
  CAPTURE(what);
  const buffers in = random_inputs<net>();
  buffers nodes;
  const buffers want = run_compiled<net>(in, nodes);
  lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& name) {
    CAPTURE(name);
    const lb::runtime_model m(net::graph, arch);
    CHECK(m.arch() == arch);
    CHECK(m.input_count() == net::input_count);
    CHECK(m.report().macs == net::report.macs);
    buffers got;
    const buffers out = m.run(in, recorder{&got});
    REQUIRE(got.size() == nodes.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CAPTURE(std::string(net::graph[static_cast<int>(i)].name.c_str()));
      CHECK(got[i] == nodes[i]);
    }
    CHECK(out == want);
  });
  const lb::runtime_model portable(net::graph, lb::arch_id_of<lb::arch::generic>);
  CHECK(portable.arena_bytes() == net::template arena_bytes_on<lb::arch::generic>);
}

/// Layers of words: every kind, both sizes of weights and of biases, sums of 32 and 64 bits.
struct many_words {
  std::int16_t w16[300];
  std::int8_t w8[300];
};
constexpr many_words w_many = [] {
  many_words w{};
  for (int i = 0; i < 300; ++i) w.w16[i] = static_cast<std::int16_t>(i * 7919 - 30000), w.w8[i] = static_cast<std::int8_t>(i * 37 % 255 - 127);
  return w;
}();
template <std::size_t N, class T>
struct first_of {
  T value[N];
};
template <std::size_t N, class T>
constexpr first_of<N, T> first(const T (&from)[300]) {
  first_of<N, T> f{};
  for (std::size_t i = 0; i < N; ++i) f.value[i] = from[i];
  return f;
}
constexpr auto w8_144 = first<144>(w_many.w8);
constexpr auto w8_36 = first<36>(w_many.w8);
constexpr auto first_four = first<4>(w_many.w8);
constexpr auto w16_144 = first<144>(w_many.w16);
constexpr auto w16_36 = first<36>(w_many.w16);
constexpr auto w16_288 = first<288>(w_many.w16);
constexpr std::int32_t narrow_bias[4] = {1000, -70000, 5, 0};
constexpr std::int64_t wide_bias[4] = {1'000'000'000'000, -70000, 5, -3'000'000'000};

constexpr std::int64_t wide_bias_16[16] = {1, -1'000'000'000'000, 3};

constexpr auto make_words() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q16, 6, 5, 4>({.scale = .001f}));
  const lb::affine out{.scale = .01f};
  const lb::symmetric w{.01f}, fine{.00005f};
  const auto a = g.conv2d("conv", x, {.out_c = 4, .kernel = 3, .pad = 1, .weights = lb::weights(w8_144.value, w), .bias = narrow_bias,
                                      .out = out, .policy = lb::rounding::double_gemmlowp});
  const auto b = g.depthwise("depthwise", x, {.kernel = 3, .pad = 1, .weights = lb::weights(w8_36.value, w), .bias = wide_bias,
                                              .out = out, .policy = lb::rounding::tflite_int64});
  const auto c = g.transposed_conv2d("transposed", b, {.out_c = 4, .kernel = 3, .stride = 2, .weights = lb::weights(w16_144.value, fine),
                                                       .bias = wide_bias, .out = out});
  g.output(g.conv2d("one tap", c, {.out_c = 1, .weights = lb::weights(first_four.value, w), .out = out, .policy = lb::rounding::even_float}));
  g.output(g.conv2d("sums", x, {.out_c = 4, .kernel = 3, .weights = lb::weights(w8_144.value, w), .bias = narrow_bias, .out_format = lb::as_sums}));
  g.output(g.depthwise("depthwise sums", x, {.kernel = 3, .weights = lb::weights(w8_36.value, w), .out_format = lb::as_sums}));
  g.output(g.depthwise("zero point", x, {.kernel = 3, .multiplier = 4, .weights = lb::weights(w8_144.value, lb::affine{.01f, -9}),
                                         .bias = wide_bias_16, .out = out}));
  g.output(g.depthwise("wide depthwise", b, {.kernel = 3, .weights = lb::weights(w16_36.value, fine), .bias = narrow_bias, .out = out}));
  return g.output(g.conv2d("wide", a, {.out_c = 8, .kernel = 3, .weights = lb::weights(w16_288.value, fine), .out = out,
                                       .policy = lb::rounding::even_float}));
}

/// Its weights take the room of the compiled model's on every architecture: all layers are prepared.
template <auto Make>
void compare_prepared(const char* what) {
  using net = lb::model<Make>;
  CAPTURE(what);
  lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& name) {
    CAPTURE(name);
    const lb::runtime_model m(net::graph, arch);
    lb::with_arch(arch, [&]<class Arch>(Arch) {
      CHECK(m.prepared_bytes() + lb::packed_alignment == lb::model_layout<net>::template packed_end<Arch>);
    });
  });
}

}  // namespace

TEST_CASE("runtime model: layers of words are prepared") {
  compare_prepared<op_graphs::make_wide>("16-bit activations");
  compare_prepared<make_words>("layers of words");
  compare<make_words>("layers of words");
}

TEST_CASE("runtime model: every operation gives the bytes of the compiled model") {
  using namespace op_graphs;
  compare<make_conv>("conv2d");
  compare<make_group>("grouped conv2d");
  compare<make_depthwise>("depthwise");
  compare<make_up>("transposed conv2d");
  compare<make_dense>("dense, zero points on both sides");
  compare<make_wide>("16-bit activations");
  compare<make_matmul>("matmul");
  compare<make_elementwise>("element-wise");
  compare<make_pools>("pools");
  compare<make_floats>("conversions");
  compare<make_moves>("moves and functions");
  compare<make_tflite_bytes>("what TFLite needs, 8 bits");
  compare<make_tflite_words>("what TFLite needs, 16 bits");
  compare<make_constants>("constants, tables, pad with a value");
  compare<make_reals>("floats");
  compare<make_dynamic>("floats around integer weights");
  compare<make_scaled>("sums that become real numbers");
  compare<make_sums>("sums as they are");
  compare<group_network::make_net>("factors for groups");
}

namespace {

constexpr std::uint8_t few[] = {0xe4}, some[] = {0xe4, 0x1b, 0x72}, bytes[] = {0, 255, 128, 127, 3, 200};
constexpr std::int16_t words[] = {-32768, 32767, 0, 1, -5, 700};

/// Weights that a run-time model has to unpack.
constexpr auto make_unpacked() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 2, 6>({.scale = .05f, .zero_point = -7}));
  const auto w = g.input("w", lb::tensor<lb::q16, 2, 6>({.scale = .001f}));
  const lb::affine out{.scale = .1f};
  g.output(g.dense("q1", x, {.units = 1, .weights = lb::packed_weights<lb::q1>(few, lb::symmetric{.5f}), .out = out}));
  g.output(g.dense("q2", x, {.units = 2, .weights = lb::packed_weights<lb::q2>(some, lb::symmetric{.5f}), .out = out}));
  g.output(g.dense("u4", x, {.units = 1, .weights = lb::packed_weights<lb::u4>(some, lb::affine{.5f, 7}), .out = out}));
  g.output(g.dense("u8", x, {.units = 1, .weights = lb::weights(bytes, lb::affine{.01f, 128}), .out = out}));
  g.output(g.dense("packed u8", x, {.units = 1, .weights = lb::packed_weights<lb::u8>(bytes, lb::affine{.01f, 100}), .out = out}));
  return g.output(g.dense("q16", w, {.units = 1, .weights = lb::weights(words, lb::symmetric{.01f}), .out = out}));
}

/// A 16-bit layer by products of bytes.
template <lb::error_compensation How>
constexpr auto make_compensated() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q16, 2, 6>({.scale = .001f}));
  return g.output(g.dense("d", x, {.units = 1, .weights = lb::weights(words, lb::symmetric{.01f}), .out = {.scale = .1f}, .ec = How}));
}

}  // namespace

TEST_CASE("runtime model: error compensation, where it gives the bits of the 16-bit layer") {
  constexpr auto exact = make_compensated<lb::error_compensation::exact>();
  constexpr auto three = make_compensated<lb::error_compensation::three_products>();
  buffers in{std::vector<unsigned char>(24)};
  lowbits_test::fill_random(in[0].data(), in[0].size(), 5);
  CHECK(lb::runtime_model(exact).run(in) == lb::runtime_model(make_compensated<lb::error_compensation::none>()).run(in));
  CHECK_THROWS_WITH_AS(lb::runtime_model{three}, doctest::Contains("node 'd' leaves a product out"), lb::model_error);
}

TEST_CASE("runtime model: a large graph; packed and unsigned weights") {
  compare<golden::make_net>("golden network");
  compare<make_unpacked>("unpacked");
}

TEST_CASE("runtime model: refusals say what is wrong") {
  lb::builder<4> g;
  CHECK_THROWS_WITH_AS(lb::runtime_model{g}, doctest::Contains("output"), lb::model_error);
  const auto x = g.input("x", lb::tensor<lb::u16, 4>({.scale = 1.0f}));
  const auto y = g.input("y", lb::tensor<lb::q8, 4>({.scale = 1.0f}));
  g.output(g.add("mixed", x, y, {.out = {.scale = 1.0f}}));
  CHECK_THROWS_WITH_AS(lb::runtime_model{g}, doctest::Contains("node 'mixed' combines number types"), lb::model_error);

  const lb::runtime_model m(lb::model<op_graphs::make_floats>::graph);
  CHECK_THROWS_WITH_AS(m.run(buffers{}), doctest::Contains("got 0 inputs"), lb::model_error);
  CHECK_THROWS_WITH_AS(m.run(buffers{{1, 2}}), doctest::Contains("got 2 bytes instead of 36"), lb::model_error);
  unsigned char small[8];
  const void* in[] = {small};
  void* out[] = {small};
  CHECK(m.run({small, 0}, in, out) == lb::status::too_small);
  CHECK(m.run({small, 8}, {}, out) == lb::status::wrong_size);
}
