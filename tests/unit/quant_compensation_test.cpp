// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Error compensation: splitting is exact where it says so, for every code; products of parts are the
// products of the codes; and what each mode is worth, in dB.

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <lowbits/fixed/raw_accumulator.hpp>
#include <lowbits/pack/packed_array.hpp>
#include <lowbits/quant/compensation.hpp>
#include <lowbits/ref/compensated_sampling.hpp>
#include <lowbits/ref/compensation.hpp>

namespace lb = lowbits;

namespace {

template <bool IsCentred, class X>
void check_every_code() {
  constexpr int offset = lb::sixteen_bit_offset<const X*>;
  std::vector<X> x;
  for (int code = lb::lowest_of<X>; code <= lb::highest_of<X>; ++code) x.push_back(static_cast<X>(code));
  // Lengths that leave every remainder for the loop behind the vectors.
  for (std::size_t skip = 0; skip < 9; ++skip) {
    const std::size_t n = x.size() - skip;
    std::vector<int8_t> main(n + 1, 77), rest(n + 1, 77);
    lb::split_codes<IsCentred>(n, x.data() + skip, main.data(), rest.data());
    int wrong = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const int code = x[i + skip] - offset, held = IsCentred && code > 32639 ? 32639 : code;
      wrong += 256 * main[i] + rest[i] + (IsCentred ? 0 : 128) != held;
      const lb::byte_part<const X*, IsCentred> high{x.data() + skip, false}, low{x.data() + skip, true};
      wrong += high[i] != main[i] || low[i] != rest[i];
    }
    CHECK(wrong == 0);
    CHECK(main[n] == 77);
    CHECK(rest[n] == 77);
  }
}

}  // namespace

TEST_CASE("compensation: every 16-bit code is its two parts") {
  check_every_code<false, int16_t>();
  check_every_code<true, int16_t>();
  check_every_code<false, uint16_t>();
  check_every_code<true, uint16_t>();
}

TEST_CASE("compensation: splitting in constant expressions, and packed codes") {
  static_assert(lb::split_exact(32767) == lb::byte_parts{127, 127});
  static_assert(lb::split_exact(-32768) == lb::byte_parts{-128, -128});
  static_assert(lb::split_exact(0) == lb::byte_parts{0, -128});
  static_assert(lb::split_centred(0) == lb::byte_parts{0, 0});
  static_assert(lb::split_centred(127) == lb::byte_parts{0, 127});
  static_assert(lb::split_centred(128) == lb::byte_parts{1, -128});
  static_assert(lb::split_centred(32639) == lb::byte_parts{127, 127});
  static_assert(lb::split_centred(32767) == lb::byte_parts{127, 127});
  static_assert(lb::split_centred(-32768) == lb::byte_parts{-128, 0});
  static constexpr int16_t codes[3] = {1000, -1000, 2047};
  static constexpr auto packed = lb::make_packed<lb::q12>(codes);
  const lb::packed_view<lb::q12> view(packed.bytes, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const lb::byte_part<lb::packed_view<lb::q12>, true> main{view, false}, rest{view, true};
    CHECK(256 * main[i] + rest[i] == codes[i]);
  }
}

TEST_CASE("compensation: a number differs from its code by half a residual step at most") {
  const float largest = 3.7f;
  constexpr auto any = lb::compensated::covering(0.0f);
  static_assert(any.scale == 1.0f && lb::compensated::covering(-1.0f) == any);
  const auto p = lb::compensated::covering(largest);
  CHECK(p.main_scale() == doctest::Approx(largest / 127).epsilon(1e-6));
  CHECK(p.code(largest) == 127 * 256);
  CHECK(p.code(-largest) == -127 * 256);
  CHECK(p.code(1e30f) == 127 * 256);
  CHECK(p.code(std::nanf("")) == 0);
  CHECK(lb::compensated::covering(std::nanf("")) == any);
  CHECK(lb::compensated::covering(INFINITY) == any);
  CHECK(lb::compensated::covering(1e-44f).scale > 0);
  for (int i = -5000; i <= 5000; ++i) {
    const float x = largest * static_cast<float>(i) / 5000.0f;
    const lb::byte_parts parts = p.parts(x);
    CHECK(std::fabs(p.value(parts) - x) <= p.scale * 0.501f);
    CHECK(parts.main * 256 + parts.residual == p.code(x));
  }
}

namespace {

/// The signal-to-noise ratios of a product of Gaussian matrices, 64 x 512 times 512 x 64.
struct study {
  static constexpr int rows = 64, cols = 64, depth = 512;
  std::vector<float> a, b;

  study() : a(static_cast<std::size_t>(rows) * depth), b(static_cast<std::size_t>(cols) * depth) {
    std::mt19937 generator(3);
    std::normal_distribution<float> normal(0, 1);
    for (float& v : a) v = normal(generator);
    for (float& v : b) v = normal(generator) * 0.05f;
  }
  static float largest(const std::vector<float>& x) {
    float m = 0;
    for (float v : x) m = std::fmax(m, std::fabs(v));
    return m;
  }
  template <class Q>
  static std::vector<int16_t> codes(const std::vector<float>& x, float scale) {
    std::vector<int16_t> q;
    for (float v : x) q.push_back(lb::quantize<lb::narrow<Q>>(v, {scale, 0}));
    return q;
  }
  /// Of codes whose units are worth x_scale and w_scale.
  double decibels(const std::vector<int16_t>& x, double x_scale, const std::vector<int16_t>& w, double w_scale, bool three) const {
    std::vector<int64_t> y(static_cast<std::size_t>(rows) * cols);
    const auto s = lb::dense_shape(rows, depth, cols);
    const int64_t* no_bias = nullptr;
    const lb::raw_accumulator<int64_t> raw{};
    if (three) lb::ref::three_product_conv2d(s, x.data(), 0, w.data(), 0, no_bias, raw, y.data());
    else lb::ref::conv2d<int64_t>(s, x.data(), 0, w.data(), 0, no_bias, raw, y.data());
    double power = 0, noise = 0;
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < cols; ++j) {
        double sum = 0;
        for (int k = 0; k < depth; ++k)
          sum += static_cast<double>(a[static_cast<std::size_t>(i * depth + k)]) *
              static_cast<double>(b[static_cast<std::size_t>(j * depth + k)]);
        const double got = x_scale * w_scale * static_cast<double>(y[static_cast<std::size_t>(i * cols + j)]);
        power += sum * sum;
        noise += (got - sum) * (got - sum);
      }
    return 10 * std::log10(power / noise);
  }
};

}  // namespace

