// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Each operation of the builder against the reference function called by hand with parameters made
// by hand: the shapes, scales, clamps and weights must arrive where they belong.

#include "support/kernel_archs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <lowbits/lowbits.hpp>

#include "support/graph_oracle.hpp"
#include "support/op_graphs.hpp"

namespace lb = lowbits;
using namespace op_graphs;
using lowbits_test::fill_random;

namespace {

constexpr auto q8f = lb::qformat::of<lb::q8>();

template <class T>
std::vector<T> random_codes(std::size_t n, std::uint32_t seed) {
  std::vector<T> v(n);
  fill_random(reinterpret_cast<unsigned char*>(v.data()), n * sizeof(T), seed);
  return v;
}

/// The output of a model with one output, portable and prepared for each architecture; all must agree.
template <class Net, class Out = typename Net::template output_type<0>, class... In>
std::vector<Out> run_both(In&... in) {
  alignas(lb::arena_alignment) static unsigned char arena[Net::arena_bytes];
  [[maybe_unused]] alignas(lb::packed_alignment) static unsigned char packed[Net::prepared_bytes];
  std::vector<Out> a(Net::template output_desc<0>.count());
  REQUIRE(Net::run(arena, in..., a) == lb::status::ok);
  kernel_archs::for_each([&]<class Arch>(Arch) {
#if LOWBITS_DISPATCH
    const auto ready = Net::prepare_for(lb::arch_id_of<Arch>, packed);
#else
    const auto ready = Net::prepare(packed);
#endif
    std::vector<Out> b(a.size());
    INFO(std::string(Arch::name));
    REQUIRE(ready.run(arena, in..., b) == lb::status::ok);
    CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(Out)) == 0);
  });
  return a;
}

template <class Out>
void check_equal(const std::vector<Out>& got, const std::vector<Out>& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] != want[i]) {
      FAIL_CHECK("element ", i, ": ", +got[i], " instead of ", +want[i]);
      return;
    }
}

std::vector<lb::fixed_multiplier> factors(float in, std::vector<float> w, float out,
                                          std::size_t n) {
  std::vector<lb::fixed_multiplier> f;
  for (std::size_t i = 0; i < n; ++i)
    f.push_back(lb::fixed_multiplier::from(lb::scale_ratio(in, w[w.size() == 1 ? 0 : i], out)));
  return f;
}
template <class Out, class Rounding = lb::round_single>
auto channels(const std::vector<lb::fixed_multiplier>& f, lb::affine out,
              lb::activation fused = lb::activation::none) {
  return lb::channel_requantizer<Out, Rounding>{
      f.data(), lb::output_stage::of(lb::qformat::of<Out>(), out, fused)};
}

}  // namespace

TEST_CASE("graph ops: conv2d with stride, dilation, uneven padding, per-channel scales, relu6") {
  auto x = random_codes<std::int8_t>(2 * 5 * 6 * 4, 1);
  const lb::conv2d_shape s{2, 5, 6, 4, 3, 6, 6, {3, 2, 2, 1, 1, 2, 1, 0}, 1};
  const auto f = factors(px.scale, {s_six, s_six + 6}, po.scale, 6);
  std::vector<std::int8_t> want(2 * 3 * 6 * 6);
  lb::ref::conv2d<std::int32_t>(s, x.data(), px.zero_point, w_conv.value, 0, b_six,
                                channels<lb::q8>(f, po, lb::activation::relu6), want.data());
  check_equal(run_both<lb::model<make_conv>>(x), want);
}

TEST_CASE("graph ops: grouped conv2d, same padding, gemmlowp rounding") {
  auto x = random_codes<std::int8_t>(2 * 5 * 6 * 4, 2);
  const lb::conv2d_shape s{2, 5, 6, 4, 5, 6, 6, {3, 3, 1, 1, 1, 1, 1, 1}, 2};
  const auto f = factors(px.scale, {.02f}, po.scale, 6);
  std::vector<std::int8_t> want(2 * 5 * 6 * 6);
  lb::ref::conv2d<std::int32_t>(s, x.data(), px.zero_point, w_group.value, 0,
                                static_cast<const std::int32_t*>(nullptr),
                                channels<lb::q8, lb::round_double_gemmlowp>(f, po), want.data());
  check_equal(run_both<lb::model<make_group>>(x), want);
}

TEST_CASE("graph ops: depthwise with a multiplier") {
  auto x = random_codes<std::int8_t>(2 * 5 * 6 * 4, 3);
  const lb::depthwise_shape s{2, 5, 6, 4, 3, 3, 2, {3, 3, 2, 2, 1, 1, 1, 1}};
  const auto f = factors(px.scale, {.02f}, po.scale, 8);
  std::vector<std::int8_t> want(2 * 3 * 3 * 8);
  lb::ref::depthwise<std::int32_t>(s, x.data(), px.zero_point, w_dw.value, 0, b_eight,
                                   channels<lb::q8>(f, po), want.data());
  check_equal(run_both<lb::model<make_depthwise>>(x), want);
}

