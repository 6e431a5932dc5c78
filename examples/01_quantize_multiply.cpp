// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Quantize a float matrix to 4 bits and a vector to 8, multiply them with integers, and see how far
// the result is from float.

#include <cmath>
#include <cstdint>
#include <cstdio>

#include <lowbits/lowbits.hpp>

namespace lb = lowbits;
using w4 = lb::scheme<lb::narrow<lb::q4>,
                      lb::per_axis<0>>;  // the recipe is one type: 4 bits, a scale per row

constexpr int rows = 8, columns = 64;

int main() {
  static float w[rows][columns], x[columns];
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      w[r][c] = std::sin(static_cast<float>(r * 31 + c * 7)) * static_cast<float>(r + 1) * 0.1f;
  for (int c = 0; c < columns; ++c) x[c] = std::cos(static_cast<float>(c * 3));

  const auto q = lb::quantize<w4>(w);  // packed codes and one scale per row, no pointers, no heap
  static_assert(sizeof q == rows * columns / 2 + rows * sizeof(float));

  std::int8_t xq[columns];
  const lb::affine xp = lb::ref::dynamic_quantize<lb::q8>(columns, x, xq);

  std::int32_t acc[rows];
  lb::ref::conv2d<lb::accumulator<lb::q8, lb::q4, columns>>(
      lb::dense_shape(1, columns, rows), xq, xp.zero_point, q.codes(), 0,
      static_cast<const std::int32_t*>(nullptr), lb::raw_accumulator<>{}, acc);
  float worst = 0;
  for (int r = 0; r < rows; ++r) {
    float exact = 0;
    for (int c = 0; c < columns; ++c) exact += w[r][c] * x[c];
    const float got = static_cast<float>(acc[r]) * q.params[r].scale * xp.scale;
    std::printf("row %d: %8.4f, float %8.4f\n", r, static_cast<double>(got),
                static_cast<double>(exact));
    worst = std::fmax(worst, std::fabs(got - exact) / static_cast<float>(r + 1));
  }
  std::printf("%zu bytes instead of %zu; largest error %.3f of a row's unit\n", sizeof q, sizeof w,
              static_cast<double>(worst));
  return worst < 0.2f ? 0 : 1;
}
