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
  lb::builder<64> g;
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
    switch (pick(7)) {
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
