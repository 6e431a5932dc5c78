// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Element-wise operations on every architecture give what the parameters' own formulas give, in place
// too, and touch nothing outside their buffers.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/kernel/eltwise.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

const std::vector<std::size_t> lengths = {0, 1, 2, 3, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 257, 513};

/// Every pair of two codes of X and Y.
template <class X, class Y>
struct all_pairs {
  std::vector<X> x;
  std::vector<Y> y;
  all_pairs() {
    for (int a = lb::lowest_of<X>; a <= lb::highest_of<X>; ++a)
      for (int b = lb::lowest_of<Y>; b <= lb::highest_of<Y>; ++b) x.push_back(static_cast<X>(a)), y.push_back(static_cast<Y>(b));
  }
};

/// kernel::binary against p for every pair of codes, then for every length at both places, then with
/// the output on top of each input.
template <class Arch, class X, class Y, class Out, class Params>
void check_binary(const Params& p, const std::string& what) {
  INFO(what, ", arch ", std::string(Arch::name));
  static const all_pairs<X, Y> all;
  std::vector<Out> expected, got(all.x.size());
  for (std::size_t i = 0; i < all.x.size(); ++i) expected.push_back(static_cast<Out>(p(all.x[i], all.y[i])));
  lb::kernel::binary<Arch>(all.x.size(), all.x.data(), all.y.data(), p, got.data());
  std::string wrong = difference(got.data(), expected);
  if (!wrong.empty()) FAIL_CHECK(wrong);

  static guarded::memory x_memory, y_memory, out_memory;
  for (const std::size_t n : lengths)
    for (const auto where : guarded::both_places) {
      const std::size_t from = n * 119;
      const std::vector<X> x(all.x.begin() + static_cast<ptrdiff_t>(from), all.x.begin() + static_cast<ptrdiff_t>(from + n));
      const std::vector<Y> y(all.y.begin() + static_cast<ptrdiff_t>(from), all.y.begin() + static_cast<ptrdiff_t>(from + n));
      const std::vector<Out> part(expected.begin() + static_cast<ptrdiff_t>(from), expected.begin() + static_cast<ptrdiff_t>(from + n));
      X* a = x_memory.copy(x, where);
      Y* b = y_memory.copy(y, where);
      Out* out = out_memory.take<Out>(n, where);
      lb::kernel::binary<Arch>(n, a, b, p, out);
      wrong = difference(out, part);
      if constexpr (std::is_same_v<X, Out>) {
        lb::kernel::binary<Arch>(n, a, b, p, a);
        if (wrong.empty()) wrong = difference(a, part);
        x_memory.copy(x, where);
      }
      if constexpr (std::is_same_v<Y, Out>) {
        lb::kernel::binary<Arch>(n, a, b, p, b);
        if (wrong.empty()) wrong = difference(b, part);
      }
      if (!wrong.empty()) FAIL_CHECK("length ", n, ": ", wrong);
    }
}

template <class T>
lb::affine params(float scale, naive::random_numbers& random) {
  return {scale, random.in(lb::lowest_of<T>, lb::highest_of<T>)};
}
template <class T>
constexpr lb::qformat format{8, std::is_signed_v<T>, false};

constexpr float scale_pairs[][3] = {{0.1f, 0.1f, 0.1f},   {0.02f, 0.9f, 0.3f}, {1.0f, 0.001f, 0.5f}, {0.5f, 0.25f, 100.0f},
                                    {3.0f, 7.0f, 0.001f}, {1e-6f, 1.0f, 1.0f}, {1e4f, 1e-4f, 1.0f},  {0.003f, 0.004f, 0.004f}};

