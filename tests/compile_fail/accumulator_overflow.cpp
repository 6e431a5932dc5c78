// expect: lowbits: accumulator: the dot product can overflow the accumulator; split it into blocks
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
constexpr std::size_t products = 256;
#else
constexpr std::size_t products = 600;
#endif
using acc = lb::proven_accumulator<std::int32_t, lb::q16, lb::q8, products>::type;
constexpr acc zero = 0;
