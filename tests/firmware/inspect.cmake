# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What firmware contains: no floating point in an inference, no heap, no texts; headers that survive
# the macros of Arduino.h and windows.h. Each check is also shown to fail where it has to.

set(check_float ${python} ${here}/check_no_float.py ${LOWBITS_ARM_NM} ${LOWBITS_ARM_OBJDUMP})
set(check_image ${python} ${here}/check_image.py ${LOWBITS_ARM_NM} ${LOWBITS_ARM_OBJCOPY})
set(m55_check --helium)

foreach(target IN LISTS bare_targets)
  foreach(program IN LISTS programs)
    cross_test(image.${program}.${target} ${check_image} ${${target}_${program}})
  endforeach()
endforeach()

set(network_names picture stem depth logits probabilities)
set(inferences network)
foreach(version IN LISTS digits_versions)
  list(APPEND inferences digits_${version})
  set(digits_${version}_names image stem depth skip logits)
endforeach()
foreach(program IN LISTS inferences)
  foreach(target IN LISTS bare_targets)
    cross_test(no_float.${program}.${target} ${check_float} ${${target}_check}
      ${CMAKE_CURRENT_BINARY_DIR}/${target}/${program}/inference.o)
    set(absent ${${program}_names} "lowbits:" "wrong size" "misaligned")
    list(TRANSFORM absent PREPEND --absent=)
    cross_test(no_texts.${program}.${target} ${check_image} ${${target}_${program}} ${absent})
  endforeach()
endforeach()

# ---- the checks can fail
foreach(target IN ITEMS m0 m4 m55)
  cross_object(object ${target} with_float with_float.cpp)
  add_custom_target(cross.with_float.${target} DEPENDS ${object})
  add_dependencies(cross_tests cross.with_float.${target})
  cross_test(finds_float.${target} ${check_float} ${${target}_check} ${object})
endforeach()
set_tests_properties(cross.finds_float.m0 PROPERTIES PASS_REGULAR_EXPRESSION "calls __aeabi_fmul")
set_tests_properties(cross.finds_float.m4 cross.finds_float.m55 PROPERTIES
  PASS_REGULAR_EXPRESSION "sum_of_squares.*: v(cvt|mul|mla|fma)[a-z]*.f32")

cross_object(object m3 with_heap with_heap.cpp)
cross_program(image m3 with_heap ${object} ${m3_objects})
cross_test(finds_heap ${check_image} ${image} --absent "a text")
set_tests_properties(cross.finds_heap PROPERTIES
  PASS_REGULAR_EXPRESSION "has the symbol malloc.*contains the text 'a text'.* 2 complaints")

# ---- hostile macros: all headers but those of instruction sets, which are chosen by the others
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include
  ${PROJECT_SOURCE_DIR}/include/lowbits/*.hpp)
list(FILTER headers EXCLUDE REGEX "^lowbits/(hosted|arch)/")
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n")
string(JOIN "" headers ${headers})
file(CONFIGURE OUTPUT all_headers.hpp CONTENT "${headers}" @ONLY)
foreach(target IN ITEMS gnu clang m0 m4 m55)
  cross_test(hostile_macros.${target} ${${target}_compile} -DLOWBITS_NO_XSIMD
    -c ${here}/hostile_macros.cpp -o ${CMAKE_CURRENT_BINARY_DIR}/${target}/hostile_macros.o)
endforeach()
