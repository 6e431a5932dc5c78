// expect: lowbits: model: a node computes in floats, which this target is not meant to; quantize the node, or define LOWBITS_REAL_NODES as 1
#define LOWBITS_REAL_NODES 0
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr auto make_net() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::real_tensor<4>());
#ifdef LOWBITS_EXPECT_OK
  return g.output(g.dequantize("back", g.quantize("codes", x, {.out = {.scale = 1.0f}})));
#else
  return g.output(g.softmax("soft", x));
#endif
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
