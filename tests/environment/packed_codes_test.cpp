// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packed codes are the same bytes on a big-endian processor. Compiled for this machine, and without
// a C library for big-endian ARM Linux (run by qemu-armeb): both must find the digest written below.
#include <lowbits/pack/layout.hpp>
#include <lowbits/pack/packed_array.hpp>

namespace lb = lowbits;

namespace {

constexpr unsigned long long expected = 0xe48b2e6932327f3fu;

struct digest {  // FNV-1a
  unsigned long long value = 0xcbf29ce484222325u;
  void add(int x) { value = (value ^ static_cast<unsigned>(x)) * 0x100000001b3u; }
};
struct random_numbers {
  unsigned state = 1;
  unsigned next() { return (state = state * 1664525u + 1013904223u) >> 8; }
};

constexpr int rows = 2, columns = 35, count = rows * columns;

template <class Layout, class Q>
void add_layout(digest& d, const int* values) {
  static lb::uint8_t bytes[2048];
  static int back[count];
  lb::pack<Layout, Q>(values, rows, columns, bytes);
  for (lb::size_t i = 0; i < Layout::template bytes<Q>(rows, columns); ++i) d.add(bytes[i]);
  lb::unpack<Layout, Q>(bytes, rows, columns, back);
  for (const int x : back) d.add(x);
}

template <class Q>
void add_type(digest& d, random_numbers& random) {
  static int values[count];
  for (int& v : values) v = lb::larger(Q::decode(random.next() & Q::code_mask), Q::lowest);
  add_layout<lb::linear_layout, Q>(d, values);
  add_layout<lb::rows_layout, Q>(d, values);
  add_layout<lb::panel_layout<16, 4>, Q>(d, values);
  add_layout<lb::planes_layout, Q>(d, values);
  static lb::uint8_t bytes[lb::bytes_for<Q>(count)];
  lb::pack<Q>(values, 0, count, bytes);
  const lb::packed_span<Q> span(bytes, count);
  for (lb::size_t i = 0; i < count; i += 3) span[i] = values[count - 1 - i];
  for (const lb::uint8_t b : bytes) d.add(b);
  for (const int x : lb::packed_view<Q>(span)) d.add(x);
}

constexpr short few[] = {1, -300, 511, -512, 7, 9, 11};
constexpr auto packed_by_compiler = lb::packed<lb::q10, few>;

template <int... Bits>
unsigned long long all_types() {
  digest d;
  random_numbers random;
  (add_type<lb::qs<Bits>>(d, random), ...);
  (add_type<lb::qu<Bits>>(d, random), ...);
  for (const lb::uint8_t b : packed_by_compiler.bytes) d.add(b);
  return d.value;
}

bool is_as_expected() { return all_types<1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16>() == expected; }

}  // namespace

#if __STDC_HOSTED__
#include <cstdio>
int main() {
  if (is_as_expected()) return 0;
  std::printf("digest 0x%llx, expected 0x%llx\n", all_types<1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16>(), expected);
  return 1;
}
#else
static_assert(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);

extern "C" {
void* memset(void* to, int byte, lb::size_t n) {
  for (lb::size_t i = 0; i < n; ++i) static_cast<volatile unsigned char*>(to)[i] = static_cast<unsigned char>(byte);
  return to;
}
[[noreturn]] void _start() {
  register int code asm("r0") = is_as_expected() ? 0 : 1;
  register int exit_call asm("r7") = 1;
  asm volatile("svc 0" : : "r"(code), "r"(exit_call));
  for (;;) {}
}
}
#endif
