// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// 32-bit codes in graphs: layers that give their sums against ref/, portable and prepared, and what takes
// such codes; and all that is refused because of them.

#include "support/kernel_archs.hpp"

#include <cstring>
#include <string>
#include <vector>

#include <lowbits/lowbits.hpp>

#include "support/graph_oracle.hpp"
#include "support/op_graphs.hpp"

namespace lb = lowbits;
using namespace op_graphs;

namespace {

using sums = std::vector<std::int32_t>;
const lb::raw_accumulator<std::int32_t> raw;
const std::int32_t* const no_bias = nullptr;

template <class T>
std::vector<T> random_codes(std::size_t n, std::uint32_t seed) {
  std::vector<T> v(n);
  lowbits_test::fill_random(reinterpret_cast<unsigned char*>(v.data()), n * sizeof(T), seed);
  return v;
}

struct results {
  sums conv = sums(4 * 6 * 6);
  std::vector<float> reals = std::vector<float>(4 * 5 * 8);
  sums up = sums(8 * 11 * 5), dense = sums(3 * 7), deep = sums(2);
  std::vector<std::int8_t> narrow = std::vector<std::int8_t>(4 * 6 * 6);
  std::vector<std::int16_t> words = std::vector<std::int16_t>(4 * 4);
  sums moved = sums((7 + 1 + 4 + 7) * 5);
  bool operator==(const results&) const = default;
};

}  // namespace

TEST_CASE("graph sums: layers, changes of scale and moves of 32-bit codes") {
  using net = lb::model<make_sums>;
  static_assert(std::is_same_v<net::input_type<3>, std::int32_t> && std::is_same_v<net::output_type<0>, std::int32_t>);
  static_assert(net::output_desc<2>.params == lb::affine{.05f * .02f, 0});
  static_assert(net::output_desc<0>.element_bytes() == 4 && net::report.wide_accumulators == 0);
  const auto x = random_codes<std::int8_t>(80, 1);
  const auto bytes = random_codes<std::uint8_t>(180, 2);
  const auto words = random_codes<std::int16_t>(12, 3);
  auto wide = random_codes<std::int32_t>(30, 4);
  wide[0] = INT32_MIN, wide[1] = INT32_MAX;

  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  [[maybe_unused]] alignas(lb::packed_alignment) static unsigned char packed[net::prepared_bytes];
  const auto run = [&](const auto& model, results& r) {
    return model.run(arena, x, bytes, words, wide, r.conv, r.reals, r.up, r.dense, r.deep, r.narrow, r.words, r.moved);
  };
  results r;
  REQUIRE(net::run(arena, x, bytes, words, wide, r.conv, r.reals, r.up, r.dense, r.deep, r.narrow, r.words, r.moved) ==
          lb::status::ok);
  kernel_archs::for_each([&]<class Arch>(Arch) {
#if LOWBITS_DISPATCH
    const auto ready = net::prepare_for(lb::arch_id_of<Arch>, packed);
#else
    const auto ready = net::prepare(packed);
#endif
    results again;
    INFO(std::string(Arch::name));
    REQUIRE(run(ready, again) == lb::status::ok);
    CHECK(again == r);
  });

  sums want(r.conv.size());
  lb::ref::conv2d<std::int32_t>({1, 4, 5, 4, 4, 6, 6, {3, 2, 1, 1, 1, 1, 1, 1}, 1}, x.data(), -7, w_conv.value, 0, b_six, raw,
                                want.data());
  CHECK(r.conv == want);
  const auto narrow = lb::make_rescale(lb::qformat::of<lb::q32>(), {.001f, 0}, lb::qformat::of<lb::q8>(), {.2f, 3}, lb::activation::relu);
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(int{r.narrow[i]} == narrow(static_cast<int>(want[i])));
  want.resize(r.reals.size());
  lb::ref::depthwise<std::int32_t>({1, 4, 5, 4, 4, 5, 2, {3, 3, 1, 1, 1, 1, 1, 1}}, x.data(), -7, w_dw.value, 0, b_eight, raw, want.data());
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(r.reals[i] == static_cast<float>(want[i]) * (.05f * .02f));
  want.resize(r.up.size());
  lb::ref::transposed_conv2d<std::int32_t>({1, 4, 5, 4, 8, 11, 5, {2, 3, 2, 2, 1, 1, 0, 0}, 1}, x.data(), -7, w_up.value, 0, no_bias, raw, want.data());
  CHECK(r.up == want);
  want.resize(r.dense.size());
  lb::ref::conv2d<std::int32_t>(lb::dense_shape(3, 60, 7), bytes.data(), 130, w_dense.value, 9, no_bias, raw, want.data());
  CHECK(r.dense == want);
  want.resize(r.deep.size());
  lb::ref::conv2d<std::int32_t>(lb::dense_shape(2, 6, 1), words.data(), 0, sums_words, 0, no_bias, raw, want.data());
  CHECK(r.deep == want);
  want.resize(r.words.size());
  lb::matmul_shape shape{.rows = 4, .depth = 20, .cols = 4};
  shape.w_transposed = true;
  lb::ref::matmul<std::int32_t>(shape, x.data(), -7, x.data(), -7, raw, want.data());
  const auto again = lb::fixed_multiplier::from(lb::real::from(.05f * .05f) / lb::real::from(.01f));
  for (std::size_t i = 0; i < want.size(); ++i)
    CHECK(int{r.words[i]} == lb::clamp<int>(static_cast<int>(lb::round_double_gemmlowp::apply(want[i], again)), -32768, 32767));

  const auto finer = lb::fixed_multiplier::from(lb::real::from(.05f) / lb::real::from(2e-6f));
  sums moved(5, -2000000000);
  for (std::size_t i = 0; i < 30; ++i) moved.push_back(wide[i % 5 * 6 + i / 5]);  // [5][6] turned
  sums positive = moved;
  for (auto& v : positive) v = v < 0 ? 0 : v;
  moved.insert(moved.end(), std::begin(sums_constant), std::end(sums_constant));
  for (std::size_t i = 0; i < 20; ++i)
    moved.push_back(lb::round_double_gemmlowp::apply(std::int32_t{x[i / 5 * 20 + i % 5] + 7}, finer));
  moved.insert(moved.end(), positive.begin(), positive.end());
  CHECK(r.moved == moved);
}

