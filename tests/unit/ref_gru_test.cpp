// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// GRU and RNN in integers against the same cells in floats (ref/real_recurrent.hpp): close at the start and as close after
// 10,000 steps; streams in pieces; the ends of all ranges.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <lowbits/ref/gru.hpp>
#include <lowbits/ref/real_recurrent.hpp>
#include <lowbits/ref/rnn.hpp>

#include "support/naive_conv.hpp"

namespace {

namespace lb = lowbits;
using multiplier = lb::fixed_multiplier;

/// Real weights, and their codes with a scale per row.
template <class Code>
struct cell {
  int gates, inputs, units;
  std::vector<float> wx, wh, bias, h_bias;
  std::vector<int8_t> cx, ch;
  std::vector<int64_t> cb, chb;
  std::vector<multiplier> fx, fh;

  cell(int g, int i, int u, float x_scale, float h_scale, float gate_scale, float spread, naive::random_numbers& random) : gates(g), inputs(i), units(u) {
    const auto draw = [&](std::vector<float>& v, int n) {
      for (int k = 0; k < n; ++k) v.push_back(spread * static_cast<float>(random.in(-1000, 1000)) * 1e-3f);
    };
    draw(wx, g * u * i), draw(wh, g * u * u), draw(bias, g * u), draw(h_bias, g * u);
    const auto codes = [&](std::vector<float>& w, int depth, float scale, std::vector<float>& b, std::vector<int8_t>& to, std::vector<int64_t>& biases,
                           std::vector<multiplier>& factors) {
      for (int r = 0; r < g * u; ++r) {
        float largest = 1e-9f;
        for (int k = 0; k < depth; ++k) largest = std::max(largest, std::abs(w[static_cast<std::size_t>(r * depth + k)]));
        const float step = largest / 127;
        for (int k = 0; k < depth; ++k) {
          float& real = w[static_cast<std::size_t>(r * depth + k)];
          to.push_back(static_cast<int8_t>(std::lround(real / step)));
          real = step * static_cast<float>(to.back());  // what is compared is the arithmetic, not the weights
        }
        biases.push_back(std::llround(b[static_cast<std::size_t>(r)] / (step * scale)));
        factors.push_back(multiplier::from(lb::scale_ratio(step, scale, gate_scale)));
      }
    };
    codes(wx, i, x_scale, bias, cx, cb, fx), codes(wh, u, h_scale, h_bias, ch, chb, fh);
  }
  lb::recurrent_weights<const int8_t*, int64_t, multiplier> weights() const { return {cx.data(), ch.data(), cb.data(), fx.data(), fh.data(), chb.data()}; }
};

template <class Code>
using sum_of = std::conditional_t<sizeof(Code) == 1, int32_t, int64_t>;

/// The largest difference of outputs in the first 100 steps, the last 100, and all.
struct errors {
  double early = 0, late = 0, worst = 0;
};
template <class Code>
errors compare(const std::vector<Code>& got, float scale, int zero, const std::vector<float>& want, int units) {
  errors e;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double off = std::abs((got[i] - zero) * static_cast<double>(scale) - static_cast<double>(want[i]));
    const std::size_t some = 100 * static_cast<std::size_t>(units);
    if (i < some) e.early = std::max(e.early, off);
    if (i >= want.size() - some) e.late = std::max(e.late, off);
    e.worst = std::max(e.worst, off);
  }
  return e;
}

