// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <lowbits/pack/layout.hpp>

#include "support/guarded.hpp"
#include "support/number_cases.hpp"

namespace lb = lowbits;
using number_cases::comparison;
using number_cases::name_of;

namespace {

using bytes = std::vector<lb::uint8_t>;

/// A matrix of bit patterns; nothing outside it.
struct matrix {
  std::size_t rows, columns, bits;
  std::vector<lb::uint32_t> codes;
  lb::uint32_t operator()(std::size_t r, std::size_t c) const {
    return r < rows && c < columns ? codes[r * columns + c] : 0;
  }
};

/// Writes what it is given bit after bit: the second implementation, in the order of storage.
struct bit_writer {
  bytes out{};
  std::size_t used = 0;
  void add(lb::uint32_t code, std::size_t bits) {
    for (std::size_t k = 0; k < bits; ++k, ++used) {
      if (used % 8 == 0) out.push_back(0);
      out.back() = static_cast<lb::uint8_t>(out.back() | (code >> k & 1) << used % 8);
    }
  }
  void align() { used = out.size() * 8; }
};

std::size_t tiles(std::size_t n, std::size_t tile) { return (n + tile - 1) / tile; }

bytes stored_linear(const matrix& m) {
  bit_writer w;
  for (const lb::uint32_t code : m.codes) w.add(code, m.bits);
  return w.out;
}
bytes stored_rows(const matrix& m) {
  bit_writer w;
  for (std::size_t r = 0; r < m.rows; ++r, w.align())
    for (std::size_t c = 0; c < m.columns; ++c) w.add(m(r, c), m.bits);
  return w.out;
}
bytes stored_panels(const matrix& m, std::size_t nr, std::size_t kr) {
  bit_writer w;
  for (std::size_t i = 0; i < tiles(m.rows, nr); ++i)
    for (std::size_t j = 0; j < tiles(m.columns, kr); ++j, w.align())
      for (std::size_t r = 0; r < nr; ++r)
        for (std::size_t c = 0; c < kr; ++c) w.add(m(i * nr + r, j * kr + c), m.bits);
  return w.out;
}
bytes stored_interleaved(const matrix& m, std::size_t lanes) {
  bit_writer w;
  const std::size_t fields = 8 / m.bits;
  for (std::size_t r = 0; r < m.rows; ++r)
    for (std::size_t block = 0; block < tiles(m.columns, fields * lanes); ++block)
      for (std::size_t lane = 0; lane < lanes; ++lane)
        for (std::size_t f = 0; f < fields; ++f) w.add(m(r, (block * fields + f) * lanes + lane), m.bits);
  return w.out;
}
/// m holds unsigned codes.
bytes stored_planes(const matrix& m) {
  bit_writer w;
  std::vector<std::size_t> widths;
  for (std::size_t left = m.bits; left != 0; left -= widths.back())
    for (std::size_t width : {std::size_t{8}, std::size_t{4}, std::size_t{2}, std::size_t{1}})
      if (width <= left) {
        widths.push_back(width);
        break;
      }
  for (std::size_t i = 0; i < tiles(m.rows, 16); ++i)
    for (std::size_t j = 0; j < tiles(m.columns, 32); ++j) {
      std::size_t below = 0;
      for (const std::size_t p : widths) {
        for (std::size_t vector = 0; vector < p; ++vector)
          for (std::size_t r = 0; r < 16; ++r)
            for (std::size_t k = 0; k < 4; ++k)
              for (std::size_t f = 0; f < 8 / p; ++f)
                w.add(m(i * 16 + r, j * 32 + 4 * (vector * 8 / p + f) + k) >> below, p);
        below += p;
      }
    }
  return w.out;
}

/// The table of docs/formats.md: whose bit each bit of each byte is, from the highest bit on, as code and bit number.
bytes stored_eights(const matrix& m) {
  static const char* const tables[] = {
      "7060504030201000",
      "3130212011100100 7170616051504140",
      "6261121110020100 7271323130222120 7060525150424140",
      "1312111003020100 3332313023222120 5352515043424140 7372717063626160",
      "5453520403020100 6463621413121110 7473722423222120 5150713433323130 6160704443424140",
      "6564050403020100 6362151413121110 6160252423222120 7574353433323130 7372454443424140 7170555453525150",
      "7606050403020100 7516151413121110 7426252423222120 7336353433323130 7246454443424140 7156555453525150 7066656463626160",
      "0706050403020100 1716151413121110 2726252423222120 3736353433323130 4746454443424140 5756555453525150 6766656463626160 7776757473727170"};
  std::string table;
  for (const char* c = tables[m.bits - 1]; *c != '\0'; ++c)
    if (*c != ' ') table += *c;
  bit_writer w;
  for (std::size_t i = 0; i < tiles(m.rows, 16); ++i)
    for (std::size_t j = 0; j < tiles(m.columns, 32); ++j)
      for (std::size_t vector = 0; vector < m.bits; ++vector)
        for (std::size_t r = 0; r < 16; ++r)
          for (std::size_t k = 0; k < 4; ++k)
            for (std::size_t b = 8; b-- > 0;) {
              const std::size_t at = 2 * (8 * vector + b), code = static_cast<std::size_t>(table[at] - '0');
              w.add(m(i * 16 + r, j * 32 + 4 * code + k) >> (table[at + 1] - '0') & 1, 1);
            }
  return w.out;
}

const std::size_t shapes[][2] = {{0, 0}, {0, 5}, {5, 0}, {1, 1}, {1, 31}, {3, 7},
                                 {16, 32}, {17, 33}, {15, 64}, {33, 13}, {2, 100}};

/// One layout at one type, without templates: they are compiled once for all 100 of them.
struct layout_under_test {
  std::string name;
  lb::qformat format;
  bool offset;
  std::size_t (*bytes)(std::size_t, std::size_t);
  void (*pack)(const int*, std::size_t, std::size_t, lb::uint8_t*);
  void (*unpack)(const lb::uint8_t*, std::size_t, std::size_t, int*);
};
template <class Layout, class Q>
layout_under_test at(const char* layout) {
  const bool unsigned_codes = std::is_same_v<Layout, lb::planes_layout> || std::is_same_v<Layout, lb::eights_layout>;
  const bool offset = unsigned_codes && !Q::is_binary && Q::is_signed;
  return {name_of<Q>() + " " + layout, lb::qformat::of<Q>(), offset,
          [](std::size_t r, std::size_t c) { return Layout::template bytes<Q>(r, c); },
          [](const int* v, std::size_t r, std::size_t c, lb::uint8_t* b) { lb::pack<Layout, Q>(v, r, c, b); },
          [](const lb::uint8_t* b, std::size_t r, std::size_t c, int* v) { lb::unpack<Layout, Q>(b, r, c, v); }};
}

void check(comparison& c, const layout_under_test& layout, bytes (*oracle)(const matrix&)) {
  static guarded::memory memory;
  const lb::qformat q = layout.format;
  number_cases::random_numbers random(q.bits);
  for (const auto& [rows, columns] : shapes) {
    const auto at = static_cast<int>(rows * 1000 + columns);
    std::vector<int> values(rows * columns), back(values.size(), 12345);
    matrix m{rows, columns, q.bits, {}};
    for (int& v : values) {
      v = q.decode(random.next32() >> (32 - q.bits));
      if (v < q.lowest()) v = q.lowest();
      m.codes.push_back(layout.offset ? static_cast<lb::uint32_t>(v + (1 << (q.bits - 1))) : q.encode(v));
    }
    const bytes want = oracle(m);
    const std::size_t size = layout.bytes(rows, columns);
    c.same(static_cast<int>(size), static_cast<int>(want.size()), layout.name + " bytes", at);
    for (const guarded::place place : guarded::both_places) {
      lb::uint8_t* const got = memory.take<lb::uint8_t>(size, place);
      layout.pack(values.data(), rows, columns, got);
      c.holds(bytes(got, got + size) == want, layout.name + " image", at);
      layout.unpack(got, rows, columns, back.data());
      c.holds(back == values, layout.name + " round trip", at);
    }
  }
}

}  // namespace

