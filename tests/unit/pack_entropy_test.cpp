// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Coded codes: every width there and back with both readers, inside guarded memory; damaged ones are
// refused; the compiler's are the same.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <lowbits/pack/coded_array.hpp>

#include "support/coded_samples.hpp"
#include "support/guarded.hpp"

namespace lb = lowbits;
using number_cases::random_numbers;

namespace {

using bytes = std::vector<lb::uint8_t>;

bytes entropy_coded(const std::vector<int>& codes, const lb::qformat& f) {
  std::vector<lb::uint32_t> histogram(std::size_t{1} << f.bits);
  for (const int c : codes) ++histogram[lb::detail::level_of(f, c)];
  const auto n = static_cast<lb::uint32_t>(codes.size());
  const lb::entropy_plan plan = lb::plan_entropy(histogram.data(), f.bits, n);
  bytes b(lb::entropy_bound(n, f.bits));
  b.resize(lb::encode_entropy(codes, n, f, plan, b.data(), b.size()));
  return b;
}

template <class Reader, class T>
lb::status decode_with(std::span<const lb::uint8_t> from, T* to) {
  return lb::detail::decode_blocks<Reader>(from, to);
}

/// What both readers make of an array of n codes, from and to memory that ends at a protected page.
template <class T>
struct reading {
  lb::status status{};
  std::vector<int> codes{};
  bool agree = true;
};
template <class T>
reading<T> read(guarded::memory& source, guarded::memory& target, const bytes& b, const lb::qformat& f, std::size_t n) {
  reading<T> r;
  for (const guarded::place at : guarded::both_places) {
    const std::span<const lb::uint8_t> from(source.copy(b, at), b.size());
    T* const to = target.take<T>(n, at);
    r.status = lb::decode_codes(from, f, to, n);
    const std::vector<int> first(to, to + n);
    // The readers do not look at the number: only what decode_codes lets pass may reach them.
    if (r.status == lb::status::ok && b[3] % 16 == static_cast<int>(lb::coded_kind::entropy)) {
      r.agree = r.agree && decode_with<lb::entropy_tables>(from, to) == lb::status::ok && std::vector<int>(to, to + n) == first;
      r.agree = r.agree && decode_with<lb::entropy_codes>(from, to) == lb::status::ok && std::vector<int>(to, to + n) == first;
    } else if (r.status == lb::status::bad_value && b[3] % 16 == static_cast<int>(lb::coded_kind::entropy)) {
      r.agree = r.agree && decode_with<lb::entropy_tables>(from, to) == lb::status::bad_value;
      r.agree = r.agree && decode_with<lb::entropy_codes>(from, to) == lb::status::bad_value;
    }
    r.codes = first;
  }
  return r;
}

struct memories {
  guarded::memory source, target;
};

template <class T>
reading<T> read(memories& m, const bytes& b, const lb::qformat& f, std::size_t n) {
  return read<T>(m.source, m.target, b, f, n);
}

constexpr std::size_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 1009, 9001};

/// Codes of Q that test one thing each.
template <class Q>
std::vector<std::vector<int>> shapes(std::size_t n, random_numbers& random) {
  std::vector<std::vector<int>> all(5, std::vector<int>(n, Q::is_binary ? -1 : Q::lowest));
  const auto any = [&] { return Q::is_binary ? random.in(0, 1) * 2 - 1 : random.in(Q::lowest, Q::highest); };
  for (std::size_t i = 0; i < n; ++i) {
    all[1][i] = any();
    if (random.in(0, 30) == 0) all[2][i] = any();
    all[3][i] = Q::highest;
    all[4][i] = Q::is_binary ? 1 : lb::clamp((any() + any() + any() + any()) / 16, Q::lowest, Q::highest);
  }
  return all;
}

}  // namespace

TEST_CASE("entropy: every width, there and back") {
  memories m;
  random_numbers random(1);
  number_cases::for_each_type([&]<class Q>() {
    const std::string name = number_cases::name_of<Q>();
    const lb::qformat f = lb::qformat::of<Q>();
    for (const std::size_t n : counts) {
      if (Q::bits > 12 && n > 8 && n < 1000) continue;
      for (const std::vector<int>& codes : shapes<Q>(n, random)) {
        const bytes b = entropy_coded(codes, f);
        const auto r = read<typename Q::storage>(m, b, f, n);
        const bool same = r.status == lb::status::ok && r.codes == codes && r.agree;
        if (!same) {
          CAPTURE(name);
          CAPTURE(n);
          CHECK(r.status == lb::status::ok);
          CHECK(r.codes == codes);
          CHECK(r.agree);
        }
      }
    }
  });
}