template <class Code>
errors run_gru(bool reset_after, float spread, float gate_scale, uint64_t seed) {
  constexpr int inputs = 8, units = 16, steps = 10000;
  constexpr bool is_wide = sizeof(Code) == 2;
  const lb::affine px{is_wide ? 4.0f / 32768 : 4.0f / 128, is_wide ? 0 : 3}, ph{is_wide ? 1.0f / 32768 : 1.0f / 128, 0};
  naive::random_numbers random(seed);
  const cell<Code> n(3, inputs, units, px.scale, ph.scale, gate_scale, spread, random);
  std::vector<Code> x, y(steps * units), h(units);
  std::vector<float> real_x, want(steps * units), real_h(units), real_work(7 * units);
  for (int i = 0; i < steps * inputs; ++i) {
    x.push_back(static_cast<Code>(random.in(lb::lowest_of<Code>, lb::highest_of<Code>)));
    real_x.push_back(px.scale * static_cast<float>(x.back() - px.zero_point));
  }
  const auto p = lb::gru_params::from(px, ph, reset_after, gate_scale);
  std::vector<int16_t> s(units), work(3 * units);
  const lb::gru_state<Code> state{h.data(), s.data()};
  state.reset(units, p.h_zero);
  const lb::recurrent_shape shape{1, steps, inputs, units};
  lb::ref::gru<lb::round_single, sum_of<Code>>(shape, p, n.weights(), x.data(), nullptr, state, work.data(), y.data());
  const lb::real_rows wx{n.wx.data(), 3 * units, inputs}, wh{n.wh.data(), 3 * units, units};
  lb::ref::real_gru(shape, {.reset_after = reset_after}, wx, wh, n.bias.data(), n.h_bias.data(), real_x.data(), nullptr, real_h.data(), real_work.data(), want.data());
  return compare(y, ph.scale, ph.zero_point, want, units);
}

}  // namespace

TEST_CASE("gru: close to floats, after 10,000 steps no further off") {
  struct row {
    bool reset_after;
    float spread, gate_scale;  // weights; wide enough for the sums
  };
  for (const row& r : {row{false, 0.3f, 0x1p-12f}, row{true, 0.3f, 0x1p-12f}, row{false, 0.6f, 0x1p-11f}, row{true, 0.6f, 0x1p-11f}}) {
    const errors narrow = run_gru<int8_t>(r.reset_after, r.spread, r.gate_scale, 1),
                 wide = run_gru<int16_t>(r.reset_after, r.spread, r.gate_scale, 1);
    MESSAGE("reset ", std::string(r.reset_after ? "after" : "before"), ", weights up to ", r.spread, ": 8 bits ", narrow.early, ", later ", narrow.late, "; 16 bits ",
            wide.early, ", later ", wide.late);
    CHECK(narrow.worst < 0.03);
    CHECK(narrow.late <= 2 * narrow.early);
    CHECK(wide.worst < 0.001);
    CHECK(wide.late <= 2 * wide.early);
  }
}

TEST_CASE("gru: a unit that forgets slowly keeps moving") {
  // z is about 0.982 and n about 1: h goes to 1 in steps that 8 bits would lose.
  const int8_t wx[3] = {}, wh[3] = {}, x[600] = {};
  const int32_t bias[3] = {0, 16384, 32767}, h_bias[3] = {};
  const multiplier one[3] = {multiplier::from(1.0), multiplier::from(1.0), multiplier::from(1.0)};
  const auto p = lb::gru_params::from({1.0f, 0}, {1.0f / 128, 0}, true);
  int8_t h[1] = {}, y[600];
  int16_t s[1] = {}, work[3];
  const lb::recurrent_weights<const int8_t*, int32_t, multiplier> w{wx, wh, bias, one, one, h_bias};
  lb::ref::gru<lb::round_single, int32_t>({1, 600, 1, 1}, p, w, x, nullptr, lb::gru_state<int8_t>{h, s}, work, y);
  CHECK(y[0] == 2);
  CHECK(y[599] == 127);
  for (int t = 1; t < 600; ++t) CHECK(y[t] >= y[t - 1]);
}

