// expect: lowbits: builder: an input edge is empty or out of range; pass an edge
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr std::int8_t w[4 * 3 * 3 * 2] = {1};
constexpr lb::affine q{.scale = 0.1f};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 8, 8, 2>(q));
#ifdef LOWBITS_EXPECT_OK
  return g.output(g.relu("r", x));
#else
  static_cast<void>(x);
  return g.output(g.relu("r", lb::edge{}));
#endif
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
