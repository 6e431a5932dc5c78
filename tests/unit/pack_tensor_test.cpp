// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <lowbits/pack/quantized_tensor.hpp>

#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;

namespace {

using w4g32 = lb::scheme<lb::q4, lb::per_group<32>>;
constexpr float few[2][3] = {{1.0f, -3.5f, 0.5f}, {7.0f, 0.0f, -1.0f}};

constexpr auto rows = lb::quantize<lb::scheme<lb::q4, lb::per_axis<0>>>(few);
static_assert(std::is_same_v<decltype(rows), const lb::quantized_tensor<lb::scheme<lb::q4, lb::per_axis<0>>, 2, 3>>);
static_assert(rows.params[0].scale == 0.5f && rows.params[1].scale == 1.0f);
static_assert(rows.codes()[0] == 2 && rows.codes()[1] == -7 && rows.codes()[3] == 7 && rows.codes()[5] == -1);
static_assert(rows.bytes[0] == 0x92 && rows.bytes[1] == 0x71 && rows.bytes[2] == 0xf0);
static_assert(rows.real(3) == 7.0f && rows.view().is_valid() && rows.size() == 6 && rows.shape()[1] == 3);
static_assert(sizeof(lb::quantized_tensor<w4g32, 64, 128>) == 64 * 128 / 2 + 64 * 4 * sizeof(float));
static_assert(sizeof(lb::quantized_tensor<lb::scheme<lb::q8, lb::per_tensor, lb::affine>, 8>) == 8 + 8);

/// Fit and quantize, group by group: no index arithmetic of the library's.
template <class Scheme, class Rounding, std::size_t Rows, std::size_t Columns>
void check(comparison& c, const std::string& name, const float (&x)[Rows][Columns], std::size_t group_rows,
           std::size_t group_columns) {
  using q = typename Scheme::q;
  const auto t = lb::quantize<Scheme, Rounding>(x);
  std::size_t set = 0;
  for (std::size_t r0 = 0; r0 < Rows; r0 += group_rows)
    for (std::size_t c0 = 0; c0 < Columns; c0 += group_columns, ++set) {
      float low = 0.0f, high = 0.0f;
      const auto each = [&](const auto& f) {
        for (std::size_t r = r0; r < std::min(Rows, r0 + group_rows); ++r)
          for (std::size_t k = c0; k < std::min(Columns, c0 + group_columns); ++k) f(r, k);
      };
      each([&](std::size_t r, std::size_t k) { low = std::min(low, x[r][k]), high = std::max(high, x[r][k]); });
      const auto p = Scheme::fit(low, high);
      c.holds(t.params[set] == p, name + " parameters", static_cast<int>(set));
      each([&](std::size_t r, std::size_t k) {
        const std::size_t i = r * Columns + k;
        c.same(t.codes()[i], lb::quantize<q, Rounding>(x[r][k], p), name, static_cast<int>(i));
        c.holds(t.real(i) == lb::dequantize<q>(t.codes()[i], p), name + " real", static_cast<int>(i));
      });
    }
  c.same(static_cast<int>(t.param_count), static_cast<int>(set), name + " sets", 0);
}

template <class Q, class Params>
void check_all(comparison& c, const float (&x)[12][70]) {
  const std::string name = number_cases::name_of<Q>();
  using lb::scheme;
  check<scheme<Q, lb::per_tensor, Params>, lb::half_even>(c, name + " tensor", x, 12, 70);
  check<scheme<Q, lb::per_axis<0>, Params>, lb::half_away>(c, name + " axis 0", x, 1, 70);
  check<scheme<Q, lb::per_row, Params>, lb::half_up>(c, name + " row", x, 1, 70);
  check<scheme<Q, lb::per_group<32>, Params>, lb::half_even>(c, name + " group", x, 1, 32);
  check<scheme<Q, lb::per_block<5, 16>, Params>, lb::half_even>(c, name + " block", x, 5, 16);
}

}  // namespace

TEST_CASE("every granularity, kind of parameters and width: as fitting group by group") {
  static float x[12][70];
  number_cases::random_numbers random(3);
  for (auto& row : x)
    for (float& v : row) v = random.with_exponent(random.in(-6, 2)) * (random.in(0, 2) == 0 ? -1.0f : 1.0f);
  comparison c;
  check_all<lb::q4, lb::symmetric>(c, x);
  check_all<lb::q3, lb::affine>(c, x);
  check_all<lb::u8, lb::affine>(c, x);
  check_all<lb::q7, lb::pow2>(c, x);
  check_all<lb::ternary, lb::symmetric>(c, x);
  check_all<lb::q1, lb::symmetric>(c, x);
  check_all<lb::q16, lb::pow2>(c, x);
  CHECK_ALL_OF(c);
}

