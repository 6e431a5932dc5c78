// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operators with weights: CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED. Their
// multipliers and roundings are those of TFLite's reference kernels (kernels/kernel_util.cc,
// kernels/internal/reference/).

#include <algorithm>
#include <utility>

#include <lowbits/hosted/tflite/importer.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

inline activation fused_of(const importer& m, schema::ActivationFunctionType a) {
  switch (a) {
    case schema::ActivationFunctionType::NONE: return activation::none;
    case schema::ActivationFunctionType::RELU: return activation::relu;
    case schema::ActivationFunctionType::RELU6: return activation::relu6;
    case schema::ActivationFunctionType::RELU_N1_TO_1: return activation::relu_n1_to_1;
    default: m.fail("the fused activation is unknown", "use RELU, RELU6, RELU_N1_TO_1 or none");
  }
}
inline padding padding_of(const importer& m, schema::Padding p) {
  if (p == schema::Padding::SAME) return same_padding;
  m.require(p == schema::Padding::VALID, "the padding is neither SAME nor VALID", "export it again");
  return valid_padding;
}

/// Weights with a scale for all or one per index of channel_axis. has_floats: the activations are floats.
inline weight_data weights_of(importer& m, const tensor& w, int channel_axis, bool has_floats) {
  const std::string subject = joined("tensor '", w.name, "'");
  if (w.is_float()) {
    weight_data d{.storage = weight_storage::f32, .length = w.count};
    d.f32 = m.constant_reals(w);
    m.require(d.f32 != nullptr, joined(subject, ": the weights are not a constant"),
              "export the model with constant weights");
    return d;
  }
  m.require(w.is_constant(), joined(subject, ": the weights are not a constant"),
            "export the model with constant weights");
  m.require(w.is_quantized(), joined(subject, ": the weights have no scale"), "quantize the model");
  weight_data d{.storage = weight_storage::s8, .length = w.count, .format = {8, true}};
  const int64_t zero = w.zero_points.empty() ? 0 : w.zero_points[0];
  if (w.scales.size() > 1) {
    m.require(w.axis == channel_axis, joined(subject, ": the scales are not along the output channels"),
              "quantize the model again");
    d.scales = m.keep_scales(w);
    d.scale_count = w.scales.size();
    for (const int64_t z : w.zero_points)
      m.require(z == 0, joined(subject, ": the weights have scales per channel and zero points"),
                "make them symmetric");
  } else {
    d.scale = w.scales[0];
  }
  if (w.type == TensorType::UINT8 && has_floats) {  // a way of old converters: the bytes are int8
    d.s8 = m.keep<int8_t>(w, as_is, elements_of<int8_t>);
  } else if (w.type == TensorType::INT8) {
    m.require(zero >= -128 && zero <= 127, joined(subject, ": the zero point is outside of its type"),
              "quantize the model again");
    d.zero_point = static_cast<int>(zero);
    d.s8 = m.keep<int8_t>(w, as_is, elements_of<int8_t>);
  } else if (w.type == TensorType::UINT8) {
    m.require(zero >= 0 && zero <= 255, joined(subject, ": the zero point is outside of its type"),
              "quantize the model again");
    d.zero_point = static_cast<int>(zero) - 128;
    d.s8 = m.keep<int8_t>(w, less_128, [](const tensor& t) {
      std::vector<int8_t> v = elements_of<int8_t>(t);
      for (int8_t& q : v) q = static_cast<int8_t>(q ^ -128);
      return v;
    });
  } else if (w.type == TensorType::INT4) {
    m.require(zero == 0, joined(subject, ": 4-bit weights have a zero point"), "make them symmetric");
    d.storage = weight_storage::packed;
    d.format = {4, true};
    d.length = w.bytes.size();
    d.packed = m.keep<uint8_t>(w, low_nibbles, [](const tensor& t) {
      return std::vector<uint8_t>(t.bytes.begin(), t.bytes.end());
    });
  } else {
    m.fail(joined(subject, ": weights have the type ", w.type_name()), "use int8, uint8 or int4");
  }
  return d;
}

inline bias_data bias_of(importer& m, int k) {
  bias_data b;
  if (!m.has_input(k)) return b;
  const tensor t = m.input(k);
  if (t.is_float()) {
    b.f32 = m.constant_reals(t);
    m.require(b.f32 != nullptr, joined("tensor '", t.name, "': the bias is not a constant"),
              "export the model with a constant bias");
    b.length = t.count;
    b.is_real = true;
    return b;
  }
  m.require(t.is_constant(), joined("tensor '", t.name, "': the bias is not a constant"),
            "export the model with a constant bias");
  b.length = t.count;
  if (t.type == TensorType::INT32) {
    b.s32 = m.keep<int32_t>(t, as_is, elements_of<int32_t>);
  } else if (t.type == TensorType::INT64) {
    b.s64 = m.keep<int64_t>(t, as_is, elements_of<int64_t>);
    b.is_wide = true;
  } else {
    m.fail(joined("tensor '", t.name, "': the bias has the type ", t.type_name()),
           "use INT32 or INT64");
  }
  return b;
}

