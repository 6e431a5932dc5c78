// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a builder refuses, as values (a builder also works at run time), and limits that a graph keeps
// when it is accepted.

#include <doctest/doctest.h>

#include <climits>
#include <cstring>
#include <string>

#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

namespace {

using graph = lb::builder<16>;
using lb::graph_errc;

constexpr std::int8_t w8[8 * 2 * 2] = {1};
constexpr std::int64_t lowest_bias[8] = {INT64_MIN};
constexpr std::int16_t wide_table[513] = {};
constexpr lb::affine q{.scale = 0.1f};
constexpr float nan = __builtin_nanf("");
constexpr lb::symmetric ws{.scale = 0.1f};

struct attempt {
  const char* what;
  graph_errc expected;
  void (*build)(graph& g, lb::edge x);  ///< x is a q8 image of 8 x 8 x 2
};

constexpr attempt attempts[] = {
    {"ninth input", graph_errc::ends,
     [](graph& g, lb::edge) {
       for (int i = 0; i < 8; ++i)
         g.input(std::string(1, static_cast<char>('a' + i)).c_str(), lb::tensor<lb::q8, 1>(q));
     }},
    {"ninth output", graph_errc::ends,
     [](graph& g, lb::edge x) {
       for (int i = 0; i < 9; ++i) g.output(x);
     }},
    {"output of no edge", graph_errc::edge, [](graph& g, lb::edge) { g.output({}); }},
    {"sum of 2^32 elements", graph_errc::tensor,
     [](graph& g, lb::edge) {
       g.add("s", g.input("a", lb::tensor<lb::q8, 65536, 1>(q)),
             g.input("b", lb::tensor<lb::q8, 1, 65536>(q)), {.out = q});
     }},
    {"resize to 10^12 pixels", graph_errc::tensor,
     [](graph& g, lb::edge x) { g.resize("r", x, {.out_h = 1'000'000, .out_w = 1'000'000}); }},
    {"dilation of 2 * 10^9", graph_errc::window,
     [](graph& g, lb::edge x) {
       g.conv2d("c", x,
                {.out_c = 8,
                 .kernel = 2,
                 .dilation = 2'000'000'000,
                 .weights = lb::weights(w8, ws),
                 .out = q});
     }},
    {"padding of INT_MAX", graph_errc::tensor,
     [](graph& g, lb::edge x) {
       g.pad("p", x, {.before = {INT_MAX, 0, 0}});
     }},
    {"negative padding", graph_errc::window,
     [](graph& g, lb::edge x) {
       g.pad("p", x, {.after = {0, -1, 0}});
     }},
    {"transposed convolution with negative padding", graph_errc::window,
     [](graph& g, lb::edge x) {
       g.transposed_conv2d("t", x,
                           {.out_c = 4,
                            .kernel = 2,
                            .pad = {0, -3, 0, 0},
                            .weights = lb::weights(w8, ws),
                            .out = q});
     }},
    {"multiplier of 2 * 10^9", graph_errc::channels,
     [](graph& g, lb::edge x) {
       g.depthwise("d", x, {.multiplier = 2'000'000'000, .weights = lb::weights(w8, ws), .out = q});
     }},
    {"bias of INT64_MIN", graph_errc::bias_range,
     [](graph& g, lb::edge x) {
       g.conv2d("c", x,
                {.out_c = 8,
                 .kernel = {2, 1},
                 .weights = lb::weights(w8, ws),
                 .bias = lowest_bias,
                 .out = q});
     }},
    {"constant with too few elements", graph_errc::constant_count,
     [](graph& g, lb::edge) { g.constant("c", lb::tensor<lb::q8, 9>(q), w8); }},
    {"constant of another type", graph_errc::constant_type,
     [](graph& g, lb::edge) { g.constant("c", lb::tensor<lb::u8, 32>(q), w8); }},
    {"wide table for 8-bit codes", graph_errc::table_size,
     [](graph& g, lb::edge x) { g.table("t", x, wide_table, {.out = q}); }},
    {"no table", graph_errc::table_size, [](graph& g, lb::edge x) { g.table("t", x, {}, {.out = q}); }},
    {"pad with no code", graph_errc::pad_value,
     [](graph& g, lb::edge x) { g.pad("p", x, {.after = {1}, .value = 128}); }},
    {"concat of nine", graph_errc::input_count,
     [](graph& g, lb::edge x) {
       g.concat("c", {x, x, x, x, x, x, x, x, x}, 2);
     }},
    {"reshape to rank 7", graph_errc::rank,
     [](graph& g, lb::edge x) {
       g.reshape("r", x, {2, 2, 2, 2, 2, 2, 2});
     }},
    {"reshape to another size", graph_errc::element_count,
     [](graph& g, lb::edge x) { g.reshape("r", x, {127}); }},
    {"sum with scale 0", graph_errc::scale,
     [](graph& g, lb::edge x) { g.add("s", x, x, {.out = {.scale = 0.0f}}); }},
    {"sum with scale NaN", graph_errc::scale,
     [](graph& g, lb::edge x) { g.add("s", x, x, {.out = {.scale = nan}}); }},
    {"sum much finer than its inputs", graph_errc::scale_range,
     [](graph& g, lb::edge x) { g.add("s", x, x, {.out = {.scale = 1e-6f}}); }},
    {"layer without .out", graph_errc::scale,
     [](graph& g, lb::edge x) { g.requantize("r", x, {}); }},
    {"softmax of a narrow type", graph_errc::softmax_format,
     [](graph& g, lb::edge) {
       g.softmax("s", g.input("n", lb::tensor<lb::narrow<lb::q8>, 4>(q)));
     }},
    {"mean of 2^24 codes", graph_errc::pool_sum,
     [](graph& g, lb::edge) {
       g.global_mean("m", g.input("big", lb::tensor<lb::q8, 4096, 4096, 1>(q)), {.out = q});
     }},
    {"average of 2^24 codes", graph_errc::pool_sum,
     [](graph& g, lb::edge) {
       g.average_pool("m", g.input("big", lb::tensor<lb::u8, 4096, 4096, 1>(q)), {.kernel = 4096});
     }},
    {"name of 63 characters", graph_errc::name_length,
     [](graph& g, lb::edge x) { g.relu(std::string(63, 'n').c_str(), x); }},
    {"empty name", graph_errc::name, [](graph& g, lb::edge x) { g.relu("", x); }},
    {"binary activations", graph_errc::binary,
     [](graph& g, lb::edge) { g.input("b", lb::tensor<lb::q1, 4>(q)); }},
    {"codes dequantized twice", graph_errc::element,
     [](graph& g, lb::edge x) { g.dequantize("b", g.dequantize("a", x)); }},
    {"transpose naming an axis twice", graph_errc::permutation,
     [](graph& g, lb::edge x) {
       g.transpose("t", x, {0, 0, 1});
     }},
    {"slice past the end", graph_errc::slice_range,
     [](graph& g, lb::edge x) {
       g.slice("s", x, {.begin = {0, 0, 1}, .extent = {8, 8, 2}});
     }},
    {"split that does not divide", graph_errc::split_parts,
     [](graph& g, lb::edge x) { g.split<3>("s", x, 0); }},
    {"matmul of unequal depths", graph_errc::matmul_depth,
     [](graph& g, lb::edge x) { g.matmul("m", x, x, {.out = q}); }},
    {"16-bit function into 8 bits", graph_errc::table_width,
     [](graph& g, lb::edge) {
       g.tanh("t", g.input("w", lb::tensor<lb::q16, 4>(q)),
              {.out = q, .out_format = lb::qformat{}});
     }},
};

constexpr auto make_long_names() {
  lb::builder<4> g;
  const auto x = g.input("features.block3.expand.activation.relu_1", lb::tensor<lb::q8, 4>(q));
  return g.output(g.relu("features.block3.expand.activation.relu_2", x));
}
static_assert(make_long_names().verdict().code == graph_errc::ok);

// Weights that do not keep to the type they are said to have must not weaken the overflow proof.
constexpr std::int8_t loud[20000] = {127};
constexpr auto make_loud() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q16, 20000>({.scale = .01f}));
  return g.output(g.dense(
      "d", x, {.units = 1, .weights = lb::weights<lb::q2>(loud, ws), .out = {.scale = 1.f}}));
}
static_assert(lb::model<make_loud>::report.wide_accumulators == 1);

constexpr std::int8_t w_a[4] = {1, 2, 3, 4}, w_b[4] = {-1, -2, -3, -4};
template <const std::int8_t (&W)[4]>
constexpr auto make_dense() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 4>(q));
  return g.output(g.dense("d", x, {.units = 1, .weights = lb::weights(W, ws), .out = q}));
}

