// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A tensor of packed codes together with its parameters, as one value without pointers:
//
//   using w4g32 = lb::scheme<lb::q4, lb::per_group<32>>;
//   const auto q = lb::quantize<w4g32>(weights);        // float weights[64][128]
//   static_assert(sizeof q == 64 * 128 / 2 + 64 * 4 * sizeof(float));

#include <bit>
#include <span>
#include <type_traits>
#include <utility>

#include <lowbits/core/status.hpp>
#include <lowbits/pack/packed_view.hpp>
#include <lowbits/quant/scheme.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Borrows packed codes, their parameters and the shape (outermost extent first).
template <quantization_scheme Scheme>
struct quantized_view {
  using q = typename Scheme::q;
  using granularity = typename Scheme::granularity;

  packed_view<q> codes{};
  std::span<const typename Scheme::params> params{};
  shape_view shape{};

  constexpr size_t size() const noexcept { return codes.size(); }
  constexpr affine params_of(size_t element) const noexcept { return params[granularity::index(shape, element)]; }
  /// The real number that an element (row-major) stands for.
  constexpr float real(size_t element) const noexcept { return dequantize<q>(codes[element], params_of(element)); }
  /// True when there are as many codes and parameters as the shape asks for, and all are valid.
  constexpr bool is_valid() const noexcept {
    if (codes.size() != element_count(shape) || params.size() != granularity::count(shape)) return false;
    for (const affine p : params)
      if (!lowbits::is_valid(p, qformat::of<q>())) return false;
    return true;
  }
};

/// Owns what quantized_view borrows; an aggregate, so it may be constexpr and live in flash.
template <quantization_scheme Scheme, size_t... Extents>
struct quantized_tensor {
  static_assert(sizeof...(Extents) > 0 && ((Extents > 0) && ...),
                "lowbits: quantized_tensor: an extent is zero or missing; give at least one, each 1 or more");
  using q = typename Scheme::q;
  using granularity = typename Scheme::granularity;

  static constexpr size_t extents[] = {Extents...};
  static constexpr size_t count = (Extents * ...);
  static constexpr size_t param_count = granularity::count(extents);
  static_assert([] {
    if constexpr (requires { granularity::axis; }) return granularity::axis < sizeof...(Extents);
    else return true;
  }(), "lowbits: quantized_tensor: per_axis names an axis that the tensor does not have; count axes from 0, outermost first");

  typename Scheme::params params[param_count]{};
  uint8_t bytes[bytes_for<q>(count)]{};

  static constexpr shape_view shape() noexcept { return extents; }
  static constexpr size_t size() noexcept { return count; }
  constexpr packed_view<q> codes() const noexcept { return {bytes, count}; }
  constexpr packed_span<q> codes() noexcept { return {bytes, count}; }
  constexpr quantized_view<Scheme> view() const noexcept { return {codes(), params, extents}; }
  constexpr operator quantized_view<Scheme>() const noexcept { return view(); }  // NOLINT: the same data
  constexpr float real(size_t element) const noexcept { return view().real(element); }
  constexpr bool operator==(const quantized_tensor&) const = default;
};

