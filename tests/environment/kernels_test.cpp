// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of every architecture against the reference, in every floating-point environment, compiled
// with several sets of options. Both run in the same environment, so that float results are compared
// as well.
#include "support/every_arch.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/dynamic_quantize.hpp>
#include <lowbits/kernel/eltwise.hpp>
#include <lowbits/kernel/select.hpp>
#include <lowbits/quant/quantize.hpp>

#include "float_environment.hpp"
#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::random_numbers;

namespace {

int failures = 0;
template <class T>
void expect_same(const std::vector<T>& got, const std::vector<T>& want, const char* what, const char* arch, const char* where) {
  if (got.size() == want.size() && std::memcmp(got.data(), want.data(), got.size() * sizeof(T)) == 0) return;
  ++failures;
  std::printf("FAILED %s on %s (%s)\n", what, arch, where);
}

constexpr std::size_t count = 1003;

/// Codes of numbers around ties, of infinities and of NaN, on a scale that is a normal float.
template <class Arch>
void check_conversions(const char* where) {
  random_numbers random(1);
  std::vector<float> x(count), y(count), y_want(count);
  std::vector<std::int8_t> q(count), q_want(count);
  for (int k = 0; k < 20; ++k) {
    const lb::affine p{random.with_exponent(random.in(-20, 20)), random.in(-128, 127)};
    for (std::size_t i = 0; i < count; ++i) {
      x[i] = static_cast<float>(random.in(-600, 600)) * 0.5f * p.scale;
      if (i % 50 == 0) x[i] = std::bit_cast<float>(random.next32() | 0x7f800000u);  // NaN, sometimes infinity
      if (i % 50 == 1) x[i] = std::bit_cast<float>((random.next32() & 0x80000000u) | 0x7f800000u);
      if (i % 50 == 2) x[i] = std::bit_cast<float>(random.next32() & 0x807fffffu);  // denormal
      q_want[i] = lb::quantize<lb::q8>(x[i], p);
    }
    lb::kernel::quantize<Arch>(count, x.data(), p, lb::output_stage{p.zero_point, -128, 127}, q.data());
    expect_same(q, q_want, "quantize", Arch::name, where);
    for (std::size_t i = 0; i < count; ++i) y_want[i] = lb::dequantize<lb::q8>(q[i], p);
    lb::kernel::dequantize<Arch>(count, q.data(), p, y.data());
    expect_same(y, y_want, "dequantize", Arch::name, where);
  }
}

template <class Arch>
void check_elementwise(const char* where) {
  constexpr lb::qformat q8 = lb::qformat::of<lb::q8>();
  random_numbers random(2);
  std::vector<std::int8_t> x(count), y(count), got(count), want(count);
  for (int k = 0; k < 10; ++k) {
    const lb::affine xp{random.with_exponent(random.in(-6, 0)), random.in(-128, 127)}, yp{random.with_exponent(random.in(-6, 0)), random.in(-128, 127)};
    const lb::affine op{random.with_exponent(random.in(-6, 0)), random.in(-128, 127)};
    for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<std::int8_t>(random.in(-128, 127)), y[i] = static_cast<std::int8_t>(random.in(-128, 127));
    const auto sum = lb::make_sum(q8, xp, q8, yp, q8, op, lb::activation::relu6);
    for (std::size_t i = 0; i < count; ++i) want[i] = static_cast<std::int8_t>(sum(x[i], y[i]));
    lb::kernel::binary<Arch>(count, x.data(), y.data(), sum, got.data());
    expect_same(got, want, "sum", Arch::name, where);
    const auto rescale = lb::make_rescale(q8, xp, q8, op);
    for (std::size_t i = 0; i < count; ++i) want[i] = static_cast<std::int8_t>(rescale(x[i]));
    lb::kernel::rescale<Arch>(count, x.data(), rescale, got.data());
    expect_same(got, want, "rescale", Arch::name, where);
  }
}

template <class Arch, class Policy>
void check_dense(const char* policy, const char* where) {
  random_numbers random(3);
  const lb::conv2d_shape s = lb::dense_shape(7, 75, 37);
  std::vector<std::int8_t> x(7 * 75), w(37 * 75), got(7 * 37), want(7 * 37);
  std::vector<std::int32_t> bias(37);
  for (auto& v : x) v = static_cast<std::int8_t>(random.in(-128, 127));
  for (auto& v : w) v = static_cast<std::int8_t>(random.in(-127, 127));
  for (auto& v : bias) v = random.in(-5000, 5000);
  const auto rq = lb::make_requantizer<lb::q8, Policy>({0.05f, 0}, {0.02f, 0}, {0.7f, 3}, lb::activation::relu);
  using kernel = lb::kernel::conv2d<Arch, std::int8_t, const std::int8_t*, std::int32_t, std::decay_t<decltype(rq)>>;
  struct alignas(64) line { unsigned char bytes[64]; };
  std::vector<line> packed(kernel::packed_bytes(s) / 64 + 1), scratch(kernel::scratch_bytes(s) / 64 + 1);
  kernel::pack(s, w.data(), bias.data(), 3, packed[0].bytes);
  kernel::run(s, x.data(), 3, w.data(), 0, bias.data(), packed[0].bytes, rq, got.data(), scratch[0].bytes);
  lb::ref::conv2d<std::int32_t>(s, x.data(), 3, w.data(), 0, bias.data(), rq, want.data());
  expect_same(got, want, policy, Arch::name, where);
}

/// Sums to floats, where nothing may be contracted.
template <class Arch>
void check_real_dense(const char* where) {
  random_numbers random(4);
  constexpr int rows = 5, depth = 70, cols = 37;
  const lb::conv2d_shape s = lb::dense_shape(rows, depth, cols);
  std::vector<std::int8_t> x(rows * depth), w(cols * depth);
  std::vector<float> scales(cols), bias(cols), got(rows * cols), want(rows * cols);
  for (auto& v : x) v = static_cast<std::int8_t>(random.in(-128, 127));
  for (auto& v : w) v = static_cast<std::int8_t>(random.in(-127, 127));
  for (auto& v : scales) v = random.with_exponent(random.in(-12, 0));
  for (auto& v : bias) v = random.with_exponent(random.in(-4, 10));
  const lb::float_output out{.scales = scales.data(), .bias = bias.data()};
  using kernel = lb::kernel::conv2d<Arch, std::int8_t, const std::int8_t*, std::int32_t, lb::float_output>;
  struct alignas(64) line { unsigned char bytes[64]; };
  std::vector<line> packed(kernel::packed_bytes(s) / 64 + 1), scratch(kernel::scratch_bytes(s) / 64 + 1);
  const std::int32_t* no_bias = nullptr;
  kernel::pack(s, w.data(), no_bias, 3, packed[0].bytes);
  kernel::run(s, x.data(), 3, w.data(), 0, no_bias, packed[0].bytes, out, got.data(), scratch[0].bytes);
  lb::ref::conv2d<std::int32_t>(s, x.data(), 3, w.data(), 0, no_bias, out, want.data());
  expect_same(got, want, "dense to floats", Arch::name, where);
}

template <class Arch>
void check_dynamic(const char* where) {
  random_numbers random(5);
  constexpr int rows = 3;
  constexpr std::size_t columns = 201;
  std::vector<float> x(rows * columns);
  for (auto& v : x) v = random.with_exponent(random.in(-8, 3)) * static_cast<float>(random.in(0, 1) * 2 - 1);
  x[5] = std::bit_cast<float>(0x7f800000u);
  x[columns + 7] = std::bit_cast<float>(0x80000001u);  // denormal
  std::vector<std::uint8_t> got(x.size()), want(x.size());
  lb::affine got_params[rows], want_params[rows];
  for (int r = 0; r < rows; ++r)
    want_params[r] = lb::ref::dynamic_quantize<lb::u8>(columns, x.data() + static_cast<std::size_t>(r) * columns, want.data() + static_cast<std::size_t>(r) * columns);
  lb::kernel::dynamic_quantize<Arch>(rows, columns, x.data(), got_params, got.data());
  expect_same(got, want, "dynamic codes", Arch::name, where);
  for (int r = 0; r < rows; ++r)
    expect_same(std::vector{got_params[r].scale, static_cast<float>(got_params[r].zero_point)},
                std::vector{want_params[r].scale, static_cast<float>(want_params[r].zero_point)}, "dynamic parameters", Arch::name, where);
}

template <class Arch>
void check_arch(const environment::setting& s) {
#if LOWBITS_DISPATCH
  if (!lb::detail::can_run<Arch>()) return;
#endif
  if (&s == environment::settings) std::printf("%s\n", Arch::name);
  const environment::scope in(s);
  check_conversions<Arch>(s.name);
  check_elementwise<Arch>(s.name);
  check_real_dense<Arch>(s.name);
  check_dynamic<Arch>(s.name);
  check_dense<Arch, lb::round_single>("dense, single", s.name);
  check_dense<Arch, lb::round_double_gemmlowp>("dense, double_gemmlowp", s.name);
  check_dense<Arch, lb::round_even_float>("dense, even_float", s.name);
}

}  // namespace

int main() {
  for (const environment::setting& s : environment::settings) {
    if (s.flush && !environment::can_flush) continue;
    [&]<class... Archs>(lb::type_list<Archs...>) { (check_arch<Archs>(s), ...); }(lb::all_archs{});
  }
  std::printf("%d failures\n", failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
