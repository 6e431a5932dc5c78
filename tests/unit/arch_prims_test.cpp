// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every row of the table of primitives against the made-up architecture, whose primitives are plain
// loops. A row whose operation has no check() here does not compile.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/fixed/rounding.hpp>
#include <lowbits/kernel/gemm.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;
using guarded::both_places;
using lb::arch::odd_tile;
namespace prims = lb::prims;

guarded::memory a_memory, b_memory, c_memory, d_memory, y_memory;

std::vector<int32_t> start_values(std::size_t n, naive::random_numbers& random) {
  std::vector<int32_t> v(n);
  for (auto& x : v) x = random.in(-1'000'000'000, 1'000'000'000);
  return v;
}

// ---- matrix product: any tile of any architecture, weights laid out as it says
/// All numbers of rows, or where there are many, those around the heights of tiles.
template <class P>
std::vector<int> some_rows() {
  if constexpr (P::rows > 16) return {1, 2, 3, 15, 16, 17, 31, 32, 33, 49, P::rows - 1, P::rows};
  std::vector<int> all;
  for (int m = 1; m <= P::rows; ++m) all.push_back(m);
  return all;
}
/// Depths, in steps; of primitives with padding those around it, and around a cut in parts.
template <class P>
std::vector<int> some_steps() {
  if constexpr (lb::kernel::tile_of<P>.depth_pad > P::depth_step) return {0, 1, 15, 16, 17, 33, 145, 321};
  return {0, 1, 2, 3, 4, 5, 7, 8, 33};
}
/// Weights of a panel of n columns; zero where the depth is only padding.
template <class P>
std::vector<int8_t> padded_weights(int steps, int n, naive::random_numbers& random) {
  auto w = codes<int8_t>(static_cast<std::size_t>(n * steps * P::depth_step), random);
  w.resize(static_cast<std::size_t>(n * lb::round_up(steps * P::depth_step, lb::kernel::tile_of<P>.depth_pad)));
  return w;
}
template <class Arch, class Code>
void check_gemm(naive::random_numbers& random) {
  using P = lb::prim<prims::gemm, Arch>;
  for (const int m : some_rows<P>())
    for (int n = P::col_step; n <= P::cols; n += P::col_step)
      for (const int steps : some_steps<P>())
        for (const auto where : both_places) {
          const int depth = lb::round_up(steps * P::depth_step, lb::kernel::tile_of<P>.depth_pad);
          const auto x = codes<Code>(static_cast<std::size_t>(m * depth), random);
          const auto w = padded_weights<P>(steps, n, random);
          const auto start = start_values(static_cast<std::size_t>(n), random);
          auto* rows = a_memory.take<typename P::element>(x.size(), where);
          P::fetch(m, depth, d_memory.copy(x, where), depth, rows, depth);
          for (int r = 0; r < m; ++r) {
            uint32_t sum = 0;
            for (int k = 0; k < depth; ++k) sum += static_cast<uint32_t>(rows[r * depth + k]);
            if (P::sum(rows + r * depth, depth) != static_cast<int32_t>(sum)) FAIL_CHECK(std::string(Arch::name), " sum of ", depth);
          }
          auto* acc = y_memory.take<int32_t>(static_cast<std::size_t>(m * n), where);
          P::run(m, n, steps, rows, depth, b_memory.copy(w, where), c_memory.copy(start, where), acc);
          if constexpr (lb::kernel::most_code_rows<P> > 0)
            if (m <= lb::kernel::most_code_rows<P> && depth == steps * P::depth_step) {
              std::vector<int32_t> sums(static_cast<std::size_t>(m * n));
              P::run(m, n, steps, reinterpret_cast<const uint8_t*>(d_memory.copy(x, where)), depth, w.data(), start.data(), sums.data(), P::template shift<Code>);
              for (std::size_t i = 0; i < sums.size(); ++i)
                if (sums[i] != acc[i]) FAIL_CHECK(std::string(Arch::name), " gemm from codes ", m, "x", n, "x", depth, " at ", i);
            }
          for (int r = 0; r < m; ++r)
            for (int c = 0; c < n; ++c) {
              auto expected = static_cast<uint32_t>(start[static_cast<std::size_t>(c)]);
              for (int k = 0; k < depth; ++k) {
                const int weight = w[static_cast<std::size_t>((k / P::depth_step * n + c) * P::depth_step + k % P::depth_step)];
                expected += static_cast<uint32_t>((x[static_cast<std::size_t>(r * depth + k)] + P::template shift<Code>) * weight);
              }
              if (acc[r * n + c] != static_cast<int32_t>(expected))
                FAIL_CHECK(std::string(Arch::name), " gemm ", m, "x", n, "x", depth, " at ", r, ",", c);
            }
        }
}
template <class Arch>
void check(prims::gemm, Arch) {
  naive::random_numbers random(1);
  check_gemm<Arch, int8_t>(random);
  check_gemm<Arch, uint8_t>(random);
}

// ---- requantize: the ends of int32, every exponent, each column its own, any width
template <class Arch, lb::rescale_rule Rule, class Code>
void check_requantize(naive::random_numbers& random) {
  using P = lb::prim<prims::requantize, Arch>;
  using reference = lb::prim<prims::requantize, odd_tile>;
  std::vector<int32_t> corners = {0, 1, -1, 2, -2, 3, -3, lb::lowest_of<int32_t>, lb::lowest_of<int32_t> + 1, lb::highest_of<int32_t>};
  for (int k = 2; k < 31; ++k)
    for (const int32_t d : {-1, 0, 1}) corners.push_back((1 << k) + d), corners.push_back(-(1 << k) + d);
  const auto draw = [&](int exponent) {
    const int kind = random.in(0, 5);
    return lb::fixed_multiplier{kind == 0 ? 1 << 30 : kind == 1 ? lb::highest_of<int32_t> : kind == 2 ? 0 : random.in(1 << 30, lb::highest_of<int32_t> - 1), exponent};
  };
  const auto run = [&](int rows, int cols, const std::vector<int32_t>& acc, const std::vector<lb::fixed_multiplier>& factors, bool per_column, const lb::code_stage& stage) {
    const lb::column_factors f{nullptr, per_column};
    std::vector<Code> expected(static_cast<std::size_t>(rows * cols));
    reference::run<Rule>(rows, cols, acc.data(), cols, {factors.data(), per_column}, stage, expected.data(), cols);
    for (const auto where : both_places) {
      Code* y = y_memory.take<Code>(expected.size(), where);
      P::template run<Rule>(rows, cols, a_memory.copy(acc, where), cols, {b_memory.copy(factors, where), f.per_column}, stage, y, cols);
      const std::string wrong = difference(y, expected);
      if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " requantize ", rows, "x", cols, ": ", wrong);
    }
  };
  const int low = lb::lowest_of<Code>, high = lb::highest_of<Code>;
  for (int exponent = -31; exponent <= 30; ++exponent)
    for (const int zero : {low, 0, high})
      run(static_cast<int>(corners.size()), 1, corners, {draw(exponent)}, false, {zero, low, high});
  for (int cols = 1; cols <= 70; ++cols)
    for (const int largest : {-3, -2, -1, 0, 30}) {
      std::vector<int32_t> acc(static_cast<std::size_t>(3 * cols));
      for (auto& v : acc) v = random.in(0, 3) == 0 ? corners[static_cast<std::size_t>(random.in(0, static_cast<int>(corners.size()) - 1))] : random.in(-3'000'000, 3'000'000);
      std::vector<lb::fixed_multiplier> factors;
      for (int c = 0; c < cols; ++c) factors.push_back(draw(random.in(0, 4) == 0 ? largest : random.in(-24, lb::smaller(largest, -8))));
      run(3, cols, acc, factors, true, {random.in(low, high), random.in(low, 0), random.in(1, high)});
    }
}
template <class Arch>
void check(prims::requantize, Arch) {
  naive::random_numbers random(2);
  check_requantize<Arch, lb::rescale_rule::once, int8_t>(random);
  check_requantize<Arch, lb::rescale_rule::once, uint8_t>(random);
  check_requantize<Arch, lb::rescale_rule::twice, int8_t>(random);
  check_requantize<Arch, lb::rescale_rule::twice, uint8_t>(random);
}

