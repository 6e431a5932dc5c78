// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Weights and activations of 1 to 16 bits in all 256 pairs, each signed and not, by the definition: every
// product of narrow ones, the ends and a sample of wide ones, sums at the edge of 32 bits, and codes of every
// width made of them. What is expected is computed in 128 bits.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <lowbits/fixed/accumulator.hpp>
#include <lowbits/fixed/raw_accumulator.hpp>
#include <lowbits/fixed/requantize.hpp>
#include <lowbits/pack/packed_view.hpp>
#include <lowbits/ref/gemm.hpp>

#include "support/naive_conv.hpp"

namespace lb = lowbits;

namespace {

__extension__ using wide = __int128;
using codes = std::vector<int>;

struct pair {
  lb::qformat x, w;
  std::string text() const {
    std::string name = x.is_signed ? "s" : "u";
    name.append(std::to_string(x.bits)).append(w.is_signed ? " * s" : " * u").append(std::to_string(w.bits));
    return name;
  }
};

/// f(pair) for all widths and signs.
template <class Function>
void for_each_pair(Function f) {
  for (int a = 1; a <= 16; ++a)
    for (int b = 1; b <= 16; ++b)
      for (const bool x_signed : {true, false})
        for (const bool w_signed : {true, false})
          f(pair{{static_cast<lb::uint8_t>(a), x_signed}, {static_cast<lb::uint8_t>(b), w_signed}});
}

bool is_code(const lb::qformat& q, int v) { return v >= q.lowest() && v <= q.highest() && !(q.is_binary() && v == 0); }

/// All codes of q; of more than 2^limit codes the ends, those around 0 and some others.
codes some_codes(const lb::qformat& q, int limit, naive::random_numbers& random) {
  codes all;
  if (q.bits <= limit) {
    for (int v = q.lowest(); v <= q.highest(); ++v)
      if (is_code(q, v)) all.push_back(v);
    return all;
  }
  for (const int v : {q.lowest(), q.lowest() + 1, -1, 0, 1, q.highest() - 1, q.highest()})
    if (is_code(q, v)) all.push_back(v);
  for (int i = 0; i < 30; ++i) all.push_back(random.in(q.lowest(), q.highest()));
  return all;
}
codes random_codes(const lb::qformat& q, int n, naive::random_numbers& random) {
  codes v;
  while (static_cast<int>(v.size()) < n) {
    const int draw = random.in(0, 9), c = draw == 0 ? q.lowest() : draw == 1 ? q.highest() : random.in(q.lowest(), q.highest());
    if (is_code(q, c)) v.push_back(c);
  }
  return v;
}

/// Calls f with v as elements of the type that holds codes of q unpacked.
template <class Function>
void with_storage(const lb::qformat& q, const codes& v, Function f) {
  if (q.bits <= 8) q.is_signed ? f(std::vector<lb::int8_t>(v.begin(), v.end())) : f(std::vector<lb::uint8_t>(v.begin(), v.end()));
  else q.is_signed ? f(std::vector<lb::int16_t>(v.begin(), v.end())) : f(std::vector<lb::uint16_t>(v.begin(), v.end()));
}

/// The product of rows of x and columns w, from elements as the types store them.
template <class Acc, class Rq = lb::raw_accumulator<Acc>>
auto product(const pair& p, const lb::gemm_shape& s, const codes& x, int x_zero, const codes& w, int w_zero, const Rq& rq = {}) {
  std::vector<typename Rq::output::storage> y(static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(s.cols));
  with_storage(p.x, x, [&](const auto& xs) {
    with_storage(p.w, w, [&](const auto& ws) {
      lb::ref::gemm<Acc>(s, xs.data(), x_zero, ws.data(), w_zero, static_cast<const Acc*>(nullptr), rq, y.data());
    });
  });
  return y;
}

/// Sums of products, in 128 bits.
std::vector<wide> exact(const lb::gemm_shape& s, const codes& x, int x_zero, const codes& w, int w_zero) {
  std::vector<wide> y;
  for (int r = 0; r < s.rows; ++r)
    for (int c = 0; c < s.cols; ++c) {
      wide sum = 0;
      for (int k = s.depth - 1; k >= 0; --k)
        sum += (wide{x[static_cast<std::size_t>(r * s.depth + k)]} - x_zero) * (wide{w[static_cast<std::size_t>(c * s.depth + k)]} - w_zero);
      y.push_back(sum);
    }
  return y;
}
template <class T>
void check_equal(const std::string& what, const std::vector<T>& got, const std::vector<wide>& want) {
  for (std::size_t i = 0; i < want.size(); ++i)
    if (wide{got[i]} != want[i]) {
      FAIL_CHECK(what, ": element ", i, " is ", got[i], ", not ", static_cast<long long>(want[i]));
      return;
    }
}

int some_zero(const lb::qformat& q, naive::random_numbers& random) {
  const int draw = random.in(0, 4);
  return draw < 2 ? 0 : draw == 2 ? q.lowest() : draw == 3 ? q.highest() : random.in(q.lowest(), q.highest());
}

template <int Bits, bool Signed>
void check_packed(naive::random_numbers& random) {
  using Q = lb::qtype<Bits, Signed ? lb::sign::yes : lb::sign::no>;
  for (int bits = 1; bits <= 16; ++bits) {
    const pair p{{static_cast<lb::uint8_t>(bits)}, lb::qformat::of<Q>()};
    const lb::gemm_shape s{.rows = 3, .cols = 5, .depth = 7};  // no column begins at a byte
    const codes x = random_codes(p.x, 21, random), w = random_codes(p.w, 35, random);
    std::vector<lb::uint8_t> bytes(lb::bytes_for<Q>(w.size()));
    const lb::packed_span<Q> packed(bytes.data(), w.size());
    for (std::size_t i = 0; i < w.size(); ++i) packed[i] = w[i];
    const int x_zero = some_zero(p.x, random), w_zero = some_zero(p.w, random);
    const std::vector<lb::int16_t> xs(x.begin(), x.end());
    std::vector<lb::int64_t> y(15);
    lb::ref::gemm<lb::int64_t>(s, xs.data(), x_zero, lb::packed_view<Q>(bytes.data(), w.size()), w_zero,
                               static_cast<const lb::int64_t*>(nullptr), lb::raw_accumulator<lb::int64_t>{}, y.data());
    check_equal(p.text() + " packed", y, exact(s, x, x_zero, w, w_zero));
  }
}

/// accumulator<A, W, n> is 32 bits for the largest n that leaves 2^30 to the bias, and 64 for the next.
template <class A, class W>
constexpr bool chooses_by_capacity() {
  constexpr lb::int64_t n = lb::product_capacity(lb::largest_operand(lb::qformat::of<A>(), false), lb::largest_operand(lb::qformat::of<W>(), true),
                                                 lb::highest_of<lb::int32_t>, lb::int64_t{1} << 30);
  return (n == 0 || std::is_same_v<lb::accumulator<A, W, static_cast<std::size_t>(n)>, lb::int32_t>) &&
         std::is_same_v<lb::accumulator<A, W, static_cast<std::size_t>(n + 1)>, lb::int64_t>;
}
template <int A, int... W>
constexpr bool chooses_for_weights(std::integer_sequence<int, W...>) {
  return ((chooses_by_capacity<lb::qs<A>, lb::qs<W + 1>>() && chooses_by_capacity<lb::qu<A>, lb::qs<W + 1>>()) && ...);
}
template <int... A>
constexpr bool chooses_for_all(std::integer_sequence<int, A...> widths) {
  return (chooses_for_weights<A + 1>(widths) && ...);
}
static_assert(chooses_for_all(std::make_integer_sequence<int, 16>{}));

}  // namespace