/// What all of them share. 16-bit activations with a 64-bit bias, or none, have 64-bit sums and
/// their own rounding.
template <class Options>
Options weighted_options(importer& m, int weights, int bias, int channel_axis, TensorType bias_type, bool asymmetric) {
  const tensor x = m.input(bias == 3 ? 2 : 0), w = m.input(weights);
  Options o;
  o.weights = weights_of(m, w, channel_axis, x.is_float());
  o.bias = bias_of(m, bias);
  const tensor_desc out = m.desc_of(m.output());
  m.require((out.kind == element::reals) == x.is_float(), "one of input and output is float", "export the model again");
  if (x.is_float()) {
    if (w.is_float()) return o;
    m.note(joined(m.place(), ": floats around integer weights"));
    if (asymmetric) o.dynamic = dynamic_definition::asymmetric;
    return o;
  }
  o.out = out.params;
  o.out_format = out.format;
  const bool is_wide = o.bias.is_bound() ? o.bias.is_wide : bias_type != TensorType::INT32;
  o.policy = x.type == TensorType::INT16 && is_wide ? rounding::tflite_int64 : rounding::double_gemmlowp;
  // The old uint8 kernels round the product of both scales to float.
  if (x.type == TensorType::UINT8) o.product = scale_product::float32;
  return o;
}

inline void check_rank(const importer& m, const tensor& t, int rank) {
  m.require(t.rank() == rank, joined("tensor '", t.name, "' has ", t.rank(), " axes instead of ", rank),
            "export the model again");
}

inline void conv2d(importer& m) {
  const auto& f = m.options<schema::Conv2DOptions>();
  const tensor w = m.input(1), x = m.input(0);
  check_rank(m, w, 4);
  check_rank(m, x, 4);
  m.require(x.extent(3) % w.extent(3) == 0,
            joined("the input's ", x.extent(3), " channels are no multiple of the weights' ", w.extent(3)),
            "export the model again");
  auto o = weighted_options<conv2d_options>(m, 1, 2, 0, f.quantized_bias_type(), w.scales.size() > 1);
  o.out_c = w.extent(0);
  o.groups = x.extent(3) / w.extent(3);
  o.kernel = {w.extent(1), w.extent(2)};
  o.stride = {f.stride_h(), f.stride_w()};
  o.dilation = {f.dilation_h_factor(), f.dilation_w_factor()};
  o.pad = padding_of(m, f.padding());
  o.fused = fused_of(m, f.fused_activation_function());
  const edge in = m.x(0);
  m.define(m.graph().conv2d(m.name(), in, o));
}

inline void depthwise_conv2d(importer& m) {
  const auto& f = m.options<schema::DepthwiseConv2DOptions>();
  const tensor w = m.input(1), x = m.input(0);
  check_rank(m, w, 4);
  check_rank(m, x, 4);
  m.require(w.extent(0) == 1, "the first extent of the weights is not 1", "export the model again");
  m.require(w.extent(3) % x.extent(3) == 0,
            joined("the weights' ", w.extent(3), " channels are no multiple of the input's ", x.extent(3)),
            "export the model again");
  auto o = weighted_options<depthwise_options>(m, 1, 2, 3, TensorType::FLOAT32, true);
  o.multiplier = w.extent(3) / x.extent(3);  // what the options say may be 0 in old files
  o.kernel = {w.extent(1), w.extent(2)};
  o.stride = {f.stride_h(), f.stride_w()};
  o.dilation = {f.dilation_h_factor(), f.dilation_w_factor()};
  o.pad = padding_of(m, f.padding());
  o.fused = fused_of(m, f.fused_activation_function());
  const edge in = m.x(0);
  m.define(m.graph().depthwise(m.name(), in, o));
}

