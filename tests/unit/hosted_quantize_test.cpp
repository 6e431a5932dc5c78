// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <limits>
#include <string>

#include <lowbits/hosted/model_text.hpp>
#include <lowbits/hosted/quantize_model.hpp>

namespace lb = lowbits;

namespace {

template <class Function>
std::string refusal(Function&& f) {
  try {
    f();
  } catch (const lb::model_error& e) { return e.what(); }
  return "";
}

/// Deterministic numbers with a bell-like shape between -1.5 and 1.5.
std::vector<float> bell(std::size_t n, std::uint32_t seed) {
  std::vector<float> v(n);
  for (float& x : v) {
    int sum = 0;
    for (int i = 0; i < 6; ++i)
      sum += static_cast<int>((seed = seed * 1664525u + 1013904223u) >> 24) - 127;
    x = static_cast<float>(sum) / 512;
  }
  return v;
}

lb::float_node dense_node(std::size_t channels, const std::vector<float>& w) {
  lb::float_node n{.kind = lb::op_kind::dense, .name = "layer"};
  n.out.shape = {1, {static_cast<int>(channels)}};
  n.weights = w;
  return n;
}

double squared_error(std::span<const float> w, float scale, int top) {
  double e = 0;
  for (float x : w) {
    const double r = static_cast<double>(x) -
        lb::weight_search::code_of(x, scale, top) * static_cast<double>(scale);
    e += r * r;
  }
  return e;
}

/// stem -> relu -> logits on two inputs; a dead channel and a dead weight row on request.
struct small_model {
  lb::float_model m{};
  std::vector<lb::sample> samples{};

  explicit small_model(std::vector<float> stem = {1, 0.5f, -0.25f, 0.75f},
                       std::vector<float> bias = {0.1f, -0.2f}) {
    const std::vector<float> head = bell(2 * 3, 7);
    const auto x = m.input("x", {2});
    const auto a = m.dense(
        "stem", x, {.units = 2, .weights = stem, .bias = bias, .fused = lb::activation::relu});
    m.output(m.dense("logits", a, {.units = 3, .weights = head}));
    const std::vector<float> values = bell(200, 3);
    for (std::size_t i = 0; i < 100; ++i) samples.push_back({{values[2 * i], values[2 * i + 1]}});
  }
  lb::calibration seen() const { return lb::calibrate(m, samples); }
  lb::quantized_model quantized(const lb::quantization_recipe& r = {}) const {
    return lb::quantize_model(m, seen(), samples, r);
  }
};

}  // namespace

TEST_CASE("8-bit weights: the largest of each channel becomes 127") {
  const lb::quantized_weights q =
      lb::quantize_weights(dense_node(2, {0.5f, -1, 0.25f, 3, 0, -1.5f}), 8);
  CHECK(q.format == lb::qformat::of<lb::narrow<lb::q8>>());
  CHECK(q.scales == std::vector<float>{1.0f / 127, 3.0f / 127});
  CHECK(q.codes == std::vector<std::int16_t>{64, -127, 32, 127, 0, -64});  // 63.5 is a tie: to even
  CHECK(q.clipped == 0);
}

TEST_CASE(
    "weights of few bits: range, and never worse than the largest weight as the highest code") {
  for (int bits = 2; bits <= 7; ++bits)
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(bits);
      CAPTURE(seed);
      const int top = (1 << (bits - 1)) - 1;
      std::vector<float> w = bell(seed == 1 ? 1 : 20 + seed * 3, seed);
      if (seed % 2 == 0) w[0] *= 4;  // an outlier
      const lb::quantized_weights q = lb::quantize_weights(dense_node(1, w), bits);
      float peak = 0;
      for (std::size_t i = 0; i < w.size(); ++i) {
        peak = std::fmax(peak, std::fabs(w[i]));
        REQUIRE(q.codes[i] >= -top);
        REQUIRE(q.codes[i] <= top);
        REQUIRE(q.codes[i] == lb::weight_search::code_of(w[i], q.scales[0], top));
      }
      const double error = squared_error(w, q.scales[0], top);
      CHECK(error == doctest::Approx(q.noise));
      CHECK(error <= squared_error(w, peak / static_cast<float>(top), top));
      // Nothing on a fine grid is better by more than 5 %.
      for (int i = 200; i <= 1050; ++i) {
        const float scale = peak / static_cast<float>(top) * static_cast<float>(i) / 1000;
        REQUIRE(error <= squared_error(w, scale, top) * 1.05 + 1e-12);
      }
    }
}

