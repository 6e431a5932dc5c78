// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix products whose weights have a factor for each group along the depth against the reference, on every architecture, and the
// reference against sums in double precision. Include this first.

#include "support/kernel_archs.hpp"

#include <cstring>
#include <string>
#include <vector>

#include <lowbits/kernel/grouped_gemm.hpp>

#include "support/kernel_operands.hpp"

namespace grouped_cases {

using namespace kernel_operands;

inline std::vector<float> reals(int n, naive::random_numbers& random) {
  std::vector<float> v;
  for (int i = 0; i < n; ++i) v.push_back(static_cast<float>(random.in(-1000, 1000)) * 1.7e-3f);
  return v;
}
/// Factors: halves of every size, denormals and zeros too.
template <class Factor>
std::vector<Factor> factors(int n, naive::random_numbers& random) {
  std::vector<Factor> v;
  for (int i = 0; i < n; ++i) {
    if constexpr (std::is_same_v<Factor, float>) v.push_back(static_cast<float>(random.in(-1000, 1000)) * 1.7e-3f);
    else if constexpr (std::is_same_v<Factor, uint8_t>) v.push_back(static_cast<uint8_t>(random.in(0, 3) == 0 ? 255 : random.in(0, 255)));
    else v.push_back({static_cast<uint16_t>(random.in(0, 0x7bff) | random.in(0, 1) << 15)});
  }
  return v;
}
inline double real_factor(float f) { return static_cast<double>(f); }
inline double real_factor(lb::half f) { return static_cast<double>(f.value()); }
inline double real_factor(uint8_t f) { return f; }

template <class Rq>
constexpr bool is_requantizer = requires { typename Rq::policy; };

template <class Arch, class X, class Q, class Factor, class Rq>
void check(const lb::gemm_shape& s, int group, buffers& memory, naive::random_numbers& random) {
  using Y = typename Rq::output::storage;
  constexpr bool is_integer = std::is_same_v<Factor, uint8_t>;
  const auto size = [&](ptrdiff_t matrix, ptrdiff_t row, int cols) {
    return s.batch * s.rows == 0 ? std::size_t{0} : static_cast<std::size_t>((s.batch - 1) * matrix + (s.rows - 1) * row + cols);
  };
  const auto x = codes<X>(size(s.x_matrix_step(), s.x_row_step(), s.depth), random);
  const packed_weights<Q> w(static_cast<std::size_t>(s.cols * s.depth), random);
  const int plain_zero = std::is_signed_v<X> ? 0 : 128;  // the one that needs nothing
  const lb::group_format format{.group = group, .x_zero = random.in(0, 1) == 0 ? plain_zero : random.in(lb::lowest_of<X>, lb::highest_of<X>),
                                .w_zero = zero_point<packed_weights<Q>>(random), .shift = is_integer ? random.in(0, 2) * random.in(0, 15) : 0};
  const int groups = lb::ceil_div(s.depth, group);
  const auto each = factors<Factor>(groups * s.cols, random);
  const auto bias = reals(s.cols, random), row_scales = reals(s.batch * s.rows, random), scales = reals(s.cols, random);
  const auto first = codes<int16_t>(static_cast<std::size_t>(s.cols), random);
  const std::vector<int32_t> start(first.begin(), first.end());
  const int32_t* const integer_bias = is_integer && random.in(0, 1) == 0 ? start.data() : nullptr;
  std::vector<lb::fixed_multiplier> multipliers;
  Rq rq{};
  if constexpr (std::is_same_v<Rq, lb::float_output>) {
    rq = {.scales = random.in(0, 1) == 0 ? nullptr : scales.data(), .bias = random.in(0, 1) == 0 ? nullptr : bias.data(),
          .row_scales = random.in(0, 1) == 0 ? nullptr : row_scales.data()};
  } else if constexpr (is_requantizer<Rq>) {
    for (int c = 0; c < s.cols; ++c) multipliers.push_back(factor<lb::round_single>(s.depth * 128, random));
    rq = {multipliers.data(), stage(lb::qformat::of<lb::q8>(), random)};
  }
  std::vector<Y> before(size(s.y_matrix_step(), s.y_row_step(), s.cols), Y(7)), expected = before;
  const auto numbers = w.read(memory.w, guarded::place::front);
  lb::ref::grouped_gemm(s, x.data(), format.x_zero, numbers, format.w_zero, lb::group_factors<Factor>{each.data(), group, format.shift}, integer_bias, rq,
                        expected.data());

  if constexpr (std::is_same_v<Y, float>) {
    for (int r = 0; r < s.batch * s.rows; r += 2)
      for (int c = 0; c < s.cols; c += 3) {
        const auto channel = static_cast<std::size_t>(c);
        const double scale = (rq.row_scales != nullptr ? static_cast<double>(row_scales[static_cast<std::size_t>(r)]) : 1.0) *
                             (rq.scales != nullptr ? static_cast<double>(scales[channel]) : 1.0);
        const double added = rq.bias != nullptr ? static_cast<double>(bias[channel]) : 0;
        double sum = integer_bias != nullptr ? start[channel] : 0, size_of_all = 1 + (sum < 0 ? -sum : sum) + groups;
        const ptrdiff_t from = r / s.rows * s.x_matrix_step() + r % s.rows * s.x_row_step();
        for (int k = 0; k < s.depth; ++k) {
          const int xk = x[static_cast<std::size_t>(from + k)] - format.x_zero, wk = numbers[static_cast<std::size_t>(c * s.depth + k)] - format.w_zero;
          const double part = real_factor(each[static_cast<std::size_t>(c * groups + k / group)]) / (1 << format.shift) * xk * wk;
          sum += part;
          size_of_all += part < 0 ? -part : part;
        }
        const double wrong = sum * scale + added - static_cast<double>(expected[static_cast<std::size_t>(r / s.rows * s.y_matrix_step() + r % s.rows * s.y_row_step() + c)]);
        const double allowed = (1e-5 + (format.shift > 0 ? 1.0 : 0.0)) * size_of_all * (scale < 0 ? -scale : scale) + 1e-6;
        if (wrong > allowed || wrong < -allowed) FAIL_CHECK("the reference is off by ", wrong, " at ", r, ",", c);
      }
  }

  const lb::grouped_gemm<X, Q, Factor, Rq> p(s, format, lb::arch_id_of<Arch>);
  REQUIRE(p.error() == lb::status::ok);
  for (const auto where : guarded::both_places) {
    auto* packed = memory.packed.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
    auto* scratch = memory.scratch.take<unsigned char>(p.scratch_bytes(), where);
    auto* y = memory.y.copy(before, where);
    REQUIRE(p.pack(w.read(memory.w, where), memory.factors.copy(each, where), integer_bias, {packed, p.packed_bytes()}) == lb::status::ok);
    REQUIRE(p.run(memory.x.copy(x, where), {packed, p.packed_bytes()}, rq, y, {scratch, p.scratch_bytes()}) == lb::status::ok);
    for (std::size_t i = 0; i < before.size(); ++i)
      if (std::memcmp(&y[i], &expected[i], sizeof(Y)) != 0) {
        FAIL_CHECK(std::string(Arch::name), ", ", static_cast<int>(Q::bits), " bits, ", s.rows, "x", s.depth, "x", s.cols, " by ", group, ": element ", i, " is ", +y[i], ", not ", +expected[i]);
        break;
      }
  }
}

inline constexpr int all_groups[] = {16, 32, 64, 128, 256};

/// Every group, and depths around and across it: odd ones, short last groups.
template <class X, class Q, class Factor, class Rq = lb::float_output>
void check_all(uint64_t seed) {
  buffers memory;
  naive::random_numbers random(seed);
  kernel_archs::for_each([&]<class Arch>(Arch) {
    const auto one = [&](const lb::gemm_shape& s, int group) { check<Arch, X, Q, Factor, Rq>(s, group, memory, random); };
    for (const int group : all_groups)
      for (const int depth : kernel_archs::sample(std::vector<int>{0, 1, 15, 16, 17, 31, 33, 47, 64, 97, 131, 255, 257, 320, 519}))
        one({.rows = random.in(1, 3), .cols = random.in(1, 40), .depth = depth}, group);
    if (kernel_archs::is_slow) return;
    for (const int rows : {0, 1, 2, 4, 5, 8, 9, 13})
      for (const int cols : {0, 1, 16, 37, 64, 81}) one({.rows = rows, .cols = cols, .depth = random.in(33, 100)}, all_groups[random.in(0, 2)]);
    one({.rows = 2, .cols = 20, .depth = 96, .batch = 2, .x_row = 100, .x_matrix = 250, .y_row = 21, .y_matrix = 50}, 96);
    one({.rows = 70, .cols = 17, .depth = 40}, 32);
    one({.rows = 1, .cols = 1030, .depth = 64}, 32);
  });
}

}  // namespace grouped_cases
