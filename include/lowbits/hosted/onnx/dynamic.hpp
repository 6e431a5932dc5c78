// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// DynamicQuantizeLinear, MatMulInteger, ConvInteger, Cast, and the Mul and Add behind them:
//
//   x -> DynamicQuantizeLinear -> MatMulInteger or ConvInteger -> Cast -> Mul by scale * weight scale [-> Add]
//
// is one dynamic layer of the graph. Each step of it is a value that is only known by what it stands
// for until the layer is complete. Products of other codes are in sums.hpp.

#include <lowbits/hosted/onnx/sums.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

/// Of `source`, a float tensor: its codes, their scale or zero point; or the sums of a layer of it. The
/// scale and the sums may have been multiplied by constants.
struct dynamic_value {
  enum class role { codes, scale, zero, sums } is = role::codes;
  value* source = nullptr;
  std::vector<float> factors{1.0f};  ///< one, or one for each output channel
  /// sums: the layer with these factors as weight scales and a bias, or none
  std::function<std::shared_ptr<deferred>(std::vector<float>, const value*)> layer{};
  int channels = 0, channel_axis = 0;
};

/// Where something else needs the value itself.
inline void make_dynamic(importer& m, value& v) {
  using role = dynamic_value::role;
  const dynamic_value d = *v.dynamic;
  m.require(d.is != role::sums, joined("'", shown(v.name), "' are sums that were not multiplied by the scale of their codes"),
            "multiply them by the scale that DynamicQuantizeLinear gives");
  m.require(d.factors.size() == 1 && d.factors[0] == 1.0f, joined("'", shown(v.name), "' is a scale that nothing but sums should be multiplied by"),
            "export the model again");
  m.stays_float("its parameters are found while it runs");
  v.dynamic = nullptr;
  tensor_desc out{.shape = extents_of(v.shape), .format = {8, false}};
  custom_run run = imported::dynamic_codes;
  if (d.is == role::scale) {
    out.kind = element::reals;
    out.format = {};
    run = imported::dynamic_scale;
  } else if (d.is == role::zero) {
    run = imported::dynamic_zero_point;
  }
  const edge e = m.graph().custom(m.name_like(v.name, "dynamic"), plain_reals(m, *d.source), {.run = run, .out = out});
  m.check_graph();
  (d.is == role::scale ? v.reals : v.codes) = {e, {}};
}

inline void dynamic_quantize_linear(importer& m) {
  m.expect(1, 1, 3);
  value& x = m.input(0);
  m.require(x.is_float(), joined("'", shown(x.name), "' has the type ", type_name(x.type)), "quantize floats");
  using role = dynamic_value::role;
  const role roles[] = {role::codes, role::scale, role::zero};
  for (int k = 0; k < 3; ++k) {
    if (!m.has_output(k)) continue;
    value& y = m.define(k, k == 1 ? data_type::FLOAT : data_type::UINT8, k == 0 ? x.shape : shape_list{});
    y.dynamic = std::make_shared<dynamic_value>(dynamic_value{.is = roles[k], .source = &x});
  }
}

/// The layer as floats around its weights. All rows of a product are quantized together, as ONNX does.
struct dynamic_layer {
  std::shared_ptr<const quantized_constant> weights{};
  bool is_conv = false;
  convolution conv{};
  dense_layer dense{};
  shape_list shape{};
};
inline std::shared_ptr<deferred> later_dynamic(importer& m, value& x, const dynamic_layer& l, const std::vector<float>& factors, const value* b,
                                               int index) {
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  d->channel_axis = l.is_conv ? 1 : static_cast<int>(l.shape.size()) - 1;
  d->as_reals = [&m, &x, l, factors, b, index]() -> stored {
    const visit here(m, index);
    m.stays_float("its input is quantized while it runs");
    quantized_constant q = *l.weights;
    const int channels = l.is_conv ? l.conv.channels : l.dense.units;
    q.scales = factors;
    if (q.zeros.size() != q.scales.size()) {
      if (q.scales.size() == 1) q.scales.assign(q.zeros.size(), factors[0]);
      else q.zeros.assign(q.scales.size(), q.zeros[0]);
    }
    q.axis = l.is_conv ? 0 : l.dense.channel_axis();
    const layer_weights w = weights_of(m, q, l.is_conv ? l.conv.axes : l.dense.axes());
    m.require(!w.needs_wide, "the weights have zero points per channel that are far apart", "make them symmetric");
    const bias_data bias = real_bias(m, b, 1.0f, channels);
    if (l.is_conv) {
      if (x.extent(0) > 1) m.note(joined("node '", shown(m.output_name(0)), "': each image is quantized by its own range"));
      const edge e = convolution_node(m, image_reals(m, x), l.conv, w.data, bias, {}, dynamic_definition::onnx);
      m.check_graph();
      m.record(m.output_name(0), 0);
      return {{}, e};
    }
    // One image of as many pixels as there are rows.
    const edge rows = m.graph().reshape(m.name("rows"), plain_reals(m, x), {1, l.dense.rows, 1, l.dense.depth});
    const edge e = m.graph().conv2d(m.name("product"), rows, {.out_c = channels, .weights = w.data, .bias = bias, .dynamic = dynamic_definition::onnx});
    return with_shape(m, e, l.shape);
  };
  if (b == nullptr)
    d->with_bias = [&m, &x, l, factors, index](const value& bias) { return later_dynamic(m, x, l, factors, &bias, index); };
  return d;
}

