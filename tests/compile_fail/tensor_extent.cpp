// expect: lowbits: tensor: an extent is below 1; give positive extents
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
constexpr int h = 1;
#else
constexpr int h = 0;
#endif
constexpr auto t = lb::tensor<lb::q8, h, 2>({.scale = 1.f});
