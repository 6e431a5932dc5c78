// expect: lowbits: builder: the array of group factors has another length than
#define LOWBITS_GROUPS
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr std::int8_t w[3 * 80] = {1};
constexpr lb::affine q{.scale = 0.1f};
constexpr std::uint8_t six[6] = {1, 1, 1, 1, 1, 1}, nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
constexpr lb::weight_groups by_six(32, six), by_nine(32, nine);

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 80>(q));
#ifdef LOWBITS_EXPECT_OK
  return g.output(g.dense("d", x, {.units = 3, .weights = lb::weights(w, lb::symmetric{1}).in_groups(by_nine), .out = q}));
#else
  return g.output(g.dense("d", x, {.units = 3, .weights = lb::weights(w, lb::symmetric{1}).in_groups(by_six), .out = q}));
#endif
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