// ---- product of words: tiles around the depths where sums go to 64 bits, codes at the ends
template <class Arch, class Code, int Bytes>
void check_gemm_words(naive::random_numbers& random) {
  using P = lb::prim<prims::gemm_words, Arch>;
  for (int m = 1; m <= P::rows; ++m)
    for (int n = P::col_step; n <= P::cols; n += P::col_step)
      for (const int steps : {0, 1, 2, 3, 4, 127, 128, 129, 255, 256, 257, 512, 513}) {
        if (steps > 4 && m > 3 && m < P::rows - 1) continue;
        const auto where = both_places[random.in(0, 1)];
        const int depth = steps * P::depth_step;
        const bool extreme = random.in(0, 3) == 0;
        auto x = codes<Code>(static_cast<std::size_t>(m * depth), random);
        auto w = codes<int8_t>(static_cast<std::size_t>(n * depth * Bytes), random);
        if (extreme) {
          for (auto& v : x) v = lb::lowest_of<Code>;
          for (auto& v : w) v = Bytes == 1 ? -128 : -1;
        }
        std::vector<int64_t> start;
        for (int c = 0; c < n; ++c) start.push_back(int64_t{random.in(-1'000'000'000, 1'000'000'000)} << random.in(0, 20));
        auto* rows = a_memory.take<int16_t>(x.size(), where);
        P::fetch(m, depth, d_memory.copy(x, where), depth, rows, depth);
        for (std::size_t i = 0; i < x.size(); ++i)
          if (rows[i] != x[i] + P::template shift<Code>) FAIL_CHECK(std::string(Arch::name), " gemm_words fetch, element ", i);
        std::vector<int64_t> expected(static_cast<std::size_t>(m * n));
        for (int r = 0; r < m; ++r)
          for (int c = 0; c < n; ++c) {
            int64_t sum = start[static_cast<std::size_t>(c)];
            for (int k = 0; k < depth; ++k) {
              const auto byte = [&](int b) { return w[static_cast<std::size_t>(((k / P::depth_step * Bytes + b) * n + c) * P::depth_step + k % P::depth_step)]; };
              sum += int64_t{rows[r * depth + k]} * (Bytes == 1 ? byte(0) : byte(Bytes - 1) * 256 + static_cast<uint8_t>(byte(0)));
            }
            expected[static_cast<std::size_t>(r * n + c)] = sum;
          }
        auto* acc = y_memory.take<int64_t>(expected.size(), where);
        P::template run<Bytes>(m, n, steps, rows, depth, b_memory.copy(w, where), c_memory.copy(start, where), acc);
        const std::string wrong = difference(acc, expected);
        if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_words of ", Bytes, " bytes, ", m, "x", n, "x", depth, ": ", wrong);
      }
}
template <class Arch>
void check(prims::gemm_words, Arch) {
  naive::random_numbers random(21);
  check_gemm_words<Arch, int16_t, 1>(random);
  check_gemm_words<Arch, int16_t, 2>(random);
  check_gemm_words<Arch, uint16_t, 1>(random);
  check_gemm_words<Arch, uint8_t, 2>(random);
}

// ---- requantize_wide: every exponent, sums of all sizes
template <class Arch, lb::rescale_rule Rule, class Code>
void check_requantize_wide(naive::random_numbers& random) {
  using P = lb::prim<prims::requantize_wide, Arch>;
  using rounding = std::conditional_t<Rule == lb::rescale_rule::once, lb::round_single, lb::round_tflite_int64>;
  const int low = lb::lowest_of<Code>, high = lb::highest_of<Code>;
  for (int round = 0; round < 1500; ++round) {
    const int rows = random.in(1, 4), cols = random.in(1, 40);
    const bool per_column = random.in(0, 3) != 0, is_small = random.in(0, 1) == 0;
    std::vector<lb::fixed_multiplier> factors;
    for (int c = 0; c < cols; ++c) {
      const int kind = random.in(0, 9);
      const int mantissa = kind == 0 ? 1 << 30 : kind == 1 ? lb::highest_of<int32_t> : kind == 2 ? 0x7fff'0000 - random.in(0, 0x8001) : kind == 3 ? 0 : random.in(1 << 30, lb::highest_of<int32_t> - 1);
      factors.push_back({mantissa, is_small ? random.in(-31, -2) : random.in(-31, 30)});
    }
    std::vector<int64_t> acc;
    for (int i = 0; i < rows * cols; ++i) {
      const lb::fixed_multiplier& f = factors[static_cast<std::size_t>(per_column ? i % cols : 0)];
      int64_t v = (int64_t{random.in(-0x4000'0000, 0x4000'0000)} << 31) + random.in(0, 0x7fff'ffff);
      const int kind = random.in(0, 5);
      if (kind == 0) v = random.in(-1, 1);
      else if (kind == 1) v >>= random.in(0, 62);
      else if (kind == 5) v = random.in(0, 1) == 0 ? lb::lowest_of<int64_t> : lb::highest_of<int64_t>;
      else v >>= lb::clamp(45 + random.in(0, 3) + f.exponent, 0, 63);  // about a code's size, or a tie
      if (kind == 2) v = v >> 3 << 3;
      acc.push_back(v);
    }
    const lb::code_stage stage{random.in(low, high), random.in(low, 0), random.in(1, high)};
    std::vector<Code> expected;
    for (std::size_t i = 0; i < acc.size(); ++i)
      expected.push_back(static_cast<Code>(lb::output_stage{stage.zero_point, stage.lowest, stage.highest}(
          rounding::apply(acc[i], factors[per_column ? i % static_cast<std::size_t>(cols) : 0]))));
    const auto where = both_places[round % 2];
    Code* y = y_memory.take<Code>(expected.size(), where);
    P::template run<Rule>(rows, cols, a_memory.copy(acc, where), cols, {b_memory.copy(factors, where), per_column}, stage, y, cols);
    const std::string wrong = difference(y, expected);
    if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " requantize_wide ", rows, "x", cols, ": ", wrong);
  }
}
template <class Arch>
void check(prims::requantize_wide, Arch) {
  naive::random_numbers random(22);
  check_requantize_wide<Arch, lb::rescale_rule::once, int16_t>(random);
  check_requantize_wide<Arch, lb::rescale_rule::brief, int16_t>(random);
  check_requantize_wide<Arch, lb::rescale_rule::once, uint16_t>(random);
  check_requantize_wide<Arch, lb::rescale_rule::brief, uint8_t>(random);
  check_requantize_wide<Arch, lb::rescale_rule::once, int8_t>(random);
}

