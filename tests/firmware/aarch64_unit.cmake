# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The unit tests on AArch64, with little optimisation (compiling them takes longest of all) and none
# for those that read JSON. Those of importers and run-time models stay on the machine that builds: they
# need its libraries.
set(unit_flags -O1 -I${PROJECT_SOURCE_DIR}/tests -DLOWBITS_SHARED_DIR="${LOWBITS_SHARED}"
  -DLOWBITS_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
cross_object(unit_main aarch64 unit ${PROJECT_SOURCE_DIR}/tests/main.cpp ${unit_flags})
foreach(source IN LISTS unit_sources)
  get_filename_component(name ${source} NAME_WE)
  if(name MATCHES "^(import|hosted_runtime|hosted_blob)")
    continue()
  endif()
  set(flags ${unit_flags})
  if(name MATCHES "^(foreign_|ref_tflite_)")
    list(APPEND flags -O0)
  endif()
  cross_object(object aarch64 unit ${source} ${flags})
  cross_program(program aarch64 ${name} ${object} ${unit_main})
  cross_test(unit.${name}.aarch64 ${aarch64_run} ${program})
endforeach()
