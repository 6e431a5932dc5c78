// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Convolutions and products of matrices with operands of more than 8 bits, or sums of 64: on every
// architecture the reference's bytes, for codes at the ends of their range, and nothing touched outside the
// buffers.

#include "support/kernel_archs.hpp"

#include <bit>
#include <string>

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/depthwise.hpp>
#include <lowbits/kernel/matmul.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>
#include <lowbits/kernel/transposed_conv2d.hpp>
#include <lowbits/ref/conv2d.hpp>

#include "support/conv_cases.hpp"
#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

template <class Acc>
struct sums {
  using requantizer = lb::raw_accumulator<Acc>;
  sums(int, int, naive::random_numbers&) {}
  requantizer get(guarded::memory&, guarded::place) const { return {}; }
};
struct reals {
  using requantizer = lb::float_output;
  std::vector<float> scales, bias;
  reals(int channels, int, naive::random_numbers& random) {
    for (int c = 0; c < channels; ++c) scales.push_back(static_cast<float>(random.in(1, 999)) * 1e-5f), bias.push_back(static_cast<float>(random.in(-9, 9)));
  }
  requantizer get(guarded::memory&, guarded::place) const { return {.scales = scales.data(), .bias = bias.data()}; }
};

/// Factors of all sizes, so that sums of up to 40 bits become codes within their range.
template <class Rounding>
typename Rounding::multiplier some_factor(naive::random_numbers& random) {
  if (random.in(0, 30) == 0) return {};
  double spread = static_cast<double>(random.in(500, 1000)) * 1e-3;
  for (int k = random.in(random.in(0, 3) == 0 ? -20 : 4, 24); k != 0; k += k > 0 ? -1 : 1) spread *= k > 0 ? 0.5 : 2.0;
  return Rounding::multiplier::from(lb::real::from(spread));
}
template <class Out, class Rounding>
struct each_channel {
  using requantizer = lb::channel_requantizer<Out, Rounding>;
  std::vector<typename Rounding::multiplier> factors;
  lb::output_stage out;
  each_channel(int channels, int, naive::random_numbers& random) : out(stage(lb::qformat::of<Out>(), random)) {
    for (int c = 0; c < channels; ++c) factors.push_back(some_factor<Rounding>(random));
  }
  requantizer get(guarded::memory& m, guarded::place where) const { return {m.copy(factors, where), out}; }
};
template <class Out, class Rounding>
struct one_factor {
  using requantizer = lb::requantizer<Out, Rounding>;
  requantizer rq;
  one_factor(int, int, naive::random_numbers& random) : rq{some_factor<Rounding>(random), stage(lb::qformat::of<Out>(), random)} {}
  requantizer get(guarded::memory&, guarded::place) const { return rq; }
};

template <class T>
int64_t bits(T v) {
  if constexpr (std::is_same_v<T, float>) return std::bit_cast<int32_t>(v);
  else return v;
}
template <class T>
std::string differing(const T* got, const std::vector<T>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (bits(got[i]) != bits(expected[i]))
      return "element " + std::to_string(i) + " of " + std::to_string(expected.size()) + " is " + std::to_string(got[i]) + ", not " + std::to_string(expected[i]);
  return "";
}

/// Random codes, or the lowest one everywhere: what makes the largest sums.
template <class T>
std::vector<T> operand(std::size_t n, bool extreme, naive::random_numbers& random) {
  return extreme ? std::vector<T>(n, lb::lowest_of<T>) : codes<T>(n, random);
}

std::size_t count(int a, int b, int c, int d) { return static_cast<std::size_t>(a * b) * static_cast<std::size_t>(c * d); }

