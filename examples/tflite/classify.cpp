// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A .tflite file in a program. residual.hpp is made of residual.tflite by lowbits_add_model() while
// building (CMakeLists.txt); its first lines say what the arrays mean. The compiler has checked the
// graph and planned the memory: nothing is parsed or allocated here.
//
// residual.tflite is a small int8 network of convolutions, a sum, a mean and a dense layer. Its weights
// are arbitrary: it takes an image of 9 x 8 pixels and has an opinion on five classes.

#include <cstdio>

#include "residual.hpp"

namespace lb = lowbits;

using net = lb::model<residual::make_net>;
static_assert(net::arena_bytes <= 32 * 1024, "more memory than this program wants to give");
alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];

int main() {
  constexpr lb::tensor_desc in = net::input_desc<0>, out = net::output_desc<0>;

  // Real numbers become codes by the input's scale and zero point.
  std::int8_t image[in.count()], classes[out.count()];
  for (std::size_t i = 0; i < in.count(); ++i) {
    const float brightness = static_cast<float>(i % 7) - 3.0f;
    image[i] = lb::quantize<lb::q8>(brightness, in.params);
  }

  const lb::status s = net::run(arena, image, classes);
  if (s != lb::status::ok) {
    std::printf("the network did not run: %s\n", lb::to_string(s));
    return 1;
  }

  // And back.
  float sum = 0;
  for (std::size_t c = 0; c < out.count(); ++c) {
    const float p = lb::dequantize<lb::q8>(classes[c], out.params);
    std::printf("class %zu: %.3f\n", c, static_cast<double>(p));
    sum += p;
  }
  return sum > 0.9f && sum < 1.1f ? 0 : 1;  // probabilities
}