template <class X, class Y, class Out>
void check_sums_and_products() {
  kernel_archs::for_each([]<class Arch>(Arch) {
    naive::random_numbers random(8);
    for (const auto& s : scale_pairs) {
      const auto x = params<X>(s[0], random);
      const auto y = params<Y>(s[1], random);
      const auto out = params<Out>(s[2], random);
      const std::string scales = std::to_string(s[0]) + " " + std::to_string(s[1]) + " " + std::to_string(s[2]);
      const auto fused = random.in(0, 1) == 0 ? lb::activation::none : lb::activation::relu;
      for (const bool subtract : {false, true})
        check_binary<Arch, X, Y, Out>(lb::make_sum(format<X>, x, format<Y>, y, format<Out>, out, fused, subtract), "sum " + scales);
      check_binary<Arch, X, Y, Out>(lb::make_product<lb::round_single>(format<X>, x, format<Y>, y, format<Out>, out, fused), "product once " + scales);
      check_binary<Arch, X, Y, Out>(lb::make_product<lb::round_double_gemmlowp>(format<X>, x, format<Y>, y, format<Out>, out, fused), "product twice " + scales);
      for (const bool take_larger : {false, true})
        check_binary<Arch, X, Y, Out>(lb::make_extremum(format<X>, x, format<Y>, y, format<Out>, out, fused, take_larger), "extremum " + scales);
    }
  });
}

}  // namespace

TEST_CASE("binary: s8, s8 to s8") { check_sums_and_products<int8_t, int8_t, int8_t>(); }
TEST_CASE("binary: u8, s8 to u8") { check_sums_and_products<uint8_t, int8_t, uint8_t>(); }
TEST_CASE("binary: s8, u8 to s8") { check_sums_and_products<int8_t, uint8_t, int8_t>(); }

TEST_CASE("binary: extrema of equal parameters, TFLite's sum, float policies") {
  kernel_archs::for_each([]<class Arch>(Arch) {
    const lb::affine p{0.1f, -7};
    const lb::qformat f = format<int8_t>;
    for (const bool take_larger : {false, true})
      check_binary<Arch, int8_t, int8_t, int8_t>(lb::make_extremum(f, p, f, p, f, p, lb::activation::relu, take_larger), "equal");
    check_binary<Arch, int8_t, int8_t, int8_t>(lb::make_tflite_sum(f, p, f, {0.3f, 4}, f, {0.2f, 9}), "tflite");
    check_binary<Arch, int8_t, int8_t, int8_t>(lb::make_product<lb::round_even_float>(f, p, f, {0.3f, 4}, f, {0.2f, 9}), "float");
  });
}

TEST_CASE("binary: parameters outside a primitive's range run through their formula") {
  kernel_archs::for_each([]<class Arch>(Arch) {
    const lb::output_stage stage{3, -128, 127};
    check_binary<Arch, int8_t, int8_t, int8_t>(lb::sum_params{1000, -2000, 77, -55, 9, stage}, "far zero points");
    check_binary<Arch, int8_t, int8_t, int8_t>(lb::sum_params{1, -2, 70000, -55, 17, stage}, "large factor");
    check_binary<Arch, int8_t, int8_t, int8_t>(lb::sum_params{1, -2, 32767, -32767, 31, stage}, "largest shift");
    check_binary<Arch, int8_t, int8_t, int8_t>(lb::product_params<>{400, 0, {1 << 30, -5}, stage}, "far zero point");
  });
}

TEST_CASE("product, rescale: every exponent") {
  kernel_archs::for_each([]<class Arch>(Arch) {
    for (int exponent = -31; exponent <= 30; ++exponent)
      for (const int mantissa : {1 << 30, 0x7fff'ffff, 0x5a5a'1234, 0}) {
        const lb::fixed_multiplier m{mantissa, exponent};
        const std::string what = "mantissa " + std::to_string(mantissa) + " exponent " + std::to_string(exponent);
        int8_t x[256], got[256];
        std::vector<int8_t> expected;
        const lb::rescale_params r{-9, m, false, {5, -100, 120}};
        for (int i = 0; i < 256; ++i) x[i] = static_cast<int8_t>(i), expected.push_back(static_cast<int8_t>(r(x[i])));
        lb::kernel::rescale<Arch>(256, x, r, got);
        const std::string wrong = difference(got, expected);
        if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " rescale ", what, ": ", wrong);
        if (exponent % 5 != 0 && exponent != 12 && exponent != 13 && exponent != -2 && exponent != -1) continue;
        check_binary<Arch, int8_t, int8_t, int8_t>(lb::product_params<lb::round_single>{127, -128, m, {-1, -128, 127}}, what);
        check_binary<Arch, int8_t, int8_t, int8_t>(lb::product_params<lb::round_double_gemmlowp>{127, -128, m, {-1, -128, 127}}, what);
      }
  });
}

