// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// RNN, LSTM and GRU whose gates are floats; their products are of floats, or of codes that each step's vectors become
// (dynamic quantization). This is the definition; every operation is rounded on its own, in the order written here. ONNX's
// operators (RNN, LSTM, GRU) but for the order of rows.
//
//   a    = (bias + Wx x) + Wh h                                     per row
//   RNN    h = f(a)
//   LSTM   i = f(a_i + p_i c), F = f(a_f + p_f c), g = g(a_g); c = F c + i g; o = f(a_o + p_o c); h = o h(c)
//   GRU    r = f(a_r), z = f(a_z), n = g(bias_x + Wx x + Wh (r h) + bias_h), with reset_after
//          n = g(bias_x + Wx x + r (Wh h + bias_h)); h = (1 - z) n + z h

#include <lowbits/fixed/functions.hpp>
#include <lowbits/ref/dynamic_layer.hpp>
#include <lowbits/ref/recurrent.hpp>

namespace lowbits::inline LOWBITS_ABI {

enum class recurrent_function : uint8_t { logistic, tanh, relu };

/// The functions f, g and h above; `clip`, above 0, holds their arguments in [-clip, clip].
struct recurrent_options {
  recurrent_function f = recurrent_function::logistic, g = recurrent_function::tanh, h = recurrent_function::tanh;
  float clip = 0.0f;
  bool coupled = false;      ///< LSTM: i = 1 - F; the rows of i are not read
  bool reset_after = false;  ///< GRU: r multiplies what Wh has made of h
};

/// Wx x or Wh h for all rows. w is [rows][depth].
struct real_rows {
  const float* w = nullptr;
  int rows = 0, depth = 0;

  constexpr void operator()(const float* v, float* to) const noexcept { some(0, rows, v, to); }
  /// Only rows [first, last).
  constexpr void some(int first, int last, const float* v, float* to) const noexcept {
    for (int r = first; r < last; ++r) {
      float sum = 0;
      for (int k = 0; k < depth; ++k) sum = fp::sum(sum, fp::product(v[k], w[ptrdiff_t{r} * depth + k]));
      *to++ = sum;
    }
  }
};

/// The same with weights of up to 8 bits, a scale for each row and no zero points: each vector becomes codes by one of the
/// rules of dynamic_layer.hpp, products are exact. W is a pointer or a packed_view.
template <class W>
struct dynamic_rows {
  W w;
  const float* scales = nullptr;
  int rows = 0, depth = 0;
  dynamic_definition definition = dynamic_definition::symmetric;
  int8_t* codes = nullptr;  ///< room for `depth`

