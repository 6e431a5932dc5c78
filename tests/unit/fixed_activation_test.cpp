// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

#include <lowbits/fixed/activation.hpp>

namespace lb = lowbits;

namespace {

/// The largest distance of f (no integer bits out) from exact, over codes of Raw in steps, in output units.
template <class Raw, int IntegerBits, class Ours, class Exact>
double worst(Ours ours, Exact exact, std::int64_t first, std::int64_t last, std::int64_t step) {
  const int width = static_cast<int>(sizeof(Raw)) * 8;
  double most = 0;
  for (std::int64_t raw = first; raw <= last; raw += step) {
    const double x = std::ldexp(static_cast<double>(raw), IntegerBits + 1 - width);
    const double unit = std::ldexp(1.0, width - 1);
    const double e = std::fmin(exact(x) * unit, unit - 1);
    most = std::fmax(most, std::fabs(static_cast<double>(ours(static_cast<Raw>(raw))) - e));
  }
  return most;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

std::uint64_t hash(const std::uint16_t* v, int n) {
  std::uint64_t h = 14695981039346656037u;
  for (int i = 0; i < n; ++i) h = (h ^ v[i]) * 1099511628211u;
  return h;
}

/// Both functions as TFLite writes them, from a position d.
int tflite_logistic(std::int32_t d) {
  const auto& t = lb::logistic_entries<>.value;
  const std::uint32_t m = static_cast<std::uint32_t>(d < 0 ? -d : d), cell = m >> 9;
  const std::uint32_t r = cell >= 255 ? 0x7fffu << 10 : (std::uint32_t{t[cell]} << 9) + (m & 0x1ff) * (std::uint32_t{t[cell + 1]} - t[cell]);
  return static_cast<int>((d >= 0 ? r + 512 : (1u << 25) - r + 511) >> 10);
}
int tflite_tanh(std::int32_t d) {
  const auto& t = lb::logistic_entries<>.value;
  const std::uint32_t m = static_cast<std::uint32_t>(d < 0 ? -d : d), cell = m >> 8;
  const std::int64_t r = cell >= 255 ? 0xffff << 8 : (std::int64_t{t[cell]} << 8) + (m & 0xff) * (std::int64_t{t[cell + 1]} - t[cell]);
  return static_cast<int>(std::floor((d >= 0 ? static_cast<double>(r) - 8388608 + 128 : 8388608 - static_cast<double>(r) + 127) / 256));
}

/// The multiplier and shift as TFLite's loop finds them.
lb::lut_input tflite_input(float scale) {
  double multiplier = double{scale} * 4096.0 * 3.0;
  int shift = 0;
  while (multiplier <= 32767.0 / 2.0 && shift <= 30) {
    ++shift;
    multiplier *= 2.0;
  }
  return {static_cast<std::int32_t>(multiplier), shift};
}

}  // namespace

TEST_CASE("gemmlowp in 32 bits: close to the real functions") {
  constexpr std::int64_t lowest = -2147483647 - 1, highest = 2147483647, step = 65521 * 31;
  using raw = std::int32_t;
  const auto exp = [](double x) { return std::exp(x); };
  const auto tanh = [](double x) { return std::tanh(x); };
  CHECK(worst<raw, 0>([](raw a) { return lb::gemmlowp::exp_on_negative<0>(a); }, exp, lowest, 0, step) < 700);
  CHECK(worst<raw, 5>([](raw a) { return lb::gemmlowp::exp_on_negative<5>(a); }, exp, lowest, 0, step) < 700);
  CHECK(worst<raw, 8>([](raw a) { return lb::gemmlowp::exp_on_negative<8>(a); }, exp, lowest, 0, step) < 700);
  CHECK(worst<raw, 4>([](raw a) { return lb::gemmlowp::logistic<4>(a); }, logistic, lowest + 1, highest, step) < 400);
  CHECK(worst<raw, 4>([](raw a) { return lb::gemmlowp::tanh<4>(a); }, tanh, lowest + 1, highest, step) < 1000);
  CHECK(worst<raw, 0>([](raw a) { return lb::gemmlowp::one_over_one_plus_x(a); }, [](double x) { return 1 / (1 + x); }, 0, highest, step) < 100);
}

TEST_CASE("gemmlowp in 16 bits: every code") {
  using raw = std::int16_t;
  const auto exp = [](double x) { return std::exp(x); };
  const auto tanh = [](double x) { return std::tanh(x); };
  CHECK(worst<raw, 3>([](raw a) { return lb::gemmlowp::exp_on_negative<3>(a); }, exp, -32768, 0, 1) < 7);
  CHECK(worst<raw, 3>([](raw a) { return lb::gemmlowp::logistic<3>(a); }, logistic, -32768, 32767, 1) < 12);
  CHECK(worst<raw, 3>([](raw a) { return lb::gemmlowp::tanh<3>(a); }, tanh, -32768, 32767, 1) < 20);
  CHECK(worst<raw, 6>([](raw a) { return lb::gemmlowp::tanh<6>(a); }, tanh, -32768, 32767, 1) < 20);
}

TEST_CASE("gemmlowp: ends and symmetry") {
  CHECK(lb::gemmlowp::exp_on_negative<5>(std::int32_t{0}) == 2147483647);
  CHECK(lb::gemmlowp::exp_on_negative<5>(std::int32_t{-2147483647 - 1}) == 0);
  CHECK(lb::gemmlowp::exp_on_negative<6>(std::int32_t{-(33 << 25)}) == 0);  // below -32
  CHECK(lb::gemmlowp::logistic<3>(std::int16_t{0}) == 16384);
  CHECK(lb::gemmlowp::tanh<3>(std::int16_t{0}) == 0);
  for (int x = 1; x < 32768; x += 7) {
    const auto a = static_cast<std::int16_t>(x), b = static_cast<std::int16_t>(-x);
    REQUIRE(lb::gemmlowp::tanh<3>(a) == -lb::gemmlowp::tanh<3>(b));
    REQUIRE(lb::gemmlowp::logistic<3>(a) + lb::gemmlowp::logistic<3>(b) == 32767);
  }
}

TEST_CASE("gemmlowp: values computed with gemmlowp itself") {
  struct { std::int32_t x, exp5, logistic4, tanh4; } const table[] = {
      {1, 2147483124, 1073741948, 260}, {-1, 2147483124, 1073741699, -260},
      {1000, 2147451157, 1073745948, 16236}, {-99999, 2144285600, 1073341709, -1600208},
      {16777216, 1672462419, 1140763444, 267045740}, {-16777215, 1672462444, 1006720211, -267045716},
      {67108864, 790015308, 1336721090, 992388804}, {-67108865, 790014891, 810762295, -992389248},
      {134217727, 290630394, 1569936216, 1635510856}, {-134217728, 290630390, 577547421, -1635510876},
      {268435456, 39332546, 1891497262, 2070233436}, {-300000001, 24574363, 207524267, -2098890980},
      {777777777, 19886, 2140968580, 2147443876}, {-1073741824, 242, 720155, -2147483164},
      {1500000000, 0, 2147453564, 2147483647}, {-2000000001, 0, 723, -2147483647},
      {2147483647, 0, 2147483406, 2147483647}
  };
  for (const auto& v : table) {
    CAPTURE(v.x);
    CHECK(lb::gemmlowp::exp_on_negative<5>(v.x < 0 ? v.x : -v.x) == v.exp5);
    CHECK(lb::gemmlowp::logistic<4>(v.x) == v.logistic4);
    CHECK(lb::gemmlowp::tanh<4>(v.x) == v.tanh4);
  }
}

TEST_CASE("the table of the logistic function") {
  CHECK(hash(lb::logistic_entries<>.value, 256) == 6604478265225978476u);  // TFLite's sigmoid_table_uint16
  for (int i = 0; i < 256; ++i) {
    CAPTURE(i);
    CHECK(std::fabs(lb::logistic_entries<>.value[i] - 65536 * logistic(i / 24.0)) < 1.12);
    if (i > 0) CHECK(lb::logistic_entries<>.value[i] >= lb::logistic_entries<>.value[i - 1]);
  }
}

TEST_CASE("16-bit logistic and tanh: every code, several scales") {
  for (int exponent : {-15, -13, -12, -11, -9, -7}) {
    const lb::lut_input input = lb::lut_input::from(std::ldexp(1.0f, exponent));
    CAPTURE(exponent);
    int wrong = 0;
    double most_logistic = 0, most_tanh = 0;
    for (int x = -32768; x <= 32767; ++x) {
      const auto code = static_cast<std::int16_t>(x);
      // The position as CMSIS-NN and TFLite Micro write it for powers of two.
      const int left = exponent + 12;
      const std::int64_t d = left >= 0 ? std::int64_t{x} * (3 << left) : (3 * x + (1 << (-left - 1))) >> -left;
      if (input(code) != d || lb::lut_logistic(code, input) != tflite_logistic(input(code)) ||
          lb::lut_tanh(code, input) != tflite_tanh(input(code))) ++wrong;
      const double real = std::ldexp(static_cast<double>(x), exponent);
      most_logistic = std::fmax(most_logistic, std::fabs(lb::lut_logistic(code, input) - 32768 * logistic(real)));
      most_tanh = std::fmax(most_tanh, std::fabs(lb::lut_tanh(code, input) - 32768 * std::tanh(real)));
    }
    CHECK(wrong == 0);
    CHECK(most_logistic < (exponent < -12 ? 2.5 : 1.7));
    CHECK(most_tanh < (exponent < -12 ? 8.0 : 3.0));
  }
  CHECK(lb::lut_logistic(32767, lb::lut_input::from(0.01f)) == 32767);
  CHECK(lb::lut_logistic(-32768, lb::lut_input::from(0.01f)) == 1);
  CHECK(lb::lut_tanh(32767, lb::lut_input::from(0.01f)) == 32767);
  CHECK(lb::lut_tanh(-32768, lb::lut_input::from(0.01f)) == -32767);
  CHECK(lb::lut_logistic(0) == 16384);
  CHECK(lb::lut_tanh(0) == 0);
}

TEST_CASE("positions for any scale are TFLite's") {
  for (float scale = 3e-9f; scale < 2.6f; scale *= 1.0371f) {
    CAPTURE(scale);
    CHECK(lb::lut_input::from(scale) == tflite_input(scale));
  }
  // Around the ends of the 15 bits, and powers of two.
  for (int e = -20; e <= 1; ++e)
    for (float mantissa : {1.0f, 32766.0f / 32768, 32767.0f / 32768, 32767.5f / 32768, 1.3333334f, 1.3333333f, 1.33329f, 1.3332926f}) {
      const float scale = std::ldexp(mantissa, e);
      if (scale >= 2.6666f) continue;  // TFLite stops there
      CAPTURE(scale);
      CHECK(lb::lut_input::from(scale) == tflite_input(scale));
    }
  CHECK(lb::lut_input::from(1e9f) == lb::lut_input{32767, 0});
  CHECK(lb::lut_input::from(0.0f) == lb::lut_input{0, 0});
  const lb::lut_input tiny = lb::lut_input::from(6e-10f);
  CHECK(tiny.shift == 31);
  for (const int x : {-32768, -1000, -1, 0, 1, 1000, 32767}) CHECK(tiny(static_cast<std::int16_t>(x)) == 0);
}

static_assert(lb::gemmlowp::logistic<3>(lb::int16_t{0}) == 16384);
static_assert(lb::gemmlowp::tanh<4>(lb::int32_t{0}) == 0 && lb::gemmlowp::exp_on_negative<5>(lb::int32_t{0}) == 2147483647);
static_assert(lb::lut_logistic(0) == 16384 && lb::lut_tanh(32767) > 32700 && lb::lut_input::from(1 / 4096.0f)(100) == 300);