TEST_CASE("widths: products of all codes, or of the ends and a sample") {
  naive::random_numbers random(1);
  for_each_pair([&](const pair& p) {
    // A product of depth 1 of two columns of codes is a table of multiplication.
    const bool all = p.x.bits + p.w.bits <= 16;
    const codes x = some_codes(p.x, all ? 16 : 0, random), w = some_codes(p.w, all ? 16 : 0, random);
    const lb::gemm_shape s{.rows = static_cast<int>(x.size()), .cols = static_cast<int>(w.size()), .depth = 1};
    const int x_zero = some_zero(p.x, random), w_zero = some_zero(p.w, random);
    check_equal(p.text(), product<lb::int64_t>(p, s, x, 0, w, 0), exact(s, x, 0, w, 0));
    check_equal(p.text() + " with zero points", product<lb::int64_t>(p, s, x, x_zero, w, w_zero), exact(s, x, x_zero, w, w_zero));
  });
}

TEST_CASE("widths: sums of products, weights as elements and packed") {
  naive::random_numbers random(2);
  for_each_pair([&](const pair& p) {
    for (const int depth : {0, 2, 3, 67}) {
      const lb::gemm_shape s{.rows = 3, .cols = 2, .depth = depth};
      const codes x = random_codes(p.x, 3 * depth, random), w = random_codes(p.w, 2 * depth, random);
      const int x_zero = some_zero(p.x, random), w_zero = some_zero(p.w, random);
      check_equal(p.text(), product<lb::int64_t>(p, s, x, x_zero, w, w_zero), exact(s, x, x_zero, w, w_zero));
    }
  });
  [&]<int... B>(std::integer_sequence<int, B...>) {
    (check_packed<B + 1, true>(random), ...);
    (check_packed<B + 1, false>(random), ...);
  }(std::make_integer_sequence<int, 16>{});
}

