// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Digests of packed codes: every width in every layout, bytes and what is read back.
#include <utility>

#include <lowbits/pack/layout.hpp>
#include <lowbits/pack/packed_array.hpp>

#include "support/program.hpp"

namespace lb = lowbits;
using firmware::digest;
using firmware::random_numbers;

namespace {

constexpr std::size_t rows = 5, columns = 37;
std::int32_t values[rows * columns], read_back[rows * columns];
std::uint8_t bytes[2400];

template <class Q>
void fill() {
  random_numbers random(Q::bits);
  for (auto& v : values) v = Q::is_binary ? random.in(0, 1) * 2 - 1 : random.in(Q::lowest, Q::highest);
}

/// Not inlined: compilers would unroll the bits of 33 types in 6 layouts.
template <class Layout, class Q>
[[gnu::noinline]] void layout(digest& d) {
  const std::size_t size = Layout::template bytes<Q>(rows, columns);
  if (size > sizeof bytes) return d.report("packing: the buffer is too small");
  lb::pack<Layout, Q>(values, rows, columns, bytes);
  d.add(bytes, size);
  lb::unpack<Layout, Q>(bytes, rows, columns, read_back);
  d.add(read_back, rows * columns);
}

struct digests {
  digest stream, linear, by_rows, panels, interleaved, planes;
};

template <class Q>
void width(digests& d) {
  fill<Q>();
  d.stream.add(lb::pack<Q>(values, 0, rows * columns, bytes));
  lb::packed_span<Q> span(bytes, rows * columns);
  for (std::size_t i = 0; i < span.size(); i += 5) span[i] = span[span.size() - 1 - i];
  d.stream.add(bytes, span.size_bytes());
  layout<lb::linear_layout, Q>(d.linear);
  layout<lb::rows_layout, Q>(d.by_rows);
  layout<lb::panel_layout<4, 16>, Q>(d.panels);
  layout<lb::planes_layout, Q>(d.planes);
  if constexpr (8 % Q::bits == 0 && Q::bits < 8) layout<lb::interleaved_layout<16>, Q>(d.interleaved);
}

}  // namespace

int firmware::run() {
  digests d;
  [&]<int... Bits>(std::integer_sequence<int, Bits...>) {
    (width<lb::qs<Bits + 1>>(d), ...);
    (width<lb::qu<Bits + 1>>(d), ...);
  }(std::make_integer_sequence<int, 16>{});
  width<lb::ternary>(d);
  d.stream.report("stream");
  d.linear.report("linear");
  d.by_rows.report("rows");
  d.panels.report("panels");
  d.interleaved.report("interleaved");
  d.planes.report("planes");
  return 0;
}
