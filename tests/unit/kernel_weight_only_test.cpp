// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Products of floats and weights of 1 to 16 bits: the reference's bits on every architecture; infinities and NaN; what is
// refused; and the reference against sums in double precision.

#include "support/kernel_archs.hpp"

#include <bit>
#include <cmath>
#include <string>

#include <lowbits/kernel/weight_only_gemm.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

struct buffers {
  guarded::memory x, w, packed, scratch, y;
};

std::vector<float> reals(std::size_t n, naive::random_numbers& random) {
  std::vector<float> v;
  for (std::size_t i = 0; i < n; ++i) v.push_back(static_cast<float>(random.in(-100'000, 100'000)) * 1.7e-5f);
  return v;
}
uint32_t bits_of(float x) { return std::isnan(x) ? 0x7fc0'0000u : std::bit_cast<uint32_t>(x); }

/// An operand's numbers, and which of the forms of weight_only_scales they are in.
struct meaning {
  std::vector<float> scales, bias;
  std::vector<int32_t> zeros;

  template <class Q>
  meaning(const lb::gemm_shape& s, int group, naive::random_numbers& random, const Q*) {
    const auto all = static_cast<std::size_t>(lb::weight_only_groups(s, group) * s.cols);
    scales = reals(random.in(0, 5) == 0 ? 1 : all, random);
    bias = reals(static_cast<std::size_t>(s.cols), random);
    const int form = random.in(0, 3);
    zeros.resize(form == 0 ? 0 : form == 1 ? 1 : all);
    for (auto& z : zeros) z = random.in(Q::lowest, Q::highest);
  }
  lb::weight_only_scales read(bool has_bias) const { return {scales, zeros, has_bias ? bias.data() : nullptr}; }
};

std::size_t extent(const lb::gemm_shape& s, ptrdiff_t matrix, ptrdiff_t row, int cols) {
  return s.batch * s.rows == 0 ? 0 : static_cast<std::size_t>((s.batch - 1) * matrix + (s.rows - 1) * row + cols);
}

template <class Q>
void check_reference(const lb::gemm_shape& s, int group, const std::vector<float>& x, const lb::packed_view<Q>& w,
                     const lb::weight_only_scales& of, const std::vector<float>& y) {
  for (int r = 0; r < s.batch * s.rows; r += 2)
    for (int c = 0; c < s.cols; c += 3) {
      double sum = of.bias != nullptr ? static_cast<double>(of.bias[c]) : 0, size = std::fabs(sum);
      const ptrdiff_t from = r / s.rows * s.x_matrix_step() + r % s.rows * s.x_row_step();
      for (int k = 0; k < s.depth; ++k) {
        const ptrdiff_t at = ptrdiff_t{k / lb::weight_only_group(s, group)} * s.cols + c;
        const double one = static_cast<double>(x[static_cast<std::size_t>(from + k)]) * (w[static_cast<std::size_t>(c * s.depth + k)] - of.zero(at)) *
                           static_cast<double>(of.scale(at));
        sum += one;
        size += std::fabs(one);
      }
      const float got = y[static_cast<std::size_t>(r / s.rows * s.y_matrix_step() + r % s.rows * s.y_row_step() + c)];
      if (std::fabs(sum - static_cast<double>(got)) > 2e-6 * size + 1e-30) FAIL_CHECK("the reference gives ", got, ", not ", sum, " at ", r, ",", c);
    }
}

template <class Q>
void check(lb::arch_id arch, const lb::gemm_shape& s, int group, buffers& memory, naive::random_numbers& random, bool special = false) {
  auto x = reals(extent(s, s.x_matrix_step(), s.x_row_step(), s.depth), random);
  if (special)
    for (auto& one : x) {
      constexpr float all[] = {__builtin_inff(), -__builtin_inff(), __builtin_nanf(""), -0.0f, 3e38f, -3e38f, 1e-40f};
      if (random.in(0, 40) == 0) one = all[random.in(0, 6)];
    }
  const packed_weights<Q> w(static_cast<std::size_t>(s.cols * s.depth), random);
  const meaning numbers(s, group, random, static_cast<const Q*>(nullptr));
  const auto of = numbers.read(random.in(0, 1) == 0);
  std::vector<float> before(extent(s, s.y_matrix_step(), s.y_row_step(), s.cols), 7.5f), expected = before;
  lb::ref::weight_only_gemm(s, group, x.data(), w.read(memory.w, guarded::place::front), of, expected.data());
  if (!special) check_reference<Q>(s, group, x, w.read(memory.w, guarded::place::front), of, expected);

  const lb::weight_only_gemm<Q> p(s, {.group = group, .zero_each = of.zeros.size() != 1}, arch);
  REQUIRE(p.error() == lb::status::ok);
  for (const auto where : guarded::both_places) {
    auto* packed = memory.packed.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
    const int parts = random.in(1, 3);
    auto* scratch = memory.scratch.take<unsigned char>(p.scratch_bytes(parts), where);
    auto* y = memory.y.copy(before, where);
    REQUIRE(p.pack(w.read(memory.w, where), of, {packed, p.packed_bytes()}) == lb::status::ok);
    REQUIRE(p.run(memory.x.copy(x, where), {packed, p.packed_bytes()}, y, {scratch, p.scratch_bytes(parts)}, lb::in_turn{}, parts) == lb::status::ok);
    for (std::size_t i = 0; i < before.size(); ++i)
      if (bits_of(y[i]) != bits_of(expected[i])) {
        FAIL_CHECK(std::string(lb::arch_name(arch)), ", ", static_cast<int>(Q::bits), " bits, ", s.rows, "x", s.depth, "x", s.cols, " by ", group, ": element ", i, " is ", y[i], ", not ", expected[i]);
        break;
      }
  }
}

template <class... Qs>
void check_all(uint64_t seed) {
  buffers memory;
  naive::random_numbers random(seed);
  std::vector<lb::arch_id> archs;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    if (!kernel_archs::is_slow) archs.push_back(lb::arch_id_of<Arch>);  // the slow ones have no instructions of their own
  });
  for (const lb::arch_id arch : archs) {
    const auto one = [&]<class Q>(const Q*) {
      for (const int rows : {0, 1, 2, 3, 4, 5, 13})
        for (const int cols : {1, 8, 37, 64})
          for (const int depth : {0, 1, 31, 32, 97})
            check<Q>(arch, {.rows = rows, .cols = cols, .depth = depth}, random.in(0, 1) == 0 ? 0 : 32, memory, random);
      check<Q>(arch, {.rows = 1, .cols = 16, .depth = 601}, 0, memory, random);
      check<Q>(arch, {.rows = 7, .cols = 70, .depth = 640}, 320, memory, random);
      check<Q>(arch, {.rows = 125, .cols = 3, .depth = 40}, 0, memory, random);
      check<Q>(arch, {.rows = 2, .cols = 20, .depth = 96, .batch = 3, .x_row = 100, .x_matrix = 250, .y_row = 21, .y_matrix = 50}, 64, memory, random);
      check<Q>(arch, {.rows = 1, .cols = 64, .depth = 64, .batch = 5}, 0, memory, random);
      for (const int rows : {1, 3, 9}) check<Q>(arch, {.rows = rows, .cols = 50, .depth = 300}, 64, memory, random, true);
    };
    (one(static_cast<const Qs*>(nullptr)), ...);
  }
}

}  // namespace