/// Weights [output][height][width][input] with rows and columns that add nothing behind.
inline void enlarge_kernel(importer& m, weight_data& d, const tensor& w, int rows, int columns) {
  const auto h = static_cast<size_t>(w.extent(1)), width = static_cast<size_t>(w.extent(2)), depth = static_cast<size_t>(w.extent(3));
  const size_t out_c = static_cast<size_t>(w.extent(0)), new_h = h + static_cast<size_t>(rows), new_w = width + static_cast<size_t>(columns);
  const auto larger_one = [&]<class T>(const std::vector<T>& from, T zero) {
    std::vector<T> to(out_c * new_h * new_w * depth, zero);
    for (size_t o = 0; o < out_c; ++o)
      for (size_t y = 0; y < h; ++y)
        std::copy_n(from.data() + (o * h + y) * width * depth, width * depth, to.data() + (o * new_h + y) * new_w * depth);
    return to;
  };
  if (d.storage == weight_storage::f32) {
    const auto to = larger_one(std::vector<float>(d.f32, d.f32 + w.count), 0.0f);
    d.f32 = m.model().keep(to);
    d.length = to.size();
  } else {
    m.require(d.storage == weight_storage::s8, "the 4-bit kernel is smaller than the stride", "use 8-bit weights");
    const auto to = larger_one(std::vector<int8_t>(d.s8, d.s8 + w.count), static_cast<int8_t>(d.zero_point));
    d.s8 = m.model().keep(to);
    d.length = to.size();
  }
}

/// The output's extents, as the file states them, decide how much of the full output is cut off, or, where
/// the kernel is smaller than the stride, how much the kernel is enlarged.
inline void transposed_conv2d(importer& m) {
  const auto& f = m.options<schema::TransposeConvOptions>();
  const tensor w = m.input(1), x = m.input(2), y = m.output();
  check_rank(m, w, 4);
  check_rank(m, x, 4);
  check_rank(m, y, 4);
  if (const tensor shape = m.input(0); shape.is_constant())
    m.require(m.integers(shape) == y.shape, "the shape that input 0 gives is not the output's",
              "export the model again");
  m.require(x.extent(3) == w.extent(3),
            joined("the weights have ", w.extent(3), " input channels, the input ", x.extent(3)),
            "export the model again");
  auto o = weighted_options<transposed_conv2d_options>(m, 1, 3, 0, f.quantized_bias_type(), true);
  o.out_c = w.extent(0);
  o.stride = {f.stride_h(), f.stride_w()};
  o.fused = fused_of(m, f.fused_activation_function());
  const bool is_same = padding_of(m, f.padding()).is_same;
  struct margin {
    int before = 0, after = 0;  ///< what is cut off
    int more = 0;               ///< what the kernel lacks
  };
  const auto cut = [&](int axis, int kernel, int stride) -> margin {
    m.require(kernel <= infer::largest_window && stride >= 1 && stride <= infer::largest_window,
              "the kernel or the stride is out of range", "export the model again");
    const int64_t out = y.extent(axis), in = x.extent(axis);
    const int64_t least = is_same ? (out + stride - 1) / stride : (out - kernel + stride) / stride;
    m.require(least == in, joined("an input extent of ", in, " does not lead to ", out),
              "export the model again");
    const int64_t full = (in - 1) * stride + kernel;
    if (full < out) return {.more = static_cast<int>(out - full)};  // less than a stride
    const int64_t before = is_same ? (full - out) / 2 : 0;
    return {.before = static_cast<int>(before), .after = static_cast<int>(full - out - before)};
  };
  const margin v = cut(1, w.extent(1), f.stride_h()), h = cut(2, w.extent(2), f.stride_w());
  o.kernel = {w.extent(1) + v.more, w.extent(2) + h.more};
  if (v.more != 0 || h.more != 0) enlarge_kernel(m, o.weights, w, v.more, h.more);
  o.pad = {v.before, v.after, h.before, h.after};
  const edge in = m.x(2);
  m.define(m.graph().transposed_conv2d(m.name(), in, o));
}

inline void fully_connected(importer& m) {
  const auto& f = m.options<schema::FullyConnectedOptions>();
  m.require(f.weights_format() == schema::FullyConnectedOptionsWeightsFormat::DEFAULT,
            "the weights are shuffled", "export the model with plain weights");
  const tensor w = m.input(1), x = m.input(0), y = m.output();
  check_rank(m, w, 2);
  const int units = w.extent(0), columns = w.extent(1);
  m.require(x.count % static_cast<size_t>(columns) == 0,
            joined("the input's ", x.count, " elements are no multiple of the weights' ", columns, " columns"),
            "export the model again");
  auto o = weighted_options<dense_options>(m, 1, 2, 0, f.quantized_bias_type(), f.asymmetric_quantize_inputs());
  o.units = units;
  o.fused = fused_of(m, f.fused_activation_function());
  // One scale for all: TFLite rounds the product of input and weight scale to float.
  if (o.weights.scale_count == 0) o.product = scale_product::float32;
  edge in = m.x(0);
  const int rows = static_cast<int>(x.count / static_cast<size_t>(columns));
  const tensor_shape wanted = shape_of(y.shape);
  const row_extents found = row_extents::of(m.graph().desc(in));
  if (found.rows != rows || found.columns != columns || row_extents::is_single(m.graph().desc(in)))
    if (!(m.graph().desc(in).shape == tensor_shape{2, {rows, columns}}))
      in = m.graph().reshape(m.name("rows"), in, {rows, columns});
  const bool is_flat = wanted == tensor_shape{2, {rows, units}};
  edge out = m.graph().dense(is_flat ? m.name() : m.name("dense"), in, o);
  if (!is_flat) {
    axis_list extents;
    for (int a = 0; a < wanted.rank; ++a) extents.value[extents.count++] = wanted.extent[a];
    out = m.graph().reshape(m.name(), out, extents);
  }
  m.define(out);
}