TEST_CASE("graph ops: transposed conv2d") {
  auto x = random_codes<std::int8_t>(2 * 5 * 6 * 4, 4);
  const lb::conv2d_shape s{2, 5, 6, 4, 9, 12, 5, {2, 3, 2, 2, 1, 1, 0, 1}, 1};
  const auto f = factors(px.scale, {.02f}, po.scale, 5);
  std::vector<std::int8_t> want(2 * 9 * 12 * 5);
  lb::ref::transposed_conv2d<std::int32_t>(s, x.data(), px.zero_point, w_up.value, 0, b_five,
                                           channels<lb::q8>(f, po), want.data());
  check_equal(run_both<lb::model<make_up>>(x), want);
}

TEST_CASE(
    "graph ops: dense from unsigned codes, zero points on both sides, float32 scale product") {
  auto x = random_codes<std::uint8_t>(3 * 60, 5);
  std::vector<lb::fixed_multiplier> f(
      7, lb::fixed_multiplier::from(lb::scale_ratio_float_product(.03f, .02f, po.scale)));
  std::vector<std::int8_t> want(3 * 7);
  lb::ref::conv2d<std::int32_t>(lb::dense_shape(3, 60, 7), x.data(), 120, w_dense.value, 3,
                                static_cast<const std::int32_t*>(nullptr), channels<lb::q8>(f, po),
                                want.data());
  check_equal(run_both<lb::model<make_dense>>(x), want);
}

TEST_CASE("graph ops: int16 activations with int64 bias and TFLite's 16-bit multiplier") {
  auto x = random_codes<std::int16_t>(5 * 6 * 4, 6);
  const lb::conv2d_shape s{1, 5, 6, 4, 3, 5, 6, {3, 2, 1, 1, 1, 1, 0, 0}, 1};
  const auto f = factors(.001f, {s_six, s_six + 6}, .002f, 6);
  std::vector<std::int16_t> want(3 * 5 * 6);
  lb::ref::conv2d<std::int64_t>(s, x.data(), 0, w_conv.value, 0, b_wide,
                                channels<lb::q16, lb::round_tflite_int64>(f, {.002f}), want.data());
  check_equal(run_both<lb::model<make_wide>>(x), want);
}

TEST_CASE("graph ops: batched matmul of two activations, second one transposed") {
  auto x = random_codes<std::int8_t>(30, 7), y = random_codes<std::int8_t>(35, 8);
  const lb::matmul_shape s{{1, 2}, {1, 1}, 3, 5, 7, false, true};
  std::vector<std::int8_t> want(2 * 3 * 7);
  const auto rq = lb::make_requantizer<lb::q8>(px, py, po, lb::activation::relu);
  lb::ref::matmul<std::int32_t>(s, x.data(), px.zero_point, y.data(), py.zero_point, rq,
                                want.data());
  check_equal(run_both<lb::model<make_matmul>>(x, y), want);
}

TEST_CASE("graph ops: element-wise operations, with and without broadcasting") {
  using net = lb::model<make_elementwise>;
  auto x = random_codes<std::int8_t>(60, 9), y = random_codes<std::int8_t>(60, 10),
       z = random_codes<std::int8_t>(5, 11);
  std::array<std::vector<std::int8_t>, 6> got;
  for (auto& v : got) v.resize(60);
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  REQUIRE(net::run(arena, x, y, z, got[0], got[1], got[2], got[3], got[4], got[5]) ==
          lb::status::ok);

  const auto map = [&](const std::vector<std::int8_t>& b, auto op) {
    std::vector<std::int8_t> r(60);
    for (std::size_t i = 0; i < 60; ++i) r[i] = static_cast<std::int8_t>(op(x[i], b[i % b.size()]));
    return r;
  };
  const auto none = lb::activation::none;
  check_equal(got[0], map(y, lb::make_sum(q8f, px, q8f, py, q8f, po, none, false)));
  check_equal(got[1], map(z, lb::make_sum(q8f, px, q8f, py, q8f, po, lb::activation::relu, true)));
  check_equal(got[2], map(y, lb::make_tflite_sum(q8f, px, q8f, py, q8f, po, none, false)));
  check_equal(got[3],
              map(y, lb::make_product<lb::round_double_gemmlowp>(q8f, px, q8f, py, q8f, po, none)));
  check_equal(got[4], map(y, lb::make_extremum(q8f, px, q8f, py, q8f, po, none, false)));
  check_equal(got[5], map(z, lb::make_extremum(q8f, px, q8f, py, q8f, po, none, true)));
}

