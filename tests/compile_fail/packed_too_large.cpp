// expect: lowbits: packed: Values has more than 131072 elements, too many for a compiler's default limits; let the tool
#include <lowbits/pack/packed_array.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
constexpr std::size_t count = 1000;
#else
constexpr std::size_t count = 131073;
#endif
struct zeros {
  static constexpr std::size_t size() { return count; }
  constexpr int operator[](std::size_t) const { return 0; }
};
constexpr zeros values;
constexpr auto codes = lb::packed<lb::q4, values>;
