// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <lowbits/hosted/emit_header.hpp>

// What emit_header() writes for golden_graph() below. To renew it after a deliberate change, run this
// test with LOWBITS_RENEW_GOLDEN=1 and look at the difference.
#include "support/golden_network.hpp"

namespace lb = lowbits;

namespace {

using graph = lb::builder<64>;

template <class Function>
std::string refusal(Function&& f) {
  try {
    f();
  } catch (const lb::model_error& e) { return e.what(); }
  return "";
}

constexpr std::int8_t conv_w[2 * 3 * 3] = {1, -128, 127, 0,  -1, 2,   -3, 4,   -5,
                                           6, -7,   8,   -9, 10, -11, 12, -13, 14};
constexpr std::uint8_t up_w[3 * 2 * 2 * 2] = {0, 255, 128};
constexpr std::int16_t wide_w[4] = {-32768, 32767, 0, 1};
constexpr std::uint8_t one_byte[1] = {0xe4}, two_bytes[2] = {0xe4, 0x1b};
constexpr float two_scales[2] = {0.1f, 1e-6f}, one_scale[1] = {1.17549435e-38f};
constexpr std::int32_t conv_b[2] = {-2147483647, 2147483647};
constexpr std::int8_t offsets[2] = {-128, 127};
constexpr float reals[3] = {-1.5f, 0.1f, 1e30f};
constexpr float one_real[1] = {0.25f};
constexpr struct {
  std::uint8_t byte[256];
  std::int16_t word[513];
} tables = {{1, 2, 255}, {-32768, 32767}};
constexpr std::uint8_t four_w[4] = {1, 255, 0, 128};
constexpr float axis_scale[3] = {0.5f, 0.25f, 1.0f};
constexpr std::int32_t axis_zero[3] = {0, -3, 127};
constexpr lb::imported::axis_scales per_axis{axis_scale, axis_zero, 3, {.extent = 3}};
constexpr std::int16_t few_w[4] = {1, -2, 300, 0};
constexpr std::int8_t sums_w[48] = {1, -1};
constexpr std::int32_t ends[2] = {-2147483647 - 1, 2147483647};
constexpr std::int64_t wide_b[1] = {-4000000000000000000};

/// One node of every kind that text can describe.
void fill(graph& g) {
  using namespace lb;
  const affine a{.scale = 0.5f, .zero_point = -3}, b{.scale = 0.25f};
  const edge x = g.input("image", tensor<q8, 4, 6, 2>(a));
  const edge real = g.input("real part", real_tensor<2, 3>());
  const edge c = g.conv2d("conv 3x3", x,
                          {.out_c = 2,
                           .kernel = 3,
                           .stride = {2, 1},
                           .pad = 1,
                           .groups = 2,
                           .weights = weights(conv_w, two_scales),
                           .bias = conv_b,
                           .out = a,
                           .fused = activation::relu6});
  const edge d = g.depthwise("conv-3x3", c,
                             {.kernel = {1, 2},
                              .dilation = {1, 3},
                              .pad = {0, 1, 2, 0},
                              .weights = packed_weights<ternary>(one_byte, symmetric{0.125f}),
                              .out = b,
                              .policy = rounding::double_gemmlowp});
  const edge u = g.transposed_conv2d("9 up", x,
                                     {.out_c = 3,
                                      .kernel = 2,
                                      .stride = 2,
                                      .weights = weights(up_w, affine{0.5f, 128}),
                                      .out = b});
  const edge v = g.transposed_conv2d("up same", x,
                                     {.out_c = 1,
                                      .kernel = 1,
                                      .stride = 2,
                                      .pad = same_padding,
                                      .weights = packed_weights<q4>(one_byte, symmetric{0.5f}),
                                      .out = b});
  const edge f =
      g.dense("dense", g.reshape("flat", d, {2, 15}),
              {.units = 1, .weights = packed_weights<q1>(two_bytes, symmetric{0.5f}), .out = b});
  const edge w =
      g.requantize("wide", g.slice("four", f, {.begin = {0, 0}, .extent = {1, 1}, .step = {1, -1}}),
                   {.out = {.scale = 0.01f}, .out_format = qformat::of<q16>()});
  const edge four = g.concat("all four", {w, w, w, w}, 1);
  g.output(g.dense("head", four,
                   {.units = 1,
                    .weights = weights(wide_w, one_scale),
                    .bias = wide_b,
                    .out = {.scale = 1.0f},
                    .product = scale_product::float32}));
  const edge m = g.max_pool("max", x, {.kernel = 2, .stride = 2, .fused = activation::relu});
  const edge n = g.average_pool("mean", x, {.kernel = 3, .stride = 1, .pad = 1});
  const edge all = g.global_mean("all", n, {.out = b});
  g.dense("two scales", all, {.units = 2, .weights = weights(four_w, {two_scales, 3}), .out = b});
  const edge s = g.add("sum", x, n, {.out = b, .definition = sum_definition::tflite});
  g.sub("difference", s, x, {.out = a, .fused = activation::relu_n1_to_1});
  g.mul("product", s, x, {.out = a, .policy = rounding::even_float});
  g.minimum("low", s, x, {.out = a});
  g.maximum("high", s, x, {.out = a});
  const edge matrix = g.reshape("matrix", x, {6, 8});
  g.matmul("squares", matrix, matrix, {.x_transposed = true, .out = b});
  const edge with_a_long_name = g.input(
      "a name with as many characters as a builder takes for one node", tensor<q8, 1, 1, 1>(a));
  g.transposed_conv2d(
      "another name, also of sixty-two letters; identifiers are short", with_a_long_name,
      {.out_c = 1, .weights = packed_weights<narrow<q6>>(one_byte, one_scale), .out = b});
  g.softmax("soft", m, {.beta = 0.5f});
  g.sigmoid("sigmoid", m, {.out = {.scale = 1 / 256.f, .zero_point = -128}});
  g.leaky_relu("leaky", m, 0.1, {.out = a});
  g.transpose("turned", x, {2, 0, 1});
  g.pad("framed", x, {.before = {1, 0, 0}, .after = {0, 2, 0}});
  g.pad("walled", x, {.after = {0, 0, 1}, .value = -128});
  g.pad("real frame", real, {.before = {0, 1}, .value = 0.5f});
  g.output(g.add("raised", x, g.constant("offsets", tensor<q8, 1, 1, 2>(b), offsets), {.out = a}));
  const edge sure = g.softmax("sure", g.dense("real dense", real, {.units = 1, .weights = weights(reals), .bias = one_real}));
  g.maximum("most", sure, g.relu6("flat six", g.sigmoid("curve", sure, {})), {.fused = activation::relu});
  g.output(g.pad("real rows", g.constant("three", real_tensor<3>(), reals), {.after = {1}}));
  g.output(g.table("looked up", x, tables.byte, {.out = b, .out_format = qformat::of<u8>()}));
  g.output(g.table("wide table", w, tables.word, {.out = b}));
  g.resize("larger", x,
           {.out_h = 8, .out_w = 9, .mode = resize_mode::bilinear, .half_pixel_centers = true});
  g.grid_sample("sampled", x, g.input("grid", tensor<q8, 2, 2, 2>({.scale = 1 / 127.f})),
                {.outside = grid_padding::border});
  g.relu("plain relu", x);
  const edge q =
      g.quantize("codes", real, {.out = {.scale = 0.1f}, .out_format = qformat::of<u4>()});
  g.output(g.dequantize("reals", q)).output(u).output(v);
  const edge p = g.custom("per axis", {real}, {.run = imported::quantize_per_axis, .out = tensor<q8, 2, 3>({}), .user = &per_axis, .user_bytes = 24});
  const edge r = g.custom("back", {p}, {.run = imported::dequantize_per_axis, .out = real_tensor<2, 3>(), .user = &per_axis, .user_bytes = 24});
  g.custom("power", {r, real}, {.run = imported::power, .out = real_tensor<2, 3>()});
  const edge sums = g.dense("sums", g.reshape("image row", x, {1, 48}),
                            {.units = 1, .weights = weights(sums_w, symmetric{0.5f}), .out_format = as_sums});
  const edge wide = g.concat("32 bits", {sums, g.constant("ends", tensor<q32, 1, 2>({.scale = 0.25f}), ends)}, 1);
  g.requantize("rounded", g.pad("lowest", wide, {.before = {1}, .value = ends[0]}), {.out = a, .out_format = qformat::of<q8>()});
  g.matmul("products", matrix, matrix, {.x_transposed = true, .out = b, .out_format = as_sums});
}
std::unique_ptr<graph> golden_graph() {
  auto g = std::make_unique<graph>();
  fill(*g);
  return g;
}

std::filesystem::path golden_path() {
  return std::filesystem::path(__FILE__).parent_path().parent_path() / "support/golden_network.hpp";
}
std::string golden_text() {
  std::ifstream file(golden_path(), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
const lb::header_options options{.space = "golden",
                                 .licence = "Apache-2.0 WITH LLVM-exception",
                                 .notice = {"Every kind of node.", "", "A line that ends in \\"},
                                 .arena_bytes = 100000};

/// The number behind a weight, in whichever array it is.
float weight(const lb::weight_data& w, std::size_t i) {
  return w.s8 != nullptr ? static_cast<float>(w.s8[i])
      : w.u8 != nullptr  ? static_cast<float>(w.u8[i])
      : w.s16 != nullptr ? static_cast<float>(w.s16[i])
      : w.f32 != nullptr ? w.f32[i]
                         : static_cast<float>(w.packed[i]);
}

}  // namespace

TEST_CASE("emit: numbers that have no decimal") {
// The text, and the number that a compiler makes of it in a constant expression.
#define CHECK_TEXT(number, text) \
  {                              \
    constexpr auto v = text;     \
    CHECK(lb::emit::literal(number) == #text); \
    CHECK(lb::fp::to_bits(v) == lb::fp::to_bits(number)); \
  }
  CHECK_TEXT(__builtin_inff(), lb::fp::from_bits(0x7f800000u))
  CHECK_TEXT(-__builtin_inff(), lb::fp::from_bits(0xff800000u))
  CHECK_TEXT(__builtin_nanf(""), lb::fp::from_bits(0x7fc00000u))
  CHECK_TEXT(__builtin_inf(), lb::fp::from_bits64(0x7ff0000000000000u))
  CHECK_TEXT(-__builtin_inf(), lb::fp::from_bits64(0xfff0000000000000u))
  CHECK_TEXT(__builtin_nan(""), lb::fp::from_bits64(0x7ff8000000000000u))
  CHECK_TEXT(3.40282347e+38f, 3.4028235e+38f)
#undef CHECK_TEXT
  const std::vector<float> some(40, -__builtin_inff());
  const std::string text = lb::emit::number_array("float", "some", std::span<const float>(some), 14);
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != text.npos; at = end + 1) CHECK(end - at <= lb::emit::columns);
}

TEST_CASE("a graph with every kind of node: the exact text") {
  const auto g = golden_graph();
  REQUIRE(std::string(lb::to_string(g->error().code)) == "ok");
  const std::string text = lb::emit_header(*g, options);
  if (std::getenv("LOWBITS_RENEW_GOLDEN") != nullptr)
    std::ofstream(golden_path(), std::ios::binary) << text;
  std::string expected = golden_text();
  REQUIRE(!expected.empty());
  // Line by line, so that a difference can be read.
  for (std::size_t a = 0, b = 0, line = 1; a < text.size() || b < expected.size(); ++line) {
    const std::size_t end_a = std::min(text.find('\n', a), text.size()),
                      end_b = std::min(expected.find('\n', b), expected.size());
    CAPTURE(line);
    REQUIRE(text.substr(a, end_a - a) == expected.substr(b, end_b - b));
    CHECK(end_a - a <= 100);
    a = end_a + 1;
    b = end_b + 1;
  }
  CHECK(text == lb::emit_header(*golden_graph(), options));
}

TEST_CASE("the emitted text is the same graph") {
  static constexpr auto compiled = golden::make_net();
  const auto g = golden_graph();
  REQUIRE(compiled.node_count() == g->node_count());
  REQUIRE(compiled.input_count() == g->input_count());
  REQUIRE(compiled.output_count() == g->output_count());
  for (int k = 0; k < g->input_count(); ++k) CHECK(compiled.input_node(k) == g->input_node(k));
  for (int k = 0; k < g->output_count(); ++k) CHECK(compiled.output_node(k) == g->output_node(k));
  for (int i = 0; i < g->node_count(); ++i) {
    const lb::node &a = compiled[i], &b = (*g)[i];
    CAPTURE(b.name.c_str());
    CHECK(a.kind == b.kind);
    CHECK(a.name == b.name);
    REQUIRE(a.in_count == b.in_count);
    for (int k = 0; k < a.in_count; ++k) CHECK(a.in[k] == b.in[k]);
    CHECK(a.out == b.out);
    CHECK(a.window == b.window);
    CHECK(a.groups == b.groups);
    CHECK(a.fused == b.fused);
    CHECK(a.policy == b.policy);
    CHECK(a.product == b.product);
    CHECK(a.sum == b.sum);
    CHECK(a.axis == b.axis);
    for (int l = 0; l < 3; ++l)
      for (int k = 0; k < lb::max_rank; ++k) CHECK(a.list[l][k] == b.list[l][k]);
    CHECK(a.flag[0] == b.flag[0]);
    CHECK(a.flag[1] == b.flag[1]);
    CHECK(a.mode == b.mode);
    CHECK(a.outside == b.outside);
    CHECK((a.function == b.function));
    CHECK((a.custom.run == b.custom.run));
    CHECK(a.custom.user_bytes == b.custom.user_bytes);
    if (const auto *x = lb::emit::scales_of(a), *y = lb::emit::scales_of(b); y != nullptr) {
      REQUIRE(x->count == y->count);
      for (std::size_t k = 0; k < x->count; ++k) {
        CHECK(x->scales[k] == y->scales[k]);
        CHECK(x->zero_points[k] == y->zero_points[k]);
      }
      for (std::size_t k = 0; k < b.out.count(); ++k) CHECK(x->at(k) == y->at(k));
    }
    CHECK(a.has_fill == b.has_fill);
    CHECK(a.fill == b.fill);
    REQUIRE(a.constant.length == b.constant.length);
    CHECK(a.constant.type == b.constant.type);
    if (b.kind == lb::op_kind::constant) CHECK(std::memcmp(a.constant.data, b.constant.data, b.out.bytes()) == 0);
    REQUIRE(a.table.is_bound == b.table.is_bound);
    CHECK((a.table.words != nullptr) == (b.table.words != nullptr));
    if (b.table.bytes != nullptr) CHECK(std::memcmp(a.table.bytes, b.table.bytes, 256) == 0);
    if (b.table.words != nullptr) CHECK(std::memcmp(a.table.words, b.table.words, 1026) == 0);
    CHECK(a.parameter == b.parameter);
    REQUIRE(a.weights.length == b.weights.length);
    CHECK(a.weights.storage == b.weights.storage);
    CHECK(a.weights.format == b.weights.format);
    for (std::size_t k = 0; k < a.weights.length; ++k)
      CHECK(weight(a.weights, k) == weight(b.weights, k));
    REQUIRE(a.weights.scale_count == b.weights.scale_count);
    for (std::size_t k = 0; k < a.weights.scale_count; ++k)
      CHECK(a.weights.scales[k] == b.weights.scales[k]);
    CHECK(a.weights.scale == b.weights.scale);
    CHECK(a.weights.zero_point == b.weights.zero_point);
    REQUIRE(a.bias.length == b.bias.length);
    CHECK(a.bias.is_wide == b.bias.is_wide);
    CHECK(a.bias.is_real == b.bias.is_real);
    for (std::size_t k = 0; k < a.bias.length; ++k)
      CHECK((a.bias.is_real ? a.bias.f32[k] == b.bias.f32[k] : a.bias[k] == b.bias[k]));
  }
}

TEST_CASE("float literals read back exactly") {
  std::uint32_t bits = 1;
  for (int i = 0; i < 20000; ++i) {
    bits = bits * 1664525u + 1013904223u;
    float x = 0;
    std::memcpy(&x, &bits, sizeof x);
    if (!lb::fp::is_finite(x)) continue;
    const std::string text = lb::emit::literal(x);
    REQUIRE(text.back() == 'f');
    REQUIRE(text.find_first_of(".e") != std::string::npos);
    REQUIRE(std::strtof(text.c_str(), nullptr) == x);
  }
  CHECK(lb::emit::literal(1.0f) == "1.0f");
  CHECK(lb::emit::literal(0.0625f) == "0.0625f");
  CHECK(lb::emit::literal(1e-20f) == "1e-20f");
  CHECK(lb::emit::literal(0.1) == "0.1");
}

TEST_CASE("identifiers") {
  lb::emit::identifiers id;
  CHECK(id.make("stem") == "stem");
  CHECK(id.make("block 1/conv") == "block_1_conv");
  CHECK(id.make("block.1.conv") == "block_1_conv_2");
  CHECK(id.make("block_1_conv_2") == "block_1_conv_2_2");
  CHECK(id.make("__x__y__") == "x_y");
  CHECK(id.make("3x3") == "n3x3");
  CHECK(id.make("\xc3\xa4") == "node");
  CHECK(id.make("") == "node_2");
  CHECK(id.make(std::string(60, 'x')) == std::string(40, 'x'));
  CHECK(id.make(std::string(61, 'x')) == std::string(40, 'x') + "_2");
}

TEST_CASE("comments and names cannot break out of their line") {
  CHECK(lb::emit::comment("a\nb") == "// a b\n");
  CHECK(lb::emit::comment("path\\") == "// path\\.\n");
  CHECK(lb::emit::comment("") == "//\n");
  CHECK(lb::emit::quoted("\xc3\xa4\x01") == "\"\xc3\xa4\\001\"");
  std::string long_line;
  for (int i = 0; i < 40; ++i) long_line += "words ";
  const std::string wrapped = lb::emit::comment(long_line);
  CHECK(wrapped.find("\n//   words words") == 98);
  CHECK(std::count(wrapped.begin(), wrapped.end(), '\n') == 3);
  lb::builder<2> g;
  g.output(g.input("a\"b\\c\n", lb::tensor<lb::q8, 1>({})));
  CHECK(lb::emit_header(g).find(
            "g.input(\"a\\\"b\\\\c\\012\", lb::tensor<lb::q8, 1>({.scale = 1.0f}));") !=
        std::string::npos);
}

TEST_CASE("how a layer multiplies words is written") {
  lb::builder<8> g;
  const lb::affine p{.scale = 1.0f};
  const auto x = g.input("x", lb::tensor<lb::q16, 2, 2>(p));
  const auto w = lb::weights(wide_w, lb::symmetric{1.0f});
  const auto d = g.dense("d", x, {.units = 2, .weights = w, .out = p, .ec = lb::error_compensation::exact});
  g.output(g.matmul("m", d, x, {.out = p, .ec = lb::error_compensation::three_products}));
  const std::string text = lb::emit_header(g);
  CHECK(text.find(".ec = lb::error_compensation::exact}") != std::string::npos);
  CHECK(text.find(".ec = lb::error_compensation::three_products}") != std::string::npos);
}

TEST_CASE("weights that prove a sum by their values stay in the header") {
  lb::builder<8> g;
  const auto x = g.input("x", lb::tensor<lb::q16, 1, 4>({.scale = 1.0f}));
  constexpr lb::symmetric s{.scale = 1.0f};
  const auto sums = g.dense("sums", x, {.units = 1, .weights = lb::weights(few_w, s), .out_format = lb::as_sums});
  const auto codes = g.dense("codes", x, {.units = 1, .weights = lb::weights(few_w, s), .out = {.scale = 1.0f}});
  g.output(sums).output(codes);
  REQUIRE(std::string(lb::to_string(g.error().code)) == "ok");
  for (const bool compress : {false, true}) {
    const std::string text = lb::emit_header(g, {.weights_in_blob = !compress, .compress = compress});
    CHECK(text.find("std::int16_t sums_w[4] = {") != std::string::npos);
    if (!compress) CHECK(text.find("std::int16_t codes_w[4] = {") == std::string::npos);
  }
  CHECK(lb::signature_of(g, sums.node).is_prepared);
  CHECK(lb::signature_of(g, codes.node).is_prepared);
}

TEST_CASE("graphs that text cannot describe are refused") {
  lb::builder<8> empty;
  CHECK(refusal([&] { lb::emit_header(empty); }) ==
        std::string(lb::to_string(lb::graph_errc::no_output)) + " (node '')");

  lb::builder<8> wrong;
  wrong.output(wrong.input("x", lb::tensor<lb::q8, 1>({.scale = 0.0f})));
  CHECK(refusal([&] { lb::emit_header(wrong); }).find("(node 'x')") != std::string::npos);

  lb::builder<8> own;
  own.output(own.function("f", own.input("x", lb::tensor<lb::q8, 1>({})),
                          [](double x, double) { return x; }, {.out = {.scale = 1.0f}}));
  CHECK(refusal([&] { lb::emit_header(own); }) ==
        "lowbits: emit_header: node 'f' tabulates a function without a name; use one of "
        "graph/functions.hpp");

  lb::builder<8> custom;
  const auto x = custom.input("x", lb::tensor<lb::q8, 1>({}));
  custom.output(custom.custom(
      "mine", {x}, {.run = [](const lb::custom_call&) noexcept {}, .out = custom.desc(x)}));
  CHECK(refusal([&] { lb::emit_header(custom); }) ==
        "lowbits: emit_header: node 'mine' is a custom operation, which text cannot describe; add "
        "it to the emitted function by hand");
}