TEST_CASE("entropy: blocks decode by themselves, in any order") {
  const std::vector<int> codes = coded_samples::normal(6, 5).draw(100003, 3);
  const lb::qformat f = lb::qformat::of<lb::q6>();
  const bytes b = entropy_coded(codes, f);
  lb::entropy_codes slow;
  static lb::entropy_tables fast;
  REQUIRE(slow.open(b) == lb::status::ok);
  REQUIRE(fast.open(b) == lb::status::ok);
  CHECK(slow.size() == codes.size());
  CHECK(slow.format() == f);
  REQUIRE(slow.block_count() > 4);
  for (std::size_t k = slow.block_count(); k-- > 0;) {
    std::vector<lb::int8_t> a(slow.block_size(k) + 1, 99), c(a);
    REQUIRE(slow.decode_block(k, a.data()) == lb::status::ok);
    REQUIRE(fast.decode_block(k, c.data()) == lb::status::ok);
    CHECK(a == c);
    CHECK(a.back() == 99);
    CHECK(std::equal(a.begin(), a.end() - 1, codes.begin() + static_cast<std::ptrdiff_t>(slow.block_begin(k))));
  }
}

TEST_CASE("entropy: within 3 % of the entropy from 64 Ki codes on, everything counted") {
  constexpr std::size_t n = 1 << 16;
  std::vector<coded_samples::distribution> all;
  for (const double sigma : {0.5, 1.0, 2.5}) all.push_back(coded_samples::normal(4, sigma));
  for (const double sigma : {1.0, 4.0, 20.0, 40.0}) all.push_back(coded_samples::normal(8, sigma)), all.push_back(coded_samples::laplace(8, sigma));
  for (int bits = 2; bits <= 16; ++bits) {
    all.push_back(coded_samples::normal(bits, (1 << bits) / 8.0));
    all.push_back(coded_samples::laplace(bits, lb::larger(0.7, (1 << bits) / 20.0)));
    all.push_back(coded_samples::uniform({static_cast<lb::uint8_t>(bits), true}));
  }
  for (int bits = 8; bits <= 16; ++bits) all.push_back(coded_samples::outliers(bits, 10));
  all.push_back(coded_samples::sparse(lb::qformat::of<lb::ternary>(), 0.1));
  all.push_back(coded_samples::sparse(lb::qformat::of<lb::q8>(), 0.05));
  all.push_back(coded_samples::sparse(lb::qformat::of<lb::u1>(), 0.05));
  all.push_back(coded_samples::comb(8));
  for (const coded_samples::distribution& d : all) {
    const std::vector<int> codes = d.draw(n, 11);
    const bytes b = entropy_coded(codes, d.format);
    const double ratio = static_cast<double>(b.size()) / (d.entropy() * n / 8);
    CAPTURE(d.name);
    CAPTURE(int{d.format.bits});
    CAPTURE(d.entropy());
    CHECK(ratio < 1.03);
    std::vector<int> back(n);
    REQUIRE(lb::decode_codes(b, d.format, back.data(), n) == lb::status::ok);
    CHECK(back == codes);
  }
}

namespace {

constexpr lb::int8_t few[] = {0, 0, 1, 0, -1, 0, 0, 0, 2, 0, 0, -3, 0, 0, 0, 1, 0, 0, 7, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0};
constexpr auto coded_few = lb::coded<lb::q4, few>;
struct many_values {
  lb::int16_t v[4096]{};
  constexpr lb::int16_t operator[](std::size_t i) const { return v[i]; }
  static constexpr std::size_t size() { return 4096; }
};
template <int Bits>
constexpr many_values many = [] {
  many_values m;
  lb::uint32_t x = 1;
  for (lb::int16_t& v : m.v) {
    int sum = 0;
    for (int k = 0; k < 4; ++k) x = x * 1664525u + 1013904223u, sum += static_cast<int>(x >> (32 - Bits + 2));
    v = static_cast<lb::int16_t>((sum - (1 << (Bits - 1))) / 2);
  }
  return m;
}();

template <class Q, std::size_t N, std::size_t Bytes>
constexpr bool decodes_to(const lb::coded_array<Q, N, Bytes>& a, const auto& values) {
  typename Q::storage to[N]{};
  if (lb::decode_codes<Q>(a.bytes, to) != lb::status::ok) return false;
  for (std::size_t i = 0; i < N; ++i)
    if (to[i] != values[i]) return false;
  return true;
}

static_assert(decodes_to(coded_few, few));

}  // namespace

TEST_CASE("entropy: the compiler's arrays are those of the program") {
  const auto check = [](const auto& a, const auto& values, const lb::qformat& f) {
    std::vector<int> codes;
    for (std::size_t i = 0; i < a.size(); ++i) codes.push_back(values[i]);
    const bytes b = entropy_coded(codes, f);
    const bool is_plain = b.size() > lb::coded_header::bytes + lb::packed_bytes(codes.size(), f.bits);
    CHECK((a.bytes[3] == 0x10) == is_plain);
    if (!is_plain) CHECK(b == bytes(a.bytes, a.bytes + a.size_bytes()));
    CHECK(decodes_to(a, values));
  };
  check(coded_few, few, lb::qformat::of<lb::q4>());
  check(lb::coded<lb::q8, many<8>>, many<8>, lb::qformat::of<lb::q8>());
  check(lb::coded<lb::q12, many<12>>, many<12>, lb::qformat::of<lb::q12>());
  CHECK(lb::coded<lb::q8, many<8>>.size_bytes() < 4096 * 7 / 8 + 300);
}

