// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Dense layers of graphs whose weights have a factor for each group along the depth: against ref/, portable and prepared on
// every architecture, codes to codes, sums and floats, and floats to floats; and what is refused.

#define LOWBITS_GROUPS
#include "support/kernel_archs.hpp"

#include <string>
#include <vector>

#include <lowbits/lowbits.hpp>

#include "support/group_network.hpp"
#include "support/naive_conv.hpp"

namespace lb = lowbits;

using namespace group_network;

namespace {

using net = lb::model<make_net>;

struct results {
  std::vector<std::int8_t> codes = std::vector<std::int8_t>(rows * units);
  std::vector<std::int32_t> sums = std::vector<std::int32_t>(rows * units);
  std::vector<float> real = std::vector<float>(rows * units), dynamic = real, dynamic_bytes = real;
  bool operator==(const results&) const = default;
};

}  // namespace

TEST_CASE("graph groups: dense layers equal the reference, portable and prepared") {
  static_assert(net::output_desc<1>.params.scale == .02f * (.01f * 16));
  naive::random_numbers random(11);
  std::vector<std::int8_t> x(rows * depth);
  std::vector<float> r(rows * depth);
  for (auto& v : x) v = static_cast<std::int8_t>(random.in(-128, 127));
  for (auto& v : r) v = static_cast<float>(random.in(-1000, 1000)) * 0.003f;
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  [[maybe_unused]] alignas(lb::packed_alignment) static unsigned char packed[net::prepared_bytes];
  results got;
  REQUIRE(net::run(arena, x, r, got.codes, got.sums, got.real, got.dynamic, got.dynamic_bytes) == lb::status::ok);
  kernel_archs::for_each([&]<class Arch>(Arch) {
#if LOWBITS_DISPATCH
    const auto ready = net::prepare_for(lb::arch_id_of<Arch>, packed);
#else
    const auto ready = net::prepare(packed);
#endif
    results again;
    INFO(std::string(Arch::name));
    REQUIRE(ready.run(arena, x, r, again.codes, again.sums, again.real, again.dynamic, again.dynamic_bytes) == lb::status::ok);
    CHECK(again == got);
  });

  results want;
  const lb::gemm_shape s{.rows = rows, .cols = units, .depth = depth};
  const lb::packed_view<lb::q4> narrow{w4.value, depth * units};
  std::vector<lb::fixed_multiplier> factors;
  std::vector<float> real_scales, dynamic_scales(units, .01f * 16), row_scales;
  for (const float f : unit_scales.value)
    factors.push_back(lb::fixed_multiplier::from(lb::scale_ratio(.02f, f, 20.f))), real_scales.push_back(.02f * f);
  const lb::channel_requantizer<lb::q8> rq{factors.data(), lb::output_stage::of(lb::qformat::of<lb::q8>(), {20.f, -3}, lb::activation::relu)};
  lb::ref::grouped_gemm(s, x.data(), 5, narrow, 0, lb::group_factors<std::uint8_t>{bytes.value, 32}, bias.value, rq, want.codes.data());
  lb::ref::grouped_gemm(s, x.data(), 5, w8.value, 2, lb::group_factors<std::uint8_t>{small_bytes.value, 16, 4}, nullptr, lb::raw_accumulator<std::int32_t>{}, want.sums.data());
  lb::ref::grouped_gemm(s, x.data(), 5, narrow, 0, lb::group_factors<lb::half>{half_reals.value, 16}, nullptr,
                        lb::float_output{.scales = real_scales.data(), .bias = real_bias.value}, want.real.data());
  std::vector<std::int8_t> codes(r.size());
  for (std::size_t i = 0; i < rows; ++i) row_scales.push_back(lb::ref::symmetric_codes(depth, &r[i * depth], &codes[i * depth]).scale);
  lb::ref::grouped_gemm(s, codes.data(), 0, narrow, 0, lb::group_factors<float>{reals.value, 32}, nullptr,
                        lb::float_output{.scales = unit_scales.value, .bias = real_bias.value, .row_scales = row_scales.data()}, want.dynamic.data());
  for (float& v : want.dynamic) v = v < 0 ? 0 : v > 6 ? 6 : v;
  lb::ref::grouped_gemm(s, codes.data(), 0, w8.value, 0, lb::group_factors<std::uint8_t>{small_bytes.value, 16, 4}, nullptr,
                        lb::float_output{.scales = dynamic_scales.data(), .row_scales = row_scales.data()}, want.dynamic_bytes.data());
  CHECK(got.codes == want.codes);
  CHECK(got.sums == want.sums);
  CHECK(got.real == want.real);
  CHECK(got.dynamic == want.dynamic);
  CHECK(got.dynamic_bytes == want.dynamic_bytes);
}