TEST_CASE("rescale: so many codes that a table pays, in place and to another type") {
  static guarded::memory memory;
  kernel_archs::for_each([]<class Arch>(Arch) {
    naive::random_numbers random(4);
    for (const std::size_t n : {1023u, 1024u, 1025u, 1087u, 1088u, 4099u})
      for (const auto where : guarded::both_places) {
        const auto x = codes<int8_t>(n, random);
        const auto p = lb::make_rescale(format<int8_t>, {0.1f, 3}, format<int8_t>, {0.07f, -20});
        const auto to_u8 = lb::make_rescale(format<int8_t>, {0.1f, 3}, format<uint8_t>, {0.2f, 90}, lb::activation::relu);
        std::vector<int8_t> same;
        std::vector<uint8_t> other;
        for (const int8_t v : x) same.push_back(static_cast<int8_t>(p(v))), other.push_back(static_cast<uint8_t>(to_u8(v)));
        int8_t* y = memory.copy(x, where);
        std::vector<uint8_t> u(n);
        lb::kernel::rescale<Arch>(n, y, to_u8, u.data());
        lb::kernel::rescale<Arch>(n, y, p, y);
        CHECK(difference(y, same) == "");
        CHECK(difference(u.data(), other) == "");
      }
  });
}

TEST_CASE("rescale, clamp, lookup: every length, in place") {
  static guarded::memory memory;
  kernel_archs::for_each([]<class Arch>(Arch) {
    naive::random_numbers random(3);
    uint8_t table[256];
    for (int i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(i * 37 + 11);
    for (const std::size_t n : lengths)
      for (const auto where : guarded::both_places) {
        const auto x = codes<int8_t>(n, random);
        for (const lb::rescale_params& p : {lb::make_rescale(format<int8_t>, {0.1f, 3}, format<int8_t>, {0.07f, -20}),
                                            lb::make_rescale(format<int8_t>, {0.1f, 3}, format<int8_t>, {0.1f, 3}, lb::activation::relu)}) {
          std::vector<int8_t> expected;
          for (const int8_t v : x) expected.push_back(static_cast<int8_t>(p(v)));
          int8_t* y = memory.copy(x, where);
          lb::kernel::rescale<Arch>(n, y, p, y);
          CHECK(difference(y, expected) == "");
        }
        std::vector<int8_t> clamped, looked_up;
        std::vector<uint8_t> other;
        for (const int8_t v : x) {
          clamped.push_back(lb::clamp<int8_t>(v, -100, 9));
          looked_up.push_back(static_cast<int8_t>(table[static_cast<uint8_t>(v)]));
          other.push_back(static_cast<uint8_t>(lb::make_rescale(format<int8_t>, {0.1f, 3}, format<uint8_t>, {0.07f, 90})(v)));
        }
        int8_t* y = memory.copy(x, where);
        lb::kernel::clamp<Arch>(n, y, lb::code_range{-100, 9}, y);
        CHECK(difference(y, clamped) == "");
        y = memory.copy(x, where);
        lb::kernel::lookup<Arch>(n, y, table, y);
        CHECK(difference(y, looked_up) == "");
        std::vector<uint8_t> u(n);
        lb::kernel::rescale<Arch>(n, x.data(), lb::make_rescale(format<int8_t>, {0.1f, 3}, format<uint8_t>, {0.07f, 90}), u.data());
        CHECK(difference(u.data(), other) == "");
      }
  });
}
