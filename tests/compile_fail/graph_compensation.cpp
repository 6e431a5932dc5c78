// expect: lowbits: builder: .ec needs codes of 9 to 16 bits on one side
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr std::int8_t w[4] = {1};
constexpr lb::affine q{.scale = 0.1f};
#ifdef LOWBITS_EXPECT_OK
using input = lb::q16;
#else
using input = lb::q8;
#endif

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<input, 4>(q));
  return g.output(g.dense("y", x, {.units = 1, .weights = lb::weights(w, lb::symmetric{.1f}), .out = q, .ec = lb::error_compensation::exact}));
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
