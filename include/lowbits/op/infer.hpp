// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Output shapes, and the checks that need only descriptions. Each function returns the description
// of the output or stores the reason in error.

#include <lowbits/fixed/accumulator.hpp>
#include <lowbits/op/node.hpp>

namespace lowbits::inline LOWBITS_ABI::infer {

/// The first reason wins.
struct verdict {
  graph_errc code = graph_errc::ok;
  int expected = 0, found = 0;

  constexpr bool ok() const noexcept { return code == graph_errc::ok; }
  constexpr bool require(bool condition, graph_errc otherwise, int64_t needed = 0,
                         int64_t given = 0) noexcept {
    if (!condition && ok()) {
      *this = {otherwise, static_cast<int>(clamp<int64_t>(needed, 0, highest_of<int32_t>)),
               static_cast<int>(clamp<int64_t>(given, 0, highest_of<int32_t>))};
    }
    return ok();
  }
};

constexpr void check_numbers(const tensor_desc& d, verdict& v) noexcept {
  if (d.kind == element::reals) return;
  v.require(d.format.valid(), graph_errc::format);
  v.require(!d.format.is_binary(), graph_errc::binary);
  v.require(fp::is_positive(d.params.scale), graph_errc::scale);
  if (v.ok()) v.require(is_valid(d.params, d.format), graph_errc::zero_point);
}

/// The sum of `count` differences of codes of d from their zero point fits in 32 bits (8-bit storage).
constexpr void check_sum(const tensor_desc& d, int64_t count, verdict& v) noexcept {
  if (d.format.bits > 8) return;
  v.require(count <= highest_of<int32_t> / 256, graph_errc::pool_sum);
}

constexpr void check_tensor(const tensor_desc& d, verdict& v) noexcept {
  uint64_t n = 1;
  for (int i = 0; i < d.shape.rank; ++i) {
    if (!v.require(d.shape.extent[i] >= 1, graph_errc::tensor)) return;
    n *= static_cast<uint64_t>(d.shape.extent[i]);
    if (!v.require(n <= static_cast<uint64_t>(highest_of<int32_t>), graph_errc::tensor)) return;
  }
  v.require(d.shape.rank >= 1, graph_errc::tensor);
}

/// The output of an operation on floats: floats.
constexpr tensor_desc reals_like(const tensor_desc& in) noexcept {
  return {.shape = in.shape, .kind = element::reals, .format = {}, .params = {}};
}
/// An output of codes with the stated parameters.
constexpr tensor_desc codes_like(const tensor_desc& in, const affine& params,
                                 const qformat& format) noexcept {
  tensor_desc d = in;
  d.kind = element::codes;
  d.params = params;
  if (format != same_as_input) d.format = format;
  return d;
}

/// Kernel, stride, dilation and padding are small, so that products of two fit in an int.
inline constexpr int largest_window = 32767;
constexpr bool is_small(int value, int lowest) noexcept {
  return value >= lowest && value <= largest_window;
}

struct window_fit {
  int out = 0, pad_before = 0;
};
/// One axis of a sliding window: output extent and padding in front.
constexpr window_fit fit_window(int in, int kernel, int stride, int dilation, int before, int after,
                                bool same, verdict& v) noexcept {
  if (!v.require(is_small(kernel, 1) && is_small(stride, 1) && is_small(dilation, 1) &&
                     is_small(before, 0) && is_small(after, 0),
                 graph_errc::window))
    return {};
  const int64_t reach = int64_t{kernel - 1} * dilation + 1;
  if (same) {
    const int64_t out = (int64_t{in} + stride - 1) / stride;
    return {static_cast<int>(out),
            static_cast<int>(larger<int64_t>((out - 1) * stride + reach - in, 0) / 2)};
  }
  const int64_t room = int64_t{in} + before + after;
  if (!v.require(room >= reach, graph_errc::kernel_size, room, reach)) return {};
  return {static_cast<int>((room - reach) / stride + 1), before};
}

/// Fills window and gives the output's spatial extents.
constexpr image_extents fit_image(const image_extents& in, const extent2d& kernel,
                                  const extent2d& stride, const extent2d& dilation,
                                  const padding& pad, window2d& window, verdict& v) noexcept {
  const window_fit fh =
      fit_window(in.h, kernel.h, stride.h, dilation.h, pad.top, pad.bottom, pad.is_same, v);
  const window_fit fw =
      fit_window(in.w, kernel.w, stride.w, dilation.w, pad.left, pad.right, pad.is_same, v);
  if (!v.ok()) return in;  // products of what was refused could overflow
  window = {kernel.h,   kernel.w,   stride.h,      stride.w,
            dilation.h, dilation.w, fh.pad_before, fw.pad_before};
  return {in.batch, fh.out, fw.out, in.c};
}

/// The same for a transposed convolution: padding is cut off the full output, (in - 1) * stride +
/// kernel; "same" leaves in * stride.
constexpr image_extents fit_transposed(const image_extents& in, const extent2d& kernel,
                                       const extent2d& stride, const padding& pad, window2d& window,
                                       verdict& v) noexcept {
  const bool sound = is_small(kernel.h, 1) && is_small(kernel.w, 1) && is_small(stride.h, 1) &&
      is_small(stride.w, 1) && is_small(pad.top, 0) && is_small(pad.bottom, 0) &&
      is_small(pad.left, 0) && is_small(pad.right, 0);
  if (!v.require(sound, graph_errc::window)) return in;
  const int64_t full_h = int64_t{in.h - 1} * stride.h + kernel.h;
  const int64_t full_w = int64_t{in.w - 1} * stride.w + kernel.w;
  const int64_t out_h = pad.is_same ? int64_t{in.h} * stride.h : full_h - pad.top - pad.bottom;
  const int64_t out_w = pad.is_same ? int64_t{in.w} * stride.w : full_w - pad.left - pad.right;
  v.require(out_h >= 1 && out_w >= 1, graph_errc::window);
  if (!v.require(larger(out_h, out_w) <= highest_of<int32_t>, graph_errc::tensor)) return in;
  const int64_t top = pad.is_same ? larger<int64_t>(full_h - out_h, 0) / 2 : pad.top;
  const int64_t left = pad.is_same ? larger<int64_t>(full_w - out_w, 0) / 2 : pad.left;
  window = {
      kernel.h, kernel.w, stride.h, stride.w, 1, 1, static_cast<int>(top), static_cast<int>(left)};
  return {in.batch, static_cast<int>(out_h), static_cast<int>(out_w), in.c};
}

/// The largest |x - zero_point| that codes of d can have. Outputs are clamped to their type's range;
/// the caller keeps model inputs in theirs.
constexpr int64_t largest_value(const tensor_desc& d) noexcept {
  return larger<int64_t>(int64_t{d.format.highest()} - d.params.zero_point,
                         int64_t{d.params.zero_point} - d.format.lowest());
}
constexpr int64_t largest_weight(const weight_data& w) noexcept {
  return larger<int64_t>(int64_t{w.storable().highest} - w.zero_point,
                         int64_t{w.zero_point} - w.storable().lowest);
}
constexpr int64_t largest_bias(const bias_data& b) noexcept {
  int64_t m = 0;
  for (size_t i = 0; i < b.length && !b.is_real; ++i)
    m = larger(m, b[i] == lowest_of<int64_t> ? highest_of<int64_t> : b[i] < 0 ? -b[i] : b[i]);
  return m;
}
/// True when `products` products and the bias stay inside +-limit.
constexpr bool accumulator_holds(const tensor_desc& in, const weight_data& w, const bias_data& b,
                                 int64_t products, int64_t limit) noexcept {
  const int64_t bias = largest_bias(b);
  return bias <= limit &&
      products <= product_capacity(largest_value(in), largest_weight(w), limit, bias);
}

/// The same for the weights' values as they are, which the compiler has to know. Depthwise weights have the
/// channels last.
constexpr bool sums_hold(const node& n, const tensor_desc& in, int channels, int64_t products, int64_t limit) noexcept {
  const weight_data& w = n.weights;
  const bool is_array = w.storage == weight_storage::s8 || w.storage == weight_storage::u8 || w.storage == weight_storage::s16;
  if (w.is_external || w.is_coded() || !is_array) return false;
  const bool is_last = n.kind == op_kind::depthwise;
  for (int c = 0; c < channels; ++c) {
    int64_t sum = 0, at = is_last ? c : c * products;
    for (int64_t k = 0; k < products; ++k, at += is_last ? channels : 1) {
      const int v = w.storage == weight_storage::s8 ? w.s8[at] : w.storage == weight_storage::u8 ? w.u8[at] : int{w.s16[at]};
      sum += v < w.zero_point ? w.zero_point - v : v - w.zero_point;
    }
    if (sum > (limit - largest_bias(n.bias)) / larger<int64_t>(largest_value(in), 1)) return false;
  }
  return true;
}

/// The sums of a layer without requantization stay inside 32 bits.
constexpr void check_sums(const node& n, const tensor_desc& in, int channels, int64_t products, verdict& v) noexcept {
  constexpr int64_t limit = highest_of<int32_t>;
  v.require(!n.bias.is_wide && largest_bias(n.bias) <= limit, graph_errc::sums);
  if (v.ok() && !accumulator_holds(in, n.weights, n.bias, products, limit))
    v.require(sums_hold(n, in, channels, products, limit), graph_errc::sums);
}

/// Which nodes 32-bit codes come from and go to. `wide_in`: an input has them.
constexpr void check_wide(const node& n, bool wide_in, verdict& v) noexcept {
  const bool wide_out = n.out.is_wide();
  if (!wide_in && !wide_out) return;
  switch (n.kind) {
    case op_kind::input:
    case op_kind::constant:
    case op_kind::concat:
    case op_kind::pad:
    case op_kind::reshape:
    case op_kind::transpose:
    case op_kind::slice:
    case op_kind::requantize:
    case op_kind::dequantize:
    case op_kind::custom: return;
    default: v.require((has_weights(n.kind) || n.kind == op_kind::matmul) && !wide_in && n.fused == activation::none, graph_errc::wide);
  }
}

/// True for a layer on codes whose bias is added in real numbers.
constexpr bool scales_first(const node& n, const tensor_desc& in) noexcept {
  return in.kind == element::codes && (n.out.kind == element::reals || n.policy == rounding::away_bias);
}

/// A layer with factors for groups along the depth; sums of integer factors stay in 32 bits for all codes.
constexpr void check_groups(const node& n, const tensor_desc& in, int channels, int64_t products, verdict& v) noexcept {
  const weight_data& w = n.weights;
  const weight_groups& g = *w.groups;
  const bool dynamic = in.kind == element::reals, is_integer = g.kind == group_factor_kind::bytes;
  v.require(n.kind == op_kind::dense && n.ec == error_compensation::none && n.policy != rounding::away_bias && !n.bias.is_wide &&
                w.storage != weight_storage::s16 && w.storage != weight_storage::f32 && w.format.bits <= 8 && (dynamic || in.format.bits <= 8) &&
                n.dynamic == dynamic_definition::symmetric && (g.group == 16 || (g.group > 0 && g.group % 32 == 0)) &&
                g.shift >= 0 && g.shift <= 30,
            graph_errc::weight_groups);
  if (!v.ok()) return;
  const int64_t count = ceil_div<int64_t>(products, g.group);
  if (!v.require(static_cast<int64_t>(g.count) == count * channels, graph_errc::group_count, count * channels, static_cast<int64_t>(g.count))) return;
  v.require(is_integer || n.out.kind == element::reals, graph_errc::group_factors);
  for (size_t i = 0; i < g.count && g.kind == group_factor_kind::reals; ++i) v.require(fp::is_finite(g.reals[i]), graph_errc::group_factors);
  for (size_t i = 0; i < g.count && g.kind == group_factor_kind::halves; ++i) v.require(g.halves[i].is_finite(), graph_errc::group_factors);
  for (size_t c = 0; c < larger<size_t>(w.scale_count, 1); ++c) v.require(fp::is_positive(w.sum_scale(c)), graph_errc::scale);
  const int64_t limit = highest_of<int32_t>, largest = (dynamic ? 128 : largest_value(in)) * largest_weight(w) * smaller<int64_t>(g.group, products);
  if (!is_integer) return void(v.require(largest <= limit, graph_errc::group_sums));
  const int64_t bias = n.out.kind == element::reals ? 0 : largest_bias(n.bias), half = g.shift > 0 ? int64_t{1} << (g.shift - 1) : 0;
  // Each channel by its own factors.
  for (int c = 0; c < channels && v.ok(); ++c) {
    int64_t all = bias, left = products;
    for (int64_t i = 0; i < count; ++i, left -= g.group) {
      const int64_t part = largest / smaller<int64_t>(g.group, products) * smaller<int64_t>(g.group, left) * g.bytes[c * count + i] + half;
      v.require(part <= limit, graph_errc::group_sums);
      all += (part >> g.shift) + 1;
    }
    v.require(all <= limit, graph_errc::group_sums);
  }
}

/// Weights, bias and accumulator of layer n with `count` weights, `channels` outputs and `products`
/// products in each output.
constexpr void check_weights(const node& n, const tensor_desc& in, int64_t count, int channels, int64_t products,
                             verdict& v) noexcept {
  const weight_data& w = n.weights;
  const bias_data& b = n.bias;
  if (!v.require(w.is_bound(), graph_errc::no_weights)) return;
  const bool real = w.storage == weight_storage::f32;
  // Floats meet weights in codes as codes of 8 bits; the bias is added behind.
  const bool dynamic = !real && in.kind == element::reals;
  const bool first = scales_first(n, in);
  const bool alike = in.kind == (real || dynamic ? element::reals : element::codes) &&
                     (!b.is_bound() || b.is_real == (real || dynamic || first));
  if (!v.require(alike, graph_errc::element)) return;
  v.require(w.format.valid() && !w.format.is_wide(), graph_errc::format);
  const size_t needed = w.needed_length(static_cast<size_t>(count));
  v.require(w.length == needed, graph_errc::weight_count, static_cast<int64_t>(needed),
            static_cast<int64_t>(w.length));
  v.require(w.scale_count <= 1 || w.scale_count == static_cast<size_t>(channels),
            graph_errc::weight_scales, channels, static_cast<int64_t>(w.scale_count));
  v.require(!b.is_bound() || b.length == static_cast<size_t>(channels), graph_errc::bias_count,
            channels, static_cast<int64_t>(b.length));
  if (!v.ok() || real) return;
  for (size_t c = 0; c < larger<size_t>(w.scale_count, 1); ++c)
    v.require(fp::is_positive(w.scale_of(c)), graph_errc::scale);
  const bool zero_ok = w.format.is_binary()
      ? w.zero_point == 0
      : w.zero_point >= w.format.lowest() && w.zero_point <= w.format.highest();
  v.require(zero_ok, graph_errc::zero_point);
  if (w.is_grouped) return v.ok() ? check_groups(n, in, channels, products, v) : void();
  if (dynamic && n.dynamic == dynamic_definition::weight_only)
    return void(v.require(n.kind == op_kind::conv2d || n.kind == op_kind::dense, graph_errc::element));
  if (dynamic || first) {
    v.require(in.kind == element::reals || in.format.bits <= 8, graph_errc::element);
    const int64_t capacity = product_capacity(dynamic ? 255 : largest_value(in), largest_weight(w), highest_of<int32_t>);
    return void(v.require(products <= capacity, graph_errc::accumulator));
  }
  const int64_t limit = highest_of<int64_t>;
  v.require(!b.is_wide || largest_bias(b) <= limit / 2, graph_errc::bias_range);
  v.require(accumulator_holds(in, w, b, products, limit), graph_errc::accumulator);
  if (v.ok() && n.out.is_wide() && !in.is_wide()) check_sums(n, in, channels, products, v);
}

/// Products in one output of a layer with error compensation: sums of parts stay in 32 bits with any zero points.
inline constexpr int64_t largest_compensated_depth = 32768;

/// Error compensation splits codes of 9 bits or more, `x_bits` and `w_bits` wide, with codes as the result.
constexpr void check_compensation(const node& n, const tensor_desc& in, int x_bits, int w_bits, int64_t products, verdict& v) noexcept {
  if (n.ec == error_compensation::none) return;
  const bool both = x_bits > 8 && w_bits > 8, one = x_bits > 8 || w_bits > 8;
  v.require(in.kind == element::codes && !scales_first(n, in) && !n.out.is_wide() && larger(x_bits, w_bits) <= 16 &&
                (n.ec == error_compensation::exact ? one : both),
            graph_errc::compensation);
  v.require(products <= largest_compensated_depth, graph_errc::compensated_depth, largest_compensated_depth, products);
}

/// Numpy's rule: axes are aligned at the end, an extent of 1 is repeated.
constexpr tensor_shape broadcast(const tensor_shape& a, const tensor_shape& b,
                                 verdict& v) noexcept {
  tensor_shape s;
  s.rank = larger(a.rank, b.rank);
  for (int i = 0; i < s.rank; ++i) {
    const int ia = i - (s.rank - a.rank), ib = i - (s.rank - b.rank);
    const int ea = ia >= 0 ? a.extent[ia] : 1, eb = ib >= 0 ? b.extent[ib] : 1;
    v.require(ea == eb || ea == 1 || eb == 1, graph_errc::shapes, ea, eb);
    s.extent[i] = larger(ea, eb);
  }
  return s;
}

constexpr matmul_shape matmul_extents(const tensor_desc& x, const tensor_desc& w,
                                      const matmul_options& o, tensor_shape& out,
                                      verdict& v) noexcept {
  matmul_shape m;
  const int rx = x.shape.rank, rw = w.shape.rank;
  if (!v.require(rx >= 2 && rx <= 4 && rw >= 2 && rw <= 4, graph_errc::matmul_rank)) return m;
  const int* ex = x.shape.extent + (rx - 2);
  const int* ew = w.shape.extent + (rw - 2);
  m.x_transposed = o.x_transposed;
  m.w_transposed = o.w_transposed;
  m.rows = ex[o.x_transposed ? 1 : 0];
  m.depth = ex[o.x_transposed ? 0 : 1];
  m.cols = ew[o.w_transposed ? 0 : 1];
  v.require(m.depth == ew[o.w_transposed ? 1 : 0], graph_errc::matmul_depth, m.depth,
            ew[o.w_transposed ? 1 : 0]);
  out.rank = larger(rx, rw);
  for (int i = 0; i < out.rank - 2; ++i) {
    const int slot = i + 4 - out.rank;  // axis of the two batch axes, counted from the front
    const int ix = i - (out.rank - rx), iw = i - (out.rank - rw);
    m.x_batch[slot] = ix >= 0 ? x.shape.extent[ix] : 1;
    m.w_batch[slot] = iw >= 0 ? w.shape.extent[iw] : 1;
    v.require(m.x_batch[slot] == m.w_batch[slot] || m.x_batch[slot] == 1 || m.w_batch[slot] == 1,
              graph_errc::shapes, m.x_batch[slot], m.w_batch[slot]);
    out.extent[i] = m.batch(slot);
  }
  out.extent[out.rank - 2] = m.rows;
  out.extent[out.rank - 1] = m.cols;
  return m;
}

}  // namespace lowbits::infer
