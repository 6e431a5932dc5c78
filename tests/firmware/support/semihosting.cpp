// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text output and exit through the debugger's door ("Semihosting for AArch32 and AArch64", Arm):
// operation in r0, argument in r1, BKPT 0xAB. Without a debugger or QEMU behind it, it faults.
#include "support/semihosting.hpp"

#include "support/program.hpp"

namespace {

enum operation : std::uint32_t { write_text = 0x04, exit_extended = 0x20 };

void call(operation what, const void* argument) {
  register std::uint32_t r0 asm("r0") = what;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

}  // namespace

void firmware::print(const char* text) { call(write_text, text); }

void firmware::exit(int status) {
  constexpr std::uint32_t application_exit = 0x2'0026;
  const std::uint32_t block[2] = {application_exit, static_cast<std::uint32_t>(status)};
  call(exit_extended, block);
  for (;;) asm volatile("");
}