TEST_CASE("weights of one bit are signs, their scale the mean magnitude") {
  const lb::quantized_weights q =
      lb::quantize_weights(dense_node(2, {0.5f, -1, 0, 3, -2, -4}), 1);
  CHECK(q.format == lb::qformat::of<lb::q1>());
  CHECK(q.scales == std::vector<float>{0.5f, 3.0f});
  CHECK(q.codes == std::vector<std::int16_t>{1, -1, 1, 1, -1, -1});
  CHECK(q.noise == doctest::Approx(0 + 0.25 + 0.25 + 0 + 1 + 1));
  CHECK(q.clipped == 0);
  CHECK(refusal([] { lb::quantize_weights(dense_node(2, {0, 0, 1, 1}), 1); }) ==
        "lowbits: quantize_weights: node 'layer' has channels of zeros, which 1 bit cannot be; "
        "choose 2 bits");
}

TEST_CASE("weights of 9 to 16 bits: the largest of each channel becomes the highest code") {
  for (int bits = 9; bits <= 16; ++bits) {
    const int top = (1 << (bits - 1)) - 1;
    const lb::quantized_weights q = lb::quantize_weights(dense_node(1, {1, -0.5f, 0}), bits);
    CHECK(q.codes[0] == top);
    CHECK(std::abs(2 * q.codes[1] + top) <= 1);
    CHECK(q.codes[2] == 0);
    CHECK(q.scales[0] == 1.0f / static_cast<float>(top));
  }
}

TEST_CASE("weights already on a grid come back exactly") {
  for (int bits = 2; bits <= 8; ++bits) {
    const int top = (1 << (bits - 1)) - 1;
    std::vector<float> w;
    for (int c = -top; c <= top; ++c) w.push_back(0.125f * static_cast<float>(c));
    const lb::quantized_weights q = lb::quantize_weights(dense_node(1, w), bits);
    CAPTURE(bits);
    CHECK(q.noise == 0);
    CHECK(q.scales[0] == 0.125f);
  }
}

TEST_CASE("depthwise weights have their channels innermost") {
  lb::float_node n{.kind = lb::op_kind::depthwise, .name = "d"};
  n.out.shape = {3, {1, 1, 2}};
  n.weights = {1, 10, -0.5f, 5};
  const lb::quantized_weights q = lb::quantize_weights(n, 8);
  CHECK(q.scales == std::vector<float>{1.0f / 127, 10.0f / 127});
  CHECK(q.codes == std::vector<std::int16_t>{127, 127, -64, 64});
}

TEST_CASE("channels without weights, floors, widths") {
  const float floors[] = {0, 0, 0.5f};
  const lb::quantized_weights q =
      lb::quantize_weights(dense_node(3, {0, 0, 1, -1, 2, 1e-3f}), 8, floors);
  CHECK(q.dead == std::vector<std::size_t>{0});
  CHECK(q.raised == std::vector<std::size_t>{2});
  CHECK(q.scales == std::vector<float>{0, 1.0f / 127, 0.5f});
  CHECK(q.codes == std::vector<std::int16_t>{0, 0, 127, -127, 4, 0});
  CHECK(refusal([] { lb::quantize_weights(dense_node(1, {1}), 17); }) ==
        "lowbits: quantize_weights: node 'layer' is to get weights of 17 bits; choose 1 to 16");
  CHECK(refusal([] { lb::quantize_weights(dense_node(1, {1}), 0); }) != "");
}

TEST_CASE("corrections: nothing to correct, a pure gain, a pure shift") {
  lb::sample_outputs exact, same, halved, shifted;
  for (std::uint32_t s = 1; s <= 5; ++s) {
    exact.push_back(bell(60, s));
    same.push_back(exact.back());
    halved.push_back(exact.back());
    shifted.push_back(exact.back());
    for (float& v : halved.back()) v /= 1.5f;
    for (float& v : shifted.back()) v -= 0.25f;
  }
  for (double g : lb::output_gain(3, exact, same)) CHECK(g == doctest::Approx(1.0));
  for (double g : lb::output_gain(3, exact, halved)) CHECK(g == doctest::Approx(1.5));
  for (double g : lb::output_gain(3, exact, shifted)) CHECK(g == doctest::Approx(1.0));
  for (double b : lb::bias_shift(lb::activation::none, 3, exact, same)) CHECK(b == 0);
  for (double b : lb::bias_shift(lb::activation::none, 3, exact, shifted))
    CHECK(b == doctest::Approx(0.25));
  for (double b : lb::bias_shift(lb::activation::relu, 3, exact, shifted))
    CHECK(b == doctest::Approx(0.25));
  for (double g : lb::output_gain(3, {}, {})) CHECK(g == 1);
  for (double g : lb::output_gain(1, {{1, 2}}, {{0, 0}})) CHECK(g == 1);    // constant
  for (double g : lb::output_gain(1, {{9, -9}}, {{1, -1}})) CHECK(g == 2);  // held
  for (double g : lb::output_gain(1, {{-1, 1}}, {{1, -1}})) CHECK(g == 1);  // contrary
  // A mean error that comes from one bright spot does not move the blank ones.
  const lb::sample_outputs spot{{0, 0, 0, 0, 0, 0, 0, 8}}, dimmed{{0, 0, 0, 0, 0, 0, 0, 0}};
  CHECK(lb::bias_shift(lb::activation::relu, 1, dimmed, spot)[0] <= 0);
  CHECK(lb::bias_shift(lb::activation::relu, 1, {{-1, -1, -1, 1}}, {{0, 0, 0, 0}})[0] == 0);
}

