// expect: lowbits: packed: Values has an element outside the type's range; clamp the values or use more bits
#include <lowbits/pack/packed_array.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
constexpr int values[] = {1, -8, 7};
#else
constexpr int values[] = {1, -8, 8};
#endif
constexpr auto codes = lb::packed<lb::q4, values>;
