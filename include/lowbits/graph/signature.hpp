// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the code of a node depends on: its kind, the types of its operands, its rounding. The rest of
// a node is data. Nodes with the same signature share all of their code.

#include <lowbits/graph/report.hpp>
#include <lowbits/op/step.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Attributes that do not matter for a kind have their default value.
struct step_signature {
  op_kind kind = op_kind::input;
  number_type x = number_type::q8, y = number_type::q8, out = number_type::q8;
  rounding policy = rounding::single;
  weight_storage weights = weight_storage::none;
  qformat packed{};          ///< of packed weights
  bool is_external = false;  ///< weights are in a blob, or where coded ones were expanded to
  bool has_wide_bias = false;  ///< 64 bits
  bool has_wide_sums = false;  ///< 64 bits
  bool is_prepared = false;  ///< weights have a layout for each architecture
  bool is_weight_only = false;
  sum_definition sum = sum_definition::single;
  error_compensation ec = error_compensation::none;
  group_factor_kind factors = group_factor_kind::none;

  constexpr bool operator==(const step_signature&) const = default;
};

/// Layers and matmul without requantization.
constexpr bool gives_sums(const step_signature& s) noexcept {
  return s.out == number_type::q32 && (has_weights(s.kind) || s.kind == op_kind::matmul);
}

/// True where the products of two activations need 64 bits.
template <class Graph>
constexpr bool has_wide_products(const Graph& g, int i) noexcept {
  const node& n = g[i];
  const auto depth = static_cast<int64_t>(node_macs(g, i) / n.out.count());
  return depth > product_capacity(infer::largest_value(g[n.in[0]].out), infer::largest_value(g[n.in[1]].out),
                                  highest_of<int32_t>);
}

/// Prepared layouts are for all products of codes; a depthwise one of bytes has no zero point of the weights.
constexpr bool has_prepared_layout(const step_signature& s, const weight_data& w) noexcept {
  if (s.is_weight_only) return true;
  if (s.x == number_type::real) return s.weights != weight_storage::f32 && w.storage != weight_storage::s16;
  return s.kind != op_kind::depthwise || is_word(s.x) || w.zero_point == 0;
}

/// The signature of node i of a graph without errors.
template <class Graph>
constexpr step_signature signature_of(const Graph& g, int i) noexcept {
  const node& n = g[i];
  step_signature s{.kind = n.kind};
  if (n.kind == op_kind::input || n.kind == op_kind::constant || n.kind == op_kind::reshape || n.kind == op_kind::concat ||
      n.kind == op_kind::custom)
    return s;
  s.x = number_type_of(g[n.in[0]].out);
  s.out = number_type_of(n.out);
  if (n.in_count > 1) s.y = number_type_of(g[n.in[1]].out);
  if (n.kind == op_kind::add || n.kind == op_kind::sub) s.sum = n.sum;
  if (n.kind == op_kind::mul || n.kind == op_kind::matmul || n.kind == op_kind::requantize || n.kind == op_kind::quantize ||
      n.kind == op_kind::global_mean || n.kind == op_kind::function)
    s.policy = n.policy;
  if (n.kind == op_kind::matmul && s.x != number_type::real) s.has_wide_sums = has_wide_products(g, i);
  if (has_weights(n.kind)) {
    // A dense layer is a convolution with one tap.
    if (n.kind == op_kind::dense) s.kind = op_kind::conv2d;
    s.policy = n.policy;
    s.weights = n.weights.storage;
    s.is_external = n.weights.is_external || n.weights.is_coded();
    if (n.weights.is_packed()) s.packed = {n.weights.format.bits, n.weights.format.is_signed};
    s.has_wide_bias = n.bias.is_wide;
    s.has_wide_sums = n.bias.is_wide || !fits_int32(g, i);
    s.is_weight_only = n.dynamic == dynamic_definition::weight_only && s.x == number_type::real && s.weights != weight_storage::f32;
    s.is_prepared = has_prepared_layout(s, n.weights);
    if (n.weights.is_grouped) s.factors = n.weights.groups->kind;
  }
  if (gives_sums(s)) {  // 32 bits were proven; prepared ones of bytes by their types, those of words have 64 on their way
    const bool words = is_word(s.x) || n.weights.storable().highest > 255;
    s.is_prepared = s.is_prepared && (words || (is_byte(s.x) && !s.has_wide_sums));
    s.has_wide_sums = false;
  }
  // Such sums are joined in 64 bits, from prepared parts.
  s.ec = n.ec;
  if (s.ec != error_compensation::none) s.has_wide_sums = true, s.is_prepared = has_weights(s.kind);
  if (s.out == number_type::real && has_weights(s.kind)) s.policy = rounding::single;
  if (s.x == number_type::real && n.kind != op_kind::quantize) s.policy = rounding::single, s.sum = sum_definition::single, s.has_wide_sums = false;
  return s;
}

/// Operations on floats that are not the same for every element type.
constexpr bool is_real_operation(const step_signature& s) noexcept {
  return s.x == number_type::real && s.out == number_type::real && s.kind != op_kind::pad && s.kind != op_kind::slice &&
         s.kind != op_kind::transpose && s.kind != op_kind::resize;
}

/// True for a node that computes in floats, which targets without them refuse. What turns floats into codes
/// or codes into floats, as at the ends of a graph, does not count, nor what only moves elements.
template <class Graph>
constexpr bool computes_in_floats(const Graph& g, int i) noexcept {
  const node& n = g[i];
  const bool has_reals = n.out.kind == element::reals && n.in_count != 0 && g[n.in[0]].out.kind == element::reals;
  if (n.kind == op_kind::custom) return has_reals;
  if (n.kind == op_kind::resize)
    return n.mode == resize_mode::bilinear_float || (n.mode == resize_mode::bilinear && has_reals);
  return is_real_operation(signature_of(g, i));
}

}  // namespace lowbits
