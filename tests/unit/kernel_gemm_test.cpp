// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Matrix products for direct use: the reference's bytes on every architecture, for strides, batches,
// zero points, residuals and any number of parts; and what is refused.

#include "support/kernel_archs.hpp"

#include <bit>
#include <sstream>
#include <string>

#include <lowbits/kernel/prepared_gemm.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

std::string text(const lb::gemm_shape& s) {
  std::ostringstream out;
  out << s.batch << " x " << s.rows << "x" << s.depth << " * " << s.cols << ", steps " << s.x_row << "," << s.x_matrix << " "
      << s.y_row << "," << s.y_matrix;
  return out.str();
}

/// Elements from the first to behind the last one.
std::size_t extent(int batch, int rows, int cols, ptrdiff_t matrix, ptrdiff_t row) {
  if (batch == 0 || rows == 0 || cols == 0) return 0;
  return static_cast<std::size_t>((batch - 1) * matrix + (rows - 1) * row + cols);
}

std::vector<int32_t> start_values(int n, naive::random_numbers& random) {
  std::vector<int32_t> v;
  for (int i = 0; i < n; ++i) v.push_back(random.in(-5000, 5000));
  return v;
}

/// Real outputs with every part or only the scales.
struct real_output {
  using requantizer = lb::float_output;
  std::vector<float> scales, bias, row_scales;
  std::vector<int32_t> zeros, sums;
  bool all;
  real_output(int cols, int depth, naive::random_numbers& random) : all(random.in(0, 1) == 0) {
    for (int c = 0; c < cols; ++c) {
      scales.push_back(static_cast<float>(random.in(1, 1000)) * 1e-5f);
      bias.push_back(static_cast<float>(random.in(-1000, 1000)) * 1e-2f);
      sums.push_back(random.in(-depth * 100, depth * 100));
    }
    for (int r = 0; r < 1000; ++r) row_scales.push_back(static_cast<float>(random.in(1, 99)) * 0.01f), zeros.push_back(random.in(-128, 127));
  }
  requantizer get(guarded::memory&, guarded::place) const {
    if (all) return {scales.data(), bias.data(), row_scales.data(), zeros.data(), sums.data()};
    return {.scales = scales.data()};
  }
};

template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, float>) return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
  else return a == b;
}

template <class Arch, class X, class W, class Rq>
void check(const lb::gemm_shape& s, buffers& memory, uint64_t seed) {
  using product = lb::gemm<X, typename Rq::requantizer, W>;
  using Y = typename product::Y;
  naive::random_numbers random(seed);
  const auto x = codes<X>(extent(s.batch, s.rows, s.depth, s.x_matrix_step(), s.x_row_step()), random);
  const auto w = codes<W>(static_cast<std::size_t>(s.cols) * static_cast<std::size_t>(s.depth), random);
  const auto bias = start_values(s.cols, random);
  const Rq rq(s.cols, s.depth, random);
  const int x_zero = random.in(lb::lowest_of<X>, lb::highest_of<X>);
  const int w_zero = random.in(0, 1) == 0 ? 0 : random.in(lb::lowest_of<W>, lb::highest_of<W>);
  const bool has_bias = random.in(0, 3) != 0;
  const std::size_t y_size = extent(s.batch, s.rows, s.cols, s.y_matrix_step(), s.y_row_step());
  std::vector<Y> before;
  for (const int8_t c : codes<int8_t>(y_size, random)) before.push_back(static_cast<Y>(c));
  lb::residual<Y> added;
  if constexpr (sizeof(Y) <= 2)
    if (random.in(0, 2) == 0)
      if constexpr (lb::quantized_type<typename Rq::requantizer::output>) {
        // Zero points and codes are those of the outputs' own type.
        const auto format = lb::qformat::of<typename Rq::requantizer::output>();
        const int middle = format.lowest() < 0 ? 0 : 128;
        added = {before.data(), lb::make_sum(format, {.scale = 0.1f, .zero_point = middle + 3}, format,
                                             {.scale = 0.17f, .zero_point = middle - 5}, format, {.scale = 0.2f, .zero_point = middle})};
      }
  auto expected = before;  // what lies between the rows stays
  lb::ref::gemm<int32_t>(s, x.data(), x_zero, w.data(), w_zero, has_bias ? bias.data() : nullptr,
                         rq.get(memory.factors, guarded::place::front), expected.data(), added);
  const product p(s, lb::arch_id_of<Arch>);
  for (const auto where : guarded::both_places)
    for (const int parts : {1, 2, 5}) {
      INFO("shape ", text(s), ", arch ", std::string(Arch::name), ", parts ", parts);
      auto* packed = memory.packed.take<unsigned char>((p.packed_bytes() + 63) / 64 * 64, guarded::place::front);
      auto* scratch = memory.scratch.take<unsigned char>(p.scratch_bytes(parts), where);
      auto* y = memory.y.copy(before, where);
      REQUIRE(p.pack(memory.w.copy(w, where), w_zero, has_bias ? bias.data() : nullptr, x_zero, {packed, p.packed_bytes()}) == lb::status::ok);
      const auto backwards = [](int n, auto&& f) {
        for (int i = n; i-- > 0;) f(i);
      };
      REQUIRE(p.run(memory.x.copy(x, where), {packed, p.packed_bytes()}, rq.get(memory.factors, where), y,
                    {scratch, p.scratch_bytes(parts)}, added, backwards, parts) == lb::status::ok);
      for (std::size_t i = 0; i < y_size; ++i)
        if (!same(y[i], expected[i])) {
          FAIL_CHECK("element ", i, " is ", +y[i], ", not ", +expected[i]);
          break;
        }
    }
}

