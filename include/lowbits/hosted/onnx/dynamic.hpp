// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// DynamicQuantizeLinear and what is computed from its results.

#include <lowbits/hosted/onnx/product.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

struct dynamic_value {};

inline void make_dynamic(importer& m, value&) { m.fail("dynamic", "no"); }
inline bool dynamic_pair(importer&, op_kind, value&, value&) { return false; }

}  // namespace lowbits::onnx
