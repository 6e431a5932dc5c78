// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Transposed convolutions on every architecture give the reference's bytes, and
// touch nothing outside their buffers.

#include "support/kernel_archs.hpp"

#include <lowbits/kernel/transposed_conv2d.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

#include "support/conv_cases.hpp"
#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

template <class Arch, class X, class Weights, class Rq>
int check(const lb::conv2d_shape& s, buffers& memory, uint64_t seed) {
  using kernel = lb::kernel::transposed_conv2d<Arch, X, typename Weights::reader, int32_t, typename Rq::requantizer>;
  naive::random_numbers random(seed);
  const auto count = [](int a, int b, int c, int d) { return static_cast<std::size_t>(a * b) * static_cast<std::size_t>(c * d); };
  const auto x = codes<X>(count(s.batch, s.in_h, s.in_w, s.in_c), random);
  const Weights w(count(s.out_c, s.window.kernel_h, s.window.kernel_w, s.group_in()), random);
  const auto bias = conv_cases::cast<int32_t>(conv_cases::fill_bias(s.out_c, random));
  const Rq rq(s.out_c, s.depth(), random);
  const int x_zero = random.in(lb::lowest_of<X>, lb::highest_of<X>);
  const int w_zero = zero_point<Weights>(random);
  const bool has_bias = random.in(0, 3) != 0;

  std::vector<typename kernel::Y> expected(count(s.batch, s.out_h, s.out_w, s.out_c));
  lb::ref::transposed_conv2d<int32_t>(s, x.data(), x_zero, w.read(memory.w, guarded::place::front), w_zero,
                           has_bias ? bias.data() : nullptr, rq.get(memory.factors, guarded::place::front), expected.data());

  for (const auto where : guarded::both_places) {
    INFO("shape ", conv_cases::text(s), ", arch ", Arch::name, ", at the ", where == guarded::place::front ? "front" : "back");
    const auto reader = w.read(memory.w, where);
    const auto* b = has_bias ? memory.bias.copy(bias, where) : nullptr;
    auto* packed = memory.packed.take<unsigned char>(kernel::packed_bytes(s), where);
    auto* scratch = memory.scratch.take<unsigned char>(kernel::scratch_bytes(s), where);
    auto* y = memory.y.take<typename kernel::Y>(expected.size(), where);
    const auto* input = memory.x.copy(x, where);
    kernel::pack(s, reader, b, x_zero, packed);
    kernel::run(s, input, x_zero, reader, w_zero, b, kernel::packed_bytes(s) != 0 ? packed : nullptr,
                rq.get(memory.factors, where), y, scratch);
    const std::string wrong = difference(y, expected);
    if (!wrong.empty()) FAIL_CHECK(wrong);
  }
  return 2;
}

std::vector<lb::conv2d_shape> all_shapes() {
  std::vector<lb::conv2d_shape> all;
  for (const auto& some : {conv_cases::edges(), conv_cases::grid(), conv_cases::drawn(60, 15)})
    all.insert(all.end(), some.begin(), some.end());
  for (int in_c : {1, 16, 17, 33})
    for (int out_c : {5, 32, 40})
      all.push_back({.batch = 2, .in_h = 4, .in_w = 3, .in_c = in_c, .out_h = 8, .out_w = 6, .out_c = out_c,
                     .window = {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1}});
  return all;
}

template <class X, class Weights, class Rq>
void check_all(uint64_t seed) {
  buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch) {
    const auto shapes = kernel_archs::sample(all_shapes());
    int ran = 0;
    for (std::size_t i = 0; i < shapes.size(); ++i) ran += check<Arch, X, Weights, Rq>(shapes[i], memory, seed + i);
    MESSAGE(std::string(Arch::name), ": ", ran, " comparisons");
    CHECK(ran == 2 * static_cast<int>(shapes.size()));
  });
}

}  // namespace

TEST_CASE("transposed_conv2d: s8, s8 weights, rounded once, factors per channel") {
  check_all<int8_t, plain_weights, by_channel<lb::q8, lb::round_single>>(1);
}
TEST_CASE("transposed_conv2d: u8, 4-bit weights, accumulators") {
  check_all<uint8_t, packed_weights<lb::q4>, not_at_all>(2);
}
