# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   lowbits_add_model(<target> <model> [NAMESPACE <name>] [ARCH <name>] [SHAPE <name=extents>...]
#                     [BLOB <file>] [C_API] [INTEGER_ONLY])
#
# The model, a .tflite, .onnx or .param file, becomes <model's name>.hpp whenever it has changed, and
# <target> finds that header by #include "<model's name>.hpp". ARCH is the architecture of the target
# whose layout the weights are written in. SHAPE gives extents that the file leaves open. BLOB writes the
# weights into a file, relative to the current binary folder. C_API adds <model's name>.h for C, and its
# source to the target. The program `lowbits` is the one of this build, or else
# LOWBITS_TOOL, or the installed one; it runs on the machine that builds.
function(lowbits_add_model target model)
  cmake_parse_arguments(PARSE_ARGV 2 arg "INTEGER_ONLY;C_API" "NAMESPACE;ARCH;BLOB" "SHAPE")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "lowbits: lowbits_add_model: '${arg_UNPARSED_ARGUMENTS}' is not an argument; "
                        "use NAMESPACE, ARCH, SHAPE, BLOB, C_API or INTEGER_ONLY")
  endif()
  if(NOT TARGET ${target})
    message(FATAL_ERROR "lowbits: lowbits_add_model: '${target}' is not a target; add it first")
  endif()
  cmake_path(ABSOLUTE_PATH model BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE OUTPUT_VARIABLE file)
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "lowbits: lowbits_add_model: ${file} does not exist; check the path")
  endif()

  set(tool lowbits_tool)
  if(NOT TARGET lowbits_tool OR CMAKE_CROSSCOMPILING)
    find_program(LOWBITS_TOOL lowbits HINTS ${LOWBITS_TOOL_HINT} NO_CMAKE_FIND_ROOT_PATH
      DOC "The program that makes headers of models")
    if(NOT LOWBITS_TOOL)
      message(FATAL_ERROR "lowbits: lowbits_add_model: the program lowbits is not there; install it, set LOWBITS_TOOL "
                          "to its path, or set LOWBITS_BUILD_TOOLS where the library is a subdirectory")
    endif()
    set(tool ${LOWBITS_TOOL})
  endif()

  cmake_path(GET file STEM LAST_ONLY name)
  set(depends ${file})
  if(file MATCHES "\\.param(\\.bin)?$")
    string(REGEX REPLACE "\\.param(\\.bin)?$" "" stem ${file})
    cmake_path(GET stem FILENAME name)
    list(APPEND depends ${stem}.bin)
  endif()
  set(options "")
  if(arg_NAMESPACE)
    list(APPEND options --namespace ${arg_NAMESPACE})
  endif()
  if(arg_ARCH)
    list(APPEND options --arch ${arg_ARCH})
  endif()
  if(arg_INTEGER_ONLY)
    list(APPEND options --integer-only)
  endif()
  foreach(shape IN LISTS arg_SHAPE)
    list(APPEND options --shape ${shape})
  endforeach()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/lowbits_models/${target})
  file(MAKE_DIRECTORY ${folder})
  set(made ${folder}/${name}.hpp)
  if(arg_C_API)
    list(APPEND options --c-api)
    list(APPEND made ${folder}/${name}.h ${folder}/${name}.cpp)
  endif()
  if(arg_BLOB)
    cmake_path(ABSOLUTE_PATH arg_BLOB BASE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} NORMALIZE OUTPUT_VARIABLE blob)
    list(APPEND options --blob ${blob})
    list(APPEND made ${blob})
  endif()
  add_custom_command(OUTPUT ${made}
    COMMAND ${tool} emit ${file} -o ${folder}/${name}.hpp ${options}
    DEPENDS ${depends} ${tool}
    COMMENT "Making ${name}.hpp of ${model}" VERBATIM)
  set(scope PRIVATE)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set(scope INTERFACE)
  endif()
  target_sources(${target} ${scope} ${made})
  target_include_directories(${target} ${scope} ${folder})
endfunction()