TEST_CASE("graph groups: real numbers are close to those of the weights as they are dequantized") {
  results got;
  std::vector<std::int8_t> x(rows * depth, 17);
  std::vector<float> r(rows * depth);
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<float>(i % 29) * 0.1f - 1;
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  REQUIRE(net::run(arena, x, r, got.codes, got.sums, got.real, got.dynamic, got.dynamic_bytes) == lb::status::ok);
  const lb::packed_view<lb::q4> narrow{w4.value, depth * units};
  for (std::size_t c = 0; c < units; ++c) {
    double real = static_cast<double>(real_bias.value[c]), dynamic = real, integer = bias.value[c] * .02 * static_cast<double>(unit_scales.value[c]), size = 0, dynamic_bytes = 0;
    for (std::size_t k = 0; k < depth; ++k) {
      const double code = narrow[c * depth + k], unit = static_cast<double>(unit_scales.value[c]);
      real += .02 * (17 - 5) * code * unit * static_cast<double>(half_reals.value[c * small_groups + k / 16].value());
      integer += .02 * (17 - 5) * code * unit * bytes.value[c * groups + k / 32];
      dynamic += static_cast<double>(r[k]) * code * unit * static_cast<double>(reals.value[c * groups + k / 32]);
      size += 8 * unit * static_cast<double>(reals.value[c * groups + k / 32]);
      dynamic_bytes += static_cast<double>(r[k]) * w8.value[c * depth + k] * .01 * small_bytes.value[c * small_groups + k / 16];
    }
    CHECK(static_cast<double>(got.real[c]) == doctest::Approx(real).epsilon(1e-4));
    CHECK(static_cast<double>(got.dynamic[c]) == doctest::Approx(dynamic < 0 ? 0 : dynamic > 6 ? 6 : dynamic).epsilon(1e-4 + .01 * size));
    CHECK(static_cast<double>(got.dynamic_bytes[c]) == doctest::Approx(dynamic_bytes).epsilon(.05).scale(1000));
    const double code = integer / 20 < 0 ? -3 : integer / 20 - 3 > 127 ? 127 : integer / 20 - 3;
    CHECK((got.codes[c] - code < .6 && code - got.codes[c] < .6));
  }
}

namespace {

using graph = lb::builder<8>;
using lb::graph_errc;
constexpr std::uint8_t few[4] = {1, 2, 3, 4};
constexpr auto all_255 = numbers<std::uint8_t, 4 * 1024>(255, 1, 1);
constexpr float infinite[2] = {1.0f, lb::fp::from_bits(lb::fp::infinity_bits)};
constexpr float two[2] = {1, 2};
constexpr std::int8_t w64[64 * 2] = {};
constexpr std::int8_t w_long[4 * 32768] = {};
constexpr lb::weight_groups fits(32, few), of_24(24, few), wrong_count(64, few), by_infinite(64, infinite), by_two(64, two), shifted(32, few, 31), for_long(32, all_255.value), for_long_shifted(32, all_255.value, 8);
constexpr lb::symmetric ws{.1f};

struct attempt {
  const char* what;
  graph_errc expected;
  void (*build)(graph& g, lb::edge x);
};
constexpr attempt attempts[] = {
    {"groups", graph_errc::ok, [](graph& g, lb::edge x) { g.dense("d", x, {.units = 2, .weights = lb::weights(w64, ws).in_groups(fits), .out = {.scale = 1}}); }},
    {"a group of 24", graph_errc::weight_groups, [](graph& g, lb::edge x) { g.dense("d", x, {.units = 2, .weights = lb::weights(w64, ws).in_groups(of_24), .out = {.scale = 1}}); }},
    {"a shift of 31", graph_errc::weight_groups, [](graph& g, lb::edge x) { g.dense("d", x, {.units = 2, .weights = lb::weights(w64, ws).in_groups(shifted), .out = {.scale = 1}}); }},
    {"a convolution", graph_errc::weight_groups,
     [](graph& g, lb::edge x) { g.conv2d("d", g.reshape("i", x, {1, 1, 64}), {.out_c = 2, .weights = lb::weights(w64, ws).in_groups(fits), .out = {.scale = 1}}); }},
    {"too many factors", graph_errc::group_count, [](graph& g, lb::edge x) { g.dense("d", x, {.units = 2, .weights = lb::weights(w64, ws).in_groups(wrong_count), .out = {.scale = 1}}); }},
    {"an infinite factor", graph_errc::group_factors,
     [](graph& g, lb::edge x) { g.dense("d", x, {.units = 2, .weights = lb::weights(w64, ws).in_groups(by_infinite), .out_format = lb::as_reals}); }},
    {"floats to codes", graph_errc::group_factors, [](graph& g, lb::edge x) { g.dense("d", x, {.units = 2, .weights = lb::weights(w64, ws).in_groups(by_two), .out = {.scale = 1}}); }},
    {"floats to floats", graph_errc::ok, [](graph& g, lb::edge x) { g.dense("d", x, {.units = 2, .weights = lb::weights(w64, ws).in_groups(by_two), .out_format = lb::as_reals}); }},
};

}  // namespace

TEST_CASE("graph groups: what is refused") {
  for (const attempt& a : attempts) {
    graph g;
    a.build(g, g.input("x", lb::tensor<lb::q8, 64>({.scale = .1f})));
    INFO(a.what);
    CHECK(std::string(lb::to_string(g.error().code)) == lb::to_string(a.expected));
  }
  for (const bool divided : {false, true}) {
    graph g;
    const auto x = g.input("x", lb::tensor<lb::q8, 32768>({.scale = .1f}));
    g.dense("d", x, {.units = 4, .weights = lb::weights(w_long, ws).in_groups(divided ? for_long_shifted : for_long), .out = {.scale = 1}});
    CHECK(g.error().code == (divided ? graph_errc::ok : graph_errc::group_sums));
  }
}
