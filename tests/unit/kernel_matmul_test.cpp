// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Products of activation matrices on every architecture give the reference's bytes, and touch nothing
// outside their buffers.

#include "support/kernel_archs.hpp"

#include <sstream>
#include <string>

#include <lowbits/kernel/matmul.hpp>
#include <lowbits/ref/matmul.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

std::string text(const lb::matmul_shape& s) {
  std::ostringstream out;
  out << "[" << s.x_batch[0] << "," << s.x_batch[1] << "]x[" << s.w_batch[0] << "," << s.w_batch[1] << "] " << s.rows
      << "x" << s.depth << (s.x_transposed ? "t" : "") << " * " << s.cols << (s.w_transposed ? "t" : "");
  return out.str();
}

template <class Arch, class X, class W, class Rq>
int check(const lb::matmul_shape& s, buffers& memory, uint64_t seed) {
  using kernel = lb::kernel::matmul<Arch, X, W, int32_t, typename Rq::requantizer>;
  naive::random_numbers random(seed);
  const auto count = [](int a, int b, int c, int d) { return static_cast<std::size_t>(a * b) * static_cast<std::size_t>(c * d); };
  const auto x = codes<X>(count(s.x_batch[0], s.x_batch[1], s.rows, s.depth), random);
  const auto w = codes<W>(count(s.w_batch[0], s.w_batch[1], s.depth, s.cols), random);
  const Rq rq(s.cols, s.depth, random);
  const int x_zero = random.in(lb::lowest_of<X>, lb::highest_of<X>);
  const int w_zero = random.in(0, 2) == 0 ? (lb::lowest_of<W> == 0 ? 128 : 0) : random.in(lb::lowest_of<W>, lb::highest_of<W>);

  std::vector<typename kernel::Y> expected(count(s.batch(0), s.batch(1), s.rows, s.cols));
  lb::ref::matmul<int32_t>(s, x.data(), x_zero, w.data(), w_zero, rq.get(memory.factors, guarded::place::front), expected.data());
  for (const auto where : guarded::both_places) {
    INFO("shape ", text(s), ", arch ", std::string(Arch::name), ", at the ", where == guarded::place::front ? "front" : "back");
    const auto* a = memory.x.copy(x, where);
    const auto* b = memory.w.copy(w, where);
    auto* y = memory.y.take<typename kernel::Y>(expected.size(), where);
    auto* scratch = memory.scratch.take<unsigned char>(kernel::scratch_bytes(s), where);
    kernel::run(s, a, x_zero, b, w_zero, rq.get(memory.factors, where), y, scratch);
    const std::string wrong = difference(y, expected);
    if (!wrong.empty()) FAIL_CHECK(wrong);
  }
  return 2;
}

std::vector<lb::matmul_shape> all_shapes() {
  std::vector<lb::matmul_shape> all;
  for (int i = 0; i < 4; ++i) {
    const bool xt = (i & 1) != 0, wt = (i & 2) != 0;
    for (int rows : {0, 1, 2, 7, 13})
      for (int depth : {0, 1, 3, 4, 17, 65})
        for (int cols : {0, 1, 5, 9, 16, 33}) all.push_back({.rows = rows, .depth = depth, .cols = cols, .x_transposed = xt, .w_transposed = wt});
    all.push_back({{2, 3}, {2, 3}, 5, 7, 9, xt, wt});
    all.push_back({{1, 3}, {2, 3}, 5, 7, 9, xt, wt});
    all.push_back({{2, 3}, {1, 1}, 5, 7, 9, xt, wt});
    all.push_back({{2, 1}, {1, 3}, 5, 7, 9, xt, wt});
    all.push_back({.rows = 150, .depth = 300, .cols = 20, .x_transposed = xt, .w_transposed = wt});
    all.push_back({.rows = 19, .depth = 700, .cols = 66, .x_transposed = xt, .w_transposed = wt});
  }
  return all;
}

template <class X, class W, class Rq>
void check_all(uint64_t seed) {
  buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    const auto shapes = kernel_archs::sample(all_shapes());
    int ran = 0;
    for (std::size_t i = 0; i < shapes.size(); ++i) ran += check<Arch, X, W, Rq>(shapes[i], memory, seed + i);
    MESSAGE(std::string(Arch::name), ": ", ran, " comparisons");
    CHECK(ran == 2 * static_cast<int>(shapes.size()));
  });
}

}  // namespace

TEST_CASE("matmul: s8 * s8, rounded once") { check_all<int8_t, int8_t, by_tensor<lb::q8, lb::round_single>>(1); }
TEST_CASE("matmul: u8 * u8, rounded twice") { check_all<uint8_t, uint8_t, by_tensor<lb::u8, lb::round_double_gemmlowp>>(2); }
TEST_CASE("matmul: s8 * u8, accumulators") { check_all<int8_t, uint8_t, not_at_all>(3); }
TEST_CASE("matmul: u8 * s8, factors per column, float policy") {
  check_all<uint8_t, int8_t, by_channel<lb::q8, lb::round_away_float>>(4);
}
