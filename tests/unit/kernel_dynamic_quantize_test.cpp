// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Rows quantized by their own range on every architecture: the bytes and the parameters of the
// definition, for rows of any length and of any floats.

#include "support/kernel_archs.hpp"

#include <bit>
#include <limits>
#include <string>

#include <lowbits/kernel/dynamic_quantize.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

/// Rows of numbers of one sign, of both, of zeros, with NaN, infinities and denormals among them, and so
/// wide that their range is no float.
std::vector<float> row(int kind, std::size_t n, naive::random_numbers& random) {
  using limits = std::numeric_limits<float>;
  std::vector<float> x(n);
  for (auto& v : x) {
    v = static_cast<float>(random.in(-1'000'000, 1'000'000)) * 1e-5f;
    if (kind == 1) v = v < 0 ? v : -v;
    if (kind == 2) v = v < 0 ? -v : v;
    if (kind == 3) v = random.in(0, 1) == 0 ? 0.0f : -0.0f;
    if (kind == 4) v *= limits::denorm_min() * 1e3f;
    if (kind == 5) v *= 3e37f;
    if (kind == 6) v = static_cast<float>(random.in(-51, 51)) * 0.5f;  // ties
    if (kind >= 7 && random.in(0, 9) == 0) {
      const float odd[] = {limits::infinity(), -limits::infinity(), limits::quiet_NaN(), -limits::quiet_NaN(), limits::denorm_min(), -0.0f};
      v = odd[random.in(0, 5)];
    }
    if (kind == 8) v = limits::quiet_NaN();
  }
  return x;
}

template <class Q>
void check() {
  static guarded::memory x_memory, p_memory, q_memory;
  using storage = typename Q::storage;
  kernel_archs::for_each([]<class Arch>(Arch) {
    naive::random_numbers random(4);
    for (const std::size_t columns : std::initializer_list<std::size_t>{0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 200, 513, 1100})
      for (const int rows : {0, 1, 2, 3, 4, 9})
        for (const auto where : guarded::both_places) {
          std::vector<float> x;
          std::vector<lb::affine> params;
          std::vector<storage> codes;
          for (int r = 0; r < rows; ++r) {
            const auto one = row((r + static_cast<int>(columns)) % 9, columns, random);
            std::vector<storage> q(columns);
            params.push_back(lb::ref::dynamic_quantize<Q>(columns, one.data(), q.data()));
            x.insert(x.end(), one.begin(), one.end());
            codes.insert(codes.end(), q.begin(), q.end());
          }
          lb::affine* p = p_memory.take<lb::affine>(params.size(), where);
          storage* q = q_memory.take<storage>(codes.size(), where);
          lb::kernel::dynamic_quantize<Arch, Q>(rows, columns, x_memory.copy(x, where), p, q);
          INFO(std::string(Arch::name), ", ", rows, " rows of ", columns);
          for (std::size_t r = 0; r < params.size(); ++r) {
            CHECK(std::bit_cast<uint32_t>(p[r].scale) == std::bit_cast<uint32_t>(params[r].scale));
            CHECK(p[r].zero_point == params[r].zero_point);
          }
          CHECK(difference(q, codes) == "");
        }
  });
}

}  // namespace

TEST_CASE("dynamic_quantize: u8") { check<lb::u8>(); }
TEST_CASE("dynamic_quantize: q8") { check<lb::q8>(); }
TEST_CASE("dynamic_quantize: q4, q16") {
  check<lb::q4>();
  check<lb::q16>();
}
