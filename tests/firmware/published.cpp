// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A published model on recorded inputs: for every layer whose output is recorded, its number and the
// digest of its output, from the weights as they are. Elsewhere than on bare metal every architecture
// then has to give the same again.
#include <algorithm>

#include PUBLISHED_SAMPLES

#include "inference.hpp"

#include "support/program.hpp"

namespace {

using firmware::model;

alignas(lowbits::arena_alignment) unsigned char arena[model::arena_bytes];

struct printer {
  void operator()(const lowbits::node_output& o) const {
    if (std::find(std::begin(samples::layers), std::end(samples::layers), o.index) == std::end(samples::layers)) return;
    firmware::digest d;
    d.add(static_cast<const std::int8_t*>(o.data), o.desc->count());
    firmware::print_decimal(static_cast<std::uint32_t>(o.index));
    firmware::print(" ");
    firmware::print_hex(d.value());
    firmware::print("\n");
  }
};

#if LOWBITS_DISPATCH
alignas(lowbits::packed_alignment) unsigned char packed[model::prepared_bytes];

/// The last layers' digests on every architecture of this processor must be `wanted`.
bool same_on_every_arch(firmware::input_view x, std::uint32_t wanted) {
  bool same = true;
  [&]<class... Archs>(lowbits::type_list<Archs...>) {
    const auto check = [&]<class Arch>(Arch) {
      if (!lowbits::is_usable<Arch>()) return;
      static firmware::output_element y[firmware::output_count];
      const auto ready = model::prepare_for(lowbits::arch_id_of<Arch>, packed);
      firmware::digest all;
      const auto each_layer = [&](const lowbits::node_output& o) {
        all.add(static_cast<const unsigned char*>(o.data), o.desc->bytes());
      };
      same = same && ready.observe(each_layer, arena, x, y) == lowbits::status::ok && all.value() == wanted;
    };
    (check(Archs{}), ...);
  }
  (lowbits::all_archs{});
  return same;
}
#endif

}  // namespace

int firmware::run() {
  static_assert(sizeof samples::inputs % input_count == 0);
  static output_element y[output_count], again[output_count];
  for (const std::int8_t* x = samples::inputs; x != std::end(samples::inputs); x += input_count) {
    const input_view in(x, input_count);
    if (model::observe(printer{}, arena, in, y) != lowbits::status::ok) return 1;
    if (infer(in, again) != lowbits::status::ok || !std::equal(y, y + output_count, again)) return 2;
#if LOWBITS_DISPATCH
    firmware::digest all;
    const auto each_layer = [&](const lowbits::node_output& o) {
      all.add(static_cast<const unsigned char*>(o.data), o.desc->bytes());
    };
    if (model::observe(each_layer, arena, in, y) != lowbits::status::ok || !same_on_every_arch(in, all.value())) return 3;
#endif
  }
  return 0;
}