// ---- product to codes: as the product, then the requantization
template <class Arch, lb::rescale_rule Rule, class Code>
void check_gemm_codes(naive::random_numbers& random) {
  using P = lb::prim<prims::gemm, Arch>;
  using element = typename P::element;
  const int low = lb::lowest_of<Code>, high = lb::highest_of<Code>;
  constexpr bool tall = P::rows > 16;
  for (const int rows : {1, 2, tall ? 17 : P::rows - 1, P::rows, P::rows + 1, tall ? 50 : 2 * P::rows + 1})
    for (int used = 1; used <= (rows <= 2 ? 5 : 2) * P::cols + 1; used += used < P::cols ? (tall ? 3 : 1) : P::cols / 2 + 1)
      for (const int largest : {-2, 3}) {
        const int n = lb::round_up(used, P::col_step), steps = tall ? random.in(0, random.in(0, 7) == 0 ? 300 : 40) : random.in(0, 9);
        const int depth = lb::round_up(steps * P::depth_step, lb::kernel::tile_of<P>.depth_pad);
        std::vector<element> x;
        for (const Code c : codes<Code>(static_cast<std::size_t>(rows * depth), random)) x.push_back(static_cast<element>(c + P::template shift<Code>));
        std::vector<int8_t> w;
        for (int c = 0; c < n; c += P::cols)
          for (const int8_t one : padded_weights<P>(steps, lb::smaller(P::cols, n - c), random)) w.push_back(one);
        const auto start = start_values(static_cast<std::size_t>(n), random);
        std::vector<lb::fixed_multiplier> factors;
        for (int c = 0; c < used; ++c)
          factors.push_back({random.in(0, 9) == 0 ? 0 : random.in(1 << 30, lb::highest_of<int32_t> - 1), random.in(0, 3) == 0 ? largest : random.in(-31, -2)});
        const bool per_column = random.in(0, 2) != 0;
        const lb::code_stage stage{random.in(low, high), random.in(low, 0), random.in(1, high)};
        std::vector<Code> expected(static_cast<std::size_t>(rows * used));
        for (int r = 0; r < rows; ++r) {
          std::vector<int32_t> acc(static_cast<std::size_t>(n));
          for (int c = 0; c < n; c += P::cols)
            P::run(1, lb::smaller(P::cols, n - c), steps, x.data() + r * depth, depth, w.data() + ptrdiff_t{c} * depth, start.data() + c, acc.data() + c);
          lb::prim<prims::requantize, odd_tile>::run<Rule>(1, used, acc.data(), n, {factors.data(), per_column}, stage, expected.data() + r * used, used);
        }
        // The rows as codes, where the primitive takes them.
        std::vector<element> as_codes;
        constexpr bool flips = lb::kernel::most_code_rows<P> > 0;
        if (flips && rows <= lb::kernel::most_code_rows<P>)
          for (const element e : x) as_codes.push_back(static_cast<element>(e ^ static_cast<element>(P::template shift<Code>)));
        for (const auto where : both_places) {
          Code* y = y_memory.take<Code>(expected.size(), where);
          static guarded::memory work_memory;
          auto* work = work_memory.take<int32_t>(static_cast<std::size_t>(lb::smaller(P::rows, lb::round_up(rows, 16)) * P::cols), where);
          lb::prim<prims::gemm_codes, Arch>::template run<Rule>(
              rows, n, used, steps, a_memory.copy(x, where), depth, b_memory.copy(w, where), c_memory.copy(start, where),
              {d_memory.copy(factors, where), per_column}, stage, y, used, work);
          const std::string wrong = difference(y, expected);
          if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_codes ", rows, "x", used, "x", depth, ": ", wrong);
          if (as_codes.empty()) continue;
          y = y_memory.take<Code>(expected.size(), where);
          lb::prim<prims::gemm_codes, Arch>::template run<Rule>(
              rows, n, used, steps, a_memory.copy(as_codes, where), depth, b_memory.copy(w, where), c_memory.copy(start, where),
              {d_memory.copy(factors, where), per_column}, stage, y, used, work, P::template shift<Code>);
          const std::string in_place = difference(y, expected);
          if (!in_place.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_codes from codes ", rows, "x", used, "x", depth, ": ", in_place);
        }
      }
}
template <class Arch>
void check(prims::gemm_codes, Arch) {
  naive::random_numbers random(11);
  check_gemm_codes<Arch, lb::rescale_rule::once, int8_t>(random);
  check_gemm_codes<Arch, lb::rescale_rule::once, uint8_t>(random);
  check_gemm_codes<Arch, lb::rescale_rule::twice, int8_t>(random);
  check_gemm_codes<Arch, lb::rescale_rule::twice, uint8_t>(random);
}

// ---- weights of few bits: any bytes are weights
template <class Arch, int Bits>
void check_gemm_bits(naive::random_numbers& random) {
  using P = lb::prim<prims::gemm_bits, Arch>;
  using plain = lb::prim<prims::gemm_bits, odd_tile>;
  const auto compare = [&](int m, int n, int groups, const std::vector<int8_t>& x, const std::vector<uint8_t>& w) {
    const int depth = 32 * groups, twice = random.in(0, 1);
    const auto start = start_values(static_cast<std::size_t>(n), random), offsets = start_values(static_cast<std::size_t>(m), random);
    std::vector<int32_t> expected(static_cast<std::size_t>(m * n));
    plain::run<Bits>(m, n, groups, x.data(), depth, w.data(), twice, start.data(), offsets.data(), expected.data());
    for (const auto where : both_places) {
      auto* acc = y_memory.take<int32_t>(expected.size(), where);
      static guarded::memory offset_memory;
      P::template run<Bits>(m, n, groups, a_memory.copy(x, where), depth, b_memory.copy(w, where), twice, c_memory.copy(start, where),
                            offset_memory.copy(offsets, where), acc);
      const std::string wrong = difference(acc, expected);
      if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_bits ", Bits, " bits, ", m, "x", n, "x", depth, ": ", wrong);
    }
  };
  const auto weights = [&](int n, int groups) {
    return codes<uint8_t>(static_cast<std::size_t>(n / 16 * groups * 64 * Bits), random);
  };
  for (int m = 1; m <= 9; ++m)
    for (int n = 16; n <= 144; n += m == 1 ? 16 : 48)
      for (const int groups : {0, 1, 2, 5}) compare(m, n, groups, codes<int8_t>(static_cast<std::size_t>(m * 32 * groups), random), weights(n, groups));
  compare(23, 48, 3, codes<int8_t>(static_cast<std::size_t>(23 * 96), random), weights(48, 3));
  // The largest sums, one group more than the fields' own sums can take.
  if (Bits == 1 || Bits == 4 || Bits == 7)
    compare(1, 16, 2049, std::vector<int8_t>(32 * 2049, -128), std::vector<uint8_t>(64 * Bits * 2049, 0xff));

  for (const int n : {16, 32, 48})
    for (const int groups : {0, 1, 3})
      for (const int step : {2, 4}) {
        if (step == 2 && lb::kernel::tile_of<lb::best_prim<prims::gemm, Arch>>.depth_step == 4) continue;
        const auto w = weights(n, groups);
        const int twice = random.in(0, Bits < 7 ? 1 : 0), minus = random.in(0, 1 << (Bits - 1));
        std::vector<int8_t> expected(static_cast<std::size_t>(n * groups * 32));
        plain::unpack<Bits>(n, groups, step, w.data(), twice, minus, expected.data());
        for (const auto where : both_places) {
          auto* to = y_memory.take<int8_t>(expected.size(), where);
          P::template unpack<Bits>(n, groups, step, b_memory.copy(w, where), twice, minus, to);
          const std::string wrong = difference(to, expected);
          if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " unpack ", Bits, " bits, ", n, " columns, ", groups, " groups, step ", step, ": ", wrong);
        }
      }
}
template <class Arch, class Element>
void check_rows(naive::random_numbers& random) {
  for (int n = 0; n <= 130; ++n)
    for (const int minus : {0, 128}) {
      const int padded = lb::round_up(n, 32);
      std::vector<Element> x;
      std::vector<int8_t> expected(static_cast<std::size_t>(padded));
      for (const int8_t c : codes<int8_t>(static_cast<std::size_t>(n), random)) x.push_back(static_cast<Element>(c + minus));
      const int32_t sum = lb::prim<prims::gemm_bits, odd_tile>::rows(n, padded, x.data(), minus, expected.data());
      for (const auto where : both_places) {
        auto* to = y_memory.take<int8_t>(expected.size(), where);
        if (lb::prim<prims::gemm_bits, Arch>::rows(n, padded, a_memory.copy(x, where), minus, to) != sum) FAIL_CHECK(std::string(Arch::name), " sum of ", n);
        const std::string wrong = difference(to, expected);
        if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " rows of ", n, ": ", wrong);
      }
    }
}
template <class Arch>
void check(prims::gemm_bits, Arch) {
  naive::random_numbers random(19);
  [&]<int... I>(std::integer_sequence<int, I...>) { (check_gemm_bits<Arch, I + 1>(random), ...); }(std::make_integer_sequence<int, 7>{});
  check_rows<Arch, typename lb::best_prim<prims::gemm, Arch>::element>(random);
}

