// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <limits>
#include <string>

#include <lowbits/hosted/calibrate.hpp>
#include <lowbits/hosted/float_executor.hpp>

namespace lb = lowbits;
using values = std::vector<float>;

namespace {

/// The last node's output for one input.
values result(const lb::float_model& m, const values& x) {
  const values in[] = {x};
  return lb::run(m, in).back();
}

/// The sentence that `f` is refused with, or "".
template <class Function>
std::string refusal(Function&& f) {
  try {
    f();
  } catch (const lb::model_error& e) { return e.what(); }
  return "";
}

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("convolutions: windows worked out by hand") {
  // 1 2 3
  // 4 5 6
  // 7 8 9
  const values image{1, 2, 3, 4, 5, 6, 7, 8, 9};
  const float ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  const float corner[4] = {1, 10, 100, 1000};
  const auto conv = [&](lb::float_conv2d_options o) {
    lb::float_model m;
    o.out_c = 1;
    m.conv2d("y", m.input("x", {3, 3, 1}), o);
    return result(m, image);
  };
  CHECK(conv({.kernel = 3, .weights = ones}) == values{45});
  CHECK(conv({.kernel = 3, .pad = 1, .weights = ones}) ==
        values{12, 21, 16, 27, 45, 33, 24, 39, 28});
  CHECK(conv({.kernel = 3, .pad = lb::same_padding, .weights = ones}) ==
        values{12, 21, 16, 27, 45, 33, 24, 39, 28});
  CHECK(conv({.kernel = 2, .weights = corner}) == values{5421, 6532, 8754, 9865});
  // Even kernels: "same" puts the odd row below and to the right.
  CHECK(conv({.kernel = 2, .pad = lb::same_padding, .weights = corner}) ==
        values{5421, 6532, 603, 8754, 9865, 906, 87, 98, 9});
  CHECK(conv({.kernel = 2, .pad = {1, 0, 1, 0}, .weights = corner}) ==
        values{1000, 2100, 3200, 4010, 5421, 6532, 7040, 8754, 9865});
  CHECK(conv({.kernel = 2, .stride = 2, .weights = corner}) == values{5421});
  CHECK(conv({.kernel = 3, .stride = 2, .pad = 1, .weights = ones}) == values{12, 16, 24, 28});
  CHECK(conv({.kernel = 2, .dilation = 2, .weights = corner}) == values{9731});
  const float two[2] = {1, 10}, bias[1] = {0.5f};
  CHECK(conv({.kernel = {1, 2}, .weights = two, .bias = bias}) ==
        values{21.5f, 32.5f, 54.5f, 65.5f, 87.5f, 98.5f});
  CHECK(conv({.kernel = {2, 1}, .stride = {1, 2}, .weights = two}) == values{41, 63, 74, 96});
}

TEST_CASE("groups, depthwise multipliers and dense rows") {
  const float w[4] = {1, 2, 3, 4};
  {
    lb::float_model m;  // output 0 sees channels 0 and 1, output 1 channels 2 and 3
    m.conv2d("y", m.input("x", {1, 1, 4}), {.out_c = 2, .groups = 2, .weights = w});
    CHECK(result(m, {1, 10, 100, 1000}) == values{21, 4300});
  }
  {
    lb::float_model m;
    m.depthwise("y", m.input("x", {1, 1, 2}), {.multiplier = 2, .weights = w});
    CHECK(result(m, {1, 10}) == values{1, 2, 30, 40});
  }
  {
    lb::float_model m;
    m.dense("y", m.input("x", {2, 2}), {.units = 2, .weights = w});
    CHECK(m[1].out.shape == lb::tensor_shape{2, {2, 2}});
    CHECK(result(m, {1, 10, 100, 1000}) == values{21, 43, 2100, 4300});
  }
  {
    lb::float_model m;  // an image is one vector
    m.dense("y", m.input("x", {1, 2, 1}), {.units = 2, .weights = w});
    CHECK(m[1].out.shape == lb::tensor_shape{1, {2}});
    CHECK(result(m, {1, 10}) == values{21, 43});
  }
}

TEST_CASE("sums are taken in double") {
  const float w[3] = {1, 1, 1};
  lb::float_model m;
  m.dense("y", m.input("x", {3}), {.units = 1, .weights = w});
  CHECK(result(m, {1e8f, 1, -1e8f}) == values{1});  // in float: 0
}

TEST_CASE("operations without weights") {
  const values x{-2, 1, 7, 0.5f};
  const auto with = [&](auto&& f) {
    lb::float_model m;
    f(m, m.input("x", {2, 2, 1}));
    return result(m, x);
  };
  using lb::activation;
  CHECK(with([](auto& m, auto e) { m.clamped("y", e, activation::relu); }) ==
        values{0, 1, 7, 0.5f});
  CHECK(with([](auto& m, auto e) { m.clamped("y", e, activation::relu6); }) ==
        values{0, 1, 6, 0.5f});
  CHECK(with([](auto& m, auto e) { m.clamped("y", e, activation::relu_n1_to_1); }) ==
        values{-1, 1, 1, 0.5f});
  CHECK(with([](auto& m, auto e) { m.add("y", e, e, activation::relu); }) == values{0, 2, 14, 1});
  CHECK(with([](auto& m, auto e) { m.sub("y", e, e); }) == values{0, 0, 0, 0});
  CHECK(with([](auto& m, auto e) { m.mul("y", e, e); }) == values{4, 1, 49, 0.25f});
  CHECK(with([](auto& m, auto e) { m.max_pool("y", e, {}); }) == values{7});
  CHECK(with([](auto& m, auto e) { m.average_pool("y", e, {}); }) == values{1.625f});
  // Positions in the padding take no part.
  CHECK(with([](auto& m, auto e) {
          m.average_pool("y", e, {.kernel = 2, .stride = 2, .pad = 1});
        }) == x);
  CHECK(with([](auto& m, auto e) { m.max_pool("y", e, {.kernel = 2, .stride = 2, .pad = 1}); }) ==
        x);
  CHECK(with([](auto& m, auto e) { m.global_mean("y", e); }) == values{1.625f});
  CHECK(with([](auto& m, auto e) { m.reshape("y", e, {4}); }) == x);
  CHECK(with([](auto& m, auto e) {
          m.concat("y", {e, e}, 1);
        }) == values{-2, 1, -2, 1, 7, 0.5f, 7, 0.5f});
  CHECK(with([](auto& m, auto e) {
          m.concat("y", {e, e}, 2);
        }) == values{-2, -2, 1, 1, 7, 7, 0.5f, 0.5f});
  CHECK(with([](auto& m, auto e) { m.maximum("y", e, m.global_mean("m", e)); }) ==
        values{1.625f, 1.625f, 7, 1.625f});  // [2][2][1] with [1]
  CHECK(with([](auto& m, auto e) { m.minimum("y", e, m.max_pool("m", e, {})); }) == x);
}

TEST_CASE("softmax") {
  lb::float_model m;
  m.softmax("y", m.input("x", {2, 2}), {.beta = 2});
  const values y = result(m, {0, 0, 1000, 0.5f});
  CHECK(y[0] == 0.5f);
  CHECK(y[1] == 0.5f);
  CHECK(y[2] == 1.0f);
  CHECK(y[3] == 0.0f);
  const values z = result(m, {0, 0.34657359f, -1, -1});  // beta * x = ln 2
  CHECK(z[1] == doctest::Approx(2.0 / 3));
}

TEST_CASE("mistakes in a float model are sentences with the node and the cure") {
  const float w[4] = {1, 2, 3, 4}, bad[4] = {1, 2, not_a_number, 4};
  using lb::graph_errc;
  struct {
    void (*build)(lb::float_model&, lb::edge, const float (&)[4], const float (&)[4]);
    graph_errc code;
    const char* about;  // behind the sentence of the code, or the whole
  } const cases[] = {
      {[](auto& m, auto x, auto& v, auto&) { m.conv2d("stem", x, {.out_c = 3, .weights = v}); },
       graph_errc::weight_count, " (node 'stem', input 'x', expected 6, found 4)"},
      {[](auto& m, auto x, auto& v, auto&) {
         m.conv2d("stem", x, {.out_c = 2, .weights = v, .bias = v});
       },
       graph_errc::bias_count, " (node 'stem', input 'x', expected 2, found 4)"},
      {[](auto& m, auto x, auto&, auto&) { m.dense("y", x, {.units = 2}); }, graph_errc::no_weights,
       " (node 'y', input 'x')"},
      {[](auto& m, auto x, auto&, auto& bad) { m.conv2d("stem", x, {.out_c = 2, .weights = bad}); },
       graph_errc::ok,
       "lowbits: float_model: weight 2 of node 'stem' is NaN or infinite; train or export the "
       "layer again"},
      {[](auto& m, auto x, auto& v, auto& bad) {
         m.conv2d("stem", x, {.out_c = 2, .weights = v, .bias = std::span(bad).subspan(1, 2)});
       },
       graph_errc::ok,
       "lowbits: float_model: bias 1 of node 'stem' is NaN or infinite; train or export the layer "
       "again"},
      {[](auto& m, auto x, auto& v, auto&) {
         m.conv2d("c", x, {.out_c = 2, .groups = 3, .weights = v});
       },
       graph_errc::groups, " (node 'c', input 'x')"},
      {[](auto& m, auto x, auto& v, auto&) {
         m.conv2d("c", x, {.out_c = 2, .kernel = 5, .weights = v});
       },
       graph_errc::kernel_size, " (node 'c', input 'x', expected 2, found 5)"},
      {[](auto& m, auto x, auto& v, auto&) {
         m.conv2d("c", x, {.out_c = 2, .stride = 0, .weights = v});
       },
       graph_errc::window, " (node 'c', input 'x')"},
      {[](auto& m, auto x, auto& v, auto&) {
         m.depthwise("d", x, {.multiplier = 2000000000, .weights = v});
       },
       graph_errc::channels, " (node 'd', input 'x', expected 1, found 2000000000)"},
      {[](auto& m, auto x, auto&, auto&) { m.add("x", x, x); }, graph_errc::name,
       " (node 'x', input 'x' and 'x')"},
      {[](auto& m, auto x, auto&, auto&) {
         m.add("s", x, m.input("z", {3, 2}));
       },
       graph_errc::shapes, " (node 's', input 'x' and 'z', expected 2, found 3)"},
      {[](auto& m, auto x, auto&, auto&) { m.reshape("r", x, {7}); }, graph_errc::element_count,
       " (node 'r', input 'x', expected 8, found 7)"},
      {[](auto& m, auto x, auto&, auto&) {
         m.reshape("r", x, {1, 1, 1, 1, 1, 1, 8});
       },
       graph_errc::rank, " (node 'r', input 'x', expected 6, found 7)"},
      {[](auto& m, auto, auto&, auto&) { m.add("s", {0}, {5}); }, graph_errc::edge, " (node '')"},
      {[](auto& m, auto, auto&, auto&) { m.concat("c", {}, 0); }, graph_errc::input_count,
       " (node 'c')"},
      {[](auto& m, auto x, auto&, auto&) {
         m.concat("c", {x, x}, 3);
       },
       graph_errc::axis, " (node 'c', input 'x' and 'x', expected 2, found 3)"},
      {[](auto& m, auto, auto&, auto&) {
         m.input("i", {2, 0});
       },
       graph_errc::tensor, " (node 'i')"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.about);
    const std::string sentence = c.code == graph_errc::ok ? "" : lb::to_string(c.code);
    CHECK(refusal([&] {
            lb::float_model m;
            c.build(m, m.input("x", {2, 2, 2}), w, bad);
          }) == sentence + c.about);
  }

  lb::float_model m;
  m.clamped("y", m.input("x", {2}), lb::activation::relu);
  CHECK(refusal([&] { result(m, {1}); }) ==
        "lowbits: float_executor: input 'x' got 1 elements instead of 2; give exactly the tensor's "
        "elements, "
        "row-major");
  CHECK(refusal([&] { lb::run(m, {}); }) ==
        "lowbits: float_executor: got 0 tensors, but the model has 1 inputs; give one per input, "
        "in the order "
        "of the input() calls");
}

TEST_CASE("observers and calibration") {
  lb::min_max_observer o;
  CHECK(o.range() == lb::value_range{0, 0});
  const float seen[] = {3, not_a_number, -1, std::numeric_limits<float>::infinity()};
  o.see(std::span(seen, 1));
  CHECK(o.range() == lb::value_range{3, 3});
  o.see(seen);
  CHECK(o.range() == lb::value_range{-1, 3});

  const float w[4] = {1, 0, -1,
                      0};  // channel 1 never fires behind the relu, channel 2 has no weights
  lb::float_model m;
  const float three[3] = {1, -1, 0};
  m.dense("y", m.input("x", {1}), {.units = 3, .weights = three, .fused = lb::activation::relu});
  const lb::sample samples[] = {{{1}}, {{4}}, {{0}}};
  std::vector<std::size_t> steps;
  const lb::calibration c =
      lb::calibrate(m, samples, lb::make_min_max_observer,
                    [&](auto, std::size_t done, std::size_t) { steps.push_back(done); });
  CHECK(steps == std::vector<std::size_t>{1, 2, 3});
  CHECK(c.samples == 3);
  CHECK(c.nodes[0].range == lb::value_range{0, 4});
  CHECK(c.nodes[1].range == lb::value_range{0, 4});
  CHECK(c.nodes[1].values == 9);
  CHECK(c.nodes[1].not_zero == 2);
  CHECK(c.nodes[1].channel_not_zero == std::vector<std::uint64_t>{2, 0, 0});
  CHECK(!c.nodes[1].is_dead());
  CHECK(refusal([&] { lb::calibrate(m, {}); }) ==
        "lowbits: calibrate: there are no samples; give some inputs that look like those in use");

  // Ranges of weights: conv2d has the channels outermost, depthwise innermost.
  lb::float_model a, b;
  a.dense("y", a.input("x", {2}), {.units = 2, .weights = w});
  b.depthwise("y", b.input("x", {2, 1, 2}), {.kernel = {2, 1}, .weights = w});
  CHECK(lb::channel_ranges(a[1]) == std::vector<lb::value_range>{{0, 1}, {-1, 0}});
  CHECK(lb::channel_ranges(b[1]) == std::vector<lb::value_range>{{-1, 1}, {0, 0}});
}

TEST_CASE("progress without a terminal: one line per finished task") {
  std::FILE* f = std::tmpfile();
  REQUIRE(f != nullptr);
  lb::progress_bar bar(f);
  for (std::size_t i = 1; i <= 3; ++i) bar("counting", i, 3);
  std::rewind(f);
  char text[80]{};
  const std::size_t n = std::fread(text, 1, sizeof text - 1, f);
  std::fclose(f);
  CHECK(std::string(text, n) == "counting: 3 of 3\n");
}
