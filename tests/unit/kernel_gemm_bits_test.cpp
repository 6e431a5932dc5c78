// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Matrix products with weights of few bits, which stay packed: the reference's bytes for few rows and many, zero
// points, batches and parts; prepared weights that are as small as promised. Other widths: kernel_conv2d_test.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/kernel/prepared_gemm.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

template <class Arch, class X, class Q, class Rq>
void check(const lb::gemm_shape& s, buffers& memory, uint64_t seed) {
  using product = lb::gemm<X, typename Rq::requantizer, Q>;
  using Y = typename product::Y;
  naive::random_numbers random(seed);
  const auto extent = [&](int cols, ptrdiff_t matrix, ptrdiff_t row) {
    return s.batch == 0 || s.rows == 0 || cols == 0 ? std::size_t{0} : static_cast<std::size_t>((s.batch - 1) * matrix + (s.rows - 1) * row + cols);
  };
  const auto x = codes<X>(extent(s.depth, s.x_matrix_step(), s.x_row_step()), random);
  const packed_weights<Q> w(static_cast<std::size_t>(s.cols) * static_cast<std::size_t>(s.depth), random);
  std::vector<int32_t> bias;
  for (int c = 0; c < s.cols; ++c) bias.push_back(random.in(-5000, 5000));
  const Rq rq(s.cols, s.depth, random);
  const int x_zero = random.in(lb::lowest_of<X>, lb::highest_of<X>), w_zero = zero_point<packed_weights<Q>>(random);
  const bool has_bias = random.in(0, 3) != 0;
  std::vector<Y> before(extent(s.cols, s.y_matrix_step(), s.y_row_step()), Y(77));
  auto expected = before;  // what lies between the rows stays
  lb::ref::gemm<int32_t>(s, x.data(), x_zero, w.read(memory.w, guarded::place::front), w_zero, has_bias ? bias.data() : nullptr,
                         rq.get(memory.factors, guarded::place::front), expected.data());
  const product p(s, lb::arch_id_of<Arch>);
  for (const auto where : guarded::both_places)
    for (const int parts : {1, 3}) {
      INFO(s.batch, " x ", s.rows, "x", s.depth, " * ", s.cols, ", ", static_cast<int>(Q::bits), " bits, arch ", std::string(Arch::name), ", parts ", parts);
      auto* packed = memory.packed.take<unsigned char>((p.packed_bytes() + 63) / 64 * 64, guarded::place::front);
      auto* scratch = memory.scratch.take<unsigned char>(p.scratch_bytes(parts), where);
      auto* y = memory.y.copy(before, where);
      REQUIRE(p.pack(w.read(memory.w, where), w_zero, has_bias ? bias.data() : nullptr, x_zero, {packed, p.packed_bytes()}) == lb::status::ok);
      REQUIRE(p.run(memory.x.copy(x, where), {packed, p.packed_bytes()}, rq.get(memory.factors, where), y, {scratch, p.scratch_bytes(parts)}, {},
                    lb::in_turn{}, parts) == lb::status::ok);
      const std::string wrong = difference(y, expected);
      if (!wrong.empty()) FAIL_CHECK(wrong);
    }
}

std::vector<lb::gemm_shape> shapes() {
  std::vector<lb::gemm_shape> all;
  for (const int rows : {0, 1, 2, 3, 5, 8, 15, 16, 40})
    for (const int cols : {1, 15, 16, 17, 33, 100})
      for (const int depth : {0, 1, 31, 32, 67}) all.push_back({.rows = rows, .cols = cols, .depth = depth});
  all.push_back({.rows = 1, .cols = 1100, .depth = 40});
  all.push_back({.rows = 5, .cols = 9, .depth = 7, .batch = 3});
  all.push_back({.rows = 5, .cols = 9, .depth = 7, .batch = 3, .x_row = 11, .x_matrix = 60, .y_row = 10, .y_matrix = 51});
  all.push_back({.rows = 110, .cols = 70, .depth = 300});
  return all;
}

template <class X, class Q, class Rq>
void check_all(uint64_t seed) {
  buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    for (const auto& s : kernel_archs::sample(shapes())) check<Arch, X, Q, Rq>(s, memory, seed++);
  });
}

}  // namespace

TEST_CASE("gemm: u1 weights") { check_all<int8_t, lb::u1, not_at_all>(1); }
TEST_CASE("gemm: 3-bit weights") { check_all<int8_t, lb::q3, not_at_all>(2); }
TEST_CASE("gemm: 4-bit weights, codes") { check_all<int8_t, lb::q4, by_channel<lb::q8, lb::round_single>>(3); }
TEST_CASE("gemm: 5-bit weights") { check_all<int8_t, lb::q5, not_at_all>(4); }
TEST_CASE("gemm: 6-bit weights") { check_all<uint8_t, lb::q6, not_at_all>(5); }

TEST_CASE("gemm: large weights and many rows") {
  buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    const int cols = kernel_archs::is_slow ? 70 : 1041;
    for (const int rows : {16, 103}) check<Arch, int8_t, lb::q4, by_channel<lb::q8, lb::round_single>>({.rows = rows, .cols = cols, .depth = 510}, memory, 77);
  });
}

TEST_CASE("gemm: prepared weights keep their width, and are not taken for those of another") {
  const lb::gemm_shape s{.rows = 1, .cols = 512, .depth = 1024};
  using four = lb::gemm<int8_t, lb::raw_accumulator<int32_t>, lb::q4>;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    if constexpr (lb::kernel::keeps_bits<Arch, lb::packed_view<lb::q4>>()) {
      const four p(s, lb::arch_id_of<Arch>);
      CHECK(p.packed_bytes() == 64 + 2 * 4 * 512 + 512 * 1024 / 2);
      const lb::gemm<int8_t, lb::raw_accumulator<int32_t>, lb::q1> one(s, lb::arch_id_of<Arch>);
      CHECK(one.packed_bytes() == 64 + 2 * 4 * 512 + 512 * 1024 / 8);
    }
  });
  const four p(s);
  const lb::gemm<int8_t, lb::raw_accumulator<int32_t>, lb::u4> other(s);
  guarded::memory memory, work;
  std::vector<uint8_t> w(512 * 1024 / 2, 0x5a);
  auto* packed = memory.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
  REQUIRE(p.pack({w.data(), 512 * 1024}, 0, nullptr, 0, {packed, p.packed_bytes()}) == lb::status::ok);
  std::vector<int8_t> x(1024, 3);
  std::vector<int32_t> y(512);
  std::vector<unsigned char> scratch(p.scratch_bytes() + other.scratch_bytes());
  CHECK(other.run(x.data(), {packed, p.packed_bytes()}, {}, y.data(), scratch) == lb::status::foreign);
  CHECK(p.run(x.data(), {packed, p.packed_bytes()}, {}, y.data(), scratch) == lb::status::ok);
  CHECK(y[511] == 1024 * 3 * (5 - 6) / 2);  // codes 5 and -6
}
