// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// MEAN over any axes: they are brought together by a transpose where they are apart, and then are the
// positions of an image.

#include <lowbits/hosted/tflite/moves.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

inline void mean(importer& m) {
  edge x = m.x(0);
  const tensor_shape s = m.graph().desc(x).shape;
  const tensor_desc out = m.desc_of(m.output());
  bool is_reduced[max_rank]{};
  for (const int a : m.integers(m.input(1))) is_reduced[axis_of(m, a, s.rank)] = true;

  int first = s.rank, last = -1, positions = 1;
  for (int a = 0; a < s.rank; ++a)
    if (is_reduced[a]) {
      first = smaller(first, a);
      last = a;
      positions *= s.extent[a];
    }
  bool apart = false;
  for (int a = first; a <= last; ++a) apart = apart || (!is_reduced[a] && s.extent[a] != 1);
  int outer = 1, inner = 1;
  if (apart) {  // kept axes first
    axis_list order;
    for (const bool reduced : {false, true})
      for (int a = 0; a < s.rank; ++a)
        if (is_reduced[a] == reduced) order.value[order.count++] = a;
    x = m.graph().transpose(m.name("transpose"), x, order);
    m.check_graph();
    outer = static_cast<int>(s.count()) / positions;
  } else {
    for (int a = 0; a < s.rank; ++a)
      if (!is_reduced[a]) (a < first ? outer : inner) *= s.extent[a];
  }
  x = m.graph().reshape(m.name("image"), x, {outer, positions, 1, inner});
  m.check_graph();
  x = m.graph().global_mean(m.name("mean"), x, out.kind == element::reals
                                                 ? product_options{}
                                                 : product_options{.out = out.params, .policy = rounding::double_gemmlowp});
  m.check_graph();
  m.define(m.graph().reshape(m.name(), x, list_of(out.shape)));
}

}  // namespace lowbits::tflite
