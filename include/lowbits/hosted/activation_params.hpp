// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Scales and zero points for every tensor of a float model, from its calibration.

#include <cstdio>
#include <map>
#include <optional>

#include <lowbits/hosted/calibrate.hpp>
#include <lowbits/quant/compensation.hpp>
#include <lowbits/quant/quantize.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// How a float model becomes integers.
struct quantization_recipe {
  int activation_bits = 8;  ///< 8: scale and zero point; 16: scale only
  int weight_bits = 8;      ///< 1 to 16
  bool fit_scales =
      true;  ///< below 8 bits: fit each weight scale to the layer's outputs (correct.hpp)
  bool correct_bias =
      true;  ///< move each bias to where the layer's outputs are nearest (correct.hpp)
  /// Of convolutions and dense layers, where an operand has 16 bits: products of bytes make them.
  error_compensation ec = error_compensation::none;
  /// Parameters that are given, by node name: those of inputs whose codes come from outside.
  std::map<std::string, affine> fixed{};
};

/// A float as short text, for messages.
inline std::string short_text(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", x);
  return text;
}

namespace activation_params {

/// Nodes whose output has the parameters of their inputs.
inline bool shares_parameters(op_kind k) noexcept {
  return k == op_kind::max_pool || k == op_kind::average_pool || k == op_kind::reshape ||
      k == op_kind::concat;
}

/// Tensors that must have equal parameters: the lowest node of each one's group.
inline std::vector<int> groups(const float_model& m) {
  std::vector<int> root(m.size());
  for (size_t i = 0; i < root.size(); ++i) root[i] = static_cast<int>(i);
  const auto find = [&](int i) {
    while (root[static_cast<size_t>(i)] != i) i = root[static_cast<size_t>(i)];
    return i;
  };
  for (int i = 0; i < static_cast<int>(m.size()); ++i)
    if (shares_parameters(m[i].kind))
      for (int k : m[i].in) {
        const int a = find(i), b = find(k);
        root[static_cast<size_t>(larger(a, b))] = smaller(a, b);
      }
  for (int i = 0; i < static_cast<int>(m.size()); ++i) root[static_cast<size_t>(i)] = find(i);
  return root;
}

inline std::optional<affine> given(const float_node& n, const quantization_recipe& r) {
  const auto f = r.fixed.find(n.name);
  if (n.kind == op_kind::softmax)
    return r.activation_bits == 16 ? affine{1.0f / 32768, 0} : affine{1.0f / 256, -128};
  if (f == r.fixed.end()) return {};
  return f->second;
}

template <quantized_type Q>
affine from_range(const value_range& r) {
  if constexpr (Q::bits == 8) return affine_from_range<Q>(r.lowest, r.highest);
  else return symmetric_from_magnitude<Q>(larger(-r.lowest, r.highest));
}

}  // namespace activation_params

/// The description of every tensor as codes. A fused activation has narrowed its range already.
inline std::vector<tensor_desc> choose_parameters(const float_model& m, const calibration& c,
                                                  const quantization_recipe& r) {
  namespace ap = activation_params;
  if (c.nodes.size() != m.size())
    refuse("quantize_model", "the calibration is of another model",
           "call calibrate() with this one");
  if (r.activation_bits != 8 && r.activation_bits != 16)
    refuse("quantize_model", joined("activations of ", r.activation_bits, " bits are asked for"),
           "choose 8 or 16");
  const qformat format = r.activation_bits == 8 ? qformat::of<q8>() : qformat::of<q16>();
  const auto wrong = [&](const std::string& name) {
    refuse("quantize_model",
           joined("the parameters fixed for node '", name,
                  "' have a scale that is not above zero, or a zero point outside the type"),
           "give a finite scale above zero and a zero point the codes can hold");
  };
  for (const auto& [name, p] : r.fixed) {
    bool known = false;
    for (size_t i = 0; i < m.size(); ++i) known = known || m[static_cast<int>(i)].name == name;
    if (!known)
      refuse("quantize_model",
             joined("parameters are fixed for node '", name, "', which the model does not have"),
             "correct the name");
    if (!is_valid(p, format)) wrong(name);
  }

  const std::vector<int> group = ap::groups(m);
  std::vector<value_range> range(m.size());
  std::vector<std::optional<affine>> given(m.size());
  for (size_t i = 0; i < m.size(); ++i) {
    const float_node& n = m[static_cast<int>(i)];
    const auto g = static_cast<size_t>(group[i]);
    if (c.nodes[i].not_finite != 0)
      refuse("quantize_model",
             joined(c.nodes[i].not_finite, " values of node '", n.name,
                    "' were NaN or infinite in calibration"),
             "correct the samples or the weights in front of it");
    const value_range& seen = c.nodes[i].range;
    range[g] = g == i ? seen
                      : value_range{smaller(range[g].lowest, seen.lowest),
                                    larger(range[g].highest, seen.highest)};
    if (const auto p = ap::given(n, r)) {
      if (given[g] && *given[g] != *p)
        refuse("quantize_model",
               joined("node '", n.name, "' must share its parameters with '", m[group[i]].name,
                      "', but others are fixed for it"),
               "fix the same parameters for both, or none");
      given[g] = p;
    }
  }

  std::vector<tensor_desc> out(m.size());
  for (size_t i = 0; i < m.size(); ++i) {
    const auto g = static_cast<size_t>(group[i]);
    const affine p = given[g]    ? *given[g]
        : r.activation_bits == 8 ? ap::from_range<q8>(range[g])
                                 : ap::from_range<q16>(range[g]);
    out[i] = {m[static_cast<int>(i)].out.shape, element::codes, format, p};
  }
  return out;
}

}  // namespace lowbits
