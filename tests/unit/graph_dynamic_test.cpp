// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Layers between floats and codes: floats around integer weights, by each definition, and sums that become
// real numbers, against the reference functions called by hand.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <lowbits/lowbits.hpp>

#include "support/op_graphs.hpp"

namespace lb = lowbits;
using namespace op_graphs;

namespace {

/// What a layer of floats around codes has to give, from a plain sum over the codes.
template <class Sum>
void check_dynamic(const std::vector<float>& got, const std::vector<float>& x, int batch, lb::dynamic_definition definition,
                   const std::vector<float>& scales, const float* bias, lb::real_range range, Sum sums) {
  const std::size_t n = x.size() / static_cast<std::size_t>(batch), m = got.size() / static_cast<std::size_t>(batch);
  for (int b = 0; b < batch; ++b) {
    std::vector<std::int8_t> codes(n);
    const auto at = static_cast<std::size_t>(b);
    const lb::affine p = lb::ref::dynamic_codes(definition, n, x.data() + at * n, codes.data());
    std::vector<std::int32_t> want(m);
    sums(codes.data(), p.zero_point, want.data());
    for (std::size_t i = 0; i < m; ++i) {
      const std::size_t c = i % scales.size();
      float v = static_cast<float>(want[i]) * (p.scale * scales[c]);
      if (bias != nullptr) v = lb::fp::sum(v, bias[c]);
      CHECK(got[at * m + i] == range(v));
    }
  }
}

}  // namespace

TEST_CASE("graph: floats around integer weights") {
  using net = lb::model<make_dynamic>;
  using definition = lb::dynamic_definition;
  std::vector<float> x(160), conv(2 * 4 * 6 * 6), asymmetric(2 * 2 * 3 * 6), dw(2 * 4 * 5 * 8), dense(48), up(2 * 8 * 11 * 5);
  for (std::size_t i = 0; i < 160; ++i) x[i] = static_cast<float>((i * 53) % 97) / 16.0f - 1.5f;
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  REQUIRE(net::run(arena, x, conv, asymmetric, dw, dense, up) == lb::status::ok);
  const lb::raw_accumulator<std::int32_t> raw;
  const auto* const none = static_cast<const std::int32_t*>(nullptr);
  const std::vector<float> six(s_six, s_six + 6);
  check_dynamic(conv, x, 2, definition::symmetric, six, real_six, {0.0f}, [&](const std::int8_t* q, int zero, std::int32_t* y) {
    lb::ref::conv2d<std::int32_t>({1, 4, 5, 4, 4, 6, 6, {3, 2, 1, 1, 1, 1, 1, 1}, 1}, q, zero, w_conv.value, 0, none, raw, y);
  });
  check_dynamic(asymmetric, x, 2, definition::asymmetric, six, nullptr, {}, [&](const std::int8_t* q, int zero, std::int32_t* y) {
    lb::ref::conv2d<std::int32_t>({1, 4, 5, 4, 2, 3, 6, {3, 2, 2, 2, 1, 1, 1, 0}, 1}, q, zero, w_conv.value, 0, none, raw, y);
  });
  check_dynamic(dw, x, 2, definition::symmetric, std::vector<float>(8, .02f), nullptr, {}, [&](const std::int8_t* q, int zero, std::int32_t* y) {
    lb::ref::depthwise<std::int32_t>({1, 4, 5, 4, 4, 5, 2, {3, 3, 1, 1, 1, 1, 1, 1}}, q, zero, w_dw.value, 0, none, raw, y);
  });
  const lb::packed_view<lb::q4> view{packed_dense, 120};
  check_dynamic(dense, x, 8, definition::onnx, six, real_six, {}, [&](const std::int8_t* q, int zero, std::int32_t* y) {
    lb::ref::conv2d<std::int32_t>(lb::dense_shape(1, 20, 6), q, zero, view, 0, none, raw, y);
  });
  check_dynamic(up, x, 2, definition::symmetric, std::vector<float>(5, .02f), nullptr, {}, [&](const std::int8_t* q, int zero, std::int32_t* y) {
    lb::ref::transposed_conv2d<std::int32_t>({1, 4, 5, 4, 8, 11, 5, {2, 3, 2, 2, 1, 1, 0, 0}, 1}, q, zero, w_up.value, 0, none, raw, y);
  });
  const auto fast = [&] {
    alignas(lb::packed_alignment) static unsigned char packed[net::prepared_bytes];
    std::vector<float> again(conv.size());
    REQUIRE(net::prepare(packed).run(arena, x, again, asymmetric, dw, dense, up) == lb::status::ok);
    return again;
  }();
  CHECK(fast == conv);
}

