// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Matrix products whose weights of 1 to 4 bits have a factor for each group along the depth, of every kind: the reference's bytes on
// every architecture, all groups and depths around them; what is refused; halves.

#include "support/grouped_cases.hpp"

namespace lb = lowbits;
using grouped_cases::check_all;

TEST_CASE("grouped gemm: 1 bit") { check_all<int8_t, lb::q1, uint8_t, lb::channel_requantizer<lb::q8, lb::round_single>>(1); }
TEST_CASE("grouped gemm: 2 bits") { check_all<int8_t, lb::q2, lb::half>(2); }
TEST_CASE("grouped gemm: 3 bits") { check_all<int8_t, lb::q3, float>(3); }
TEST_CASE("grouped gemm: 4 bits, unsigned") { check_all<uint8_t, lb::u4, lb::half>(4); }
TEST_CASE("grouped gemm: 4 bits") { check_all<int8_t, lb::q4, uint8_t>(5); }

TEST_CASE("half: every finite one is its own nearest, and what lies between goes to the nearer, ties to even") {
  static_assert(lb::half{0x3c00}.value() == 1.0f && lb::half{0xc000}.value() == -2.0f && lb::half{0x7bff}.value() == 65504.0f);
  static_assert(lb::half{1}.value() == 0x1p-24f && lb::half{0x3ff}.value() == 0x1p-14f - 0x1p-24f);
  CHECK(lb::half::nearest(65519.9f).bits == 0x7bff);
  CHECK(lb::half::nearest(65520.0f).bits == 0x7c00);
  CHECK(lb::half::nearest(0x1p-25f).bits == 0);
  CHECK(lb::half::nearest(-0x1.8p-25f).bits == 0x8001);
  for (uint32_t bits = 0; bits < 0x7c00; ++bits)
    for (const uint32_t sign : {0u, 0x8000u}) {
      const lb::half h{static_cast<uint16_t>(bits | sign)};
      if (lb::half::nearest(h.value()) != h) FAIL_CHECK(h.bits);
      if (bits + 1 == 0x7c00) continue;
      const float next = lb::half{static_cast<uint16_t>(h.bits + 1)}.value(), middle = (h.value() + next) / 2;
      if (lb::half::nearest(middle).bits != h.bits + (bits & 1)) FAIL_CHECK(h.bits, " and half a step");
    }
}

TEST_CASE("grouped gemm: what does not fit is refused") {
  using product = lb::grouped_gemm<int8_t, lb::q4>;
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, {.group = 48}).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, {.group = 0}).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = -4, .depth = 96}, {}).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, {.shift = 31}).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, {.x_zero = 200}).error() == lb::status::bad_value);
  CHECK(product({.rows = 1, .cols = 4, .depth = 96}, {}, lb::arch_id_from("no such thing")).error() == lb::status::unsupported);
  const product p({.rows = 1, .cols = 4, .depth = 64}, {.group = 32});
  guarded::memory memory;
  auto* packed = memory.take<unsigned char>(lb::round_up(p.packed_bytes(), std::size_t{64}), guarded::place::front);
  std::vector<unsigned char> scratch(p.scratch_bytes());
  const std::vector<uint8_t> w(4 * 64 / 2, 0x11);
  const std::vector<int8_t> x(64, 2);
  std::vector<float> scales = {1, 10, 2, 20, 3, 30, 4, 40};
  const std::vector<int32_t> bias(4);
  float y[4] = {};
  const lb::packed_view<lb::q4> view{w.data(), 4 * 64};
  CHECK(p.pack(view, scales.data(), nullptr, {packed + 1, p.packed_bytes()}) == lb::status::misaligned);
  CHECK(p.pack(view, scales.data(), nullptr, {packed, p.packed_bytes() - 1}) == lb::status::too_small);
  CHECK(p.pack(view, scales.data(), bias.data(), {packed, p.packed_bytes()}) == lb::status::bad_value);
  scales[7] = lb::fp::from_bits(lb::fp::infinity_bits);
  CHECK(p.pack(view, scales.data(), nullptr, {packed, p.packed_bytes()}) == lb::status::bad_value);
  scales[7] = 40;
  REQUIRE(p.pack(view, scales.data(), nullptr, {packed, p.packed_bytes()}) == lb::status::ok);
  CHECK(product({.rows = 1, .cols = 4, .depth = 64}, {.group = 64}).run(x.data(), {packed, p.packed_bytes()}, {}, y, scratch) == lb::status::foreign);
  CHECK(p.run(x.data(), {packed, p.packed_bytes() - 1}, {}, y, scratch) == lb::status::too_small);
  REQUIRE(p.run(x.data(), {packed, p.packed_bytes()}, {}, y, scratch) == lb::status::ok);
  for (int c = 0; c < 4; ++c) CHECK(y[c] == 64.0f * 11.0f * static_cast<float>(c + 1));
}
