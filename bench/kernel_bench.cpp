// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Whole kernels, on every architecture this processor can run: matrix products, convolutions,
// depthwise convolutions and element-wise operations, next to the rate of the multiply instruction
// on registers alone (prim_bench prints the same control).

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "support.hpp"

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/depthwise.hpp>
#include <lowbits/kernel/select.hpp>

namespace {

namespace lb = lowbits;
using namespace bench;

using channel_rq = lb::channel_requantizer<lb::q8, lb::round_single>;

std::vector<lb::fixed_multiplier> factors(int n) {
  std::vector<lb::fixed_multiplier> f(static_cast<size_t>(n));
  for (size_t i = 0; i < f.size(); ++i) f[i] = lb::fixed_multiplier::from(0.0004 + 1e-6 * static_cast<double>(i));
  return f;
}

/// Runs Kernel (conv2d or depthwise) on random codes.
template <class Kernel, class Shape>
void run_weighted(benchmark::State& state, const Shape& s, size_t x_size, size_t w_size, int out_c, size_t y_size,
                  double macs) {
  const auto x = random_codes<int8_t>(x_size), w = random_codes<int8_t>(w_size);
  const std::vector<int32_t> bias(static_cast<size_t>(out_c), 100);
  const auto f = factors(out_c);
  const channel_rq rq{f.data(), {-3, -128, 127}};
  aligned_bytes packed(Kernel::packed_bytes(s)), scratch(Kernel::scratch_bytes(s));
  std::vector<int8_t> y(y_size);
  Kernel::pack(s, w.data(), bias.data(), 5, packed.data());
  for (auto _ : state) {
    Kernel::run(s, x.data(), 5, w.data(), 0, bias.data(), packed.data(), rq, y.data(), scratch.data());
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  count_operations(state, 2 * macs);
}

template <class Arch>
void add_conv(const char* name, const lb::conv2d_shape& s) {
  using kernel = lb::kernel::conv2d<Arch, int8_t, const int8_t*, int32_t, channel_rq>;
  benchmark::RegisterBenchmark((std::string(name) + "/" + Arch::name).c_str(), [s](benchmark::State& state) {
    const size_t positions = static_cast<size_t>(s.batch) * static_cast<size_t>(s.out_h * s.out_w);
    const size_t channels = static_cast<size_t>(s.out_c), depth = static_cast<size_t>(s.depth());
    run_weighted<kernel>(state, s, static_cast<size_t>(s.batch * s.in_h * s.in_w * s.in_c), channels * depth, s.out_c,
                         positions * channels, static_cast<double>(positions * channels * depth));
  });
}

template <class Arch>
void add_depthwise(const char* name, const lb::depthwise_shape& s) {
  using kernel = lb::kernel::depthwise<Arch, int8_t, const int8_t*, int32_t, channel_rq>;
  benchmark::RegisterBenchmark((std::string(name) + "/" + Arch::name).c_str(), [s](benchmark::State& state) {
    const size_t positions = static_cast<size_t>(s.batch) * static_cast<size_t>(s.out_h * s.out_w);
    const size_t channels = static_cast<size_t>(s.out_c()), taps = static_cast<size_t>(s.window.taps());
    run_weighted<kernel>(state, s, static_cast<size_t>(s.batch * s.in_h * s.in_w * s.in_c), channels * taps,
                         s.out_c(), positions * channels, static_cast<double>(positions * channels * taps));
  });
}

constexpr lb::conv2d_shape square_conv(int size, int in_c, int out_c, int kernel, int stride) {
  const int pad = kernel / 2, out = (size + 2 * pad - kernel) / stride + 1;
  return {.in_h = size, .in_w = size, .in_c = in_c, .out_h = out, .out_w = out, .out_c = out_c,
          .window = {.kernel_h = kernel, .kernel_w = kernel, .stride_h = stride, .stride_w = stride,
                     .pad_top = pad, .pad_left = pad}};
}
constexpr lb::depthwise_shape square_depthwise(int size, int channels, int stride, int kernel = 3, int multiplier = 1) {
  const int out = (size - 1) / stride + 1, pad = kernel / 2;
  return {.in_h = size, .in_w = size, .in_c = channels, .out_h = out, .out_w = out, .multiplier = multiplier,
          .window = {.kernel_h = kernel, .kernel_w = kernel, .stride_h = stride, .stride_w = stride, .pad_top = pad, .pad_left = pad}};
}

template <class Arch>
void add_all() {
  if (!lb::is_usable<Arch>()) return;
  add_conv<Arch>("gemm_256x256x256", lb::dense_shape(256, 256, 256));
  add_conv<Arch>("gemm_512x512x512", lb::dense_shape(512, 512, 512));
  add_conv<Arch>("gemm_100x71x130", lb::dense_shape(100, 71, 130));
  add_conv<Arch>("dense_1x1024x1024", lb::dense_shape(1, 1024, 1024));
  add_conv<Arch>("conv_3x3_56x56x64", square_conv(56, 64, 64, 3, 1));
  add_conv<Arch>("conv_1x1_56x56x64_256", square_conv(56, 64, 256, 1, 1));
  add_conv<Arch>("conv_7x7_224x224x3_64", square_conv(224, 3, 64, 7, 2));
  add_conv<Arch>("conv_3x3_8x8x16", square_conv(8, 16, 16, 3, 1));
  add_depthwise<Arch>("depthwise_112x112x32", square_depthwise(112, 32, 1));
  add_depthwise<Arch>("depthwise_112x112x64_stride2", square_depthwise(112, 64, 2));
  add_depthwise<Arch>("depthwise_56x56x144", square_depthwise(56, 144, 1));
  add_depthwise<Arch>("depthwise_28x28x192", square_depthwise(28, 192, 1));
  add_depthwise<Arch>("depthwise_14x14x384", square_depthwise(14, 384, 1));
  add_depthwise<Arch>("depthwise_7x7x960", square_depthwise(7, 960, 1));
  add_depthwise<Arch>("depthwise_5x5_28x28x192", square_depthwise(28, 192, 1, 5));
  add_depthwise<Arch>("depthwise_5x5_28x28x192_stride2", square_depthwise(28, 192, 2, 5));
  add_depthwise<Arch>("depthwise_28x28x96_multiplier2", square_depthwise(28, 96, 1, 3, 2));
}

const bool registered = [] {
  add_controls();
  [&]<class... Archs>(lb::type_list<Archs...>) { (add_all<Archs>(), ...); }(lb::all_archs{});
  return true;
}();

}  // namespace