TEST_CASE("graph ops: pooling and mean") {
  using net = lb::model<make_pools>;
  auto x = random_codes<std::int8_t>(2 * 7 * 6 * 3, 12);
  std::vector<std::int8_t> a(2 * 4 * 3 * 3), b(2 * 4 * 6 * 3), c(2 * 3), wa(a.size()), wb(b.size()),
      wc(c.size());
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  REQUIRE(net::run(arena, x, a, b, c) == lb::status::ok);
  lb::ref::max_pool({2, 7, 6, 3, 4, 3, {3, 3, 2, 2, 1, 1, 1, 1}}, x.data(), {px.zero_point, 127},
                    wa.data());
  lb::ref::average_pool({2, 7, 6, 3, 4, 6, {2, 3, 2, 1, 1, 1, 0, 1}}, x.data(), {-128, 127},
                        wb.data());
  lb::ref::global_mean(2, 42, 3, x.data(), lb::make_mean(q8f, px, q8f, po, 42), wc.data());
  check_equal(a, wa);
  check_equal(b, wb);
  check_equal(c, wc);
}

TEST_CASE("graph ops: floats in and out") {
  std::vector<float> x = {0.f,    .05f,    -.075f, .025f, 1e30f, -1e30f, __builtin_nanf(""),
                          -.025f, 3.14159f};
  const auto got = run_both<lb::model<make_floats>>(x);
  for (std::size_t i = 0; i < 9; ++i) CHECK(got[i] == lb::fake_quantize<lb::q8>(x[i], px));
}

TEST_CASE("graph ops: functions follow their table, moves keep every element") {
  auto x = random_codes<std::int8_t>(24, 13);
  const auto table = lb::make_table(q8f, px, q8f, {1 / 256.f, -128},
                                    [](double v) { return lb::curve::logistic(v); });
  std::vector<std::int8_t> want;
  for (int a = 3; a >= 0; --a)  // channels of the swapped halves, backwards
    for (int b = 0; b < 2; ++b)
      for (int c = 2; c >= 0; --c) {
        const std::size_t channel = static_cast<std::size_t>((a + 2) % 4);
        const std::int8_t code = x[static_cast<std::size_t>(b * 12 + c * 4) + channel];
        want.push_back(static_cast<std::int8_t>(table.value[static_cast<std::uint8_t>(code)]));
      }
  check_equal(run_both<lb::model<make_moves>>(x), want);
}

TEST_CASE("graph ops: constants, given tables, padding with a value") {
  using net = lb::model<make_constants>;
  auto x = random_codes<std::int8_t>(60, 14);
  auto wide = random_codes<std::int16_t>(7, 15);
  std::vector<std::int8_t> sum(60), again(5), padded(4 * 4 * 7), want_sum(60);
  std::vector<std::uint8_t> bytes(60), want_bytes;
  std::vector<std::int16_t> words(7), want_words;
  std::vector<float> reals(5);
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  REQUIRE(net::run(arena, x, wide, sum, again, bytes, words, padded, reals) == lb::status::ok);
  const auto add = lb::make_sum(q8f, px, q8f, py, q8f, po, lb::activation::none, false);
  for (std::size_t i = 0; i < 60; ++i) {
    want_sum[i] = static_cast<std::int8_t>(add(x[i], constant_codes[i % 5]));
    want_bytes.push_back(tables.byte[static_cast<std::uint8_t>(x[i])]);
  }
  for (std::int16_t w : wide)
    want_words.push_back(static_cast<std::int16_t>(
        lb::interpolate(tables.word, w, lb::table_index::of(lb::qformat::of<lb::q16>()))));
  check_equal(sum, want_sum);
  check_equal(again, std::vector<std::int8_t>(constant_codes, constant_codes + 5));
  check_equal(bytes, want_bytes);
  check_equal(words, want_words);
  check_equal(reals, {-0.5f, -1.5f, 0.25f, 3.0f, -0.5f});
  for (std::size_t i = 0; i < padded.size(); ++i) {
    const std::size_t row = i / 28, column = i / 7 % 4, c = i % 7;
    const bool inside = row >= 1 && c < 5;
    CHECK(padded[i] == (inside ? x[(row - 1) * 20 + column * 5 + c] : 100));
  }
  CHECK(net::weight_bytes == 5 + 256 + 513 * 2 + 12);
}

