// expect: lowbits: interleaved_layout: fields of this width do not fill a byte; use 1, 2 or 4 bits
#include <lowbits/pack/layout.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
constexpr auto bytes = lb::interleaved_layout<16>::bytes<lb::q4>(2, 64);
#else
constexpr auto bytes = lb::interleaved_layout<16>::bytes<lb::q3>(2, 64);
#endif
