// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Codes to other codes: another scale, another type, a function of one number. For up to 8 bits that is
// a table of 256 bytes with exactly the codes that DequantizeLinear, float operators and QuantizeLinear
// give.

#include <lowbits/hosted/onnx/layout.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

using imported::code_of;
using imported::real_of;

inline edge table_node(importer& m, edge x, const std::vector<uint8_t>& bytes, const qformat& f, const affine& p, std::string_view purpose) {
  function_table t;
  t.bytes = m.keep(bytes);
  t.is_bound = true;
  return m.graph().table(m.name(purpose), x, t, {.out = p, .out_format = f});
}

/// Codes whose stored numbers stay while what they stand for changes.
inline edge relabelled(importer& m, edge x, const affine& p) {
  const tensor_desc d = m.graph().desc(x);
  if (d.params == p) return x;
  if (d.is_wide()) return m.graph().relabel(m.name("relabelled"), x, p);
  m.require(d.format.bits <= 8, "16-bit codes are read with another scale or zero point than they were made with",
            "quantize the model again");
  std::vector<uint8_t> bytes;
  for (int b = 0; b < 256; ++b) bytes.push_back(static_cast<uint8_t>(b));
  return table_node(m, x, bytes, d.format, p, "relabelled");
}

/// The floats that 32-bit codes stand for, one step being `scale`.
inline stored real_sums(importer& m, value& x, float scale) {
  const stored& s = code_form(m, x);
  const edge e = m.graph().dequantize(m.name(), relabelled(m, s.any(), {scale, 0}));
  return s.plain.node >= 0 ? stored{e, {}} : stored{{}, e};
}

/// f of the real numbers, as codes of t; a code outside of its type counts as the nearer end.
template <class Function>
edge mapped(importer& m, edge x, const target& t, const Function& f, std::string_view purpose = {}) {
  const tensor_desc d = m.graph().desc(x);
  std::vector<uint8_t> bytes(256);
  std::vector<int> codes(256);
  for (int b = 0; b < 256; ++b) {
    const int code = clamp<int>(d.format.is_signed ? static_cast<int8_t>(b) : b, d.format.lowest(), d.format.highest());
    codes[static_cast<size_t>(b)] = code_of(f(real_of(code, d.params)), t.format, t.params);
    bytes[static_cast<size_t>(b)] = static_cast<uint8_t>(codes[static_cast<size_t>(b)]);
  }
  // A clamp needs no table, and what changes nothing no node.
  if (d.format == t.format && d.params == t.params)
    for (const activation a : {activation::none, activation::relu, activation::relu6, activation::relu_n1_to_1}) {
      const code_range r = clamp_codes(a, t.format, t.params);
      bool is_clamp = true;
      for (int b = 0; b < 256 && is_clamp; ++b) {
        const int code = clamp<int>(d.format.is_signed ? static_cast<int8_t>(b) : b, d.format.lowest(), d.format.highest());
        is_clamp = codes[static_cast<size_t>(b)] == clamp(code, r.lowest, r.highest);
      }
      if (is_clamp && a == activation::none) return x;
      if (is_clamp) return m.graph().requantize(m.name(purpose), x, {.out = t.params, .out_format = t.format, .fused = a});
    }
  return table_node(m, x, bytes, t.format, t.params, purpose);
}

inline bool is_byte(const qformat& f) noexcept { return f.bits <= 8; }

/// The same numbers as codes of t.
inline edge recoded(importer& m, edge x, const target& t, std::string_view purpose = {}) {
  const tensor_desc d = m.graph().desc(x);
  if (d.format == t.format && d.params == t.params) return x;
  if (is_byte(d.format) && is_byte(t.format)) return mapped(m, x, t, [](float v) { return v; }, purpose);
  return m.graph().requantize(m.name(purpose), x, {.out = t.params, .out_format = t.format, .fused = t.fused});
}
/// The same codes in 16 bits.
inline edge widened(importer& m, edge x) {
  const tensor_desc d = m.graph().desc(x);
  if (!is_byte(d.format)) return x;
  return m.graph().requantize(m.name("wide"), x, {.out = d.params, .out_format = {16, true}});
}
/// Bytes of the other sign.
inline edge with_sign(importer& m, edge x, bool is_signed) {
  const tensor_desc d = m.graph().desc(x);
  if (!is_byte(d.format) || d.format.is_signed == is_signed) return x;
  const int offset = is_signed ? -128 : 128;
  const target t{{8, is_signed}, {d.params.scale, d.params.zero_point + offset}};
  std::vector<uint8_t> bytes;
  for (int b = 0; b < 256; ++b) bytes.push_back(static_cast<uint8_t>(b ^ 128));
  return table_node(m, x, bytes, t.format, t.params, is_signed ? "signed" : "unsigned");
}

/// Emits a node with number types that there is code for: emit(edges, target) is called with operands
/// and a result of one type, and its result brought to the type that is wanted. Where is_mixed, bytes of
/// different signs may go in and out.
template <class Emit>
edge with_types(importer& m, std::vector<edge> x, const target& t, bool wide, bool is_mixed, const Emit& emit) {
  for (const edge e : x) wide = wide || !is_byte(m.graph().desc(e).format);
  wide = wide || !is_byte(t.format);
  for (edge& e : x) {
    if (wide) e = widened(m, e);
    else if (!is_mixed) e = with_sign(m, e, t.format.is_signed);
  }
  if (!wide || !is_byte(t.format)) return emit(x, t);
  const edge y = emit(x, target{{16, true}, t.params});
  return m.graph().requantize(m.name("narrow"), y, {.out = t.params, .out_format = t.format, .fused = t.fused});
}

/// The result of a deferred operator as codes, its bounds included; nothing there where it cannot be.
inline stored codes_of(importer& m, const deferred& d, target t) {
  if (!d.as_codes) return {};
  const code_range bounds{fp::is_finite(d.lowest) ? code_of(d.lowest, t.format, t.params) : t.format.lowest(),
                          fp::is_finite(d.highest) ? code_of(d.highest, t.format, t.params) : t.format.highest()};
  for (const activation a : {activation::none, activation::relu, activation::relu6, activation::relu_n1_to_1})
    if (clamp_codes(a, t.format, t.params) == bounds) {
      t.fused = a;
      return d.as_codes(t);
    }
  stored s = d.as_codes(t);
  if (!s.is_there()) return s;
  edge e = s.any();
  if (is_byte(t.format)) {
    e = mapped(m, e, t, [&](float v) { return clamp(v, d.lowest, d.highest); }, "clip");
  } else {
    const tensor_desc bound{.shape = {1, {1}}, .format = t.format, .params = t.params};
    const auto limit = [&](int code) {
      const auto* const at = m.keep(std::vector<int16_t>{static_cast<int16_t>(code)});
      return m.graph().constant(m.name("bound"), bound, {number_type::q16, at, 1});
    };
    const output_options o{.out = t.params, .out_format = t.format};
    if (bounds.lowest != t.format.lowest()) e = m.graph().maximum(m.name("clip"), e, limit(bounds.lowest), o);
    if (bounds.highest != t.format.highest()) e = m.graph().minimum(m.name("clip"), e, limit(bounds.highest), o);
  }
  m.check_graph();
  return s.plain.node >= 0 ? stored{e, {}} : stored{{}, e};
}

}  // namespace lowbits::onnx
