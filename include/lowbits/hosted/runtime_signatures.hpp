// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The signatures of nodes that run-time models have code for. Weights in fewer bits than their storage
// has are unpacked first, so packed ones do not appear.

#include <lowbits/graph/signature.hpp>

namespace lowbits::inline LOWBITS_ABI::runtime_signatures {

struct list {
  static constexpr size_t capacity = 460;
  step_signature value[capacity]{};
  size_t count = 0;

  constexpr void add(const step_signature& s) noexcept { value[count++] = s; }
};

inline constexpr number_type bytes[] = {number_type::q8, number_type::u8};
inline constexpr number_type codes[] = {number_type::q8, number_type::u8, number_type::q16, number_type::u16};
inline constexpr number_type numbers[] = {number_type::q8, number_type::u8, number_type::q16, number_type::u16, number_type::q32, number_type::real};
inline constexpr number_type sums = number_type::q32;
/// What models with 8-bit activations are rounded by, and those with 16-bit ones.
inline constexpr rounding roundings[] = {rounding::single, rounding::double_gemmlowp, rounding::even_float};
inline constexpr rounding wide_roundings[] = {rounding::single, rounding::tflite_int64, rounding::double_gemmlowp,
                                              rounding::even_float};

constexpr void add_weighted(list& l, op_kind kind) noexcept {
  for (rounding r : roundings)
    for (number_type x : bytes)
      for (number_type out : bytes) {
        step_signature s{.kind = kind, .x = x, .out = out, .policy = r, .weights = weight_storage::s8};
        l.add(s);  // portable: serves where the prepared one is not here
        s.is_prepared = x == out;
        if (x == out) l.add(s);
        s.is_prepared = false;
        s.has_wide_sums = true;
        if (x == out) l.add(s);
      }
  // With a bias in real numbers: floats come out, or ncnn's codes.
  for (number_type x : bytes)
    for (bool is_prepared : {false, true}) {
      l.add({.kind = kind, .x = x, .out = number_type::real, .weights = weight_storage::s8, .is_prepared = is_prepared});
      if (x == number_type::q8)
        l.add({.kind = kind, .x = x, .out = x, .policy = rounding::away_bias, .weights = weight_storage::s8,
               .is_prepared = is_prepared});
    }
  // Without requantization.
  for (number_type x : bytes)
    for (bool is_prepared : {false, true})
      l.add({.kind = kind, .x = x, .out = sums, .weights = weight_storage::s8, .is_prepared = is_prepared});
  for (weight_storage w : {weight_storage::s8, weight_storage::s16})
    for (bool is_prepared : {false, true})
      l.add({.kind = kind, .x = number_type::q16, .out = sums, .weights = w, .is_prepared = is_prepared});
  for (rounding r : wide_roundings)
    for (weight_storage w : {weight_storage::s8, weight_storage::s16})
      for (bool wide_bias : {false, true}) {
        step_signature s{.kind = kind, .x = number_type::q16, .out = number_type::q16, .policy = r, .weights = w,
                         .has_wide_bias = wide_bias, .has_wide_sums = true};
        l.add(s);
        s.has_wide_sums = false;
        if (!wide_bias) l.add(s);
      }
  // Prepared ones for what TFLite, ONNX and quantize_model make; place_of says why their sums are always wide.
  const auto add_words = [&](rounding r, weight_storage w, bool wide_bias) {
    l.add({.kind = kind, .x = number_type::q16, .out = number_type::q16, .policy = r, .weights = w, .has_wide_bias = wide_bias,
           .has_wide_sums = true, .is_prepared = true});
  };
  for (bool wide_bias : {false, true}) {
    add_words(rounding::tflite_int64, weight_storage::s8, wide_bias);
    for (weight_storage w : {weight_storage::s8, weight_storage::s16}) add_words(rounding::single, w, wide_bias);
  }
  add_words(rounding::double_gemmlowp, weight_storage::s8, false);
  for (weight_storage w : {weight_storage::s8, weight_storage::s16}) add_words(rounding::even_float, w, false);
}

/// Dense layers with factors for groups.
constexpr void add_grouped(list& l) noexcept {
  step_signature s{.kind = op_kind::conv2d, .weights = weight_storage::s8, .is_prepared = true};
  const auto add = [&](number_type x, number_type out, group_factor_kind factors) {
    s.x = x, s.out = out, s.factors = factors;
    l.add(s);
  };
  for (number_type x : bytes)
    for (number_type out : {x, sums, number_type::real}) add(x, out, group_factor_kind::bytes);
  for (group_factor_kind f : {group_factor_kind::bytes, group_factor_kind::halves, group_factor_kind::reals}) {
    if (f != group_factor_kind::bytes) add(number_type::q8, number_type::real, f);
    add(number_type::real, number_type::real, f);
  }
}

constexpr void add_binary(list& l) noexcept {
  for (number_type t : {number_type::q8, number_type::u8, number_type::q16}) {
    const auto same = [&](op_kind kind) { return step_signature{.kind = kind, .x = t, .y = t, .out = t}; };
    for (op_kind kind : {op_kind::add, op_kind::sub})
      for (sum_definition d : {sum_definition::single, sum_definition::tflite}) {
        step_signature s = same(kind);
        s.sum = d;
        l.add(s);
      }
    l.add({.kind = op_kind::matmul, .x = t, .y = t, .out = sums});
    l.add(same(op_kind::minimum));
    l.add(same(op_kind::maximum));
    for (rounding r : roundings) {
      step_signature s = same(op_kind::mul);
      s.policy = r;
      l.add(s);
    }
    for (rounding r : wide_roundings)
      for (bool wide : {false, true}) {
        if (r == rounding::tflite_int64 && t != number_type::q16) continue;
        step_signature s = same(op_kind::matmul);
        s.policy = r;
        s.has_wide_sums = wide;
        l.add(s);
      }
  }
}

inline constexpr list all = [] {
  list l;
  for (op_kind kind : {op_kind::input, op_kind::constant, op_kind::reshape, op_kind::concat, op_kind::custom}) l.add({.kind = kind});
  for (op_kind kind : {op_kind::conv2d, op_kind::depthwise, op_kind::transposed_conv2d}) add_weighted(l, kind);
  add_grouped(l);
  add_binary(l);
  for (number_type t : codes)
    for (op_kind kind : {op_kind::max_pool, op_kind::average_pool}) l.add({.kind = kind, .x = t, .out = t});
  for (number_type t : {number_type::q8, number_type::u8, number_type::q16})
    for (op_kind kind : {op_kind::softmax, op_kind::global_mean, op_kind::resize}) l.add({.kind = kind, .x = t, .out = t});
  for (number_type t : {number_type::q8, number_type::u8, number_type::q16})
    for (number_type grid : {number_type::q8, number_type::q16})
      l.add({.kind = op_kind::grid_sample, .x = t, .y = grid, .out = t});
  for (number_type x : codes)
    for (number_type out : codes) {
      for (rounding r : {rounding::single, rounding::double_gemmlowp})
        l.add({.kind = op_kind::requantize, .x = x, .out = out, .policy = r});
      if (is_byte(x) && is_byte(out)) l.add({.kind = op_kind::function, .x = x, .out = out});
    }
  for (rounding r : {rounding::single, rounding::double_gemmlowp}) {
    for (number_type t : codes) {
      l.add({.kind = op_kind::requantize, .x = t, .out = sums, .policy = r});
      l.add({.kind = op_kind::requantize, .x = sums, .out = t, .policy = r});
    }
    l.add({.kind = op_kind::requantize, .x = sums, .out = sums, .policy = r});
  }
  for (rounding r : {rounding::single, rounding::tflite_int64})
    l.add({.kind = op_kind::function, .x = number_type::q16, .out = number_type::q16, .policy = r});
  l.add({.kind = op_kind::requantize, .x = number_type::q16, .out = number_type::q16, .policy = rounding::away_float});
  for (number_type x : bytes) l.add({.kind = op_kind::softmax, .x = x, .out = number_type::q16});
  for (number_type t : {number_type::q8, number_type::u8, number_type::q16})
    l.add({.kind = op_kind::global_mean, .x = t, .out = t, .policy = rounding::double_gemmlowp});
  l.add({.kind = op_kind::dequantize, .x = sums, .out = number_type::real});
  for (number_type t : codes) {
    for (rounding r : {rounding::single, rounding::away_float})
      l.add({.kind = op_kind::quantize, .x = number_type::real, .out = t, .policy = r});
    l.add({.kind = op_kind::dequantize, .x = t, .out = number_type::real});
  }
  for (op_kind kind : {op_kind::conv2d, op_kind::depthwise, op_kind::transposed_conv2d})
    for (weight_storage w : {weight_storage::f32, weight_storage::s8})
      l.add({.kind = kind, .x = number_type::real, .out = number_type::real, .weights = w, .is_prepared = w == weight_storage::s8});
  for (weight_storage w : {weight_storage::s8, weight_storage::s16})
    l.add({.kind = op_kind::conv2d, .x = number_type::real, .out = number_type::real, .weights = w, .is_prepared = true, .is_weight_only = true});
  for (op_kind kind : {op_kind::max_pool, op_kind::average_pool, op_kind::global_mean, op_kind::softmax, op_kind::resize,
                       op_kind::function, op_kind::requantize})
    l.add({.kind = kind, .x = number_type::real, .out = number_type::real});
  for (op_kind kind : {op_kind::add, op_kind::sub, op_kind::mul, op_kind::minimum, op_kind::maximum, op_kind::matmul})
    l.add({.kind = kind, .x = number_type::real, .y = number_type::real, .out = number_type::real});
  for (number_type t : numbers)
    for (op_kind kind : {op_kind::pad, op_kind::slice, op_kind::transpose}) l.add({.kind = kind, .x = t, .out = t});
  return l;
}();

/// Where the code for a signature is in the list; list::capacity without any. Prepared products of words are summed in 64 bits
/// whatever the sums need: layout and result are the same.
constexpr size_t place_of(step_signature s) noexcept {
  if (s.is_prepared && is_word(s.x) && s.out != sums) s.has_wide_sums = true;
  for (size_t k = 0; k < all.count; ++k)
    if (all.value[k] == s) return k;
  return list::capacity;
}

}  // namespace lowbits::runtime_signatures