// ---- floats times weights of few bits: any words are weights
std::vector<float> real_numbers(std::size_t n, naive::random_numbers& random) {
  std::vector<float> v;
  for (std::size_t i = 0; i < n; ++i) v.push_back(static_cast<float>(random.in(-10'000, 10'000)) * 0.37e-3f);
  return v;
}
std::vector<float> whole_numbers(std::size_t n, naive::random_numbers& random) {
  std::vector<float> v;
  for (std::size_t i = 0; i < n; ++i) v.push_back(static_cast<float>(random.in(-100'000, 100'000)));
  return v;
}
template <class Arch>
void check(prims::gemm_reals, Arch) {
  using P = lb::prim<prims::gemm_reals, Arch>;
  using plain = lb::prim<prims::gemm_reals, odd_tile>;
  naive::random_numbers random(23);
  static guarded::memory off_memory, zero_memory;
  const auto size = [](auto n) { return static_cast<std::size_t>(n); };
  for (int bits = 1; bits <= 16; ++bits)
    for (const bool twice : {false, true}) {
      if (twice && bits > 1) continue;
      const lb::real_codes codes(lb::real_layout{bits, twice});
      const std::string what = std::string(Arch::name) + " gemm_reals " + std::to_string(bits) + (twice ? " bits twice " : " bits ");
      for (int n = P::col_step; n <= P::cols; n += P::col_step) {
        auto* off = off_memory.take<float>(size(codes.places() * n), guarded::place::back);
        for (int m = 1; m <= P::few_rows; ++m)
          for (const auto& [depth, group] : {std::pair{5, 5}, {96, 32}, {300, 300}, {72, 64}}) {
            const int groups = lb::ceil_div(depth, group), units = depth > group ? lb::ceil_div(depth, 32) : lb::ceil_div(group, 32);
            const auto w = start_values(size(units * bits * n), random);
            const auto x = real_numbers(size(m * depth), random), zeros = whole_numbers(size(groups * n), random), scales = real_numbers(size(groups * n), random);
            auto expected = real_numbers(size(m * n), random);
            const auto before = expected;
            lb::real_panel p{.n = n, .depth = depth, .group = group, .w = reinterpret_cast<const uint32_t*>(w.data()), .zeros = zeros.data(),
                             .zero_step = random.in(0, 1) == 0 ? 0 : n, .scales = scales.data(), .scale_step = n};
            plain::run(codes, m, p, x.data(), depth, nullptr, expected.data(), n);
            for (const auto where : both_places) {
              p.w = reinterpret_cast<const uint32_t*>(b_memory.copy(w, where));
              p.zeros = zero_memory.copy(zeros, where);
              p.scales = c_memory.copy(scales, where);
              auto* y = y_memory.copy(before, where);
              P::run(codes, m, p, a_memory.copy(x, where), depth, off, y, n);
              const std::string wrong = difference(y, expected);
              if (!wrong.empty()) FAIL_CHECK(what, m, "x", n, "x", depth, " by ", group, ": ", wrong);
            }
          }
        for (const int count : {1, 32, 45}) {
          const auto w = start_values(size(lb::ceil_div(count, 32) * bits * n), random);
          const auto zeros = whole_numbers(size(n), random);
          std::vector<float> expected(size(lb::round_up(count, 32) * n));
          plain::unpack(codes, n, count, reinterpret_cast<const uint32_t*>(w.data()), zeros.data(), nullptr, expected.data());
          for (const auto where : both_places) {
            auto* to = y_memory.take<float>(expected.size(), where);
            P::unpack(codes, n, count, reinterpret_cast<const uint32_t*>(b_memory.copy(w, where)), c_memory.copy(zeros, where), off, to);
            const std::string wrong = difference(to, expected);
            if (!wrong.empty()) FAIL_CHECK(what, "unpack ", n, " columns, ", count, ": ", wrong);
          }
        }
      }
    }
  for (int m = 1; m <= P::rows; ++m)
    for (int n = P::col_step; n <= P::cols; n += P::col_step)
      for (const int count : {1, 7, 64}) {
        const auto x = real_numbers(size(m * count), random), w = real_numbers(size(count * n), random), scales = real_numbers(size(n), random);
        auto expected = real_numbers(size(m * n), random);
        const auto before = expected;
        plain::tile(m, n, count, x.data(), count, w.data(), scales.data(), expected.data(), n);
        for (const auto where : both_places) {
          auto* y = y_memory.copy(before, where);
          P::tile(m, n, count, a_memory.copy(x, where), count, b_memory.copy(w, where), c_memory.copy(scales, where), y, n);
          const std::string wrong = difference(y, expected);
          if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_reals tile ", m, "x", n, "x", count, ": ", wrong);
        }
      }
}

// ---- weights of five in a byte: all bytes that can be
template <class Arch>
void check(prims::gemm_trits, Arch) {
  using P = lb::prim<prims::gemm_trits, Arch>;
  using plain = lb::prim<prims::gemm_trits, odd_tile>;
  naive::random_numbers random(20);
  const auto weights = [&](int n, int groups) {
    std::vector<uint8_t> w(static_cast<std::size_t>(n * groups * 4));
    for (auto& b : w) b = static_cast<uint8_t>(28 * random.in(0, 8) + random.in(0, 26));
    return w;
  };
  const auto compare = [&](int m, int n, int groups, const std::vector<int8_t>& x, const std::vector<uint8_t>& w) {
    const int depth = 20 * groups;
    const auto start = start_values(static_cast<std::size_t>(n), random), offsets = start_values(static_cast<std::size_t>(m), random);
    std::vector<int32_t> expected(static_cast<std::size_t>(m * n));
    plain::run(m, n, groups, x.data(), depth, w.data(), 0, start.data(), offsets.data(), expected.data());
    for (const auto where : both_places) {
      auto* acc = y_memory.take<int32_t>(expected.size(), where);
      P::run(m, n, groups, a_memory.copy(x, where), depth, b_memory.copy(w, where), 0, c_memory.copy(start, where), d_memory.copy(offsets, where), acc);
      const std::string wrong = difference(acc, expected);
      if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_trits ", m, "x", n, "x", depth, ": ", wrong);
    }
  };
  for (int m = 1; m <= 9; ++m)
    for (int n = 16; n <= 144; n += m == 1 ? 16 : 48)
      for (const int groups : {0, 1, 2, 5}) compare(m, n, groups, codes<int8_t>(static_cast<std::size_t>(m * 20 * groups), random), weights(n, groups));
  // The largest sums, one group more than a digit's own sum can take.
  compare(1, 16, 16384, std::vector<int8_t>(20 * 16384, -128), std::vector<uint8_t>(64 * 16384, 28 * 8 + 26));
  for (const int n : {16, 48})
    for (const int groups : {0, 1, 3})
      for (const int step : {2, 4}) {
        if (step == 2 && lb::kernel::tile_of<lb::best_prim<prims::gemm, Arch>>.depth_step == 4) continue;
        const auto w = weights(n, groups);
        std::vector<int8_t> expected(static_cast<std::size_t>(n * groups * 20));
        plain::unpack(n, groups, step, w.data(), 0, 1, expected.data());
        for (const auto where : both_places) {
          auto* to = y_memory.take<int8_t>(expected.size(), where);
          P::unpack(n, groups, step, b_memory.copy(w, where), 0, 1, to);
          const std::string wrong = difference(to, expected);
          if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " unpack of trits, ", n, " columns, ", groups, " groups, step ", step, ": ", wrong);
        }
      }
}

