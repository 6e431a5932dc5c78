# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Who compiles, links and runs a test program. A target <t> is four lists: <t>_compile and <t>_link
# (compiler and flags), <t>_support (sources of its own) and <t>_run (what stands before the program).

set(common -std=c++20 -O2 -Wall -Wextra -Wconversion -Werror
  -I${CMAKE_CURRENT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/include -I${CMAKE_CURRENT_BINARY_DIR})

# ---- this machine: two compilers, and flags that invite fused multiply-adds
set(support_here support/hosted.cpp)
foreach(target IN ITEMS gnu clang clang_native)
  string(REGEX REPLACE "_.*" "" compiler ${target})
  set(${target}_compile ${LOWBITS_CXX_${compiler}} @${LOWBITS_COMPILE_RSP} ${common})
  set(${target}_link ${LOWBITS_CXX_${compiler}})
  set(${target}_support ${support_here})
  set(${target}_run "")
endforeach()
list(APPEND clang_native_compile -march=native -ffp-contract=fast)

# ---- AArch64 on Linux, as old as it gets; linked statically, so that QEMU needs no libraries
find_program(LOWBITS_AARCH64_CXX aarch64-linux-gnu-g++ REQUIRED)
find_program(LOWBITS_QEMU_AARCH64 qemu-aarch64 REQUIRED)
set(aarch64_compile ${LOWBITS_AARCH64_CXX} ${common} -Wno-psabi -isystem ${CMAKE_CURRENT_BINARY_DIR}/include)
set(aarch64_clang_compile ${LOWBITS_CXX_clang} --target=aarch64-linux-gnu ${common}
  -isystem ${CMAKE_CURRENT_BINARY_DIR}/include)
foreach(target IN ITEMS aarch64 aarch64_clang)
  set(${target}_link ${LOWBITS_AARCH64_CXX} -static)
  set(${target}_support ${support_here})
  set(${target}_run ${LOWBITS_QEMU_AARCH64} -cpu cortex-a53)
endforeach()

# ---- Cortex-M without an operating system
find_program(LOWBITS_ARM_CXX arm-none-eabi-g++ REQUIRED)
find_program(LOWBITS_ARM_SIZE arm-none-eabi-size REQUIRED)
find_program(LOWBITS_ARM_NM arm-none-eabi-nm REQUIRED)
find_program(LOWBITS_ARM_OBJDUMP arm-none-eabi-objdump REQUIRED)
find_program(LOWBITS_ARM_OBJCOPY arm-none-eabi-objcopy REQUIRED)
find_program(LOWBITS_QEMU_ARM qemu-system-arm REQUIRED)
# Helium is compiled by clang: gcc 12's code for it is wrong in places.
find_program(LOWBITS_ARM_CLANG NAMES clang++-21 clang++-20 clang++-19 REQUIRED)

set(bare ${common} -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics
  -ffunction-sections -fdata-sections)
# No C++ library and no system calls are linked: what would need a heap does not link.
set(bare_link -nostdlib -Wl,--gc-sections -T ${CMAKE_CURRENT_SOURCE_DIR}/support/cortex_m.ld
  -Wl,--defsym=STACK_BYTES=0x800)

# cortex_m(<target> <QEMU machine> <flash bytes> <RAM bytes> <flag>...)
macro(cortex_m target machine flash ram)
  set(${target}_compile ${LOWBITS_ARM_CXX} -mthumb ${ARGN} ${bare})
  set(${target}_link ${LOWBITS_ARM_CXX} -mthumb ${ARGN} ${bare_link}
    -Wl,--defsym=FLASH_BYTES=${flash} -Wl,--defsym=RAM_BYTES=${ram})
  set(${target}_libraries -Wl,--start-group -lc_nano -lgcc -Wl,--end-group)
  set(${target}_support support/startup.cpp support/semihosting.cpp)
  set(${target}_run ${LOWBITS_QEMU_ARM} -M ${machine} -nographic -monitor none -serial none
    -semihosting-config enable=on,target=native -kernel)
endmacro()
cortex_m(m0 microbit 0x40000 0x4000 -mcpu=cortex-m0)
cortex_m(m3 mps2-an385 0x400000 0x400000 -mcpu=cortex-m3)
cortex_m(m4 mps2-an386 0x400000 0x400000 -mcpu=cortex-m4 -mfloat-abi=hard)
cortex_m(m55 mps3-an547 0x80000 0x80000 -mcpu=cortex-m55 -mfloat-abi=hard)
# There are no vectors to find on a Cortex-M0, and gcc 12 spends half a minute looking for them.
list(APPEND m0_compile -fno-tree-slp-vectorize)

# clang uses the headers of the Arm gcc, but not gcc's own intrinsics; enums as small as gcc's.
execute_process(COMMAND ${LOWBITS_ARM_CXX} -mcpu=cortex-m55 -mthumb -mfloat-abi=hard -E -v -xc++ /dev/null
  OUTPUT_QUIET ERROR_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "search starts here:\n #include <...>.*|#include <...> search starts here:\n(.*)End of search" said "${said}")
string(REGEX MATCHALL "/[^\n]+" folders "${CMAKE_MATCH_1}")
list(FILTER folders EXCLUDE REGEX "/lib/gcc/[^/]+/[0-9.]+/include(-fixed)?$")
list(TRANSFORM folders PREPEND -isystem)
set(m55_compile ${LOWBITS_ARM_CLANG} --target=arm-none-eabi -mcpu=cortex-m55 -mthumb -mfloat-abi=hard
  -fshort-enums -nostdinc++ ${folders} ${bare})
