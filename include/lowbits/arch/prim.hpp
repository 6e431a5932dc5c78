// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The primitives a processor may offer: what each one computes, exactly. arch/<isa>.hpp holds
// prim<prims::name, arch::tag>; kernel/prims.inc lists them. Everything else is written once, over
// these. Primitives see raw integers and pointers only. `Code` is int8_t or uint8_t. Nothing outside
// the stated ranges is read or written, and no pointer needs an alignment beyond its type's.

#include <lowbits/core/arch.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The primitive Op on Arch; defined for the pairs listed in the table.
template <class Op, class Arch>
struct prim;

/// How a product with a fixed multiplier (mantissa, exponent) is rounded:
///   once   floor(x * mantissa * 2^(exponent - 31) + 1/2)               as round_single
///   twice  the high product, then the shift, each rounded              as round_double_gemmlowp
enum class rescale_rule : uint8_t { once, twice };

/// Factors of output columns: pairs of int32_t (mantissa, exponent), one per column or one for all.
struct column_factors {
  const void* pairs;
  bool per_column;
};

/// code = clamp(rescaled, lowest - zero_point, highest - zero_point) + zero_point.
struct code_stage {
  int zero_point;
  int lowest;
  int highest;
};

namespace prims {

/// A tile of a product of codes and 8-bit weights. Code rows are first brought into a work area as
/// `element`s:
///   fetch(x, n, to)           to[i] = x[i] + shift<Code>
///   run(m, n, steps, x, stride, w, start, acc)
///       acc[r * n + c] = start[c] + sum over k of x[r * stride + k] * weight(k, c)
/// in 32 bits, wrapping. 1 <= m <= rows; n is a multiple of col_step up to cols; 0 <= k < steps *
/// depth_step; weight(k, c) is w[(k / depth_step * n + c) * depth_step + k % depth_step].
struct gemm {};

/// A matrix of accumulators to 8-bit codes:
///   run<Rule>(rows, cols, acc, acc_stride, factors, stage, y, y_stride)
///       y[r * y_stride + c] = stage(rescaled(acc[r * acc_stride + c], factor of column c))
/// Mantissas are 0 or in [2^30, 2^31), exponents in [-31, 30].
struct requantize {};

}  // namespace prims

}  // namespace lowbits
