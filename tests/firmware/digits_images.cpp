// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The images as they lie in the file DIGITS_IMAGES, linked into the program.
#include "digits_images.hpp"

asm(".section .rodata.firmware_digits, \"a\", %progbits\n"
    ".balign 4\n"
    ".global firmware_digits, firmware_digits_end\n"
    "firmware_digits:\n"
    ".incbin \"" DIGITS_IMAGES "\"\n"
    "firmware_digits_end:\n"
    ".previous\n");

extern "C" const unsigned char firmware_digits[], firmware_digits_end[];

digits::image_set firmware::digits_images() {
  return {firmware_digits, static_cast<std::size_t>(firmware_digits_end - firmware_digits)};
}
