// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Rows of floats to codes with parameters found from each row, on an architecture. Gives the bytes and
// the parameters of ref/dynamic_quantize.hpp.

#include <lowbits/kernel/eltwise.hpp>
#include <lowbits/ref/dynamic_quantize.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// q[r][i] = the code of x[r][i] under params[r], the dynamic parameters of row r; rows lie one behind
/// the other.
template <class Arch, quantized_type Q = u8>
void dynamic_quantize(int rows, size_t columns, const float* x, affine* params, typename Q::storage* q) noexcept {
  if constexpr (sizeof(typename Q::storage) == 1 && has_prim<prims::finite_range, Arch> && has_prim<prims::quantize, Arch>) {
    const auto row = [=](int r) { return x + static_cast<size_t>(r) * columns; };
    const auto codes = [=](int r) { return q + static_cast<size_t>(r) * columns; };
    const auto stage = [=](int r) { return code_stage{params[r].zero_point, Q::lowest, Q::highest}; };
    float ends[2];
    // Ranges are found while earlier rows become codes: the one waits for the L2 cache, the other does not.
    // Of short rows two are on the way, since the divisions between range and codes take as long as a row.
    const int ahead = smaller(columns <= 1024 ? 2 : 1, rows);
    for (int r = 0; r < rows + ahead; ++r) {
      const int from = r - ahead;  // row r's range, row from's codes
      if (from < 0) {
        best_prim<prims::finite_range, Arch>::run(columns, row(r), ends);
      } else if (r >= rows) {
        best_prim<prims::quantize, Arch>::run(columns, row(from), params[from].scale, stage(from), codes(from));
        continue;
      } else if constexpr (has_prim<prims::quantize_and_range, Arch>) {
        best_prim<prims::quantize_and_range, Arch>::run(columns, row(from), params[from].scale, stage(from), codes(from), row(r), ends);
      } else {
        best_prim<prims::quantize, Arch>::run(columns, row(from), params[from].scale, stage(from), codes(from));
        best_prim<prims::finite_range, Arch>::run(columns, row(r), ends);
      }
      params[r] = ref::dynamic_parameters<Q>(ends[0], ends[1]);
    }
  } else {
    for (int r = 0; r < rows; ++r, x += columns, q += columns) params[r] = ref::dynamic_quantize<Q>(columns, x, q);
  }
}

}  // namespace lowbits::kernel
