// expect: lowbits: qtype: Bits is outside 1..16; choose a width from 1 to 16
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
using wide = lb::qtype<16>;
#else
using wide = lb::qtype<17>;
#endif
constexpr int highest = wide::highest;