TEST_CASE("three axes, and one") {
  const float cube[2][2][3] = {{{1, 2, 3}, {-4, 5, 6}}, {{0, 0, 0}, {100, 50, -25}}};
  const auto t = lb::quantize<lb::scheme<lb::q8, lb::per_axis<1>>>(cube);
  CHECK(t.params[0].scale == 3.0f / 127.0f);
  CHECK(t.params[1].scale == 100.0f / 127.0f);
  CHECK(t.codes()[2] == 127);
  CHECK(t.codes()[9] == 127);
  const float line[5] = {0.0f, 1.0f, 2.0f, 3.0f, 4.0f};
  const auto u = lb::quantize<lb::scheme<lb::u2, lb::per_tensor, lb::affine>>(line);
  CHECK(u.params[0].scale == 4.0f / 3.0f);
  CHECK(u.params[0].zero_point == 0);
  CHECK(u.codes()[4] == 3);
}

TEST_CASE("NaN has no influence on a group and becomes zero; infinity makes its group's scale 1") {
  const float nan = std::nanf(""), infinite = HUGE_VALF;
  const float x[4][4] = {{nan, -3.0f, 1.0f, 3.0f}, {-infinite, 2.0f, 300.0f, -2.0f}, {nan, nan, nan, nan}, {0, -0.0f, 0, 0}};
  const auto t = lb::quantize<lb::scheme<lb::q8, lb::per_axis<0>>>(x);
  CHECK(t.params[0].scale == 3.0f / 127.0f);
  CHECK(t.codes()[0] == 0);
  CHECK(t.codes()[1] == -127);
  CHECK(t.params[1].scale == 1.0f);
  CHECK(t.codes()[4] == -128);
  CHECK(t.codes()[5] == 2);
  CHECK(t.codes()[6] == 127);
  CHECK(t.params[2].scale == 1.0f);
  for (std::size_t i = 8; i < 16; ++i) CHECK(t.codes()[i] == 0);
  CHECK(t.params[3].scale == 1.0f);
  const auto a = lb::quantize<lb::scheme<lb::u8, lb::per_axis<0>, lb::affine>>(x);
  CHECK(a.params[0] == lb::affine_from_range<lb::u8>(-3.0f, 3.0f));
  CHECK(a.codes()[0] == a.params[0].zero_point);
  CHECK(a.params[1] == lb::affine{1.0f, 0});
}

TEST_CASE("shapes that are known only at run time, and back to floats") {
  const std::size_t shape[] = {3, 40};
  std::vector<float> x(120), y(120), wrong(119);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i)) * 3.0f;
  float nested[3][40];
  for (std::size_t i = 0; i < x.size(); ++i) nested[i / 40][i % 40] = x[i];
  const auto t = lb::quantize<w4g32>(nested);
  lb::symmetric params[6];
  lb::uint8_t bytes[60];
  const lb::packed_span<lb::q4> codes(bytes, 120);
  CHECK(lb::quantize<w4g32>(std::span<const float>(x), shape, params, codes) == lb::status::ok);
  for (std::size_t i = 0; i < 6; ++i) CHECK(params[i] == t.params[i]);
  for (std::size_t i = 0; i < 60; ++i) CHECK(bytes[i] == t.bytes[i]);
  const lb::quantized_view<w4g32> view{codes, params, shape};
  CHECK(lb::dequantize(view, std::span(y)) == lb::status::ok);
  for (std::size_t i = 0; i < y.size(); ++i) {
    CHECK(y[i] == t.real(i));
    CHECK(std::fabs(y[i] - x[i]) <= 0.5001f * params[i / 40 * 2 + i % 40 / 32].scale);
  }
  SUBCASE("wrong sizes and parameters are refused") {
    const std::vector<float> before = y;
    CHECK(lb::quantize<w4g32>(std::span<const float>(wrong), shape, params, codes) == lb::status::wrong_size);
    CHECK(lb::quantize<w4g32>(std::span<const float>(x), shape, std::span(params).first(5), codes) == lb::status::wrong_size);
    CHECK(lb::quantize<w4g32>(std::span<const float>(x), shape, params, {bytes, 119}) == lb::status::wrong_size);
    CHECK(lb::dequantize(view, std::span(wrong)) == lb::status::wrong_size);
    params[2].scale = 0.0f;
    CHECK(lb::dequantize(view, std::span(y)) == lb::status::bad_value);
    CHECK(lb::dequantize(lb::quantized_view<w4g32>{codes, std::span(params).first(5), shape}, std::span(y)) == lb::status::bad_value);
    CHECK(y == before);
  }
}