// ---- convolutions
template <bool Transposed, class Arch, class X, class Weights, class Acc, class Rq>
void check_conv(const lb::conv2d_shape& s, buffers& memory, uint64_t seed) {
  using reader_type = typename Weights::reader;
  using requantizer = typename Rq::requantizer;
  using kernel = std::conditional_t<Transposed, lb::kernel::transposed_conv2d<Arch, X, reader_type, Acc, requantizer>,
                                    lb::kernel::conv2d<Arch, X, reader_type, Acc, requantizer>>;
  naive::random_numbers random(seed);
  const auto x = operand<X>(count(s.batch, s.in_h, s.in_w, s.in_c), random.in(0, 7) == 0, random);
  const Weights w(count(s.out_c, s.window.kernel_h, s.window.kernel_w, s.group_in()), random);
  std::vector<Acc> bias;
  for (int c = 0; c < s.out_c; ++c) bias.push_back(sizeof(Acc) == 8 ? static_cast<Acc>(int64_t{random.in(-1'000'000'000, 1'000'000'000)} << random.in(0, 10)) : Acc{random.in(-5000, 5000)});
  const Rq rq(s.out_c, s.depth(), random);
  const int x_zero = random.in(0, 1) == 0 ? 0 : random.in(lb::lowest_of<X>, lb::highest_of<X>), w_zero = zero_point<Weights>(random);
  const bool has_bias = random.in(0, 3) != 0;
  std::vector<typename kernel::Y> expected(count(s.batch, s.out_h, s.out_w, s.out_c));
  const auto reference = [&](const auto&... arguments) {
    if constexpr (Transposed) lb::ref::transposed_conv2d<Acc>(arguments...);
    else lb::ref::conv2d<Acc>(arguments...);
  };
  reference(s, x.data(), x_zero, w.read(memory.w, guarded::place::front), w_zero, has_bias ? bias.data() : static_cast<const Acc*>(nullptr),
            rq.get(memory.factors, guarded::place::front), expected.data());
  for (const auto where : guarded::both_places) {
    const auto at = w.read(memory.w, where);
    const Acc* b = has_bias ? memory.bias.copy(bias, where) : nullptr;
    auto* packed = memory.packed.take<unsigned char>(kernel::packed_bytes(s), where);
    auto* scratch = memory.scratch.take<unsigned char>(kernel::scratch_bytes(s), where);
    auto* y = memory.y.take<typename kernel::Y>(expected.size(), where);
    const X* input = memory.x.copy(x, where);
    kernel::pack(s, at, b, x_zero, packed);
    kernel::run(s, input, x_zero, at, w_zero, b, kernel::packed_bytes(s) != 0 ? packed : nullptr, rq.get(memory.factors, where), y, scratch);
    const std::string wrong = differing(y, expected);
    if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " ", conv_cases::text(s), " at the ", where == guarded::place::front ? "front: " : "back: ", wrong);
  }
}

std::vector<lb::conv2d_shape> conv_shapes() {
  auto all = conv_cases::edges();
  for (const auto& s : conv_cases::drawn(40, 5)) all.push_back(s);
  for (int rows : {1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 25})
    for (int depth : {1, 2, 3, 17}) all.push_back(lb::dense_shape(rows, depth, 33));
  for (int out : {1, 7, 8, 9, 15, 16, 17, 31, 32, 47, 48, 49, 63, 64, 65})
    for (int depth : {2, 5}) all.push_back(lb::dense_shape(13, depth, out));
  // Where sums go to 64 bits on their way.
  for (int depth : {255, 256, 257, 258, 509, 510, 511, 512, 513, 1021, 1030})
    for (int rows : {1, 2, 7}) all.push_back(lb::dense_shape(rows, depth, 19));
  all.push_back(lb::dense_shape(100, 700, 40));
  all.push_back({.in_h = 9, .in_w = 9, .in_c = 34, .out_h = 5, .out_w = 5, .out_c = 66,
                 .window = {.kernel_h = 3, .kernel_w = 3, .dilation_h = 2, .dilation_w = 2}, .groups = 2});
  return all;
}