TEST_CASE("tensors: range, zero point, shared parameters") {
  lb::float_model m;
  const auto x = m.input("x", {2, 2, 1});
  const auto r = m.clamped("relu", x, lb::activation::relu);
  const auto p = m.max_pool("pool", r, {.kernel = 1, .stride = 1});
  const auto j = m.concat("joined", {p, m.add("sum", x, x)}, 2);
  m.output(m.reshape("flat", j, {8}));
  m.output(m.softmax("soft", m.reshape("row", x, {4})));
  const lb::sample samples[] = {{{-1, 2, 0.5f, 3}}};
  const lb::calibration c = lb::calibrate(m, samples);

  const std::vector<lb::tensor_desc> d = lb::choose_parameters(m, c, {});
  const auto of = [&](const std::vector<lb::tensor_desc>& all, const char* name) {
    for (std::size_t i = 0; i < all.size(); ++i)
      if (m[static_cast<int>(i)].name == name) return all[i];
    return lb::tensor_desc{};
  };
  CHECK(of(d, "x").params == lb::affine_from_range<lb::q8>(-1, 3));
  // relu, pool, sum, joined and flat hold the same numbers: -2 to 6.
  for (const char* name : {"relu", "pool", "sum", "joined", "flat"}) {
    CAPTURE(name);
    CHECK(of(d, name).params == lb::affine_from_range<lb::q8>(-2, 6));
  }
  CHECK(of(d, "row").params == of(d, "x").params);
  CHECK(of(d, "soft").params == lb::affine{1.0f / 256, -128});

  const std::vector<lb::tensor_desc> wide = lb::choose_parameters(m, c, {.activation_bits = 16});
  CHECK(of(wide, "x").format == lb::qformat::of<lb::q16>());
  CHECK(of(wide, "x").params == lb::affine{3.0f / 32767, 0});
  CHECK(of(wide, "soft").params == lb::affine{1.0f / 32768, 0});

  const std::vector<lb::tensor_desc> fixed =
      lb::choose_parameters(m, c, {.fixed = {{"pool", {0.5f, 3}}}});
  CHECK(of(fixed, "relu").params == lb::affine{0.5f, 3});
  CHECK(of(fixed, "flat").params == lb::affine{0.5f, 3});

  // The graph takes it all.
  const lb::quantized_model q = lb::quantize_model(m, c, samples, {});
  CHECK(q.graph().verdict().code == lb::graph_errc::ok);
  CHECK(q.graph().node_count() == static_cast<int>(m.size()));
  CHECK(q.graph().output_count() == 2);
}

TEST_CASE("a fused relu narrows the output's range") {
  const small_model s;
  const lb::quantized_model q = s.quantized();
  CHECK(q.graph()[1].fused == lb::activation::relu);
  CHECK(q.graph()[1].out.params.zero_point == -128);
  CHECK(q.notes.empty());
  REQUIRE(q.layers.size() == 2);
  CHECK(q.layers[0].node == "stem");
  CHECK(lb::summary(q).size() == 2);
}

TEST_CASE("biases are codes of input scale times weight scale") {
  const small_model s;
  for (int bits : {8, 16}) {
    const lb::quantized_model q =
        s.quantized({.activation_bits = bits, .fit_scales = false, .correct_bias = false});
    const lb::node& n = q.graph()[1];
    const float bias[] = {0.1f, -0.2f};
    CHECK(n.bias.is_wide == (bits == 16));
    for (std::size_t c = 0; c < 2; ++c) {
      const double step = static_cast<double>(q.graph()[0].out.params.scale) *
          static_cast<double>(n.weights.scales[c]);
      CHECK(std::fabs(static_cast<double>(n.bias[c]) * step - static_cast<double>(bias[c])) <=
            step * 0.5000001);
    }
  }
}

