// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include <lowbits/fixed/functions.hpp>

namespace lb = lowbits;
namespace curve = lowbits::curve;

namespace {

struct exact_function {
  const char* name;
  double (*ours)(double);
  long double (*exact)(long double);
  double lowest, highest;
  double relative, absolute;  ///< allowed error: either is enough
};

long double logistic(long double x) { return 1 / (1 + std::exp(-x)); }
const long double root_half = std::sqrt(0.5L), pi = std::acos(-1.0L);

const exact_function functions[] = {
    {"exp", curve::exp, [](long double x) { return std::exp(x); }, -707.9, 708.9, 2.3e-16, 0},
    {"expm1", curve::expm1, [](long double x) { return std::expm1(x); }, -60, 60, 1e-15, 0},
    {"expm1 small", curve::expm1, [](long double x) { return std::expm1(x); }, -1e-3, 1e-3, 1e-15, 0},
    {"logistic", curve::logistic, logistic, -700, 700, 1e-15, 0},
    {"tanh", curve::tanh, [](long double x) { return std::tanh(x); }, -30, 30, 1.5e-15, 0},
    {"tanh small", curve::tanh, [](long double x) { return std::tanh(x); }, -1e-4, 1e-4, 1.5e-15, 0},
    {"erfc", curve::erfc, [](long double x) { return std::erfc(x); }, -9, 9, 0, 4e-16},
    {"gelu", curve::gelu, [](long double x) { return x / 2 * std::erfc(-x * root_half); }, -12, 12, 4e-16, 4e-16},
    {"gelu_tanh", curve::gelu_tanh,
     [](long double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715L * x * x * x))); }, -12, 12, 4e-16, 1e-15},
    {"silu", curve::silu, [](long double x) { return x * logistic(x); }, -50, 50, 1e-15, 0},
    {"square", curve::square, [](long double x) { return x * x; }, -50, 50, 2e-16, 0},
    {"absolute", curve::absolute, [](long double x) { return std::fabs(x); }, -50, 50, 0, 0},
    {"relu", curve::relu, [](long double x) { return x > 0 ? x : 0; }, -8, 8, 0, 0},
    {"relu6", curve::relu6, [](long double x) { return x > 6 ? 6 : x > 0 ? x : 0; }, -8, 8, 0, 0},
    {"leaky_relu", [](double x) { return curve::leaky_relu(x, 0.125); }, [](long double x) { return x < 0 ? x / 8 : x; }, -8, 8, 0, 0},
    {"elu", [](double x) { return curve::elu(x, 2.0); }, [](long double x) { return x < 0 ? 2 * std::expm1(x) : x; }, -8, 8, 1e-15, 0},
    {"hard_sigmoid", curve::hard_sigmoid, [](long double x) { return x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6; }, -8, 8, 2e-16, 2e-16},
    {"hard_swish", curve::hard_swish, [](long double x) { return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6; }, -8, 8, 4e-16, 4e-16},
};

/// The distance of got from the exact value, in units of the float at that place.
double ulps(float got, double exact) {
  const float nearest = static_cast<float>(exact);
  const float size = std::fabs(nearest);
  const double unit = double{std::nextafter(size, std::numeric_limits<float>::infinity())} - double{size};
  return std::fabs(double{got} - exact) / unit;
}

/// Values at which the compiler computed what the processor computes below.
constexpr int samples = 64;
constexpr double sample(int i) { return lb::fp::product(static_cast<double>(i - samples / 2), 0.37109375); }

struct results {
  std::array<double, samples> exp, tanh, logistic, gelu, gelu_tanh, hard_swish;
  std::array<float, samples> fp_exp, fp_tanh, fp_sigmoid;
};
constexpr void fill(results& r, int i, double x) {
  const auto k = static_cast<std::size_t>(i);
  r.exp[k] = curve::exp(x);
  r.tanh[k] = curve::tanh(x);
  r.logistic[k] = curve::logistic(x);
  r.gelu[k] = curve::gelu(x);
  r.gelu_tanh[k] = curve::gelu_tanh(x);
  r.hard_swish[k] = curve::hard_swish(x);
  const float small_x = static_cast<float>(x);
  r.fp_exp[k] = lb::fp_exp(small_x);
  r.fp_tanh[k] = lb::fp_tanh(small_x);
  r.fp_sigmoid[k] = lb::fp_sigmoid(small_x);
}
constexpr results at_compile_time = [] {
  results r{};
  for (int i = 0; i < samples; ++i) fill(r, i, sample(i));
  return r;
}();

}  // namespace

