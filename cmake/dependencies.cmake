# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Installed packages win; what is missing is fetched from its repository. scripts/setup.sh puts what
# the distribution lacks below build/deps, which is searched first.
include(FetchContent)

set(LOWBITS_DEPS ${PROJECT_SOURCE_DIR}/build/deps/prefix CACHE PATH
    "Unpacked packages to search before the system's")
if(IS_DIRECTORY ${LOWBITS_DEPS}/usr)
  list(PREPEND CMAKE_PREFIX_PATH ${LOWBITS_DEPS}/usr)
endif()

# A fetched dependency's headers are not ours to fix: no warnings from them.
function(lowbits_mark_system target)
  if(TARGET ${target})
    get_target_property(aliased ${target} ALIASED_TARGET)
    if(aliased)
      set(target ${aliased})
    endif()
    get_target_property(directories ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(directories)
      set_target_properties(${target} PROPERTIES
        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${directories}")
    endif()
  endif()
endfunction()

# xsimd's package accepts only its own major version, so each one is asked for by name.
macro(lowbits_require_xsimd)
  foreach(major IN ITEMS 14 13)
    if(NOT TARGET xsimd)
      find_package(xsimd ${major} QUIET CONFIG)
    endif()
  endforeach()
  if(NOT TARGET xsimd)
    FetchContent_Declare(xsimd
      GIT_REPOSITORY https://github.com/xtensor-stack/xsimd.git
      GIT_TAG 13.2.0
      GIT_SHALLOW ON
      FIND_PACKAGE_ARGS 13 CONFIG)
    message(STATUS "xsimd 13 or newer is not installed: fetching it "
                   "(scripts/test installs it; -DLOWBITS_NO_XSIMD=ON goes without)")
    FetchContent_MakeAvailable(xsimd)
    lowbits_mark_system(xsimd)
  endif()
endmacro()

macro(lowbits_require_doctest)
  FetchContent_Declare(doctest
    GIT_REPOSITORY https://github.com/doctest/doctest.git
    GIT_TAG v2.4.11
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 2.4)
  set(DOCTEST_WITH_TESTS OFF CACHE INTERNAL "")
  set(DOCTEST_NO_INSTALL ON CACHE INTERNAL "")
  FetchContent_MakeAvailable(doctest)
  lowbits_mark_system(doctest)
endmacro()

macro(lowbits_require_json)
  FetchContent_Declare(nlohmann_json
    GIT_REPOSITORY https://github.com/nlohmann/json.git
    GIT_TAG v3.11.3
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 3.10)
  set(JSON_BuildTests OFF CACHE INTERNAL "")
  set(JSON_Install OFF CACHE INTERNAL "")
  FetchContent_MakeAvailable(nlohmann_json)
  lowbits_mark_system(nlohmann_json)
endmacro()

macro(lowbits_require_benchmark)
  FetchContent_Declare(benchmark
    GIT_REPOSITORY https://github.com/google/benchmark.git
    GIT_TAG v1.8.3
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS)
  set(BENCHMARK_ENABLE_TESTING OFF CACHE INTERNAL "")
  set(BENCHMARK_ENABLE_INSTALL OFF CACHE INTERNAL "")
  FetchContent_MakeAvailable(benchmark)
  lowbits_mark_system(benchmark)
endmacro()

macro(lowbits_require_cli11)
  FetchContent_Declare(CLI11
    GIT_REPOSITORY https://github.com/CLIUtils/CLI11.git
    GIT_TAG v2.1.2
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 2.1)
  set(CLI11_BUILD_TESTS OFF CACHE INTERNAL "")
  set(CLI11_BUILD_EXAMPLES OFF CACHE INTERNAL "")
  set(CLI11_BUILD_DOCS OFF CACHE INTERNAL "")
  set(CLI11_INSTALL OFF CACHE INTERNAL "")
  FetchContent_MakeAvailable(CLI11)
  lowbits_mark_system(CLI11::CLI11)
endmacro()
