// expect: lowbits: builder: activations of type q1 have no code for zero; use u1 or ternary
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
using one_bit = lb::u1;
#else
using one_bit = lb::q1;
#endif

constexpr auto make_net() {
  lb::builder<2> g;
  return g.output(g.input("x", lb::tensor<one_bit, 4>({.scale = 1.f})));
}
using net = lb::model<make_net>;
constexpr auto size = net::arena_bytes;
