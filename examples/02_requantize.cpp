// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// From three scales to the integer that finishes a layer: multiplier, zero point, ReLU, saturation.
// The compiler computes all of it; the target only multiplies, shifts and clamps.

#include <cstdint>
#include <cstdio>

#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

constexpr lb::affine input{.scale = 0.5f / 16, .zero_point = -3};
constexpr lb::symmetric weight{.scale = 0.01f};
constexpr lb::affine output{.scale = 0.02f, .zero_point = 5};

constexpr auto rq = lb::make_requantizer<lb::q8>(input, weight, output, lb::activation::relu);
static_assert(rq(0) == 5 && rq(1'000'000) == 127 && rq(-100) == 5);  // zero point, saturation, ReLU

// The same scales rounded as TFLite and CMSIS-NN do it: the policy is part of the type.
constexpr auto as_tflite =
    lb::make_requantizer<lb::q8, lb::round_double_gemmlowp>(input, weight, output);

int main() {
  const std::int32_t accumulators[] = {0, 640, -640, 12345};
  std::int8_t codes[4];
  if (lb::requantize<std::int32_t>(accumulators, rq, codes) != lb::status::ok) return 1;

  for (int i = 0; i < 4; ++i)
    std::printf("%6d -> %4d (%.2f)   as TFLite %4d\n", int{accumulators[i]}, int{codes[i]},
                static_cast<double>(lb::dequantize<lb::q8>(codes[i], output)),
                int{as_tflite(accumulators[i])});
  std::printf("multiplier %d * 2^(%d - 31)\n", int{rq.multiplier().mantissa},
              int{rq.multiplier().exponent});
}
