// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What check_no_float.py must complain about: floating point where an inference should be.
#include <cstddef>

float sum_of_squares(const signed char* x, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<float>(x[i]) * static_cast<float>(x[i]);
  return sum;
}
