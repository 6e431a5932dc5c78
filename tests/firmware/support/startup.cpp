// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From reset to firmware::run() on any Cortex-M: the vector table and the state C++ expects. The
// names of the memory's borders come from cortex_m.ld.
#include <cstddef>
#include <cstdint>

#include "support/program.hpp"
#include "support/semihosting.hpp"

extern "C" {
extern std::uint32_t firmware_stack_top[];
extern std::uint32_t firmware_data_load[], firmware_data_begin[], firmware_data_end[];
extern std::uint32_t firmware_bss_begin[], firmware_bss_end[];
extern void (*const firmware_constructors_begin[])();
extern void (*const firmware_constructors_end[])();

[[noreturn]] void firmware_reset();
[[noreturn]] void firmware_fault();
}

namespace {

/// Coprocessors 10 and 11 are the floating-point unit and Helium; both are off after reset. Cores
/// without them have no such register (Armv6-M) or nothing behind it.
void enable_float_unit() {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  auto* const access_control = reinterpret_cast<volatile std::uint32_t*>(0xe000'ed88u);
  *access_control = *access_control | (0xfu << 20);
  asm volatile("dsb\n\tisb" ::: "memory");
#endif
}

using handler = void (*)();
struct vector_table {
  std::uint32_t* stack;
  handler entry[15];
};

}  // namespace

extern "C" void firmware_reset() {
  enable_float_unit();
  const std::uint32_t* from = firmware_data_load;
  for (std::uint32_t* to = firmware_data_begin; to != firmware_data_end;) *to++ = *from++;
  for (std::uint32_t* to = firmware_bss_begin; to != firmware_bss_end;) *to++ = 0;
  for (auto* f = firmware_constructors_begin; f != firmware_constructors_end; ++f) (*f)();
  firmware::exit(firmware::run());
}

extern "C" void firmware_fault() {
  firmware::print("fault\n");
  firmware::exit(99);
}

// Every exception is unexpected: the programs use no interrupts.
[[gnu::section(".vectors"), gnu::used]] constexpr vector_table vectors = {
    firmware_stack_top,
    {firmware_reset, firmware_fault, firmware_fault, firmware_fault, firmware_fault, firmware_fault,
     firmware_fault, nullptr, nullptr, nullptr, firmware_fault, firmware_fault, nullptr,
     firmware_fault, firmware_fault}};