/// Floats times constant codes: a dense layer for each matrix of codes, on its rows of x.
inline void hybrid_matmul(importer& m, const schema::BatchMatMulOptions& f, const tensor& w) {
  edge x = m.x(0);
  const tensor y = m.output();
  const tensor_shape given = m.graph().desc(x).shape;
  m.require(w.rank() >= 2 && given.rank >= 2 && w.scales.size() == 1, "the codes are no matrices with one scale",
            "quantize the right side per tensor");
  if (f.adj_x()) {
    axis_list axes;
    for (int a = 0; a < given.rank; ++a) axes.value[axes.count++] = a;
    std::swap(axes.value[given.rank - 1], axes.value[given.rank - 2]);
    x = m.graph().transpose(m.name("transpose"), x, axes);
    m.check_graph();
  }
  const tensor_shape s = m.graph().desc(x).shape;
  const int depth = s.extent[s.rank - 1], rows = static_cast<int>(s.count()) / depth;
  const int inner = w.extent(w.rank() - (f.adj_y() ? 1 : 2)), cols = w.extent(w.rank() - (f.adj_y() ? 2 : 1));
  const auto matrices = static_cast<int>(w.count / (static_cast<size_t>(inner) * static_cast<size_t>(cols)));
  m.require(inner == depth, "the inner extents differ", "export the model again");
  m.require(matrices == 1 || (matrices <= max_inputs && w.rank() == s.rank && rows % matrices == 0 &&
                              std::equal(w.shape.begin(), w.shape.end() - 2, s.extent)),
            "there are more than 8 matrices of codes, or as many as the floats do not have", "split the operator");
  x = m.graph().reshape(m.name("rows"), x, {rows, depth});
  m.check_graph();
  dense_options o{.units = cols};
  o.weights = weights_of(m, w, -1, true);
  o.weights.length = static_cast<size_t>(inner) * static_cast<size_t>(cols);
  if (f.asymmetric_quantize_inputs()) o.dynamic = dynamic_definition::asymmetric;
  edge_list parts;
  for (int k = 0; k < matrices; ++k) {
    o.weights.s8 = m.keep<int8_t>(w, first_matrix + 2 * k + (f.adj_y() ? 1 : 0), [&](const tensor& t) {
      const std::vector<int8_t> all = elements_of<int8_t>(t);
      std::vector<int8_t> one(o.weights.length);
      const auto c = static_cast<size_t>(cols), d = static_cast<size_t>(depth), first = static_cast<size_t>(k) * c * d;
      for (size_t j = 0; j < c; ++j)
        for (size_t i = 0; i < d; ++i) one[j * d + i] = all[first + (f.adj_y() ? j * d + i : i * c + j)];
      return one;
    });
    const int each = rows / matrices;
    const edge part = matrices == 1
        ? x
        : m.graph().slice(m.name("part"), x, {.begin = {k * each, 0}, .extent = {each, depth}});
    parts.value[parts.count++] = m.graph().dense(m.name("dense"), part, o);
    m.check_graph();
  }
  m.note(joined(m.place(), ": floats around integer weights"));
  const edge all = matrices == 1 ? parts.value[0] : m.graph().concat(m.name("all"), parts, 0);
  axis_list extents;
  for (const int e : y.shape) extents.value[extents.count++] = e;
  m.define(m.graph().reshape(m.name(), all, extents));
}

/// 16-bit activations have 64-bit sums.
inline void batch_matmul(importer& m) {
  const auto& f = m.options<schema::BatchMatMulOptions>();
  const tensor_desc out = m.desc_of(m.output());
  if (const tensor w = m.input(1); m.input(0).is_float() && w.is_constant() && w.type == TensorType::INT8)
    return hybrid_matmul(m, f, w);
  const edge x = m.x(0), y = m.x(1);
  if (out.kind == element::reals)
    return m.define(m.graph().matmul(m.name(), x, y, {.x_transposed = f.adj_x(), .w_transposed = f.adj_y()}));
  m.define(m.graph().matmul(
      m.name(), x, y,
      {.x_transposed = f.adj_x(),
       .w_transposed = f.adj_y(),
       .out = out.params,
       .policy = out.format.bits > 8 ? rounding::tflite_int64 : rounding::double_gemmlowp,
       .product = scale_product::float32}));
}

}  // namespace lowbits::tflite
