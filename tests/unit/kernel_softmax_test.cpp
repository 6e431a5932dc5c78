// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Softmax of 8-bit codes: the bytes of the definition, for rows of any length and spread.

#include "support/kernel_archs.hpp"

#include <string>
#include <vector>

#include <lowbits/kernel/softmax.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

template <class X, class Y>
void check(lb::qformat from, lb::qformat to) {
  static guarded::memory x_memory, y_memory;
  naive::random_numbers random(7);
  for (const float scale : {1e-4f, 0.02f, 0.1f, 3.0f, 1000.0f}) {
    const auto p = lb::make_softmax(from, {scale, 3}, 1.0f, to);
    for (const int depth : {0, 1, 2, 3, 10, 16, 17, 64, 127, 128, 200, 255, 256, 257, 1001})
      for (const int rows : {0, 1, 2, 5})
        for (const int spread : {0, 1, 40, from.highest() - from.lowest()})
          for (const auto where : guarded::both_places) {
            std::vector<X> x(static_cast<std::size_t>(rows * depth));
            for (auto& v : x) v = static_cast<X>(random.in(from.highest() - spread, from.highest()));
            std::vector<Y> expected(x.size());
            lb::ref::softmax(rows, depth, x.data(), p, expected.data());
            kernel_archs::for_each([&]<class Arch>(Arch) {
              Y* y = y_memory.take<Y>(expected.size(), where);
              lb::kernel::softmax<Arch>(rows, depth, x_memory.copy(x, where), p, y);
              INFO(rows, " rows of ", depth, ", spread ", spread, ", scale ", scale, ", ", std::string(Arch::name));
              CHECK(difference(y, expected) == "");
            });
          }
  }
}

constexpr lb::qformat format(uint8_t bits, bool is_signed) { return {bits, is_signed, false}; }

}  // namespace

TEST_CASE("softmax: s8 to s8, u8, s16") {
  check<int8_t, int8_t>(format(8, true), format(8, true));
  check<int8_t, uint8_t>(format(8, true), format(8, false));
  check<int8_t, int16_t>(format(8, true), format(16, true));
}
TEST_CASE("softmax: u8 to u8, s4 to s8") {
  check<uint8_t, uint8_t>(format(8, false), format(8, false));
  check<int8_t, int8_t>(format(4, true), format(8, true));
}
TEST_CASE("softmax: the sum is held") {  // 8192 exponentials of zero exceed 32 bits
  const std::vector<int8_t> x(9000, 5);
  const auto p = lb::make_softmax(format(8, true), {0.1f, 0}, 1.0f, format(16, true));
  std::vector<int16_t> y(x.size()), expected(x.size());
  lb::ref::softmax(1, 9000, x.data(), p, expected.data());
  lb::kernel::softmax<lb::arch::native>(1, 9000, x.data(), p, y.data());
  CHECK(y == expected);
  const auto to_s8 = lb::make_softmax(format(8, true), {0.1f, 0}, 1.0f, format(8, true));
  std::vector<int8_t> codes(x.size()), wanted(x.size());
  lb::ref::softmax(1, 9000, x.data(), to_s8, wanted.data());
  kernel_archs::for_each([&]<class Arch>(Arch) {
    lb::kernel::softmax<Arch>(1, 9000, x.data(), to_s8, codes.data());
    CHECK(codes == wanted);
  });
}
