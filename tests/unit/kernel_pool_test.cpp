// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Pooling on every architecture gives the reference's bytes, and touches nothing outside its buffers.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/kernel/pool.hpp>
#include <lowbits/ref/pool.hpp>

#include "support/conv_cases.hpp"
#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

std::string text(const lb::pool2d_shape& s) {
  return conv_cases::text(lb::conv2d_shape{s.batch, s.in_h, s.in_w, s.channels, s.out_h, s.out_w, s.channels, s.window, s.channels});
}

lb::pool2d_shape from(const lb::conv2d_shape& s, int channels) {
  return {s.batch, s.in_h, s.in_w, channels, s.out_h, s.out_w, s.window};
}

std::vector<lb::pool2d_shape> all_shapes() {
  std::vector<lb::pool2d_shape> all;
  for (const auto& some : {conv_cases::edges(), conv_cases::drawn(60, 11)})
    for (const auto& s : some) all.push_back(from(s, s.in_c));
  for (const auto& s : conv_cases::grid()) all.push_back(from(s, 18));
  const lb::conv2d_shape halved{.in_h = 5, .in_w = 4, .out_h = 2, .out_w = 2,
                                .window = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}};
  for (int channels : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65}) all.push_back(from(halved, channels));
  all.push_back({.in_h = 181, .in_w = 181, .channels = 3, .window = {.kernel_h = 181, .kernel_w = 181}});  // 32761 positions
  all.push_back({.in_h = 200, .in_w = 200, .channels = 2, .window = {.kernel_h = 200, .kernel_w = 200}});
  return all;
}

/// Runs Kernel(arch, shape, x, range, y) and Reference(shape, x, range, y) on everything.
template <class T, class Kernel, class Reference>
void check_all(Kernel&& kernel, Reference&& reference) {
  guarded::memory x_memory, y_memory;
  const auto shapes = all_shapes();
  kernel_archs::for_each([&]<class Arch>(Arch arch) {
    int ran = 0;
    naive::random_numbers random(1);
    for (const auto& s : shapes) {
      const auto x = codes<T>(static_cast<std::size_t>(s.batch * s.in_h) * static_cast<std::size_t>(s.in_w * s.channels), random);
      const lb::output_stage stage = kernel_operands::stage(lb::qformat{8, std::is_signed_v<T>}, random);
      const lb::code_range range{stage.lowest, stage.highest};
      std::vector<T> expected(static_cast<std::size_t>(s.batch * s.out_h) * static_cast<std::size_t>(s.out_w * s.channels));
      reference(s, x.data(), range, expected.data());
      for (const auto where : guarded::both_places) {
        INFO("shape ", text(s), ", arch ", std::string(Arch::name));
        T* y = y_memory.take<T>(expected.size(), where);
        kernel(arch, s, x_memory.copy(x, where), range, y);
        const std::string wrong = difference(y, expected);
        if (!wrong.empty()) FAIL_CHECK(wrong);
        ++ran;
      }
    }
    MESSAGE(std::string(Arch::name), ": ", ran, " comparisons");
    CHECK(ran == 2 * static_cast<int>(shapes.size()));
  });
}

template <class T>
void check_max() {
  check_all<T>([]<class Arch>(Arch, const auto&... a) { lb::kernel::max_pool<Arch>(a...); },
               [](const auto&... a) { lb::ref::max_pool(a...); });
}
template <class T>
void check_average() {
  check_all<T>([]<class Arch>(Arch, const auto&... a) { lb::kernel::average_pool<Arch>(a...); },
               [](const auto&... a) { lb::ref::average_pool(a...); });
}

}  // namespace

TEST_CASE("max_pool: s8") { check_max<int8_t>(); }
TEST_CASE("max_pool: u8") { check_max<uint8_t>(); }
TEST_CASE("average_pool: s8") { check_average<int8_t>(); }
TEST_CASE("average_pool: u8") { check_average<uint8_t>(); }

TEST_CASE("average_pool: every sum of every count up to 40, and the ends beyond") {
  kernel_archs::for_each([]<class Arch>(Arch) {
    for (int count = 1; count <= 40; ++count)
      for (int fill : {-128, -77, -1, 0, 1, 99, 127})
        for (int last = -128; last <= 127; ++last) {
          int8_t x[40], y = 0, expected = 0;
          for (int i = 0; i < count; ++i) x[i] = static_cast<int8_t>(i + 1 < count ? fill : last);
          const lb::pool2d_shape s{.in_w = count, .window = {.kernel_w = count}};
          lb::kernel::average_pool<Arch>(s, x, lb::code_range{-128, 127}, &y);
          lb::ref::average_pool(s, x, lb::code_range{-128, 127}, &expected);
          if (y != expected) FAIL_CHECK(std::string(Arch::name), ": count ", count, " fill ", fill, " last ", last, ": ", int{y}, " not ", int{expected});
        }
  });
}

TEST_CASE("global_mean") {
  guarded::memory x_memory, y_memory;
  const auto check = [&]<class Arch, class X, class Y>(Arch, X, Y) {
    naive::random_numbers random(4);
    int ran = 0;
    for (int batch : {0, 1, 2})
      for (int positions : {0, 1, 2, 7, 49, 300})
        for (int channels : {0, 1, 7, 8, 9, 15, 16, 17, 33, 64})
          for (int exponent : {-31, -12, -5, -2, -1, 0, 3}) {
            const auto x = codes<X>(static_cast<std::size_t>(batch * positions * channels), random);
            const lb::mean_params p{random.in(lb::lowest_of<X>, lb::highest_of<X>), {random.in(1 << 30, lb::highest_of<int32_t>), exponent},
                                    kernel_operands::stage(lb::qformat{8, std::is_signed_v<Y>}, random)};
            std::vector<Y> expected(static_cast<std::size_t>(batch * channels));
            lb::ref::global_mean(batch, positions, channels, x.data(), p, expected.data());
            for (const auto where : guarded::both_places) {
              INFO(batch, "x", positions, "x", channels, ", exponent ", exponent, ", arch ", std::string(Arch::name));
              Y* y = y_memory.take<Y>(expected.size(), where);
              lb::kernel::global_mean<Arch>(batch, positions, channels, x_memory.copy(x, where), p, y);
              const std::string wrong = difference(y, expected);
              if (!wrong.empty()) FAIL_CHECK(wrong);
              ++ran;
            }
          }
    CHECK(ran == 3 * 6 * 10 * 7 * 2);
  };
  kernel_archs::for_each([&]<class Arch>(Arch a) {
    check(a, int8_t{}, int8_t{});
    check(a, uint8_t{}, int8_t{});
    check(a, int8_t{}, uint8_t{});
  });
}
