// expect: lowbits: builder: a bias is so large|lowbits: builder: a 64-bit accumulator could overflow
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr std::int16_t d[4] = {1};
constexpr lb::affine q{.scale = 0.1f};
#ifdef LOWBITS_EXPECT_OK
constexpr std::int64_t huge[1] = {1ll << 40};
#else
constexpr std::int64_t huge[1] = {INT64_MAX};
#endif

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q16, 4>(q));
  return g.output(g.dense("y", x, {.units = 1, .weights = lb::weights(d, lb::symmetric{.1f}), .bias = huge, .out = q}));
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