namespace detail {

/// The range of a group, collected in the storage of the parameters that will be fitted to it.
/// Compares bits, so denormals count whatever the processor does with them. NaN is passed over.
constexpr void begin_range(affine& p) noexcept { p = {0.0f, 0}; }
constexpr void begin_range(symmetric& p) noexcept { p = {0.0f}; }
constexpr void begin_range(pow2& p) noexcept { p = {0}; }

constexpr float wider(float so_far, float x) noexcept {
  return fp::magnitude_bits(x) > fp::magnitude_bits(so_far) ? x : so_far;
}
constexpr void add_to_range(affine& p, float x) noexcept {
  if (fp::is_nan(x)) return;
  if (fp::is_negative(x)) p.scale = wider(p.scale, x);  // the lowest element
  else p.zero_point = std::bit_cast<int>(wider(std::bit_cast<float>(p.zero_point), x));
}
constexpr void add_to_range(symmetric& p, float x) noexcept {
  if (!fp::is_nan(x)) p.scale = fp::from_bits(larger(fp::magnitude_bits(x), fp::magnitude_bits(p.scale)));
}
constexpr void add_to_range(pow2& p, float x) noexcept {
  if (!fp::is_nan(x)) p.exponent = larger(p.exponent, static_cast<int>(fp::magnitude_bits(x)));
}
template <class Scheme>
constexpr void end_range(affine& p) noexcept { p = Scheme::fit(p.scale, std::bit_cast<float>(p.zero_point)); }
template <class Scheme>
constexpr void end_range(symmetric& p) noexcept { p = Scheme::fit(0.0f, p.scale); }
template <class Scheme>
constexpr void end_range(pow2& p) noexcept { p = Scheme::fit(0.0f, std::bit_cast<float>(p.exponent)); }

template <class Scheme, class Rounding, class X>
constexpr void quantize_elements(const X& x, shape_view shape, std::span<typename Scheme::params> params,
                                 packed_span<typename Scheme::q> codes) noexcept {
  using granularity = typename Scheme::granularity;
  for (auto& p : params) begin_range(p);
  for (size_t i = 0; i < codes.size(); ++i) add_to_range(params[granularity::index(shape, i)], x[i]);
  for (auto& p : params) end_range<Scheme>(p);
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i] = quantize<typename Scheme::q, Rounding>(x[i], params[granularity::index(shape, i)]);
}

/// Element i, row-major, of an array of arrays; a pointer may not run from one inner array to the
/// next in a constant expression.
template <class T>
constexpr float nested_element(const T& x, size_t i) noexcept {
  if constexpr (std::is_array_v<T>) {
    constexpr size_t inner = sizeof(x[0]) / sizeof(float);
    return nested_element(x[i / inner], i % inner);
  } else {
    return x;
  }
}
template <class T>
struct nested_elements {
  const T& x;
  constexpr float operator[](size_t i) const noexcept { return nested_element(x, i); }
};

template <class Scheme, class Array, size_t... Axes>
quantized_tensor<Scheme, std::extent_v<Array, Axes>...> tensor_like(std::index_sequence<Axes...>);

}  // namespace detail

/// Fits Scheme's parameters to the range of every group and quantizes: one call, one value. NaN
/// elements have no influence on the range and become zero; a group with an infinite element gets
/// scale 1.
template <quantization_scheme Scheme, class Rounding = half_even, class T, size_t N>
  requires std::is_same_v<std::remove_all_extents_t<T>, float>
constexpr auto quantize(const T (&x)[N]) noexcept {
  decltype(detail::tensor_like<Scheme, T[N]>(std::make_index_sequence<std::rank_v<T[N]>>{})) y;
  detail::quantize_elements<Scheme, Rounding>(detail::nested_elements<T[N]>{x}, y.shape(), y.params, y.codes());
  return y;
}

/// The same for a shape that is known only at run time. params has granularity::count(shape) entries.
template <quantization_scheme Scheme, class Rounding = half_even>
constexpr status quantize(std::span<const float> x, shape_view shape, std::span<typename Scheme::params> params,
                          packed_span<typename Scheme::q> codes) noexcept {
  const size_t n = element_count(shape);
  if (x.size() != n || codes.size() != n || params.size() != Scheme::granularity::count(shape)) return status::wrong_size;
  detail::quantize_elements<Scheme, Rounding>(x, shape, params, codes);
  return status::ok;
}

/// The real numbers that a tensor's codes stand for, row-major.
template <quantization_scheme Scheme>
constexpr status dequantize(const quantized_view<Scheme>& q, std::span<float> x) noexcept {
  if (x.size() != q.size()) return status::wrong_size;
  if (!q.is_valid()) return status::bad_value;
  for (size_t i = 0; i < x.size(); ++i) x[i] = q.real(i);
  return status::ok;
}
template <quantization_scheme Scheme, size_t... Extents>
constexpr status dequantize(const quantized_tensor<Scheme, Extents...>& q, std::span<float> x) noexcept {
  return dequantize(q.view(), x);
}

}  // namespace lowbits
