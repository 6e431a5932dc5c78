// expect: lowbits: model::run: weights are coded; call prepare\(buffer\) and run what it returns
#include <lowbits/lowbits.hpp>
#include <lowbits/op/coded_weights.hpp>
#include <lowbits/pack/coded_array.hpp>

namespace lb = lowbits;

constexpr std::int8_t w[8] = {1, 0, 0, 0, 0, 0, 1, 0};

constexpr auto make_net() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 4>({.scale = 0.1f}));
  return g.output(g.dense("d", x, {.units = 2, .weights = lb::coded_weights(lb::coded<lb::q8, w>, lb::symmetric{.1f}), .out = {.scale = 0.1f}}));
}
using net = lb::model<make_net>;

lb::status use(std::span<unsigned char> arena, std::span<std::int8_t> x, std::span<std::int8_t> y) {
#ifdef LOWBITS_EXPECT_OK
  return net::prepare({}).run(arena, x, y);
#else
  return net::run(arena, x, y);
#endif
}
