// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// QuantizeLinear and DequantizeLinear. The latter makes no node: what reads its result may want the
// codes. The former is where deferred operators become integer nodes.

#include <lowbits/hosted/onnx/codes.hpp>
#include <lowbits/hosted/onnx/per_axis.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

/// Scales and zero points, inputs `scale` and `zero`, for a tensor of that shape and type of codes (0:
/// the zero point's, or what the attribute says).
struct quantization {
  int type = data_type::UINT8;
  std::vector<float> scales{};
  std::vector<int> zeros{};
  int axis = 0, block = 0;
  bool is_per_tensor() const noexcept { return scales.size() == 1; }
  target to() const noexcept {
    return {inner_format(type), {scales[0], zeros[0] + inner_offset(type)}};
  }
};

inline std::vector<float> read_scales(importer& m, int k) {
  const value& s = m.input(k);
  m.require(s.known != nullptr, joined("the scale '", shown(s.name), "' is not a constant"),
            "export a model with constant scales (dynamic ones: DynamicQuantizeLinear, MatMulInteger, Cast, Mul)");
  m.require(s.known->type == data_type::FLOAT, joined("the scale '", shown(s.name), "' has the type ", type_name(s.known->type)), "use float32");
  for (const float v : s.known->reals)
    m.require(fp::is_positive(v), joined("a scale in '", shown(s.name), "' is zero, negative, infinite or NaN"), "quantize the model again");
  m.require(!s.known->reals.empty(), "there is no scale", "quantize the model again");
  m.charge_numbers(s.count());
  return s.known->reals;
}

/// Zero points for `count` scales of shape `shape`.
inline std::vector<int> read_zeros(importer& m, int k, int type, const shape_list& shape, size_t count) {
  m.charge_numbers(count);
  if (!m.has_input(k)) return std::vector<int>(count, 0);
  const value& z = m.input(k);
  const std::string subject = joined("the zero point '", shown(z.name), "'");
  m.require(z.known != nullptr, joined(subject, " is not a constant"), "export a model with constant zero points");
  m.require(z.known->type == type, joined(subject, " has the type ", type_name(z.known->type), " instead of ", type_name(type)),
            "quantize the model again");
  m.require(z.known->count() == count && (count == 1 || z.known->shape == shape), joined(subject, " has another shape than the scale"),
            "quantize the model again");
  if (type == data_type::INT32)
    for (const int v : z.known->integers) m.require(v == 0, joined(subject, " of 32-bit codes is not 0"), "use 0");
  return z.known->integers;
}

inline quantization read_quantization(importer& m, const shape_list& shape, int type) {
  quantization q;
  q.type = type;
  if (q.type == 0) {
    q.type = static_cast<int>(m.integer("output_dtype", 0));
    if (m.has_input(2)) {
      const int stated = q.type;
      q.type = m.input(2).type;
      m.require(stated == 0 || stated == q.type, "output_dtype is another type than the zero point's", "export the model again");
    }
    if (q.type == 0) q.type = data_type::UINT8;
    m.require(is_code(q.type), joined("codes have the type ", type_name(q.type)), "use integers of 2, 4, 8 or 16 bits");
  }
  q.scales = read_scales(m, 1);
  const shape_list& there = m.input(1).shape;
  const int64_t block = m.integer("block_size", 0);
  m.require(block >= 0 && block <= highest_of<int32_t>, joined("block_size is ", block), "use 1 or more");
  q.block = static_cast<int>(block);
  const int rank = static_cast<int>(shape.size());
  if (q.block != 0) {
    q.axis = m.axis_of(m.integer("axis", 1), rank);
    shape_list wanted = shape;
    int& blocks = wanted[static_cast<size_t>(q.axis)];
    blocks = static_cast<int>(ceil_div(int64_t{blocks}, block));
    m.require(there == wanted, joined("blocks of ", q.block, " need scales of shape ", text_of(wanted), ", not ", text_of(there)),
              "quantize the model again");
  } else if (q.scales.size() != 1 || there.size() > 1) {
    q.axis = m.axis_of(m.integer("axis", 1), rank);
    m.require(there.size() == 1 && there[0] == shape[static_cast<size_t>(q.axis)],
              joined("the scales of shape ", text_of(there), " do not fit the axis ", q.axis, " of ", text_of(shape)),
              "give one for each index of the axis");
  }
  q.zeros = read_zeros(m, 2, q.type, there, q.scales.size());
  return q;
}

