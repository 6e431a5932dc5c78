// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// TFLite's integer LSTM: outputs and states as LiteRT's reference kernels gave them (tests/data/tflite_lstm.json, made by
// tools/make_tflite_vectors/make_lstm.py), each option alone and all together.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lowbits/ref/tflite_lstm.hpp>

namespace {

namespace lb = lowbits;
using nlohmann::json;

/// A factor as TFLite forms it: in floats, from left to right.
lb::fixed_multiplier ratio(float a, float b, float by) {
  const float product = a * b;
  return lb::fixed_multiplier::from(double{product / by});
}

/// The constants `<key>_<gate>` one behind the other; absent ones are zeros. The scales are those of the gates.
template <class T>
std::vector<T> rows(const json& c, const std::string& key, std::size_t size, const std::vector<std::string>& gates, std::vector<float>& scales) {
  std::vector<T> all;
  bool is_there = false;
  for (const std::string& gate : gates) {
    const std::string name = std::string(key).append("_").append(gate);
    scales.push_back(c.contains(name) ? c[name]["scale"].get<float>() : 0.0f);
    is_there = is_there || c.contains(name);
    const auto part = c.contains(name) ? c[name]["data"].get<std::vector<T>>() : std::vector<T>(size);
    all.insert(all.end(), part.begin(), part.end());
  }
  return is_there ? all : std::vector<T>{};
}
template <class T>
const T* or_null(const std::vector<T>& v) { return v.empty() ? nullptr : v.data(); }

const std::vector<std::string> four = {"input", "forget", "cell", "output"}, three = {"input", "forget", "output"};

}  // namespace

TEST_CASE("TFLite's integer LSTM, every case LiteRT has answered") {
  const json file = json::parse(std::ifstream(std::string(LOWBITS_TEST_DATA) + "/tflite_lstm.json"));
  REQUIRE(file["cases"].size() == 20);
  for (const json& c : file["cases"]) {
    CAPTURE(c["name"].get<std::string>());
    const auto number = [&](const char* key) { return c[key].get<int>(); };
    const auto scale = [&](const char* key) { return c[key].get<float>(); };
    const lb::recurrent_shape s{number("batch"), number("steps"), number("inputs"), number("units"), c["time_major"].get<bool>()};
    const int outputs = number("outputs");
    const auto units = static_cast<std::size_t>(s.units), cells = static_cast<std::size_t>(s.batch) * units;

    std::vector<float> x_scales, h_scales, peephole_scales, bias_scales, norm_scales;
    const auto wx = rows<int8_t>(c, "wx", units * static_cast<std::size_t>(s.inputs), four, x_scales);
    const auto wh = rows<int8_t>(c, "wh", units * static_cast<std::size_t>(outputs), four, h_scales);
    const auto peepholes = rows<int16_t>(c, "peephole", units, three, peephole_scales), norm = rows<int16_t>(c, "norm", units, four, norm_scales);
    const auto bias = rows<int32_t>(c, "bias", units, four, bias_scales);
    std::vector<int8_t> projection;
    std::vector<int32_t> projection_bias;
    lb::tflite_lstm_weights w{.x = wx.data(), .h = wh.data(), .bias = bias.data(), .peepholes = or_null(peepholes), .norm = or_null(norm)};
    float inner[4];
    for (std::size_t g = 0; g < 4; ++g) {
      inner[g] = c[std::string("inner_") + four[g]].get<float>();
      w.x_factors[g] = ratio(x_scales[g], scale("x_scale"), inner[g]);
      w.h_factors[g] = ratio(h_scales[g], scale("h_scale"), inner[g]);
      w.norm_factors[g] = lb::fixed_multiplier::from(double{norm_scales[g]});
      w.norm_guard[g] = std::max(1, static_cast<int>(10000 * norm_scales[g]));
    }
    const float cell_scale = std::ldexp(1.0f, number("cell_exponent"));
    for (std::size_t i = 0; i < 3; ++i) w.peephole_factors[i] = ratio(cell_scale, peephole_scales[i], inner[i == 2 ? 3 : i]);
    const float m_scale = scale("m_scale");
    if (c.contains("projection")) {
      projection = c["projection"]["data"].get<std::vector<int8_t>>();
      projection_bias = c["projection_bias"]["data"].get<std::vector<int32_t>>();
      w.projection = projection.data();
      w.projection_bias = projection_bias.data();
      w.projection_factor = ratio(c["projection"]["scale"].get<float>(), m_scale, scale("h_scale"));
    }
    lb::tflite_lstm_params p{.x_zero = number("x_zero"), .h_zero = number("h_zero"), .m_zero = number("m_zero"), .coupled = c["coupled"].get<bool>(),
                             .cell_exponent = number("cell_exponent"), .output = ratio(std::ldexp(1.0f, -30), 1.0f, m_scale)};
    p.cell_limit = static_cast<int>(std::min(scale("cell_clip") / cell_scale, 32767.0f));
    p.output_limit = static_cast<int>(std::min(scale("proj_clip") / scale("h_scale"), 127.0f));

    const auto x = c["x"].get<std::vector<int8_t>>();
    std::vector<int8_t> h(static_cast<std::size_t>(s.batch * outputs), static_cast<int8_t>(p.h_zero)), y(h.size() * static_cast<std::size_t>(s.steps));
    std::vector<int16_t> cell(cells), gates(4 * units);
    lb::ref::tflite_lstm(s, outputs, p, w, x.data(), nullptr, h.data(), cell.data(), gates.data(), y.data());
    CHECK(y == c["y"].get<std::vector<int8_t>>());
    CHECK(h == c["h"].get<std::vector<int8_t>>());
    CHECK(cell == c["c"].get<std::vector<int16_t>>());
  }
}

TEST_CASE("inverse_root: TFLite's five steps leave 1.3e-6 at the ends of its range") {
  for (const int x : {1, 2, 3, 4, 5, 100, 1023, 1024, 65535, 1 << 20, 123456789, (1 << 29) - 1, 1 << 29, 1 << 30, 2147483647}) {
    const lb::fixed_multiplier m = lb::inverse_root(x);
    const double got = std::ldexp(static_cast<double>(m.mantissa), m.exponent - 31), want = 1 / std::sqrt(static_cast<double>(x));
    CAPTURE(x);
    CHECK(std::abs(got / want - 1) < 1.3e-6);
  }
  CHECK(lb::inverse_root(0) == lb::inverse_root(1));
}
