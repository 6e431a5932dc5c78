// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The attributes of convolutions and pools: kernel, strides, dilations, pads, in one form for one and
// two spatial axes (one is a row of a two-dimensional image).

#include <lowbits/hosted/onnx/codes.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

struct window {
  extent2d kernel{1}, stride{1}, dilation{1};
  padding pad{};        ///< as the file states it, or as auto_pad gives it
  padding behind{};     ///< what ceil_mode adds at the bottom and on the right
  int out_h = 1, out_w = 1;
  bool has_pads = false;
};

inline void check_image(importer& m, const value& x) {
  m.require(x.rank() == 3 || x.rank() == 4, joined("the input has ", x.rank(), " axes"),
            "use one or two spatial axes: [n, c, l] or [n, c, h, w]");
}

/// Of a spatial axis: in front, behind; of the file, and the extent of the output.
struct axis_fit {
  int before = 0, after = 0, extra = 0, out = 1;
};
inline axis_fit fit_axis(importer& m, int in, int kernel, int stride, int dilation, const std::string& auto_pad, int before, int after,
                         bool ceil_mode) {
  const auto in_range = [](int v, int lowest) { return infer::is_small(v, lowest); };
  m.require(in_range(kernel, 1), joined("kernel_shape has an extent of ", kernel), "use 1 to 32767");
  m.require(in_range(stride, 1), joined("strides has a ", stride), "use 1 to 32767");
  m.require(in_range(dilation, 1), joined("dilations has a ", dilation), "use 1 to 32767");
  m.require(in_range(before, 0) && in_range(after, 0), "pads has a number that is negative or above 32767", "use Slice, or smaller pads");
  const int64_t reach = int64_t{kernel - 1} * dilation + 1;
  axis_fit f{before, after, 0, 1};
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
    const int64_t out = ceil_div(int64_t{in}, int64_t{stride}), total = larger<int64_t>((out - 1) * stride + reach - in, 0);
    const int64_t less = total / 2;
    m.require(total <= infer::largest_window, "the kernel reaches too far", "use a smaller one");
    f.before = static_cast<int>(auto_pad == "SAME_UPPER" ? less : total - less);
    f.after = static_cast<int>(total - f.before);
    f.out = static_cast<int>(out);
    return f;
  }
  const int64_t room = int64_t{in} + f.before + f.after;
  m.require(room >= reach, joined("the kernel reaches over ", reach, " elements, the padded input has ", room),
            "use a smaller kernel or more padding");
  int64_t out = (room - reach) / stride + 1;
  if (ceil_mode) {
    out = ceil_div(room - reach, int64_t{stride}) + 1;
    if ((out - 1) * stride >= int64_t{in} + f.before) --out;  // a window that starts behind the input
    f.extra = static_cast<int>(larger<int64_t>((out - 1) * stride + reach - room, 0));
  }
  m.require(out <= highest_of<int32_t>, "the output is too large", "use a larger stride");
  f.out = static_cast<int>(out);
  return f;
}

/// kernel: the spatial extents of weights, which kernel_shape has to repeat; empty for pools.
inline window read_window(importer& m, const shape_list& x, const shape_list& kernel, bool may_ceil) {
  const size_t axes = x.size() - 2;
  const auto list = [&](std::string_view name, int otherwise, size_t count) {
    std::vector<int> v = m.integers(name);
    if (v.empty()) v.assign(count, otherwise);
    m.require(v.size() == count, joined("the attribute ", name, " has ", v.size(), " numbers instead of ", count), "export the model again");
    return v;
  };
  std::vector<int> k = m.integers("kernel_shape");
  if (!kernel.empty()) {
    m.require(k.empty() || k == kernel, joined("kernel_shape is ", text_of(k), ", but the weights are ", text_of(kernel)), "export the model again");
    k = kernel;
  }
  m.require(k.size() == axes, joined("kernel_shape has ", k.size(), " extents instead of ", axes), "export the model again");
  const std::vector<int> s = list("strides", 1, axes), d = list("dilations", 1, axes);
  const std::string auto_pad = m.text("auto_pad", "NOTSET");
  m.require(auto_pad == "NOTSET" || auto_pad == "VALID" || auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER",
            joined("auto_pad is '", shown(auto_pad), "'"), "use NOTSET, VALID, SAME_UPPER or SAME_LOWER");
  std::vector<int> pads = list("pads", 0, 2 * axes);
  if (auto_pad == "VALID") pads.assign(2 * axes, 0);
  const bool ceil_mode = may_ceil && m.integer("ceil_mode", 0) != 0;
  window w;
  const size_t last = axes - 1;
  const axis_fit fw = fit_axis(m, x[2 + last], k[last], s[last], d[last], auto_pad, pads[last], pads[axes + last], ceil_mode);
  axis_fit fh;
  if (axes == 2) fh = fit_axis(m, x[2], k[0], s[0], d[0], auto_pad, pads[0], pads[2], ceil_mode);
  w.kernel = {axes == 2 ? k[0] : 1, k[last]};
  w.stride = {axes == 2 ? s[0] : 1, s[last]};
  w.dilation = {axes == 2 ? d[0] : 1, d[last]};
  w.pad = {fh.before, fh.after, fw.before, fw.after};
  w.behind = {0, fh.extra, 0, fw.extra};
  w.out_h = fh.out;
  w.out_w = fw.out;
  w.has_pads = fh.before + fh.after + fw.before + fw.after != 0;
  return w;
}
/// The shape of an output with `channels` channels.
inline shape_list window_output(const shape_list& x, const window& w, int channels) {
  if (x.size() == 3) return {x[0], channels, w.out_w};
  return {x[0], channels, w.out_h, w.out_w};
}

}  // namespace lowbits::onnx