  constexpr void operator()(const float* v, float* to) const noexcept { some(0, rows, v, to); }
  constexpr void some(int first, int last, const float* v, float* to) const noexcept {
    const affine p = ref::dynamic_codes(definition, static_cast<size_t>(depth), v, codes);
    for (int r = first; r < last; ++r) {
      int32_t sum = 0;
      for (int k = 0; k < depth; ++k) sum += (codes[k] - p.zero_point) * int{w[static_cast<size_t>(ptrdiff_t{r} * depth + k)]};
      *to++ = fp::product(static_cast<float>(sum), fp::product(p.scale, scales[r]));
    }
  }
};

namespace ref {

constexpr float recurrent_value(recurrent_function f, float clip, float a) noexcept {
  if (clip > 0.0f) a = a > clip ? clip : a < -clip ? -clip : a;
  switch (f) {
    case recurrent_function::logistic: return fp_sigmoid(a);
    case recurrent_function::tanh: return fp_tanh(a);
    case recurrent_function::relu: break;
  }
  return a < 0.0f ? 0.0f : a;
}

namespace detail {

constexpr float at_or_0(const float* p, int i) noexcept { return p != nullptr ? p[i] : 0.0f; }
/// (bias + x) + h
constexpr float gate(const float* bias, int r, const float* x, const float* h) noexcept {
  return fp::sum(fp::sum(at_or_0(bias, r), x[r]), h[r]);
}
constexpr void put_zeros(const recurrent_shape& s, int b, int t, float* y) noexcept {
  for (int j = 0; j < s.units; ++j) y[s.y_at(b, t) + j] = 0.0f;
}

}  // namespace detail

/// bias [units] may be null; h [batch][units] is the state before and after; work is room for 2 * units floats. Steps past a
/// sequence's length give 0 and leave the state alone. The function is o.f.
template <class Rows>
constexpr void real_rnn(const recurrent_shape& s, const recurrent_options& o, const Rows& wx, const Rows& wh, const float* bias,
                        const float* x, const int* lengths, float* h, float* work, float* y) noexcept {
  for (int b = 0; b < s.batch; ++b, h += s.units)
    for_each_step(
        s, lengths, b,
        [&](int t) {
          float *const from_x = work, *const from_h = work + s.units;
          wx(x + s.x_at(b, t), from_x);
          wh(h, from_h);
          for (int j = 0; j < s.units; ++j) y[s.y_at(b, t) + j] = h[j] = recurrent_value(o.f, o.clip, detail::gate(bias, j, from_x, from_h));
        },
        [&](int t) { detail::put_zeros(s, b, t, y); });
}

/// Rows and bias are [input, forget, cell, output][units], peepholes [input, forget, output][units] or null; c as h; work is
/// room for 8 * units floats.
template <class Rows>
constexpr void real_lstm(const recurrent_shape& s, const recurrent_options& o, const Rows& wx, const Rows& wh, const float* bias,
                         const float* peepholes, const float* x, const int* lengths, float* h, float* c, float* work, float* y) noexcept {
  const int n = s.units;
  for (int b = 0; b < s.batch; ++b, h += n, c += n)
    for_each_step(
        s, lengths, b,
        [&](int t) {
          float *const from_x = work, *const from_h = work + ptrdiff_t{4} * n;
          wx(x + s.x_at(b, t), from_x);
          wh(h, from_h);
          for (int j = 0; j < n; ++j) {
            const auto gate = [&](int which, int peephole, float cell) {
              const float a = detail::gate(bias, which * n + j, from_x, from_h);
              return recurrent_value(o.f, o.clip, peepholes != nullptr ? fp::sum(a, fp::product(peepholes[peephole * n + j], cell)) : a);
            };
            const float forget = gate(1, 1, c[j]), input = o.coupled ? fp::difference(1.0f, forget) : gate(0, 0, c[j]);
            const float g = recurrent_value(o.g, o.clip, detail::gate(bias, 2 * n + j, from_x, from_h));
            c[j] = fp::sum(fp::product(forget, c[j]), fp::product(input, g));
            y[s.y_at(b, t) + j] = h[j] = fp::product(gate(3, 2, c[j]), recurrent_value(o.h, 0.0f, c[j]));
          }
        },
        [&](int t) { detail::put_zeros(s, b, t, y); });
}

/// Rows and both biases, which may be null, are [reset, update, new][units]; work is room for 7 * units floats.
template <class Rows>
constexpr void real_gru(const recurrent_shape& s, const recurrent_options& o, const Rows& wx, const Rows& wh, const float* x_bias,
                        const float* h_bias, const float* x, const int* lengths, float* h, float* work, float* y) noexcept {
  const int n = s.units;
  for (int b = 0; b < s.batch; ++b, h += n)
    for_each_step(
        s, lengths, b,
        [&](int t) {
          float *const from_x = work, *const from_h = work + ptrdiff_t{3} * n, *const scaled = work + ptrdiff_t{6} * n;
          wx(x + s.x_at(b, t), from_x);
          wh.some(0, o.reset_after ? 3 * n : 2 * n, h, from_h);
          const auto open = [&](int r) {
            return recurrent_value(o.f, o.clip, fp::sum(fp::sum(detail::at_or_0(x_bias, r), from_x[r]), fp::sum(detail::at_or_0(h_bias, r), from_h[r])));
          };
          if (!o.reset_after) {
            for (int j = 0; j < n; ++j) scaled[j] = fp::product(open(j), h[j]);
            wh.some(2 * n, 3 * n, scaled, from_h + ptrdiff_t{2} * n);
          }
          for (int j = 0; j < n; ++j) {
            const int r = 2 * n + j;
            const float hidden = fp::sum(detail::at_or_0(h_bias, r), from_h[r]);
            const float a = fp::sum(fp::sum(detail::at_or_0(x_bias, r), from_x[r]), o.reset_after ? fp::product(open(j), hidden) : hidden);
            const float z = open(n + j), fresh = recurrent_value(o.g, o.clip, a);
            y[s.y_at(b, t) + j] = h[j] = fp::sum(fp::product(fp::difference(1.0f, z), fresh), fp::product(z, h[j]));
          }
        },
        [&](int t) { detail::put_zeros(s, b, t, y); });
}

}  // namespace ref

}  // namespace lowbits
