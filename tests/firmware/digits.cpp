// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The digits network over all test images: one line per image with the digest of its output bytes,
// then the digest of all and how many answers are right.
#include "digits_images.hpp"
#include "inference.hpp"

#include "support/program.hpp"

int firmware::run() {
  constexpr int test_images = 597;  // the last ones: examples/digits/data/README.md
  static input_element x[input_count];
  static output_element y[output_count];
  const digits::image_set images = digits_images();
  static_assert(input_count == digits::image_set::pixels && output_count == 10);
  if (images.size() < test_images) return 1;

  digest all;
  std::uint32_t right = 0;
  for (int i = images.size() - test_images; i < images.size(); ++i) {
    images.read(i, x);
    if (infer(x, y) != lowbits::status::ok) return 2;
    digest one;
    one.add(y, output_count);
    all.add(y, output_count);
    right += digits::answer(y) == images.label(i) ? 1u : 0u;
    print_decimal(static_cast<std::uint32_t>(i));
    print(" ");
    print_hex(one.value());
    print("\n");
  }
  all.report("all");
  print_decimal(right);
  print(" right\n");
  return 0;
}
