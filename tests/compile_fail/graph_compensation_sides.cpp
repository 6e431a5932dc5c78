// expect: lowbits: builder: .ec needs codes of 9 to 16 bits on one side .three_products: on both.
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
constexpr std::int16_t w[4] = {1};
#else
constexpr std::int8_t w[4] = {1};
#endif
constexpr lb::affine q{.scale = 0.1f};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q16, 4>(q));
  return g.output(g.dense("y", x, {.units = 1, .weights = lb::weights(w, lb::symmetric{.1f}), .out = q,
                                   .ec = lb::error_compensation::three_products}));
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
