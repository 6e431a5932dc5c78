// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operations that model files have and the builder does not. Importers, and the headers that are emitted
// of their models, add them as custom nodes: each function is a custom_options::run.

#include <lowbits/fixed/power.hpp>
#include <lowbits/op/node.hpp>
#include <lowbits/ref/dynamic_quantize.hpp>
#include <lowbits/ref/eltwise.hpp>

namespace lowbits::inline LOWBITS_ABI::imported {

// ---- activations with more than one scale

/// Which scale element i has: one for each index of an axis, or for each block of `block` of them. The
/// tensor counts as [..][extent][inner], the scales as [extent], or as [..][ceil(extent / block)][inner].
struct scale_index {
  size_t inner = 1, extent = 1, block = 0;

  constexpr size_t operator()(size_t i) const noexcept {
    const size_t along = i / inner % extent;
    if (block == 0) return along;
    return (i / inner / extent * ceil_div(extent, block) + along / block) * inner + i % inner;
  }
};
/// The custom_options::user of the two operations below.
struct axis_scales {
  const float* scales = nullptr;
  const int32_t* zero_points = nullptr;
  size_t count = 0;  ///< of either
  scale_index at{};

  constexpr affine operator()(size_t i) const noexcept {
    const size_t k = at(i);
    return {scales[k], static_cast<int>(zero_points[k])};
  }
};

/// ONNX QuantizeLinear of one number: x / scale to the nearest integer, ties to even, plus the zero point.
constexpr int code_of(float x, const qformat& f, const affine& p) noexcept {
  if (fp::is_nan(x)) return p.zero_point;
  const float quotient = clamp(fp::quotient(x, p.scale), -1048576.0f, 1048576.0f);
  return clamp<int>(static_cast<int>(fp::to_nearest<fp::tie::to_even>(quotient)) + p.zero_point, f.lowest(), f.highest());
}
constexpr float real_of(int code, const affine& p) noexcept {
  return fp::product(static_cast<float>(code - p.zero_point), p.scale);
}

namespace detail {

/// f(codes) with a pointer of the element type that codes of that format have.
template <class Bytes, class Function>
void with_codes(const tensor_desc& d, Bytes* codes, const Function& f) noexcept {
  constexpr bool is_const = std::is_const_v<Bytes>;
  const auto as = [&]<class T>(T) { f(static_cast<std::conditional_t<is_const, const T*, T*>>(codes)); };
  switch (number_type_of(d)) {
    case number_type::q8: return as(int8_t{});
    case number_type::u8: return as(uint8_t{});
    case number_type::q16: return as(int16_t{});
    case number_type::u16: return as(uint16_t{});
    case number_type::q32: return as(int32_t{});
    case number_type::real: break;
  }
}

}  // namespace detail

/// Floats to codes of the output's format.
inline void quantize_per_axis(const custom_call& c) noexcept {
  const auto& s = *static_cast<const axis_scales*>(c.user);
  const auto* const x = static_cast<const float*>(c.in[0]);
  detail::with_codes(*c.out_desc, c.out, [&]<class T>(T* y) {
    for (size_t i = 0; i < c.out_desc->count(); ++i) y[i] = static_cast<T>(code_of(x[i], c.out_desc->format, s(i)));
  });
}
/// Codes of the input's format to floats.
inline void dequantize_per_axis(const custom_call& c) noexcept {
  const auto& s = *static_cast<const axis_scales*>(c.user);
  auto* const y = static_cast<float*>(c.out);
  detail::with_codes(*c.in_desc, c.in[0], [&](const auto* x) {
    for (size_t i = 0; i < c.out_desc->count(); ++i) y[i] = real_of(x[i], s(i));
  });
}

// ---- the three results of ONNX DynamicQuantizeLinear

inline void dynamic_codes(const custom_call& c) noexcept {
  ref::dynamic_quantize<u8>(c.in_desc->count(), static_cast<const float*>(c.in[0]), static_cast<uint8_t*>(c.out));
}
inline void dynamic_scale(const custom_call& c) noexcept {
  *static_cast<float*>(c.out) = ref::dynamic_parameters<u8>(c.in_desc->count(), static_cast<const float*>(c.in[0])).scale;
}
inline void dynamic_zero_point(const custom_call& c) noexcept {
  const affine p = ref::dynamic_parameters<u8>(c.in_desc->count(), static_cast<const float*>(c.in[0]));
  *static_cast<uint8_t*>(c.out) = static_cast<uint8_t>(p.zero_point);
}

// ---- two tensors of floats; extents of 1 are repeated

namespace detail {

template <class Op>
void pair(const custom_call& c, const Op& op) noexcept {
  ref::binary(c.in_desc[0].shape, c.in_desc[1].shape, static_cast<const float*>(c.in[0]), static_cast<const float*>(c.in[1]), op,
              static_cast<float*>(c.out));
}

}  // namespace detail

inline void quotient(const custom_call& c) noexcept {
  detail::pair(c, [](float u, float v) { return fp::quotient(u, v); });
}
inline void power(const custom_call& c) noexcept {
  detail::pair(c, [](float u, float v) { return fp_power(u, v); });
}

// ---- pooling of an image of floats [rows][columns][channels] whose windows differ in size: from
// floor(in * i / out) to ceil(in * (i + 1) / out)

namespace detail {

/// Over one axis of the input.
struct adaptive_range {
  int first, last;
  constexpr adaptive_range(int in, int i, int out) noexcept
      : first(static_cast<int>(int64_t{in} * i / out)), last(static_cast<int>((int64_t{in} * (i + 1) + out - 1) / out)) {}
};

inline void adaptive_pool(const custom_call& c, bool is_max) noexcept {
  const int *in = c.in_desc->shape.extent, *out = c.out_desc->shape.extent;
  const auto* const x = static_cast<const float*>(c.in[0]);
  auto* y = static_cast<float*>(c.out);
  for (int oh = 0; oh < out[0]; ++oh)
    for (int ow = 0; ow < out[1]; ++ow) {
      const adaptive_range rows(in[0], oh, out[0]), columns(in[1], ow, out[1]);
      for (int k = 0; k < in[2]; ++k) {
        double sum = 0;
        float best = 0;
        for (int h = rows.first; h < rows.last; ++h)
          for (int w = columns.first; w < columns.last; ++w) {
            const float v = x[(ptrdiff_t{h} * in[1] + w) * in[2] + k];
            best = (h == rows.first && w == columns.first) || v > best ? v : best;
            sum = fp::sum(sum, static_cast<double>(v));
          }
        const double positions = double{1} * (rows.last - rows.first) * (columns.last - columns.first);
        *y++ = is_max ? best : static_cast<float>(fp::quotient(sum, positions));
      }
    }
}

}  // namespace detail

inline void adaptive_max_pool(const custom_call& c) noexcept { detail::adaptive_pool(c, true); }
inline void adaptive_mean_pool(const custom_call& c) noexcept { detail::adaptive_pool(c, false); }

}  // namespace lowbits::imported
