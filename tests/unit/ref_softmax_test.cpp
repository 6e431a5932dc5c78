// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <lowbits/ref/softmax.hpp>

namespace lb = lowbits;

namespace {

constexpr lb::qformat q4{4, true, false}, q8{8, true, false}, u8{8, false, false}, q16{16, true, false};

struct random_codes {
  std::uint32_t state;
  int in(int lowest, int highest) {
    state = state * 1664525u + 1013904223u;
    return lowest + static_cast<int>((state >> 8) % static_cast<std::uint32_t>(highest - lowest + 1));
  }
};

/// Softmax in double, in units of the output scale, zero point not added.
std::vector<double> exact(const std::vector<int>& x, double scale, double unit) {
  const int largest = *std::max_element(x.begin(), x.end());
  std::vector<double> y;
  double sum = 0;
  for (int v : x) {
    y.push_back(std::exp((v - largest) * scale));
    sum += y.back();
  }
  for (double& v : y) v *= unit / sum;
  return y;
}

/// The largest error over rows of codes. Each element may add `each` to it where the row is wider than 10.
template <class X, class Y, class Params>
double worst_error(const lb::qformat& from, const Params& p, double scale, double unit, int zero, int lowest, int highest,
                   double each = 0) {
  random_codes random{99};
  double most = 0;
  for (int depth : {1, 2, 3, 10, 64, 300}) {
    for (int spread : {0, 3, 40, from.highest() - from.lowest()}) {
      std::vector<int> codes;
      const int base = random.in(from.lowest(), std::max(from.lowest(), from.highest() - spread));
      for (int i = 0; i < depth; ++i) codes.push_back(random.in(base, std::min(base + spread, from.highest())));
      const std::vector<X> x(codes.begin(), codes.end());
      std::vector<Y> y(x.size());
      lb::ref::softmax(1, depth, x.data(), p, y.data());
      const std::vector<double> e = exact(codes, scale, unit);
      const double slack = spread * scale > 10 ? each * depth : 0;
      for (std::size_t i = 0; i < y.size(); ++i)
        most = std::max(most, std::fabs(y[i] - std::clamp(e[i] + zero, double(lowest), double(highest))) - slack);
    }
  }
  return most;
}

std::uint64_t hash(const lb::table513& t) {
  std::uint64_t h = 14695981039346656037u;
  for (std::int16_t v : t.value) h = (h ^ static_cast<std::uint16_t>(v)) * 1099511628211u;
  return h;
}

}  // namespace

TEST_CASE("softmax of up to 8 bits is within a code of the real one") {
  for (float scale : {0.0078125f, 0.05f, 0.1234f, 0.9f})
    for (float beta : {0.25f, 1.0f, 3.0f}) {
      const double rate = double{scale} * beta;
      CAPTURE(scale);
      CAPTURE(beta);
      const auto make = [&](const lb::qformat& in, const lb::qformat& out) { return lb::make_softmax(in, {scale, 3}, beta, out); };
      CHECK(worst_error<std::int8_t, std::int8_t>(q8, make(q8, q8), rate, 256, -128, -128, 127) < 0.51);
      CHECK(worst_error<std::uint8_t, std::uint8_t>(u8, make(u8, u8), rate, 256, 0, 0, 255) < 0.51);
      CHECK(worst_error<std::int8_t, std::int8_t>(q4, make(q4, q4), rate, 16, -8, -8, 7) < 0.51);
      CHECK(worst_error<std::int8_t, std::int16_t>(q8, make(q8, q16), rate, 65536, -32768, -32768, 32767) < 2.0);
    }
}

TEST_CASE("softmax of 16 bits is within a few codes of the real one") {
  // Whatever is 10 or more below the largest counts as e^-10, 2 in Q0.15.
  for (float scale : {1.0f / 32768, 1.0f / 4096, 0.001f, 0.01f})
    for (float beta : {0.5f, 1.0f, 2.0f}) {
      const auto p = lb::make_wide_softmax({scale, 0}, beta);
      CAPTURE(scale);
      CAPTURE(beta);
      CHECK(worst_error<std::int16_t, std::int16_t>(q16, p, double{scale} * beta, 32768, 0, 0, 32767, 2.0) < 6.0);
    }
}

