// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Digests of the number layers: float helpers, multipliers from scales, the rounding policies,
// quantize and dequantize at every width. Inputs are bit patterns, so denormals, infinities and NaN
// are among them.
#include <utility>

#include <lowbits/fixed/requantize.hpp>
#include <lowbits/quant/quantize.hpp>

#include "support/program.hpp"

namespace lb = lowbits;
using firmware::digest;
using firmware::random_numbers;

namespace {

/// Any float there is.
float any_float(random_numbers& random) { return std::bit_cast<float>(random.next()); }
/// A positive float of the given exponent.
float with_exponent(random_numbers& random, int exponent) {
  return std::bit_cast<float>((static_cast<std::uint32_t>(exponent + 127) << 23) | (random.next() >> 9));
}
/// A scale as networks have them, 2^-7 to 2^0; every second one a power of two, which makes ties.
float usual_scale(random_numbers& random) {
  const float scale = with_exponent(random, random.in(-7, -1));
  return random.next() % 2u == 0 ? scale : std::bit_cast<float>(std::bit_cast<std::uint32_t>(scale) & 0xff80'0000u);
}
/// Every finite scale above zero, denormals included.
float any_scale(random_numbers& random) {
  return std::bit_cast<float>(1u + random.next() % 0x7f7f'ffffu);
}

template <lb::fp::tie Tie>
void nearest(const char* name) {
  random_numbers random(1);
  digest d;
  for (int i = 0; i < 4000; ++i) {
    d.add(lb::fp::to_nearest<Tie>(any_float(random)));
    d.add(lb::fp::to_nearest<Tie>(static_cast<float>(random.in(-100, 100)) * 0.5f));
    d.add(lb::fp::to_nearest<Tie>(-with_exponent(random, random.in(-3, 33))));
  }
  d.report(name);
}

void float_operations() {
  random_numbers random(2);
  digest products, quotients;
  for (int i = 0; i < 3000; ++i) {
    const float x = any_float(random), y = any_float(random);
    const float product = lb::fp::product(x, y), quotient = lb::fp::quotient(x, y);
    // The bits of a NaN that an operation makes are not defined.
    products.add(lb::fp::is_nan(product) ? 0.0f : product);
    quotients.add(lb::fp::is_nan(quotient) ? 0.0f : quotient);
  }
  products.report("fp.product");
  quotients.report("fp.quotient");
}

void multipliers() {
  random_numbers random(3);
  digest exact, rounded, glow, single;
  for (int i = 0; i < 1000; ++i) {
    const bool usual = i % 2 == 0;
    const float in = usual ? usual_scale(random) : any_scale(random);
    const float weight = usual ? usual_scale(random) : any_scale(random);
    const float out = usual ? usual_scale(random) : any_scale(random);
    const lb::real ratio = lb::scale_ratio(in, weight, out);
    const auto m = lb::fixed_multiplier::from(ratio);
    exact.add(m.mantissa);
    exact.add(m.exponent);
    const auto n = lb::fixed_multiplier::from(lb::scale_ratio_float_product(in, weight, out));
    rounded.add(n.mantissa);
    rounded.add(n.exponent);
    const auto g = lb::glow_multiplier::from(ratio);
    glow.add(g.scale);
    glow.add(g.pre);
    glow.add(g.post);
    single.add(ratio.to_float());
  }
  exact.report("multiplier.exact");
  rounded.report("multiplier.float_product");
  glow.report("multiplier.glow");
  single.report("multiplier.float");
}

/// Accumulators of all sizes, most of them such that the result is no end of the range.
std::int32_t accumulator(random_numbers& random) {
  const std::int32_t x = random.next_int();
  const bool usual = random.next() % 4u != 0;
  return x >> (usual ? random.in(14, 24) : random.in(0, 31));
}

template <class Out, class Policy>
void requantize(digest& d, std::uint32_t seed) {
  random_numbers random(seed);
  for (int i = 0; i < 200; ++i) {
    const lb::affine in{usual_scale(random), 0}, weight{usual_scale(random), 0};
    const lb::affine out{usual_scale(random), random.in(Out::lowest, Out::highest)};
    const auto fused = static_cast<lb::activation>(random.next() % 4u);
    const auto rq = lb::make_requantizer<Out, Policy>(in, weight, out, fused);
    d.add(rq.stage.lowest);
    d.add(rq.stage.highest);
    for (int k = 0; k < 4; ++k) {
      const std::int32_t x = accumulator(random);
      const std::int64_t wide = std::int64_t{x} << (random.next() % 12u);
      d.add(rq(x));
      d.add(rq(wide + random.in(0, 99)));
    }
  }
}
template <class Policy>
void requantize_with(const char* name) {
  digest d;
  requantize<lb::q8, Policy>(d, 11);
  requantize<lb::u8, Policy>(d, 12);
  requantize<lb::q4, Policy>(d, 13);
  requantize<lb::q16, Policy>(d, 14);
  d.report(name);
}

void requantize_channels() {
  constexpr std::size_t channels = 7, rows = 40;
  random_numbers random(15);
  float scales[channels];
  for (float& s : scales) s = usual_scale(random);
  lb::fixed_multiplier factors[channels];
  digest d;
  d.add(static_cast<int>(lb::make_multipliers(0.1f, scales, 0.3f, factors)));
  std::int32_t acc[channels * rows];
  for (auto& a : acc) a = accumulator(random);
  std::int8_t q[channels * rows];
  const lb::channel_requantizer<lb::q8> rq{factors, {.zero_point = -5, .lowest = -100, .highest = 90}};
  d.add(static_cast<int>(lb::requantize(std::span<const std::int32_t>(acc), rq, std::span(q), channels)));
  d.add(q, channels * rows);
  d.report("requantize.channels");
}

template <class Q>
void quantize_one(float x, const lb::affine& p, digest& codes, digest& values) {
  codes.add(lb::quantize<Q, lb::half_even>(x, p));
  codes.add(lb::quantize<Q, lb::half_away>(x, p));
  codes.add(lb::quantize<Q, lb::half_up>(x, p));
  values.add(lb::fake_quantize<Q>(x, p));
}
template <class Q>
void quantize_width(digest& codes, digest& values, digest& ranges) {
  random_numbers random(20u + Q::bits);
  for (int i = 0; i < 60; ++i) {
    const float low = -with_exponent(random, random.in(-20, 10)), high = with_exponent(random, random.in(-20, 10));
    const lb::affine usual = lb::affine_from_range<Q>(low, high);
    const float anything = any_float(random);
    const lb::affine odd = lb::affine_from_range<Q>(anything, any_float(random));
    const lb::affine even = lb::symmetric_from_magnitude<Q>(anything);
    for (const lb::affine& p : {usual, odd, even}) {
      ranges.add(p.scale);
      ranges.add(p.zero_point);
      for (const float x : {any_float(random), low * 0.37f, high * 0.81f, with_exponent(random, -126)})
        quantize_one<Q>(x, p, codes, values);
    }
    ranges.add(lb::pow2_from_magnitude<Q>(high).exponent);
  }
}
void quantize_all() {
  digest codes, values, ranges;
  [&]<int... Bits>(std::integer_sequence<int, Bits...>) {
    (quantize_width<lb::qs<Bits + 1>>(codes, values, ranges), ...);
    (quantize_width<lb::qu<Bits + 1>>(codes, values, ranges), ...);
  }(std::make_integer_sequence<int, 16>{});
  quantize_width<lb::ternary>(codes, values, ranges);
  quantize_width<lb::narrow<lb::q8>>(codes, values, ranges);
  codes.report("quantize.codes");
  values.report("quantize.values");
  ranges.report("quantize.parameters");
}

/// Whole arrays, which compilers vectorise: denormals must come through there as well.
void quantize_arrays() {
  constexpr std::size_t n = 253;
  random_numbers random(50);
  digest d;
  static float x[n];
  static std::int8_t q[n];
  const std::size_t shape[] = {n};
  for (const float scale : {0.05f, std::bit_cast<float>(0x0000'0100u), std::bit_cast<float>(0x0080'0000u)}) {
    const lb::affine p[] = {{scale, 3}};
    for (float& v : x) v = static_cast<float>(random.in(-150, 150)) * scale;
    d.add(static_cast<int>(lb::quantize<lb::q8>(std::span<const float>(x), shape, p, std::span(q))));
    d.add(q, n);
    d.add(static_cast<int>(lb::dequantize<lb::q8>(std::span<const std::int8_t>(q), shape, p, std::span(x))));
    d.add(x, n);
  }
  d.report("quantize.arrays");
}

}  // namespace

int firmware::run() {
  nearest<lb::fp::tie::to_even>("nearest.to_even");
  nearest<lb::fp::tie::away_from_zero>("nearest.away_from_zero");
  nearest<lb::fp::tie::upward>("nearest.upward");
  float_operations();
  multipliers();
  requantize_with<lb::round_single>("requantize.single");
  requantize_with<lb::round_double_gemmlowp>("requantize.double_gemmlowp");
  requantize_with<lb::round_tflite_int64>("requantize.tflite_int64");
  requantize_with<lb::round_even_float>("requantize.even_float");
  requantize_with<lb::round_away_float>("requantize.away_float");
  requantize_with<lb::round_shift_glow>("requantize.shift_glow");
  requantize_channels();
  quantize_all();
  quantize_arrays();
  return 0;
}