TEST_CASE("double functions stay within the stated errors") {
  for (const exact_function& f : functions) {
    const int steps = 200000;
    double worst_relative = 0, worst_absolute = 0, at = 0;
    int outside = 0;
    for (int i = 0; i <= steps; ++i) {
      const double x = f.lowest + (f.highest - f.lowest) * i / steps;
      const long double e = f.exact(x), off = std::fabs(f.ours(x) - e);
      if (off <= f.absolute || off <= f.relative * std::fabs(e)) continue;
      ++outside;
      worst_absolute = std::fmax(worst_absolute, static_cast<double>(off));
      if (e != 0) worst_relative = std::fmax(worst_relative, static_cast<double>(off / std::fabs(e)));
      at = x;
    }
    CAPTURE(f.name);
    CAPTURE(at);
    CAPTURE(worst_relative);
    CAPTURE(worst_absolute);
    CHECK(outside == 0);
  }
}

TEST_CASE("double functions at the ends") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  CHECK(curve::exp(-708.5) == 0.0);
  CHECK(curve::exp(-infinity) == 0.0);
  CHECK(curve::exp(infinity) == curve::exp(709.0));
  CHECK(curve::exp(0.0) == 1.0);
  CHECK(curve::expm1(-infinity) == -1.0);
  CHECK(curve::tanh(infinity) == 1.0);
  CHECK(curve::tanh(-1e300) == -1.0);
  CHECK(curve::tanh(0.0) == 0.0);
  CHECK(curve::logistic(infinity) == 1.0);
  CHECK(curve::logistic(-infinity) < 1e-300);
  CHECK(curve::erfc(infinity) == 0.0);
  CHECK(curve::erfc(-infinity) == 2.0);
  CHECK(curve::gelu(-40.0) == 0.0);
  CHECK(curve::gelu(40.0) == 40.0);
  for (auto f : {curve::exp, curve::expm1, curve::tanh, curve::logistic, curve::erfc}) CHECK(lb::fp::is_nan(f(nan)));
}

TEST_CASE("float functions stay within the stated errors") {
  double worst_exp = 0, worst_sigmoid = 0, worst_tanh = 0;
  const std::uint32_t stride = 4099;  // a prime: every exponent, many mantissas
  for (std::uint32_t u = 0; u < 0x7f80'0000u; u += stride)
    for (std::uint32_t negative = 0; negative < 2; ++negative) {
      const float x = lb::fp::from_bits(u | negative << 31);
      if (x >= -87.33f && x <= 88.72f) worst_exp = std::fmax(worst_exp, ulps(lb::fp_exp(x), std::exp(double{x})));
      if (x >= -87.0f) worst_sigmoid = std::fmax(worst_sigmoid, ulps(lb::fp_sigmoid(x), 1 / (1 + std::exp(-double{x}))));
      worst_tanh = std::fmax(worst_tanh, ulps(lb::fp_tanh(x), std::tanh(double{x})));
    }
  CHECK(worst_exp < 1.1);
  CHECK(worst_sigmoid < 2.6);
  CHECK(worst_tanh < 1.5);
}

TEST_CASE("float functions at the ends") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  CHECK(lb::fp_exp(-87.4f) == 0.0f);
  CHECK(lb::fp_exp(-infinity) == 0.0f);
  CHECK(lb::fp_exp(-87.33f) >= std::numeric_limits<float>::min());
  CHECK(lb::fp_exp(88.8f) == infinity);
  CHECK(lb::fp_exp(infinity) == infinity);
  CHECK(lb::fp_exp(0.0f) == 1.0f);
  CHECK(lb::fp_sigmoid(0.0f) == 0.5f);
  CHECK(lb::fp_sigmoid(infinity) == 1.0f);
  CHECK(lb::fp_sigmoid(-infinity) == lb::fp_sigmoid(-87.0f));
  CHECK(lb::fp_sigmoid(-infinity) >= std::numeric_limits<float>::min());
  CHECK(lb::fp_tanh(infinity) == 1.0f);
  CHECK(lb::fp_tanh(-infinity) == -1.0f);
  CHECK(lb::fp::to_bits(lb::fp_tanh(-0.0f)) == lb::fp::sign_mask);
  CHECK(lb::fp::to_bits(lb::fp_tanh(lb::fp::from_bits(1u))) == 1u);  // a denormal
  for (auto f : {lb::fp_exp, lb::fp_sigmoid, lb::fp_tanh}) CHECK(lb::fp::is_nan(f(nan)));
}

