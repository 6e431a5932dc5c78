# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# lowbits::runtime, what hosted/runtime_model.hpp needs linked. The installed package has its source:
# names of the library say which options they are compiled with, so it is compiled with the project that
# uses it. LOWBITS_RUNTIME is its folder.
if(TARGET lowbits_runtime)
  return()
endif()
add_library(lowbits_runtime STATIC EXCLUDE_FROM_ALL ${LOWBITS_RUNTIME}/runtime_steps.cpp)
add_library(lowbits::runtime ALIAS lowbits_runtime)
target_link_libraries(lowbits_runtime PUBLIC lowbits::lowbits)