/// MatMulInteger and ConvInteger.
inline void integer_product(importer& m, bool is_conv) {
  m.expect(2, 4);
  using role = dynamic_value::role;
  value &x = m.input(0), &w = m.input(1);
  if (x.dynamic == nullptr) return sums_of_products(m, x, w, is_conv);
  const std::string cure = "use QLinearConv, QLinearMatMul, or DynamicQuantizeLinear before it and Cast and Mul behind it";
  m.require(x.dynamic->is == role::codes && w.known != nullptr && is_code(w.type) && (is_conv || w.rank() == 2),
            "the right side of a product with codes of DynamicQuantizeLinear is not a constant matrix", cure);
  value& source = *x.dynamic->source;
  m.require(m.has_input(2) && m.input(2).dynamic != nullptr && m.input(2).dynamic->is == role::zero && m.input(2).dynamic->source == &source,
            "the zero point is not the one that DynamicQuantizeLinear gives", cure);
  dynamic_layer l;
  l.is_conv = is_conv;
  auto d = std::make_shared<dynamic_value>(dynamic_value{.is = role::sums, .source = &source});
  if (is_conv) {
    l.conv = read_convolution(m, x, w);
    l.shape = window_output(x.shape, l.conv.at, l.conv.channels);
    d->channels = l.conv.channels;
    d->channel_axis = 1;
  } else {
    const matmul_form f = read_matmul(m, x, w);
    l.dense = {static_cast<int>(x.count() / static_cast<size_t>(w.extent(0))), w.extent(0), w.extent(1)};
    l.shape = f.result;
    d->channels = l.dense.units;
    d->channel_axis = static_cast<int>(l.shape.size()) - 1;
  }
  const std::vector<int> zeros = given_zeros(m, 3, w, d->channels);
  m.charge_numbers(zeros.size());
  l.weights = std::make_shared<const quantized_constant>(quantized_constant{w.known, std::vector<float>(zeros.size(), 1.0f), zeros, 0, 0});
  const int index = m.index();
  d->layer = [&m, &source, l, index](std::vector<float> factors, const value* b) { return later_dynamic(m, source, l, factors, b, index); };
  m.define(0, data_type::INT32, l.shape).dynamic = std::move(d);
}

inline void cast(importer& m) {
  m.expect(1, 1);
  value& x = m.input(0);
  const auto to = static_cast<int>(clamp<int64_t>(m.integer("to", 0), 0, 1000));
  if (x.known != nullptr) m.charge_numbers(x.count());
  if (x.known != nullptr && is_real(to) == is_real(x.known->type) && bits_of(to) >= bits_of(x.known->type)) {
    constant c = *x.known;
    c.type = to;
    return m.define_known(0, std::move(c));
  }
  if (x.known != nullptr && to == data_type::FLOAT) {
    constant c{.type = to, .shape = x.shape};
    for (const int32_t v : x.known->integers) c.reals.push_back(static_cast<float>(v));
    return m.define_known(0, std::move(c));
  }
  if (x.type == data_type::INT32 && to == data_type::FLOAT && x.dynamic == nullptr)
    return void(m.define(0, data_type::FLOAT, x.shape, real_sums(m, x, 1.0f)));
  m.require(to == data_type::FLOAT && (x.is_float() || (x.dynamic != nullptr && x.dynamic->is == dynamic_value::role::sums)),
            joined("it converts ", type_name(x.type), " to ", type_name(to)), "convert 32-bit sums to float32 only");
  if (x.dynamic != nullptr) {
    const auto d = x.dynamic;
    m.define(0, data_type::FLOAT, x.shape).dynamic = d;
    return;
  }
  const stored s = real_form(m, x);
  m.define(0, data_type::FLOAT, x.shape).reals = s;
}

/// One factor, or one for each channel, from a constant that is multiplied by sums or a scale.
inline std::vector<float> multiplied(importer& m, const std::vector<float>& a, const std::vector<float>& b) {
  m.require(a.size() == b.size() || a.size() == 1 || b.size() == 1, "the scales do not fit together", "export the model again");
  std::vector<float> out(larger(a.size(), b.size()));
  for (size_t i = 0; i < out.size(); ++i) out[i] = fp::product(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
  return out;
}

/// Mul where one side is the scale or the sums of a dynamic layer. False where it is an ordinary Mul.
inline bool dynamic_pair(importer& m, op_kind kind, value& x, value& y, const shape_list& shape) {
  using role = dynamic_value::role;
  if (kind != op_kind::mul) return false;
  for (auto [a, b] : {std::pair(&x, &y), std::pair(&y, &x)}) {
    if (a->dynamic == nullptr) continue;
    const dynamic_value& d = *a->dynamic;
    if (d.is == role::scale && b->known != nullptr && is_real(b->known->type)) {
      auto next = std::make_shared<dynamic_value>(d);
      next->factors = multiplied(m, d.factors, b->known->reals);
      m.define(0, data_type::FLOAT, shape).dynamic = std::move(next);
      return true;
    }
    if (d.is != role::sums || !a->is_float() || shape != a->shape) continue;
    if (is_per_channel(*b, shape, d.channel_axis) && b->known != nullptr) {
      auto next = std::make_shared<dynamic_value>(d);
      next->factors = multiplied(m, d.factors, b->known->reals);
      m.define(0, data_type::FLOAT, shape).dynamic = std::move(next);
      return true;
    }
    if (b->dynamic == nullptr || b->dynamic->is != role::scale || b->dynamic->source != d.source) continue;
    const std::vector<float> factors = multiplied(m, d.factors, b->dynamic->factors);
    m.require(factors.size() == 1 || factors.size() == static_cast<size_t>(d.channels), "the scale does not fit the channels", "export the model again");
    for (const float f : factors) m.require(fp::is_positive(f), "a weight scale is zero, negative, infinite or NaN", "quantize the model again");
    auto later = d.layer(factors, nullptr);
    m.define(0, data_type::FLOAT, shape).later = std::move(later);
    return true;
  }
  return false;
}

}  // namespace lowbits::onnx
