// expect: lowbits: builder: the two input shapes differ and do not broadcast
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
#define EXTENT 1
#else
#define EXTENT 7
#endif
constexpr std::int8_t w[4 * 3 * 3 * 2] = {1};
constexpr lb::affine q{.scale = 0.1f};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 8, 8, 2>(q));
  const auto y = g.input("y", lb::tensor<lb::q8, 8, EXTENT, 2>(q));
  return g.output(g.add("s", x, y, {.out = q}));
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
