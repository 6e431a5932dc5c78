// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <lowbits/fixed/table.hpp>

namespace lb = lowbits;
namespace curve = lowbits::curve;

namespace {

constexpr lb::qformat q8{8, true, false}, n8{8, true, true}, u8{8, false, false}, q4{4, true, false}, u3{3, false, false},
    q16{16, true, false};

struct named_function {
  const char* name;
  double (*ours)(double);
  long double (*exact)(long double);
  double curvature;  ///< largest |f''|; 0 where there are kinks
};
const named_function functions[] = {
    {"tanh", curve::tanh, [](long double x) { return std::tanh(x); }, 0.77},
    {"logistic", curve::logistic, [](long double x) { return 1 / (1 + std::exp(-x)); }, 0.1},
    {"silu", curve::silu, [](long double x) { return x / (1 + std::exp(-x)); }, 0.5},
    {"gelu", curve::gelu, [](long double x) { return x / 2 * std::erfc(-x * std::sqrt(0.5L)); }, 0.8},
    {"square", curve::square, [](long double x) { return x * x; }, 2.0},
    {"hard_swish", curve::hard_swish, [](long double x) { return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6; }, 0},
    {"leaky_relu", [](double x) { return curve::leaky_relu(x, 0.1); }, [](long double x) { return x < 0 ? x * 0.1L : x; }, 0},
};

struct scales {
  float in; int in_zero;
  float out; int out_zero;
};
const scales scale_sets[] = {{0.05f, 3, 1 / 128.f, 0}, {1 / 16.f, 0, 1 / 256.f, -128}, {0.1f, -128, 0.1f, -20},
                             {0.003f, 100, 0.0007f, 5}, {2.5f, 1, 0.9f, 0}, {1e-4f, 0, 1e-4f, 0}};

long double held(long double v, const lb::qformat& q) {
  return std::fmin(std::fmax(v, static_cast<long double>(q.lowest())), static_cast<long double>(q.highest()));
}
std::string text(const named_function& f, const scales& s, const lb::qformat& in, const lb::qformat& out) {
  return std::string(f.name) + " in " + std::to_string(in.bits) + " bits " + std::to_string(s.in) + "," + std::to_string(s.in_zero) +
         " out " + std::to_string(out.bits) + " bits " + std::to_string(s.out) + "," + std::to_string(s.out_zero);
}
int as_code(std::uint8_t byte, const lb::qformat& q) { return q.is_signed && byte > 127 ? byte - 256 : byte; }

}  // namespace

TEST_CASE("256 entries: every code is the nearest to the exact value") {
  for (const auto& f : functions)
    for (const scales& s : scale_sets)
      for (const auto& in : {q8, n8, u8, q4, u3})
        for (const auto& out : {q8, u8, q4}) {
          const int zi = lb::clamp(s.in_zero, in.lowest(), in.highest()), zo = lb::clamp(s.out_zero, out.lowest(), out.highest());
          const lb::table256 t = lb::make_table(in, {s.in, zi}, out, {s.out, zo}, f.ours);
          CAPTURE(text(f, s, in, out));
          int far_off = 0;
          for (int q = in.lowest(); q <= in.highest(); ++q) {
            const long double exact = held(f.exact(static_cast<long double>(q - zi) * s.in) / s.out + zo, out);
            if (std::fabs(as_code(t.value[static_cast<std::uint8_t>(q)], out) - exact) > 0.5L + 1e-10L) ++far_off;
          }
          CHECK(far_off == 0);
        }
}

TEST_CASE("256 entries: ties go away from zero, whatever the zero points") {
  for (int zero : {-3, 0, 40}) {
    const auto half = lb::make_table(q8, {1.0f, zero}, q8, {2.0f, 5}, curve::identity);
    for (int q = -40; q <= 80; ++q) {
      const int steps = q - zero;
      const int expected = steps % 2 == 0 ? steps / 2 : (steps + (steps > 0 ? 1 : -1)) / 2;
      CAPTURE(q);
      CHECK(as_code(half.value[static_cast<std::uint8_t>(q)], q8) == expected + 5);
    }
  }
}

TEST_CASE("256 entries: identity, clamps, bytes that are no codes") {
  const auto same = lb::make_table(q8, {0.3f, 7}, q8, {0.3f, 7}, curve::identity);
  const auto relu = lb::make_table(u8, {0.1f, 10}, u8, {0.1f, 10}, curve::identity, lb::activation::relu6);
  for (int b = 0; b < 256; ++b) {
    CHECK(same.value[b] == b);
    CHECK(relu.value[b] == (b < 10 ? 10 : b > 70 ? 70 : b));
  }
  const auto narrow_in = lb::make_table(q4, {1.0f, 0}, q8, {1.0f, 0}, curve::identity);
  CHECK(as_code(narrow_in.value[100], q8) == 7);
  CHECK(as_code(narrow_in.value[200], q8) == -8);
  const auto not_a_number = lb::make_table(q8, {1.0f, 0}, q8, {1.0f, 3}, [](double) { return __builtin_nan(""); });
  CHECK(not_a_number.value[0] == 3);
  const auto unbounded = lb::make_table(q8, {1.0f, 0}, q8, {1.0f, 3}, [](double x) { return x < 0 ? -1e300 : 1e300; });
  CHECK(as_code(unbounded.value[0], q8) == 127);
  CHECK(as_code(unbounded.value[255], q8) == -128);
}