// ---- factors for groups along the depth: whole groups and short last ones, groups of half an eight
template <class Arch, int Bits, class Factor>
void check_gemm_groups(naive::random_numbers& random) {
  using P = lb::prim<prims::gemm_groups, Arch>;
  using plain = lb::prim<prims::gemm_groups, odd_tile>;
  using total = std::conditional_t<std::is_same_v<Factor, uint8_t>, int32_t, float>;
  static guarded::memory memory[4];
  const auto factor = [&] {
    if constexpr (std::is_same_v<Factor, float>) return static_cast<float>(random.in(-1000, 1000)) * 1.3e-3f;
    else if constexpr (std::is_same_v<Factor, uint8_t>) return static_cast<uint8_t>(random.in(0, 255));
    else return lb::half{static_cast<uint16_t>(random.in(0, 0x7bff) | random.in(0, 1) << 15)};
  };
  for (int m = 1; m <= 6; ++m)
    for (const int n : {16, 48, 80})
      for (const int eights : {0, 1, 2, 5}) {
        const int repeats = random.in(1, 2), length = repeats == 2 ? 1 : random.in(1, 3), groups = lb::ceil_div(eights, length) * repeats;
        const int depth = 32 * eights * repeats, stride = n + 3;
        const auto x = codes<int8_t>(static_cast<std::size_t>(m * depth), random);
        const auto w = codes<uint8_t>(static_cast<std::size_t>(n / 16 * eights * 64 * Bits), random);
        const auto offsets = start_values(static_cast<std::size_t>(m * groups), random), starts = start_values(static_cast<std::size_t>(n * groups), random);
        const auto start = start_values(static_cast<std::size_t>(n), random);
        std::vector<Factor> factors;
        for (int i = 0; i < n * groups; ++i) factors.push_back(factor());
        const bool has_starts = random.in(0, 1) == 1, has_start = random.in(0, 1) == 1;
        const int twice = Bits == 1 ? random.in(0, 1) : 0, shift = random.in(0, 1) * random.in(1, 30);
        std::vector<total> expected(static_cast<std::size_t>((m - 1) * stride + n), total(5));
        plain::run<Bits, Factor>(m, n, {x.data(), depth, w.data(), twice, eights, length, repeats, groups, offsets.data(), has_starts ? starts.data() : nullptr, factors.data(), shift},
                                 has_start ? start.data() : nullptr, expected.data(), stride);
        for (const auto where : both_places) {
          auto* acc = y_memory.copy(std::vector<total>(expected.size(), total(5)), where);
          P::template run<Bits, Factor>(m, n, {a_memory.copy(x, where), depth, b_memory.copy(w, where), twice, eights, length, repeats, groups, memory[0].copy(offsets, where),
                                               has_starts ? memory[1].copy(starts, where) : nullptr, memory[2].copy(factors, where), shift},
                                        has_start ? memory[3].copy(start, where) : nullptr, acc, stride);
          const std::string wrong = difference(acc, expected);
          if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_groups ", Bits, " bits, ", m, "x", n, "x", depth, ": ", wrong);
        }
      }
}
template <class Arch>
void check(prims::gemm_groups, Arch) {
  using P = lb::prim<prims::gemm_groups, Arch>;
  using plain = lb::prim<prims::gemm_groups, odd_tile>;
  naive::random_numbers random(23);
  check_gemm_groups<Arch, 1, uint8_t>(random);
  check_gemm_groups<Arch, 3, float>(random);
  check_gemm_groups<Arch, 8, lb::half>(random);
  for (int n = 0; n <= 200; ++n)
    for (const int minus : {0, 128}) {
      const auto x = codes<uint8_t>(static_cast<std::size_t>(n), random);
      std::vector<int8_t> expected(lb::round_up(static_cast<std::size_t>(n), std::size_t{64}));
      std::vector<int32_t> sums(expected.size() / 16);
      plain::rows(n, x.data(), minus, expected.data(), sums.data());
      for (const auto where : both_places) {
        auto* to = y_memory.take<int8_t>(expected.size(), where);
        auto* to_sums = b_memory.take<int32_t>(sums.size(), where);
        P::rows(n, a_memory.copy(x, where), minus, to, to_sums);
        const std::string wrong = difference(to, expected) + difference(to_sums, sums);
        if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_groups rows of ", n, ": ", wrong);
      }
    }
  for (int cols = 1; cols <= 40; ++cols)
    for (int given = 0; given < 8; ++given) {
      const auto some = [&](int n) {
        std::vector<float> v;
        for (int i = 0; i < n; ++i) v.push_back(static_cast<float>(random.in(-1000, 1000)) * 1.7e-3f);
        return v;
      };
      const auto acc = some(2 * cols), scales = some(cols), bias = some(cols), row_scales = some(2);
      const auto stage = [&](guarded::place where) {
        return lb::float_stage{given & 1 ? b_memory.copy(scales, where) : nullptr, given & 2 ? c_memory.copy(bias, where) : nullptr,
                               given & 4 ? d_memory.copy(row_scales, where) : nullptr, nullptr, nullptr};
      };
      std::vector<float> expected(acc.size());
      plain::finish(2, cols, acc.data(), cols, stage(guarded::place::front), expected.data(), cols);
      for (const auto where : both_places) {
        auto* y = y_memory.take<float>(expected.size(), where);
        P::finish(2, cols, a_memory.copy(acc, where), cols, stage(where), y, cols);
        const std::string wrong = difference(y, expected);
        if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_groups finish of ", cols, ": ", wrong);
      }
    }
}

// ---- bits times bits
template <class Arch>
void check(prims::gemm_binary, Arch) {
  naive::random_numbers random(21);
  const auto words_of = [&](int n) {
    std::vector<uint32_t> v(static_cast<std::size_t>(n));
    for (auto& x : v) x = static_cast<uint32_t>(random.in(0, 0xffff)) << 16 | static_cast<uint32_t>(random.in(0, 0xffff));
    return v;
  };
  for (int m = 1; m <= 9; ++m)
    for (const int n : {16, 32, 48, 64, 80, 144})
      for (const int words : {0, 1, 2, 7, 31, 32, 63}) {
        auto x = words_of(m * words), w = words_of(n * words);
        if (m == 3) x.assign(x.size(), 0), w.assign(w.size(), ~0u);
        const auto start = start_values(static_cast<std::size_t>(n), random);
        std::vector<int32_t> expected(static_cast<std::size_t>(m * n));
        lb::prim<prims::gemm_binary, odd_tile>::run(m, n, words, x.data(), words, w.data(), start.data(), expected.data());
        for (const auto where : both_places) {
          auto* acc = y_memory.take<int32_t>(expected.size(), where);
          lb::prim<prims::gemm_binary, Arch>::run(m, n, words, a_memory.copy(x, where), words, b_memory.copy(w, where), c_memory.copy(start, where), acc);
          const std::string wrong = difference(acc, expected);
          if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " gemm_binary ", m, "x", n, ", ", words, " words: ", wrong);
        }
      }
}

// ---- sums to real numbers: every combination of null pointers
template <class Arch>
void check(prims::sums_to_float, Arch) {
  naive::random_numbers random(12);
  for (int cols = 1; cols <= 40; ++cols)
    for (int given = 0; given < 16; ++given)
      for (const auto where : both_places) {
        const int rows = random.in(1, 4);
        const auto acc = start_values(static_cast<std::size_t>(rows * cols), random);
        const auto reals = [&](int n) {
          std::vector<float> v;
          for (int i = 0; i < n; ++i) v.push_back(static_cast<float>(random.in(-100000, 100000)) * 1.7e-5f);
          return v;
        };
        const auto scales = reals(cols), bias = reals(cols), row_scales = reals(rows);
        const auto zeros = start_values(static_cast<std::size_t>(rows), random), sums = start_values(static_cast<std::size_t>(cols), random);
        const auto stage = [&](const float* s, const float* b, const float* r) {
          return lb::float_stage{(given & 1) != 0 ? s : nullptr, (given & 2) != 0 ? b : nullptr, (given & 4) != 0 ? r : nullptr,
                                 (given & 8) != 0 ? zeros.data() : nullptr, (given & 8) != 0 ? sums.data() : nullptr};
        };
        std::vector<float> expected(acc.size());
        lb::prim<prims::sums_to_float, odd_tile>::run(rows, cols, acc.data(), cols, stage(scales.data(), bias.data(), row_scales.data()), expected.data(), cols);
        auto* y = y_memory.take<float>(expected.size(), where);
        lb::prim<prims::sums_to_float, Arch>::run(rows, cols, a_memory.copy(acc, where), cols,
                                                  stage(b_memory.copy(scales, where), c_memory.copy(bias, where), d_memory.copy(row_scales, where)), y, cols);
        for (std::size_t i = 0; i < expected.size(); ++i)
          if (std::bit_cast<uint32_t>(y[i]) != std::bit_cast<uint32_t>(expected[i])) FAIL_CHECK(std::string(Arch::name), " sums_to_float, given ", given, " at ", i, ": ", y[i], " is not ", expected[i]);
      }
}