TEST_CASE("every layout writes the documented bytes and reads them back") {
  comparison c;
  const auto type = [&]<class Q>() {
    check(c, at<lb::linear_layout, Q>("linear"), stored_linear);
    check(c, at<lb::rows_layout, Q>("rows"), stored_rows);
    check(c, at<lb::panel_layout<16, 4>, Q>("panel 16x4"), [](const matrix& m) { return stored_panels(m, 16, 4); });
    check(c, at<lb::panel_layout<3, 5>, Q>("panel 3x5"), [](const matrix& m) { return stored_panels(m, 3, 5); });
    check(c, at<lb::planes_layout, Q>("planes"), stored_planes);
    if constexpr (Q::bits <= 8) check(c, at<lb::eights_layout, Q>("eights"), stored_eights);
    if constexpr (Q::bits == 1 || Q::bits == 2 || Q::bits == 4) {
      check(c, at<lb::interleaved_layout<1>, Q>("one lane"), [](const matrix& m) { return stored_interleaved(m, 1); });
      check(c, at<lb::interleaved_layout<16>, Q>("16 lanes"), [](const matrix& m) { return stored_interleaved(m, 16); });
    }
  };
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (type.template operator()<lb::qs<I + 1>>(), ...);
  }(std::make_integer_sequence<int, 16>{});
  type.template operator()<lb::u1>();
  type.template operator()<lb::u4>();
  type.template operator()<lb::u13>();
  type.template operator()<lb::ternary>();
  CHECK_ALL_OF(c);
}