template <class X, class Weights, class Acc, class Rq, bool Transposed = false>
void check_convs(uint64_t seed) {
  static buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    const auto shapes = kernel_archs::sample(conv_shapes());
    for (const auto& s : shapes) check_conv<Transposed, Arch, X, Weights, Acc, Rq>(s, memory, seed++);
    CHECK((lb::kernel::conv2d<Arch, X, typename Weights::reader, Acc, typename Rq::requantizer>::packed_bytes(lb::dense_shape(1, 2, 3)) != 0) ==
          lb::has_prim<lb::prims::gemm_words, Arch>);
  });
}

// ---- depthwise convolutions
std::vector<lb::depthwise_shape> depthwise_shapes() {
  std::vector<lb::depthwise_shape> all;
  for (const auto& some : {conv_cases::edges(), conv_cases::drawn(30, 9)})
    for (const auto& s : some) all.push_back({s.batch, s.in_h, s.in_w, s.in_c, s.out_h, s.out_w, 1, s.window});
  for (int channels : {1, 2, 5, 6, 9, 10, 15, 16, 17, 31, 32, 33, 50})
    for (int stride : {1, 2}) {
      const int pad = channels % 2;
      all.push_back({.in_h = 4, .in_w = 13, .in_c = channels, .out_h = 2 + pad, .out_w = (12 + 2 * pad - 2) / stride, .window = {3, 3, 1, stride, 1, 1, pad, pad}});
    }
  all.push_back({.in_h = 3, .in_w = 150, .in_c = 18, .out_h = 1, .out_w = 150, .window = {3, 3, 1, 1, 1, 1, 0, 1}});
  all.push_back({.in_h = 25, .in_w = 26, .in_c = 17, .out_h = 3, .out_w = 4, .window = {23, 23, 1, 1, 1, 1, 0, 0}});  // many taps
  for (const auto& [channels, multiplier] : {std::pair{7, 2}, {1, 1}, {1, 8}, {3, 5}, {1, 33}, {17, 3}})
    for (const auto& w : {lb::window2d{3, 3, 1, 1, 1, 1, 1, 1}, {2, 4, 3, 2, 1, 1, 0, 1}, {3, 2, 2, 1, 3, 2, 4, 2}, {1, 1, 2, 2, 1, 1, 0, 0}})
      all.push_back({.batch = 2, .in_h = 7, .in_w = 6, .in_c = channels, .out_h = 5, .out_w = 5, .multiplier = multiplier, .window = w});
  return all;
}
template <class X, class Weights, class Acc, class Rq>
void check_depthwise(uint64_t seed) {
  static buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    using kernel = lb::kernel::depthwise<Arch, X, typename Weights::reader, Acc, typename Rq::requantizer>;
    const auto shapes = depthwise_shapes();
    for (const auto& s : shapes) {
      naive::random_numbers random(seed++);
      const auto x = operand<X>(count(s.batch, s.in_h, s.in_w, s.in_c), random.in(0, 7) == 0, random);
      const Weights w(count(s.window.kernel_h, s.window.kernel_w, s.in_c, s.multiplier), random);
      std::vector<Acc> bias;
      for (int c = 0; c < s.out_c(); ++c) bias.push_back(random.in(-1'000'000, 1'000'000));
      const Rq rq(s.out_c(), s.window.taps(), random);
      const int x_zero = random.in(0, 1) == 0 ? 0 : random.in(lb::lowest_of<X>, lb::highest_of<X>);
      const int w_zero = sizeof(Acc) == 8 ? zero_point<Weights>(random) : 0;
      std::vector<typename kernel::Y> expected(count(s.batch, s.out_h, s.out_w, s.out_c()));
      lb::ref::depthwise<Acc>(s, x.data(), x_zero, w.read(memory.w, guarded::place::front), w_zero, bias.data(), rq.get(memory.factors, guarded::place::front), expected.data());
      for (const auto where : guarded::both_places) {
        const auto at = w.read(memory.w, where);
        const Acc* b = memory.bias.copy(bias, where);
        auto* packed = memory.packed.take<unsigned char>(kernel::packed_bytes(s), where);
        auto* y = memory.y.take<typename kernel::Y>(expected.size(), where);
        kernel::pack(s, at, b, x_zero, packed);
        kernel::run(s, memory.x.copy(x, where), x_zero, at, w_zero, b, kernel::packed_bytes(s) != 0 ? packed : nullptr, rq.get(memory.factors, where), y,
                    memory.scratch.take<unsigned char>(kernel::scratch_bytes(s), where));
        const std::string wrong = differing(y, expected);
        if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " ", s.in_h, "x", s.in_w, "x", s.in_c, " ", conv_cases::text(s.window), ": ", wrong);
      }
    }
    for (const int multiplier : {1, 2})
      CHECK((kernel::packed_bytes({.in_c = 3, .multiplier = multiplier, .window = {3, 3}}) != 0) == lb::has_prim<lb::prims::depthwise_words, Arch>);
  });
}

