// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The choice among the kinds of coded storage; every kind gives the codes back and refuses damage.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <lowbits/hosted/code_weights.hpp>

#include "support/coded_samples.hpp"
#include "support/guarded.hpp"

namespace lb = lowbits;

namespace {

using bytes = std::vector<lb::uint8_t>;
using codes = std::vector<int>;

struct case_of {
  lb::coded_kind kind;
  bytes b;
};
/// The codes in every kind.
std::vector<case_of> every_kind(const codes& c, const lb::qformat& f) {
  const auto h = lb::coding::histogram_of(c, f);
  return {{lb::coded_kind::plain, lb::coding::plain(c, f)},
          {lb::coded_kind::entropy, lb::coding::entropy(c, f, h)},
          {lb::coded_kind::index, lb::coding::index(c, f, h)},
          {lb::coded_kind::sparse, lb::coding::sparse(c, f, lb::coding::size_sparse(c, f, h))}};
}
lb::status decode(guarded::memory& source, guarded::memory& target, const bytes& b, const lb::qformat& f, codes& to) {
  lb::status s{};
  for (const guarded::place at : guarded::both_places) {
    const std::span<const lb::uint8_t> from(source.copy(b, at), b.size());
    lb::uint16_t* const out = target.take<lb::uint16_t>(to.size(), at);
    s = f.is_signed ? lb::decode_codes(from, f, reinterpret_cast<lb::int16_t*>(out), to.size()) : lb::decode_codes(from, f, out, to.size());
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = f.is_signed ? static_cast<lb::int16_t>(out[i]) : out[i];
  }
  return s;
}

}  // namespace

TEST_CASE("coded storage: every kind of every width, there and back, with the size that was told") {
  guarded::memory source, target;
  number_cases::random_numbers random(3);
  number_cases::for_each_type([&]<class Q>() {
    const lb::qformat f = lb::qformat::of<Q>();
    const std::string name = number_cases::name_of<Q>();
    CAPTURE(name);
    for (const std::size_t n : {0u, 1u, 2u, 7u, 8u, 9u, 500u})
      for (const int few : {1, 3, 1 << 16}) {
        codes c(n);
        for (int& x : c) x = Q::is_binary ? random.in(0, 1) * 2 - 1 : Q::highest - random.in(0, lb::smaller(Q::highest - Q::lowest, few - 1));
        for (std::size_t i = 0; i < n; ++i)
          if (!Q::is_binary && few == 3 && i % 100 != 99) c[i] = 0;
        const lb::coded_bytes smallest = lb::code_smallest(c, f);
        for (const case_of& k : every_kind(c, f)) {
          CAPTURE(lb::to_string(k.kind));
          codes back(n);
          const bool same = decode(source, target, k.b, f, back) == lb::status::ok && back == c && smallest.size_of(k.kind) == k.b.size() &&
                            smallest.bytes.size() <= k.b.size() && (k.kind != smallest.kind || k.b == smallest.bytes);
          if (!same) CHECK_MESSAGE(same, n << " codes, " << few);
        }
      }
  });
}

TEST_CASE("coded storage: the smallest is chosen") {
  const auto kind = [](const coded_samples::distribution& d, std::size_t n) { return lb::code_smallest(d.draw(n, 7), d.format).kind; };
  CHECK(kind(coded_samples::normal(8, 20), 10000) == lb::coded_kind::entropy);
  CHECK(kind(coded_samples::uniform({8, true}), 10000) == lb::coded_kind::plain);
  CHECK(kind(coded_samples::comb(8), 2000) == lb::coded_kind::index);
  CHECK(kind(coded_samples::sparse({8, true}, 0.01), 1000) == lb::coded_kind::sparse);
  CHECK(kind(coded_samples::normal(8, 20), 20) == lb::coded_kind::plain);
  CHECK(kind(coded_samples::sparse({16, true}, 0.0), 100000) == lb::coded_kind::index);
}

TEST_CASE("coded storage: codes outside of the type are refused by name") {
  CHECK_THROWS_WITH_AS(lb::code_smallest(codes{1, 8}, lb::qformat::of<lb::q4>()),
                       "lowbits: code_smallest: code 1 is 8, outside the range of its type; use a wider type", lb::model_error);
  CHECK_THROWS_AS(lb::code_smallest(codes{0}, lb::qformat::of<lb::q1>()), lb::model_error);
  CHECK_THROWS_AS(lb::code_smallest(codes{-128}, lb::qformat::of<lb::narrow<lb::q8>>()), lb::model_error);
}

TEST_CASE("coded storage: damage is refused or changes codes, but touches nothing outside") {
  guarded::memory source, target;
  number_cases::random_numbers random(29);
  for (const auto& d : {coded_samples::sparse({5, true}, 0.1), coded_samples::comb(9), coded_samples::sparse(lb::qformat::of<lb::ternary>(), 0.3)}) {
    const codes c = d.draw(600, 13);
    for (const case_of& k : every_kind(c, d.format)) {
      CAPTURE(lb::to_string(k.kind));
      codes back(c.size());
      for (std::size_t n = 0; n < k.b.size(); ++n)
        CHECK(decode(source, target, {k.b.begin(), k.b.begin() + static_cast<std::ptrdiff_t>(n)}, d.format, back) == lb::status::wrong_size);
      bytes longer = k.b;
      longer.push_back(0);
      CHECK(decode(source, target, longer, d.format, back) == lb::status::wrong_size);
      codes more(c.size() + 1);
      CHECK(decode(source, target, k.b, d.format, more) == lb::status::wrong_size);
      for (int round = 0; round < 2000; ++round) {
        bytes bad = k.b;
        for (int i = random.in(1, 3); i > 0; --i)
          bad[static_cast<std::size_t>(random.in(0, random.in(0, 1) != 0 ? 19 : static_cast<int>(bad.size()) - 1))] = static_cast<lb::uint8_t>(random.next32());
        if (decode(source, target, bad, d.format, back) != lb::status::ok) continue;
        for (const int x : back)
          if (x < d.format.lowest() || x > d.format.highest()) REQUIRE(x == 0);
      }
    }
  }
}
