// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include <lowbits/ref/shape_ops.hpp>

#include "support/random_codes.hpp"

namespace lb = lowbits;
using lb::tensor_shape;
using random_codes::flatten;
using random_codes::text;
using random_codes::unflatten;

namespace {

/// 0, 1, 2, ...: an element's value says where it came from.
std::vector<int> numbered(const tensor_shape& s, int first = 0) {
  std::vector<int> v(s.count());
  std::iota(v.begin(), v.end(), first);
  return v;
}
const tensor_shape shapes[] = {{0, {}},           {1, {7}},          {1, {0}},          {2, {3, 4}},
                               {3, {2, 3, 4}},    {4, {2, 1, 3, 2}}, {4, {1, 1, 1, 1}}, {5, {2, 3, 1, 2, 2}},
                               {6, {2, 2, 3, 1, 2, 2}}};

constexpr int untouched = -999;

}  // namespace

TEST_CASE("transpose: every permutation of every rank") {
  for (const tensor_shape& s : shapes) {
    std::array<int, 6> axes{0, 1, 2, 3, 4, 5};
    const auto end = axes.begin() + s.rank;
    do {
      tensor_shape out;
      out.rank = s.rank;
      for (int a = 0; a < s.rank; ++a) out.extent[a] = s.extent[axes[static_cast<std::size_t>(a)]];
      const std::vector<int> x = numbered(s);
      std::vector<int> y(x.size() + 1, untouched);
      lb::ref::transpose(s, x.data(), axes.data(), out, y.data());
      int wrong = 0;
      for (std::size_t k = 0; k < x.size(); ++k) {
        const std::vector<int> from = unflatten(s, k);
        std::vector<int> to(from.size());
        for (std::size_t a = 0; a < to.size(); ++a) to[a] = from[static_cast<std::size_t>(axes[a])];
        if (y[flatten(out, to)] != x[k]) ++wrong;
      }
      CAPTURE(text(s));
      CHECK(wrong == 0);
      CHECK(y.back() == untouched);
    } while (std::next_permutation(axes.begin(), end));
  }
}

TEST_CASE("pad: the input lies where it should, the rest is the value") {
  random_codes::generator g{2};
  for (const tensor_shape& s : shapes)
    for (int round = 0; round < 12; ++round) {
      int before[6]{};
      tensor_shape out = s;
      for (int a = 0; a < s.rank; ++a) {
        before[a] = g.in(round < 6 ? 0 : -2, 3);
        out.extent[a] = std::max(0, s.extent[a] + before[a] + g.in(round < 6 ? 0 : -2, 3));
      }
      const std::vector<int> x = numbered(s);
      std::vector<int> expected(out.count() + 1, -1), y(out.count() + 1, untouched);
      expected.back() = untouched;
      for (std::size_t k = 0; k < x.size(); ++k) {
        std::vector<int> i = unflatten(s, k);
        bool inside = true;
        for (int a = 0; a < s.rank; ++a) {
          int& at = i[static_cast<std::size_t>(a)];
          at += before[a];
          inside = inside && at >= 0 && at < out.extent[a];
        }
        if (inside) expected[flatten(out, i)] = x[k];
      }
      lb::ref::pad(s, x.data(), before, -1, out, y.data());
      CAPTURE(text(s));
      CAPTURE(text(out));
      CHECK(y == expected);
    }
}

TEST_CASE("slice: any begin and step, forwards and backwards") {
  random_codes::generator g{3};
  for (const tensor_shape& s : shapes)
    for (int round = 0; round < 20; ++round) {
      int begin[6]{}, step[6]{};
      tensor_shape out = s;
      for (int a = 0; a < s.rank; ++a) {
        if (s.extent[a] == 0) { step[a] = 1; continue; }
        begin[a] = g.in(0, s.extent[a] - 1);
        step[a] = g.in(0, 1) != 0 ? g.in(1, 3) : -g.in(1, 3);
        const int room = step[a] > 0 ? (s.extent[a] - 1 - begin[a]) / step[a] : begin[a] / -step[a];
        out.extent[a] = g.in(0, room + 1);
      }
      const std::vector<int> x = numbered(s);
      std::vector<int> y(out.count() + 1, untouched);
      lb::ref::slice(s, x.data(), begin, step, out, y.data());
      int wrong = 0;
      for (std::size_t k = 0; k < out.count(); ++k) {
        std::vector<int> i = unflatten(out, k);
        for (int a = 0; a < s.rank; ++a) i[static_cast<std::size_t>(a)] = begin[a] + i[static_cast<std::size_t>(a)] * step[a];
        if (y[k] != x[flatten(s, i)]) ++wrong;
      }
      CAPTURE(text(s));
      CAPTURE(text(out));
      CHECK(wrong == 0);
      CHECK(y.back() == untouched);
    }
}

