// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// QuantizeLinear and DequantizeLinear of activations with a scale per index of an axis, or per block of
// them: nodes of the run-time model's user, since tensors of the graph have one scale. Their codes are
// given out as they are, with scale 1.

#include <lowbits/hosted/onnx/codes.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

struct per_axis_data {
  const float* scales = nullptr;
  const int* zeros = nullptr;
  scale_index at{};
  size_t count = 0;
  qformat format{};
};

template <class T, bool ToCodes>
void run_per_axis(const custom_call& c) noexcept {
  const auto& d = *static_cast<const per_axis_data*>(c.user);
  for (size_t i = 0; i < d.count; ++i) {
    const size_t s = d.at(i);
    const affine p{d.scales[s], d.zeros[s]};
    if constexpr (ToCodes) static_cast<T*>(c.out)[i] = static_cast<T>(code_of(static_cast<const float*>(c.in[0])[i], d.format, p));
    else static_cast<float*>(c.out)[i] = real_of(static_cast<const T*>(c.in[0])[i], p);
  }
}

inline custom_run per_axis_run(const qformat& f, bool to_codes) noexcept {
  if (f.bits <= 8 && f.is_signed) return to_codes ? &run_per_axis<int8_t, true> : &run_per_axis<int8_t, false>;
  if (f.bits <= 8) return to_codes ? &run_per_axis<uint8_t, true> : &run_per_axis<uint8_t, false>;
  return to_codes ? &run_per_axis<int16_t, true> : &run_per_axis<int16_t, false>;
}

inline edge per_axis_node(importer& m, edge x, const shape_list& shape, const std::vector<float>& scales, std::vector<int> zeros, int axis,
                          int block, bool to_codes, int type) {
  for (int& z : zeros) z += inner_offset(type);
  const per_axis_data d{m.keep(scales), m.keep(zeros), scale_index::of(shape, axis, block), count_of(shape), inner_format(type)};
  tensor_desc out{.shape = extents_of(shape)};
  if (to_codes) out.format = d.format;
  else out.kind = element::reals;
  const custom_run run = per_axis_run(d.format, to_codes);
  const auto* const user = m.keep(std::vector<per_axis_data>{d});
  return m.graph().custom(m.name(), x, {.run = run, .out = out, .user = user, .user_bytes = scales.size() * 8});
}

}  // namespace lowbits::onnx