namespace {

using graph = lb::builder<8>;
using lb::graph_errc;

constexpr std::int8_t w8[8] = {1, -128, 127, 5};
constexpr std::int16_t words_below[4] = {32767, -32767, 1, 0}, words_above[4] = {32767, -32767, 1, 1};
constexpr std::int32_t large_bias[2] = {2147483647, -2147483647 - 1}, near_bias[2] = {2147483647 - 128 * 512, 0};
constexpr std::int64_t wide_bias[2] = {1, 2};
constexpr float two_scales[2] = {.1f, .2f};
constexpr float real_bias[2] = {.1f, .2f};
constexpr lb::symmetric ws{.1f};
constexpr auto q32f = lb::qformat::of<lb::q32>();

struct attempt {
  const char* what;
  graph_errc expected;
  void (*build)(graph& g, lb::edge x, lb::edge wide);  ///< q8 and q32 images of 2 x 2 x 4
};
constexpr attempt attempts[] = {
    {"sums", graph_errc::ok,
     [](graph& g, lb::edge x, lb::edge) { g.conv2d("c", x, {.out_c = 2, .weights = lb::weights(w8, ws), .out_format = lb::as_sums}); }},
    {"sums of an activation", graph_errc::wide,
     [](graph& g, lb::edge x, lb::edge) {
       g.conv2d("c", x, {.out_c = 2, .weights = lb::weights(w8, ws), .out_format = lb::as_sums, .fused = lb::activation::relu});
     }},
    {"sums of sums", graph_errc::wide,
     [](graph& g, lb::edge, lb::edge w) { g.conv2d("c", w, {.out_c = 2, .weights = lb::weights(w8, ws), .out_format = lb::as_sums}); }},
    {"a layer on 32-bit codes", graph_errc::wide,
     [](graph& g, lb::edge, lb::edge w) { g.conv2d("c", w, {.out_c = 2, .weights = lb::weights(w8, ws), .out = {.1f}, .out_format = lb::qformat{}}); }},
    {"scales per channel and no word of the output's", graph_errc::scale,
     [](graph& g, lb::edge x, lb::edge) { g.conv2d("c", x, {.out_c = 2, .weights = lb::weights(w8, two_scales), .out_format = lb::as_sums}); }},
    {"a zero point", graph_errc::zero_point,
     [](graph& g, lb::edge x, lb::edge) {
       g.conv2d("c", x, {.out_c = 2, .weights = lb::weights(w8, ws), .out = {.1f, 1}, .out_format = lb::as_sums});
     }},
    {"a bias that may do", graph_errc::ok,
     [](graph& g, lb::edge x, lb::edge) {
       g.conv2d("c", x, {.out_c = 2, .weights = lb::weights(w8, ws), .bias = near_bias, .out_format = lb::as_sums});
     }},
    {"a bias that may not", graph_errc::sums,
     [](graph& g, lb::edge x, lb::edge) {
       g.conv2d("c", x, {.out_c = 2, .weights = lb::weights(w8, ws), .bias = large_bias, .out_format = lb::as_sums});
     }},
    {"a bias of 64 bits", graph_errc::sums,
     [](graph& g, lb::edge x, lb::edge) {
       g.conv2d("c", x, {.out_c = 2, .weights = lb::weights(w8, ws), .bias = wide_bias, .out_format = lb::as_sums});
     }},
    {"a bias of floats", graph_errc::element,
     [](graph& g, lb::edge x, lb::edge) {
       g.conv2d("c", x, {.out_c = 2, .weights = lb::weights(w8, ws), .bias = real_bias, .out_format = lb::as_sums});
     }},
    {"words whose sums fit", graph_errc::ok,
     [](graph& g, lb::edge, lb::edge) {
       const auto x = g.input("words", lb::tensor<lb::q16, 4>({.1f}));
       g.dense("d", x, {.units = 1, .weights = lb::weights(words_below, ws), .out_format = lb::as_sums});
     }},
    {"words whose sums do not", graph_errc::sums,
     [](graph& g, lb::edge, lb::edge) {
       const auto x = g.input("words", lb::tensor<lb::q16, 4>({.1f}));
       g.dense("d", x, {.units = 1, .weights = lb::weights(words_above, ws), .out_format = lb::as_sums});
     }},
    {"a product of words", graph_errc::sums,
     [](graph& g, lb::edge, lb::edge) {
       const auto x = g.input("words", lb::tensor<lb::q16, 2, 2>({.1f}));
       g.matmul("m", x, x, {.out_format = lb::as_sums});
     }},
    {"add", graph_errc::wide, [](graph& g, lb::edge, lb::edge w) { g.add("a", w, w, {.out = {.1f}}); }},
    {"add to 32 bits", graph_errc::wide, [](graph& g, lb::edge x, lb::edge) { g.add("a", x, x, {.out = {.1f}, .out_format = q32f}); }},
    {"mul", graph_errc::wide, [](graph& g, lb::edge x, lb::edge w) { g.mul("m", x, w, {.out = {.1f}}); }},
    {"pool", graph_errc::wide, [](graph& g, lb::edge, lb::edge w) { g.max_pool("p", w, {}); }},
    {"mean", graph_errc::wide, [](graph& g, lb::edge, lb::edge w) { g.global_mean("p", w, {.out = {.1f}, .out_format = lb::qformat{}}); }},
    {"resize", graph_errc::wide, [](graph& g, lb::edge, lb::edge w) { g.resize("r", w, {.out_h = 1, .out_w = 1}); }},
    {"function", graph_errc::wide, [](graph& g, lb::edge, lb::edge w) { g.sigmoid("s", w, {.out = {.1f}}); }},
    {"quantize", graph_errc::wide,
     [](graph& g, lb::edge x, lb::edge) { g.quantize("q", g.dequantize("r", x), {.out = {.1f}, .out_format = q32f}); }},
    {"concat with other numbers", graph_errc::parameters,
     [](graph& g, lb::edge x, lb::edge w) { g.concat("c", {x, w}, 0); }},
    {"packed weights", graph_errc::format,
     [](graph& g, lb::edge x, lb::edge) {
       lb::weight_data w = lb::weights(w8, ws);
       w.format = q32f;
       g.conv2d("c", x, {.out_c = 2, .weights = w, .out = {.1f}});
     }},
};

}  // namespace

TEST_CASE("graph sums: refusals") {
  for (const attempt& a : attempts) {
    CAPTURE(std::string(a.what));
    graph g;
    const auto x = g.input("x", lb::tensor<lb::q8, 2, 2, 4>({.1f}));
    const auto wide = g.input("wide", lb::tensor<lb::q32, 2, 2, 4>({.1f}));
    a.build(g, x, wide);
    CHECK(std::string(lb::to_string(g.error().code)) == std::string(lb::to_string(a.expected)));
  }
}
