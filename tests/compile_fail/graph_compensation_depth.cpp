// expect: lowbits: builder: a layer with .ec sums more than 32768 products
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
constexpr int depth = 32768;
#else
constexpr int depth = 32769;
#endif
constexpr std::int16_t w[depth] = {1};
constexpr lb::affine q{.scale = 0.1f};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q16, depth>(q));
  return g.output(g.dense("y", x, {.units = 1, .weights = lb::weights(w, lb::symmetric{.1f}), .out = q,
                                   .ec = lb::error_compensation::three_products}));
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
