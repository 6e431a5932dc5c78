// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Error compensation on every architecture: products of parts by the kernels for bytes give the bytes of
// the definition, which for `exact` is the product of the 16-bit codes; nothing outside the buffers is
// touched.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/kernel/compensated_gemm.hpp>

#include "support/layer_check.hpp"

namespace {

using namespace kernel_operands;
using how = lb::error_compensation;

/// All products as 64-bit numbers.
struct sums {
  using requantizer = lb::raw_accumulator<int64_t>;
  sums(int, int, naive::random_numbers&) {}
  requantizer get(guarded::memory&, guarded::place) const { return {}; }
};

template <bool IsSpread, how How, class X, class W, class Bias, class Rq, class Y>
void define(const lb::conv2d_shape& s, const X* x, int x_zero, W w, int w_zero, const Bias* bias, const Rq& rq, Y* y) {
  if constexpr (How == how::three_products && IsSpread) lb::ref::three_product_transposed_conv2d(s, x, x_zero, w, w_zero, bias, rq, y);
  else if constexpr (How == how::three_products) lb::ref::three_product_conv2d(s, x, x_zero, w, w_zero, bias, rq, y);
  else if constexpr (IsSpread) lb::ref::transposed_conv2d<int64_t>(s, x, x_zero, w, w_zero, bias, rq, y);
  else lb::ref::conv2d<int64_t>(s, x, x_zero, w, w_zero, bias, rq, y);
}

std::vector<lb::conv2d_shape> all_shapes() {
  std::vector<lb::conv2d_shape> all;
  for (const auto& some : {conv_cases::edges(), conv_cases::drawn(24, 5)}) all.insert(all.end(), some.begin(), some.end());
  for (int rows : {0, 1, 2, 7, 13})
    for (int depth : {1, 4, 17, 64, 65}) all.push_back(lb::dense_shape(rows, depth, 33));
  for (int out : {1, 15, 16, 17, 47, 64, 65}) all.push_back(lb::dense_shape(5, 31, out));
  all.push_back(lb::dense_shape(300, 40, 130));  // several blocks of rows
  all.push_back({.batch = 2, .in_h = 40, .in_w = 20, .in_c = 5, .out_h = 20, .out_w = 20, .out_c = 130,  // of lines
                 .window = {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .pad_top = 1, .pad_left = 1}});
  all.push_back({.in_h = 17, .in_w = 9, .in_c = 3, .out_h = 33, .out_w = 18, .out_c = 70,
                 .window = {.kernel_h = 2, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1}});
  return all;
}

template <bool IsSpread, how How, class X, class Weights, class Rq>
void check_all(uint64_t first_seed) {
  check_on_archs(all_shapes(), first_seed, []<class Arch>(Arch, const lb::conv2d_shape& s, buffers& memory, uint64_t seed) {
    using acc = lb::kernel::compensated_sum<How>;
    using R = typename Weights::reader;
    using kernel = std::conditional_t<IsSpread, lb::kernel::transposed_conv2d_for<Arch, X, R, acc, typename Rq::requantizer>,
                                      lb::kernel::conv2d_for<Arch, X, R, acc, typename Rq::requantizer>>;
    naive::random_numbers random(seed);
    const layer_operands<X, Weights, int64_t, Rq> operands(s, random);
    return check_layer<kernel>(s, count(s.batch, s.out_h, s.out_w, s.out_c), conv_cases::text(s), operands, memory,
                               [](const auto&... a) { define<IsSpread, How>(a...); });
  });
}

template <class Arch, how How, class X, class W, class Rq>
int check_matmul(const lb::matmul_shape& s, buffers& memory, uint64_t seed) {
  using kernel = lb::kernel::matmul_for<Arch, X, W, lb::kernel::compensated_sum<How>, typename Rq::requantizer>;
  naive::random_numbers random(seed);
  const auto x = codes<X>(count(s.x_batch[0], s.x_batch[1], s.rows, s.depth), random);
  const auto w = codes<W>(count(s.w_batch[0], s.w_batch[1], s.depth, s.cols), random);
  const Rq rq(s.cols, s.depth, random);
  const int x_zero = some_zero<X>(random), w_zero = some_zero<W>(random);
  const auto factors = rq.get(memory.factors, guarded::place::front);
  std::vector<typename kernel::Y> expected(count(s.batch(0), s.batch(1), s.rows, s.cols));
  if constexpr (How == how::three_products) lb::ref::three_product_matmul(s, x.data(), x_zero, w.data(), w_zero, factors, expected.data());
  else lb::ref::matmul<int64_t>(s, x.data(), x_zero, w.data(), w_zero, factors, expected.data());
  for (const auto where : guarded::both_places) {
    INFO(s.rows, "x", s.depth, " * ", s.cols, ", arch ", std::string(Arch::name));
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

template <how How, class X, class W, class Rq>
void check_products(uint64_t seed) {
  std::vector<lb::matmul_shape> all;
  for (int i = 0; i < 4; ++i) {
    const bool xt = (i & 1) != 0, wt = (i & 2) != 0;
    for (int rows : {0, 1, 7})
      for (int depth : {0, 1, 4, 17})
        for (int cols : {0, 1, 16, 33}) all.push_back({.rows = rows, .depth = depth, .cols = cols, .x_transposed = xt, .w_transposed = wt});
    all.push_back({{2, 3}, {2, 3}, 5, 7, 9, xt, wt});
    all.push_back({{1, 3}, {2, 1}, 5, 7, 9, xt, wt});
    all.push_back({{2, 3}, {1, 1}, 5, 70, 19, xt, wt});
  }
  check_on_archs(all, seed, []<class Arch>(Arch, const lb::matmul_shape& s, buffers& memory, uint64_t one) {
    return check_matmul<Arch, How, X, W, Rq>(s, memory, one);
  });
}

using words = element_weights<int16_t>;

}  // namespace

TEST_CASE("compensated conv2d: four products, sums") { check_all<false, how::exact, int16_t, words, sums>(1); }
TEST_CASE("compensated conv2d: three products, rounded once") {
  check_all<false, how::three_products, int16_t, words, by_channel<lb::q16, lb::round_single>>(2);
}
TEST_CASE("compensated conv2d: words * bytes") {
  check_all<false, how::exact, int16_t, plain_weights, by_channel<lb::q16, lb::round_single>>(3);
}
TEST_CASE("compensated conv2d: unsigned bytes * packed words, 8-bit output") {
  check_all<false, how::exact, uint8_t, packed_weights<lb::q11>, by_tensor<lb::q8, lb::round_single>>(4);
}
TEST_CASE("compensated conv2d: words * unsigned packed words, three products") {
  check_all<false, how::three_products, int16_t, packed_weights<lb::u16>, sums>(5);
}
TEST_CASE("compensated transposed_conv2d: unsigned words, three products") {
  check_all<true, how::three_products, uint16_t, words, sums>(7);
}

TEST_CASE("compensated matmul: four products") { check_products<how::exact, int16_t, int16_t, sums>(1); }
TEST_CASE("compensated matmul: three products") {
  check_products<how::three_products, int16_t, uint16_t, by_tensor<lb::q16, lb::round_single>>(2);
}
TEST_CASE("compensated matmul: words * unsigned bytes") { check_products<how::exact, int16_t, uint8_t, sums>(3); }

TEST_CASE("compensated conv2d: the deepest sums, all at the ends of their ranges") {
  guarded::memory packed_weights(1 << 23), work(1 << 23);
  kernel_archs::for_each([&]<class Arch>(Arch) {
    if (kernel_archs::is_slow) return;
    const int depth = 32768;
    const lb::conv2d_shape s = lb::dense_shape(2, depth, 3);
    using kernel = lb::kernel::conv2d_for<Arch, int16_t, const int16_t*, lb::kernel::compensated_sum<how::exact>, sums::requantizer>;
    for (int ends = 0; ends < 4; ++ends) {
      const auto low = lb::lowest_of<int16_t>, high = lb::highest_of<int16_t>;
      const std::vector<int16_t> x(static_cast<std::size_t>(2 * depth), (ends & 1) != 0 ? high : low),
          w(static_cast<std::size_t>(3 * depth), (ends & 2) != 0 ? high : low);
      for (int x_zero : {0, static_cast<int>(low), static_cast<int>(high)}) {
        const int w_zero = (ends & 2) != 0 ? low : high;
        std::vector<int64_t> expected(6), y(6);
        const int64_t* no_bias = nullptr;
        lb::ref::conv2d<int64_t>(s, x.data(), x_zero, w.data(), w_zero, no_bias, sums::requantizer{}, expected.data());
        auto* packed = packed_weights.take<unsigned char>(kernel::packed_bytes(s), guarded::place::front);
        auto* scratch = work.take<unsigned char>(kernel::scratch_bytes(s), guarded::place::front);
        kernel::pack(s, w.data(), no_bias, x_zero, packed);
        kernel::run(s, x.data(), x_zero, w.data(), w_zero, no_bias, kernel::packed_bytes(s) != 0 ? packed : nullptr,
                    sums::requantizer{}, y.data(), scratch);
        CHECK(y == expected);
      }
    }
  });
}

namespace {

template <class X, class W, how How>
void check_gemm() {
  using rq = sums::requantizer;
  buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    for (const auto& [rows, cols, depth] : {std::array{0, 3, 4}, std::array{1, 1, 1}, std::array{5, 17, 33}, std::array{3, 40, 0}}) {
      naive::random_numbers random(7);
      const auto x = codes<X>(count(rows, depth, 1, 1), random);
      const auto w = codes<W>(count(cols, depth, 1, 1), random);
      const auto bias = conv_cases::fill_bias(cols, random);
      std::vector<int64_t> expected(count(rows, cols, 1, 1));
      define<false, How>(lb::dense_shape(rows, depth, cols), x.data(), 0, w.data(), 0, bias.data(), rq{}, expected.data());
      const lb::compensated_gemm<X, W, rq, How> product(rows, cols, depth, lb::arch_id_of<Arch>);
      REQUIRE(product.error() == lb::status::ok);
      const auto bytes = product.packed_bytes();
      std::span<unsigned char> packed{memory.packed.take<unsigned char>(bytes, guarded::place::front), bytes};
      std::span<unsigned char> scratch{memory.scratch.take<unsigned char>(product.scratch_bytes(), guarded::place::back), product.scratch_bytes()};
      REQUIRE(product.pack(memory.w.copy(w, guarded::place::back), bias.data(), packed) == lb::status::ok);
      auto* y = memory.y.take<int64_t>(expected.size(), guarded::place::back);
      REQUIRE(product.run(memory.x.copy(x, guarded::place::back), packed, rq{}, y, scratch) == lb::status::ok);
      const std::string wrong = difference(y, expected);
      if (!wrong.empty()) FAIL_CHECK(wrong);

      CHECK(product.pack(w.data(), nullptr, packed.first(bytes - 1)) == lb::status::too_small);
      CHECK(product.run(x.data(), packed.subspan(1), rq{}, y, scratch) == lb::status::misaligned);
      CHECK(product.run(x.data(), packed.first(8), rq{}, y, scratch) == lb::status::too_small);
      ++packed[20];
      CHECK(product.run(x.data(), packed, rq{}, y, scratch) == lb::status::foreign);
    }
  });
  using product = lb::compensated_gemm<X, W, rq, How>;
  CHECK(product(1, 1, 32768).error() == lb::status::ok);
  CHECK(product(1, 1, 32769).error() == lb::status::bad_value);
  CHECK(product(-1, 1, 1).error() == lb::status::bad_value);
}

}  // namespace

TEST_CASE("compensated_gemm: three products, and two") {
  check_gemm<int16_t, int16_t, how::three_products>();
  check_gemm<int16_t, int8_t, how::exact>();
}
