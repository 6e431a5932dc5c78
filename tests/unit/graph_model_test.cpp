// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Models as a whole: what the planner shares never changes a result; wrong buffers are refused and
// leave everything as it was; prepared weights are recognised.

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <string>

#include "support/graph_oracle.hpp"

namespace lb = lowbits;
using namespace lowbits_test;

namespace {

constexpr std::int8_t w_point[8 * 8] = {3, -5, 7, 1, 0, 2, -8, 4, 9, 1,  -1, 6,
                                        5, -3, 2, 2, 1, 4, -6, 3, 8, -2, 7,  5};
constexpr std::int8_t w_three[8 * 9 * 8] = {1,  2,   -3, 4,  5,  -6,  7,  8,  -9, 10,
                                            11, -12, 13, 14, 15, -16, 17, 18, 19};
constexpr std::int32_t bias[8] = {100, -200, 300, -50, 25, 0, 75, -125};
constexpr lb::affine q0{.scale = 0.05f, .zero_point = -3};

/// A random chain of operations with skips, concatenations and reshapes, from a seed.
template <std::uint32_t Seed>
constexpr auto random_net() {
  lb::builder<96> g;
  std::uint32_t s = Seed * 2654435761u + 1;
  const auto pick = [&](int n) {
    return static_cast<int>((s = s * 1664525u + 1013904223u) >> 16) % n;
  };
  lb::edge live[40]{};
  int count = 0;
  live[count++] = g.input("x", lb::tensor<lb::q8, 1, 4, 4, 8>(q0));
  lb::node_name name{"n00"};
  for (int i = 1; i <= 18; ++i) {
    name.text[1] = static_cast<char>('0' + i / 10);
    name.text[2] = static_cast<char>('0' + i % 10);
    lb::node_name helper = name;
    helper.text[0] = 'h';
    const lb::edge a = live[count - 1 - pick(count < 3 ? count : 3)], b = live[pick(count)];
    lb::edge e{};
    switch (pick(9)) {
      case 0:
        e = g.conv2d(name, a,
                     {.out_c = 8,
                      .weights = lb::weights(w_point, lb::symmetric{.03f}),
                      .bias = bias,
                      .out = q0});
        break;
      case 1:
        e = g.conv2d(name, a,
                     {.out_c = 8,
                      .kernel = 3,
                      .pad = 1,
                      .weights = lb::weights(w_three, lb::symmetric{.02f}),
                      .out = q0});
        break;
      case 2: e = g.add(name, a, b, {.out = q0}); break;
      case 3: e = g.sub(name, a, b, {.out = q0, .fused = lb::activation::relu}); break;
      case 4: e = g.relu(name, a); break;
      case 5: e = g.reshape(name, g.requantize(helper, a, {.out = q0}), {1, 4, 4, 8}); break;
      case 6: {
        const lb::edge both = g.concat(helper, {g.relu6(name, a), b}, 1);
        lb::node_name cut = name;
        cut.text[0] = 'c';
        e = g.slice(cut, both, {.begin = {0, 2, 0, 0}, .extent = {1, 4, 4, 8}});
        break;
      }
      case 7:
      case 8: {  // a part of the concatenation is added to, or subtracted from, both parts
        lb::node_name cut = name, other = helper;
        cut.text[0] = 'c';
        other.text[0] = 'o';
        const lb::edge part = g.relu(name, a), both = g.concat(helper, {part, g.relu6(cut, b)}, 0);
        const lb::edge sum = pick(2) == 0 ? g.add(other, both, part, {.out = q0}) : g.sub(other, part, both, {.out = q0});
        other.text[0] = 'e';
        e = g.slice(other, sum, {.begin = {pick(2), 0, 0, 0}, .extent = {1, 4, 4, 8}});
        break;
      }
    }
    live[count++] = e;
  }
  g.output(live[count - 1]).output(live[count / 2]);
  return g;
}

template <class Model>
void check_against_unplanned(std::uint32_t seed) {
  std::vector<tensor_buffer> in;
  in.emplace_back(Model::template input_desc<0>.bytes());
  fill_random(in[0].data(), in[0].size(), seed);
  const auto want = run_unplanned<Model>(in);

  alignas(lb::packed_alignment) static unsigned char packed[Model::prepared_bytes];
  alignas(lb::arena_alignment) static unsigned char arena[Model::arena_bytes];
  std::vector<std::int8_t> x(in[0].size()), y0(Model::template output_desc<0>.count()),
      y1(Model::template output_desc<1>.count());
  std::memcpy(x.data(), in[0].data(), x.size());
  const auto compare = [&](const lb::node_output& o) {
    const std::size_t i = static_cast<std::size_t>(o.index);
    CHECK_MESSAGE(std::memcmp(o.data, want[i].data(), want[i].size()) == 0, "node ",
                  std::string(o.name), " seed ", seed);
  };
  CHECK(Model::observe(compare, arena, x, y0, y1) == lb::status::ok);
  const auto ready = Model::prepare(packed);
  CHECK(ready.error() == lb::status::ok);
  std::memset(y0.data(), 0x55, y0.size());
  CHECK(ready.observe(compare, arena, x, y0, y1) == lb::status::ok);
  CHECK(std::memcmp(y0.data(), want[static_cast<std::size_t>(Model::graph.output_node(0))].data(),
                    y0.size()) == 0);
  CHECK(std::memcmp(y1.data(), want[static_cast<std::size_t>(Model::graph.output_node(1))].data(),
                    y1.size()) == 0);
}

template <std::uint32_t... Seeds>
void check_seeds(std::integer_sequence<std::uint32_t, Seeds...>) {
  (check_against_unplanned<lb::model<random_net<Seeds>>>(Seeds), ...);
}

constexpr auto make_small() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 4, 4, 8>(q0));
  const auto y = g.input("y", lb::tensor<lb::q8, 4, 4, 8>({.scale = 0.1f}));
  const auto c = g.conv2d(
      "c", x,
      {.out_c = 8, .weights = lb::weights(w_point, lb::symmetric{.03f}), .bias = bias, .out = q0});
  const auto s = g.add("s", g.relu("r", c), y, {.out = q0});
  return g.output(s).output(x).output(s);  // an input given out again, and one node given out twice
}
using small = lb::model<make_small>;

