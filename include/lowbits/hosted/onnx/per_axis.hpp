// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// QuantizeLinear and DequantizeLinear of activations with a scale per index of an axis, or per block of
// them: custom nodes, since tensors of the graph have one scale. Their codes are given out as they are,
// with scale 1.

#include <lowbits/hosted/onnx/codes.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

inline edge per_axis_node(importer& m, edge x, const shape_list& shape, const std::vector<float>& scales, const std::vector<int>& zeros, int axis,
                          int block, bool to_codes, int type) {
  std::vector<int32_t> zero_points;
  for (const int z : zeros) zero_points.push_back(z + inner_offset(type));
  const auto* const user = m.keep(std::vector<imported::axis_scales>{
      {m.keep(scales), m.keep(zero_points), scales.size(), scale_index_of(shape, axis, block)}});
  tensor_desc out{.shape = extents_of(shape)};
  if (to_codes) out.format = inner_format(type);
  else out.kind = element::reals;
  return m.graph().custom(m.name(), x,
                          {.run = to_codes ? imported::quantize_per_axis : imported::dequantize_per_axis, .out = out, .user = user,
                           .user_bytes = scales.size() * 8});
}

}  // namespace lowbits::onnx