TEST_CASE("parameters are TFLite's") {
  // Scale 1/16 and beta 1: 2^22 = 0.5 * 2^23; the radius is 31 * 2^26 / 2^23.
  const auto p = lb::make_softmax(q8, {0.0625f, 0}, 1.0f, q8);
  CHECK(p.factor == lb::fixed_multiplier{1 << 30, 23});
  CHECK(p.diff_min == -248);
  for (float scale : {0.0039f, 0.06f, 0.4999f, 1.7f})
    for (float beta : {0.1f, 1.0f, 7.0f}) {
      const auto q = lb::make_softmax(q8, {scale, 0}, beta, q8);
      int shift = 0;
      const double m = std::round(std::frexp(double{beta} * double{scale} * (1 << 26), &shift) * 2147483648.0);
      CAPTURE(scale);
      CAPTURE(beta);
      CHECK(q.factor.mantissa == m);
      CHECK(q.factor.exponent == shift);
      CHECK(q.diff_min == -static_cast<int>(std::floor(31.0 * (1 << 26) / std::exp2(shift))));
      const auto w = lb::make_wide_softmax({scale, 0}, beta);
      const double wm = std::round(std::frexp(double{scale} * double{beta} / (10.0 / 65535.0), &shift) * 2147483648.0);
      CHECK(w.factor.mantissa == wm);
      CHECK(w.factor.exponent == shift);
    }
}

TEST_CASE("the tables of the 16-bit form are TFLite's") {
  CHECK(hash(lb::softmax_exp_entries<>) == 16700669177672991093u);
  CHECK(hash(lb::softmax_reciprocal_entries<>) == 11681743784517895822u);
  for (int i = 0; i <= 512; ++i) {
    CHECK(std::fabs(lb::softmax_exp_entries<>.value[i] - 32768 * std::exp(-10 + i / 51.2)) < 1.7);
    CHECK(std::fabs(lb::softmax_reciprocal_entries<>.value[i] - 32768 / (1 + i / 512.0)) < 1.1);
  }
}

TEST_CASE("16 bits: every step as TFLite writes it") {
  const auto lookup = [](int v, const std::int16_t* t) {
    const int cell = 256 + (v >> 7);
    return t[cell] + (((t[cell + 1] - t[cell]) * (v & 0x7f) + 64) >> 7);
  };
  random_codes random{12};
  for (float scale : {1e-5f, 1e-4f, 0.0007f, 0.003f})
    for (int row = 0; row < 200; ++row) {
      const int depth = random.in(1, 50), spread = random.in(1, 32767);
      std::vector<std::int16_t> x;
      for (int i = 0; i < depth; ++i) x.push_back(static_cast<std::int16_t>(random.in(-spread, spread)));
      const auto p = lb::make_wide_softmax({scale, 0}, 1.0f);
      const int largest = *std::max_element(x.begin(), x.end());
      std::vector<int> e;
      std::int64_t sum = 0;
      for (int v : x) {
        const double high = std::floor(std::ldexp(static_cast<double>(v - largest) * std::exp2(std::max(p.factor.exponent, 0)) * p.factor.mantissa, -31) + 0.5);
        const double scaled = std::round(high / std::exp2(std::max(-p.factor.exponent, 0)));
        e.push_back(lookup(static_cast<int>(std::clamp(scaled + 32767, -32768.0, 32767.0)), lb::softmax_exp_entries<>.value));
        sum += e.back();
      }
      const int free = __builtin_clz(static_cast<unsigned>(sum));
      const std::int64_t normal = ((sum << (free - 1)) + (1 << 13)) >> 14;
      const int inverse = lookup(static_cast<int>(std::clamp<std::int64_t>(normal - 98304, -32768, 32767)), lb::softmax_reciprocal_entries<>.value);
      std::vector<std::int16_t> y(x.size());
      lb::ref::softmax(1, depth, x.data(), p, y.data());
      for (std::size_t i = 0; i < y.size(); ++i)
        REQUIRE(y[i] == std::clamp<std::int64_t>((std::int64_t{e[i]} * inverse + (std::int64_t{1} << (30 - free))) >> (31 - free), 0, 32767));
    }
}

TEST_CASE("8 bits: results as they have always been") {
  random_codes random{31};
  std::uint64_t h = 14695981039346656037u;
  for (float scale : {0.01f, 0.06f, 0.3f})
    for (int row = 0; row < 100; ++row) {
      std::vector<std::int8_t> x(static_cast<std::size_t>(random.in(1, 40))), y(x.size());
      for (auto& v : x) v = static_cast<std::int8_t>(random.in(-128, 127));
      lb::ref::softmax(1, static_cast<int>(x.size()), x.data(), lb::make_softmax(q8, {scale, 0}, 1.0f, q8), y.data());
      for (std::int8_t v : y) h = (h ^ static_cast<std::uint8_t>(v)) * 1099511628211u;
    }
  CHECK(h == 862745442663736569u);
}

TEST_CASE("sums are held at the end") {
  CHECK(lb::softmax_params::add(2147483647 - 5, 2147483647) == 2147483647);
  CHECK(lb::softmax_params::add(100, 2147483647) == 100 + (1 << 19));
  CHECK(lb::wide_softmax_params::add(2147483647 - 5, 32767) == 2147483647);
  CHECK(lb::wide_softmax_params::add(100, 32767) == 32867);
}