constexpr auto make_other() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 4, 4, 8>(q0));
  return g.output(g.conv2d(
      "c", x,
      {.out_c = 8, .weights = lb::weights(w_point, lb::symmetric{.03f}), .out = {.scale = 0.06f}}));
}
using other = lb::model<make_other>;

/// The last reader of a concatenation also reads a part of it: s[0] = p + p, s[1] = q + p.
template <bool Reals, int Axis>
constexpr auto make_rows() {
  lb::builder<8> g;
  constexpr lb::affine one{.scale = 1.0f};
  lb::tensor_desc d = Reals ? lb::real_tensor<1, 1, 4>() : lb::tensor<lb::q8, 1, 1, 4>(one);
  const auto p = g.relu("p", g.input("x", d)), q = g.relu("q", g.input("y", d));
  const auto both = g.concat("both", {p, q}, Axis);
  const auto s = g.add("s", both, p, {.out = Reals ? lb::affine{} : one});
  return g.output(g.transpose("t", s, {2, 0, 1}));
}

template <bool Reals, int Axis>
void check_rows() {
  using net = lb::model<make_rows<Reals, Axis>>;
  using number = std::conditional_t<Reals, float, std::int8_t>;
  CAPTURE(Reals);
  CAPTURE(Axis);
  alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];
  const number x[4] = {1, 2, 3, 4}, y[4] = {10, 20, 30, 40}, want[8] = {2, 11, 4, 22, 6, 33, 8, 44};
  number out[8]{};
  REQUIRE(net::run(arena, x, y, out) == lb::status::ok);
  CHECK(std::memcmp(out, want, sizeof out) == 0);
}

void add_row(const lb::custom_call& c) noexcept {
  const auto *both = static_cast<const std::int8_t*>(c.in[0]), *part = static_cast<const std::int8_t*>(c.in[1]);
  auto* out = static_cast<std::int8_t*>(c.out);
  for (int i = 0; i < 8; ++i) out[i] = static_cast<std::int8_t>(both[i] + part[i % 4]);
}
constexpr auto make_custom_rows() {
  lb::builder<8> g;
  constexpr auto d = lb::tensor<lb::q8, 1, 4>({.scale = 1.0f});
  const auto p = g.relu("p", g.input("x", d)), q = g.relu("q", g.input("y", d));
  const auto both = g.concat("both", {p, q}, 0);
  const auto s = g.custom("s", {both, p}, {.run = add_row, .out = lb::tensor<lb::q8, 2, 4>({.scale = 1.0f}), .in_place = true});
  return g.output(g.transpose("t", s, {1, 0}));
}
constexpr auto make_doubled() {
  lb::builder<8> g;
  const auto p = g.relu("p", g.input("x", lb::tensor<lb::q8, 64>({.scale = 1.0f})));
  return g.output(g.relu("r", g.add("s", p, p, {.out = {.scale = 1.0f}})));
}