TEST_CASE("compensation: signal-to-noise ratios of every mode") {
  const study s;
  const float la = study::largest(s.a), lw = study::largest(s.b);
  const auto a8 = study::codes<lb::q8>(s.a, la / 127), w8 = study::codes<lb::q8>(s.b, lw / 127);
  const auto a16 = study::codes<lb::q16>(s.a, la / 32767), w16 = study::codes<lb::q16>(s.b, lw / 32767);
  const auto pa = lb::compensated::covering(la), pw = lb::compensated::covering(lw);
  std::vector<int16_t> aec, wec;
  for (float v : s.a) aec.push_back(pa.code(v));
  for (float v : s.b) wec.push_back(pw.code(v));
  const double sa = la / 127, sw = lw / 127, ta = la / 32767, tw = lw / 32767, ea = pa.scale, ew = pw.scale;
  const struct {
    const char* name;
    double expected, got;
  } rows[] = {
      {"8 x 8", 36.47, s.decibels(a8, sa, w8, sw, false)},
      {"8 x ec", 39.53, s.decibels(a8, sa, wec, ew, false)},
      {"ec x 8", 39.36, s.decibels(aec, ea, w8, sw, false)},
      {"16 x 8", 39.36, s.decibels(a16, ta, w8, sw, false)},
      {"ec x ec, three products", 77.93, s.decibels(aec, ea, wec, ew, true)},
      {"ec x ec, four products", 84.53, s.decibels(aec, ea, wec, ew, false)},
      {"16 x 16", 84.69, s.decibels(a16, ta, w16, tw, false)},
  };
  for (const auto& r : rows) {
    MESSAGE(std::string(r.name), ": ", r.got, " dB");
    INFO(std::string(r.name), " has ", r.got, " dB, not ", r.expected);
    CHECK(std::fabs(r.got - r.expected) <= 0.3);
  }
}

namespace {

std::vector<int16_t> image_codes(std::size_t n) {
  std::vector<int16_t> x;
  uint32_t seed = 5;
  for (std::size_t i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    x.push_back(i % 17 == 0 ? int16_t{32767} : i % 17 == 1 ? int16_t{-32768} : static_cast<int16_t>(seed >> 15));
  }
  return x;
}

/// Checks f(byte_images, y) against g(codes, y).
template <class F, class G>
void check_images(std::size_t in, std::size_t out, F&& f, G&& g) {
  std::vector<int16_t> x = image_codes(in), want(out), got(out);
  std::vector<int8_t> main(in), rest(in);
  g(x.data(), want.data());
  lb::split_codes<false>(in, x.data(), main.data(), rest.data());
  f(lb::byte_images{main.data(), rest.data(), 128}, got.data());
  CHECK(got == want);
  for (int16_t& c : x) c = lb::smaller<int16_t>(c, lb::highest_centred);
  g(x.data(), want.data());
  lb::split_codes<true>(in, x.data(), main.data(), rest.data());
  f(lb::byte_images{main.data(), rest.data(), 0}, got.data());
  CHECK(got == want);
}

}  // namespace

TEST_CASE("compensation: images as two images of bytes, read between their pixels") {
  for (int mode = 0; mode < 3; ++mode)
    for (int h : {1, 3, 7})
      for (int w : {1, 5, 9}) {
        const lb::resize_shape s{2, 4, 5, 3, h, w, mode == 1, mode == 2};
        const auto in = std::size_t{2 * 4 * 5 * 3}, out = static_cast<std::size_t>(2 * h * w * 3);
        check_images(in, out, [&](const auto& x, int16_t* y) { lb::ref::resize_bilinear(s, x, y); },
                     [&](const int16_t* x, int16_t* y) { lb::ref::resize_bilinear(s, x, y); });
        check_images(in, out, [&](const auto& x, int16_t* y) { lb::ref::resize_nearest(s, x, y); },
                     [&](const int16_t* x, int16_t* y) { lb::ref::resize_nearest(s, x, y); });
      }
  const auto grid = image_codes(6 * 2 * 2);
  const lb::grid_sample_shape g{1, 4, 5, 3, 6, 2};
  for (int zero : {0, -1000, 32000})
    for (bool border : {false, true}) {
      const auto p = lb::make_grid_sample(g, lb::qformat::of<lb::q16>(), {1.0f, zero}, {1 / 30000.0f, 0}, false, border);
      check_images(4 * 5 * 3, 6 * 2 * 3, [&](const auto& x, int16_t* y) { lb::ref::grid_sample_bilinear(g, p, x, grid.data(), y); },
                   [&](const int16_t* x, int16_t* y) { lb::ref::grid_sample_bilinear(g, p, x, grid.data(), y); });
    }
}
