# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# lowbits::onnx, the importer of .onnx files: exists where protobuf and its compiler are installed. The
# compiler and the library have to be of one version, as a distribution has them.
# Also part of the installed package; LOWBITS_SCHEMAS is the folder of the schemas.
find_program(LOWBITS_PROTOC protoc DOC "Compiler of protobuf schemas")
find_path(LOWBITS_PROTOBUF_INCLUDE google/protobuf/message_lite.h DOC "Headers of protobuf")
find_library(LOWBITS_PROTOBUF_LIBRARY NAMES protobuf-lite protobuf DOC "protobuf, or its lite form")
if(NOT LOWBITS_PROTOC OR NOT LOWBITS_PROTOBUF_INCLUDE OR NOT LOWBITS_PROTOBUF_LIBRARY)
  set(lowbits_missing "protobuf or its compiler is missing: no lowbits::onnx (Debian: libprotobuf-dev, protobuf-compiler)")
  message(STATUS ${lowbits_missing})
  return()
endif()
if(TARGET lowbits_onnx)
  return()
endif()
find_package(Threads REQUIRED)

set(onnx_schema_dir ${CMAKE_CURRENT_BINARY_DIR}/schemas/onnx)
set(onnx_schema ${onnx_schema_dir}/lowbits_schema/onnx.pb)
file(MAKE_DIRECTORY ${onnx_schema_dir}/lowbits_schema)
add_custom_command(OUTPUT ${onnx_schema}.h ${onnx_schema}.cc
  COMMAND ${LOWBITS_PROTOC} --cpp_out=${onnx_schema_dir}/lowbits_schema --proto_path=${LOWBITS_SCHEMAS} ${LOWBITS_SCHEMAS}/onnx.proto
  DEPENDS ${LOWBITS_SCHEMAS}/onnx.proto
  COMMENT "Reading the schema of .onnx files" VERBATIM)

add_library(lowbits_onnx_schema STATIC EXCLUDE_FROM_ALL ${onnx_schema}.cc ${onnx_schema}.h)
target_include_directories(lowbits_onnx_schema SYSTEM PUBLIC ${onnx_schema_dir})
if(NOT LOWBITS_PROTOBUF_INCLUDE IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  target_include_directories(lowbits_onnx_schema SYSTEM PUBLIC ${LOWBITS_PROTOBUF_INCLUDE})
endif()
target_link_libraries(lowbits_onnx_schema PUBLIC ${LOWBITS_PROTOBUF_LIBRARY} Threads::Threads)

add_library(lowbits_onnx INTERFACE)
add_library(lowbits::onnx ALIAS lowbits_onnx)
target_link_libraries(lowbits_onnx INTERFACE lowbits::lowbits lowbits_onnx_schema)