TEST_CASE("gru: pieces, lengths and reverse") {
  naive::random_numbers random(2);
  const int batch = 3, steps = 6, inputs = 3, units = 5;
  for (const bool reset_after : {false, true}) {
    const lb::affine px{1.0f / 32, -7}, ph{1.0f / 128, 9};
    const cell<int8_t> n(3, inputs, units, px.scale, ph.scale, 1.0f / 4096, 0.5f, random);
    const auto p = lb::gru_params::from(px, ph, reset_after);
    std::vector<int8_t> x;
    for (int i = 0; i < batch * steps * inputs; ++i) x.push_back(static_cast<int8_t>(random.in(-128, 127)));
    std::vector<int16_t> work(3 * units);
    const auto all = [&](lb::recurrent_shape s, const int8_t* from, const int* lengths, std::vector<int8_t>& h, std::vector<int16_t>& st) {
      std::vector<int8_t> y(static_cast<std::size_t>(s.batch * s.steps * s.units), 77);
      lb::ref::gru<lb::round_single, int32_t>(s, p, n.weights(), from, lengths, lb::gru_state<int8_t>{h.data(), st.data()}, work.data(), y.data());
      return y;
    };
    const auto fresh = [&](int count) { return std::pair(std::vector<int8_t>(static_cast<std::size_t>(count * units), 9), std::vector<int16_t>(static_cast<std::size_t>(count * units))); };
    auto [h, s] = fresh(batch);
    const auto whole = all({batch, steps, inputs, units, true}, x.data(), nullptr, h, s);
    auto [h1, s1] = fresh(batch);
    auto pieces = all({batch, 2, inputs, units, true}, x.data(), nullptr, h1, s1);
    const auto rest = all({batch, steps - 2, inputs, units, true}, x.data() + 2 * batch * inputs, nullptr, h1, s1);
    pieces.insert(pieces.end(), rest.begin(), rest.end());
    CHECK(pieces == whole);
    CHECK(h1 == h);
    CHECK(s1 == s);

    const int lengths[3] = {4, 0, 6};
    auto [h2, s2] = fresh(batch);
    const lb::recurrent_shape back{batch, steps, inputs, units, false, true};
    const auto y = all(back, x.data(), lengths, h2, s2);
    for (int b = 0; b < batch; ++b) {
      std::vector<int8_t> turned;
      for (int t = lengths[b]; t-- > 0;) turned.insert(turned.end(), x.begin() + back.x_at(b, t), x.begin() + back.x_at(b, t) + inputs);
      auto [ha, sa] = fresh(1);
      const auto alone = all({1, lengths[b], inputs, units}, turned.data(), nullptr, ha, sa);
      for (int t = 0; t < steps; ++t)
        for (int j = 0; j < units; ++j)
          CHECK(y[static_cast<std::size_t>(back.y_at(b, t) + j)] == (t < lengths[b] ? alone[static_cast<std::size_t>((lengths[b] - 1 - t) * units + j)] : 9));
      CHECK(std::equal(ha.begin(), ha.end(), h2.begin() + b * units));
    }
  }
}

TEST_CASE("rnn: tanh and relu, close to floats") {
  const int inputs = 8, units = 16, steps = 10000;
  for (const auto function : {lb::rnn_function::tanh, lb::rnn_function::relu}) {
    const bool is_tanh = function == lb::rnn_function::tanh;
    naive::random_numbers random(3);
    const lb::affine px{1.0f / 32, 3}, ph = is_tanh ? lb::affine{1.0f / 128, 0} : lb::affine{6.0f / 255, -128};
    const float gate = is_tanh ? 1.0f / 4096 : 1.0f / 2048;
    const cell<int8_t> n(1, inputs, units, px.scale, ph.scale, gate, is_tanh ? 0.3f : 0.12f, random);
    std::vector<int8_t> x, y(steps * units), h(units, static_cast<int8_t>(ph.zero_point));
    std::vector<float> real_x, want(steps * units), real_h(units), real_work(2 * units), both(units);
    for (int i = 0; i < steps * inputs; ++i) {
      x.push_back(static_cast<int8_t>(random.in(-128, 127)));
      real_x.push_back(px.scale * static_cast<float>(x.back() - px.zero_point));
    }
    std::vector<int16_t> work(units);
    const lb::recurrent_shape s{1, steps, inputs, units};
    lb::ref::rnn<lb::round_single, int32_t>(s, lb::rnn_params::from(px, ph, function, gate), n.weights(), x.data(), nullptr, h.data(), work.data(), y.data());
    for (std::size_t j = 0; j < units; ++j) both[j] = n.bias[j] + n.h_bias[j];
    const lb::real_rows wx{n.wx.data(), units, inputs}, wh{n.wh.data(), units, units};
    lb::ref::real_rnn(s, {.f = is_tanh ? lb::recurrent_function::tanh : lb::recurrent_function::relu}, wx, wh, both.data(), real_x.data(), nullptr, real_h.data(), real_work.data(), want.data());
    const errors e = compare(y, ph.scale, ph.zero_point, want, units);
    MESSAGE(std::string(is_tanh ? "tanh" : "relu"), ": ", e.early, ", later ", e.late);
    CHECK(e.worst < 0.03);
    CHECK(e.late <= 2 * e.early);
  }
}