TEST_CASE("graph: sums that become real numbers") {
  using net = lb::model<make_scaled>;
  std::vector<float> x(80), conv(4 * 6 * 6), dw(4 * 5 * 8), up(8 * 11 * 5);
  for (std::size_t i = 0; i < 80; ++i) x[i] = static_cast<float>((i * 53) % 97) / 16.0f - 3.0f;
  x[7] = 0.125f;   // 2.5 and 0.5 steps
  x[8] = -0.125f;
  std::vector<std::int8_t> chained(4 * 6 * 6), q(80);
  std::vector<std::uint8_t> divided(80);
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  REQUIRE(net::run(arena, x, conv, dw, up, chained, divided) == lb::status::ok);
  for (std::size_t i = 0; i < 80; ++i) {
    q[i] = static_cast<std::int8_t>(std::clamp(std::round(x[i] * 20.0f), -128.0f, 127.0f));
    CHECK(int{divided[i]} == std::clamp(static_cast<int>(std::round(x[i] / .25f)) + 3, 0, 255));
  }
  CHECK(q[7] == 3);
  CHECK(q[8] == -3);
  const lb::raw_accumulator<std::int32_t> raw;
  const auto* const none = static_cast<const std::int32_t*>(nullptr);
  std::vector<std::int32_t> sums(conv.size());
  lb::ref::conv2d<std::int32_t>({1, 4, 5, 4, 4, 6, 6, {3, 2, 1, 1, 1, 1, 1, 1}, 1}, q.data(), 0, w_conv.value, 0, none, raw, sums.data());
  for (std::size_t i = 0; i < conv.size(); ++i) {
    const float v = lb::fp::sum(static_cast<float>(sums[i]) * (.05f * s_six[i % 6]), real_six[i % 6]);
    CHECK(conv[i] == std::max(v, 0.0f));
    CHECK(int{chained[i]} == static_cast<int>(std::clamp(std::round(v * 4.0f), 0.0f, 127.0f)));
  }
  sums.resize(dw.size());
  lb::ref::depthwise<std::int32_t>({1, 4, 5, 4, 4, 5, 2, {3, 3, 1, 1, 1, 1, 1, 1}}, q.data(), 0, w_dw.value, 0, none, raw, sums.data());
  for (std::size_t i = 0; i < dw.size(); ++i) CHECK(dw[i] == static_cast<float>(sums[i]) * (.05f * .02f));
  sums.resize(up.size());
  lb::ref::transposed_conv2d<std::int32_t>({1, 4, 5, 4, 8, 11, 5, {2, 3, 2, 2, 1, 1, 0, 0}, 1}, q.data(), 0, w_up.value, 0, none, raw, sums.data());
  for (std::size_t i = 0; i < up.size(); ++i) CHECK(up[i] == static_cast<float>(sums[i]) * (.05f * .02f));
}

TEST_CASE("dynamic codes: the three definitions") {
  using definition = lb::dynamic_definition;
  const float x[] = {-1.0f, 0.0f, 0.5f, 2.0f, __builtin_nanf(""), __builtin_inff()};
  std::int8_t q[6];
  lb::affine p = lb::ref::dynamic_codes(definition::symmetric, 6, x, q);
  CHECK(p == lb::affine{2.0f / 127, 0});
  CHECK((q[0] == -64 && q[1] == 0 && q[2] == 32 && q[3] == 127 && q[4] == 0 && q[5] == 127));  // -63.5 and 31.75
  p = lb::ref::dynamic_codes(definition::asymmetric, 4, x, q);  // 255 steps over 3
  CHECK(p == lb::affine{static_cast<float>(3.0 / 255), -43});
  CHECK((q[0] == -128 && q[1] == -43 && q[2] == -1 && q[3] == 127));
  p = lb::ref::dynamic_codes(definition::onnx, 4, x, q);
  CHECK(p == lb::affine{3.0f / 255, 85 - 128});
  CHECK((q[0] == -128 && q[1] == -43 && q[2] == -1 && q[3] == 127));  // 42.5 and 170 - 128: ties to even
  const float zeros[2] = {};
  for (definition d : {definition::symmetric, definition::asymmetric, definition::onnx}) {
    p = lb::ref::dynamic_codes(d, 2, zeros, q);
    CHECK(p.scale == 1.0f);
    CHECK(q[0] == p.zero_point);
  }
}