constexpr auto make_sigmoid12() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q12, 2>({.scale = .004f}));
  return g.output(g.sigmoid("s", x, {.out = {.scale = 1 / 2048.f}}));
}

void run_negated_second(const lb::custom_call& c) noexcept {
  const auto *x = static_cast<const std::int8_t*>(c.in[0]),
             *y = static_cast<const std::int8_t*>(c.in[1]);
  auto* out = static_cast<std::int8_t*>(c.out);
  for (int i = 0; i < 4; ++i)
    out[i] = static_cast<std::int8_t>(x[i] - y[3 - i]);  // reads y backwards
}
constexpr auto make_in_place() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 4>(q));
  const auto y = g.requantize("y", g.input("z", lb::tensor<lb::q8, 4>(q)), {.out = {.scale = .2f}});
  const auto c = g.custom(
      "c", {x, y}, {.run = run_negated_second, .out = lb::tensor<lb::q8, 4>(q), .in_place = true});
  return g.output(g.relu("r", c));
}

}  // namespace

TEST_CASE("graph verdict: what cannot work is refused with its own reason") {
  for (const attempt& a : attempts) {
    graph g;
    const lb::edge x = g.input("x", lb::tensor<lb::q8, 8, 8, 2>(q));
    a.build(g, x);
    CHECK_MESSAGE(g.error().code == a.expected, std::string(a.what), ": ",
                  std::string(lb::to_string(g.error().code)));
  }
}

