// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <lowbits/fixed/accumulator.hpp>

namespace lb = lowbits;

namespace {

// How many products an int32 holds. Operands without zero point, both of narrow range:
template <int A, int W>
constexpr lb::int64_t narrow_capacity =
    lb::product_capacity(lb::largest_operand(lb::qformat::of<lb::narrow<lb::qs<A>>>(), true),
                         lb::largest_operand(lb::qformat::of<lb::narrow<lb::qs<W>>>(), true), lb::highest_of<lb::int32_t>);
static_assert(narrow_capacity<4, 4> == 43'826'196);
static_assert(narrow_capacity<4, 8> == 2'415'617);
static_assert(narrow_capacity<8, 8> == 133'144);
static_assert(narrow_capacity<8, 12> == 8'260);
static_assert(narrow_capacity<12, 12> == 512);
static_assert(narrow_capacity<8, 16> == 516 && narrow_capacity<16, 8> == 516);
static_assert(narrow_capacity<12, 16> == 32);
static_assert(narrow_capacity<16, 16> == 2);
// Full range, no zero point: -128 * -128.
static_assert(lb::product_capacity(128, 128, lb::highest_of<lb::int32_t>) == 131'071);
// Unsigned by narrow signed: 255 * 127.
static_assert(lb::product_capacity(lb::largest_operand(lb::qformat::of<lb::u8>(), true),
                                   lb::largest_operand(lb::qformat::of<lb::narrow<lb::q8>>(), true), lb::highest_of<lb::int32_t>) == 66'311);

// With a zero point anywhere, a code is up to highest - lowest away from it, whatever its sign.
static_assert(lb::largest_operand(lb::qformat::of<lb::q8>(), false) == 255);
static_assert(lb::largest_operand(lb::qformat::of<lb::u8>(), false) == 255);
static_assert(lb::largest_operand(lb::qformat::of<lb::narrow<lb::q8>>(), false) == 254);
static_assert(lb::largest_operand(lb::qformat::of<lb::q8>(), true) == 128);
static_assert(lb::largest_operand(lb::qformat::of<lb::q1>(), true) == 1 && lb::largest_operand(lb::qformat::of<lb::u1>(), true) == 1);
static_assert(lb::proven_accumulator<lb::int32_t, lb::q8, lb::q8, 65'793>::capacity == 65'793);
static_assert(lb::proven_accumulator<lb::int32_t, lb::q8, lb::narrow<lb::q8>, 66'311>::capacity == 66'311);

// The choice leaves 2^30 to the bias.
template <class A, class W, lb::size_t Products>
constexpr bool is32 = std::is_same_v<lb::accumulator<A, W, Products>, lb::int32_t>;
static_assert(is32<lb::q8, lb::q8, 32'896> && !is32<lb::q8, lb::q8, 32'897>);
static_assert(is32<lb::q8, lb::narrow<lb::q8>, 33'155> && !is32<lb::q8, lb::narrow<lb::q8>, 33'156>);
static_assert(is32<lb::q8, lb::q4, 526'344> && !is32<lb::q8, lb::q4, 526'345>);
static_assert(is32<lb::q16, lb::q8, 128> && !is32<lb::q16, lb::q8, 129>);
static_assert(!is32<lb::q16, lb::q16, 1> && is32<lb::q1, lb::q1, 536'870'911>);
static_assert(lb::product_capacity(0, 5, 7) == lb::highest_of<lb::int64_t>);

}  // namespace

TEST_CASE("the capacity is the largest count whose worst sum fits") {
  const lb::int64_t operands[] = {1, 7, 8, 15, 127, 128, 255, 2047, 32767, 32768, 65535};
  for (const lb::int64_t a : operands)
    for (const lb::int64_t b : operands)
      for (const lb::int64_t limit : {lb::int64_t{32767}, lb::int64_t{lb::highest_of<lb::int32_t>}, lb::int64_t{1} << 40})
        for (const lb::int64_t reserved : {lb::int64_t{0}, limit / 2}) {
          const lb::int64_t n = lb::product_capacity(a, b, limit, reserved);
          INFO(a << " * " << b << " in " << limit << " - " << reserved);
          CHECK(n * a * b + reserved <= limit);
          CHECK((n + 1) * a * b + reserved > limit);
        }
}
