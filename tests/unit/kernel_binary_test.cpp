// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Products of signs: the reference against products of numbers, and the kernels against the reference, for all depths up
// to 130, with bits behind the last one that must not count, strides, and every kind of output.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/kernel/binary_conv2d.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

/// Rows of random bits; also those behind the last one, and between the rows, are random.
std::vector<uint8_t> bit_rows(int rows, ptrdiff_t step, ptrdiff_t last, naive::random_numbers& random) {
  std::vector<uint8_t> v(rows == 0 ? 0 : static_cast<std::size_t>((rows - 1) * step + last));
  for (auto& b : v) b = static_cast<uint8_t>(random.in(0, 255));
  return v;
}
/// The signs themselves.
struct signs {
  using requantizer = lb::sign_bits;
  std::vector<int32_t> thresholds;
  bool has_thresholds;
  signs(int channels, int depth, naive::random_numbers& random) : has_thresholds(random.in(0, 3) != 0) {
    for (int c = 0; c < channels; ++c) thresholds.push_back(random.in(-depth, depth));
  }
  requantizer get(guarded::memory& m, guarded::place where) const { return {has_thresholds ? m.copy(thresholds, where) : nullptr}; }
};

template <class Arch, class Rq>
void check(const lb::binary_shape& s, buffers& memory, naive::random_numbers& random) {
  using product = lb::binary_gemm<typename Rq::requantizer>;
  using Y = typename product::Y;
  constexpr bool is_bits = lb::gives_bits<typename Rq::requantizer>;
  const auto x = bit_rows(s.rows, s.x_row_step(), s.depth_bytes(), random), w = bit_rows(s.cols, s.w_row_step(), s.depth_bytes(), random);
  std::vector<int32_t> bias;
  for (int c = 0; c < s.cols; ++c) bias.push_back(random.in(-50, 50));
  const bool has_bias = random.in(0, 2) != 0;
  const Rq rq(s.cols, s.depth, random);
  const int in_row = is_bits ? (s.cols + 7) / 8 : s.cols;
  const std::vector<Y> before(s.rows == 0 ? 0 : static_cast<std::size_t>((s.rows - 1) * s.y_row_step(is_bits) + in_row), Y(77));
  auto expected = before;
  lb::ref::binary_gemm(s, x.data(), w.data(), has_bias ? bias.data() : nullptr, rq.get(memory.factors, guarded::place::front), expected.data());
  const product p(s, lb::arch_id_of<Arch>);
  for (const auto where : guarded::both_places) {
    auto* packed = memory.packed.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
    auto* scratch = memory.scratch.take<unsigned char>(p.scratch_bytes(), where);
    auto* y = memory.y.copy(before, where);
    REQUIRE(p.pack(memory.w.copy(w, where), has_bias ? memory.bias.copy(bias, where) : nullptr, {packed, p.packed_bytes()}) == lb::status::ok);
    REQUIRE(p.run(memory.x.copy(x, where), {packed, p.packed_bytes()}, rq.get(memory.factors, where), y, {scratch, p.scratch_bytes()}) == lb::status::ok);
    const std::string wrong = difference(y, expected);
    if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), ", ", s.rows, "x", s.depth, "x", s.cols, ": ", wrong);
  }
}