inline void dequantize_linear(importer& m) {
  m.expect(2, 3);
  value& x = m.input(0);
  m.require(is_code(x.type) || x.type == data_type::INT32, joined("'", shown(x.name), "' has the type ", type_name(x.type)),
            "use integers of 2 to 16 bits, or int32");
  const quantization q = read_quantization(m, x.shape, x.type);
  if (x.known != nullptr) {
    m.define(0, data_type::FLOAT, x.shape).quantized =
        std::make_shared<const quantized_constant>(quantized_constant{x.known, q.scales, q.zeros, q.axis, q.block});
    return;
  }
  if (!q.is_per_tensor()) {
    m.stays_float("its input has more than one scale");
    const edge e = per_axis_node(m, plain_codes(m, x), x.shape, q.scales, q.zeros, q.axis, q.block, false, x.type);
    m.define(0, data_type::FLOAT, x.shape, stored{e, {}});
    return;
  }
  if (x.type == data_type::INT32) return void(m.define(0, data_type::FLOAT, x.shape, real_sums(m, x, q.scales[0])));
  const affine p = q.to().params;
  stored s = code_form(m, x);
  if (!(m.graph().desc(s.any()).params == p)) {
    const edge e = relabelled(m, s.any(), p);
    s = s.plain.node >= 0 ? stored{e, {}} : stored{{}, e};
    m.check_graph();
  }
  m.define(0, data_type::FLOAT, x.shape).codes = s;
  m.record(m.output_name(0), 0);
}

inline void quantize_linear(importer& m) {
  m.expect(2, 3);
  value& x = m.input(0);
  const bool is_sums = x.type == data_type::INT32;
  m.require(x.is_float() || is_sums, joined("'", shown(x.name), "' has the type ", type_name(x.type)), "quantize floats or int32");
  m.require(m.has_input(2) || m.integer("output_dtype", 0) >= 0, "output_dtype is negative", "export the model again");
  const quantization q = read_quantization(m, x.shape, 0);
  m.require(m.integer("precision", 0) == 0 || m.integer("precision", 0) == data_type::FLOAT, "precision is not float32", "use float32");
  if (x.known != nullptr) {
    m.charge_numbers(x.count());
    constant c{.type = q.type, .shape = x.shape};
    const quantized_constant like{x.known, q.scales, q.zeros, q.axis, q.block};
    for (size_t i = 0; i < x.count(); ++i) {
      const size_t s = like.scale_of(i);
      const float v = is_sums ? static_cast<float>(x.known->integers[i]) : x.known->reals[i];
      c.integers.push_back(code_of(v, format_of(q.type), {q.scales[s], q.zeros[s]}));
    }
    m.define_known(0, std::move(c));
    return;
  }
  if (!q.is_per_tensor()) {
    m.stays_float("its output has more than one scale");
    const edge from = is_sums ? m.graph().dequantize(m.name("real"), relabelled(m, plain_codes(m, x), {1.0f, 0})) : plain_reals(m, x);
    const edge e = per_axis_node(m, from, x.shape, q.scales, q.zeros, q.axis, q.block, true, q.type);
    m.define(0, q.type, x.shape, stored{e, {}});
    return;
  }
  const target t = q.to();
  stored s;
  if (x.later != nullptr) s = codes_of(m, *x.later, t);
  if (!s.is_there() && x.later == nullptr && x.has_codes()) {
    const stored& from = code_form(m, x);
    const edge e = recoded(m, from.any(), t);
    s = from.plain.node >= 0 ? stored{e, {}} : stored{{}, e};
  }
  if (!s.is_there()) {
    const stored from = is_sums ? real_sums(m, x, 1.0f) : real_form(m, x);
    const edge e = m.graph().quantize(m.name(), from.any(), {.out = t.params, .out_format = t.format});
    s = from.plain.node >= 0 ? stored{e, {}} : stored{{}, e};
  }
  m.define(0, q.type, x.shape, s);
}

}  // namespace lowbits::onnx
