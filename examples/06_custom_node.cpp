// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// An operation of one's own inside a graph: the channel shuffle of ShuffleNet. It is a function
// that runs, a function that adds the node, and nothing in the library changes.

#include <cstdint>
#include <cstdio>

#include <lowbits/lowbits.hpp>

namespace lb = lowbits;

struct shuffle_groups {
  int groups;
};

void run_shuffle(const lb::custom_call& c) noexcept {
  const auto* x = static_cast<const std::int8_t*>(c.in[0]);
  auto* y = static_cast<std::int8_t*>(c.out);
  const int groups = static_cast<const shuffle_groups*>(c.user)->groups;
  const int channels = c.out_desc->shape.extent[c.out_desc->shape.rank - 1],
            per_group = channels / groups;
  for (int p = 0; p < static_cast<int>(c.out_desc->count()) / channels; ++p)
    for (int g = 0; g < groups; ++g)
      for (int k = 0; k < per_group; ++k)
        y[p * channels + k * groups + g] = x[p * channels + g * per_group + k];
}

template <std::size_t N>
constexpr lb::edge channel_shuffle(lb::builder<N>& g, lb::node_name name, lb::edge x,
                                   const shuffle_groups& groups) {
  const lb::tensor_desc& d = g.desc(x);
  const bool fits =
      d.format.storage_bytes() == 1 && d.shape.extent[d.shape.rank - 1] % groups.groups == 0;
  return g.custom(name, {x},
                  {.run = run_shuffle,
                   .out = d,
                   .user = &groups,
                   .user_bytes = sizeof groups,
                   .refused = !fits});
}

constexpr shuffle_groups two{2};
constexpr auto make_net() {
  lb::builder<4> g;
  const auto x = g.input("x", lb::tensor<lb::q8, 2, 2, 6>({.scale = 1.f}));
  return g.output(g.relu("positive", channel_shuffle(g, "shuffle", x, two)));
}
using net = lb::model<make_net>;

int main() {
  alignas(lb::arena_alignment) static unsigned char arena[net::arena_bytes];
  std::int8_t x[24], y[24];
  for (int i = 0; i < 24; ++i) x[i] = static_cast<std::int8_t>(i % 6);
  if (net::run(arena, x, y) != lb::status::ok) return 1;
  std::printf("%d %d %d %d %d %d\n", int{y[0]}, int{y[1]}, int{y[2]}, int{y[3]}, int{y[4]},
              int{y[5]});
  return y[0] == 0 && y[1] == 3 && y[2] == 1 && y[5] == 5 ? 0 : 1;
}
