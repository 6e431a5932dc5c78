# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# lowbits::tflite, the importer of .tflite files: exists where flatbuffers and its compiler are
# installed. The compiler and the headers have to be of one version, as a distribution has them.
# Also part of the installed package; LOWBITS_SCHEMAS is the folder of the schemas.
find_program(LOWBITS_FLATC flatc DOC "Compiler of flatbuffers schemas")
find_path(LOWBITS_FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h DOC "Headers of flatbuffers")
if(NOT LOWBITS_FLATC OR NOT LOWBITS_FLATBUFFERS_INCLUDE)
  set(lowbits_missing "flatbuffers or its compiler is missing: no lowbits::tflite (Debian: libflatbuffers-dev, flatbuffers-compiler)")
  message(STATUS ${lowbits_missing})
  return()
endif()
if(TARGET lowbits_tflite)
  return()
endif()

set(schema_dir ${CMAKE_CURRENT_BINARY_DIR}/schemas)
set(tflite_schema ${schema_dir}/lowbits_schema/tflite_generated.h)
add_custom_command(OUTPUT ${tflite_schema}
  COMMAND ${LOWBITS_FLATC} --cpp --scoped-enums -o ${schema_dir}/lowbits_schema ${LOWBITS_SCHEMAS}/tflite.fbs
  DEPENDS ${LOWBITS_SCHEMAS}/tflite.fbs
  COMMENT "Reading the schema of .tflite files" VERBATIM)
add_custom_target(lowbits_tflite_schema ALL DEPENDS ${tflite_schema})

add_library(lowbits_tflite INTERFACE)
add_library(lowbits::tflite ALIAS lowbits_tflite)
target_link_libraries(lowbits_tflite INTERFACE lowbits::lowbits)
target_include_directories(lowbits_tflite SYSTEM INTERFACE ${schema_dir})
if(NOT LOWBITS_FLATBUFFERS_INCLUDE IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  target_include_directories(lowbits_tflite SYSTEM INTERFACE ${LOWBITS_FLATBUFFERS_INCLUDE})
endif()
add_dependencies(lowbits_tflite lowbits_tflite_schema)
