// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Weights and activations of every width through the graph; sampling, softmax and wide functions.

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include <lowbits/lowbits.hpp>

#include "support/graph_oracle.hpp"

namespace lb = lowbits;
using lowbits_test::fill_random;

namespace {

constexpr lb::affine px{.scale = 0.05f, .zero_point = -7}, po{.scale = 0.3f, .zero_point = 2};
constexpr float scales[5] = {.1f, .2f, .05f, .3f, .15f};
constexpr std::int32_t bias[5] = {10, -20, 30, 400, -5};
constexpr std::size_t count = 5 * 3 * 3 * 3;

/// Codes of every value a type has, repeated; stored in the smallest array type.
template <class Q>
struct all_values {
  using element = std::conditional_t<(Q::bits <= 8), std::int8_t, std::int16_t>;
  element value[count];
};
template <class Q>
constexpr all_values<Q> make_values() {
  all_values<Q> a{};
  std::uint32_t s = static_cast<std::uint32_t>(Q::bits);
  for (auto& v : a.value) {
    s = s * 1664525u + 1013904223u;
    v = static_cast<typename all_values<Q>::element>(Q::decode((s >> 12) & Q::code_mask));
  }
  return a;
}
template <class Q>
constexpr all_values<Q> values = make_values<Q>();
template <class Q>
constexpr auto bytes = lb::make_packed<Q>(values<Q>.value);

template <class A, class Q, bool Packed>
constexpr auto make_conv() {
  lb::builder<4> g;
  const auto x = g.input(
      "x",
      lb::tensor<A, 6, 5, 3>({.scale = px.scale, .zero_point = A::is_signed ? 0 : A::highest / 2}));
  const lb::weight_data w =
      Packed ? lb::packed_weights<Q>(bytes<Q>, scales) : lb::weights<Q>(values<Q>.value, scales);
  return g.output(g.conv2d("c", x,
                           {.out_c = 5,
                            .kernel = 3,
                            .pad = 1,
                            .weights = w,
                            .bias = bias,
                            .out = po,
                            .out_format = lb::qformat::of<lb::q8>()}));
}

template <class Net, class Out = typename Net::template output_type<0>, class... In>
std::vector<Out> run_prepared(const In&... in) {
  alignas(lb::arena_alignment) static unsigned char arena[Net::arena_bytes];
  alignas(lb::packed_alignment) static unsigned char packed[Net::prepared_bytes];
  std::vector<Out> y(Net::template output_desc<0>.count()), portable(y.size());
  REQUIRE(Net::run(arena, in..., portable) == lb::status::ok);
  REQUIRE(Net::prepare(packed).run(arena, in..., y) == lb::status::ok);
  CHECK(std::memcmp(y.data(), portable.data(), y.size() * sizeof(Out)) == 0);
  return y;
}

/// Codes of A, all within its range.
template <class A>
std::vector<typename A::storage> codes_of(std::size_t n, std::uint32_t seed) {
  std::vector<typename A::storage> v(n);
  for (auto& c : v) {
    seed = seed * 1664525u + 1013904223u;
    c = static_cast<typename A::storage>(A::decode((seed >> 10) & A::code_mask));
  }
  return v;
}

template <class A, class Q>
void check_width() {
  const auto x = codes_of<A>(6 * 5 * 3, 77);
  using packed_net = lb::model<make_conv<A, Q, true>>;
  static_assert(packed_net::weight_bytes == lb::bytes_for<Q>(count) + sizeof bias);
  const auto got = run_prepared<packed_net>(x);

  std::vector<lb::fixed_multiplier> f;
  for (float s : scales)
    f.push_back(lb::fixed_multiplier::from(lb::scale_ratio(px.scale, s, po.scale)));
  std::vector<std::int8_t> want(6 * 5 * 5);
  const lb::channel_requantizer<lb::q8> rq{f.data(),
                                           lb::output_stage::of(lb::qformat::of<lb::q8>(), po)};
  lb::ref::conv2d<std::int64_t>({1, 6, 5, 3, 6, 5, 5, {3, 3, 1, 1, 1, 1, 1, 1}, 1}, x.data(),
                                A::is_signed ? 0 : A::highest / 2, values<Q>.value, 0, bias, rq,
                                want.data());
  for (std::size_t i = 0; i < want.size(); ++i)
    REQUIRE_MESSAGE(got[i] == want[i], A::bits, "-bit activations, ", Q::bits,
                    "-bit weights, element ", i);
  if constexpr (Q::bits % 4 == 0) CHECK(run_prepared<lb::model<make_conv<A, Q, false>>>(x) == got);
}

template <int... Bits>
void check_weights(std::integer_sequence<int, Bits...>) {
  (check_width<lb::q8, lb::qs<Bits + 1>>(), ...);
  (check_width<lb::q16, lb::qs<Bits + 1>>(), ...);
}
template <int... Bits>
void check_activations() {
  (check_width<lb::qs<Bits>, lb::q3>(), ...);
  (check_width<lb::qu<Bits>, lb::q7>(), ...);
}

constexpr auto make_softmax() {
  lb::builder<4> g;
  return g.output(g.softmax("p", g.input("x", lb::tensor<lb::q8, 3, 7>(px)), {.beta = 1.5f}));
}
constexpr auto make_wide_softmax() {
  lb::builder<4> g;
  return g.output(g.softmax("p", g.input("x", lb::tensor<lb::q16, 3, 7>({.scale = .0005f}))));
}
constexpr auto make_wide_function() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q12, 64>({.scale = .004f}));
  return g.output(g.tanh("t", x, {.out = {.scale = 1 / 2048.f}}));
}
template <lb::resize_mode Mode>
constexpr auto make_resize() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 2, 4, 5, 3>(px));
  return g.output(
      g.resize("r", x, {.out_h = 7, .out_w = 9, .mode = Mode, .half_pixel_centers = true}));
}
constexpr auto make_sampled() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 4, 5, 3>(px));
  const auto grid = g.input("grid", lb::tensor<lb::q8, 6, 2, 2>({.scale = 1 / 100.f}));
  return g.output(
      g.grid_sample("s", x, grid, {.outside = lb::grid_padding::border, .align_corners = true}));
}

}  // namespace

