// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Floats to codes and back on every architecture: the bytes of quantize() and dequantize(), for
// ordinary numbers, ties, the ends of the range, infinities, NaN and denormals, in every rounding
// mode that can be set.

#include "support/kernel_archs.hpp"

#include <cfenv>
#include <cmath>
#include <limits>
#include <string>

#include <lowbits/kernel/eltwise.hpp>
#include <lowbits/quant/quantize.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

template <class Q>
void check_quantize(const std::vector<float>& x, const lb::affine& p, lb::activation fused) {
  static guarded::memory x_memory, y_memory;
  const auto stage = lb::output_stage::of(lb::qformat::of<Q>(), p, fused);
  kernel_archs::for_each([&]<class Arch>(Arch) {
    std::vector<typename Q::storage> expected;
    for (const float v : x) {
      const int code = lb::quantize<Q>(v, p);
      expected.push_back(static_cast<typename Q::storage>(lb::clamp(code, stage.lowest, stage.highest)));
    }
    for (const auto where : guarded::both_places) {
      auto* y = y_memory.take<typename Q::storage>(x.size(), where);
      lb::kernel::quantize<Arch>(x.size(), x_memory.copy(x, where), p, stage, y);
      const std::string wrong = difference(y, expected);
      if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " scale ", p.scale, " zero ", p.zero_point, ": ", wrong);
    }
  });
}

std::vector<float> numbers(float scale) {
  std::vector<float> x = {0.0f, -0.0f, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::denorm_min(), -std::numeric_limits<float>::denorm_min(),
                          std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(), 1e30f, -1e30f,
                          2147483648.0f * scale, -2147483648.0f * scale, 1048576.0f * scale, -1048577.0f * scale};
  for (int k = -300; k <= 300; ++k) {
    const float tie = (static_cast<float>(k) + 0.5f) * scale;
    for (const float v : {static_cast<float>(k) * scale, tie, std::nextafter(tie, 1e9f), std::nextafter(tie, -1e9f)}) x.push_back(v);
  }
  naive::random_numbers random(2);
  for (int i = 0; i < 4000; ++i) x.push_back(static_cast<float>(random.in(-1'000'000, 1'000'000)) * 3e-4f * scale);
  return x;
}

}  // namespace

TEST_CASE("quantize: special numbers, ties and random ones") {
  for (const float scale : {1.0f, 0.1f, 0.0078125f, 3e-5f, 123.0f, 1e-30f})
    for (const int zero : {0, -128, 127, 5}) {
      check_quantize<lb::q8>(numbers(scale), {scale, zero}, lb::activation::none);
      check_quantize<lb::u8>(numbers(scale), {scale, zero + 128}, lb::activation::relu);
    }
  check_quantize<lb::q4>(numbers(0.1f), {0.1f, 3}, lb::activation::none);
  check_quantize<lb::q16>(numbers(0.1f), {0.1f, 3}, lb::activation::none);
}

TEST_CASE("quantize: every neighbour of every tie") {
  // Three floats on both sides of each tie, scales of every size, codes as far from zero as they go.
  naive::random_numbers random(9);
  for (int round = 0; round < 60; ++round) {
    const float scale = std::ldexp(1.0f + static_cast<float>(random.in(0, 0x7f'ffff)) * 0x1p-23f, round < 6 ? round * 50 - 125 : random.in(-90, 90));
    const int zero = round % 3 == 0 ? -128 : round % 3 == 1 ? 127 : random.in(-128, 127);
    std::vector<float> x;
    for (int k = -258; k <= 258; ++k) {
      float v = (static_cast<float>(k) + 0.5f) * scale;
      for (int i = 0; i < 3; ++i) v = std::nextafter(v, -INFINITY);
      for (int i = 0; i < 7; ++i, v = std::nextafter(v, INFINITY)) x.push_back(v);
      for (int i = 0; i < 30 && k % 20 == 0; ++i) x.push_back(static_cast<float>(random.in(-1000, 1000)) * 0.25f * scale);
    }
    for (const int distance : {-12, -9, -7, -6, -5, -4, -3, -2, 2, 3, 4, 5, 6, 7, 9, 12})  // in 1/65536 of a code
      for (int k = -258; k <= 258; ++k)
        x.push_back(static_cast<float>((k + 0.5 + distance / 65536.0) * static_cast<double>(scale)));
    check_quantize<lb::q8>(x, {scale, zero}, lb::activation::none);
    check_quantize<lb::u8>(x, {scale, zero + 128}, round % 2 == 0 ? lb::activation::none : lb::activation::relu6);
  }
}

TEST_CASE("quantize, dequantize: every length") {
  static guarded::memory x_memory, y_memory;
  kernel_archs::for_each([]<class Arch>(Arch) {
    naive::random_numbers random(6);
    const lb::affine p{0.37f, -11};
    for (std::size_t n = 0; n <= 140; ++n)
      for (const auto where : guarded::both_places) {
        const auto q = codes<int8_t>(n, random);
        std::vector<float> reals;
        for (const int8_t c : q) reals.push_back(lb::dequantize<lb::q8>(c, p));
        float* y = y_memory.take<float>(n, where);
        lb::kernel::dequantize<Arch>(n, x_memory.copy(q, where), p, y);
        CHECK(difference(y, reals) == "");
        int8_t* back = x_memory.take<int8_t>(n, where);
        lb::kernel::quantize<Arch>(n, y, p, lb::output_stage{p.zero_point, -128, 127}, back);
        CHECK(difference(back, q) == "");
      }
    std::vector<uint8_t> all;
    std::vector<float> reals, got(256);
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<uint8_t>(i)), reals.push_back(lb::dequantize<lb::u8>(i, {0.1f, 77}));
    lb::kernel::dequantize<Arch>(256, all.data(), {0.1f, 77}, got.data());
    CHECK(difference(got.data(), reals) == "");
  });
}

TEST_CASE("quantize: the rounding mode that is set does not change the nearest code") {
  // Exact quotients, so that only the step to an integer could depend on the mode.
  std::vector<float> x;
  for (int k = -400; k <= 400; ++k) x.push_back(static_cast<float>(k) * 0.25f);
  for (const int mode : {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    REQUIRE(std::fesetround(mode) == 0);
    check_quantize<lb::q8>(x, {1.0f, 3}, lb::activation::none);
    std::fesetround(FE_TONEAREST);
  }
}
