// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What each translation unit reports about itself: how it was compiled, and where its own copies of
// the library's inline functions are.

struct unit_report {
  const char* compiled_for;   ///< what this unit's flags allow
  const char* chosen;         ///< what select_arch() takes
  const void* rescale;        ///< address of an instantiation
  const void* gemm;           ///< and of one in a target region, null where there is none
  int (*run)();               ///< sums what a few kernels give
};

unit_report report_base();
unit_report report_avx2();
unit_report report_avx512();
unit_report report_static();
unit_report report_generic_only();
