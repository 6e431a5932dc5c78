// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Products of one and two rows with weights of few bits so deep that kernels take their sums in parts: extreme codes.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/kernel/prepared_gemm.hpp>
#include <lowbits/kernel/trit_gemm.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

/// weights(depth, random): three columns, the highest weights, the lowest, any.
template <class Q, class Weights>
void check_deep(int deepest, uint64_t seed, Weights&& weights) {
  constexpr int cols = 3;
  naive::random_numbers random(seed);
  guarded::memory memory(1 << 23);
  for (const int depth : {65537, deepest}) {
    const auto w = weights(depth, random);
    for (const int rows : {1, 2}) {
      auto x = codes<int8_t>(static_cast<std::size_t>(rows * depth), random);
      for (int k = 0; k < depth; ++k) x[static_cast<std::size_t>(k)] = rows == 1 ? -128 : 127;
      const lb::gemm_shape s{.rows = rows, .cols = cols, .depth = depth};
      const int32_t bias[cols] = {1, -2, 3};
      const int x_zero = 5 - 5 * rows;
      std::vector<int32_t> expected(static_cast<std::size_t>(rows * cols)), y(expected.size());
      lb::ref::gemm<int32_t>(s, x.data(), x_zero, w, 0, bias, lb::raw_accumulator<int32_t>{}, expected.data());
      kernel_archs::for_each([&]<class Arch>(Arch) {
        const lb::gemm<int8_t, lb::raw_accumulator<int32_t>, Q> p(s, lb::arch_id_of<Arch>);
        auto* packed = memory.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
        std::vector<unsigned char> scratch(p.scratch_bytes());
        REQUIRE(p.pack(w, 0, bias, x_zero, {packed, p.packed_bytes()}) == lb::status::ok);
        REQUIRE(p.run(x.data(), {packed, p.packed_bytes()}, {}, y.data(), scratch) == lb::status::ok);
        const std::string wrong = difference(y.data(), expected);
        if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), ", ", rows, "x", depth, ", seed ", seed, ": ", wrong);
      });
    }
  }
}

template <class Q>
void check_bits(int deepest) {
  std::vector<uint8_t> bytes;
  check_deep<Q>(deepest, Q::bits, [&](int depth, naive::random_numbers& random) {
    packed_weights<Q> w(static_cast<std::size_t>(3 * depth), random);
    bytes = w.bytes;
    const lb::packed_span<Q> span(bytes.data(), w.count);
    const auto n = static_cast<std::size_t>(depth);
    for (std::size_t k = 0; k < n; ++k) span[k] = Q::highest, span[n + k] = Q::lowest;
    return lb::packed_view<Q>{bytes.data(), w.count};
  });
}

}  // namespace

TEST_CASE("gemm: great depths, 1 to 4 bits") {
  check_bits<lb::q1>(327'681);
  check_bits<lb::q2>(360'001);
  check_bits<lb::q3>(327'681);
  check_bits<lb::q4>(327'681);
}
TEST_CASE("gemm: great depths, 5 to 7 bits") {
  check_bits<lb::q5>(327'681);
  check_bits<lb::q6>(327'681);
  check_bits<lb::q7>(250'001);  // deeper sums are more than 32 bits hold
}
TEST_CASE("gemm: great depths, trits") {
  std::vector<uint8_t> bytes;
  check_deep<lb::trits>(655'401, 11, [&](int depth, naive::random_numbers& random) {
    const auto n = static_cast<std::size_t>(depth);
    std::vector<int> values(3 * n);
    for (std::size_t k = 0; k < n; ++k) values[k] = 1, values[n + k] = -1, values[2 * n + k] = random.in(-1, 1);
    bytes.resize(lb::trit_bytes(3 * n));
    lb::pack_trits(values, 3 * n, bytes.data());
    return lb::trit_view{bytes.data(), 3 * n};
  });
}
