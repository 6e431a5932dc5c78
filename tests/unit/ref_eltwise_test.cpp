// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include <lowbits/fixed/eltwise.hpp>
#include <lowbits/fixed/table.hpp>
#include <lowbits/ref/eltwise.hpp>

#include "support/random_codes.hpp"

namespace lb = lowbits;
using lb::tensor_shape;
using random_codes::text;

namespace {

/// Keeps both codes, so that a wrong pairing shows.
struct pairing {
  constexpr int operator()(int x, int y) const { return x * 1000 + y; }
};

struct broadcast_case {
  tensor_shape x, y, out;
};
const broadcast_case cases[] = {
    {{0, {}}, {0, {}}, {0, {}}},                                        // two numbers
    {{1, {5}}, {1, {5}}, {1, {5}}},
    {{1, {5}}, {0, {}}, {1, {5}}},
    {{0, {}}, {2, {2, 3}}, {2, {2, 3}}},
    {{2, {4, 1}}, {2, {1, 3}}, {2, {4, 3}}},
    {{2, {4, 3}}, {1, {3}}, {2, {4, 3}}},
    {{1, {3}}, {2, {4, 3}}, {2, {4, 3}}},
    {{3, {2, 1, 3}}, {3, {2, 4, 3}}, {3, {2, 4, 3}}},
    {{4, {2, 3, 4, 5}}, {4, {1, 1, 1, 5}}, {4, {2, 3, 4, 5}}},
    {{4, {2, 1, 4, 1}}, {4, {1, 3, 1, 5}}, {4, {2, 3, 4, 5}}},
    {{6, {2, 1, 2, 1, 2, 1}}, {6, {1, 3, 1, 2, 1, 2}}, {6, {2, 3, 2, 2, 2, 2}}},
    {{6, {1, 2, 3, 1, 2, 2}}, {3, {2, 1, 2}}, {6, {1, 2, 3, 2, 2, 2}}},
    {{2, {0, 3}}, {2, {1, 3}}, {2, {0, 3}}},                            // nothing at all
    {{2, {1, 3}}, {2, {0, 1}}, {2, {0, 3}}},
};

}  // namespace

TEST_CASE("binary pairs elements as numpy does") {
  for (const auto& c : cases) {
    CAPTURE(text(c.x));
    CAPTURE(text(c.y));
    CHECK(lb::ref::broadcast_shape(c.x, c.y) == c.out);
    const auto x = random_codes::fill<std::int16_t>(c.x.count(), 3);
    const auto y = random_codes::fill<std::int8_t>(c.y.count(), 4);
    std::vector<std::int32_t> out(c.out.count() + 1, -5);
    lb::ref::binary(c.x, c.y, x.data(), y.data(), pairing{}, out.data());
    int wrong = 0;
    for (std::size_t k = 0; k < c.out.count(); ++k) {
      const std::vector<int> index = random_codes::unflatten(c.out, k);
      const auto pick = [&](const auto& v, const tensor_shape& s) {
        std::vector<int> i(index.end() - s.rank, index.end());
        for (int a = 0; a < s.rank; ++a) i[static_cast<std::size_t>(a)] %= s.extent[a];
        return v[random_codes::flatten(s, i)];
      };
      if (out[k] != pick(x, c.x) * 1000 + pick(y, c.y)) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(out.back() == -5);
  }
}

TEST_CASE("binary with the library's operations") {
  constexpr lb::qformat q8{8, true, false};
  const lb::affine xp{0.05f, 3}, yp{0.02f, -7}, op{0.06f, 1};
  const auto x = random_codes::fill<std::int8_t>(24, 5), y = random_codes::fill<std::int8_t>(4, 6);
  const tensor_shape sx{3, {2, 3, 4}}, sy{1, {4}};
  const auto check = [&](const auto& p) {
    std::vector<std::int8_t> out(24);
    lb::ref::binary(sx, sy, x.data(), y.data(), p, out.data());
    for (std::size_t k = 0; k < 24; ++k) CHECK(out[k] == p(x[k], y[k % 4]));
  };
  check(lb::make_sum(q8, xp, q8, yp, q8, op));
  check(lb::make_tflite_sum(q8, xp, q8, yp, q8, op));
  check(lb::make_product<lb::round_single>(q8, xp, q8, yp, q8, op));
  check(lb::make_extremum(q8, xp, q8, yp, q8, op, lb::activation::none, true));
}

TEST_CASE("unary maps each element; input and output may be the same array") {
  constexpr lb::qformat q8{8, true, false};
  const auto rescale = lb::make_rescale(q8, {0.05f, 3}, q8, {0.03f, 1});
  const auto x = random_codes::fill<std::int8_t>(100, 8);
  std::vector<std::int8_t> y = x;
  lb::ref::unary(y.size(), y.data(), rescale, y.data());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(y[i] == rescale(x[i]));
  const auto table = lb::make_table(q8, {0.05f, 3}, q8, {1 / 128.f, 0}, lb::curve::tanh);
  lb::ref::unary(x.size(), x.data(), [&](int q) { return table.value[static_cast<std::uint8_t>(q)]; }, y.data());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(static_cast<std::uint8_t>(y[i]) == table.value[static_cast<std::uint8_t>(x[i])]);
  lb::ref::unary(0, x.data(), rescale, static_cast<std::int8_t*>(nullptr));
}

static_assert([] {
  const lb::int8_t x[2] = {1, 2}, y[3] = {10, 20, 30};
  lb::int32_t out[6]{};
  lb::ref::binary({2, {2, 1}}, {1, {3}}, x, y, pairing{}, out);
  lb::ref::unary(6, out, [](int v) { return v + 1; }, out);
  return out[0] == 1011 && out[2] == 1031 && out[5] == 2031;
}());