TEST_CASE("widths: the largest sums that 32 bits hold, and no more") {
  for_each_pair([&](const pair& p) {
    // The zero point at one end, the codes at the other, weights as large as they get.
    const lb::int64_t a = lb::largest_operand(p.x, false), b = lb::largest_operand(p.w, true);
    const lb::int64_t n = lb::product_capacity(a, b, lb::highest_of<lb::int32_t>);
    CHECK_MESSAGE(wide{n} * a * b <= lb::highest_of<lb::int32_t>, p.text());
    CHECK_MESSAGE((wide{n} + 1) * a * b > lb::highest_of<lb::int32_t>, p.text());
    const int depth = static_cast<int>(lb::smaller<lb::int64_t>(n, 600)), w_end = p.w.highest() >= b ? p.w.highest() : p.w.lowest();
    const lb::gemm_shape s{.depth = depth};
    const auto count = static_cast<std::size_t>(depth);
    for (const bool up : {true, false}) {
      const codes x(count, up ? p.x.highest() : p.x.lowest()), w(count, w_end);
      const int zero = up ? p.x.lowest() : p.x.highest();
      const auto want = exact(s, x, zero, w, 0);
      CHECK_MESSAGE((want[0] < 0 ? -want[0] : want[0]) == wide{depth} * a * b, p.text());
      check_equal(p.text() + ", 32 bits", product<lb::int32_t>(p, s, x, zero, w, 0), want);
      check_equal(p.text() + ", 64 bits", product<lb::int64_t>(p, s, x, zero, w, 0), want);
    }
  });
}

TEST_CASE("widths: codes of 1 to 16 bits from the sums") {
  naive::random_numbers random(4);
  for_each_pair([&](const pair& p) {
    const lb::gemm_shape s{.rows = 4, .cols = 3, .depth = 9};
    const codes x = random_codes(p.x, 36, random), w = random_codes(p.w, 27, random);
    const int x_zero = some_zero(p.x, random);
    const auto sums = exact(s, x, x_zero, w, 0);
    const int bits = random.in(1, 16);
    const lb::qformat out{static_cast<lb::uint8_t>(bits)};
    // From a quarter of the output's range to four times as much.
    const double largest = 9.0 * static_cast<double>(lb::largest_operand(p.x, false)) * static_cast<double>(lb::largest_operand(p.w, true));
    const auto m = lb::fixed_multiplier::from((1 << bits) / largest * random.in(1, 16) * 0.25);
    const lb::output_stage stage{random.in(out.lowest(), out.highest()), out.lowest(), out.highest()};
    std::vector<wide> want;
    for (const wide sum : sums) {
      const wide scaled = (sum * m.mantissa + (wide{1} << (30 - m.exponent))) >> (31 - m.exponent), code = scaled + stage.zero_point;
      want.push_back(code < stage.lowest ? stage.lowest : code > stage.highest ? stage.highest : code);
    }
    const lb::requantizer<lb::q16> rq{m, stage};
    check_equal(p.text() + " to " + std::to_string(bits) + " bits", product<lb::int64_t>(p, s, x, x_zero, w, 0, rq), want);
    if (largest < 2147483647.0)
      check_equal(p.text() + " by 32 bits to " + std::to_string(bits), product<lb::int32_t>(p, s, x, x_zero, w, 0, rq), want);
  });
}
