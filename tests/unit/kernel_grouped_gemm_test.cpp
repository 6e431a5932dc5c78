// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Matrix products whose weights have a scale for each group along the depth: the reference's bytes on every
// architecture; what is refused; and the reference against sums in double precision.

#include "support/kernel_archs.hpp"

#include <bit>

#include <lowbits/kernel/grouped_gemm.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

std::vector<float> reals(int n, naive::random_numbers& random) {
  std::vector<float> v;
  for (int i = 0; i < n; ++i) v.push_back(static_cast<float>(random.in(-1000, 1000)) * 1.7e-3f);
  return v;
}

template <class Arch, class X, class Q>
void check(const lb::gemm_shape& s, int group, buffers& memory, naive::random_numbers& random) {
  const auto size = [&](ptrdiff_t matrix, ptrdiff_t row, int cols) {
    return s.batch * s.rows == 0 ? std::size_t{0} : static_cast<std::size_t>((s.batch - 1) * matrix + (s.rows - 1) * row + cols);
  };
  const auto x = codes<X>(size(s.x_matrix_step(), s.x_row_step(), s.depth), random);
  const packed_weights<Q> w(static_cast<std::size_t>(s.cols * s.depth), random);
  const int x_zero = random.in(lb::lowest_of<X>, lb::highest_of<X>), w_zero = zero_point<packed_weights<Q>>(random);
  const auto scales = reals(s.depth / group * s.cols, random), bias = reals(s.cols, random), row_scales = reals(s.batch * s.rows, random);
  const lb::group_scales each{scales.data(), random.in(0, 1) == 0 ? nullptr : bias.data(), random.in(0, 1) == 0 ? nullptr : row_scales.data()};
  std::vector<float> before(size(s.y_matrix_step(), s.y_row_step(), s.cols), 7.5f), expected = before;
  lb::ref::grouped_gemm<int32_t>(s, group, x.data(), x_zero, w.read(memory.w, guarded::place::front), w_zero, each, expected.data());

  const auto numbers = w.read(memory.w, guarded::place::front);
  for (int r = 0; r < s.batch * s.rows; r += 2)
    for (int c = 0; c < s.cols; c += 3) {
      double sum = each.bias != nullptr ? static_cast<double>(bias[static_cast<std::size_t>(c)]) : 0, size_of_all = 1;
      const ptrdiff_t from = r / s.rows * s.x_matrix_step() + r % s.rows * s.x_row_step();
      for (int k = 0; k < s.depth; ++k) {
        const int xk = x[static_cast<std::size_t>(from + k)] - x_zero, wk = numbers[static_cast<std::size_t>(c * s.depth + k)] - w_zero;
        const double scale = static_cast<double>(scales[static_cast<std::size_t>(k / group * s.cols + c)]) * (each.row_scales != nullptr ? static_cast<double>(row_scales[static_cast<std::size_t>(r)]) : 1.0);
        sum += scale * xk * wk;
        size_of_all += scale * xk * wk < 0 ? -scale * xk * wk : scale * xk * wk;
      }
      const double wrong = sum - static_cast<double>(expected[static_cast<std::size_t>(r / s.rows * s.y_matrix_step() + r % s.rows * s.y_row_step() + c)]);
      if (wrong > 1e-5 * size_of_all || wrong < -1e-5 * size_of_all) FAIL_CHECK("the reference is off by ", wrong, " at ", r, ",", c);
    }

  const lb::grouped_gemm<X, Q> p(s, group, lb::arch_id_of<Arch>);
  for (const auto where : guarded::both_places) {
    auto* packed = memory.packed.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
    auto* scratch = memory.scratch.take<unsigned char>(p.scratch_bytes(), where);
    auto* y = memory.y.copy(before, where);
    REQUIRE(p.pack(w.read(memory.w, where), w_zero, x_zero, {packed, p.packed_bytes()}) == lb::status::ok);
    REQUIRE(p.run(memory.x.copy(x, where), {packed, p.packed_bytes()}, each, y, {scratch, p.scratch_bytes()}) == lb::status::ok);
    for (std::size_t i = 0; i < before.size(); ++i)
      if (std::bit_cast<uint32_t>(y[i]) != std::bit_cast<uint32_t>(expected[i])) {
        FAIL_CHECK(std::string(Arch::name), ", ", static_cast<int>(Q::bits), " bits, ", s.rows, "x", s.depth, "x", s.cols, " by ", group, ": element ", i, " is ", y[i], ", not ", expected[i]);
        break;
      }
  }
}

template <class X, class Q>
void check_all(uint64_t seed) {
  buffers memory;
  naive::random_numbers random(seed);
  kernel_archs::for_each([&]<class Arch>(Arch) {
    for (const int rows : {0, 1, 3})
      for (const int cols : {1, 16, 37, 64})
        for (const int depth : {0, 64, 256, 320}) check<Arch, X, Q>({.rows = rows, .cols = cols, .depth = depth}, random.in(0, 1) == 0 ? 32 : 64, memory, random);
    check<Arch, X, Q>({.rows = 2, .cols = 20, .depth = 96, .batch = 2, .x_row = 100, .x_matrix = 250, .y_row = 21, .y_matrix = 50}, 96, memory, random);
    check<Arch, X, Q>({.rows = 1, .cols = 1030, .depth = 256}, 128, memory, random);
  });
}

}  // namespace

TEST_CASE("grouped gemm: 4-bit weights") { check_all<int8_t, lb::q4>(1); }
TEST_CASE("grouped gemm: unsigned 2-bit weights") { check_all<uint8_t, lb::u2>(2); }
TEST_CASE("grouped gemm: 8-bit weights") { check_all<int8_t, lb::q8>(3); }

TEST_CASE("grouped gemm: what does not fit is refused") {
  using product = lb::grouped_gemm<int8_t, lb::q4>;
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, 64).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, 48).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, 0).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = -4, .depth = 96}, 32).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, 32, lb::arch_id_from("no such thing")).error() == lb::status::unsupported);
  const product p({.rows = 1, .cols = 4, .depth = 64}, 32);
  guarded::memory memory;
  auto* packed = memory.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
  std::vector<unsigned char> scratch(p.scratch_bytes());
  const std::vector<uint8_t> w(4 * 64 / 2, 0x11);
  const std::vector<int8_t> x(64, 2);
  const std::vector<float> scales = {1, 2, 3, 4, 10, 20, 30, 40};
  float y[4] = {};
  CHECK(p.pack({w.data(), 4 * 64}, 0, 0, {packed + 1, p.packed_bytes()}) == lb::status::misaligned);
  CHECK(p.pack({w.data(), 4 * 64}, 0, 0, {packed, p.packed_bytes() - 1}) == lb::status::too_small);
  REQUIRE(p.pack({w.data(), 4 * 64}, 0, 0, {packed, p.packed_bytes()}) == lb::status::ok);
  CHECK(product({.rows = 1, .cols = 4, .depth = 64}, 64).run(x.data(), {packed, p.packed_bytes()}, {scales.data()}, y, scratch) == lb::status::foreign);
  CHECK(p.run(x.data(), {packed, p.packed_bytes() - 1}, {scales.data()}, y, scratch) == lb::status::too_small);
  REQUIRE(p.run(x.data(), {packed, p.packed_bytes()}, {scales.data()}, y, scratch) == lb::status::ok);
  for (int c = 0; c < 4; ++c) CHECK(y[c] == 64.0f * 11.0f * static_cast<float>(c + 1));
}
