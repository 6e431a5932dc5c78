// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A network with a skip connection. The compiler checks shapes, scales, weights and accumulators,
// and plans the memory; the program only provides it.

#include <cstdint>
#include <cstdio>

#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

// Weights would come from a generated header; here they are a few numbers and zeros.
constexpr std::int8_t stem_w[16 * 3 * 3 * 3] = {12, -7, 30}, body_w[16 * 3 * 3 * 16] = {5, 9, -3};
constexpr std::int8_t logits_w[10 * 16 * 16 * 16] = {1, 2, 3, 4};
constexpr lb::affine q_act{.scale = 0.05f, .zero_point = -128},
    q_sum{.scale = 0.08f, .zero_point = -128};

constexpr auto make_net() {
  lb::builder<8> g;
  const auto x = g.input("image", lb::tensor<lb::q8, 32, 32, 3>({.scale = 1 / 128.f}));
  const auto a = g.conv2d("stem", x,
                          {.out_c = 16,
                           .kernel = 3,
                           .stride = 2,
                           .pad = 1,
                           .weights = lb::weights(stem_w, lb::symmetric{.01f}),
                           .out = q_act,
                           .fused = lb::activation::relu});
  const auto b = g.conv2d("body", a,
                          {.out_c = 16,
                           .kernel = 3,
                           .pad = 1,
                           .weights = lb::weights(body_w, lb::symmetric{.02f}),
                           .out = q_act});
  const auto s = g.add("skip", a, b, {.out = q_sum});  // any two scales; rescaled inside
  const auto y = g.dense(
      "logits", s,
      {.units = 10, .weights = lb::weights(logits_w, lb::symmetric{.01f}), .out = {.scale = 0.2f}});
  return g.output(y);
}
using net = lb::model<make_net>;
static_assert(net::arena_bytes_on<lb::arch::generic> <= 12 * 1024,
              "does not fit the SRAM budget of the board");

int main() {
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  alignas(lb::packed_alignment) static unsigned char packed[net::prepared_bytes];
  static std::int8_t image[32 * 32 * 3], portable[10], fast[10];
  for (int i = 0; i < 32 * 32 * 3; ++i) image[i] = static_cast<std::int8_t>(i * 7 % 256 - 128);

  if (net::run(arena, image, portable) != lb::status::ok) return 1;

  const auto ready = net::prepare(packed);  // packs the weights for this processor
  if (ready.run(arena, image, fast) != lb::status::ok) return 1;

  bool equal = true;
  for (int i = 0; i < 10; ++i) equal = equal && portable[i] == fast[i];
  std::printf("%d nodes, arena %zu bytes, prepared weights %zu bytes; %s\n", net::node_count,
              net::arena_bytes, net::prepared_bytes,
              equal ? "the same bits with and without preparation" : "DIFFERENT BITS");
  return equal ? 0 : 1;
}