// ---- products for direct use: strides, batches, residuals, parts
template <class Arch, class X, class W, class Rq>
void check_gemm(const lb::gemm_shape& s, buffers& memory, uint64_t seed) {
  using product = lb::gemm<X, typename Rq::requantizer, W>;
  using Y = typename product::Y;
  using Acc = std::conditional_t<std::is_same_v<Y, int32_t>, int32_t, int64_t>;
  naive::random_numbers random(seed);
  const auto extent = [&](int rows, int cols, ptrdiff_t matrix, ptrdiff_t row) {
    return s.batch == 0 || rows == 0 || cols == 0 ? std::size_t{0} : static_cast<std::size_t>((s.batch - 1) * matrix + (rows - 1) * row + cols);
  };
  const auto x = operand<X>(extent(s.rows, s.depth, s.x_matrix_step(), s.x_row_step()), random.in(0, 7) == 0, random);
  const auto w = operand<W>(static_cast<std::size_t>(s.cols) * static_cast<std::size_t>(s.depth), random.in(0, 7) == 0, random);
  std::vector<int64_t> bias;
  for (int c = 0; c < s.cols; ++c) bias.push_back(random.in(-5000, 5000));
  const Rq rq(s.cols, s.depth, random);
  const int x_zero = random.in(0, 1) == 0 ? 0 : random.in(lb::lowest_of<X>, lb::highest_of<X>);
  const int w_zero = random.in(0, 1) == 0 ? 0 : random.in(lb::lowest_of<W>, lb::highest_of<W>);
  std::vector<Y> before(extent(s.rows, s.cols, s.y_matrix_step(), s.y_row_step()));
  for (auto& v : before) v = static_cast<Y>(random.in(-100, 100));
  lb::residual<Y> added;
  if constexpr (sizeof(Y) == 2)
    added = {before.data(), lb::make_sum(lb::qformat::of<lb::q16>(), {.scale = 0.1f, .zero_point = 3}, lb::qformat::of<lb::q16>(),
                                         {.scale = 0.17f, .zero_point = -5}, lb::qformat::of<lb::q16>(), {.scale = 0.2f})};
  auto expected = before;
  lb::ref::gemm<Acc>(s, x.data(), x_zero, w.data(), w_zero, bias.data(), rq.get(memory.factors, guarded::place::front), expected.data(), added);
  const product p(s, lb::arch_id_of<Arch>);
  for (const auto where : guarded::both_places)
    for (const int parts : {1, 3}) {
      auto* packed = memory.packed.take<unsigned char>((p.packed_bytes() + 63) / 64 * 64, guarded::place::front);
      auto* scratch = memory.scratch.take<unsigned char>(p.scratch_bytes(parts), where);
      auto* y = memory.y.copy(before, where);
      REQUIRE(p.pack(memory.w.copy(w, where), w_zero, memory.bias.copy(bias, where), x_zero, {packed, p.packed_bytes()}) == lb::status::ok);
      REQUIRE(p.run(memory.x.copy(x, where), {packed, p.packed_bytes()}, rq.get(memory.factors, where), y, {scratch, p.scratch_bytes(parts)},
                    added, lb::in_turn{}, parts) == lb::status::ok);
      const std::string wrong = differing(y, expected);
      if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " ", s.batch, " x ", s.rows, "x", s.depth, " * ", s.cols, ", parts ", parts, ": ", wrong);
    }
}
template <class X, class W, class Rq>
void check_gemms(uint64_t seed) {
  static buffers memory;
  std::vector<lb::gemm_shape> shapes;
  for (const int rows : {0, 1, 2, 12, 13})
    for (const int cols : {0, 1, 16, 33, 70})
      for (const int depth : {0, 1, 63, 64}) shapes.push_back({.rows = rows, .cols = cols, .depth = depth});
  shapes.push_back({.rows = 5, .cols = 9, .depth = 7, .batch = 3, .x_row = 11, .x_matrix = 60, .y_row = 10, .y_matrix = 51});
  shapes.push_back({.rows = 1, .cols = 500, .depth = 40});
  shapes.push_back({.rows = 60, .cols = 35, .depth = 512});
  kernel_archs::for_each([&]<class Arch>(Arch) {
    for (const auto& s : kernel_archs::sample(shapes)) check_gemm<Arch, X, W, Rq>(s, memory, seed++);
  });
}

