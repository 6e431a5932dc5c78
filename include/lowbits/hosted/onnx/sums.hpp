// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// MatMulInteger and ConvInteger of codes with known zero points: 32-bit sums, in nodes without
// requantization.

#include <lowbits/hosted/onnx/product.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

inline constexpr target sums_target{as_sums, {1.0f, 0}};

/// The zero points that input k gives `of`: one, or one for each of `channels`; 0 where there is none.
inline std::vector<int> given_zeros(importer& m, int k, const value& of, int channels) {
  if (!m.has_input(k)) return {0};
  const value& z = m.input(k);
  m.require(z.known != nullptr, joined("the zero point '", shown(z.name), "' is not a constant"), "export a model with constant zero points");
  m.require(z.type == of.type && (z.count() == 1 || (z.rank() == 1 && z.extent(0) == channels)),
            joined("the zero point '", shown(z.name), "' does not fit '", shown(of.name), "'"),
            channels > 1 ? "give one number, or one for each channel, of the same type" : "give one number of the same type");
  m.charge_numbers(z.count());
  return z.known->integers;
}

/// The same codes with this zero point.
inline edge with_zero(importer& m, edge x, int zero) {
  const affine p{m.graph().desc(x).params.scale, zero};
  if (m.graph().desc(x).params == p) return x;
  const edge e = m.graph().relabel(m.name("zero"), x, p);
  m.check_graph();
  return e;
}
/// In 16-bit storage, but known to have no more than 9 bits, so that sums of them are proven.
inline edge widened_bytes(importer& m, edge x) {
  return m.graph().requantize(m.name("wide"), x, {.out = m.graph().desc(x).params, .out_format = qformat::of<q9>()});
}

inline void sums_of_products(importer& m, value& x, value& w, bool is_conv) {
  for (const value* v : {&x, &w})
    m.require(v->type == data_type::INT8 || v->type == data_type::UINT8, joined("'", shown(v->name), "' has the type ", type_name(v->type)),
              "use int8 or uint8");
  const int zero = given_zeros(m, 2, x, 1)[0];
  const auto weights = [&](int channels, int axis, const std::vector<int>& axes) {
    const std::vector<int> zeros = given_zeros(m, 3, w, channels);
    return weights_of(m, quantized_constant{w.known, std::vector<float>(zeros.size(), 1.0f), zeros, axis, 0}, axes);
  };
  if (is_conv) {
    const convolution c = read_convolution(m, x, w);
    m.require(w.known != nullptr, "the weights are not constant codes", "export a model with constant weights");
    const layer_weights l = weights(c.channels, 0, c.axes);
    const edge in = with_zero(m, image_codes(m, x), zero);
    const edge e = convolution_node(m, l.needs_wide ? widened_bytes(m, in) : in, c, l.data, {}, sums_target);
    m.define(0, data_type::INT32, window_output(x.shape, c.at, c.channels), stored{{}, e});
    return;
  }
  const matmul_form f = read_matmul(m, x, w);
  const affine p{1.0f, zero};
  const edge a = with_zero(m, plain_of(m, code_form(m, x, p), x.shape, x.name), zero);
  if (is_matrix(w) && w.known != nullptr && x.known == nullptr) {
    const int depth = w.extent(0), units = w.extent(1);
    const layer_weights l = weights(units, 1, {1, 0});
    const edge in = as_rows(m, a, static_cast<int>(x.count() / static_cast<size_t>(depth)), depth);
    const edge e = m.graph().dense(m.name(), l.needs_wide ? widened_bytes(m, in) : in,
                                   {.units = units, .weights = l.data, .out = sums_target.params, .out_format = as_sums});
    m.define(0, data_type::INT32, f.result, with_shape(m, e, f.result));
    return;
  }
  const std::vector<int> zeros = given_zeros(m, 3, w, 1);
  const edge b = with_zero(m, plain_of(m, code_form(m, w, {1.0f, zeros[0]}), w.shape, w.name), zeros[0]);
  const edge left = with_extents(m, a, f.x), right = with_sign(m, with_extents(m, b, f.y), m.graph().desc(a).format.is_signed);
  const edge e = m.graph().matmul(m.name(), left, right, {.out = sums_target.params, .out_format = as_sums});
  m.define(0, data_type::INT32, f.result, with_shape(m, e, f.result));
}

}  // namespace lowbits::onnx
