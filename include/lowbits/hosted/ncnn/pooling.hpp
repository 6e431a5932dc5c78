// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Pooling and Softmax.

#include <lowbits/hosted/ncnn/moves.hpp>
#include <lowbits/hosted/ncnn/products.hpp>
#include <lowbits/ref/shape_ops.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// What Pooling's pad_mode says: full (rounded up), valid (rounded down), SAME with more behind or in
/// front.
enum pool_pads : int { pads_full, pads_valid, pads_same_upper, pads_same_lower };

inline void define_pool(importer& m, edge e, real_pool d, int out_h, int out_w) {
  const tensor_shape in = m.desc(e).shape;
  d.shape.in_h = in.extent[0];
  d.shape.in_w = in.extent[1];
  d.shape.channels = in.extent[2];
  d.shape.out_h = out_h;
  d.shape.out_w = out_w;
  m.define(m.image_value(m.custom({}, {e}, {.shape = {3, {out_h, out_w, in.extent[2]}}, .kind = element::reals}, d)));
}

inline void pooling(importer& m) {
  m.require_counts(1, 1);
  value& x = m.x();
  m.require_reals(x);
  m.is_real();
  const int kind = m.integer(0, 0);
  m.require(kind == 0 || kind == 1, joined("the kind ", kind, " is unknown"), "use 0 (maximum) or 1 (mean)");
  real_pool d{.is_max = kind == 0};
  const edge e = m.image(x);
  const tensor_shape in = m.desc(e).shape;
  const int h = in.extent[0], w = in.extent[1];

  if (m.integer(4, 0) != 0) {  // one number for each channel
    d.is_adaptive = true;
    d.shape = {1, h, w, in.extent[2], 1, 1, {}};
    const tensor_desc out{.shape = {1, {in.extent[2]}}, .kind = element::reals};
    return m.define(importer::planar_value(out.shape, m.custom({}, {e}, out, d)));
  }
  if (m.integer(7, 0) != 0) {
    int out_w = m.integer(8, 0), out_h = m.integer(18, out_w);
    if (out_w == -233) out_w = w;
    if (out_h == -233) out_h = h;
    m.require(infer::is_small(out_w, 1) && infer::is_small(out_h, 1), "the output's extents are not in 1 to 32767");
    d.is_adaptive = true;
    return define_pool(m, e, d, out_h, out_w);
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
  d.counts_padding = m.integer(6, 0) != 0;
  if (mode == pads_same_upper || mode == pads_same_lower) {
    m.require((pad.top | pad.bottom | pad.left | pad.right) == 0, "there are pads besides SAME", "leave them at 0");
    std::tie(pad.top, pad.bottom) = same_pads(m, h, p.kernel.h, p.stride.h, 1, mode == pads_same_lower);
    std::tie(pad.left, pad.right) = same_pads(m, w, p.kernel.w, p.stride.w, 1, mode == pads_same_lower);
    d.counts_padding = true;  // as ncnn does, whatever parameter 6 says
  } else if (mode == pads_full) {
    const auto tail = [](int64_t in_extent, int kernel, int stride) {
      const int64_t rest = (in_extent - kernel) % stride;
      return rest > 0 ? static_cast<int>(stride - rest) : 0;
    };
    pad.bottom += tail(int64_t{h} + pad.top + pad.bottom, p.kernel.h, p.stride.h);
    pad.right += tail(int64_t{w} + pad.left + pad.right, p.kernel.w, p.stride.w);
  }
  infer::verdict v;
  const image_extents out = infer::fit_image({1, h, w, in.extent[2]}, p.kernel, p.stride, 1, pad, d.shape.window, v);
  m.check(v);
  const window2d& t = d.shape.window;
  m.require(t.pad_top < t.kernel_h && t.pad_left < t.kernel_w && (out.h - 1) * t.stride_h - t.pad_top < h &&
                (out.w - 1) * t.stride_w - t.pad_left < w,
            "a pooling window lies wholly in the padding", "pad less");
  define_pool(m, e, d, out.h, out.w);
}

inline void softmax(importer& m) {
  m.require_counts(1, 1);
  value& x = m.x();
  m.require_reals(x);
  const int axis = axis_of(m, m.integer(0, 0), x.shape.rank);
  m.require(m.integer(0, 0) == 0 || m.integer(1, 0) != 0, "the axis is counted as very old files do",
            "convert the model with a newer ncnn");
  m.is_real();
  const bool is_image = x.image.node >= 0;
  const edge e = is_image ? x.image : x.planar;
  const tensor_shape s = m.desc(e).shape;
  const int at = is_image ? image_axis(axis) : axis;
  const real_softmax d{static_cast<size_t>(ref::outer_extent(s, at)), static_cast<size_t>(s.extent[at]),
                       static_cast<size_t>(ref::inner_extent(s, at))};
  const edge y = m.custom({}, {e}, m.desc(e), d);
  m.define(is_image ? m.image_value(y) : importer::planar_value(x.shape, y));
}

}  // namespace lowbits::ncnn