TEST_CASE("entropy: the bytes are those of the documentation") {
  // Header, first group, bytes of the shares; shares; index; states, words.
  const bytes b = entropy_coded({1, 1, 1, 0, 1, 1, 0, 1}, lb::qformat::of<lb::u1>());
  const bytes want = {'l', 'b', 'c', 0x11, 1, 0, 12, 1, 8, 0, 0, 0, 0, 0, 6, 0,   // u1, 2 symbols, 8 codes
                      0x00, 0x0c, 0x00, 0x00, 0x03, 0x08,                           // 1024 and 3072 of 4096
                      16, 0, 0, 0,                                                  // the block's end
                      0, 0xcc, 1, 0, 0, 0xcc, 1, 0, 0, 0x58, 5, 0, 0, 0x60, 5, 0};
  CHECK(b == want);
}

TEST_CASE("entropy: what is cut off, longer, or of another kind is refused") {
  memories m;
  for (const auto& d : {coded_samples::normal(4, 2), coded_samples::normal(12, 300), coded_samples::outliers(12, 3)}) {
    const std::vector<int> codes = d.draw(777, 5);
    const bytes b = entropy_coded(codes, d.format);
    REQUIRE(read<lb::int16_t>(m, b, d.format, codes.size()).status == lb::status::ok);
    for (std::size_t n = 0; n < b.size(); ++n)
      CHECK(read<lb::int16_t>(m, {b.begin(), b.begin() + static_cast<std::ptrdiff_t>(n)}, d.format, codes.size()).status ==
            lb::status::wrong_size);
    for (const int extra : {0, 1, 255}) {
      bytes longer = b;
      longer.push_back(static_cast<lb::uint8_t>(extra));
      CHECK(read<lb::int16_t>(m, longer, d.format, codes.size()).status == lb::status::wrong_size);
    }
    for (const std::size_t n : {std::size_t{0}, codes.size() - 1, codes.size() + 1})
      CHECK(read<lb::int16_t>(m, b, d.format, n).status == lb::status::wrong_size);
    lb::qformat other = d.format;
    other.bits = static_cast<lb::uint8_t>(other.bits - 1);
    CHECK(read<lb::int16_t>(m, b, other, codes.size()).status == lb::status::foreign);
    other = d.format;
    other.is_signed = false;
    CHECK(read<lb::int16_t>(m, b, other, codes.size()).status == lb::status::foreign);
    for (std::size_t at = 0; at < 5; ++at)
      for (int k = 0; k < 8; ++k) {
        bytes bad = b;
        bad[at] = static_cast<lb::uint8_t>(bad[at] ^ 1 << k);
        CHECK(read<lb::int16_t>(m, bad, d.format, codes.size()).status != lb::status::ok);
      }
    // The final state of a lane is the first one of the coder: a changed start does not arrive there.
    for (std::size_t k = 0; k < 16; ++k) {
      bytes bad = b;
      const std::size_t table = lb::detail::load_u16(b.data() + 14);
      bad[lb::detail::entropy_head + table + 4 + k] ^= 1;
      CHECK(read<lb::int16_t>(m, bad, d.format, codes.size()).status == lb::status::bad_value);
    }
  }
}

TEST_CASE("entropy: damaged bytes never touch anything outside, and both readers agree") {
  memories m;
  random_numbers random(17);
  int refused = 0, passed = 0;
  for (const auto& d : {coded_samples::normal(3, 1), coded_samples::normal(8, 9), coded_samples::uniform({16, true}),
                        coded_samples::outliers(11, 2), coded_samples::sparse(lb::qformat::of<lb::ternary>(), 0.2)}) {
    const std::vector<int> codes = d.draw(2500, 23);
    const bytes b = entropy_coded(codes, d.format);
    for (int round = 0; round < 3000; ++round) {
      bytes bad = b;
      const int changes = random.in(1, 4);
      for (int k = 0; k < changes; ++k) {
        // Half of them where the header, the shares and the index are.
        const int end = random.in(0, 1) != 0 ? static_cast<int>(bad.size()) : 64;
        const auto at = static_cast<std::size_t>(random.in(0, lb::smaller(end, static_cast<int>(bad.size())) - 1));
        const lb::uint32_t r = random.next32();
        bad[at] = static_cast<lb::uint8_t>(r % 3 == 0 ? r >> 8 : r % 3 == 1 ? bad[at] ^ 1u << (r >> 8) % 8 : (r & 64) != 0 ? 255 : 0);
      }
      if (random.in(0, 9) == 0) bad.resize(static_cast<std::size_t>(random.in(0, static_cast<int>(bad.size()))));
      const auto r = read<lb::int16_t>(m, bad, d.format, codes.size());
      if (!r.agree) CHECK_MESSAGE(r.agree, "round " << round);
      if (r.status != lb::status::ok) ++refused;
      else ++passed;
      if (r.status == lb::status::ok)
        for (const int c : r.codes)
          if (c < d.format.lowest() || c > d.format.highest()) REQUIRE(c == 0);
    }
  }
  CHECK(refused > 12000);  // what passes has changed bits behind the symbols, or none
  MESSAGE("refused " << refused << ", passed " << passed);
}
