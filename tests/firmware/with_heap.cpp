// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What check_image.py must complain about: a heap (here one that always gives the same place) and a
// text.
#include "support/program.hpp"

extern "C" [[gnu::noinline]] void* malloc(std::size_t) {
  static unsigned char place[16];
  return place;
}

int firmware::run() {
  auto* const made = static_cast<unsigned char*>(malloc(1));
  print("a text in the image\n");
  return *made;
}
