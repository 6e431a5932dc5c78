// expect: lowbits: builder: the inputs are quantized differently
// expect: cat|99, 97, 116
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr std::int8_t w[4 * 3 * 3 * 2] = {1};
constexpr lb::affine q{.scale = 0.1f};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 8, 8, 2>(q));
  const auto y = g.input("y", lb::tensor<lb::q8, 8, 8, 2>({.scale = 0.2f}));
#ifdef LOWBITS_EXPECT_OK
  return g.output(g.concat("cat", {x, g.requantize("same", y, {.out = q})}, 2));
#else
  return g.output(g.concat("cat", {x, y}, 2));
#endif
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
