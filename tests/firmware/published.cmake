# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Published .tflite models, imported and emitted: each layer must have the recorded bytes here and on
# microcontrollers, and flash and RAM must stay within what CMSIS-NN called directly takes
# (Cortex-M4, g++ 12).
if(NOT TARGET lowbits::tflite OR NOT IS_DIRECTORY "${LOWBITS_SHARED}/data/golden")
  message(STATUS "No importer, or no recorded layers: published models are not tested")
  return()
endif()

add_executable(emit_published emit_published.cpp)
target_link_libraries(emit_published PRIVATE lowbits::tflite lowbits_test_options)
target_include_directories(emit_published PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_options(emit_published PRIVATE -O0)
set(published ${CMAKE_CURRENT_BINARY_DIR}/published)
file(MAKE_DIRECTORY ${published})

# flash and RAM, bytes
set(kws_budget 56584 16256)
set(resnet_budget 105248 51456)
set(ad_budget 279152 768)
foreach(name IN ITEMS kws resnet ad)
  set(made ${published}/${name}.hpp ${published}/${name}_samples.hpp ${published}/${name}.golden.txt)
  add_custom_command(OUTPUT ${made}
    COMMAND emit_published ${LOWBITS_SHARED}/data/golden ${name} ${published}
    DEPENDS emit_published COMMENT "Emitting ${name}" VERBATIM)
  add_custom_target(published_${name} DEPENDS ${made})
  set(${name}_needs published_${name})
  foreach(target IN ITEMS gnu clang_native m4 m55)
    set(objects "")
    foreach(source IN ITEMS published.cpp inference.cpp)
      cross_object(object ${target} ${name} ${source} ${no_texts} [[-DFIRMWARE_MODEL="published_model.hpp"]]
        -DPUBLISHED_HEADER="${published}/${name}.hpp" -DPUBLISHED_SAMPLES="${published}/${name}_samples.hpp")
      set_property(SOURCE ${object} APPEND PROPERTY OBJECT_DEPENDS ${made})
      list(APPEND objects ${object})
    endforeach()
    cross_program(program ${target} ${name} ${objects} ${${target}_objects})
    cross_test(published_${name}.${target} ${python} ${here}/same_output.py
      ${published}/${name}.golden.txt ${${target}_run} ${program})
  endforeach()
  cross_test(published_${name}.budget ${python} ${here}/check_budget.py ${LOWBITS_ARM_SIZE}
    ${CMAKE_CURRENT_BINARY_DIR}/m4/${name}/inference.o ${${name}_budget})
  foreach(target IN ITEMS m4 m55)
    cross_test(no_float.${name}.${target} ${check_float} ${${target}_check}
      ${CMAKE_CURRENT_BINARY_DIR}/${target}/${name}/inference.o)
  endforeach()
endforeach()