TEST_CASE("float functions are monotonic where neighbours are close") {
  for (auto f : {lb::fp_sigmoid, lb::fp_tanh}) {
    float before = f(-12.0f);
    int falls = 0;
    for (int i = -12 * 4096; i <= 12 * 4096; ++i) {
      const float y = f(static_cast<float>(i) / 4096);
      if (y < before) ++falls;
      before = y;
    }
    CHECK(falls == 0);
  }
}

TEST_CASE("the compiler and the processor compute the same bits") {
  results r{};
  for (int i = 0; i < samples; ++i) {
    volatile double x = sample(i);
    fill(r, i, x);
  }
  for (std::size_t i = 0; i < samples; ++i) {
    CAPTURE(sample(static_cast<int>(i)));
    const auto same = [](auto a, auto b) { return lb::fp::to_bits(a) == lb::fp::to_bits(b); };
    CHECK(same(r.exp[i], at_compile_time.exp[i]));
    CHECK(same(r.tanh[i], at_compile_time.tanh[i]));
    CHECK(same(r.logistic[i], at_compile_time.logistic[i]));
    CHECK(same(r.gelu[i], at_compile_time.gelu[i]));
    CHECK(same(r.gelu_tanh[i], at_compile_time.gelu_tanh[i]));
    CHECK(same(r.hard_swish[i], at_compile_time.hard_swish[i]));
    CHECK(same(r.fp_exp[i], at_compile_time.fp_exp[i]));
    CHECK(same(r.fp_tanh[i], at_compile_time.fp_tanh[i]));
    CHECK(same(r.fp_sigmoid[i], at_compile_time.fp_sigmoid[i]));
  }
}

TEST_CASE("results as they have always been") {
  std::uint64_t h = 14695981039346656037u;
  const auto add = [&](std::uint64_t v) { h = (h ^ v) * 1099511628211u; };
  for (int i = -4000; i <= 4000; ++i) {
    const double x = lb::fp::product(static_cast<double>(i), 0.0037);
    for (auto f : {curve::exp, curve::expm1, curve::logistic, curve::tanh, curve::erfc, curve::gelu, curve::gelu_tanh, curve::silu})
      add(lb::fp::to_bits(f(x)));
    for (auto f : {lb::fp_exp, lb::fp_tanh, lb::fp_sigmoid}) add(lb::fp::to_bits(f(static_cast<float>(x))));
  }
  CHECK(h == 11366540726405099915u);
}

static_assert(curve::exp(0.0) == 1.0 && curve::expm1(0.0) == 0.0 && curve::tanh(0.0) == 0.0);
static_assert(curve::logistic(0.0) == 0.5 && curve::erfc(0.0) == 1.0 && curve::gelu(0.0) == 0.0 && curve::gelu_tanh(0.0) == 0.0);
static_assert(curve::silu(0.0) == 0.0 && curve::elu(-1.0, 0.0) == 0.0 && curve::leaky_relu(-2.0, 0.5) == -1.0);
static_assert(curve::hard_swish(3.0) == 3.0 && curve::hard_sigmoid(0.0) == 0.5 && curve::relu6(7.0) == 6.0 && curve::relu(-1.0) == 0.0);
static_assert(curve::square(3.0) == 9.0 && curve::absolute(-3.0) == 3.0 && curve::identity(2.0) == 2.0);
static_assert(lb::fp_exp(0.0f) == 1.0f && lb::fp_tanh(0.0f) == 0.0f && lb::fp_sigmoid(0.0f) == 0.5f);
