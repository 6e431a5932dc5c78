// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Pooling and Softmax.

#include <lowbits/hosted/ncnn/moves.hpp>
#include <lowbits/hosted/ncnn/products.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// What Pooling's pad_mode says: full (rounded up), valid (rounded down), SAME with more behind or in
/// front.
enum pool_pads : int { pads_full, pads_valid, pads_same_upper, pads_same_lower };

/// One window after the other covers the input, or windows of different sizes do.
inline edge adaptive_nodes(importer& m, edge e, bool is_max, int out_h, int out_w) {
  const tensor_shape in = m.desc(e).shape;
  const int h = in.extent[0], w = in.extent[1];
  if (h % out_h == 0 && w % out_w == 0 && infer::is_small(h / out_h, 1) && infer::is_small(w / out_w, 1)) {
    const extent2d step(h / out_h, w / out_w);
    const pool_options o{.kernel = step, .stride = step};
    return m.checked(is_max ? m.graph().max_pool(m.name(), e, o) : m.graph().average_pool(m.name(), e, o));
  }
  return m.custom({}, {e}, {.shape = {3, {out_h, out_w, in.extent[2]}}, .kind = element::reals},
                  is_max ? imported::adaptive_max_pool : imported::adaptive_mean_pool);
}

inline void pooling(importer& m) {
  m.require_counts(1, 1);
  value& x = m.x();
  m.require_reals(x);
  m.is_real();
  const int kind = m.integer(0, 0);
  m.require(kind == 0 || kind == 1, joined("the kind ", kind, " is unknown"), "use 0 (maximum) or 1 (mean)");
  const bool is_max = kind == 0;
  const edge e = m.image(x);
  const tensor_shape in = m.desc(e).shape;
  const int h = in.extent[0], w = in.extent[1];

  if (m.integer(4, 0) != 0) {  // one number for each channel
    const tensor_shape out{1, {in.extent[2]}};
    const edge y = is_max ? m.reshaped(adaptive_nodes(m, e, true, 1, 1), out, "vector")
                          : m.checked(m.graph().global_mean(m.name(), e, {}));
    return m.define(importer::planar_value(out, y));
  }
  if (m.integer(7, 0) != 0) {
    int out_w = m.integer(8, 0), out_h = m.integer(18, out_w);
    if (out_w == -233) out_w = w;
    if (out_h == -233) out_h = h;
    m.require(infer::is_small(out_w, 1) && infer::is_small(out_h, 1), "the output's extents are not in 1 to 32767");
    return m.define(m.image_value(adaptive_nodes(m, e, is_max, out_h, out_w)));
  }

  window_params p;
  p.kernel = {m.integer(11, m.integer(1, 0)), m.integer(1, 0)};
  p.stride = {m.integer(12, m.integer(2, 1)), m.integer(2, 1)};
  check_window(m, p);
  padding& pad = p.pad;
  pad.left = m.integer(3, 0);
  pad.right = m.integer(14, pad.left);
  pad.top = m.integer(13, pad.left);
  pad.bottom = m.integer(15, pad.top);
  m.require(infer::is_small(pad.top, 0) && infer::is_small(pad.bottom, 0) && infer::is_small(pad.left, 0) &&
                infer::is_small(pad.right, 0),
            "a pad is not in 0 to 32767");
  const int mode = m.integer(5, 0);
  m.require(mode >= pads_full && mode <= pads_same_lower, joined("the pad mode ", mode, " is unknown"), "use 0 to 3");
  bool counts_padding = m.integer(6, 0) != 0;
  if (mode == pads_same_upper || mode == pads_same_lower) {
    m.require((pad.top | pad.bottom | pad.left | pad.right) == 0, "there are pads besides SAME", "leave them at 0");
    std::tie(pad.top, pad.bottom) = same_pads(m, h, p.kernel.h, p.stride.h, 1, mode == pads_same_lower);
    std::tie(pad.left, pad.right) = same_pads(m, w, p.kernel.w, p.stride.w, 1, mode == pads_same_lower);
    counts_padding = true;  // as ncnn does, whatever parameter 6 says
  } else if (mode == pads_full) {
    const auto tail = [](int64_t in_extent, int kernel, int stride) {
      const int64_t rest = (in_extent - kernel) % stride;
      return rest > 0 ? static_cast<int>(stride - rest) : 0;
    };
    pad.bottom += tail(int64_t{h} + pad.top + pad.bottom, p.kernel.h, p.stride.h);
    pad.right += tail(int64_t{w} + pad.left + pad.right, p.kernel.w, p.stride.w);
  }
  edge x_padded = e;
  if (!is_max && counts_padding && (pad.top | pad.bottom | pad.left | pad.right) != 0)
    x_padded = padded_with(m, e, pad, 0, false);
  const pool_options o{.kernel = p.kernel, .stride = p.stride, .pad = pad};
  m.define(m.image_value(m.checked(is_max ? m.graph().max_pool(m.name(), x_padded, o)
                                          : m.graph().average_pool(m.name(), x_padded, o))));
}

inline void softmax(importer& m) {
  m.require_counts(1, 1);
  value& x = m.x();
  m.require_reals(x);
  const int axis = axis_of(m, m.integer(0, 0), x.shape.rank);
  m.require(m.integer(0, 0) == 0 || m.integer(1, 0) != 0, "the axis is counted as very old files do",
            "convert the model with a newer ncnn");
  m.is_real();
  const auto over_last = [&](edge e) { return m.checked(m.graph().softmax(m.name(), e)); };
  if (x.image.node >= 0 && axis == 0) return m.define(m.image_value(over_last(x.image)));
  const edge e = m.planar(x);
  const int rank = x.shape.rank;
  if (axis == rank - 1) return m.define(importer::planar_value(x.shape, over_last(e)));
  // The axis goes to the end and back.
  axis_list there, back;
  tensor_shape moved{rank, {}};
  there.count = back.count = rank;
  for (int a = 0; a < rank; ++a) {
    const int to = a < axis ? a : a == axis ? rank - 1 : a - 1;
    there.value[to] = a;
    back.value[a] = to;
    moved.extent[to] = x.shape.extent[a];
  }
  const edge y = m.checked(m.graph().softmax(m.name("turned"), m.transposed(e, moved, there, "turn")));
  m.define(importer::planar_value(x.shape, m.transposed(y, x.shape, back, {})));
}

}  // namespace lowbits::ncnn