TEST_CASE("the linear layout is what packed_view reads; one interleaved lane is the same") {
  std::vector<int> values(37);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i % 16) - 8;
  bytes b(lb::linear_layout::bytes<lb::q4>(1, 37)), d(b.size());
  lb::pack<lb::linear_layout, lb::q4>(values, 1, 37, b.data());
  lb::pack<lb::interleaved_layout<1>, lb::q4>(values, 1, 37, d.data());
  CHECK(b == d);
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(lb::packed_view<lb::q4>(b.data(), 37)[i] == values[i]);
}

namespace {

// Known bytes, one for each layout.
template <class Layout, class Q, std::size_t Bytes, std::size_t Rows, std::size_t Columns>
constexpr bool gives(const int (&values)[Rows][Columns], const lb::uint8_t (&want)[Bytes]) {
  if (Layout::template bytes<Q>(Rows, Columns) != Bytes) return false;
  int flat[Rows * Columns]{}, back[Rows * Columns]{};
  for (std::size_t i = 0; i < Rows * Columns; ++i) flat[i] = values[i / Columns][i % Columns];
  lb::uint8_t got[Bytes]{};
  lb::pack<Layout, Q>(flat, Rows, Columns, got);
  lb::unpack<Layout, Q>(got, Rows, Columns, back);
  for (std::size_t i = 0; i < Bytes; ++i)
    if (got[i] != want[i]) return false;
  for (std::size_t i = 0; i < Rows * Columns; ++i)
    if (back[i] != flat[i]) return false;
  return true;
}

constexpr int two_rows[2][3] = {{1, 2, 3}, {-1, -2, 7}};
static_assert(gives<lb::linear_layout, lb::q4>(two_rows, {0x21, 0xf3, 0x7e}));
static_assert(gives<lb::rows_layout, lb::q4>(two_rows, {0x21, 0x03, 0xef, 0x07}));
static_assert(gives<lb::panel_layout<2, 2>, lb::q8>(two_rows, {1, 2, 0xff, 0xfe, 3, 0, 7, 0}));
static_assert(gives<lb::panel_layout<2, 2>, lb::q4>(two_rows, {0x21, 0xef, 0x03, 0x07}));
static_assert(gives<lb::interleaved_layout<2>, lb::q4>(two_rows, {0x31, 0x02, 0x7f, 0x0e}));

/// One code of 7 bits, 0x5a = 0b1011010: the plane of 4 has 0b1010, that of 2 has 0b01, that of 1 has 1.
constexpr bool one_code_in_planes() {
  // Row 2, column 13: k group 3, lane 4 * 2 + 1. Fields: 4 bits: vector 1, field 1; 2 bits: vector 0,
  // field 3; 1 bit: vector 0, field 3.
  int values[16 * 32]{};
  values[2 * 32 + 13] = 0x5a;
  lb::uint8_t b[7 * 64]{};
  lb::pack<lb::planes_layout, lb::u7>(values, 16, 32, b);
  for (std::size_t i = 0; i < sizeof b; ++i) {
    const int want = i == 64 + 9 ? 0xa0 : i == 4 * 64 + 9 ? 0x40 : i == 6 * 64 + 9 ? 0x08 : 0;
    if (b[i] != want) return false;
  }
  return true;
}
static_assert(one_code_in_planes());
static_assert(lb::planes_layout::bytes<lb::q3>(17, 33) == 4 * 3 * 64);
static_assert(lb::eights_layout::bytes<lb::q3>(17, 33) == 4 * 3 * 64 && lb::eights_layout::bytes<lb::q8>(1, 1) == 512);

}  // namespace