TEST_CASE(
    "graph widths: packed weights of 1 to 16 bits equal the reference, 8- and 16-bit activations") {
  check_weights(std::make_integer_sequence<int, 16>{});
}

TEST_CASE("graph widths: activations of 2 to 16 bits, signed and unsigned") {
  check_activations<2, 3, 5, 7, 9, 11, 14, 16>();
}

TEST_CASE("graph widths: softmax of 8 and 16 bits") {
  const auto x = codes_of<lb::q8>(21, 5);
  std::vector<std::int8_t> want(21);
  lb::ref::softmax(3, 7, x.data(),
                   lb::make_softmax(lb::qformat::of<lb::q8>(), px, 1.5f, lb::qformat::of<lb::q8>()),
                   want.data());
  CHECK(run_prepared<lb::model<make_softmax>>(x) == want);

  const auto wide = codes_of<lb::q16>(21, 6);
  std::vector<std::int16_t> want16(21);
  lb::ref::softmax(3, 7, wide.data(), lb::make_wide_softmax({.scale = .0005f}, 1.0f),
                   want16.data());
  CHECK(run_prepared<lb::model<make_wide_softmax>>(wide) == want16);
}

TEST_CASE("graph widths: a function of 12-bit codes is its interpolated table") {
  const auto x = codes_of<lb::q12>(64, 7);
  const auto f12 = lb::qformat::of<lb::q12>();
  const auto table = lb::make_wide_table(f12, {.scale = .004f}, f12, {.scale = 1 / 2048.f},
                                         [](double v) { return lb::curve::tanh(v); });
  const auto got = run_prepared<lb::model<make_wide_function>>(x);
  for (std::size_t i = 0; i < 64; ++i)
    CHECK(got[i] == lb::interpolate(table.value, x[i], lb::table_index::of(f12)));
}

TEST_CASE("graph widths: resize and grid_sample") {
  const auto x = codes_of<lb::q8>(2 * 4 * 5 * 3, 8);
  const lb::resize_shape s{2, 4, 5, 3, 7, 9, false, true};
  std::vector<std::int8_t> want(2 * 7 * 9 * 3);
  lb::ref::resize_nearest(s, x.data(), want.data());
  CHECK(run_prepared<lb::model<make_resize<lb::resize_mode::nearest>>>(x) == want);
  lb::ref::resize_bilinear(s, x.data(), want.data());
  CHECK(run_prepared<lb::model<make_resize<lb::resize_mode::bilinear>>>(x) == want);

  const auto image = codes_of<lb::q8>(4 * 5 * 3, 9), grid = codes_of<lb::q8>(6 * 2 * 2, 10);
  const lb::grid_sample_shape g{1, 4, 5, 3, 6, 2};
  std::vector<std::int8_t> sampled(6 * 2 * 3);
  lb::ref::grid_sample_bilinear(
      g, lb::make_grid_sample(g, lb::qformat::of<lb::q8>(), px, {.scale = 1 / 100.f}, true, true),
      image.data(), grid.data(), sampled.data());
  CHECK(run_prepared<lb::model<make_sampled>>(image, grid) == sampled);
}
