// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A layer of a language model's size, one token at a time, on OpenMP's threads: float activations are
// quantized as they come, the product gives floats again.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <lowbits/hosted/openmp.hpp>
#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

int main() {
  constexpr int cols = 1024, depth = 1024, parts = 2;
  std::vector<float> x(depth), y(cols), w_scale(cols, 0.01f);
  std::vector<std::int8_t> w(cols * depth);
  for (int i = 0; i < depth; ++i) x[static_cast<std::size_t>(i)] = static_cast<float>(i % 17 - 8) * 0.25f;
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<std::int8_t>(i * 104729 % 253);
  std::vector<std::int32_t> w_sum(cols);
  for (std::size_t i = 0; i < w.size(); ++i) w_sum[i / depth] += w[i];

  const lb::gemm<std::int8_t, lb::float_output> product({.cols = cols, .depth = depth});
  const std::unique_ptr<unsigned char[], void (*)(void*)> packed(
      static_cast<unsigned char*>(std::aligned_alloc(64, lb::round_up<std::size_t>(product.packed_bytes(), 64))), &std::free);
  std::vector<unsigned char> scratch(product.scratch_bytes(parts));
  const std::span<unsigned char> weights(packed.get(), product.packed_bytes());
  if (product.pack(w.data(), 0, nullptr, 0, weights) != lb::status::ok) return 1;

  std::vector<std::int8_t> codes(depth);
  const lb::affine a = lb::ref::dynamic_quantize<lb::q8>(depth, x.data(), codes.data());
  const std::int32_t zero = a.zero_point;
  const lb::float_output out{.scales = w_scale.data(), .row_scales = &a.scale, .row_zeros = &zero, .weight_sums = w_sum.data()};
  if (product.run(codes.data(), weights, out, y.data(), scratch, {}, lb::openmp_threads{}, parts) != lb::status::ok) return 1;

  double expected = 0, error = 0;
  for (std::size_t k = 0; k < depth; ++k) expected += static_cast<double>(x[k]) * 0.01 * w[k];
  error = static_cast<double>(y[0]) - expected;
  std::printf("y[0] = %.4f, in floats %.4f\n", static_cast<double>(y[0]), expected);
  return error * error < 0.5 ? 0 : 1;
}
