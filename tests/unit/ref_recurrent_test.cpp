// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Recurrent layers in integers: streams, layouts and the ends of all ranges; accuracy against doubles. (Other
// libraries' vectors: foreign_cmsis_nn_test, foreign_models_test.)
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <lowbits/pack/packed_view.hpp>
#include <lowbits/ref/lstm.hpp>
#include <lowbits/ref/real_recurrent.hpp>
#include <lowbits/ref/svdf.hpp>

#include "support/naive_conv.hpp"

namespace {

namespace lb = lowbits;
using multiplier = lb::fixed_multiplier;

struct numbers {
  std::vector<int8_t> wx, wh;
  std::vector<int32_t> bias;
  std::vector<multiplier> fx, fh;

  numbers(int inputs, int units, naive::random_numbers& random) {
    for (int i = 0; i < 4 * units * inputs; ++i) wx.push_back(static_cast<int8_t>(random.in(-127, 127)));
    for (int i = 0; i < 4 * units * units; ++i) wh.push_back(static_cast<int8_t>(random.in(-127, 127)));
    for (int i = 0; i < 4 * units; ++i) {
      bias.push_back(random.in(-9000, 9000));
      fx.push_back(multiplier::from(lb::real::from(0.05 + 0.01 * (i % 7))));
      fh.push_back(multiplier::from(lb::real::from(0.04 + 0.01 * (i % 5))));
    }
  }
  lb::recurrent_weights<const int8_t*, int32_t, multiplier> weights() const { return {wx.data(), wh.data(), bias.data(), fx.data(), fh.data()}; }
};

/// Outputs, and what the state holds behind them.
struct outcome {
  std::vector<int8_t> y, h;
  std::vector<int16_t> c;
  bool operator==(const outcome&) const = default;
};

/// All steps, in calls of `chunk` steps.
outcome run(lb::recurrent_shape s, const lb::lstm_params& p, const numbers& n, const std::vector<int8_t>& x, int chunk) {
  const auto cells = static_cast<std::size_t>(s.batch * s.units);
  outcome o{{}, std::vector<int8_t>(cells), std::vector<int16_t>(cells)};
  const lb::lstm_state<int8_t> state{o.h.data(), o.c.data()};
  state.reset(cells, p.h_zero);
  std::vector<int16_t> gates(4 * static_cast<std::size_t>(s.units));
  for (int done = 0, all = s.steps; done < all; done += chunk) {
    s.steps = std::min(chunk, all - done);
    std::vector<int8_t> y(cells * static_cast<std::size_t>(s.steps));
    lb::ref::lstm<lb::round_single, lb::round_single, int32_t>(s, p, n.weights(), x.data() + done * s.batch * s.inputs, nullptr, state, gates.data(), y.data());
    o.y.insert(o.y.end(), y.begin(), y.end());
  }
  return o;
}

std::vector<int8_t> codes(int n, naive::random_numbers& random) {
  std::vector<int8_t> v;
  for (int i = 0; i < n; ++i) v.push_back(static_cast<int8_t>(random.in(-128, 127)));
  return v;
}

}  // namespace

TEST_CASE("lstm: a stream in pieces gives the bytes of one call") {
  naive::random_numbers random(1);
  for (const auto& [batch, inputs, units] : {std::array{1, 3, 5}, {2, 7, 4}, {3, 1, 1}}) {
    const numbers n(inputs, units, random);
    const lb::recurrent_shape s{batch, 12, inputs, units, true};
    const auto x = codes(batch * 12 * inputs, random);
    const auto p = lb::lstm_params::from({0.02f, 7}, {1.0f / 128, -3}, -11);
    const outcome whole = run(s, p, n, x, 12);
    for (int chunk : {1, 2, 5}) CHECK(run(s, p, n, x, chunk) == whole);
  }
}

