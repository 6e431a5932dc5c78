// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Weights -1, 0, 1 stored five in a byte: what bytes they are, and that products with them give the reference's bytes.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/kernel/trit_gemm.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

struct trit_weights {
  static constexpr int lowest = -1, highest = 1;
  std::vector<uint8_t> bytes;
  std::size_t count;
  trit_weights(std::size_t n, naive::random_numbers& random) : bytes(lb::trit_bytes(n)), count(n) {
    std::vector<int> values(n);
    for (auto& v : values) v = random.in(-1, 1);
    lb::pack_trits(values, n, bytes.data());
  }
  lb::trit_view read(guarded::memory& m, guarded::place where) const { return {m.copy(bytes, where), count}; }
};

template <class Arch, class X, class Rq>
void check(const lb::gemm_shape& s, buffers& memory, uint64_t seed) {
  using product = lb::gemm<X, typename Rq::requantizer, lb::trits>;
  using Y = typename product::Y;
  naive::random_numbers random(seed);
  const auto extent = [&](int cols, ptrdiff_t matrix, ptrdiff_t row) {
    return s.batch == 0 || s.rows == 0 || cols == 0 ? std::size_t{0} : static_cast<std::size_t>((s.batch - 1) * matrix + (s.rows - 1) * row + cols);
  };
  const auto x = codes<X>(extent(s.depth, s.x_matrix_step(), s.x_row_step()), random);
  const trit_weights w(static_cast<std::size_t>(s.cols) * static_cast<std::size_t>(s.depth), random);
  std::vector<int32_t> bias;
  for (int c = 0; c < s.cols; ++c) bias.push_back(random.in(-5000, 5000));
  const Rq rq(s.cols, s.depth, random);
  const int x_zero = random.in(lb::lowest_of<X>, lb::highest_of<X>), w_zero = zero_point<trit_weights>(random);
  const bool has_bias = random.in(0, 3) != 0;
  std::vector<Y> before(extent(s.cols, s.y_matrix_step(), s.y_row_step()), Y(77));
  auto expected = before;
  lb::ref::gemm<int32_t>(s, x.data(), x_zero, w.read(memory.w, guarded::place::front), w_zero, has_bias ? bias.data() : nullptr,
                         rq.get(memory.factors, guarded::place::front), expected.data());
  const product p(s, lb::arch_id_of<Arch>);
  for (const auto where : guarded::both_places)
    for (const int parts : {1, 3}) {
      auto* packed = memory.packed.take<unsigned char>((p.packed_bytes() + 63) / 64 * 64, guarded::place::front);
      auto* scratch = memory.scratch.take<unsigned char>(p.scratch_bytes(parts), where);
      auto* y = memory.y.copy(before, where);
      REQUIRE(p.pack(w.read(memory.w, where), w_zero, has_bias ? bias.data() : nullptr, x_zero, {packed, p.packed_bytes()}) == lb::status::ok);
      REQUIRE(p.run(memory.x.copy(x, where), {packed, p.packed_bytes()}, rq.get(memory.factors, where), y, {scratch, p.scratch_bytes(parts)}, {},
                    lb::in_turn{}, parts) == lb::status::ok);
      const std::string wrong = difference(y, expected);
      if (!wrong.empty()) FAIL_CHECK(s.batch, " x ", s.rows, "x", s.depth, " * ", s.cols, ", ", std::string(Arch::name), ", parts ", parts, ": ", wrong);
    }
}

template <class X, class Rq>
void check_all(uint64_t seed) {
  std::vector<lb::gemm_shape> all;
  for (const int rows : {0, 1, 2, 3, 5, 15, 16, 40})
    for (const int cols : {1, 15, 16, 17, 33, 100})
      for (const int depth : {0, 1, 19, 20, 21, 67}) all.push_back({.rows = rows, .cols = cols, .depth = depth});
  for (int depth = 0; depth <= 130; ++depth) all.push_back({.rows = 1 + depth % 2, .cols = 18, .depth = depth});
  all.push_back({.rows = 1, .cols = 1100, .depth = 40});
  all.push_back({.rows = 5, .cols = 9, .depth = 7, .batch = 3, .x_row = 11, .x_matrix = 60, .y_row = 10, .y_matrix = 51});
  all.push_back({.rows = 110, .cols = 70, .depth = 300});
  buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    for (const auto& s : kernel_archs::sample(all)) check<Arch, X, Rq>(s, memory, seed++);
  });
}

