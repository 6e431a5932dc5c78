// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Coded weights in a graph: the same bytes as with plain arrays on every architecture; damaged ones are
// refused when they are expanded.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <lowbits/lowbits.hpp>

#include "support/coded_network.hpp"
#include "support/for_each_arch.hpp"
#include "support/guarded.hpp"
#include "support/random_codes.hpp"

namespace lb = lowbits;

namespace {

using coded_network::make_net;
using coded_network::stem;
using plain_net = lb::model<make_net<false>>;
using net = lb::model<make_net<true>>;
static_assert(net::weight_bytes < plain_net::weight_bytes * 9 / 10);
using coded_network::answer;
using coded_network::run;

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