TEST_CASE("graph ops: every operation on floats") {
  using net = lb::model<make_reals>;
  std::vector<float> x(40), y = {.5f, -1.5f};
  for (std::size_t i = 0; i < 40; ++i) x[i] = static_cast<float>((i * 37) % 41) / 8.0f - 2.5f;
  std::vector<float> resized(30), soft(40), mean(2), dense(3), product(16), swish(40);
  std::vector<std::int8_t> codes(80);
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  REQUIRE(net::run(arena, x, y, resized, soft, mean, dense, product, swish, codes) == lb::status::ok);

  const auto at = [&](int h, int w, int c) { return x[static_cast<std::size_t>((h * 5 + w) * 2 + c)]; };
  for (int i = 0; i < 4; ++i)  // matmul: [2][5] times [5][2] of each of four matrices
    for (int r = 0; r < 2; ++r)
      for (int c = 0; c < 2; ++c) {
        double sum = 0;
        for (int k = 0; k < 5; ++k) sum += static_cast<double>(at(i, k, r)) * static_cast<double>(at(i, k, c));
        CHECK(product[static_cast<std::size_t>((i * 2 + r) * 2 + c)] == lb::larger(static_cast<float>(sum), 0.0f));
      }
  for (int o = 0; o < 3; ++o) {  // dense over the maxima of the first column of windows
    double sum = static_cast<double>(real_b[o]);
    for (int k = 0; k < 4; ++k) {
      const int row = k / 2 * 2, c = k % 2;
      float best = 0;
      for (int i = 0; i < 4; ++i) best = lb::larger(best, at(row + i / 2, i % 2, c));
      sum += static_cast<double>(best) * static_cast<double>(real_dw_w[o * 4 + k]);
    }
    CHECK(dense[static_cast<std::size_t>(o)] == static_cast<float>(sum));
  }
  for (std::size_t i = 0; i < 40; ++i) {
    const float sigmoid = static_cast<float>(lb::curve::logistic(static_cast<double>(x[i])));
    CHECK(swish[i] == static_cast<float>(lb::curve::hard_swish(static_cast<double>(sigmoid))));
    CHECK(codes[i / 2 * 4 + i % 2] == lb::quantize<lb::q8>(x[i], px));
  }
  // The image's average windows are 2 x 3, rows 0..1 and so on, the last row alone; columns shifted by one.
  double means[2] = {0, 0};
  for (int h = 0; h < 4; ++h)
    for (int w = 0; w < 5; ++w) {
      float t[2];
      for (int c = 0; c < 2; ++c) {
        double sum = 0;
        int n = 0;
        for (int i = h; i < lb::smaller(h + 2, 4); ++i)
          for (int j = lb::larger(w - 1, 0); j < lb::smaller(w + 2, 5); ++j) sum += static_cast<double>(at(i, j, c)), ++n;
        const float added = lb::clamp(static_cast<float>(sum / n) + y[static_cast<std::size_t>(c)], -1.0f, 1.0f);
        t[c] = (added - at(h, w, c)) * lb::smaller(at(h, w, c), lb::larger(y[static_cast<std::size_t>(c)], at(h, w, c)));
        means[c] += static_cast<double>(t[c]);
      }
      const std::size_t i = static_cast<std::size_t>(h * 5 + w) * 2;
      CHECK(soft[i] + soft[i + 1] == doctest::Approx(1.0));
      CHECK(std::log(soft[i] / soft[i + 1]) == doctest::Approx(0.5f * (t[0] - t[1])).epsilon(1e-5));
    }
  for (std::size_t c = 0; c < 2; ++c) CHECK(mean[c] == static_cast<float>(means[c] / 20));
}

TEST_CASE("graph ops: convolutions of floats are those of ref/") {
  using net = lb::model<make_reals>;
  std::vector<float> x(40), y = {0.f, 0.f}, c(5 * 3 * 3), d(4 * 2 * 3), u(8 * 4 * 2), want(30);
  for (std::size_t i = 0; i < 40; ++i) x[i] = static_cast<float>((i * 29) % 43) / 8.0f - 2.0f;
  lb::ref::real_conv2d({1, 4, 5, 2, 4, 3, 3, {2, 2, 1, 2, 1, 1, 1, 0}, 1}, x.data(), real_conv_w, real_b, {0.f, 6.f}, c.data());
  lb::ref::real_depthwise({1, 4, 3, 3, 3, 2, 1, {2, 2, 1, 1, 1, 1, 0, 0}}, c.data(), real_dw_w, nullptr, {}, d.data());
  lb::ref::real_transposed_conv2d({1, 3, 2, 3, 6, 4, 2, {2, 2, 2, 2, 1, 1, 0, 0}, 1}, d.data(), real_up_w, nullptr, {}, u.data());
  lb::ref::real_resize_bilinear({1, 6, 4, 2, 5, 3, false, true}, u.data(), want.data());
  std::vector<float> resized(30), soft(40), mean(2), dense(3), product(16), swish(40);
  std::vector<std::int8_t> codes(80);
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  REQUIRE(net::run(arena, x, y, resized, soft, mean, dense, product, swish, codes) == lb::status::ok);
  check_equal(resized, want);
  CHECK(net::weight_bytes == (24 + 12 + 24 + 12 + 3 + 3) * 4);
}
