# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Headers of this machine that other targets may use as well: doctest, nlohmann/json, xsimd. They are
# linked into a folder of their own, because /usr/include also has the headers of this machine's C
# library.

# link_headers(<name> <CMake target> <header>)
function(link_headers name target header)
  get_target_property(aliased ${target} ALIASED_TARGET)
  if(aliased)
    set(target ${aliased})
  endif()
  get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
  string(REGEX REPLACE "\\$<(BUILD_INTERFACE|INSTALL_INTERFACE):([^>]*)>" "\\2" folders "${folders}")
  find_path(LOWBITS_CROSS_${name} ${header} HINTS ${folders} ${${name}_SOURCE_DIR} NO_CACHE REQUIRED)
  get_filename_component(folder ${header} DIRECTORY)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/include)
  file(CREATE_LINK ${LOWBITS_CROSS_${name}}/${folder} ${CMAKE_CURRENT_BINARY_DIR}/include/${folder} SYMBOLIC)
endfunction()

link_headers(doctest doctest::doctest doctest/doctest.h)
link_headers(nlohmann_json nlohmann_json::nlohmann_json nlohmann/json.hpp)
if(NOT LOWBITS_NO_XSIMD)
  link_headers(xsimd xsimd xsimd/xsimd.hpp)
endif()
