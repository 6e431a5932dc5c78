// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Steps of a graph use the primitives that are there: on the strongest architecture no step that has
// some is the portable one.

#include "support/every_arch.hpp"

#include <doctest/doctest.h>

#include <string>

#include <lowbits/lowbits.hpp>

namespace {

namespace lb = lowbits;
constexpr lb::affine q{.scale = .1f, .zero_point = 3};

constexpr auto make_net() {
  lb::builder<16> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 4, 4, 16>(q));
  const auto real = g.dequantize("dequantize", x);
  const auto back = g.quantize("quantize", real, {.out = q});
  const auto sum = g.add("add", x, back, {.out = q});
  const auto product = g.mul("mul", sum, x, {.out = q});
  const auto larger = g.maximum("maximum", product, x, {.out = q});
  const auto scaled = g.requantize("requantize", larger, {.out = {.scale = .2f}});
  const auto curve = g.sigmoid("sigmoid", scaled, {.out = {.scale = 1 / 256.f, .zero_point = -128}});
  const auto soft = g.softmax("softmax", curve);
  const auto pooled = g.average_pool("average", g.max_pool("max", soft, {}), {});
  return g.output(g.global_mean("mean", pooled, {.out = {.scale = 1 / 256.f, .zero_point = -128}}));
}
using net = lb::model<make_net>;

using groups = lb::node_groups<net>;

}  // namespace

#if LOWBITS_BUILD_X86
TEST_CASE("graph steps: where there are primitives, the step of the strongest architecture is not the portable one") {
  [&]<int... Group>(std::integer_sequence<int, Group...>) {
    const auto one = [](int group, bool same) {
      const auto& n = net::graph[groups::all.first[group]];
      if (n.kind != lb::op_kind::input) CHECK_MESSAGE(!same, std::string(n.name.c_str()));
    };
    (one(Group, std::is_same_v<lb::group_step<net, Group, lb::arch::generic>, lb::group_step<net, Group, lb::arch::avx512vnni>>), ...);
  }(std::make_integer_sequence<int, groups::all.count>{});
}
#endif