TEST_CASE("packed weights are the codes, lowest bits first") {
  const small_model s;
  const lb::quantized_model q = s.quantized({.weight_bits = 3, .fit_scales = false});
  const lb::weight_data& w = q.graph()[1].weights;
  const lb::quantized_weights expected = lb::quantize_weights(s.m[1], 3);
  REQUIRE(w.is_packed());
  CHECK(w.length == 2);  // 4 codes of 3 bits
  const lb::packed_view<lb::qs<3>> view(w.packed, 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(view[i] == expected.codes[i]);
}

TEST_CASE("weights of all widths, with error compensation and without, make models that run") {
  const small_model s;
  const auto storage = [&](const lb::quantization_recipe& r) {
    const lb::quantized_model q = s.quantized(r);
    CHECK(q.graph()[1].weights.format.bits == r.weight_bits);
    CHECK(q.graph()[1].ec == r.ec);
    return q.graph()[1].weights.storage;
  };
  for (const int activation_bits : {8, 16})
    for (int bits = 1; bits <= 16; ++bits)
      CHECK(storage({.activation_bits = activation_bits, .weight_bits = bits}) ==
            (bits == 8        ? lb::weight_storage::s8
                 : bits == 16 ? lb::weight_storage::s16
                              : lb::weight_storage::packed));
  storage({.activation_bits = 16, .weight_bits = 8, .ec = lb::error_compensation::exact});
  storage({.activation_bits = 16, .weight_bits = 16, .ec = lb::error_compensation::three_products});

  const auto details = [&](lb::error_compensation ec) {
    return lb::details_text(
        s.quantized({.activation_bits = 16, .weight_bits = 16, .ec = ec}).graph()[1]);
  };
  CHECK(details(lb::error_compensation::none) == "relu");
  CHECK(details(lb::error_compensation::exact) == "relu, ec exact");
  CHECK(details(lb::error_compensation::three_products) == "relu, ec three products");
}

TEST_CASE("the result is the same every time and does not depend on being moved") {
  const small_model s;
  lb::quantized_model a = s.quantized({.weight_bits = 2});
  const lb::quantized_model b = s.quantized({.weight_bits = 2}), moved = std::move(a);
  for (int i = 1; i < 3; ++i) {
    const lb::node &x = moved.graph()[i], &y = b.graph()[i];
    CHECK(x.out == y.out);
    for (std::size_t k = 0; k < x.weights.length; ++k)
      CHECK(x.weights.packed[k] == y.weights.packed[k]);
    for (std::size_t k = 0; k < x.bias.length; ++k) CHECK(x.bias[k] == y.bias[k]);
    for (std::size_t k = 0; k < x.weights.scale_count; ++k)
      CHECK(x.weights.scales[k] == y.weights.scales[k]);
  }
}

TEST_CASE("what is lost is noted") {
  const auto note = [](const lb::quantized_model& q, lb::finding what) {
    for (const lb::quantization_note& n : q.notes)
      if (n.what == what) return n.node + ": " + n.text;
    return std::string();
  };
  CHECK(note(small_model({0, 0, 1, 1}).quantized(), lb::finding::dead_weights) ==
        "stem: all weights of output channel 0 are zero");
  CHECK(note(small_model({0, 0, 1, 1}, {-1, 0}).quantized(), lb::finding::dead_channel) ==
        "stem: output channel 0 is zero for all samples");
  CHECK(note(small_model({1, 1, 1, 1}, {-50, -50}).quantized(), lb::finding::dead_tensor) ==
        "stem: the output is zero for all 100 samples");
  const std::string saturated =
      note(small_model().quantized({.fixed = {{"x", {1.0f / 256, 0}}}}), lb::finding::saturated);
  CHECK(saturated.find("x: values from -") == 0);
  CHECK(saturated.find(" exceed the codes' -0.5 to 0.4961") != std::string::npos);
  const lb::quantized_model raised = small_model({1e-12f, -1e-12f, 1, 1}, {1, 0}).quantized();
  CHECK(note(raised, lb::finding::raised_scale) ==
        "stem: channel 0 has tiny weights and a large bias; its weights become coarser");
  CHECK(raised.graph()[1].bias[0] > 1000000000);  // and it fits
  CHECK(note(raised, lb::finding::held_bias).empty());
  // A channel without weights keeps its bias to within a step.
  const lb::quantized_model dead = small_model({0, 0, 1, 1}, {0.75f, 0}).quantized();
  const double step = static_cast<double>(dead.graph()[0].out.params.scale) *
      static_cast<double>(dead.graph()[1].weights.scales[0]);
  CHECK(static_cast<double>(dead.graph()[1].bias[0]) * step ==
        doctest::Approx(0.75).epsilon(0.001));
}

TEST_CASE("recipes and calibrations that cannot work are refused") {
  const small_model s;
  const auto tried = [&](const lb::quantization_recipe& r) {
    return refusal([&] { s.quantized(r); });
  };
  CHECK(tried({.activation_bits = 12}) ==
        "lowbits: quantize_model: activations of 12 bits are asked for; choose 8 or 16");
  CHECK(tried({.weight_bits = 0}) ==
        "lowbits: quantize_weights: node 'stem' is to get weights of 0 bits; choose 1 to 16");
  CHECK(tried({.weight_bits = 16, .ec = lb::error_compensation::three_products}) != "");
  const std::string scale =
      "lowbits: quantize_model: the parameters fixed for node 'x' have a scale that is not above "
      "zero, or a zero point "
      "outside the type; give a finite scale above zero and a zero point the codes can hold";
  CHECK(tried({.fixed = {{"x", {0.0f, 0}}}}) == scale);
  CHECK(tried({.fixed = {{"x", {-1.0f, 0}}}}) == scale);
  CHECK(tried({.fixed = {{"x", {1.0f, 128}}}}) == scale);
  CHECK(tried({.fixed = {{"image", {1.0f, 0}}}}) ==
        "lowbits: quantize_model: parameters are fixed for node 'image', which the model does not "
        "have; correct the name");
  CHECK(refusal([&] { lb::quantize_model(s.m, s.seen(), {}, {}); }) ==
        "lowbits: quantize_model: there are no samples to correct scales and biases with; give "
        "samples, or set fit_scales and "
        "correct_bias to false");
  CHECK(refusal([&] { lb::quantize_model(s.m, {}, s.samples, {}); }) ==
        "lowbits: quantize_model: the calibration is of another model; call calibrate() with this "
        "one");

  small_model broken;
  broken.samples[4][0][1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(refusal([&] { broken.quantized(); }) ==
        "lowbits: quantize_model: 1 values of node 'x' were NaN or infinite in calibration; "
        "correct the samples or the weights in "
        "front of it");

  lb::float_model named;
  named.output(named.clamped(std::string(63, 'n'), named.input("x", {1}), lb::activation::relu));
  const lb::sample one[] = {{{1}}};
  CHECK(refusal([&] {
          lb::quantize_model(named, lb::calibrate(named, one), one, {});
        }).find(lb::to_string(lb::graph_errc::name_length)) == 0);

  lb::float_model endless;
  endless.input("x", {1});
  CHECK(refusal([&] { lb::quantize_model(endless, lb::calibrate(endless, one), one, {}); }) ==
        std::string(lb::to_string(lb::graph_errc::no_output)) + " (node '')");

  lb::float_model twice;
  const auto x = twice.input("x", {1}), y = twice.input("y", {1});
  twice.output(twice.concat("z", {x, y}, 0));
  const lb::sample two[] = {{{1}, {2}}};
  CHECK(refusal([&] {
          lb::quantize_model(twice, lb::calibrate(twice, two), two,
                             {.fixed = {{"x", {1.0f, 0}}, {"y", {2.0f, 0}}}});
        }) ==
        "lowbits: quantize_model: node 'y' must share its parameters with 'x', but others are "
        "fixed for it; fix the same "
        "parameters for both, or none");
}

TEST_CASE("padding that leads to a window leads back to it") {
  for (int in = 1; in <= 9; ++in)
    for (int kernel = 1; kernel <= 4; ++kernel)
      for (int stride = 1; stride <= 3; ++stride)
        for (int dilation = 1; dilation <= 2; ++dilation)
          for (int mode = 0; mode < 10; ++mode) {  // nine explicit paddings, and "same"
            lb::infer::verdict v;
            const int reach = (kernel - 1) * dilation + 1;
            const auto f = lb::infer::fit_window(in, kernel, stride, dilation, mode / 3, mode % 3,
                                                 mode == 9, v);
            if (!v.ok()) continue;
            const int after = lb::padding_after(in, f.out, reach, stride, f.pad_before);
            const auto back =
                lb::infer::fit_window(in, kernel, stride, dilation, f.pad_before, after, false, v);
            CAPTURE(in);
            CAPTURE(kernel);
            CAPTURE(stride);
            CAPTURE(dilation);
            CAPTURE(mode);
            REQUIRE(after >= 0);
            REQUIRE(v.ok());
            REQUIRE(back.out == f.out);
            REQUIRE(back.pad_before == f.pad_before);
          }
}
