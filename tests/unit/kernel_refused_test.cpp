// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Products for direct use refuse what they cannot compute: codes outside of their type, too few of them, zero points that
// no code has, sums that 32 bits may not hold, buffers that were packed for something else or were changed since.
#include <doctest/doctest.h>

#include <cstring>
#include <span>
#include <vector>

#include <lowbits/kernel/grouped_gemm.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>
#include <lowbits/kernel/trit_gemm.hpp>

namespace {

namespace lb = lowbits;
using raw = lb::raw_accumulator<int32_t>;

/// Bytes that start at a multiple of 64.
class aligned {
public:
  explicit aligned(std::size_t n) : n_(n), memory_(n + 64) {}
  std::span<unsigned char> get() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return {memory_.data() + (64 - address % 64) % 64, n_};
  }

private:
  std::size_t n_;
  std::vector<unsigned char> memory_;
};

}  // namespace

TEST_CASE("gemm: packed codes outside of their type, and too few of them") {
  using ternary_gemm = lb::gemm<int8_t, raw, lb::ternary>;
  const ternary_gemm product({.rows = 1, .cols = 1, .depth = 4});
  aligned packed(product.packed_bytes());
  const uint8_t good[1] = {0b01'00'11'01}, bad[1] = {0b01'10'11'01};  // 10 is -2
  CHECK(product.pack(lb::packed_view<lb::ternary>(good, 4), 0, nullptr, 0, packed.get()) == lb::status::ok);
  CHECK(product.pack(lb::packed_view<lb::ternary>(bad, 4), 0, nullptr, 0, packed.get()) == lb::status::bad_value);
  CHECK(product.pack(lb::packed_view<lb::ternary>(good, 3), 0, nullptr, 0, packed.get()) == lb::status::wrong_size);

  const lb::gemm<int8_t, raw, lb::trits> trits({.rows = 1, .cols = 1, .depth = 5});
  aligned of_trits(trits.packed_bytes());
  const uint8_t all_ones[1] = {242}, no_trits[1] = {243};
  CHECK(trits.pack(lb::trit_view(all_ones, 5), 0, nullptr, 0, of_trits.get()) == lb::status::ok);
  CHECK(trits.pack(lb::trit_view(no_trits, 5), 0, nullptr, 0, of_trits.get()) == lb::status::bad_value);
  CHECK(trits.pack(lb::trit_view(all_ones, 4), 0, nullptr, 0, of_trits.get()) == lb::status::wrong_size);
}

TEST_CASE("gemm: zero points") {
  using bytes_gemm = lb::gemm<int8_t, raw>;
  const bytes_gemm product({.rows = 1, .cols = 1, .depth = 2});
  aligned packed(product.packed_bytes()), scratch(product.scratch_bytes());
  const int8_t w[2] = {1, 2}, x[2] = {3, 4};
  int32_t y[1];
  for (const int zero : {-129, 128, 1'000'000'000}) CHECK(product.pack(w, 0, nullptr, zero, packed.get()) == lb::status::bad_value);
  for (const int zero : {-65537, 65537, lb::highest_of<int32_t>}) CHECK(product.pack(w, zero, nullptr, 0, packed.get()) == lb::status::bad_value);
  REQUIRE(product.pack(w, 128, nullptr, -128, packed.get()) == lb::status::ok);
  REQUIRE(product.run(x, packed.get(), raw{}, y, scratch.get()) == lb::status::ok);
  CHECK(y[0] == 131 * -127 + 132 * -126);
  // A saved buffer whose zero points were changed.
  lb::packed_gemm_header h;
  std::memcpy(&h, packed.get().data(), sizeof h);
  h.w_zero = lb::highest_of<int32_t>;
  std::memcpy(packed.get().data(), &h, sizeof h);
  CHECK(product.run(x, packed.get(), raw{}, y, scratch.get()) == lb::status::foreign);
}

TEST_CASE("gemm: sums that 32 bits may not hold are refused by what the weights are") {
  for (const int depth : {131071, 131072, 140000}) {
    const lb::gemm<int8_t, raw> product({.rows = 1, .cols = 2, .depth = depth});
    aligned packed(product.packed_bytes()), scratch(product.scratch_bytes());
    std::vector<int8_t> w(2 * static_cast<std::size_t>(depth), -128), x(static_cast<std::size_t>(depth), -128);
    const bool fits = depth < 131072;
    CAPTURE(depth);
    CHECK((product.pack(w.data(), 0, nullptr, 0, packed.get()) == lb::status::ok) == fits);
    const int32_t bias[2] = {0, -(1 << 15)};
    CHECK(product.pack(w.data(), 0, bias, 0, packed.get()) == lb::status::bad_value);  // 131071 * 2^14 is 2^31 - 2^14
    // Small weights hold at any depth.
    std::fill(w.begin(), w.end(), int8_t{-100});
    REQUIRE(product.pack(w.data(), 0, nullptr, 0, packed.get()) == lb::status::ok);
    int32_t y[2];
    REQUIRE(product.run(x.data(), packed.get(), raw{}, y, scratch.get()) == lb::status::ok);
    CHECK(y[1] == 12800 * depth);
  }
}

TEST_CASE("grouped_gemm: groups longer than the depth, and buffers for other groups and shifts") {
  using grouped = lb::grouped_gemm<int8_t, lb::q4, uint8_t, raw>;
  const int8_t x[64] = {1, 2, 3};
  std::vector<uint8_t> w(16 * 64 / 2, 0x11);
  const std::vector<uint8_t> factors(32, 2);
  int32_t y[16];
  for (const int group : {64, 96, 1 << 30, 2147483616}) {
    const grouped product({.rows = 1, .cols = 16, .depth = 64}, {.group = group});
    REQUIRE(product.error() == lb::status::ok);
    aligned packed(product.packed_bytes()), scratch(product.scratch_bytes());
    REQUIRE(product.pack(lb::packed_view<lb::q4>(w.data(), 1024), factors.data(), nullptr, packed.get()) == lb::status::ok);
    REQUIRE(product.run(x, packed.get(), raw{}, y, scratch.get()) == lb::status::ok);
    for (int32_t v : y) CHECK(v == 2 * (1 + 2 + 3));
  }
  const grouped short_groups({.rows = 1, .cols = 16, .depth = 64}, {.group = 32});
  aligned packed(short_groups.packed_bytes() + 4096), scratch(4096);
  REQUIRE(short_groups.pack(lb::packed_view<lb::q4>(w.data(), 1024), factors.data(), nullptr, packed.get()) == lb::status::ok);
  for (const lb::group_format& other : {lb::group_format{.group = 32 + (1 << 18)}, lb::group_format{.group = 16}, lb::group_format{.group = 32, .shift = 4}})
    CHECK(grouped({.rows = 1, .cols = 16, .depth = 64}, other).run(x, packed.get(), raw{}, y, scratch.get()) == lb::status::foreign);
  CHECK(short_groups.pack(lb::packed_view<lb::q4>(w.data(), 1023), factors.data(), nullptr, packed.get()) == lb::status::wrong_size);
}