constexpr int some[] = {1, 0, -1, 1, 1, 0, -1};
constexpr auto packed_some = [] {
  std::array<uint8_t, 2> bytes{};
  lb::pack_trits(some, 7, bytes.data());
  return bytes;
}();
static_assert(packed_some[0] == 2 + 3 * 1 + 9 * 0 + 27 * 2 + 81 * 2);
static_assert(packed_some[1] == 1 + 3 * 0 + 9 * 1 + 27 * 1 + 81 * 1);  // zeros behind the last weight
static_assert(lb::trit_view(packed_some.data(), 7)[3] == 1 && lb::trit_view(packed_some.data(), 7)[6] == -1);
static_assert(lb::trit_view(packed_some.data(), 7).is_valid() && !lb::trit_view(packed_some.data(), 6).is_valid());

}  // namespace

TEST_CASE("trits: every byte") {
  for (int b = 0; b < 256; ++b) {
    const auto byte = static_cast<uint8_t>(b);
    int values[5];
    lb::unpack_trits(&byte, 5, values);
    for (const int v : values) CHECK(v * v <= 1);
    uint8_t again = 0;
    lb::pack_trits(values, 5, &again);
    CHECK((again == byte) == (b < 243));
    CHECK(lb::trit_view(&byte, 5).is_valid() == (b < 243));
  }
}

TEST_CASE("trits: all lengths") {
  guarded::memory memory;
  naive::random_numbers random(5);
  for (std::size_t n = 0; n <= 130; ++n) {
    std::vector<int8_t> values(n), back(n);
    for (auto& v : values) v = static_cast<int8_t>(random.in(-1, 1));
    for (const auto where : guarded::both_places) {
      auto* bytes = memory.take<uint8_t>(lb::trit_bytes(n), where);
      lb::pack_trits(values, n, bytes);
      CHECK(lb::trit_view(bytes, n).is_valid());
      lb::unpack_trits(bytes, n, back.data());
      CHECK(back == values);
    }
  }
  CHECK(lb::trit_bytes(~std::size_t{0}) == ~std::size_t{0} / 5);
}

TEST_CASE("gemm: trits, sums") { check_all<int8_t, not_at_all>(1); }
TEST_CASE("gemm: trits, codes by channel") { check_all<uint8_t, by_channel<lb::q8, lb::round_single>>(2); }

TEST_CASE("gemm: trits keep their width, and are not taken for 2-bit weights") {
  const lb::gemm_shape s{.rows = 1, .cols = 512, .depth = 1000};
  using fives = lb::gemm<int8_t, lb::raw_accumulator<int32_t>, lb::trits>;
  using twos = lb::gemm<int8_t, lb::raw_accumulator<int32_t>, lb::ternary>;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    if constexpr (lb::kernel::keeps_bits<Arch, lb::trit_view>()) {
      const fives p(s, lb::arch_id_of<Arch>);
      CHECK(p.packed_bytes() <= 64 + 2 * 4 * 512 + 512 * 1280 / 5);
      CHECK(p.packed_bytes() >= 64 + 2 * 4 * 512 + 512 * 1000 / 5);
    }
  });
  guarded::memory memory;
  const fives p(s);
  const twos other(s);
  const std::vector<uint8_t> w(512 * 1000 / 5, lb::trits::zeros + 1);  // every fifth weight is 1
  auto* packed = memory.take<unsigned char>(lb::round_up(lb::larger(p.packed_bytes(), other.packed_bytes()), std::size_t{64}), guarded::place::front);
  const std::size_t bytes = lb::larger(p.packed_bytes(), other.packed_bytes());
  REQUIRE(p.pack({w.data(), 512 * 1000}, 0, nullptr, 0, {packed, bytes}) == lb::status::ok);
  std::vector<int8_t> x(1000, 3);
  std::vector<int32_t> y(512);
  std::vector<unsigned char> scratch(p.scratch_bytes() + other.scratch_bytes());
  CHECK(other.run(x.data(), {packed, bytes}, {}, y.data(), scratch) == lb::status::foreign);
  CHECK(p.run(x.data(), {packed, bytes}, {}, y.data(), scratch) == lb::status::ok);
  CHECK(y[511] == 3 * 200);
}