TEST_CASE("lstm: sequences of a batch do not see each other, and both layouts give the same") {
  naive::random_numbers random(2);
  const int batch = 3, steps = 4, inputs = 5, units = 6;
  const numbers n(inputs, units, random);
  const auto p = lb::lstm_params::from({0.02f, -9}, {1.0f / 128, 2}, -12);
  const auto x = codes(batch * steps * inputs, random);  // [batch][steps][inputs]
  const outcome together = run({batch, steps, inputs, units, false}, p, n, x, steps);
  std::vector<int8_t> by_time(x.size());
  for (int b = 0; b < batch; ++b)
    for (int t = 0; t < steps; ++t)
      for (int k = 0; k < inputs; ++k)
        by_time[static_cast<std::size_t>((t * batch + b) * inputs + k)] = x[static_cast<std::size_t>((b * steps + t) * inputs + k)];
  const outcome turned = run({batch, steps, inputs, units, true}, p, n, by_time, steps);
  CHECK(turned.h == together.h);
  CHECK(turned.c == together.c);
  for (int b = 0; b < batch; ++b) {
    const std::vector<int8_t> one(x.begin() + b * steps * inputs, x.begin() + (b + 1) * steps * inputs);
    const outcome alone = run({1, steps, inputs, units, false}, p, n, one, steps);
    const auto begin = together.y.begin() + b * steps * units;
    CHECK(alone.y == std::vector<int8_t>(begin, begin + steps * units));
    for (int t = 0; t < steps; ++t)
      for (int j = 0; j < units; ++j)
        CHECK(turned.y[static_cast<std::size_t>((t * batch + b) * units + j)] == together.y[static_cast<std::size_t>((b * steps + t) * units + j)]);
  }
}

