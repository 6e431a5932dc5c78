// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// AVERAGE_POOL_2D, MAX_POOL_2D, SOFTMAX.

#include <lowbits/hosted/tflite/linear.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

inline void pool2d(importer& m, bool take_largest) {
  const auto& f = m.options<schema::Pool2DOptions>();
  check_rank(m, m.input(0), 4);
  const pool_options o{.kernel = {f.filter_height(), f.filter_width()},
                       .stride = {f.stride_h(), f.stride_w()},
                       .pad = padding_of(m, f.padding()),
                       .fused = fused_of(m, f.fused_activation_function())};
  const edge x = m.x(0);
  m.define(take_largest ? m.graph().max_pool(m.name(), x, o) : m.graph().average_pool(m.name(), x, o));
}

inline void softmax(importer& m) {
  const auto& f = m.options<schema::SoftmaxOptions>();
  const edge x = m.x(0);
  const tensor_desc out = m.desc_of(m.output());
  softmax_options o{.beta = f.beta()};
  if (out.kind == element::codes) o.out_format = out.format;
  m.define(m.graph().softmax(m.name(), x, o));
}

}  // namespace lowbits::tflite