// ---- depthwise: columns gathered, then sums and codes of one or two rows made from them
template <class Arch, class Code>
void check_depthwise(naive::random_numbers& random) {
  using P = lb::prim<prims::depthwise, Arch>;
  using weight = typename P::weight;
  constexpr int lanes = P::lanes, depth = P::depth, slots = lanes * depth, column_bytes = P::column_bytes;
  static_assert(column_bytes % 64 == 0);
  std::vector<int> seen(lanes);
  for (int c = 0; c < lanes; ++c) ++seen[static_cast<std::size_t>(P::place(c))];
  for (int c = 0; c < lanes; ++c) CHECK(seen[static_cast<std::size_t>(c)] == 1);
  const auto size = [](int n) { return static_cast<std::size_t>(n); };
  for (const int count : {0, 1, 2, 5})
    for (const auto where : both_places) {
      const int step = random.in(0, 40), second = lanes > 16 ? random.in(0, 16) : 0;
      const auto x = codes<Code>(size((count == 0 ? 0 : count - 1) * step + 16 + second), random);
      std::vector<unsigned char> order;
      for (int k = 0; k < lanes; ++k) order.push_back(static_cast<unsigned char>(random.in(0, 15)));
      order.resize(size(lanes < 16 ? 16 : lanes));
      std::vector<Code> expected;
      for (int i = 0; i < count; ++i)
        for (int k = 0; k < lanes; ++k) expected.push_back(x[size(i * step + (k < 16 ? 0 : second) + order[size(k)])]);
      Code* to = y_memory.take<Code>(expected.size(), where);
      P::spread(a_memory.copy(x, where), step, second, count, order.data(), to);
      const std::string wrong = difference(to, expected);
      if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " depthwise spread, count ", count, " step ", step, " second ", second, ": ", wrong);
    }
  for (int channels = 1; channels <= lanes; ++channels)
    for (const int count : {1, 2, 3, 4, 5, 9})
      for (const auto where : both_places) {
        const int strips = random.in(1, 3), rows = random.in(1, 2), stride = random.in(1, 2), terms = random.in(1, 5), columns = (count - 1) * stride + terms;
        const int step = channels + random.in(0, 3);
        // All taps read one array: tap d begins at its code d; the last one does not move.
        const auto x = codes<Code>(size((columns + strips - 2) * step + channels + depth - 1), random);
        const auto tap_weights = codes<int8_t>(size(terms * rows * slots), random);
        std::vector<weight> w(tap_weights.begin(), tap_weights.end());
        const bool extreme = random.in(0, 3) == 0;
        auto start = start_values(size(lanes), random);
        for (auto& v : start) v /= extreme ? 1 : 10000;
        const Code* at = a_memory.copy(x, where);
        std::vector<lb::sliding_tap<Code>> taps;
        for (int d = 0; d < depth; ++d) taps.push_back({at + d, d + 1 < depth ? step : 0});
        // Strip k begins at column k of strip 0.
        const int gathered = columns + strips - 1;
        auto* strip = d_memory.take<unsigned char>(size(gathered * column_bytes), where);
        P::gather(taps.data(), gathered, channels, strip);
        std::vector<ptrdiff_t> offsets;
        for (int t = 0; t < terms; ++t) offsets.push_back((terms - 1 - t) * column_bytes);
        const lb::depthwise_strip<weight> s{strip, column_bytes, stride * column_bytes, offsets.data(), terms, b_memory.copy(w, where), rows * slots,
                                            c_memory.copy(start, where), strips, rows, count, channels};

        std::vector<int32_t> expected;
        for (int r = 0; r < strips * rows; ++r)
          for (int i = 0; i < count; ++i)
            for (int c = 0; c < channels; ++c) {
              auto sum = static_cast<uint32_t>(start[size(P::place(c))]);
              for (int t = 0; t < terms; ++t)
                for (int d = 0; d < depth; ++d) {
                  const int column = r / rows + i * stride + terms - 1 - t;
                  const int code = x[size(d + (d + 1 < depth ? column * step : 0) + c)] + P::template shift<Code>;
                  sum += static_cast<uint32_t>(code * tap_weights[size(t * rows * slots + (r % rows * lanes + P::place(c)) * depth + d)]);
                }
              expected.push_back(static_cast<int32_t>(sum));
            }
        const auto what = [&] {
          return std::string(Arch::name) + " depthwise strips " + std::to_string(strips) + " rows " + std::to_string(rows) + " count " + std::to_string(count) +
                 " channels " + std::to_string(channels) + " terms " + std::to_string(terms) + ": ";
        };
        int32_t* acc = y_memory.take<int32_t>(expected.size(), where);
        P::sums(s, acc, count * channels, channels);
        const std::string wrong = difference(acc, expected);
        if (!wrong.empty()) FAIL_CHECK(what(), "sums, ", wrong);

        const auto compare_codes = [&]<lb::rescale_rule Rule, class Out>(Out) {
          const int low = lb::lowest_of<Out>, high = lb::highest_of<Out>;
          const lb::code_stage stage{random.in(low, high), random.in(low, 0), random.in(1, high)};
          const bool per_column = random.in(0, 1) != 0;
          std::vector<int32_t> factors;
          for (int c = 0; c < channels; ++c) {
            factors.push_back(random.in(0, 9) == 0 ? 0 : random.in(1 << 30, lb::highest_of<int32_t>));
            factors.push_back(random.in(0, 40) == 0 ? random.in(-31, 30) : random.in(-12, -6));
          }
          std::vector<Out> wanted(expected.size());
          lb::prim<prims::requantize, odd_tile>::run<Rule>(strips * rows * count, channels, expected.data(), channels, {factors.data(), per_column}, stage, wanted.data(), channels);
          Out* y = y_memory.take<Out>(wanted.size(), where);
          static guarded::memory factor_memory;
          P::template run<Rule>(s, {factor_memory.copy(factors, where), per_column}, stage, y, count * channels, channels);
          const std::string differs = difference(y, wanted);
          if (!differs.empty()) FAIL_CHECK(what(), "codes, ", differs);
        };
        compare_codes.template operator()<lb::rescale_rule::once>(int8_t{});
        compare_codes.template operator()<lb::rescale_rule::once>(uint8_t{});
        compare_codes.template operator()<lb::rescale_rule::twice>(int8_t{});
        compare_codes.template operator()<lb::rescale_rule::twice>(uint8_t{});
      }
}
template <class Arch>
void check(prims::depthwise, Arch) {
  naive::random_numbers random(3);
  check_depthwise<Arch, int8_t>(random);
  check_depthwise<Arch, uint8_t>(random);
}

// ---- depthwise_words: any number of pairs of taps, some of which do not move
template <class Arch, int Bytes>
void check_depthwise_words(naive::random_numbers& random) {
  using P = lb::prim<prims::depthwise_words, Arch>;
  const auto size = [](auto n) { return static_cast<std::size_t>(n); };
  for (int channels = 1; channels <= P::lanes; ++channels)
    for (const int pairs : {0, 1, 2, 5, 127, 128, 129, 255, 256, 257}) {
      if (pairs > 5 && channels > 2 && channels < P::lanes) continue;
      const auto where = both_places[random.in(0, 1)];
      const int n = random.in(1, 11), step = channels + random.in(0, 3);
      const bool extreme = random.in(0, 2) == 0;
      auto x = codes<int16_t>(size(n * step + channels), random);
      std::vector<int16_t> w;
      for (int i = 0; i < pairs * Bytes * P::lanes * 2; ++i) {
        const bool is_low = Bytes == 2 && i / (2 * P::lanes) % 2 == 0;
        w.push_back(static_cast<int16_t>(extreme ? (is_low ? 255 : -128) : is_low ? random.in(0, 255) : random.in(-128, 127)));
      }
      if (extreme) for (auto& v : x) v = -32768;
      std::vector<int64_t> start, expected;
      for (int c = 0; c < P::lanes; ++c) start.push_back(int64_t{random.in(-1'000'000'000, 1'000'000'000)} << random.in(0, 20));
      const int16_t* at = a_memory.copy(x, where);
      std::vector<lb::sliding_tap<int16_t>> taps;
      for (int t = 0; t < 2 * pairs; ++t) taps.push_back({at + (t % 3 == 0 ? step : 0), t % 3 == 2 ? 0 : step});
      for (int i = 0; i < n; ++i)
        for (int c = 0; c < channels; ++c) {
          int64_t sum = start[size(c)];
          for (int t = 0; t < 2 * pairs; ++t) {
            const auto byte = [&](int b) { return w[size(((t / 2 * Bytes + b) * P::lanes + P::place(c)) * 2 + t % 2)]; };
            sum += int64_t{taps[size(t)].at[i * taps[size(t)].step + c]} * (Bytes == 1 ? byte(0) : byte(1) * 256 + byte(0));
          }
          expected.push_back(sum);
        }
      auto* acc = y_memory.take<int64_t>(size(n * P::lanes), where);
      P::template run<Bytes>(taps.data(), pairs, n, channels, b_memory.copy(w, where), c_memory.copy(start, where), acc);
      for (int i = 0; i < n; ++i)
        for (int c = 0; c < channels; ++c)
          if (acc[i * P::lanes + c] != expected[size(i * channels + c)])
            FAIL_CHECK(std::string(Arch::name), " depthwise_words of ", Bytes, " bytes, pairs ", pairs, " channels ", channels, " at ", i, ",", c);
    }
}
template <class Arch>
void check(prims::depthwise_words, Arch) {
  naive::random_numbers random(23);
  check_depthwise_words<Arch, 1>(random);
  check_depthwise_words<Arch, 2>(random);
}