// ---- products of two activations
template <class X, class W, class Acc, class Rq>
void check_matmuls(uint64_t seed) {
  static buffers memory;
  std::vector<lb::matmul_shape> shapes;
  for (int i = 0; i < 4; ++i) {
    const bool xt = (i & 1) != 0, wt = (i & 2) != 0;
    for (int rows : {0, 1, 7, 13})
      for (int depth : {0, 1, 3, 65})
        for (int cols : {0, 1, 9, 33}) shapes.push_back({.rows = rows, .depth = depth, .cols = cols, .x_transposed = xt, .w_transposed = wt});
    shapes.push_back({{2, 1}, {1, 3}, 5, 7, 9, xt, wt});
    shapes.push_back({{2, 3}, {1, 1}, 5, 7, 9, xt, wt});
    shapes.push_back({.rows = 30, .depth = 600, .cols = 40, .x_transposed = xt, .w_transposed = wt});
  }
  kernel_archs::for_each([&]<class Arch>(Arch) {
    using kernel = lb::kernel::matmul<Arch, X, W, Acc, typename Rq::requantizer>;
    for (const auto& s : kernel_archs::sample(shapes)) {
      naive::random_numbers random(seed++);
      const auto x = operand<X>(count(s.x_batch[0], s.x_batch[1], s.rows, s.depth), random.in(0, 7) == 0, random);
      const auto w = operand<W>(count(s.w_batch[0], s.w_batch[1], s.depth, s.cols), random.in(0, 7) == 0, random);
      const Rq rq(s.cols, s.depth, random);
      const int x_zero = random.in(lb::lowest_of<X>, lb::highest_of<X>), w_zero = random.in(0, 1) == 0 ? 0 : random.in(lb::lowest_of<W>, lb::highest_of<W>);
      std::vector<typename kernel::Y> expected(count(s.batch(0), s.batch(1), s.rows, s.cols));
      lb::ref::matmul<Acc>(s, x.data(), x_zero, w.data(), w_zero, rq.get(memory.factors, guarded::place::front), expected.data());
      for (const auto where : guarded::both_places) {
        auto* y = memory.y.take<typename kernel::Y>(expected.size(), where);
        kernel::run(s, memory.x.copy(x, where), x_zero, memory.w.copy(w, where), w_zero, rq.get(memory.factors, where), y,
                    memory.scratch.take<unsigned char>(kernel::scratch_bytes(s), where));
        const std::string wrong = differing(y, expected);
        if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " ", s.rows, "x", s.depth, s.x_transposed ? "t" : "", " * ", s.cols, s.w_transposed ? "t: " : ": ", wrong);
      }
    }
  });
}

}  // namespace