TEST_CASE("513 entries: interpolated values stay within the stated error") {
  for (const auto& f : functions) {
    if (f.curvature == 0) continue;
    for (int bits = 9; bits <= 16; ++bits)
      for (bool is_signed : {true, false}) {
        const lb::qformat in{static_cast<std::uint8_t>(bits), is_signed, false};
        for (float range : {1.0f, 4.0f, 16.0f}) {
          const float in_scale = range / static_cast<float>(1 << (bits - 1));
          const int zero = is_signed ? 1 << (bits - 4) : 1 << (bits - 1);
          const auto exact_at = [&](int q) { return f.exact(static_cast<long double>(q - zero) * in_scale); };
          const float out_scale = static_cast<float>(std::fmax(std::fabs(exact_at(in.lowest())), std::fabs(exact_at(in.highest() + 1)))) / 32700;
          const lb::affine ip{in_scale, zero}, op{out_scale, -7};
          const lb::table513 t = lb::make_wide_table(in, ip, q16, op, f.ours);
          const auto index = lb::table_index::of(in);
          const double cell = static_cast<double>(1 << index.shift) * in_scale;
          const double bound = 1 + (index.shift > 0 ? cell * cell * f.curvature / (16 * out_scale) : -0.5) + 1e-6;
          CAPTURE(f.name);
          CAPTURE(bits);
          CAPTURE(range);
          int far_off = 0;
          for (int q = in.lowest(); q <= in.highest(); ++q) {
            const long double exact = exact_at(q) / out_scale - 7;
            if (std::fabs(lb::interpolate(t.value, q, index) - exact) > bound) ++far_off;
          }
          CHECK(far_off == 0);
        }
      }
  }
}

TEST_CASE("513 entries: straight lines are exact, kinks stay local") {
  const auto line = lb::make_wide_table(q16, {0.001f, 0}, q16, {0.001f, 0}, curve::identity);
  const auto relu = lb::make_wide_table(q16, {0.001f, 0}, q16, {0.001f, 0}, curve::relu);
  const auto leaky = lb::make_wide_table(q16, {0.001f, 64}, q16, {0.001f, 0}, [](double x) { return curve::leaky_relu(x, 0.5); });
  for (int q = -32768; q <= 32767; ++q) {
    const int missing = q > 32640 + 64 ? 1 : 0;  // the last entry would be 32768
    REQUIRE(lb::interpolate(line.value, q) == q - missing);
    REQUIRE(lb::interpolate(relu.value, q) == (q < 0 ? 0 : q - missing));
    const int steps = q - 64;
    if (q < -128 || q > 128) REQUIRE(std::fabs(lb::interpolate(leaky.value, q) - (steps < 0 ? steps * 0.5 : steps)) <= 1.0);
  }
}

TEST_CASE("interpolate is TFLite's LUTLookup for 16 bits") {
  std::vector<std::int16_t> t(513);
  std::uint32_t state = 7;
  for (auto& v : t) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<std::int16_t>(static_cast<int>(state >> 18) - 8192);  // slopes that fit TFLite's int16
  }
  for (int q = -32768; q <= 32767; ++q) {
    const int cell = 256 + (q >> 7), part = q & 0x7f;
    const int expected = t[static_cast<std::size_t>(cell)] +
                         (((t[static_cast<std::size_t>(cell + 1)] - t[static_cast<std::size_t>(cell)]) * part + 64) >> 7);
    REQUIRE(lb::interpolate(t.data(), q) == expected);
  }
}

TEST_CASE("a table made at run time equals the compiler's") {
  static constexpr auto made = lb::make_table(q8, {0.05f, 3}, q8, {1 / 128.f, 0}, curve::tanh);
  static constexpr auto wide = lb::make_wide_table(q16, {1 / 4096.f, 0}, q16, {1 / 4096.f, 0}, curve::gelu);
  volatile float scale = 0.05f, wide_scale = 1 / 4096.f;
  CHECK(lb::make_table(q8, {scale, 3}, q8, {1 / 128.f, 0}, curve::tanh) == made);
  CHECK(lb::make_wide_table(q16, {wide_scale, 0}, q16, {1 / 4096.f, 0}, curve::gelu) == wide);
}

// The largest tables fit the default budget of a constant evaluation.
constexpr auto gelu_table = lb::make_table(q8, {0.05f, 3}, q8, {1 / 128.f, 0}, curve::gelu);
constexpr auto gelu_tanh_table = lb::make_wide_table(q16, {1 / 4096.f, 0}, q16, {1 / 4096.f, 0}, curve::gelu_tanh);
static_assert(gelu_table.value[3] == 0 && lb::interpolate(gelu_tanh_table.value, 0) == 0);
static_assert(lb::interpolate(gelu_tanh_table.value, 32639) == 32639);