// ---- depthwise_window: outputs straight from an image
template <class Arch>
void check(prims::depthwise_window, Arch) {
  using P = lb::prim<prims::depthwise_window, Arch>;
  using weight = typename P::weight;
  constexpr int lanes = P::lanes, depth = P::depth;
  naive::random_numbers random(5);
  const auto size = [](int n) { return static_cast<std::size_t>(n); };
  for (int round = 0; round < 400; ++round) {
    const auto where = both_places[round % 2];
    const int rows = random.in(1, 2), stride_w = rows == 2 ? 1 : random.in(1, 2), stride_h = rows == 2 ? 1 : random.in(1, 3);
    const int dilation = rows == 2 ? 1 : random.in(1, 2), in_h = random.in(1, 6), in_w = random.in(1, 25), column = lanes + random.in(0, 5);
    const int out_h = random.in(0, 5), out_w = random.in(0, 27), top = random.in(-4, in_h), left = random.in(-4, in_w), shift = 128 * random.in(0, 1);
    const int used = (in_w - 1) * column + lanes;  // of the last row
    const auto x = codes<unsigned char>(size((in_h - 1) * in_w * column + used), random);
    const std::vector<unsigned char> outside(size(in_w * column), static_cast<unsigned char>(random.in(0, 255)));
    std::vector<int32_t> start;
    for (int c = 0; c < lanes; ++c) start.push_back(random.in(-100000, 100000));
    // The plain definition takes weights and channels in another order.
    auto w = codes<int8_t>(size(3 * 2 * 4 * lanes), random);
    for (int k = 0; k < 24 * lanes; ++k) {
      const int d = k / lanes % 4, r = k / lanes / 4 % 2;
      if (d < r || d > r + 2) w[size(k)] = 0;
    }
    std::vector<weight> packed(w.size());
    for (int g = 0; g < 24; ++g)
      for (int c = 0; c < lanes; ++c) packed[size((g / depth * lanes + c) * depth + g % depth)] = w[size(g * lanes + c)];
    const unsigned char* image = a_memory.copy(x, where);
    lb::depthwise_image<weight> v{image, c_memory.copy(outside, where), shift, ptrdiff_t{in_w} * column, column, in_h, in_w, top, left,
                                  stride_h, stride_w, dilation, b_memory.copy(packed, where), d_memory.copy(start, where), rows, out_h, out_w};
    std::vector<int32_t> sums;
    for (int r = 0; r < out_h; ++r)
      for (int i = 0; i < out_w; ++i)
        for (int c = 0; c < lanes; ++c) {
          auto total = static_cast<uint32_t>(start[size(c)]);
          for (int t = 0; t < 3; ++t)
            for (int d = 0; d < 4; ++d) {
              const int h = top + (r - r % rows) * stride_h + d * dilation, j = left + i * stride_w + t;
              const bool inside = h >= 0 && h < in_h && j >= 0 && j < in_w;
              const int code = static_cast<uint8_t>((inside ? x[size((h * in_w + j) * column + c)] : outside[0]) + shift);
              total += static_cast<uint32_t>(code * w[size(((2 * t + r % rows) * 4 + d) * lanes + c)]);
            }
          sums.push_back(static_cast<int32_t>(total));
        }
    const auto compare_codes = [&]<lb::rescale_rule Rule, class Out>(Out) {
      const int low = lb::lowest_of<Out>, high = lb::highest_of<Out>;
      const bool whole = random.in(0, 1) != 0;
      const lb::code_stage stage{random.in(low, high), whole ? low : random.in(low, 0), whole ? high : random.in(1, high)};
      const bool per_column = random.in(0, 1) != 0;
      const int smallest = random.in(0, 3) != 0 ? -14 : -31, largest = random.in(0, 3) != 0 ? -2 : 30;
      std::vector<int32_t> factors;
      for (int c = 0; c < lanes; ++c) {
        factors.push_back(random.in(0, 9) == 0 ? 0 : random.in(1 << 30, lb::highest_of<int32_t>));
        factors.push_back(random.in(smallest, largest));
      }
      std::vector<Out> wanted(sums.size());
      lb::prim<prims::requantize, odd_tile>::run<Rule>(out_h * out_w, lanes, sums.data(), lanes, {factors.data(), per_column}, stage, wanted.data(), lanes);
      Out* y = y_memory.take<Out>(wanted.size(), where);
      static guarded::memory factor_memory;
      P::template run<Rule>(v, {factor_memory.copy(factors, where), per_column}, stage, y, ptrdiff_t{out_w} * lanes, lanes);
      const std::string differs = difference(y, wanted);
      if (!differs.empty())
        FAIL_CHECK(std::string(Arch::name), " depthwise_window, round ", round, " rows ", rows, " stride ", stride_w, " outputs ", out_h, "x", out_w, ": ", differs);
    };
    compare_codes.template operator()<lb::rescale_rule::once>(int8_t{});
    compare_codes.template operator()<lb::rescale_rule::once>(uint8_t{});
    compare_codes.template operator()<lb::rescale_rule::twice>(int8_t{});
    compare_codes.template operator()<lb::rescale_rule::twice>(uint8_t{});
  }
}

// ---- element by element: Run(prim, n, x, y, out) on lengths around every vector
template <template <class> class Prim, class Arch, class X, class Y, class Out, class Run>
void compare(const char* what, Run&& run) {
  naive::random_numbers random(4);
  for (const std::size_t n : std::initializer_list<std::size_t>{0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 1000})
    for (const auto where : both_places) {
      const auto x = codes<X>(n, random);
      const auto y = codes<Y>(n, random);
      std::vector<Out> expected(n);
      run(Prim<odd_tile>{}, n, x.data(), y.data(), expected.data());
      Out* out = y_memory.take<Out>(n, where);
      run(Prim<Arch>{}, n, a_memory.copy(x, where), b_memory.copy(y, where), out);
      const std::string wrong = difference(out, expected);
      if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " ", std::string(what), " of ", n, ": ", wrong);
    }
}
template <class Arch> using sum_on = lb::prim<prims::sum, Arch>;
template <class Arch> using product_on = lb::prim<prims::product, Arch>;
template <class Arch> using rescale_on = lb::prim<prims::rescale, Arch>;
template <class Arch> using extremum_on = lb::prim<prims::extremum, Arch>;
template <class Arch> using clamp_on = lb::prim<prims::clamp, Arch>;
template <class Arch> using lookup_on = lb::prim<prims::lookup, Arch>;
template <class Arch> using window_max_on = lb::prim<prims::window_max, Arch>;
template <class Arch> using window_mean_on = lb::prim<prims::window_mean, Arch>;
template <class Arch> using position_mean_on = lb::prim<prims::position_mean, Arch>;

