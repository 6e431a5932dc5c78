// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// As kernel_grouped_gemm_test with groups so long that sums of codes times a power of two would not fit in 32 bits: extreme codes,
// single rows and the last of five.

#include "support/grouped_cases.hpp"

#include <string>

namespace lb = lowbits;

namespace {

using namespace kernel_operands;

template <class Q, class Factor>
void check_long(int group) {
  using Rq = std::conditional_t<std::is_same_v<Factor, uint8_t>, lb::raw_accumulator<int32_t>, lb::float_output>;
  using Y = typename Rq::output::storage;
  constexpr std::size_t cols = 2;
  const int depth = group + 45;
  naive::random_numbers random(Q::bits);
  const auto n = static_cast<std::size_t>(depth);
  packed_weights<Q> w(cols * n, random);
  const lb::packed_span<Q> weights(w.bytes.data(), w.count);
  for (std::size_t k = 0; k < n; ++k) weights[k] = Q::highest, weights[n + k] = Q::lowest;
  const std::vector<Factor> each = grouped_cases::factors<Factor>(static_cast<int>(2 * cols), random);
  const lb::packed_view<Q> numbers{w.bytes.data(), w.count};
  constexpr std::size_t rows = 5, last = 4;
  auto x = codes<int8_t>(rows * n, random);
  for (std::size_t k = 0; k < n; ++k) x[k] = -128, x[last * n + k] = 127;
  const lb::group_format format{.group = group, .x_zero = Q::bits % 3, .w_zero = 0, .shift = 0};
  const lb::gemm_shape all{.rows = rows, .cols = cols, .depth = depth}, one{.rows = 1, .cols = cols, .depth = depth};
  std::vector<Y> expected(rows * cols), y(expected.size()), single(cols);
  lb::ref::grouped_gemm(all, x.data(), format.x_zero, numbers, 0, lb::group_factors<Factor>{each.data(), group}, nullptr, Rq{}, expected.data());
  guarded::memory memory(1 << 23);
  kernel_archs::for_each([&]<class Arch>(Arch) {
    if constexpr (!lb::has_prim<lb::prims::gemm_groups, lb::arch_for<Arch, lb::prims::gemm_groups>>) return;  // the reference
    using product = lb::grouped_gemm<int8_t, Q, Factor, Rq>;
    const product p(all, format, lb::arch_id_of<Arch>), of_one(one, format, lb::arch_id_of<Arch>);
    auto* packed = memory.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
    std::vector<unsigned char> scratch(p.scratch_bytes());
    const auto what = [&] { return std::string(Arch::name) + ", " + std::to_string(static_cast<int>(Q::bits)) + " bits, "; };
    REQUIRE(p.pack(numbers, each.data(), nullptr, {packed, p.packed_bytes()}) == lb::status::ok);
    REQUIRE(p.run(x.data(), {packed, p.packed_bytes()}, {}, y.data(), scratch) == lb::status::ok);
    const std::string wrong = difference(y.data(), expected);
    if (!wrong.empty()) FAIL_CHECK(what(), rows, " rows: ", wrong);
    for (const std::size_t r : {std::size_t{0}, last}) {
      const auto first = expected.begin() + static_cast<ptrdiff_t>(r * cols);
      REQUIRE(of_one.run(x.data() + r * n, {packed, p.packed_bytes()}, {}, single.data(), scratch) == lb::status::ok);
      const std::string wrong_one = difference(single.data(), std::vector<Y>(first, first + cols));
      if (!wrong_one.empty()) FAIL_CHECK(what(), "row ", r, " by itself: ", wrong_one);
    }
  });
}

}  // namespace

TEST_CASE("grouped gemm: long groups, 1 to 4 bits") {
  check_long<lb::q1, float>(307'232);
  check_long<lb::q2, uint8_t>(307'232);
  check_long<lb::q3, float>(307'232);
  check_long<lb::q4, uint8_t>(307'232);
}
TEST_CASE("grouped gemm: long groups, 5 to 8 bits") {
  check_long<lb::q5, float>(307'232);
  check_long<lb::q6, uint8_t>(307'232);
  check_long<lb::q7, float>(530'432);
  check_long<lb::q8, uint8_t>(307'232);
}
