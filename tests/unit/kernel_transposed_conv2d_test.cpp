// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Transposed convolutions on every architecture give the reference's bytes, and
// touch nothing outside their buffers.

#include "support/kernel_archs.hpp"

#include <lowbits/kernel/transposed_conv2d.hpp>
#include <lowbits/ref/transposed_conv2d.hpp>

#include "support/layer_check.hpp"

namespace {

using namespace kernel_operands;

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
void check_all(uint64_t first_seed) {
  check_on_archs(all_shapes(), first_seed, []<class Arch>(Arch, const lb::conv2d_shape& s, buffers& memory, uint64_t seed) {
    using kernel = lb::kernel::transposed_conv2d<Arch, X, typename Weights::reader, int32_t, typename Rq::requantizer>;
    naive::random_numbers random(seed);
    const layer_operands<X, Weights, int32_t, Rq> operands(s, random);
    return check_layer<kernel>(s, count(s.batch, s.out_h, s.out_w, s.out_c), conv_cases::text(s), operands, memory,
                               [](const auto&... a) { lb::ref::transposed_conv2d<int32_t>(a...); });
  });
}

}  // namespace

TEST_CASE("transposed_conv2d: s8, s8 weights, rounded once, factors per channel") {
  check_all<int8_t, plain_weights, by_channel<lb::q8, lb::round_single>>(1);
}
TEST_CASE("transposed_conv2d: u8, 4-bit weights, accumulators") {
  check_all<uint8_t, packed_weights<lb::q4>, not_at_all>(2);
}