template <class Arch>
void check(prims::sum, Arch) {
  for (const int shift : {1, 5, 14, 22, 31})
    for (const int factor : {0, 1, -1, 1234, 32767, -32767}) {
      const lb::sum_values v{-128, 127, factor, 32767 - lb::larger(factor, -factor) / 2, shift, {-20, -128, 127}};
      compare<sum_on, Arch, int8_t, int8_t, int8_t>("sum", [&]<class P>(P, auto... a) {
        [&](std::size_t n, const auto* x, const auto* y, auto* out) { P::run(n, x, y, v, out); }(a...);
      });
      compare<sum_on, Arch, uint8_t, int8_t, uint8_t>("sum", [&]<class P>(P, std::size_t n, const auto* x, const auto* y, auto* out) {
        P::run(n, x, y, lb::sum_values{255, -128, factor, -factor, shift, {200, 3, 250}}, out);
      });
    }
}
template <class Arch>
void check(prims::product, Arch) {
  for (int exponent = -31; exponent <= 30; ++exponent) {
    const lb::product_values v{-128, 255, 0x4123'4567, exponent, {7, -128, 127}};
    compare<product_on, Arch, int8_t, uint8_t, int8_t>("product", [&]<class P>(P, std::size_t n, const auto* x, const auto* y, auto* out) {
      P::template run<lb::rescale_rule::once>(n, x, y, v, out);
    });
    compare<product_on, Arch, int8_t, uint8_t, int8_t>("product", [&]<class P>(P, std::size_t n, const auto* x, const auto* y, auto* out) {
      P::template run<lb::rescale_rule::twice>(n, x, y, v, out);
    });
  }
}
template <class Arch>
void check(prims::rescale, Arch) {
  for (int exponent = -31; exponent <= 30; ++exponent)
    compare<rescale_on, Arch, uint8_t, int8_t, int8_t>("rescale", [&]<class P>(P, std::size_t n, const auto* x, const auto*, auto* out) {
      P::run(n, x, lb::rescale_values{13, 0x7000'0001, exponent, {-3, -100, 99}}, out);
    });
}
template <class Arch>
void check(prims::extremum, Arch) {
  for (const bool take_larger : {false, true}) {
    compare<extremum_on, Arch, int8_t, int8_t, int8_t>("extremum", [&]<class P>(P, std::size_t n, const auto* x, const auto* y, auto* out) {
      P::run(n, x, y, take_larger, -100, 101, out);
    });
    compare<extremum_on, Arch, uint8_t, uint8_t, uint8_t>("extremum", [&]<class P>(P, std::size_t n, const auto* x, const auto* y, auto* out) {
      P::run(n, x, y, take_larger, 10, 201, out);
    });
  }
}
template <class Arch>
void check(prims::clamp, Arch) {
  compare<clamp_on, Arch, int8_t, int8_t, int8_t>("clamp", []<class P>(P, std::size_t n, const auto* x, const auto*, auto* out) { P::run(n, x, -5, 6, out); });
  compare<clamp_on, Arch, uint8_t, int8_t, uint8_t>("clamp", []<class P>(P, std::size_t n, const auto* x, const auto*, auto* out) { P::run(n, x, 100, 200, out); });
}

template <class Arch>
void check(prims::lookup, Arch) {
  naive::random_numbers random(10);
  uint8_t table[256], all[256], got[256];
  for (int i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(random.in(0, 255)), all[i] = static_cast<uint8_t>(i);
  compare<lookup_on, Arch, uint8_t, uint8_t, uint8_t>("lookup", [&]<class P>(P, std::size_t n, const auto* x, const auto*, auto* out) {
    P::run(n, x, table, out);
  });
  lb::prim<prims::lookup, Arch>::run(256, all, table, got);
  CHECK(difference(got, std::vector<uint8_t>(table, table + 256)) == "");
  for (std::size_t n = 0; n <= 256; ++n) {  // in place
    std::vector<uint8_t> x(all, all + n);
    lb::prim<prims::lookup, Arch>::run(n, x.data(), table, x.data());
    CHECK(difference(x.data(), std::vector<uint8_t>(table, table + n)) == "");
  }
}

// ---- conversions, against the definition
template <class Arch>
void check(prims::quantize, Arch) {
  naive::random_numbers random(5);
  for (std::size_t n = 0; n < 140; ++n)
    for (const auto where : both_places) {
      std::vector<float> x(n);
      std::vector<uint8_t> expected;
      const lb::output_stage s{100, 10, 240};
      for (auto& v : x) {
        v = static_cast<float>(random.in(-10000, 10000)) * 0.01f;
        expected.push_back(static_cast<uint8_t>(s(lb::fp::to_nearest<lb::fp::tie::to_even>(v / 0.3f))));
      }
      uint8_t* y = y_memory.take<uint8_t>(n, where);
      lb::prim<prims::quantize, Arch>::run(n, a_memory.copy(x, where), 0.3f, {100, 10, 240}, y);
      CHECK(difference(y, expected) == "");
    }
}
template <class Arch>
void check(prims::dequantize, Arch) {
  naive::random_numbers random(6);
  for (std::size_t n = 0; n < 140; ++n)
    for (const auto where : both_places) {
      const auto x = codes<uint8_t>(n, random);
      std::vector<float> expected;
      for (const int v : x) expected.push_back(static_cast<float>(v - 100) * 0.3f);
      float* y = y_memory.take<float>(n, where);
      lb::prim<prims::dequantize, Arch>::run(n, a_memory.copy(x, where), 100, 0.3f, y);
      CHECK(difference(y, expected) == "");
    }
}

template <class Arch>
void check(prims::finite_range, Arch) {
  naive::random_numbers random(8);
  for (std::size_t n = 0; n < 140; ++n)
    for (const auto where : both_places)
      for (const bool all_finite : {true, false}) {
        std::vector<float> x(n);
        float low = 0, high = 0, ends[2];
        for (auto& v : x) {
          v = static_cast<float>(random.in(-10000, 10000)) * 0.01f;
          low = v < low ? v : low, high = v > high ? v : high;
          if (!all_finite && random.in(0, 3) == 0) v = lb::fp::from_bits(0x7f80'0000u | static_cast<uint32_t>(random.in(0, 1)) << 31 | static_cast<uint32_t>(random.in(0, 1)));
        }
        if (!all_finite) {
          low = high = 0;
          for (const float v : x)
            if (lb::fp::is_finite(v)) low = v < low ? v : low, high = v > high ? v : high;
        }
        lb::prim<prims::finite_range, Arch>::run(n, a_memory.copy(x, where), ends);
        CHECK(lb::fp::to_bits(ends[0]) == lb::fp::to_bits(low));
        CHECK(lb::fp::to_bits(ends[1]) == lb::fp::to_bits(high));
      }
}
template <class Arch>
void check(prims::quantize_and_range, Arch) {
  naive::random_numbers random(9);
  for (std::size_t n = 0; n < 140; ++n)
    for (const auto where : both_places)
      for (const lb::code_stage stage : {lb::code_stage{5, -128, 127}, lb::code_stage{-7, -100, 90}}) {
        std::vector<float> x(n), next(n);
        for (auto& v : x) v = static_cast<float>(random.in(-10000, 10000)) * 0.01f;
        for (auto& v : next) v = random.in(0, 99) == 0 ? lb::fp::from_bits(0x7f80'0000u) : static_cast<float>(random.in(-10000, 10000)) * 0.01f;
        std::vector<int8_t> expected(n);
        float want[2], ends[2];
        lb::prim<prims::quantize, Arch>::run(n, x.data(), 0.7f, stage, expected.data());
        lb::prim<prims::finite_range, Arch>::run(n, next.data(), want);
        int8_t* y = y_memory.take<int8_t>(n, where);
        lb::prim<prims::quantize_and_range, Arch>::run(n, a_memory.copy(x, where), 0.7f, stage, y, b_memory.copy(next, where), ends);
        CHECK(difference(y, expected) == "");
        CHECK(ends[0] == want[0]);
        CHECK(ends[1] == want[1]);
      }
}

// ---- windows: n channels, a grid whose last code is the array's last
template <template <class> class Prim, class Arch, class Code>
void compare_windows(const char* what) {
  naive::random_numbers random(7);
  // At 70 channels so many codes of the same end that sums of words could overflow, at 71 of the other.
  for (int channels = 0; channels <= 71; ++channels)
    for (const auto where : both_places) {
      const int extra = channels < 70 ? 0 : 60, rows = extra / 4 + random.in(1, 4), cols = extra + random.in(1, 4);
      auto x = codes<Code>(static_cast<std::size_t>(rows * cols * channels), random);
      if (extra != 0) x.assign(x.size(), channels == 70 ? lb::lowest_of<Code> : lb::highest_of<Code>);
      std::vector<Code> expected(static_cast<std::size_t>(channels));
      const lb::code_grid<Code> g{x.data(), rows, cols, ptrdiff_t{cols} * channels, channels};
      const int lowest = extra != 0 ? lb::lowest_of<Code> : 5, highest = extra != 0 ? lb::highest_of<Code> : 101;
      Prim<odd_tile>::run(g, channels, lowest, highest, expected.data());
      lb::code_grid<Code> same = g;
      same.at = a_memory.copy(x, where);
      Code* y = y_memory.take<Code>(expected.size(), where);
      Prim<Arch>::run(same, channels, lowest, highest, y);
      const std::string wrong = difference(y, expected);
      if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), " ", std::string(what), " of ", channels, " channels: ", wrong);
    }
}
template <class Arch>
void check(prims::window_max, Arch) {
  compare_windows<window_max_on, Arch, int8_t>("window_max");
  compare_windows<window_max_on, Arch, uint8_t>("window_max");
}
template <class Arch>
void check(prims::window_mean, Arch) {
  compare_windows<window_mean_on, Arch, int8_t>("window_mean");
  compare_windows<window_mean_on, Arch, uint8_t>("window_mean");
}
template <class Arch>
void check(prims::position_mean, Arch) {
  for (int exponent = -31; exponent <= 4; ++exponent)
    compare<position_mean_on, Arch, int8_t, int8_t, int8_t>("position_mean", [&]<class P>(P, std::size_t n, const auto* x, const auto*, auto* out) {
      for (const int positions : {1, 2, 5})  // n channels altogether
        if (n % static_cast<std::size_t>(positions) == 0)
          P::run(positions, static_cast<int>(n) / positions, x, lb::rescale_values{-5, 0x6abc'def1, exponent, {3, -128, 127}}, out);
    });
}

}  // namespace

TEST_CASE("every row of the table") {
  int rows = 0;
  std::string ran;
  const kernel_archs::scope processor;
  [&]<class... Rows>(lb::type_list<Rows...>) {
    const auto one = [&]<class Op, class Arch>(lb::prim_row<Op, Arch>) {
      const auto how = processor.how<Arch>();
      if (how == kernel_archs::runs::no) return;
      check(Op{}, Arch{});
      ran += std::string(" ") + Arch::name + (how == kernel_archs::runs::emulated ? " (emulated)" : "");
      ++rows;
    };
    (one(Rows{}), ...);
  }(lb::prim_table{});
  MESSAGE("rows checked: ", rows, " of ", lb::prim_table::size, ":", ran);
  CHECK(rows > 0);
}