template <class Rq>
void check_all(uint64_t seed) {
  std::vector<lb::binary_shape> all;
  for (int depth = 0; depth <= 130; ++depth) all.push_back({.rows = 1 + depth % 5, .cols = 1 + depth % 37, .depth = depth});
  for (const int rows : {0, 1, 2, 3, 4, 5, 33, 67})
    for (const int cols : {0, 1, 15, 16, 17, 63, 64, 65, 131})
      for (const int depth : {1, 64, 509, 512, 1031}) all.push_back({.rows = rows, .cols = cols, .depth = depth});
  all.push_back({.rows = 3, .cols = 20, .depth = 77, .x_row = 13, .w_row = 11, .y_row = 23});
  all.push_back({.rows = 3, .cols = 7, .depth = 20'001});
  buffers memory;
  naive::random_numbers random(seed);
  kernel_archs::for_each([&]<class Arch>(Arch) {
    for (const auto& s : kernel_archs::sample(all)) check<Arch, Rq>(s, memory, random);
  });
}

template <class Arch, class Rq>
void check_conv(const lb::binary_conv2d_shape& s, buffers& memory, naive::random_numbers& random) {
  using conv = lb::binary_conv2d<typename Rq::requantizer>;
  using Y = typename conv::Y;
  REQUIRE(s.is_valid());
  const lb::binary_shape p = s.product();
  const auto x = bit_rows(s.conv.batch * s.conv.in_h * s.conv.in_w, s.conv.in_c / 8, s.conv.in_c / 8, random), w = bit_rows(p.cols, p.depth_bytes(), p.depth_bytes(), random);
  const Rq rq(p.cols, p.depth, random);
  const std::vector<Y> before(static_cast<std::size_t>(p.rows * p.y_row_step(lb::gives_bits<typename Rq::requantizer>)), Y(77));
  auto expected = before;
  lb::ref::binary_conv2d(s, x.data(), w.data(), static_cast<const int32_t*>(nullptr), rq.get(memory.factors, guarded::place::front), expected.data());
  const conv c(s, lb::arch_id_of<Arch>);
  for (const auto where : guarded::both_places) {
    auto* packed = memory.packed.take<unsigned char>(lb::round_up(c.packed_bytes(), std::size_t{64}), guarded::place::front);
    auto* scratch = memory.scratch.take<unsigned char>(c.scratch_bytes(), where);
    auto* y = memory.y.copy(before, where);
    REQUIRE(c.pack(memory.w.copy(w, where), nullptr, {packed, c.packed_bytes()}) == lb::status::ok);
    REQUIRE(c.run(memory.x.copy(x, where), {packed, c.packed_bytes()}, rq.get(memory.factors, where), y, {scratch, c.scratch_bytes()}) == lb::status::ok);
    const std::string wrong = difference(y, expected);
    if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), ", ", s.conv.in_h, "x", s.conv.in_w, "x", s.conv.in_c, ": ", wrong);
  }
}

constexpr uint8_t three[] = {0b0110'0101, 0b1}, other[] = {0b0101'0101, 0b0};
static_assert(lb::ref::binary_sum(three, other, 8) == 8 - 2 * 2 && lb::ref::binary_sum(three, other, 9) == 9 - 2 * 3);
static_assert(lb::ref::binary_sum(three, three, 9) == 9 && lb::ref::binary_sum(three, other, 0) == 0);

}  // namespace

TEST_CASE("binary gemm: the reference is the product of numbers") {
  naive::random_numbers random(3);
  for (int depth = 0; depth <= 130; ++depth) {
    const auto n = static_cast<std::size_t>(depth);
    const packed_weights<lb::q1> x(n, random), w(n, random);
    int sum = 0;
    for (std::size_t k = 0; k < n; ++k) sum += lb::packed_view<lb::q1>(x.bytes.data(), n)[k] * lb::packed_view<lb::q1>(w.bytes.data(), n)[k];
    CHECK(lb::ref::binary_sum(x.bytes.data(), w.bytes.data(), depth) == sum);
  }
}
TEST_CASE("binary gemm: sums") { check_all<not_at_all>(1); }
TEST_CASE("binary gemm: signs") { check_all<signs>(2); }
TEST_CASE("binary gemm: codes by channel") { check_all<by_channel<lb::q8, lb::round_single>>(3); }