TEST_CASE("graph verdict: the same graph without the mistake is accepted") {
  graph g;
  const lb::edge x = g.input("x", lb::tensor<lb::q8, 8, 8, 2>(q));
  g.output(g.add("s", x, g.pad("p", g.slice("c", x, {.extent = {7, 8, 2}}), {.after = {1}}),
                 {.out = q}));
  CHECK(g.verdict().code == graph_errc::ok);
}

TEST_CASE("graph verdict: prepared weights of the same layer with other values are foreign") {
  using a = lb::model<make_dense<w_a>>;
  using b = lb::model<make_dense<w_b>>;
  static_assert(a::prepared_bytes == b::prepared_bytes);
  alignas(lb::packed_alignment) unsigned char buffer[a::prepared_bytes];
  REQUIRE(a::prepare(buffer).error() == lb::status::ok);
  CHECK(a::attach(buffer).error() == lb::status::ok);
  CHECK(b::attach(buffer).error() == lb::status::foreign);
}

TEST_CASE("graph verdict: input codes outside a narrower type stay inside the table") {
  using net = lb::model<make_sigmoid12>;
  alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];
  std::int16_t wild[2] = {32767, -32768}, ends[2] = {2047, -2048}, y[2], want[2];
  REQUIRE(net::run(arena, wild, y) == lb::status::ok);
  REQUIRE(net::run(arena, ends, want) == lb::status::ok);
  CHECK(y[0] == want[0]);
  CHECK(y[1] == want[1]);
}

TEST_CASE("graph verdict: a custom node may only overwrite its first input") {
  using net = lb::model<make_in_place>;
  alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];
  const std::int8_t x[4] = {10, 10, 10, 10}, z[4] = {2, 4, 6, 8};
  std::int8_t y[4];
  REQUIRE(net::run(arena, x, z, y) == lb::status::ok);
  const std::int8_t want[4] = {6, 7, 8, 9};
  CHECK(std::memcmp(y, want, 4) == 0);
}
