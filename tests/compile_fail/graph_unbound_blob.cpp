// expect: lowbits: model::run: the weights are in a blob; call bind\(blob\) and run what it returns
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr auto make_net() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 4>({.scale = 0.1f}));
  return g.output(g.dense("d", x, {.units = 2, .weights = lb::external_weights<lb::q8>(8, 64, lb::symmetric{.1f}), .out = {.scale = 0.1f}}));
}
using net = lb::model<make_net>;

lb::status use(std::span<unsigned char> arena, std::span<std::int8_t> x, std::span<std::int8_t> y) {
#ifdef LOWBITS_EXPECT_OK
  return net::bind({}).run(arena, x, y);
#else
  return net::run(arena, x, y);
#endif
}