std::vector<lb::gemm_shape> shapes() {
  std::vector<lb::gemm_shape> all;
  for (const int rows : {0, 1, 2, 12, 13, 65})
    for (const int cols : {0, 1, 7, 16, 33, 64})
      for (const int depth : {0, 1, 4, 63, 64, 130}) all.push_back({.rows = rows, .cols = cols, .depth = depth});
  all.push_back({.rows = 5, .cols = 9, .depth = 7, .batch = 3});
  all.push_back({.rows = 5, .cols = 9, .depth = 7, .batch = 3, .x_row = 11, .x_matrix = 60, .y_row = 10, .y_matrix = 51});
  all.push_back({.rows = 14, .cols = 40, .depth = 20, .batch = 2, .x_row = 21, .y_row = 64});
  all.push_back({.rows = 4, .cols = 3, .depth = 5, .batch = 0});
  all.push_back({.rows = 110, .cols = 70, .depth = 300});
  all.push_back({.rows = 19, .cols = 35, .depth = 600});
  // The last one is also run where instructions are emulated.
  all.push_back({.rows = 18, .cols = 35, .depth = 70, .batch = 2, .x_row = 73, .x_matrix = 1320, .y_row = 37, .y_matrix = 670});
  return all;
}

template <class X, class W, class Rq>
void check_all(uint64_t seed) {
  buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    for (const auto& s : kernel_archs::sample(shapes())) check<Arch, X, W, Rq>(s, memory, seed++);
  });
}

using product8 = lb::gemm<int8_t, lb::raw_accumulator<int32_t>>;

}  // namespace

TEST_CASE("gemm: s8 s8, codes, factors per channel") { check_all<int8_t, int8_t, by_channel<lb::q8, lb::round_single>>(1); }
TEST_CASE("gemm: u8 u8, codes, rounded twice") { check_all<uint8_t, uint8_t, by_tensor<lb::u8, lb::round_double_gemmlowp>>(2); }
TEST_CASE("gemm: u8 s8, 16-bit codes") { check_all<uint8_t, int8_t, by_channel<lb::q16, lb::round_single>>(3); }
TEST_CASE("gemm: s8 s8, accumulators") { check_all<int8_t, int8_t, not_at_all>(4); }
TEST_CASE("gemm: s8 u8, real numbers") { check_all<int8_t, uint8_t, real_output>(5); }

TEST_CASE("gemm: what does not fit is refused, and nothing is written") {
  const lb::gemm_shape s{.rows = 3, .cols = 4, .depth = 5};
  const product8 p(s);
  alignas(64) unsigned char packed[4096], scratch[65536];
  REQUIRE(p.packed_bytes() <= sizeof packed);
  REQUIRE(p.scratch_bytes() <= sizeof scratch);
  const int8_t w[20] = {1, 2, 3}, x[15] = {4, 5, 6};
  int32_t y[12];
  for (auto& v : y) v = 77;
  const std::span<unsigned char> all(packed, p.packed_bytes());
  CHECK(p.pack(w, 0, nullptr, 0, {packed + 1, sizeof packed - 1}) == lb::status::misaligned);
  CHECK(p.pack(w, 0, nullptr, 0, all.first(all.size() - 1)) == lb::status::too_small);
  REQUIRE(p.pack(w, 0, nullptr, 0, all) == lb::status::ok);
  CHECK(p.run(x, all.first(10), {}, y, scratch) == lb::status::too_small);
  CHECK(p.run(x, all.first(all.size() - 1), {}, y, scratch) == lb::status::too_small);
  CHECK(p.run(x, all, {}, y, {}) == (p.scratch_bytes() == 0 ? lb::status::ok : lb::status::too_small));
  CHECK(product8({.rows = 3, .cols = 4, .depth = 6}).run(x, all, {}, y, scratch) == lb::status::foreign);
  CHECK(lb::gemm<uint8_t, lb::raw_accumulator<int32_t>>(s).run(reinterpret_cast<const uint8_t*>(x), all, {}, y, scratch) == lb::status::foreign);
  CHECK(product8({.rows = -1, .cols = 4, .depth = 5}).pack(w, 0, nullptr, 0, all) == lb::status::bad_value);
  CHECK(product8({.rows = 1, .cols = lb::highest_of<int>, .depth = 5}).error() == lb::status::bad_value);
  CHECK(p.run(x, all, {}, y, scratch, {.codes = y}) == lb::status::bad_value);
  const lb::gemm<int8_t, lb::requantizer<lb::q8>> to_codes(s);
  int8_t codes[12] = {};
  CHECK(to_codes.run(x, all, {}, codes, scratch, {.codes = codes}) == lb::status::bad_value);  // not in place
  kernel_archs::for_each([&]<class Arch>(Arch) {
    const product8 other(s, lb::arch_id_of<Arch>);
    if (other.arch() != p.arch()) CHECK(other.run(x, all, {}, y, scratch) == lb::status::foreign);
  });
  CHECK(product8(s, lb::arch_id_from("no such thing")).pack(w, 0, nullptr, 0, all) == lb::status::unsupported);
  for (unsigned char* byte : {packed, packed + 4, packed + 8}) {
    ++*byte;
    CHECK(p.run(x, all, {}, y, scratch) == lb::status::foreign);
    --*byte;
  }
  for (const int32_t v : y) CHECK((v == 77 || p.scratch_bytes() == 0));
  // Rows of another number use the same weights: they may be saved and mapped again.
  alignas(64) unsigned char copy[4096];
  for (std::size_t i = 0; i < all.size(); ++i) copy[i] = packed[i];
  int32_t one[4];
  CHECK(product8({.rows = 1, .cols = 4, .depth = 5}).run(x, {copy, all.size()}, {}, one, scratch) == lb::status::ok);
  CHECK(one[0] == 4 * 1 + 5 * 2 + 6 * 3);
}
