// expect: lowbits: builder: the layer has no weights; bind an array
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr std::int8_t w[4 * 3 * 3 * 2] = {1};
constexpr lb::affine q{.scale = 0.1f};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 8, 8, 2>(q));
#ifdef LOWBITS_EXPECT_OK
  return g.output(g.conv2d("c", x, {.out_c = 4, .kernel = 3, .weights = lb::weights(w, lb::symmetric{.01f}), .out = q}));
#else
  return g.output(g.conv2d("c", x, {.out_c = 4, .kernel = 3, .out = q}));
#endif
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
