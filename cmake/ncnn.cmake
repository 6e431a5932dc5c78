# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# lowbits::ncnn, the importer of ncnn models. It needs no library; the target exists so that all
# importers are linked alike. Also part of the installed package.
if(TARGET lowbits_ncnn)
  return()
endif()
add_library(lowbits_ncnn INTERFACE)
add_library(lowbits::ncnn ALIAS lowbits_ncnn)
target_link_libraries(lowbits_ncnn INTERFACE lowbits::lowbits)