TEST_CASE("lstm: nothing to do changes nothing") {
  naive::random_numbers random(3);
  const numbers n(3, 4, random);
  const auto p = lb::lstm_params::from({0.02f, 0}, {1.0f / 128, 5}, -12);
  int8_t h[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  int16_t c[8] = {9, 8, 7, 6, 5, 4, 3, 2}, gates[16];
  for (const lb::recurrent_shape& s : {lb::recurrent_shape{2, 0, 3, 4}, lb::recurrent_shape{0, 3, 3, 4}, lb::recurrent_shape{2, 3, 3, 0}})
    lb::ref::lstm<lb::round_single, lb::round_single, int32_t>(s, p, n.weights(), static_cast<const int8_t*>(nullptr), nullptr, lb::lstm_state<int8_t>{h, c}, gates, static_cast<int8_t*>(nullptr));
  for (int i = 0; i < 8; ++i) {
    CHECK(h[i] == i + 1);
    CHECK(c[i] == 9 - i);
  }
}

TEST_CASE("lstm: without inputs the gates follow bias and h") {
  naive::random_numbers random(4);
  numbers n(0, 2, random);
  for (auto& b : n.bias) b = 0;
  const auto p = lb::lstm_params::from({1.0f, 0}, {1.0f / 128, 0}, -12);
  CHECK(run({1, 3, 0, 2}, p, n, {}, 3).y == std::vector<int8_t>(6, 0));  // tanh(0) into an empty cell
}

TEST_CASE("lstm: the cell stops at its limit and comes back") {
  // Weights of 0, biases far out: i = f = o = 1, g = 1 or -1.
  for (const int sign : {1, -1})
    for (const float clip : {0.0f, 3.0f}) {
      const int8_t wx[4] = {}, wh[4] = {};
      int32_t bias[4] = {1 << 20, 1 << 20, sign * (1 << 20), 1 << 20};
      const multiplier one[4] = {multiplier::from(1.0), multiplier::from(1.0), multiplier::from(1.0), multiplier::from(1.0)};
      const auto p = lb::lstm_params::from({1.0f, 0}, {1.0f / 128, 0}, -12, clip);
      CHECK(p.cell_limit == (clip > 0.0f ? 3 * 4096 : 32767));
      int8_t h[1] = {}, y[40];
      int16_t c[1] = {}, gates[4];
      const int8_t x[40] = {};
      const lb::recurrent_weights<const int8_t*, int32_t, multiplier> w{wx, wh, bias, one, one};
      const lb::recurrent_shape s{1, 40, 1, 1};
      lb::ref::lstm<lb::round_single, lb::round_single, int32_t>(s, p, w, x, nullptr, {h, c}, gates, y);
      CHECK(c[0] == sign * p.cell_limit);
      CHECK(h[0] == (sign > 0 ? 127 : clip > 0.0f ? -127 : -128));  // tanh(3) * 128 = 127.4
      bias[2] = -bias[2];
      lb::ref::lstm<lb::round_single, lb::round_single, int32_t>({1, 3, 1, 1}, p, w, x, nullptr, {h, c}, gates, y);
      CHECK(c[0] * sign < p.cell_limit);
    }
}

TEST_CASE("lstm: numbers stay close to those of doubles over 10,000 steps") {
  // Real weights of a stable cell, quantized with a scale per row.
  const int inputs = 8, units = 16, steps = 10000;
  naive::random_numbers random(5);
  const auto uniform = [&](double limit) { return limit * random.in(-1000, 1000) * 1e-3; };
  std::vector<double> wx(4 * units * inputs), wh(4 * units * units), bias(4 * units);
  for (auto* v : {&wx, &wh})
    for (double& w : *v) w = uniform(0.25);
  for (double& b : bias) b = uniform(0.25);
  const double x_scale = 1.0 / 32, h_scale = 1.0 / 128;
  numbers n(0, 0, random);
  for (int r = 0; r < 4 * units; ++r) {
    const auto row = [&](const std::vector<double>& w, int depth, double scale, std::vector<int8_t>& to, std::vector<multiplier>& factors) {
      double largest = 1e-9;
      for (int k = 0; k < depth; ++k) largest = std::max(largest, std::abs(w[static_cast<std::size_t>(r * depth + k)]));
      for (int k = 0; k < depth; ++k) to.push_back(static_cast<int8_t>(std::lround(w[static_cast<std::size_t>(r * depth + k)] / largest * 127)));
      factors.push_back(multiplier::from(lb::real::from(largest / 127 * scale * 4096)));
      return largest / 127 * scale;
    };
    n.bias.push_back(static_cast<int32_t>(std::lround(bias[static_cast<std::size_t>(r)] / row(wx, inputs, x_scale, n.wx, n.fx))));
    row(wh, units, h_scale, n.wh, n.fh);
  }
  const auto x = codes(steps * inputs, random);
  const auto p = lb::lstm_params::from({static_cast<float>(x_scale), 0}, {static_cast<float>(h_scale), 0}, -12);
  const outcome got = run({1, steps, inputs, units}, p, n, x, steps);

  std::vector<double> h(units), c(units), gate(4 * units);
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  double early = 0, late = 0;
  for (int t = 0; t < steps; ++t) {
    for (int r = 0; r < 4 * units; ++r) {
      double sum = bias[static_cast<std::size_t>(r)];
      for (int k = 0; k < inputs; ++k) sum += wx[static_cast<std::size_t>(r * inputs + k)] * x[static_cast<std::size_t>(t * inputs + k)] * x_scale;
      for (int k = 0; k < units; ++k) sum += wh[static_cast<std::size_t>(r * units + k)] * h[static_cast<std::size_t>(k)];
      gate[static_cast<std::size_t>(r)] = sum;
    }
    for (std::size_t j = 0; j < units; ++j) {
      c[j] = sigmoid(gate[units + j]) * c[j] + sigmoid(gate[j]) * std::tanh(gate[2 * units + j]);
      h[j] = sigmoid(gate[3 * units + j]) * std::tanh(c[j]);
      const double error = std::abs(h[j] - got.y[static_cast<std::size_t>(t) * units + j] * h_scale);
      if (t < 100) early = std::max(early, error);
      else late = std::max(late, error);
    }
  }
  CAPTURE(early);
  CAPTURE(late);
  CHECK(early < 0.03);
  CHECK(late < 2 * early);
}

TEST_CASE("svdf: a filter's memory is its last values") {
  // One filter that copies its input, and a time weight for each entry: y is what came `age` steps ago.
  for (int age = 0; age < 4; ++age) {
    const lb::svdf_shape s{1, 1, 1, 1, 4};
    const int8_t feature[1] = {1};
    int8_t time[4] = {}, state[4] = {}, y[1] = {};
    time[3 - age] = 1;
    const lb::svdf_params<multiplier> p{.x_zero = 5, .feature = multiplier::from(1.0), .time = multiplier::from(1.0), .out = {5, -128, 127}};
    for (int t = 0; t < 9; ++t) {
      const int8_t x[1] = {static_cast<int8_t>(10 * t + 5)};
      lb::ref::svdf_step<lb::round_single>(s, p, lb::svdf_weights<const int8_t*, int8_t>{feature, time}, x, state, y);
      CHECK(y[0] == (t < age ? 5 : 10 * (t - age) + 5));
    }
  }
}

// ---- cells whose gates are floats
namespace {

struct real_cell {
  int units;
  std::vector<float> wx, wh, bias, h_bias;
  real_cell(int gates, int inputs, int n, naive::random_numbers& random) : units(n) {
    const auto fill = [&](std::vector<float>& v, int count) {
      for (int i = 0; i < count; ++i) v.push_back(static_cast<float>(random.in(-1000, 1000)) * 4e-4f);
    };
    fill(wx, gates * n * inputs), fill(wh, gates * n * n), fill(bias, gates * n), fill(h_bias, gates * n);
  }
};
std::vector<float> some_reals(int n, naive::random_numbers& random) {
  std::vector<float> v;
  for (int i = 0; i < n; ++i) v.push_back(static_cast<float>(random.in(-3000, 3000)) * 1e-3f);
  return v;
}
enum class cell { rnn, lstm, gru };
constexpr int gates_of(cell k) { return k == cell::rnn ? 1 : k == cell::lstm ? 4 : 3; }

template <class Rows>
void run_real(cell k, const lb::recurrent_shape& s, const lb::recurrent_options& o, const Rows& wx, const Rows& wh, const real_cell& n,
              const float* x, const int* lengths, std::vector<float>& h, std::vector<float>& c, std::vector<float>& y) {
  std::vector<float> work(8 * static_cast<std::size_t>(s.units));
  if (k == cell::rnn) lb::ref::real_rnn(s, o, wx, wh, n.bias.data(), x, lengths, h.data(), work.data(), y.data());
  if (k == cell::lstm) lb::ref::real_lstm(s, o, wx, wh, n.bias.data(), nullptr, x, lengths, h.data(), c.data(), work.data(), y.data());
  if (k == cell::gru) lb::ref::real_gru(s, o, wx, wh, n.bias.data(), n.h_bias.data(), x, lengths, h.data(), work.data(), y.data());
}

}  // namespace

TEST_CASE("real cells: lengths, both directions side by side") {
  naive::random_numbers random(6);
  const int batch = 3, steps = 5, inputs = 4, units = 3;
  for (const cell k : {cell::rnn, cell::lstm, cell::gru})
    for (const bool time_major : {false, true}) {
      const real_cell n(gates_of(k), inputs, units, random);
      const lb::real_rows wx{n.wx.data(), gates_of(k) * units, inputs}, wh{n.wh.data(), gates_of(k) * units, units};
      const auto x = some_reals(batch * steps * inputs, random);
      const int lengths[batch] = {5, 0, 2};
      const lb::recurrent_options o{.f = k == cell::rnn ? lb::recurrent_function::relu : lb::recurrent_function::logistic};
      std::vector<float> y(static_cast<std::size_t>(batch * steps * 2 * units), 99.0f);
      for (const bool reverse : {false, true}) {
        std::vector<float> h(batch * units), c(batch * units), half(y.begin() + (reverse ? units : 0), y.end());
        const lb::recurrent_shape s{batch, steps, inputs, units, time_major, reverse, 2 * units};
        run_real(k, s, o, wx, wh, n, x.data(), lengths, h, c, half);
        std::copy(half.begin(), half.end(), y.begin() + (reverse ? units : 0));
        // Each sequence alone, turned by hand, gives the same.
        for (int b = 0; b < batch; ++b) {
          std::vector<float> one, h1(units), c1(units), y1(static_cast<std::size_t>(lengths[b] * units));
          for (int i = 0; i < lengths[b]; ++i) {
            const auto from = x.begin() + s.x_at(b, reverse ? lengths[b] - 1 - i : i);
            one.insert(one.end(), from, from + inputs);
          }
          run_real(k, {1, lengths[b], inputs, units}, o, wx, wh, n, one.data(), nullptr, h1, c1, y1);
          for (int j = 0; j < units; ++j) CHECK(h[static_cast<std::size_t>(b * units + j)] == h1[static_cast<std::size_t>(j)]);
          for (int t = 0; t < steps; ++t)
            for (int j = 0; j < units; ++j) {
              const float got = half[static_cast<std::size_t>(s.y_at(b, t) + j)];
              const int i = reverse ? lengths[b] - 1 - t : t;
              CHECK(got == (t < lengths[b] ? y1[static_cast<std::size_t>(i * units + j)] : 0.0f));
            }
        }
      }
      for (float v : y) CHECK(v != 99.0f);
    }
}

TEST_CASE("real cells: dynamic products stay close to those of floats; a frame of zeros is one; NaN comes out") {
  naive::random_numbers random(7);
  const int inputs = 16, units = 8, steps = 50;
  for (const cell k : {cell::rnn, cell::lstm, cell::gru})
    for (const auto definition : {lb::dynamic_definition::symmetric, lb::dynamic_definition::asymmetric, lb::dynamic_definition::onnx}) {
      const int rows = gates_of(k) * units;
      const real_cell n(gates_of(k), inputs, units, random);
      const auto quantized = [&](const std::vector<float>& w, int depth, std::vector<int8_t>& codes, std::vector<float>& scales) {
        for (int r = 0; r < rows; ++r) {
          float largest = 0;
          for (int i = 0; i < depth; ++i) largest = std::max(largest, std::abs(w[static_cast<std::size_t>(r * depth + i)]));
          scales.push_back(largest / 127);
          for (int i = 0; i < depth; ++i) codes.push_back(static_cast<int8_t>(std::lround(w[static_cast<std::size_t>(r * depth + i)] / scales.back())));
        }
      };
      std::vector<int8_t> cx, ch, room_x(inputs), room_h(units);
      std::vector<float> sx, sh;
      quantized(n.wx, inputs, cx, sx), quantized(n.wh, units, ch, sh);
      using rows_type = lb::dynamic_rows<const int8_t*>;
      const rows_type wx{cx.data(), sx.data(), rows, inputs, definition, room_x.data()}, wh{ch.data(), sh.data(), rows, units, definition, room_h.data()};
      const lb::real_rows real_x{n.wx.data(), rows, inputs}, real_h{n.wh.data(), rows, units};
      auto x = some_reals(steps * inputs, random);
      std::fill(x.begin() + 7 * inputs, x.begin() + 9 * inputs, 0.0f);
      const lb::recurrent_options o{.f = k == cell::rnn ? lb::recurrent_function::tanh : lb::recurrent_function::logistic, .reset_after = true};
      std::vector<float> h(units), c(units), y(steps * units), real_state(units), real_c(units), want(steps * units);
      const lb::recurrent_shape s{1, steps, inputs, units};
      run_real(k, s, o, wx, wh, n, x.data(), nullptr, h, c, y);
      run_real(k, s, o, real_x, real_h, n, x.data(), nullptr, real_state, real_c, want);
      float worst = 0;
      for (std::size_t i = 0; i < y.size(); ++i) worst = std::max(worst, std::abs(y[i] - want[i]));
      CAPTURE(worst);
      CHECK(worst > 0.0f);
      CHECK(worst < 0.06f);
      // A vector of NaN becomes the zero point, as 0 does: the step is that of a frame of zeros.
      std::vector<float> h1(units), c1(units), h2(units), c2(units), y1(units), y2(units);
      const std::vector<float> nans(inputs, std::nanf("")), zeros(inputs);
      run_real(k, {1, 1, inputs, units}, o, wx, wh, n, nans.data(), nullptr, h1, c1, y1);
      run_real(k, {1, 1, inputs, units}, o, wx, wh, n, zeros.data(), nullptr, h2, c2, y2);
      CHECK(y1 == y2);
    }
}

TEST_CASE("real cells: a clip holds the gates' arguments; coupled gates share one") {
  const float wx[4] = {5, 5, 5, 5}, wh[4] = {}, x[1] = {1};
  const lb::real_rows rows_x{wx, 4, 1}, rows_h{wh, 4, 1};
  float h[1] = {}, c[1] = {1}, work[8], y[1];
  lb::recurrent_options o{.clip = 1.0f};
  lb::ref::real_lstm({}, o, rows_x, rows_h, nullptr, nullptr, x, nullptr, h, c, work, y);
  const double sigmoid1 = 1 / (1 + std::exp(-1.0));
  CHECK(c[0] == doctest::Approx(sigmoid1 + sigmoid1 * std::tanh(1.0)));
  o = {.coupled = true};
  h[0] = 0, c[0] = 1;
  lb::ref::real_lstm({}, o, rows_x, rows_h, nullptr, nullptr, x, nullptr, h, c, work, y);
  const double sigmoid5 = 1 / (1 + std::exp(-5.0));
  CHECK(c[0] == doctest::Approx(sigmoid5 + (1 - sigmoid5) * std::tanh(5.0)));
}
