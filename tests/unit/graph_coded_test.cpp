// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Coded weights in a graph: the same bytes as with plain arrays on every architecture; damaged ones are
// refused when they are expanded.

#include <doctest/doctest.h>

#include <vector>

#include <lowbits/lowbits.hpp>
#include <lowbits/op/coded_weights.hpp>
#include <lowbits/pack/coded_array.hpp>

#include "support/for_each_arch.hpp"
#include "support/guarded.hpp"
#include "support/random_codes.hpp"

namespace lb = lowbits;

namespace {

template <class T, std::size_t N, int Lowest, int Highest>
struct numbers {
  T v[N]{};
  constexpr numbers() {
    random_codes::generator g{N};
    for (T& x : v) {
      int sum = 0;
      for (int k = 0; k < 8; ++k) sum += g.in(Lowest, Highest);
      x = static_cast<T>(sum / 8);
    }
  }
  constexpr T operator[](std::size_t i) const { return v[i]; }
  static constexpr std::size_t size() { return N; }
};
constexpr numbers<lb::int8_t, 24 * 9 * 3, -8, 7> stem;
constexpr numbers<lb::int8_t, 9 * 24, -100, 100> deep;
constexpr numbers<lb::uint8_t, 24 * 24, 0, 255> point;
constexpr numbers<lb::int8_t, 4 * 4 * 24, -1, 1> up;
constexpr numbers<lb::int16_t, 10 * 7 * 7 * 4, -2000, 2000> head;
constexpr numbers<lb::int8_t, 10 * 6, -50, 50> last, very_last;

template <bool Coded, class Q, const auto& Values>
constexpr lb::weight_data bound(const lb::weight_scales& s) {
  if constexpr (Coded) return lb::coded_weights(lb::coded<Q, Values>, s);
  else return lb::weights<Q>(Values.v, s);
}

/// A convolution, depthwise ones with and without a zero point, unsigned weights, ternary ones, words, and
/// floats around codes by two rules.
template <bool Coded>
constexpr auto make_net() {
  lb::builder<12> g;
  auto x = g.input("x", lb::tensor<lb::q8, 7, 7, 3>({.scale = 1 / 16.f, .zero_point = 3}));
  auto a = g.conv2d("stem", x, {.out_c = 24, .kernel = 3, .pad = 1, .weights = bound<Coded, lb::q4, stem>(lb::symmetric{.02f}), .out = {.scale = .05f}});
  auto b = g.depthwise("deep", a, {.kernel = 3, .pad = 1, .weights = bound<Coded, lb::q8, deep>(lb::symmetric{.002f}), .out = {.scale = .05f}});
  auto c = g.depthwise("shifted", b, {.kernel = 3, .pad = 1, .weights = bound<Coded, lb::q8, deep>(lb::affine{.002f, 5}), .out = {.scale = .05f}});
  auto d = g.conv2d("point", c, {.out_c = 24, .weights = bound<Coded, lb::u8, point>(lb::affine{.002f, 128}), .out = {.scale = .05f}});
  auto e = g.transposed_conv2d("up", d, {.out_c = 4, .kernel = 2, .stride = 1, .pad = lb::same_padding, .weights = bound<Coded, lb::ternary, up>(lb::symmetric{.1f}), .out = {.scale = .05f}});
  auto f = g.dense("head", e, {.units = 10, .weights = bound<Coded, lb::q12, head>(lb::symmetric{.0001f}), .out = {.scale = .1f}});
  auto r = g.dequantize("reals", f);
  auto h = g.dense("dynamic", r, {.units = 6, .weights = bound<Coded, lb::q7, last>(lb::symmetric{.01f})});
  auto i = g.dense("asymmetric", r, {.units = 6, .weights = bound<Coded, lb::q7, very_last>(lb::symmetric{.01f}), .dynamic = lb::dynamic_definition::asymmetric});
  g.output(h);
  return g.output(i);
}
using plain_net = lb::model<make_net<false>>;
using net = lb::model<make_net<true>>;
static_assert(net::weight_bytes < plain_net::weight_bytes * 9 / 10);

struct answer {
  lb::status status{};
  std::vector<unsigned char> bytes{};
};
template <class Net>
answer run(const Net& n, int seed) {
  alignas(64) static unsigned char arena[lb::larger(net::arena_bytes, plain_net::arena_bytes)];
  const auto x = random_codes::fill<lb::int8_t>(7 * 7 * 3, static_cast<std::uint32_t>(seed));
  float y[6]{}, z[6]{};
  answer a;
  a.status = n.observe([&](const lb::node_output& o) {
    const auto* p = static_cast<const unsigned char*>(o.data);
    a.bytes.insert(a.bytes.end(), p, p + o.desc->bytes());
  }, arena, x, y, z);
  return a;
}

}  // namespace

TEST_CASE("coded weights: same results as plain ones, on every architecture") {
  const answer want = run(plain_net{}, 1);
  REQUIRE(want.status == lb::status::ok);
  guarded::memory memory;
  lowbits_test::for_each_arch([&](lb::arch_id arch, const std::string& name) {
    CAPTURE(name);
    unsigned char* const packed = memory.take<unsigned char>(lb::round_up<std::size_t>(net::prepared_bytes, 64), guarded::place::back);
    const auto ready = net::prepare_for(arch, {packed, net::prepared_bytes});
    REQUIRE(ready.error() == lb::status::ok);
    const answer got = run(ready, 1);
    CHECK(got.status == lb::status::ok);
    CHECK(got.bytes == want.bytes);
    const auto again = net::attach({packed, net::prepared_bytes});
    REQUIRE(again.error() == lb::status::ok);
    CHECK(run(again, 1).bytes == want.bytes);
    CHECK(net::prepare_for(arch, {packed, 64}).error() == lb::status::too_small);
  });
}

namespace {

lb::uint8_t damaged[lb::coded<lb::q4, stem>.size_bytes()];

static_assert(lb::coded<lb::q4, stem>.bytes[3] == 0x11);  // by entropy

constexpr auto make_damaged() {
  lb::builder<4> g;
  auto x = g.input("x", lb::tensor<lb::q8, 7, 7, 3>({.scale = 1 / 16.f}));
  return g.output(g.conv2d("stem", x, {.out_c = 24, .kernel = 3, .weights = lb::coded_weights<lb::q4>(24 * 27, damaged, lb::symmetric{.02f}), .out = {.scale = .05f}}));
}

}  // namespace

TEST_CASE("coded weights: what is damaged is refused, and nothing runs") {
  using shaky = lb::model<make_damaged>;
  alignas(64) static unsigned char packed[shaky::prepared_bytes], arena[shaky::arena_bytes];
  const auto& good = lb::coded<lb::q4, stem>;
  std::vector<lb::int8_t> x(7 * 7 * 3), y(5 * 5 * 24);
  for (const std::size_t at : {std::size_t{0}, std::size_t{3}, std::size_t{8}, std::size_t{17}, sizeof damaged - 20}) {
    CAPTURE(at);
    std::copy(good.bytes, good.bytes + sizeof damaged, damaged);
    const auto fine = shaky::prepare(packed);
    CHECK(fine.error() == lb::status::ok);
    damaged[at] ^= 0x11;
    const auto bad = shaky::prepare(packed);
    CHECK(bad.error() != lb::status::ok);
    CHECK(bad.run(arena, x, y) == bad.error());
    CHECK(shaky::attach(packed).error() == lb::status::foreign);
  }
}