TEST_CASE("rows by hand") {
  const auto p = lb::make_softmax(q8, {0.1f, 0}, 1.0f, q8);
  const std::int8_t x[] = {5, 5, 5, 5, -128, 127, -128, -128};
  std::int8_t y[9] = {};
  y[8] = 77;
  lb::ref::softmax(2, 4, x, p, y);
  const std::int8_t expected[] = {-64, -64, -64, -64, -128, 127, -128, -128};
  for (int i = 0; i < 8; ++i) CHECK(y[i] == expected[i]);
  CHECK(y[8] == 77);
  std::int8_t one[] = {-3}, result[1];
  lb::ref::softmax(1, 1, one, p, result);
  CHECK(result[0] == 127);  // 256 steps of 1/256, held
  lb::ref::softmax(0, 4, x, p, static_cast<std::int8_t*>(nullptr));
  lb::ref::softmax(4, 0, x, p, static_cast<std::int8_t*>(nullptr));
}

TEST_CASE("the result depends on differences only") {
  const auto p = lb::make_softmax(q8, {0.07f, 0}, 1.0f, q8);
  random_codes random{3};
  for (int round_trip = 0; round_trip < 50; ++round_trip) {
    std::vector<std::int8_t> x(17), moved(17), y(17), z(17);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<std::int8_t>(random.in(-100, 50));
      moved[i] = static_cast<std::int8_t>(x[i] + 60);
    }
    lb::ref::softmax(1, 17, x.data(), p, y.data());
    lb::ref::softmax(1, 17, moved.data(), p, z.data());
    CHECK(y == z);
  }
}

TEST_CASE("long rows: the sum is held, results stay in range") {
  for (int depth : {511, 512, 4095, 4096, 5000, 70000}) {
    const std::vector<std::int8_t> x(static_cast<std::size_t>(depth), 7);
    std::vector<std::int8_t> y(x.size());
    lb::ref::softmax(1, depth, x.data(), lb::make_softmax(q8, {0.1f, 0}, 1.0f, q8), y.data());
    CAPTURE(depth);
    CHECK(y.front() == (depth <= 511 ? -127 : -128));
    CHECK(y.back() == y.front());
    const std::vector<std::int16_t> wide(static_cast<std::size_t>(depth), 7);
    std::vector<std::int16_t> w(wide.size());
    lb::ref::softmax(1, depth, wide.data(), lb::make_wide_softmax({0.01f, 0}, 1.0f), w.data());
    CHECK(std::fabs(w.front() - 32768.0 / depth) <= 1.0);
  }
}

TEST_CASE("extreme steps") {
  const std::int8_t x[] = {0, 1, 2};
  std::int8_t y[3];
  lb::ref::softmax(1, 3, x, lb::make_softmax(q8, {1e6f, 0}, 1.0f, q8), y);   // one step decides
  CHECK(y[0] == -128);
  CHECK(y[1] == -128);
  CHECK(y[2] == 127);
  lb::ref::softmax(1, 3, x, lb::make_softmax(q8, {1e-12f, 0}, 1.0f, q8), y);  // no step counts
  for (std::int8_t v : y) CHECK(v == -43);
  const std::int16_t a[] = {-32768, 32767};
  std::int16_t b[2];
  lb::ref::softmax(1, 2, a, lb::make_wide_softmax({1e6f, 0}, 1.0f), b);
  CHECK(b[0] <= 2);
  CHECK(b[1] >= 32760);
}

TEST_CASE("exponentials by table equal those computed") {
  const auto p = lb::make_softmax(q8, {0.06f, 0}, 1.5f, q8);
  const auto t = lb::make_softmax_table(p);
  for (int d = 0; d < 256; ++d) CHECK(t.value[d] == p.exp(-d));
}

static_assert([] {
  const lb::int8_t x[4] = {5, 5, 5, 5};
  lb::int8_t y[4]{};
  lb::ref::softmax(1, 4, x, lb::make_softmax(q8, {0.1f, 0}, 1.0f, q8), y);
  return y[0] == -64 && y[3] == -64;
}());
static_assert([] {
  const lb::int16_t x[2] = {5, 5};
  lb::int16_t y[2]{};
  lb::ref::softmax(1, 2, x, lb::make_wide_softmax({0.1f, 0}, 1.0f), y);
  return y[0] > 16380 && y[0] < 16388 && y[0] == y[1];
}());
constexpr auto exponentials = lb::make_softmax_table(lb::make_softmax(q8, {0.1f, 0}, 1.0f, q8));
static_assert(exponentials.value[0] == 2147483647 && exponentials.value[255] < 100);
