// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Digests of the elementary functions, in float, double and fixed point, and of the tables made from
// them while the program runs.
#include <lowbits/fixed/activation.hpp>
#include <lowbits/fixed/functions.hpp>
#include <lowbits/fixed/table.hpp>
#include <lowbits/ref/softmax.hpp>

#include "support/program.hpp"

namespace lb = lowbits;
using firmware::digest;
using firmware::random_numbers;

namespace {

/// n values of f at evenly spread and at very small and large arguments.
template <class Real, class Function>
void curve(const char* name, int n, Function f) {
  random_numbers random(7);
  digest d;
  for (int i = 0; i < n; ++i) {
    const Real usual = static_cast<Real>(random.next_int() >> 8) / Real{1 << 19};
    d.add(f(usual));
    d.add(f(usual * Real{1} / Real{4096}));
    d.add(f(usual * Real{16}));
  }
  d.report(name);
}

void real_functions() {
  curve<float>("float.exp", 800, [](float x) { return lb::fp_exp(x); });
  curve<float>("float.sigmoid", 800, [](float x) { return lb::fp_sigmoid(x); });
  curve<float>("float.tanh", 800, [](float x) { return lb::fp_tanh(x); });
  curve<double>("double.exp", 100, lb::curve::exp);
  curve<double>("double.expm1", 100, lb::curve::expm1);
  curve<double>("double.logistic", 100, lb::curve::logistic);
  curve<double>("double.tanh", 100, lb::curve::tanh);
  curve<double>("double.erfc", 100, lb::curve::erfc);
  curve<double>("double.gelu", 100, lb::curve::gelu);
  curve<double>("double.gelu_tanh", 100, lb::curve::gelu_tanh);
  curve<double>("double.silu", 100, lb::curve::silu);
  curve<double>("double.hard_swish", 100, lb::curve::hard_swish);
  curve<double>("double.elu", 100, [](double x) { return lb::curve::elu(x, 0.7); });
}

void fixed_functions() {
  random_numbers random(8);
  digest exp32, logistic32, logistic16, tanh16, lut;
  const lb::lut_input input = lb::lut_input::from(0.00031f);
  for (int i = 0; i < 1500; ++i) {
    const std::int32_t x = random.next_int() >> (random.next() % 8u);
    const auto narrow = static_cast<std::int16_t>(x);
    exp32.add(lb::gemmlowp::exp_on_negative<5>(x < 0 ? x : -1 - x));
    logistic32.add(lb::gemmlowp::logistic<4>(x));
    logistic16.add(lb::gemmlowp::logistic<3>(narrow));
    tanh16.add(lb::gemmlowp::tanh<3>(narrow));
    lut.add(lb::lut_logistic(narrow));
    lut.add(lb::lut_tanh(narrow, input));
  }
  exp32.report("fixed.exp");
  logistic32.report("fixed.logistic_32");
  logistic16.report("fixed.logistic_16");
  tanh16.report("fixed.tanh_16");
  lut.report("fixed.table");
}

void tables() {
  static lb::table256 narrow;
  static lb::table513 wide;
  digest d;
  constexpr lb::qformat q8 = lb::qformat::of<lb::q8>(), u6 = lb::qformat::of<lb::u6>();
  constexpr lb::qformat q16 = lb::qformat::of<lb::q16>(), q12 = lb::qformat::of<lb::q12>();
  narrow = lb::make_table(q8, {.scale = 0.0471f, .zero_point = 11}, u6, {.scale = 1 / 64.f}, lb::curve::logistic);
  d.add(narrow.value, 256);
  narrow = lb::make_table(u6, {.scale = 0.21f, .zero_point = 30}, q8, {.scale = 0.06f, .zero_point = -60}, lb::curve::silu);
  d.add(narrow.value, 256);
  wide = lb::make_wide_table(q16, {.scale = 0.0003f}, q16, {.scale = 1 / 32768.f}, lb::curve::tanh);
  d.add(wide.value, 513);
  wide = lb::make_wide_table(q12, {.scale = 0.004f}, q16, {.scale = 0.0002f}, lb::curve::gelu);
  d.add(wide.value, 513);
  for (int code = -2048; code < 2048; code += 7) d.add(lb::interpolate(wide.value, code, lb::table_index::of(q12)));
  d.report("tables");
}

void softmax() {
  constexpr int rows = 12, depth = 21;
  random_numbers random(9);
  static std::int16_t x[rows * depth], y[rows * depth];
  digest d;
  for (const float scale : {0.01f, 0.12f, 0.9f}) {
    for (auto& v : x) v = static_cast<std::int16_t>(random.in(-128, 127));
    const lb::qformat q8 = lb::qformat::of<lb::q8>();
    lb::ref::softmax(rows, depth, x, lb::make_softmax(q8, {.scale = scale}, 1.3f, q8), y);
    d.add(y, rows * depth);
    for (auto& v : x) v = static_cast<std::int16_t>(random.in(-32768, 32767));
    lb::ref::softmax(rows, depth, x, lb::make_wide_softmax({.scale = scale / 256}, 0.8f), y);
    d.add(y, rows * depth);
  }
  d.report("softmax");
}

}  // namespace

int firmware::run() {
  real_functions();
  fixed_functions();
  tables();
  softmax();
  return 0;
}