TEST_CASE("weight-only gemm: 1 to 4 bits") { check_all<lb::u1, lb::q1, lb::q2, lb::q3, lb::q4, lb::u4>(1); }
TEST_CASE("weight-only gemm: 5 to 8 bits") { check_all<lb::q5, lb::q6, lb::q7, lb::q8, lb::u8>(2); }
TEST_CASE("weight-only gemm: 9 to 16 bits") { check_all<lb::q9, lb::q10, lb::q11, lb::q12, lb::q13, lb::q14, lb::q15, lb::q16, lb::u16>(3); }

TEST_CASE("weight-only gemm: what does not fit is refused") {
  using product = lb::weight_only_gemm<lb::q4>;
  using lb::status;
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, {.group = 48}).error() == status::bad_value);
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, {.group = -32}).error() == status::bad_value);
  CHECK(product({.rows = 1, .cols = -4, .depth = 96}).error() == status::bad_value);
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, {}, lb::arch_id_from("no such thing")).error() == status::unsupported);
  const product p({.rows = 1, .cols = 4, .depth = 64}, {.group = 32});
  guarded::memory memory;
  auto* at = memory.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
  const std::span<unsigned char> packed(at, p.packed_bytes());
  std::vector<unsigned char> scratch(p.scratch_bytes());
  const std::vector<uint8_t> bytes(4 * 64 / 2, 0x11);
  const lb::packed_view<lb::q4> w(bytes.data(), 4 * 64);
  const std::vector<float> x(64, 2.0f), scales = {1, 2, 3, 4, 10, 20, 30, 40}, unending(8, __builtin_inff());
  const std::vector<int32_t> zero = {1 << 16}, large = {70'000}, zeros(8, 1);
  float y[4] = {};
  CHECK(p.pack(w, {scales}, {at + 1, packed.size()}) == status::misaligned);
  CHECK(p.pack(w, {scales}, packed.first(packed.size() - 1)) == status::too_small);
  CHECK(p.pack({bytes.data(), 4 * 63}, {scales}, packed) == status::bad_value);
  CHECK(p.pack(w, {std::span(scales).first(4)}, packed) == status::bad_value);
  CHECK(p.pack(w, {unending}, packed) == status::bad_value);
  CHECK(p.pack(w, {scales, large}, packed) == status::bad_value);
  CHECK(p.pack(w, {scales, zeros}, packed) == status::bad_value);  // zero_each was not asked for
  CHECK(p.pack(w, {scales, zero}, packed) == status::ok);
  REQUIRE(p.pack(w, {scales}, packed) == status::ok);
  CHECK(product({.rows = 1, .cols = 4, .depth = 64}).run(x.data(), packed, y, scratch) == status::foreign);
  CHECK(lb::weight_only_gemm<lb::u4>({.rows = 1, .cols = 4, .depth = 64}, {.group = 32}).run(x.data(), packed, y, scratch) == status::foreign);
  CHECK(p.run(x.data(), packed.first(packed.size() - 1), y, scratch) == status::too_small);
  CHECK(p.run(x.data(), packed, y, std::span(scratch).first(scratch.size() - 1)) == status::too_small);
  CHECK(p.run(x.data(), packed, y, scratch, lb::in_turn{}, 0) == status::bad_value);
  REQUIRE(p.run(x.data(), packed, y, scratch) == status::ok);
  for (int c = 0; c < 4; ++c) CHECK(y[c] == 64.0f * 11.0f * static_cast<float>(c + 1));
}