TEST_CASE("concat and split are inverse, along every axis") {
  for (const tensor_shape& s : shapes)
    for (int axis = 0; axis < s.rank; ++axis) {
      const int extents[4] = {2, 0, 1, 3};
      std::array<tensor_shape, 4> parts;
      std::array<std::vector<int>, 4> x, back;
      const int* in[4];
      int* out[4];
      tensor_shape whole = s;
      whole.extent[axis] = 6;
      int first = 0;
      for (std::size_t p = 0; p < 4; ++p) {
        parts[p] = s;
        parts[p].extent[axis] = extents[p];
        x[p] = numbered(parts[p], first);
        first += static_cast<int>(x[p].size());
        back[p].assign(x[p].size(), untouched);
        in[p] = x[p].data();
        out[p] = back[p].data();
      }
      std::vector<int> y(whole.count() + 1, untouched);
      lb::ref::concat(4, parts.data(), in, axis, y.data());
      CAPTURE(text(s));
      CAPTURE(axis);
      int wrong = 0;
      for (std::size_t k = 0; k < whole.count(); ++k) {
        std::vector<int> i = unflatten(whole, k);
        int& along = i[static_cast<std::size_t>(axis)];
        std::size_t p = 0;
        while (along >= extents[p]) along -= extents[p++];
        if (y[k] != x[p][flatten(parts[p], i)]) ++wrong;
      }
      CHECK(wrong == 0);
      CHECK(y.back() == untouched);
      lb::ref::split(whole, y.data(), axis, 4, extents, out);
      for (std::size_t p = 0; p < 4; ++p) CHECK(back[p] == x[p]);
    }
  lb::ref::concat<int>(0, nullptr, nullptr, 0, nullptr);
}

TEST_CASE("elements of any type") {
  const double x[6] = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5};
  double y[6];
  const int axes[2] = {1, 0};
  lb::ref::transpose({2, {2, 3}}, x, axes, {2, {3, 2}}, y);
  CHECK(y[1] == 3.5);
  const std::uint16_t u[2] = {40000, 65535};
  std::uint16_t v[4];
  const int before[1] = {1};
  lb::ref::pad<std::uint16_t>({1, {2}}, u, before, 32768, {1, {4}}, v);
  CHECK(v[0] == 32768);
  CHECK(v[2] == 65535);
}

static_assert([] {
  const lb::int8_t x[4] = {1, 2, 3, 4};
  lb::int8_t t[4]{}, p[9]{}, s[2]{}, c[8]{}, a[2]{}, b[2]{};
  const int axes[2] = {1, 0}, before[2] = {1, 0}, begin[2] = {1, 1}, step[2] = {-1, 1}, extents[2] = {1, 1};
  lb::ref::transpose({2, {2, 2}}, x, axes, {2, {2, 2}}, t);
  lb::ref::pad({2, {2, 2}}, x, before, lb::int8_t{9}, {2, {3, 3}}, p);
  lb::ref::slice({2, {2, 2}}, x, begin, step, {2, {2, 1}}, s);
  const lb::tensor_shape shapes_of[2] = {{2, {2, 2}}, {2, {2, 2}}};
  const lb::int8_t* in[2] = {x, t};
  lb::ref::concat(2, shapes_of, in, 1, c);
  lb::int8_t* out[2] = {a, b};
  lb::ref::split({2, {2, 2}}, x, 1, 2, extents, out);
  return t[1] == 3 && p[2] == 9 && p[3] == 1 && p[5] == 9 && s[0] == 4 && s[1] == 2 && c[2] == 1 && c[4] == 3 && a[1] == 3 && b[0] == 2;
}());