TEST_CASE("binary convolution") {
  buffers memory;
  naive::random_numbers random(6);
  std::vector<lb::binary_conv2d_shape> all;
  const auto add = [&](int batch, int h, int w, int in_c, int out_c, const lb::window2d& t, int pad_end) {
    const auto extent = [&](int in, int pad, int reach, int stride) { return in + pad + pad_end < reach ? 0 : (in + pad + pad_end - reach) / stride + 1; };
    all.push_back({{.batch = batch, .in_h = h, .in_w = w, .in_c = in_c, .out_h = extent(h, t.pad_top, t.reach_h(), t.stride_h),
                    .out_w = extent(w, t.pad_left, t.reach_w(), t.stride_w), .out_c = out_c, .window = t}, all.size() % 2 == 1});
  };
  for (const int in_c : {8, 16, 40, 64})
    for (const int stride : {1, 2})
      for (const int pad : {0, 1, 3}) add(1 + in_c % 3, 7, 9, in_c, 19, {.kernel_h = 3, .kernel_w = 3, .stride_h = stride, .stride_w = stride, .pad_top = pad, .pad_left = pad}, pad);
  add(2, 6, 5, 24, 17, {.kernel_h = 2, .kernel_w = 3, .dilation_h = 2, .dilation_w = 2, .pad_left = 1}, 2);
  add(1, 5, 5, 8, 3, {}, 0);
  add(0, 5, 5, 8, 3, {}, 0);
  add(1, 2, 2, 8, 3, {.kernel_h = 3, .kernel_w = 3}, 0);
  kernel_archs::for_each([&]<class Arch>(Arch) {
    for (const auto& s : kernel_archs::sample(all)) {
      check_conv<Arch, not_at_all>(s, memory, random);
      check_conv<Arch, signs>(s, memory, random);
    }
  });
  using conv = lb::binary_conv2d<lb::sign_bits>;
  CHECK(conv({{.in_c = 12, .out_c = 4}}).error() == lb::status::bad_value);
  CHECK(conv({{.in_c = 16, .out_c = 4, .groups = 2}}).error() == lb::status::bad_value);
  CHECK(conv({{.batch = 1 << 20, .in_c = 8, .out_h = 1 << 10, .out_w = 2, .out_c = 4}}).error() == lb::status::bad_value);
  CHECK(conv({{.in_c = 8, .out_c = 4, .window = {.kernel_h = 0}}}).error() == lb::status::bad_value);
  CHECK(conv({{.in_c = 1 << 20, .out_c = 4, .window = {.kernel_h = 100, .kernel_w = 100}}}).error() == lb::status::bad_value);
}

TEST_CASE("binary gemm: floats") {
  const lb::binary_shape s{.rows = 2, .cols = 19, .depth = 45};
  naive::random_numbers random(4);
  const auto x = bit_rows(2, 6, 6, random), w = bit_rows(19, 6, 6, random);
  std::vector<float> scales, y(38), expected(38);
  for (int c = 0; c < 19; ++c) scales.push_back(0.1f * static_cast<float>(c + 1));
  const lb::float_output out{.scales = scales.data()};
  lb::ref::binary_gemm(s, x.data(), w.data(), static_cast<const int32_t*>(nullptr), out, expected.data());
  kernel_archs::for_each([&]<class Arch>(Arch) {
    const lb::binary_gemm<lb::float_output> p(s, lb::arch_id_of<Arch>);
    alignas(64) unsigned char packed[4096];
    std::vector<unsigned char> scratch(p.scratch_bytes());
    REQUIRE(p.pack(w.data(), nullptr, packed) == lb::status::ok);
    REQUIRE(p.run(x.data(), packed, out, y.data(), scratch) == lb::status::ok);
    CHECK(y == expected);
  });
}

TEST_CASE("binary gemm: what does not fit is refused") {
  using product = lb::binary_gemm<lb::raw_accumulator<int32_t>>;
  CHECK(product({.rows = 1, .cols = -1, .depth = 8}).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = 8, .depth = (1 << 30) + 1}).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = 8, .depth = 8}, lb::arch_id_from("no such thing")).error() == lb::status::unsupported);
  const product p({.rows = 1, .cols = 8, .depth = 8}), longer({.rows = 1, .cols = 8, .depth = 16});
  alignas(64) unsigned char packed[1024] = {};
  const uint8_t w[16] = {}, x[2] = {};
  int32_t y[8];
  std::vector<unsigned char> scratch(longer.scratch_bytes());
  CHECK(p.pack(w, nullptr, {packed + 1, 512}) == lb::status::misaligned);
  CHECK(p.pack(w, nullptr, {packed, p.packed_bytes() - 1}) == lb::status::too_small);
  REQUIRE(p.pack(w, nullptr, packed) == lb::status::ok);
  CHECK(longer.run(x, packed, {}, y, scratch) == lb::status::foreign);
  CHECK(p.run(x, {packed, p.packed_bytes() - 1}, {}, y, scratch) == lb::status::too_small);
  CHECK(p.run(x, packed, {}, y, {}) == lb::status::too_small);
  CHECK(p.run(x, packed, {}, y, scratch) == lb::status::ok);
  CHECK(y[7] == 8);
}
