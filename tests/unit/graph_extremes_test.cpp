// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Options with the outermost numbers, one at a time: the builder's checks must not overflow on what
// they are there to refuse. In constant expressions, where overflow does not compile.

#include <doctest/doctest.h>

#include <lowbits/lowbits.hpp>

namespace {

namespace lb = lowbits;

constexpr int extremes[] = {lb::lowest_of<int>, lb::lowest_of<int> + 1, -1, 0, lb::highest_of<int>};
constexpr lb::affine q{.scale = .1f};
constexpr std::int8_t w[36] = {1};
constexpr lb::affine ws{.scale = .01f};

/// Tries the options of Make(field, value) for every field below Fields and every extreme; how many passed.
template <int Fields, class Make>
constexpr int accepted(Make make) {
  int count = 0;
  for (int field = 0; field < Fields; ++field)
    for (int value : extremes) {
      lb::builder<8> g;
      const lb::edge x = g.input("x", lb::tensor<lb::q8, 4, 4, 4>(q));
      make(g, x, field, value);
      count += g.error().code == lb::graph_errc::ok;
    }
  return count;
}

constexpr void set(lb::extent2d& e, int field, int value) { (field == 0 ? e.h : e.w) = value; }
constexpr void set(lb::padding& p, int field, int value) {
  (field == 0 ? p.top : field == 1 ? p.bottom : field == 2 ? p.left : p.right) = value;
}
/// The eight numbers that all windows have: the kernel, the stride and the padding.
template <class Options>
constexpr void set_window(Options& o, int field, int value) {
  if (field < 2) set(o.kernel, field, value);
  else if (field < 4) set(o.stride, field - 2, value);
  else if (field < 8) set(o.pad, field - 4, value);
}

static_assert(accepted<3>([](auto& g, lb::edge x, int field, int value) {
                lb::slice_options o{.begin = {0, 0, 0}, .extent = {2, 2, 2}, .step = {1, 1, 1}};
                (field == 0 ? o.begin : field == 1 ? o.extent : o.step).value[1] = value;
                g.slice("s", x, o);
              }) == 1);  // begin 0
static_assert(accepted<1>([](auto& g, lb::edge x, int, int value) {
                g.slice("s", x, {.begin = {0, 0, 0}, .extent = {4, 4, 1}, .step = {1, 1, value}});
              }) == 4);  // of one element, any step but 0
static_assert(accepted<2>([](auto& g, lb::edge x, int field, int value) {
                lb::pad_options o{.before = {0, 0, 1}, .after = {0, 0, 1}};
                (field == 0 ? o.before : o.after).value[1] = value;
                g.pad("p", x, o);
              }) == 2);
static_assert(accepted<3>([](auto& g, lb::edge x, int field, int value) {
                lb::axis_list axes{4, 4, 4};
                axes.value[field] = value;
                g.reshape("r", x, axes);
              }) == 0);
static_assert(accepted<3>([](auto& g, lb::edge x, int field, int value) {
                lb::axis_list axes{2, 1, 0};
                axes.value[field] = value;
                g.transpose("t", x, axes);
              }) == 1);
static_assert(accepted<1>([](auto& g, lb::edge x, int, int value) { g.concat("c", {x, x}, value); }) == 1);
static_assert(accepted<2>([](auto& g, lb::edge x, int field, int value) {
                g.resize("r", x, {.out_h = field == 0 ? value : 4, .out_w = field == 1 ? value : 4});
              }) == 0);
static_assert(accepted<8>([](auto& g, lb::edge x, int field, int value) {
                lb::pool_options o{.kernel = 2, .stride = 2};
                set_window(o, field, value);
                g.max_pool("p", x, o);
              }) == 4);  // no padding, on each side
static_assert(accepted<12>([](auto& g, lb::edge x, int field, int value) {
                lb::conv2d_options o{.out_c = 1, .kernel = 3, .weights = lb::weights(w, ws), .out = q};
                if (field < 8) set_window(o, field, value);
                else if (field < 10) set(o.dilation, field - 8, value);
                else (field == 10 ? o.out_c : o.groups) = value;
                g.conv2d("c", x, o);
              }) == 4);
static_assert(accepted<11>([](auto& g, lb::edge x, int field, int value) {
                lb::depthwise_options o{.kernel = 3, .weights = lb::weights(w, ws), .out = q};
                if (field < 8) set_window(o, field, value);
                else if (field < 10) set(o.dilation, field - 8, value);
                else o.multiplier = value;
                g.depthwise("d", x, o);
              }) == 4);
static_assert(accepted<9>([](auto& g, lb::edge x, int field, int value) {
                lb::transposed_conv2d_options o{.out_c = 1, .kernel = 3, .weights = lb::weights(w, ws), .out = q};
                if (field < 8) set_window(o, field, value);
                else o.out_c = value;
                g.transposed_conv2d("t", x, o);
              }) == 4);
static_assert(accepted<1>([](auto& g, lb::edge x, int, int value) {
                g.dense("d", x, {.units = value, .weights = lb::weights(w, ws), .out = q});
              }) == 0);

}  // namespace

TEST_CASE("graph extremes: what the compiler has checked also holds at run time") {
  lb::builder<8> g;
  const lb::edge x = g.input("x", lb::tensor<lb::q8, 4, 4, 4>(q));
  g.slice("s", x, {.begin = {0, 0, 0}, .extent = {1, lb::lowest_of<int>, 1}});
  CHECK(g.error().code == lb::graph_errc::slice_range);
}
