// expect: lowbits: model::run: the number of buffers is not that of the model
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr std::int8_t w[4 * 3 * 3 * 2] = {1};
constexpr lb::affine q{.scale = 0.1f};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 8, 8, 2>(q));
  return g.output(g.relu("r", x));
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;

lb::status f(unsigned char (&arena)[net::arena_bytes], const std::int8_t (&x)[128], std::int8_t (&y)[128]) {
#ifdef LOWBITS_EXPECT_OK
  return net::run(arena, x, y);
#else
  static_cast<void>(y);
  return net::run(arena, x);
#endif
}
