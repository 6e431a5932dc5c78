// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Digests of everything in the number layers that could depend on the compiler's options or on the
// floating-point environment.

#include <bit>
#include <cstdint>

#include <lowbits/fixed/activation.hpp>
#include <lowbits/fixed/eltwise.hpp>
#include <lowbits/fixed/functions.hpp>
#include <lowbits/pack/layout.hpp>
#include <lowbits/pack/quantized_tensor.hpp>

#include "support/number_cases.hpp"

namespace environment {

namespace lb = lowbits;
using number_cases::random_numbers;

/// FNV-1a.
struct digest {
  std::uint64_t value = 0xcbf29ce484222325u;
  void add(std::int64_t x) {
    for (int i = 0; i < 8; ++i) value = (value ^ (static_cast<std::uint64_t>(x) >> (8 * i) & 0xff)) * 0x100000001b3u;
  }
  void add(float x) { add(std::int64_t{std::bit_cast<std::int32_t>(x)}); }
};

/// How a digest depends on the environment.
enum class depends : std::uint8_t {
  nothing,   ///< the same in every environment
  rounding,  ///< the same whenever numbers are rounded to nearest, flushing or not
  anything   ///< the same only when numbers are rounded to nearest and denormals are kept
};

/// A few types: each is compiled once for every set of options.
template <class Function>
void for_some_types(Function f) {
  f.template operator()<lb::q1>();
  f.template operator()<lb::ternary>();
  f.template operator()<lb::q4>();
  f.template operator()<lb::q8>();
  f.template operator()<lb::u8>();
  f.template operator()<lb::q13>();
  f.template operator()<lb::u16>();
}

// ---- integers ---------------------------------------------------------------------------------

inline float any_scale(random_numbers& random) {
  return std::bit_cast<float>(1u + random.next32() % 0x7f7fffffu);  // every finite one, denormals too
}
inline float usual_scale(random_numbers& random) { return random.with_exponent(random.in(-8, 0)); }

inline void multipliers(digest& d) {
  random_numbers random(1);
  for (int i = 0; i < 2000; ++i) {
    const bool usual = i % 2 == 0;
    const float in = usual ? usual_scale(random) : any_scale(random), weight = usual ? usual_scale(random) : any_scale(random);
    const float out = usual ? usual_scale(random) : any_scale(random);
    for (const lb::real& r : {lb::scale_ratio(in, weight, out), lb::scale_ratio_float_product(in, weight, out)}) {
      const auto m = lb::fixed_multiplier::from(r);
      const auto g = lb::glow_multiplier::from(r);
      d.add(std::int64_t{m.mantissa}), d.add(std::int64_t{m.exponent});
      d.add(std::int64_t{g.scale}), d.add(std::int64_t{g.pre}), d.add(std::int64_t{g.post});
      d.add(r.to_float());
    }
  }
}

/// Accumulators of all sizes.
inline std::int32_t accumulator(random_numbers& random) {
  return static_cast<std::int32_t>(random.next32()) >> random.in(0, 31);
}

template <class Policy>
void requantized(digest& d) {
  random_numbers random(2);
  for (int i = 0; i < 500; ++i) {
    const bool usual = i % 4 != 0;
    const lb::affine in{usual ? usual_scale(random) : any_scale(random), 0}, weight{usual_scale(random), 0};
    const lb::affine out{usual ? usual_scale(random) : any_scale(random), random.in(-128, 127)};
    const auto rq = lb::make_requantizer<lb::q8, Policy>(in, weight, out, static_cast<lb::activation>(i % 4));
    d.add(std::int64_t{rq.stage.lowest}), d.add(std::int64_t{rq.stage.highest});
    for (int k = 0; k < 20; ++k) {
      const std::int32_t x = accumulator(random);
      d.add(std::int64_t{rq(x)});
      d.add(std::int64_t{rq(std::int64_t{x} << (k % 13))});
      d.add(std::int64_t{Policy::apply(x, rq.factor)});
    }
  }
}

inline void elementwise(digest& d) {
  random_numbers random(3);
  for (int i = 0; i < 300; ++i) {
    const lb::affine x{usual_scale(random), random.in(-128, 127)}, y{usual_scale(random), random.in(-128, 127)};
    const lb::affine out{usual_scale(random), random.in(-128, 127)};
    constexpr lb::qformat q8 = lb::qformat::of<lb::q8>(), q16 = lb::qformat::of<lb::q16>();
    const auto sum = lb::make_sum(q8, x, q8, y, q8, out, lb::activation::relu6);
    const auto wide = lb::make_sum(q16, x, q16, y, q16, out);
    const auto tflite = lb::make_tflite_sum(q8, x, q8, y, q8, out, lb::activation::none, i % 2 != 0);
    const auto product = lb::make_product<lb::round_single>(q8, x, q8, y, q8, out);
    const auto largest = lb::make_extremum(q8, x, q8, y, q8, out, lb::activation::none, true);
    for (int k = 0; k < 20; ++k) {
      const int a = random.in(-128, 127), b = random.in(-128, 127);
      d.add(std::int64_t{sum(a, b)}), d.add(std::int64_t{tflite(a, b)});
      d.add(std::int64_t{product(a, b)}), d.add(std::int64_t{largest(a, b)});
      d.add(std::int64_t{wide(a * 256 + b, b * 256 - a)});
    }
  }
}

inline void integer_functions(digest& d) {
  for (int x = -32768; x <= 32767; x += 37) {
    const auto x16 = static_cast<std::int16_t>(x);
    d.add(std::int64_t{lb::gemmlowp::logistic<3>(x16)}), d.add(std::int64_t{lb::gemmlowp::tanh<3>(x16)});
    d.add(std::int64_t{lb::lut_logistic(x16)}), d.add(std::int64_t{lb::lut_tanh(x16)});
    d.add(std::int64_t{lb::gemmlowp::logistic<4>(std::int32_t{x} * 65536)});
  }
}

inline void packed_codes(digest& d) {
  random_numbers random(4);
  int values[70];
  std::uint8_t bytes[2048];
  for_some_types([&]<class Q>() {
    for (int& v : values) v = lb::clamp(Q::decode(random.next32() & Q::code_mask), Q::lowest, Q::highest);
    lb::pack<lb::planes_layout, Q>(values, 2, 35, bytes);
    for (std::size_t i = 0; i < lb::planes_layout::bytes<Q>(2, 35); ++i) d.add(std::int64_t{bytes[i]});
    lb::pack<lb::rows_layout, Q>(values, 2, 35, bytes);
    for (std::size_t i = 0; i < lb::rows_layout::bytes<Q>(2, 35); ++i) d.add(std::int64_t{bytes[i]});
  });
}

// ---- floats -----------------------------------------------------------------------------------

template <class Rounding>
void quantized(digest& d) {
  random_numbers random(5);
  for_some_types([&]<class Q>() {
    for (int i = 0; i < 300; ++i) {
      const int e = random.in(-60, 60);
      // Every fourth scale is a power of two, whose quotients hit ties exactly.
      const float scale = i % 4 == 0 ? lb::pow2{e}.scale() : random.with_exponent(e);
      const float x = i % 4 == 0 ? static_cast<float>(random.in(-300, 300)) * 0.5f * scale
                                 : random.with_exponent(e + random.in(-2, Q::bits)) * (i % 2 == 0 ? 1.0f : -1.0f);
      const lb::affine p{scale, random.in(Q::is_binary ? 0 : Q::lowest, Q::highest)};
      d.add(std::int64_t{lb::quantize<Q, Rounding>(x, p)});
      d.add(lb::fake_quantize<Q, Rounding>(x, p));
    }
    for (const std::uint32_t bits : {0u, 0x80000000u, 0x7f800000u, 0xff800000u, 0x7fc00000u, 0xffc00001u, 0x7f7fffffu})
      d.add(std::int64_t{lb::quantize<Q, Rounding>(std::bit_cast<float>(bits), {0.1f, Q::highest})});
  });
}

/// Whole arrays, which a compiler may turn into vector code.
inline void quantized_arrays(digest& d) {
  random_numbers random(6);
  static float x[1000], y[1000];
  static std::int8_t q[1000];
  const std::size_t shape[] = {1000};
  for (int i = 0; i < 10; ++i) {
    const lb::affine p[] = {{random.with_exponent(random.in(-8, 0)), random.in(-20, 20)}};
    for (float& v : x) v = static_cast<float>(random.in(-3000, 3000)) * 0.0625f * p[0].scale;
    d.add(static_cast<std::int64_t>(lb::quantize<lb::q8>(std::span<const float>(x), shape, p, std::span(q))));
    d.add(static_cast<std::int64_t>(lb::dequantize<lb::q8>(std::span<const std::int8_t>(q), shape, p, std::span(y))));
    for (int k = 0; k < 1000; ++k) d.add(std::int64_t{q[k]}), d.add(y[k]);
  }
}

inline void parameters(digest& d) {
  random_numbers random(7);
  for_some_types([&]<class Q>() {
    for (int i = 0; i < 50; ++i) {
      const float a = random.with_exponent(random.in(-40, 40)), b = random.with_exponent(random.in(-40, 40));
      const lb::affine p = lb::affine_from_range<Q>(-a, b);
      d.add(p.scale), d.add(std::int64_t{p.zero_point});
      d.add(lb::symmetric_from_magnitude<Q>(a).scale), d.add(std::int64_t{lb::pow2_from_magnitude<Q>(b).exponent});
    }
  });
  static float x[20][40];
  for (auto& row : x)
    for (float& v : row) v = random.with_exponent(random.in(-6, 2)) * (random.in(0, 1) == 0 ? 1.0f : -1.0f);
  const auto t = lb::quantize<lb::scheme<lb::q4, lb::per_group<16>, lb::affine>>(x);
  for (const lb::affine& p : t.params) d.add(p.scale), d.add(std::int64_t{p.zero_point});
  for (const std::uint8_t b : t.bytes) d.add(std::int64_t{b});
}

inline void float_functions(digest& d) {
  random_numbers random(8);
  for (int i = 0; i < 4000; ++i) {
    const float x = random.with_exponent(random.in(-8, 6)) * (i % 2 == 0 ? 1.0f : -1.0f);
    d.add(lb::fp_exp(lb::clamp(x, -80.0f, 80.0f))), d.add(lb::fp_sigmoid(x)), d.add(lb::fp_tanh(x));
    const float denormal = std::bit_cast<float>(random.next32() & 0x807fffffu);
    d.add(lb::fp_exp(denormal)), d.add(lb::fp_sigmoid(denormal)), d.add(lb::fp_tanh(denormal));
  }
  for (const float x : {-90.0f, -87.5f, -87.0f, 87.0f, 88.5f, 90.0f}) d.add(lb::fp_exp(x)), d.add(lb::fp_sigmoid(x)), d.add(lb::fp_tanh(x));
}

inline void denormal_numbers(digest& d) {
  random_numbers random(9);
  for (int i = 0; i < 2000; ++i) {
    const float x = std::bit_cast<float>(random.next32() & 0x807fffffu), scale = std::bit_cast<float>((random.next32() & 0x007fffffu) | 1u);
    d.add(std::int64_t{lb::quantize<lb::q16>(x, {scale, 5})});
    d.add(lb::dequantize<lb::q16>(random.in(-32768, 32767), {scale, 5}));
    d.add(lb::dequantize<lb::q8>(1, {random.with_exponent(-126), random.in(0, 2)}));
  }
}

}  // namespace environment
