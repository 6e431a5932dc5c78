// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <lowbits/quant/granularity.hpp>

#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;
using shape = std::vector<std::size_t>;

namespace {

const shape shapes[] = {{1}, {7}, {64}, {3, 5}, {4, 32}, {5, 33}, {2, 3, 4}, {3, 1, 7}, {2, 3, 5, 6}, {1, 2, 4, 9}, {2, 2, 2, 3, 5}};

/// The coordinates of an element, found by counting up, as an odometer does.
bool advance(shape& at, const shape& extents) {
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    if (++at[axis] < extents[axis]) return true;
    at[axis] = 0;
  }
  return false;
}

std::string text(const shape& s) {
  std::string t;
  for (const std::size_t e : s) t += (t.empty() ? "" : "x") + std::to_string(e);
  return t;
}

/// The sets are numbered in the order in which their keys come, from left to right. `key` gives the
/// coordinates of the set that an element uses, and `extents` how many sets there are along each.
template <class Granularity, class Key, class Extents>
void check(comparison& c, const char* name, const Key& key, const Extents& extents_of) {
  for (const shape& s : shapes) {
    const shape sets = extents_of(s);
    std::size_t count = 1;
    for (const std::size_t e : sets) count *= e;
    const std::string what = std::string(name) + " of " + text(s);
    c.same(static_cast<int>(Granularity::count(s)), static_cast<int>(count), what + " count", 0);
    shape at(s.size(), 0);
    std::vector<bool> used(count);
    std::size_t element = 0;
    do {
      const shape k = key(at, s);
      std::size_t index = 0;
      for (std::size_t i = 0; i < k.size(); ++i) index = index * sets[i] + k[i];
      c.same(static_cast<int>(Granularity::index(s, element)), static_cast<int>(index), what, static_cast<int>(element));
      used[index] = true;
      ++element;
    } while (advance(at, s));
    c.same(static_cast<int>(element), static_cast<int>(lb::element_count(s)), what + " elements", 0);
    for (std::size_t i = 0; i < count; ++i) c.holds(used[i], what + " set is used", static_cast<int>(i));
  }
}

template <std::size_t Axis>
void check_axis(comparison& c) {
  check<lb::per_axis<Axis>>(
      c, "per_axis",
      [](const shape& at, const shape& s) { return Axis < s.size() ? shape{at[Axis]} : shape{0}; },
      [](const shape& s) { return Axis < s.size() ? shape{s[Axis]} : shape{1}; });
}
template <std::size_t Size>
void check_group(comparison& c) {
  check<lb::per_group<Size>>(
      c, "per_group",
      [](shape at, const shape&) { return at.back() /= Size, at; },
      [](shape s) { return s.back() = (s.back() + Size - 1) / Size, s; });
}
template <std::size_t Rows, std::size_t Columns>
void check_block(comparison& c) {
  check<lb::per_block<Rows, Columns>>(
      c, "per_block",
      [](shape at, const shape&) {
        at.back() /= Columns;
        if (at.size() > 1) at[at.size() - 2] /= Rows;
        return at;
      },
      [](shape s) {
        s.back() = (s.back() + Columns - 1) / Columns;
        if (s.size() > 1) s[s.size() - 2] = (s[s.size() - 2] + Rows - 1) / Rows;
        return s;
      });
}

}  // namespace

TEST_CASE("sets of parameters: how many, and which one an element uses") {
  comparison c;
  check<lb::per_tensor>(c, "per_tensor", [](const shape&, const shape&) { return shape{0}; }, [](const shape&) { return shape{1}; });
  check_axis<0>(c);
  check_axis<1>(c);
  check_axis<2>(c);
  check_axis<3>(c);
  check_group<1>(c);
  check_group<4>(c);
  check_group<32>(c);
  check_block<1, 1>(c);
  check_block<2, 4>(c);
  check_block<16, 16>(c);
  check<lb::per_row>(
      c, "per_row", [](shape at, const shape&) { return at.pop_back(), at; }, [](shape s) { return s.pop_back(), s; });
  CHECK_ALL_OF(c);
}

TEST_CASE("empty tensors have no element, and count never divides by zero") {
  const shape empty[] = {{0}, {3, 0}, {0, 3}, {2, 0, 5}};
  for (const shape& s : empty) {
    CHECK(lb::element_count(s) == 0);
    CHECK(lb::per_tensor::count(s) == 1);
    CHECK(lb::per_group<4>::count(s) == 0);
    CHECK((lb::per_block<2, 2>::count(s)) == 0);
  }
  CHECK(lb::per_row::count(shape{3, 0}) == 0);
  CHECK(lb::per_axis<0>::count(shape{3, 0}) == 3);
}

static_assert(!lb::per_tensor::is_dynamic && !lb::per_axis<1>::is_dynamic && lb::per_row::is_dynamic);