struct small_run {
  alignas(lb::arena_alignment) unsigned char arena[small::arena_bytes + 1];
  std::int8_t x[128], y[128], s[128], x_again[128], s_again[128];
  small_run() {
    fill_random(reinterpret_cast<unsigned char*>(x), sizeof x, 1);
    fill_random(reinterpret_cast<unsigned char*>(y), sizeof y, 2);
    std::memset(arena, 0x11, sizeof arena);
    for (std::int8_t* p : {s, x_again, s_again}) std::memset(p, 0x22, 128);
  }
  bool untouched() const {
    for (unsigned char c : arena)
      if (c != 0x11) return false;
    for (const std::int8_t* p : {s, x_again, s_again})
      for (int i = 0; i < 128; ++i)
        if (p[i] != 0x22) return false;
    return true;
  }
};

}  // namespace

TEST_CASE("graph model: sharing memory changes no node of random graphs") {
  check_seeds(std::make_integer_sequence<std::uint32_t, 12>{});
}

TEST_CASE("graph model: a concatenation and its part, both read for the last time") {
  check_rows<false, 0>();
  check_rows<false, 1>();
  check_rows<true, 0>();
  check_rows<true, 1>();

  using net = lb::model<make_custom_rows>;
  alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];
  const std::int8_t x[4] = {1, 2, 3, 4}, y[4] = {10, 20, 30, 40}, want[8] = {2, 11, 4, 22, 6, 33, 8, 44};
  std::int8_t out[8]{};
  REQUIRE(net::run(arena, x, y, out) == lb::status::ok);
  CHECK(std::memcmp(out, want, sizeof out) == 0);
  CHECK(lb::model<make_doubled>::arena_bytes == 64);  // twice the same numbers: still in place
}

TEST_CASE("graph model: inputs may be outputs, one node may be two outputs") {
  small_run r;
  REQUIRE(small::run(r.arena, r.x, r.y, r.s, r.x_again, r.s_again) == lb::status::ok);
  CHECK(std::memcmp(r.x, r.x_again, 128) == 0);
  CHECK(std::memcmp(r.s, r.s_again, 128) == 0);
  CHECK(r.s[0] != 0x22);
}

TEST_CASE("graph model: wrong buffers are refused and nothing is written") {
  small_run r;
  const auto arena = std::span(r.arena);
  CHECK(small::run(arena.first(small::arena_bytes - 1), r.x, r.y, r.s, r.x_again, r.s_again) ==
        lb::status::too_small);
  CHECK(small::run(arena.subspan(1), r.x, r.y, r.s, r.x_again, r.s_again) ==
        lb::status::misaligned);
  CHECK(small::run(arena, std::span(r.x).first(127), r.y, r.s, r.x_again, r.s_again) ==
        lb::status::wrong_size);
  CHECK(small::run(arena, r.x, r.y, std::span(r.s).first(1), r.x_again, r.s_again) ==
        lb::status::wrong_size);
  CHECK(small::run(arena, r.x, r.y, r.s, r.x_again, std::span<std::int8_t>()) ==
        lb::status::wrong_size);
  CHECK(r.untouched());
}

TEST_CASE("graph model: prepared weights are recognised, foreign ones refused") {
  static_assert(small::prepared_bytes >= sizeof(lb::prepared_header));
  const std::size_t room = small::prepared_bytes + other::prepared_bytes + 64;
  const auto memory = std::make_unique<unsigned char[]>(room + 64);
  unsigned char* p = memory.get() + (64 - reinterpret_cast<std::uintptr_t>(memory.get()) % 64) % 64;
  const std::span<unsigned char> buffer(p, room);
  small_run r;

  CHECK(small::prepare(buffer.first(8)).error() == lb::status::too_small);
  CHECK(small::prepare(buffer.subspan(1)).error() == lb::status::misaligned);
  CHECK(small::attach(buffer).error() == lb::status::foreign);  // never prepared
  CHECK(small::prepare_for(static_cast<lb::arch_id>(12345), buffer).error() ==
        lb::status::unsupported);

  REQUIRE(other::prepare(buffer).error() == lb::status::ok);
  const auto foreign = small::attach(buffer);
  CHECK(foreign.error() == lb::status::foreign);
  CHECK(foreign.run(r.arena, r.x, r.y, r.s, r.x_again, r.s_again) == lb::status::foreign);
  CHECK(r.untouched());

  const auto made = small::prepare(buffer);
  REQUIRE(made.error() == lb::status::ok);
  const auto again = small::attach(std::span<const unsigned char>(buffer));
  CHECK(again.error() == lb::status::ok);
  CHECK(again.arch() == made.arch());
  p[4] ^= 1;  // the layout version
  CHECK(small::attach(buffer).error() == lb::status::foreign);
}

TEST_CASE("graph model: the report counts what the graph does") {
  static_assert(other::report.macs == 16 * 8 * 8);
  static_assert(other::weight_bytes == 64);
  static_assert(small::weight_bytes == 64 + 8 * 4);
  static_assert(small::report.wide_accumulators == 0);
  CHECK(small::report.peak_bytes == 3 * 128);
}
