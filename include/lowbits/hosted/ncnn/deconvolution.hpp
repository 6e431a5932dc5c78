// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Deconvolution and DeconvolutionDepthWise.

#include <lowbits/hosted/ncnn/products.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// One axis of a transposed convolution: what is cut off the kernels' reach in front and behind it.
struct deconvolution_axis {
  int kernel = 1;  ///< with the zeros of a dilation, and of rows behind the reach
  int before = 0, after = 0;
};

/// The graph's transposed convolution has neither dilation nor groups: its kernels get zeros in between,
/// and for the channels of other groups.
inline std::vector<float> spread_kernels(importer& m, const std::vector<float>& w, int out_c, int in_c, int groups,
                                         const extent2d& kernel, const extent2d& dilation, const extent2d& spread) {
  const int64_t count = int64_t{out_c} * in_c, taps = int64_t{spread.h} * spread.w;
  m.require(m.may_add(count, taps), "the kernels are too large when their dilation and groups are written out",
            "use a smaller dilation or fewer channels");
  std::vector<float> v(static_cast<size_t>(count * taps));
  const int depth = in_c / groups;
  size_t from = 0;
  for (int o = 0; o < out_c; ++o)
    for (int k = 0; k < depth; ++k)
      for (int i = 0; i < kernel.h; ++i)
        for (int j = 0; j < kernel.w; ++j) {
          const int64_t tap = int64_t{i} * dilation.h * spread.w + int64_t{j} * dilation.w;
          const int64_t in = int64_t{o / (out_c / groups)} * depth + k;
          v[static_cast<size_t>((o * taps + tap) * in_c + in)] = w[from++];
        }
  return v;
}

inline void deconvolution(importer& m) {
  require_no_dynamic_weights(m, 28);
  m.require_counts(1, 1);
  const edge e = m.image(m.x());
  const tensor_shape in = m.desc(e).shape;
  const int in_c = in.extent[2], out_c = m.integer(0, 0);
  m.require(out_c >= 1, joined("the layer has ", out_c, " output channels"));
  const int groups = groups_of(m, in_c, out_c);
  window_params w = sizes_of(m);
  const int left = m.integer(4, 0), right = m.integer(15, left), top = m.integer(14, left), bottom = m.integer(16, top);
  const int more_w = m.integer(18, 0), more_h = m.integer(19, more_w);
  const int out_w = m.integer(20, 0), out_h = m.integer(21, out_w);
  m.require(infer::is_small(more_w, 0) && infer::is_small(more_h, 0), "the additional rows or columns are not in 0 to 32767");
  const bool cuts = left > 0 || right > 0 || top > 0 || bottom > 0, states = !cuts && out_w > 0 && out_h > 0;
  const auto axis = [&](int extent, int kernel, int stride, int dilation, int more, int before, int behind, int stated) {
    const int64_t reach = int64_t{dilation} * (kernel - 1) + 1 + more, full = int64_t{extent - 1} * stride + reach;
    m.require(reach <= infer::largest_window, "the dilated kernel is larger than 32767");
    deconvolution_axis a{.kernel = static_cast<int>(reach)};
    if (cuts) {
      m.require(infer::is_small(before, 0) && infer::is_small(behind, 0), "a pad is not in 0 to 32767");
      a.before = before;
      a.after = behind;
    } else if (states) {
      m.require(before == same_upper || before == same_lower, "a stated output size needs pads of -233 or -234");
      m.require(full >= stated && full - stated <= infer::largest_window, "the stated output is not what the kernels reach");
      const int cut = static_cast<int>(full - stated);
      a.before = before == same_upper ? cut / 2 : cut - cut / 2;
      a.after = cut - a.before;
    }
    return a;
  };
  const auto h = axis(in.extent[0], w.kernel.h, w.stride.h, w.dilation.h, more_h, top, bottom, out_h);
  const auto v = axis(in.extent[1], w.kernel.w, w.stride.w, w.dilation.w, more_w, left, right, out_w);
  const extent2d spread{h.kernel, v.kernel};
  product_weights p = read_kernels(m, out_c, in_c, groups, w.kernel.h * w.kernel.w, 0);
  p.w.reals = spread_kernels(m, p.w.reals, out_c, in_c, groups, w.kernel, w.dilation, spread);
  const transposed_conv2d_options o{.out_c = out_c, .kernel = spread, .stride = w.stride,
                                    .pad = {h.before, h.after, v.before, v.after}};
  m.define(m.image_value(product_nodes(m, e, std::move(p), inner_curve(m, 9, 10), o,
                                       [&](const node_name& n, edge from, const transposed_conv2d_options& with) {
                                         return m.graph().transposed_conv2d(n, from, with);
                                       })));
}

}  // namespace lowbits::ncnn