TEST_CASE("words: conv2d s16, s8 weights, rounded as TFLite's") {
  check_convs<int16_t, plain_weights, int64_t, each_channel<lb::q16, lb::round_tflite_int64>>(1000);
}
TEST_CASE("words: conv2d s16, s16 weights, one factor, bytes out") {
  check_convs<int16_t, element_weights<int16_t>, int64_t, one_factor<lb::q8, lb::round_single>>(2000);
}
TEST_CASE("words: conv2d u16, 12-bit weights, accumulators") {
  check_convs<uint16_t, packed_weights<lb::q12>, int64_t, sums<int64_t>>(3000);
}
TEST_CASE("words: conv2d s16, 4-bit weights, sums of 32 bits, float policy") {
  check_convs<int16_t, packed_weights<lb::q4>, int32_t, each_channel<lb::q16, lb::round_even_float>>(4000);
}
TEST_CASE("words: conv2d u8, unsigned 16-bit weights, u16 out") {
  check_convs<uint8_t, packed_weights<lb::u16>, int64_t, each_channel<lb::u16, lb::round_single>>(5000);
}
TEST_CASE("words: conv2d s8, s8 weights, 64-bit sums") { check_convs<int8_t, plain_weights, int64_t, each_channel<lb::u8, lb::round_tflite_int64>>(6000); }
TEST_CASE("words: conv2d s16, s8 weights, real numbers") { check_convs<int16_t, plain_weights, int64_t, reals>(7000); }
TEST_CASE("words: transposed_conv2d s16, s16 weights") {
  check_convs<int16_t, element_weights<int16_t>, int64_t, each_channel<lb::q16, lb::round_tflite_int64>, true>(8000);
}

TEST_CASE("words: gemm s16 s16, sums of 64 bits") { check_gemms<int16_t, int16_t, sums<int64_t>>(9000); }
TEST_CASE("words: gemm s16 s8, rounded as TFLite's, residual") { check_gemms<int16_t, int8_t, each_channel<lb::q16, lb::round_tflite_int64>>(9500); }
TEST_CASE("words: gemm u8 u16, real numbers") { check_gemms<uint8_t, uint16_t, reals>(10000); }

TEST_CASE("words: matmul s16 * s16, rounded as TFLite's") { check_matmuls<int16_t, int16_t, int64_t, one_factor<lb::q16, lb::round_tflite_int64>>(11000); }
TEST_CASE("words: matmul s8 * u16, accumulators") { check_matmuls<int8_t, uint16_t, int64_t, sums<int64_t>>(12000); }
TEST_CASE("words: matmul s16 * u8, codes") { check_matmuls<int16_t, uint8_t, int64_t, each_channel<lb::q8, lb::round_single>>(13000); }

TEST_CASE("words: depthwise s16, s8 weights, rounded as TFLite's") {
  check_depthwise<int16_t, plain_weights, int64_t, each_channel<lb::q16, lb::round_tflite_int64>>(14000);
}
TEST_CASE("words: depthwise s16, s16 weights, accumulators") { check_depthwise<int16_t, element_weights<int16_t>, int64_t, sums<int64_t>>(15000); }
TEST_CASE("words: depthwise s16, 6-bit weights, sums of 32 bits, bytes out") {
  check_depthwise<int16_t, packed_weights<lb::q6>, int32_t, one_factor<lb::q8, lb::round_single>>(16000);
}
TEST_CASE("words: depthwise u16, unsigned 16-bit weights, accumulators") { check_depthwise<uint16_t, element_weights<uint16_t>, int64_t, sums<int64_t>>(17000); }
TEST_CASE("words: depthwise u8, 12-bit weights, codes") { check_depthwise<uint8_t, packed_weights<lb::q12>, int64_t, each_channel<lb::u8, lb::round_single>>(18000); }
TEST_CASE("words: depthwise s16, unsigned 8-bit weights") { check_depthwise<int16_t, element_weights<uint8_t>, int64_t, one_factor<lb::q16, lb::round_tflite_int64>>(19000); }
