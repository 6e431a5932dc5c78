// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Digests of every node of the network, so that a difference between two targets is found where it
// begins; and prepared weights give the same as the weights in flash.
#include "network.hpp"

#include "support/program.hpp"

namespace lb = lowbits;
using firmware::model;

namespace {

alignas(lb::arena_alignment) unsigned char arena[model::arena_bytes];
alignas(lb::packed_alignment) unsigned char packed[model::prepared_bytes];
std::int8_t x[300], y[10], logits[10], prepared_y[10], prepared_logits[10];

void report_node(const lb::node_output& node) {
  firmware::digest d;
  d.add(static_cast<const unsigned char*>(node.data), node.desc->bytes());
  firmware::print("node ");
  firmware::print_decimal(static_cast<std::uint32_t>(node.index));
  d.report("");
}

}  // namespace

int firmware::run() {
  random_numbers random(1);
  for (auto& v : x) v = static_cast<std::int8_t>(random.in(-128, 127));
  if (model::observe(report_node, arena, x, y, logits) != lb::status::ok) return 1;
  const auto prepared = model::prepare(packed);
  if (prepared.run(arena, x, prepared_y, prepared_logits) != lb::status::ok) return 2;
  for (int i = 0; i < 10; ++i)
    if (y[i] != prepared_y[i] || logits[i] != prepared_logits[i]) return 3;
  print("prepared: the same\n");
  return 0;
}
