// expect: lowbits: quantized_tensor: per_axis names an axis that the tensor does not have; count axes from 0, outermost first
#include <lowbits/pack/quantized_tensor.hpp>

namespace lb = lowbits;

#ifdef LOWBITS_EXPECT_OK
using per_column = lb::per_axis<1>;
#else
using per_column = lb::per_axis<2>;
#endif
constexpr float weights[2][3] = {{1, 2, 3}, {4, 5, 6}};
constexpr auto codes = lb::quantize<lb::scheme<lb::q4, per_column>>(weights);
